"""Timers on the exchange's clock, and what a long sleep does to them."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from runner.app.live import clock as module
from runner.app.live.clock import LiveClock
from runner.domain.commands import CancelTimer, SetTimer
from runner.domain.events import TimerFired
from tests.gateways.binance.virtual import virtually


class Bench:
    """A clock whose exchange is `ahead_ms` of a loop whose time passes at once."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead_ms = 1_000_000
        self.wall_ms = self.steady_ms = 0
        self.fired: list[TimerFired] = []
        self.overslept = 0
        monkeypatch.setattr(
            module, "_elapsed", lambda: (self._loop_ms() + self.wall_ms, self._loop_ms() + self.steady_ms),
        )
        self.clock = LiveClock(lambda: self._loop_ms() + self.ahead_ms, self.fired.append, self._sleep)

    def _loop_ms(self) -> int:
        return round(asyncio.get_running_loop().time() * 1000)

    def _sleep(self) -> None:
        self.overslept += 1

    def due(self) -> list[tuple[str, int]]:
        return [(one.timer_id, one.at_ms - 1_000_000) for one in self.fired]


Story = Callable[[Bench], Awaitable[None]]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Callable[[Story], None]:
    def tell(story: Story) -> None:
        async def whole() -> None:
            bench = Bench(monkeypatch)
            try:
                await story(bench)
            finally:
                bench.clock.close()

        virtually(whole)

    return tell


def test_timers_are_due_in_their_order(told: Callable[[Story], None]) -> None:
    async def story(bench: Bench) -> None:
        bench.clock.release()
        for timer_id, at_ms in (("late", 90_000), ("soon", 20), ("twice", 20), ("past", -5)):
            bench.clock.schedule(SetTimer(timer_id, 1_000_000 + at_ms))
        await asyncio.sleep(100)
        assert bench.due() == [("past", 0), ("soon", 20), ("twice", 20), ("late", 90_000)]
        assert all(bench.clock.stands(one) for one in bench.fired)
        assert not any(bench.clock.stands(one) for one in bench.fired)

    told(story)


def test_a_timer_that_was_cancelled_or_set_anew_after_it_was_due_does_not_stand(told: Callable[[Story], None]) -> None:
    async def story(bench: Bench) -> None:
        bench.clock.release()
        for timer_id in ("kept", "cancelled", "moved"):
            bench.clock.schedule(SetTimer(timer_id, 1_000_010))
        await asyncio.sleep(1)
        bench.clock.schedule(CancelTimer("cancelled"))
        bench.clock.schedule(SetTimer("moved", 1_005_000))
        assert [one.timer_id for one in bench.fired if bench.clock.stands(one)] == ["kept"]
        await asyncio.sleep(10)
        assert bench.due()[-1] == ("moved", 5_000)
        assert bench.clock.stands(bench.fired[-1])

    told(story)


def test_a_cancelled_timer_is_never_due(told: Callable[[Story], None]) -> None:
    async def story(bench: Bench) -> None:
        bench.clock.release()
        bench.clock.schedule(SetTimer("t", 1_000_500))
        bench.clock.schedule(CancelTimer("t"))
        bench.clock.schedule(CancelTimer("never set"))
        await asyncio.sleep(2)
        assert bench.fired == []

    told(story)


def test_the_clock_of_the_exchange_counts_when_it_turns_out_otherwise(told: Callable[[Story], None]) -> None:
    async def story(bench: Bench) -> None:
        bench.clock.release()
        bench.clock.schedule(SetTimer("t", 1_010_000))
        await asyncio.sleep(2)
        bench.ahead_ms += 4_000
        await asyncio.sleep(3)
        assert bench.fired == []
        await asyncio.sleep(1.5)
        assert bench.due() == [("t", 10_000)]

    told(story)


def test_nothing_is_due_while_it_is_held(told: Callable[[Story], None]) -> None:
    async def story(bench: Bench) -> None:
        bench.clock.schedule(SetTimer("t", 1_000_010))
        await asyncio.sleep(5)
        assert bench.fired == []
        bench.clock.release()
        assert bench.due() == [("t", 5_000)]

    told(story)


@pytest.mark.parametrize("which", ["wall_ms", "steady_ms"])
def test_after_a_long_sleep_timers_wait_until_everything_was_read(told: Callable[[Story], None], which: str) -> None:
    async def story(bench: Bench) -> None:
        bench.clock.release()
        bench.clock.schedule(SetTimer("t", 1_000_700))
        setattr(bench, which, 3_600_000)
        await asyncio.sleep(10)
        assert (bench.overslept, bench.fired) == (1, [])
        bench.clock.release()
        assert [one.timer_id for one in bench.fired] == ["t"]

    told(story)


def test_a_short_stall_is_no_sleep(told: Callable[[Story], None]) -> None:
    async def story(bench: Bench) -> None:
        bench.clock.release()
        bench.wall_ms = bench.steady_ms = 4_900
        await asyncio.sleep(3)
        assert bench.overslept == 0

    told(story)


def test_both_clocks_are_read_from_the_system() -> None:
    wall, steady = module._elapsed()
    assert abs(wall - time.time_ns() // 1_000_000) < 60_000
    assert abs(steady - time.monotonic_ns() // 1_000_000) < 60_000
