"""Symbols are looked at on a period, whatever becomes of single looks."""

import asyncio
from collections.abc import Awaitable, Callable

from runner.domain.snapshots import VenueSnapshot
from runner.gateways.binance.answers import Answer, NoAnswer, Standing
from runner.gateways.binance.polling import Polling
from runner.gateways.binance.settings import Timings

QUICK = Timings(poll_ms=5, reconnect_pauses_ms=(1,))
HANG = "hang"
FAIL = "fail"
GARBLE = "garble"


class Eyes:
    """What was looked at; `trouble` befalls the next looks."""

    def __init__(self) -> None:
        self.looked: list[str] = []
        self.shown: list[str] = []
        self.trouble: list[str] = []
        self.polling = Polling(self._look, self._show, QUICK)

    async def until(self, wanted: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not wanted():
                await asyncio.sleep(0.001)

    async def _look(self, symbol: str) -> VenueSnapshot:
        self.looked.append(symbol)
        trouble = self.trouble.pop(0) if self.trouble else ""
        if trouble == HANG:
            await asyncio.Event().wait()
        if trouble == FAIL:
            raise NoAnswer(Answer(Standing.NOT_SENT, 0, 0, "no connection", None, 0), "a look")
        if trouble == GARBLE:
            raise KeyError("positionAmt")
        return VenueSnapshot(1, (), (), (), symbols=(symbol,))

    def _show(self, snapshot: VenueSnapshot) -> int:
        self.shown += snapshot.symbols
        return 1


def looked(story: Callable[[Eyes], Awaitable[None]]) -> None:
    async def live() -> None:
        eyes = Eyes()
        try:
            await story(eyes)
        finally:
            await eyes.polling.close()
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(live())


def test_what_is_attended_is_looked_at_again_and_again_and_nothing_else() -> None:
    async def story(eyes: Eyes) -> None:
        eyes.polling.attend(["BTCUSDT", "ETHUSDT"])
        eyes.polling.attend(["BTCUSDT", "ETHUSDT"])
        await eyes.until(lambda: eyes.shown.count("BTCUSDT") > 3 and eyes.shown.count("ETHUSDT") > 3)
        eyes.polling.attend(["ETHUSDT"])
        await asyncio.sleep(0)
        eyes.shown.clear()
        await eyes.until(lambda: eyes.shown.count("ETHUSDT") > 3)
        assert "BTCUSDT" not in eyes.shown
        eyes.polling.attend([])
        await asyncio.sleep(0)
        count = len(eyes.looked)
        await asyncio.sleep(0.02)
        assert len(eyes.looked) == count

    looked(story)


def test_looks_that_fail_are_repeated() -> None:
    async def story(eyes: Eyes) -> None:
        eyes.trouble += [FAIL, FAIL, GARBLE, FAIL]
        eyes.polling.attend(["BTCUSDT"])
        await eyes.until(lambda: eyes.shown == ["BTCUSDT"])
        assert len(eyes.looked) == 5

    looked(story)


def test_a_look_that_hangs_is_not_waited_for() -> None:
    async def story(eyes: Eyes) -> None:
        eyes.trouble += [HANG]
        eyes.polling.attend(["BTCUSDT"])
        await eyes.until(lambda: bool(eyes.shown))
        assert len(eyes.looked) >= 2

    looked(story)
