"""The dry run's gateway: one order of time for market, requests, answers, watches and timers."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.domain.commands import (
    CancelOrder,
    CancelTimer,
    Crossing,
    Observe,
    PlaceOrder,
    QueryOrder,
    ReadPosition,
    SetTimer,
    UnwatchPrice,
    VenueCommand,
    WatchPrice,
)
from runner.domain.conditions import PriceSource
from runner.domain.events import (
    Action,
    CommandRejected,
    DataEnded,
    Event,
    MarketGap,
    Observed,
    OrderNotFound,
    PositionReport,
    PriceTouched,
    TimerFired,
)
from runner.domain.orders import OrderRequest, OrderStatus
from runner.domain.positions import Position
from runner.domain.reports import OrderReport, TradeReport
from runner.domain.snapshots import Balance, VenueSnapshot
from runner.domain.values import OrderType, Side
from runner.gateways.dryrun import DryRunGateway
from runner.ports import Clock, Gateway, Prices
from runner.venue.exchange import Exchange
from runner.venue.feeds.merging import feed
from runner.venue.market import CandleEnd, CandleOpen, Datum, Mark, Point, Quote
from runner.venue.settings import VenueSettings
from tests.venue.desk import BTC, COARSE, MINUTE

D = Decimal
LAST, MARK = PriceSource.LAST, PriceSource.MARK
GE, LE = Crossing.GE, Crossing.LE


def points(*prices: int, every: int = 100) -> list[Datum]:
    return [Point("BTCUSDT", index * every, D(price)) for index, price in enumerate(prices)]


def candle(minute: int, open_: int, high: int, low: int, close: int) -> list[Datum]:
    return [
        CandleOpen("BTCUSDT", minute * MINUTE, D(open_)),
        CandleEnd("BTCUSDT", (minute + 1) * MINUTE, minute * MINUTE, D(open_), D(high), D(low), D(close), D(100)),
    ]


class Run:
    """A gateway over some data; `log` is every event with the clock's time at which it reached us."""

    def __init__(self, *markets: list[Datum], latency_ms: int = 50, **settings: Any) -> None:
        all_data = feed(markets)
        exchange = Exchange({"BTCUSDT": BTC, "COARSEUSDT": COARSE}, VenueSettings(**settings))
        account = exchange.open_account("dryrun")
        self.gateway = DryRunGateway(exchange, account, all_data.firsts, all_data.data, latency_ms)
        self.log: list[tuple[int, Event]] = []
        self._events = self.gateway.events()

    def step(self) -> Event | None:
        """The next event, without an event loop: nothing here may suspend."""
        try:
            self._events.__anext__().send(None)  # type: ignore[attr-defined]
        except StopIteration as done:
            event: Event = done.value
            self.log.append((self.gateway.now_ms(), event))
            return event
        except StopAsyncIteration:
            return None
        raise AssertionError("the gateway suspended")

    def rest(self) -> list[tuple[int, Event]]:
        """All events from here to the end, with their times."""
        start = len(self.log)
        while self.step() is not None:
            pass
        return self.log[start:]

    def until(self, wanted: Callable[[Event], bool]) -> Event:
        while (event := self.step()) is not None:
            if wanted(event):
                return event
        raise AssertionError("the run ended first")

    def place(self, name: str, side: str = "BUY", kind: str = "MARKET", qty: str = "0.01", **prices: Any) -> None:
        request = OrderRequest(name, "BTCUSDT", Side(side), OrderType(kind), D(qty), **prices)
        self.gateway.submit(PlaceOrder(request, "node"))


def short(log: list[tuple[int, Event]]) -> list[tuple[int, str]]:
    """Times and the heart of each event."""
    texts = []
    for at, event in log:
        match event:
            case OrderReport():
                texts.append((at, f"{event.client_order_id} {event.status}"))
            case TradeReport():
                texts.append((at, f"{event.client_order_id} trade"))
            case TimerFired():
                texts.append((at, f"timer {event.timer_id}"))
            case PriceTouched():
                texts.append((at, f"touch {event.watch_id} {event.price}"))
            case _:
                texts.append((at, type(event).__name__))
    return texts


def test_it_is_gateway_clock_and_prices_in_one() -> None:
    gateway = Run(points(60000)).gateway
    roles: tuple[Gateway, Clock, Prices] = (gateway, gateway, gateway)
    assert len(set(map(id, roles))) == 1


def test_the_clock_starts_at_the_earliest_datum_of_all_symbols() -> None:
    run = Run([Point("BTCUSDT", 700, D(60000))], [Point("COARSEUSDT", 300, D(10))])
    assert run.gateway.now_ms() == 300


def test_a_request_and_its_answer_take_the_latency_each_way() -> None:
    run = Run(points(60000, 60010, 60020))
    run.place("a")
    assert short(run.rest()) == [(100, "a NEW"), (100, "a trade"), (100, "a FILLED"), (200, "DataEnded")]
    trade = run.log[1][1]
    assert isinstance(trade, TradeReport)
    assert (trade.at_ms, trade.price) == (50, D(60000))


def test_market_data_come_before_a_request_that_arrives_at_the_same_instant() -> None:
    run = Run(points(60000, 60500, every=50), latency_ms=50)
    run.place("a")
    trade = run.until(lambda event: isinstance(event, TradeReport))
    assert isinstance(trade, TradeReport)
    assert trade.price == D(60500)


def test_a_fill_is_known_one_latency_later() -> None:
    run = Run(points(60000, 60000, 58000, 58000))
    run.place("a", kind="LIMIT", price=D(59000))
    assert short(run.rest()) == [(100, "a NEW"), (250, "a trade"), (250, "a FILLED"), (300, "DataEnded")]
    assert run.log[1][1].at_ms == 200


def test_a_cancel_that_crosses_a_fill_is_refused_and_the_fill_is_told_first() -> None:
    run = Run(points(60000, 60000, 58000, 58000, 58000))
    run.place("a", kind="LIMIT", price=D(59000))
    run.step()
    run.gateway.schedule(SetTimer("t", 160))
    run.until(lambda event: isinstance(event, TimerFired))
    run.gateway.submit(CancelOrder("BTCUSDT", "a", conditional=False, node_id="node"))
    assert short(run.rest()) == [
        (250, "a trade"), (250, "a FILLED"), (260, "CommandRejected"), (400, "DataEnded"),
    ]
    refused = run.log[-2][1]
    assert isinstance(refused, CommandRejected)
    assert (refused.action, refused.code) == (Action.CANCEL, -2011)


def test_deliveries_come_before_timers_of_the_same_instant_and_timers_in_the_order_they_were_set() -> None:
    run = Run(points(60000, 60000, 60000))
    run.gateway.schedule(SetTimer("second", 100))
    run.gateway.schedule(SetTimer("early", 40))
    run.gateway.schedule(SetTimer("third", 100))
    run.place("a", kind="LIMIT", price=D(59000))
    assert short(run.rest())[:4] == [(40, "timer early"), (100, "a NEW"), (100, "timer second"), (100, "timer third")]


def test_a_timer_in_the_past_fires_at_once_and_a_replaced_or_cancelled_one_not_at_all() -> None:
    run = Run(points(60000, 60000, 60000))
    run.gateway.schedule(SetTimer("moved", 30))
    run.gateway.schedule(SetTimer("moved", 150))
    run.gateway.schedule(SetTimer("gone", 60))
    run.gateway.schedule(CancelTimer("gone"))
    run.gateway.schedule(CancelTimer("never set"))
    run.gateway.schedule(SetTimer("first", 20))
    run.step()
    run.gateway.schedule(SetTimer("late", 5))
    assert short(run.rest()) == [(20, "timer late"), (150, "timer moved"), (200, "DataEnded")]


def test_a_timer_that_is_due_between_two_data_fires_then() -> None:
    run = Run(points(60000, 60000, every=600_000))
    run.gateway.schedule(SetTimer("between", 200_000))
    assert short(run.rest()) == [(200_000, "timer between"), (600_000, "DataEnded")]


def test_timers_beyond_the_data_never_fire_and_the_end_comes_after_what_is_in_flight() -> None:
    run = Run(points(60000, 60000))
    run.gateway.schedule(SetTimer("at the end", 100))
    run.gateway.schedule(SetTimer("beyond", 101))
    run.until(lambda event: isinstance(event, TimerFired))
    run.place("a")
    assert short(run.rest()) == [(200, "a NEW"), (200, "a trade"), (200, "a FILLED"), (200, "DataEnded")]
    assert run.step() is None


def test_a_query_is_answered_after_both_ways() -> None:
    run = Run(points(60000, 60000, 60000, 60000))
    run.place("a", kind="LIMIT", price=D(59000))
    run.gateway.submit(QueryOrder("BTCUSDT", "a"))
    run.gateway.submit(QueryOrder("BTCUSDT", "b"))
    log = run.rest()
    assert short(log) == [(100, "a NEW"), (100, "a NEW"), (100, "OrderNotFound"), (300, "DataEnded")]
    assert log[2][1] == OrderNotFound(50, "BTCUSDT", "b")


def test_a_position_is_read_at_the_exchange_and_says_when_the_read_began() -> None:
    run = Run(points(60000, 60000, 60000, 60000))
    run.place("a")
    run.step()
    run.gateway.submit(ReadPosition("BTCUSDT"))
    report = run.until(lambda event: isinstance(event, PositionReport))
    assert report == PositionReport(150, "BTCUSDT", D("0.01"), begun_ms=100)
    assert run.gateway.now_ms() == 200


def test_an_observation_is_answered_at_once_with_the_account() -> None:
    run = Run(points(60000, 61000), positions=(Position("BTCUSDT", D("0.1"), D(60000)),))
    run.gateway.submit(Observe("BTCUSDT"))
    seen = Observed(0, "BTCUSDT", D(60000), D(60000), D(60000), D(60000), D(10000), D(0), D("0.0005"))
    assert run.step() == seen
    run.gateway.schedule(SetTimer("t", 100))
    run.step()
    run.gateway.submit(Observe("BTCUSDT"))
    later = run.step()
    assert isinstance(later, Observed)
    assert (later.last_px, later.unrealised) == (D(61000), D(100))


def test_an_observation_before_the_first_datum_sees_the_one_that_is_coming() -> None:
    run = Run(points(60000), [Quote("COARSEUSDT", 900, D(9), D(1), D(11), D(1))])
    run.gateway.submit(Observe("COARSEUSDT"))
    seen = run.step()
    assert isinstance(seen, Observed)
    assert (seen.at_ms, seen.last_px, seen.bid_px, seen.ask_px) == (0, D(10), D(9), D(11))


def test_a_watch_fires_at_once_or_when_the_price_comes() -> None:
    run = Run(points(60000, 60500, 61000, 61500))
    run.gateway.watch(WatchPrice("now", "BTCUSDT", LAST, LE, D(60000)))
    run.gateway.watch(WatchPrice("up", "BTCUSDT", LAST, GE, D(61000)))
    run.gateway.watch(WatchPrice("mark", "BTCUSDT", MARK, GE, D(60500)))
    run.gateway.watch(WatchPrice("gone", "BTCUSDT", LAST, GE, D(60500)))
    run.gateway.watch(UnwatchPrice("gone"))
    assert short(run.rest()) == [
        (0, "touch now 60000"), (100, "touch mark 60500"), (200, "touch up 61000"), (300, "DataEnded"),
    ]


def test_with_mark_data_a_mark_watch_waits_for_the_mark() -> None:
    data: list[Datum] = [
        Mark("BTCUSDT", 0, D(60000)), Point("BTCUSDT", 100, D(61000)), Mark("BTCUSDT", 200, D(61000)),
    ]
    run = Run(data)
    run.gateway.schedule(SetTimer("t", 0))
    run.step()
    run.gateway.watch(WatchPrice("mark", "BTCUSDT", MARK, GE, D(61000)))
    run.gateway.watch(WatchPrice("last", "BTCUSDT", LAST, GE, D(61000)))
    assert short(run.rest()) == [(100, "touch last 61000"), (200, "touch mark 61000"), (200, "DataEnded")]


def test_a_level_passed_inside_a_candle_fires_at_its_end() -> None:
    run = Run(candle(0, 60000, 61000, 59000, 60000) + candle(1, 60000, 61000, 59000, 60000))
    run.gateway.watch(WatchPrice("high", "BTCUSDT", LAST, GE, D(61000)))
    assert run.step() == PriceTouched(MINUTE, "high", D(61000))
    run.gateway.watch(WatchPrice("at once", "BTCUSDT", LAST, GE, D(61000)))
    assert short(run.rest()) == [(2 * MINUTE, "touch at once 61000"), (2 * MINUTE, "DataEnded")]


def test_a_watch_set_underway_is_judged_on_the_close() -> None:
    run = Run(candle(0, 60000, 61000, 59000, 60000) + candle(1, 60000, 60900, 59000, 60800))
    run.gateway.schedule(SetTimer("t", 10))
    run.step()
    run.gateway.watch(WatchPrice("high", "BTCUSDT", LAST, GE, D(60800)))
    assert short(run.rest()) == [(2 * MINUTE, "touch high 60800"), (2 * MINUTE, "DataEnded")]


def test_a_missing_candle_is_a_gap_and_none_is_not() -> None:
    whole = Run(candle(0, 60000, 60000, 60000, 60000) + candle(1, 60000, 60000, 60000, 60000))
    assert short(whole.rest()) == [(2 * MINUTE, "DataEnded")]
    holed = Run(candle(0, 60000, 60000, 60000, 60000) + candle(2, 60000, 60000, 60000, 60000))
    assert [event for _, event in holed.rest()] == [MarketGap(2 * MINUTE, "BTCUSDT"), DataEnded(3 * MINUTE)]


def test_the_fill_in_a_candle_is_stamped_with_its_end_and_its_stop_is_judged_on_that_candle() -> None:
    data = candle(0, 60000, 60100, 60000, 60050) + candle(1, 60050, 60100, 58900, 59800)
    run = Run(data + candle(2, 59800, 60000, 59700, 59900))
    run.place("entry", kind="LIMIT", price=D(59500))
    filled = run.until(lambda event: isinstance(event, OrderReport) and event.status is OrderStatus.FILLED)
    assert (filled.at_ms, run.gateway.now_ms()) == (2 * MINUTE, 2 * MINUTE + 50)
    run.place("stop", "SELL", "STOP_MARKET", trigger_price=D(59000), reduce_only=True)
    stopped = run.until(lambda event: isinstance(event, TradeReport))
    assert isinstance(stopped, TradeReport)
    assert (stopped.at_ms, stopped.price) == (2 * MINUTE + 100, D(59000))


def test_opening_tells_what_the_account_holds() -> None:
    held = Position("BTCUSDT", D("0.1"), D(60000))
    run = Run(points(60000, 60000, 60000), positions=(held,))

    async def look() -> VenueSnapshot:
        snapshot = await run.gateway.open()
        await run.gateway.close()
        return snapshot

    def now() -> VenueSnapshot:
        with pytest.raises(StopIteration) as done:
            look().send(None)
        snapshot: VenueSnapshot = done.value.value
        return snapshot

    # A fifth of the position's worth is bound, by the leverage of 5.
    assert now() == VenueSnapshot(0, (Balance("USDT", D(10000), D(8800)),), (held,), ())
    run.place("a", kind="LIMIT", price=D(59000))
    run.step()
    assert [report.client_order_id for report in now().orders] == ["a"]


def test_a_snapshot_leaves_out_the_executions_of_orders_that_are_no_longer_kept() -> None:
    run = Run(points(60000, 60000, 60000), keep_closed=1)
    run.place("a")
    run.place("b")
    run.rest()
    with pytest.raises(StopIteration) as done:
        run.gateway.snapshot().send(None)
    snapshot: VenueSnapshot = done.value.value
    assert [trade.client_order_id for trade in snapshot.trades] == ["b"]


def test_the_same_run_gives_the_same_events() -> None:
    def log() -> list[tuple[int, Event]]:
        run = Run(points(*range(60000, 61000, 10)))
        run.place("a")
        run.place("b", "SELL", "LIMIT", price=D(60500), reduce_only=False)
        return run.rest()

    assert log() == log()


def test_without_latency_everything_happens_at_once() -> None:
    run = Run(points(60000, 60100), latency_ms=0)
    run.place("a")
    assert short(run.rest())[:3] == [(0, "a NEW"), (0, "a trade"), (0, "a FILLED")]


@st.composite
def _commands(draw: st.DrawFn) -> list[tuple[int, VenueCommand]]:
    """Commands, each with the instant at which it is given."""
    given_at = draw(st.lists(st.integers(0, 900), max_size=12))
    commands: list[tuple[int, VenueCommand]] = []
    for number, at in enumerate(sorted(given_at)):
        name = f"o{draw(st.integers(0, number))}"
        match draw(st.integers(0, 4)):
            case 0:
                commands.append((at, CancelOrder("BTCUSDT", name, conditional=False, node_id="node")))
            case 1:
                commands.append((at, QueryOrder("BTCUSDT", name)))
            case 2:
                commands.append((at, ReadPosition("BTCUSDT")))
            case _:
                kind = draw(st.sampled_from([OrderType.MARKET, OrderType.LIMIT, OrderType.STOP_MARKET]))
                price = D(draw(st.integers(59_000, 61_000)))
                commands.append((at, PlaceOrder(OrderRequest(
                    f"o{number}", "BTCUSDT", draw(st.sampled_from(Side)), kind, D("0.01"),
                    price if kind is OrderType.LIMIT else None, price if kind is OrderType.STOP_MARKET else None,
                    reduce_only=draw(st.booleans()),
                ), "node")))
    return commands


@settings(max_examples=150, deadline=None)
@given(_commands(), st.lists(st.integers(59_000, 61_000), min_size=2, max_size=12), st.integers(0, 120))
def test_every_command_is_answered_once_and_not_too_early(
    commands: list[tuple[int, VenueCommand]], prices: list[int], latency_ms: int,
) -> None:
    run = Run(points(*prices), latency_ms=latency_ms)
    for number, (at, _) in enumerate(commands):
        run.gateway.schedule(SetTimer(str(number), at))
    sent: list[tuple[int, VenueCommand]] = []
    while (event := run.step()) is not None:
        if isinstance(event, TimerFired):
            at, command = commands[int(event.timer_id)]
            assert event.at_ms == at == run.gateway.now_ms()
            run.gateway.submit(command)
            sent.append((at, command))
    times = [at for at, _ in run.log]
    assert times == sorted(times)
    assert [isinstance(event, DataEnded) for _, event in run.log].count(True) == 1
    assert isinstance(run.log[-1][1], DataEnded)
    answers = [(at, event) for at, event in run.log if not isinstance(event, TimerFired | DataEnded)]
    assert all(at - event.at_ms == latency_ms for at, event in answers)
    for at, command in sent:
        assert any(told >= at + 2 * latency_ms for told, _ in answers), command
    asked = {kind: sum(isinstance(command, kind) for _, command in sent) for kind in (PlaceOrder, CancelOrder)}
    refused = [event for _, event in answers if isinstance(event, CommandRejected)]
    accepted = [event for _, event in answers if isinstance(event, OrderReport) and event.status is OrderStatus.NEW]
    cancelled = [event for _, event in answers if isinstance(event, OrderReport) and event.reason == ""
                 and event.status is OrderStatus.CANCELED]
    placed = sum(event.action is Action.PLACE for event in refused)
    assert len({event.client_order_id for event in accepted}) + placed == asked[PlaceOrder]
    assert len({event.client_order_id for event in cancelled}) + len(refused) - placed == asked[CancelOrder]


def test_symbols_of_several_margin_assets_have_a_wallet_each() -> None:
    data = feed([[Point("BTCUSDT", 0, D(60000)), Point("BTCUSDT", 1000, D(61000))], [Point("BTCUSDC", 0, D(60000))]])
    rules = {"BTCUSDT": BTC, "BTCUSDC": BTC.but(symbol="BTCUSDC", quote_asset="USDC")}
    exchange = Exchange(rules, VenueSettings(positions=(Position("BTCUSDT", D("0.1"), D(60000)),)))
    gateway = DryRunGateway(exchange, exchange.open_account("dryrun"), data.firsts, data.data, 50)
    gateway.schedule(SetTimer("t", 1000))
    stream = gateway.events()
    seen: dict[str, Event] = {}
    for symbol in ("", "BTCUSDT", "BTCUSDC"):
        if symbol:
            gateway.submit(Observe(symbol))
        with pytest.raises(StopIteration) as done:
            stream.__anext__().send(None)  # type: ignore[attr-defined]
        seen[symbol] = done.value.value
    profits = [(one.wallet, one.unrealised) for one in seen.values() if isinstance(one, Observed)]
    assert profits == [(D(10000), D(100)), (D(10000), D(0))]
