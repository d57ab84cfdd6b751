"""The exchange's clock, as well as it can be known from here: this machine's wall clock and a measured offset."""

import time
from collections.abc import Awaitable, Callable

from runner.domain.value import Value

Ask = Callable[[], Awaitable[int]]
"""What the exchange's clock says, in UTC ms."""


class Sample(Value, frozen=True):
    """One measure: the offset is known to half the round trip, both ways being equally long at best."""

    offset_ms: float
    round_trip_ms: float


class ExchangeClock:
    """`wall_ms` is UTC and may be set or jump, `steady_ms` only goes on; while the machine sleeps it may stand."""

    def __init__(
        self, wall_ms: Callable[[], float] = lambda: time.time_ns() / 1e6,
        steady_ms: Callable[[], float] = lambda: time.monotonic_ns() / 1e6,
    ) -> None:
        self._wall_ms = wall_ms
        self._steady_ms = steady_ms
        self._measured = Sample(0.0, 0.0)
        self._told_ms = 0
        self._ahead_ms = wall_ms() - steady_ms()

    @property
    def offset_ms(self) -> float:
        """What is added to this machine's wall clock."""
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
        return int(self._wall_ms() + self._measured.offset_ms)

    async def measure(self, ask: Ask, samples: int) -> Sample:
        """Ask so many times; the measure of the shortest round trip counts from now on.  Failures of `ask` pass."""
        best: Sample | None = None
        for _ in range(samples):
            begun_ms, wall_ms = self._steady_ms(), self._wall_ms()
            server_ms = await ask()
            taken_ms = self._steady_ms() - begun_ms
            # The answer is cut to whole milliseconds.
            sample = Sample(server_ms + 0.5 - (wall_ms + taken_ms / 2), taken_ms)
            if best is None or sample.round_trip_ms < best.round_trip_ms:
                best = sample
        if best is not None:
            self._measured = best
        self._ahead_ms = self._wall_ms() - self._steady_ms()
        return self._measured

    def jump_ms(self) -> float:
        """How far the wall clock has gone ahead of the steady one since this was last asked, or the offset measured:
        the machine slept, or its clock was set."""
        ahead_ms = self._wall_ms() - self._steady_ms()
        jumped_ms = ahead_ms - self._ahead_ms
        self._ahead_ms = ahead_ms
        return jumped_ms
