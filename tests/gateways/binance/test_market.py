"""The market streams feed the prices, and are replaced where they fall silent."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest

from runner.domain.commands import Crossing, WatchPrice
from runner.domain.conditions import PriceSource
from runner.domain.events import Event, MarketGap, PriceTouched
from runner.gateways.binance.market import MarketStreams
from runner.gateways.binance.prices import LivePrices, Quote
from runner.gateways.binance.rest import Rest
from runner.gateways.binance.settings import Timings
from tests.gateways.binance.stage import KEYS, QUICK, SYMBOL, Stage

D = Decimal
FRESH = QUICK.but(stale_ms=2_500)


class Floor:
    def __init__(self, stage: Stage, rest: Rest, timings: Timings) -> None:
        self.stage = stage
        self.rest = rest
        self.told: list[Event] = []
        self.prices = LivePrices([SYMBOL], timings.stale_ms, rest.now_ms, self.told.append)
        self.streams = MarketStreams(stage.endpoints, rest, self.prices, [SYMBOL], timings)

    async def until(self, wanted: Callable[[], bool]) -> None:
        async with asyncio.timeout(15):
            while not wanted():
                await asyncio.sleep(0.002)


def on_the_floor(story: Callable[[Floor], Awaitable[None]], timings: Timings = FRESH) -> None:
    async def live() -> None:
        async with Stage() as stage:
            rest = Rest(stage.endpoints, KEYS, timings)
            await rest.open()
            floor = Floor(stage, rest, timings)
            running = asyncio.create_task(floor.streams.run())
            try:
                await floor.until(lambda: floor.prices.quote(SYMBOL) is not None)
                await story(floor)
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
                await rest.close()

    asyncio.run(live())


def touched(floor: Floor) -> list[Decimal]:
    return [event.price for event in floor.told if isinstance(event, PriceTouched)]


def test_prices_are_those_of_the_market_and_a_watch_fires_with_a_trade() -> None:
    async def story(floor: Floor) -> None:
        assert floor.prices.quote(SYMBOL) == Quote(D(60000), D(60000), D("59999.9"), D("60000.1"))
        floor.prices.watch(WatchPrice("up", SYMBOL, PriceSource.LAST, Crossing.GT, D(60100)))
        floor.prices.watch(WatchPrice("mark", SYMBOL, PriceSource.MARK, Crossing.GT, D(60100)))
        floor.stage.trade("60200")
        await floor.until(lambda: len(touched(floor)) == 2)
        assert touched(floor) == [D(60200), D(60200)]
        await floor.until(lambda: floor.prices.quote(SYMBOL) == Quote(D(60200), D(60200), D("60199.9"), D("60200.1")))
        assert not any(isinstance(event, MarketGap) for event in floor.told)

    on_the_floor(story)


def test_a_market_that_was_away_is_a_gap_and_then_judged_on_the_present() -> None:
    async def story(floor: Floor) -> None:
        floor.prices.watch(WatchPrice("up", SYMBOL, PriceSource.LAST, Crossing.GT, D(60100)))
        floor.stage.fault("socket_dropped", route="/market*")
        await floor.until(lambda: floor.prices.quote(SYMBOL) is None)
        floor.stage.trade("60200")
        await floor.until(lambda: touched(floor) == [D(60200)])
        assert [*dict.fromkeys(map(type, floor.told))] == [MarketGap, PriceTouched]

    on_the_floor(story)


def test_a_market_that_falls_silent_is_connected_anew() -> None:
    async def story(floor: Floor) -> None:
        floor.stage.fault("socket_silent", route="/market*")
        await floor.until(lambda: floor.prices.quote(SYMBOL) is None)
        await floor.until(lambda: floor.prices.quote(SYMBOL) is not None)
        assert [type(event) for event in floor.told] == [MarketGap]

    on_the_floor(story, QUICK.but(stale_ms=2_000))


def test_the_best_prices_are_read_again_after_their_socket_was_lost() -> None:
    async def story(floor: Floor) -> None:
        floor.stage.fault("unavailable_503", route="GET /fapi/v1/ticker/bookTicker", count=2)
        floor.stage.fault("socket_dropped", route="/public*")
        await floor.until(lambda: floor.prices.quote(SYMBOL) is None)
        await floor.until(lambda: floor.prices.quote(SYMBOL) is not None)
        assert floor.told == [], "trades and marks were heard all the time"

    on_the_floor(story)


def test_a_silent_stream_of_best_prices_is_connected_anew() -> None:
    async def story(floor: Floor) -> None:
        floor.stage.fault("socket_silent", route="/public*")
        floor.stage.trade("60200")
        await floor.until(lambda: floor.prices.astray(SYMBOL))
        await floor.until(lambda: floor.prices.quote(SYMBOL) == Quote(D(60200), D(60200), D("60199.9"), D("60200.1")))

    on_the_floor(story, QUICK.but(stale_ms=2_000))


def test_distrust_connects_both_anew() -> None:
    async def story(floor: Floor) -> None:
        before = set(floor.stage.served.hub.clients)
        floor.streams.distrust()
        await floor.until(lambda: floor.prices.quote(SYMBOL) is None)
        await floor.until(lambda: floor.prices.quote(SYMBOL) is not None)
        assert before.isdisjoint(floor.stage.served.hub.clients)

    on_the_floor(story)


def test_a_frame_that_waited_while_this_process_stood_still_is_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(floor: Floor) -> None:
        floor.prices.watch(WatchPrice("up", SYMBOL, PriceSource.LAST, Crossing.GT, D(60100)))
        before, now_ms = set(floor.stage.served.hub.clients), floor.rest.clock.now_ms
        floor.stage.trade("60200")
        monkeypatch.setattr(floor.rest.clock, "now_ms", lambda: now_ms() + 60_000)
        floor.stage.trade("60300")
        await floor.until(lambda: bool(touched(floor)))
        assert [*dict.fromkeys(map(type, floor.told))] == [MarketGap, PriceTouched]
        assert touched(floor) == [D(60300)] and before.isdisjoint(floor.stage.served.hub.clients)

    on_the_floor(story)


def test_frames_that_are_no_events_are_passed_over() -> None:
    async def story(floor: Floor) -> None:
        for client in floor.stage.served.hub.clients:
            for text in ("", "[]", "{", '{"result":null,"id":1}', '{"e":"aggTrade"}', '{"e":"bookTicker","s":1}'):
                client.socket.tell(text)
        floor.prices.watch(WatchPrice("up", SYMBOL, PriceSource.LAST, Crossing.GT, D(60100)))
        floor.stage.trade("60200")
        await floor.until(lambda: touched(floor) == [D(60200)])

    on_the_floor(story)
