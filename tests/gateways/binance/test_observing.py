"""What is observed comes from the streams where they know it, and is read where they do not."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest

from runner.domain.events import Event, Observed
from runner.domain.positions import Position
from runner.domain.snapshots import Balance, VenueSnapshot
from runner.gateways.binance.observing import Observing
from runner.gateways.binance.prices import LivePrices
from runner.gateways.binance.reading import Reading
from runner.gateways.binance.rest import Rest
from runner.gateways.binance.view import View
from tests.gateways.binance.stage import QUICK, SYMBOL, Stage, told

D = Decimal


class Desk:
    """`observing`, with prices and a view that the test feeds itself."""

    def __init__(self, stage: Stage, rest: Rest) -> None:
        self.stage = stage
        self.rest = rest
        self.said: list[Event] = []
        self.prices = LivePrices([SYMBOL], QUICK.stale_ms, rest.now_ms, self.said.append)
        self.view = View([SYMBOL], 2_000)
        self.caught_up = asyncio.Event()
        self.caught_up.set()
        self.observing = Observing(rest, Reading(rest), self.prices, self.view, self.caught_up, self.said.append)
        self.view.begin(VenueSnapshot(1, (Balance("USDT", D(500), D(500)),), (), (), (), 0))

    def quote(self) -> None:
        self.prices.mark(SYMBOL, D(61000))
        self.prices.last(SYMBOL, D(61001))
        self.prices.best(SYMBOL, D(60999), D(61002))

    async def read(self) -> Observed:
        """The answer where it has to be read, or waited for."""
        assert not self.observing.at_once(SYMBOL)
        async with asyncio.timeout(10):
            await self.observing.answer(SYMBOL)
        return self.seen()

    def seen(self) -> Observed:
        last = self.said[-1]
        assert isinstance(last, Observed)
        return last


def at_the_desk(story: Callable[[Desk], Awaitable[None]]) -> None:
    async def live(stage: Stage, rest: Rest) -> None:
        await story(Desk(stage, rest))

    told(live)


def test_what_the_streams_do_not_know_is_read_until_it_is_answered() -> None:
    async def story(desk: Desk) -> None:
        for route in ("premiumIndex", "ticker/bookTicker", "ticker/price"):
            desk.stage.fault("unavailable_503", route=f"GET /fapi/v?/{route}", count=2)
        desk.stage.fault("lost_answer", route="GET /fapi/v3/account")
        seen = await desk.read()
        assert (seen.last_px, seen.mark_px, seen.bid_px, seen.ask_px) == (
            D(60000), D(60000), D("59999.9"), D("60000.1"),
        )
        assert (seen.wallet, seen.unrealised, seen.taker_fee) == (D(10000), 0, D("0.0005"))

    at_the_desk(story)


def test_once_all_of_it_is_known_the_answer_comes_at_once() -> None:
    async def story(desk: Desk) -> None:
        desk.quote()
        assert (await desk.read()).wallet == D(10000), "the first time the account is read, for its fees"
        assert desk.observing.at_once(SYMBOL)
        seen = desk.seen()
        assert (seen.last_px, seen.mark_px, seen.bid_px, seen.ask_px) == (D(61001), D(61000), D(60999), D(61002))
        assert (seen.wallet, seen.unrealised, seen.taker_fee) == (D(500), 0, D("0.0005"))
        desk.view.wallet("USDT", D(490), 5)
        desk.view.position(Position(SYMBOL, D("-0.010"), D(60000)), 5)
        assert desk.observing.at_once(SYMBOL)
        assert (desk.seen().wallet, desk.seen().unrealised) == (D(490), D(-10))

    at_the_desk(story)


def test_profit_on_a_symbol_whose_mark_is_not_heard_is_read() -> None:
    async def story(desk: Desk) -> None:
        info = desk.rest.exchange_info
        other = {"symbol": "ETHUSDT", "marginAsset": "USDT"}, {"symbol": "ETHUSDC", "marginAsset": "USDC"}
        desk.rest.exchange_info = {**info, "symbols": [*info["symbols"], *other]}
        desk.quote()
        await desk.read()
        desk.view.position(Position("ETHUSDC", D(1), D(3000)), 5)
        assert desk.observing.at_once(SYMBOL), "another asset is another wallet"
        desk.view.position(Position("ETHUSDT", D(1), D(3000)), 5)
        assert (await desk.read()).wallet == D(10000)

    at_the_desk(story)


@pytest.mark.parametrize("before", [True, False])
def test_nothing_is_answered_while_the_user_stream_is_away(before: bool) -> None:
    async def story(desk: Desk) -> None:
        desk.quote()
        if before:
            await desk.read()
        count = len(desk.said)
        desk.caught_up.clear()
        assert not desk.observing.at_once(SYMBOL)
        answering = asyncio.create_task(desk.observing.answer(SYMBOL))
        done, _ = await asyncio.wait((answering,), timeout=0.05)
        assert not done and len(desk.said) == count
        desk.caught_up.set()
        async with asyncio.timeout(10):
            await answering
        assert len(desk.said) == count + 1

    at_the_desk(story)
