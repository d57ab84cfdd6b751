"""The two clocks of the served exchange.

The front's is the wall clock: signatures, `recvWindow`, `/fapi/v1/time`, listen keys, rate limits.  The exchange's
own, stamped on orders and events, runs at the speed of the data; at 1x, with data moved to begin now, both agree.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass


def wall_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass(slots=True)
class FrontClock:
    """The wall clock, of which a test gives its own, and `off_ms` by which the exchange differs from it."""

    wall_ms: Callable[[], int] = wall_ms
    off_ms: int = 0

    def now_ms(self) -> int:
        """In UTC ms."""
        return self.wall_ms() + self.off_ms


class VenueClock:
    """The exchange's time: `began_ms` when made, then `speed` times as fast as the wall clock.  Never goes back.

    A speed of 0 stands still, and moves only by `set`.  It goes by the wall clock, however far the front is off that.
    Never beyond `limit_ms`: what has not happened yet (the next datum) is not overtaken, however late it is fed.
    """

    def __init__(self, front: FrontClock, began_ms: int, speed: float = 1.0) -> None:
        self.speed = speed
        self.limit_ms: int | None = None
        self._front = front
        self._front_ms = front.wall_ms()
        self._began_ms = began_ms
        self._latest_ms = began_ms

    def now_ms(self) -> int:
        elapsed = self._front.wall_ms() - self._front_ms
        reached = self._began_ms + int(elapsed * self.speed)
        if self.limit_ms is not None:
            reached = min(reached, self.limit_ms)
        self._latest_ms = max(self._latest_ms, reached)
        return self._latest_ms

    def set(self, now_ms: int) -> None:
        """Let it be `now_ms`, from where it goes on at its speed; an earlier instant changes nothing."""
        if now_ms > self.now_ms():
            self._front_ms, self._began_ms, self._latest_ms = self._front.wall_ms(), now_ms, now_ms

    def run_at(self, speed: float) -> None:
        """Go on from now at another speed."""
        self._began_ms, self._front_ms = self.now_ms(), self._front.wall_ms()
        self.speed = speed

    def front_ms(self, venue_ms: int) -> int:
        """When, on the front's clock, the exchange's will show `venue_ms`; meaningless at speed 0."""
        return self._front_ms + int((venue_ms - self._began_ms) / self.speed)
