"""Timers of a live run, on the exchange's clock.

A process that was stopped, or a machine that slept, comes back to a world that went on without it: timers are held
then, until everything has been read again.
"""

import asyncio
import heapq
import time
from collections.abc import Callable

from runner.domain.commands import CancelTimer, SetTimer, TimerCommand
from runner.domain.events import TimerFired

ASLEEP_MS = 5_000
_BEAT_MS = 1_000


class LiveClock:
    """Implements `Clock` of `runner.ports`; begins held.

    `now_ms` is the exchange's clock, `post` takes what is due into the one queue, `overslept` is called when more than
    `ASLEEP_MS` went by unnoticed.
    """

    def __init__(
        self, now_ms: Callable[[], int], post: Callable[[TimerFired], None], overslept: Callable[[], None],
    ) -> None:
        self._exchange_ms = now_ms
        self._post = post
        self._overslept = overslept
        self._due: dict[str, int] = {}
        self._queue: list[tuple[int, int, str]] = []
        self._set = 0
        self._held = True
        self._waking: asyncio.TimerHandle | None = None
        self._awake_ms = _elapsed()
        self._ring()

    def now_ms(self) -> int:
        return self._exchange_ms()

    def schedule(self, command: TimerCommand) -> None:
        match command:
            case SetTimer(timer_id, at_ms):
                self._due[timer_id] = at_ms
                self._set += 1
                heapq.heappush(self._queue, (at_ms, self._set, timer_id))
                if self._queue[0][1] == self._set and not self._held:
                    self._arm()
            case CancelTimer(timer_id):
                self._due.pop(timer_id, None)

    def stands(self, fired: TimerFired) -> bool:
        """Whether a timer that was due is still wanted, now that its turn has come; each counts once."""
        due_ms = self._due.get(fired.timer_id)
        if due_ms is None or due_ms > fired.at_ms:
            return False
        del self._due[fired.timer_id]
        return True

    def hold(self) -> None:
        """Let nothing be due until `release`."""
        self._held = True

    def release(self) -> None:
        """Go on; what has become due meanwhile is due now."""
        self._held = False
        self._ring()

    def close(self) -> None:
        if self._waking is not None:
            self._waking.cancel()

    def _ring(self) -> None:
        now_ms, before = _elapsed(), self._awake_ms
        self._awake_ms = now_ms
        # The wall clock goes on while the machine sleeps, the other one while somebody sets the wall clock back.
        if max(now - then for now, then in zip(now_ms, before)) > _BEAT_MS + ASLEEP_MS:
            self._held = True
            self._overslept()
        while not self._held and self._queue and self._queue[0][0] <= self.now_ms():
            at_ms, _, timer_id = heapq.heappop(self._queue)
            if self._due.get(timer_id) == at_ms:
                self._post(TimerFired(self.now_ms(), timer_id))
        self._arm()

    def _arm(self) -> None:
        """Wake at the next timer, and never later than the next beat: the exchange's clock may turn out otherwise."""
        if self._waking is not None:
            self._waking.cancel()
        wait_ms = _BEAT_MS
        if self._queue and not self._held:
            wait_ms = min(max(self._queue[0][0] - self.now_ms(), 0), _BEAT_MS)
        self._waking = asyncio.get_running_loop().call_later(wait_ms / 1000, self._ring)


def _elapsed() -> tuple[int, int]:
    """The wall clock and the one that nobody sets."""
    return time.time_ns() // 1_000_000, time.monotonic_ns() // 1_000_000
