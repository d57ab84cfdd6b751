"""The exchange's clock, as well as it can be known from here: measured, and carried on by a clock that nobody sets.

This machine's wall clock is compared with it and not relied upon: it may be set while we run.
"""

import time
from collections.abc import Awaitable, Callable

from runner.domain.value import Value

Ask = Callable[[], Awaitable[int]]
"""What the exchange's clock says, in UTC ms."""

# Both go on while the machine sleeps; Linux calls it BOOTTIME, macOS MONOTONIC.
_SLEEPLESS = getattr(time, "CLOCK_BOOTTIME", None) or getattr(time, "CLOCK_MONOTONIC", None)


def wall_ms() -> float:
    return time.time_ns() / 1e6


def elapsed_ms() -> float:
    """Goes on while the machine sleeps, where the system has such a clock."""
    return (time.monotonic_ns() if _SLEEPLESS is None else time.clock_gettime_ns(_SLEEPLESS)) / 1e6


def awake_ms() -> float:
    """Stands while the machine sleeps, where the system has such a clock."""
    return time.monotonic_ns() / 1e6


class Sample(Value, frozen=True):
    """One measure: how far the exchange is ahead of the elapsed time, and of the wall clock; known to half the round
    trip."""

    ahead_ms: float
    offset_ms: float
    round_trip_ms: float


class ExchangeClock:
    """Before the first measure it is this machine's wall clock."""

    def __init__(
        self, wall: Callable[[], float] = wall_ms, elapsed: Callable[[], float] = elapsed_ms,
        awake: Callable[[], float] = awake_ms,
    ) -> None:
        self._wall = wall
        self._elapsed = elapsed
        self._awake = awake
        self._measured = Sample(wall() - elapsed(), 0.0, 0.0)
        self._asleep_ms = elapsed() - awake()
        self._told_ms = 0

    @property
    def offset_ms(self) -> float:
        """How far the exchange was ahead of this machine's wall clock when last measured."""
        return self._measured.offset_ms

    @property
    def round_trip_ms(self) -> float:
        return self._measured.round_trip_ms

    def now_ms(self) -> int:
        """The exchange's time; never before what was told already."""
        self._told_ms = max(self._told_ms, self.stamp_ms())
        return self._told_ms

    def stamp_ms(self) -> int:
        """The exchange's time as it is believed at present, which requests are signed with: it follows a measure back
        too."""
        return int(self._elapsed() + self._measured.ahead_ms)

    async def measure(self, ask: Ask, samples: int) -> Sample:
        """Ask so many times; the measure of the shortest round trip counts from now on."""
        found: list[Sample] = []
        for _ in range(samples):
            begun_ms = self._elapsed()
            server_ms = await ask()
            ended_ms, wall_ms = self._elapsed(), self._wall()
            taken_ms = ended_ms - begun_ms
            # The answer is cut to whole milliseconds.
            server_now_ms = server_ms + 0.5 + taken_ms / 2
            found.append(Sample(server_now_ms - ended_ms, server_now_ms - wall_ms, taken_ms))
        self._measured = min(found, key=lambda sample: sample.round_trip_ms)
        return self._measured

    def slept_ms(self) -> float:
        """How long the machine has slept since this was last asked."""
        asleep_ms = self._elapsed() - self._awake()
        slept_ms = asleep_ms - self._asleep_ms
        self._asleep_ms = asleep_ms
        return slept_ms
