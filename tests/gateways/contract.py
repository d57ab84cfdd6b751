"""What every gateway must show, told as the same events whatever stands behind it.

A behaviour is a coroutine over a `World`: a gateway, and a market in the test's hand.  `test_contract.py` runs each
behaviour over each world that it lists; another gateway joins by a maker of its own and changes nothing here.

The same fact may come several times and from several sources, so that behaviours look at what changed: `life` is an
order's states and executions, each once.  The market stands at 60,000 at the start.
"""

from collections.abc import Awaitable, Callable, Iterable
from decimal import Decimal
from itertools import count
from typing import Any, Protocol

from runner.domain.commands import CancelOrder, Observe, PlaceOrder, QueryOrder, ReadPosition, VenueCommand
from runner.domain.events import (
    Action,
    CommandRejected,
    Event,
    Observed,
    OrderNotFound,
    PositionReport,
)
from runner.domain.orders import Order, OrderRequest, OrderStatus
from runner.domain.positions import Position
from runner.domain.reports import OrderReport, TradeReport
from runner.domain.snapshots import VenueSnapshot
from runner.domain.values import ZERO, OrderType, Side, TimeInForce, trimmed
from runner.ports import Gateway

D = Decimal
SYMBOL = "BTCUSDT"


class World(Protocol):
    """A gateway, with the market behind it in the test's hand.

    The account holds 10,000 USDT with leverage 5, and nothing else; the symbol has a tick of 0.10, a step of 0.001 and
    a smallest notional of 50.  Nothing moves but by these calls, each of which lets everything come to rest.
    """

    @property
    def gateway(self) -> Gateway: ...

    async def send(self, *commands: VenueCommand) -> list[Event]:
        """Give the commands to the gateway; what it then said."""

    async def trade(self, price: str, qty: str = "100") -> list[Event]:
        """Let others trade at a price, the market standing there from then on; what the gateway then said."""

    async def trade_unheard(self, price: str, qty: str = "100") -> None:
        """The same, while none of the events reaches the gateway's user: the stream has a gap."""


Behaviour = Callable[[World], Awaitable[None]]
BEHAVIOURS: list[Behaviour] = []
ANYWHERE: list[Behaviour] = []
"""Those that hold wherever the market stands, with whatever the account owns."""
_numbers = count(1)


def behaviour(told: Behaviour) -> Behaviour:
    BEHAVIOURS.append(told)
    return told


def anywhere(told: Behaviour) -> Behaviour:
    ANYWHERE.append(told)
    return behaviour(told)


# ---- words --------------------------------------------------------------------------------------------------------


def order(side: str, kind: str, qty: str = "0.010", **more: Any) -> PlaceOrder:
    """An order with an id of its own; prices as text."""
    client_id = more.pop("id", None) or f"contract.{next(_numbers)}"
    for key in ("price", "trigger_price", "callback_rate"):
        if key in more:
            more[key] = D(more[key])
    return PlaceOrder(OrderRequest(client_id, SYMBOL, Side(side), OrderType(kind), D(qty), **more), "node")


def cancel(of: PlaceOrder, *, conditional: bool = False) -> CancelOrder:
    return CancelOrder(SYMBOL, of.request.client_order_id, conditional, "node")


def query(of: PlaceOrder) -> QueryOrder:
    return QueryOrder(SYMBOL, of.request.client_order_id)


def life(of: PlaceOrder, events: Iterable[Event]) -> list[str]:
    """An order's states, and its executions, each once and in the order they became known."""
    known, seen, words = Order(of.request), set[str](), []
    for event in events:
        if getattr(event, "client_order_id", "") != of.request.client_order_id:
            continue
        if isinstance(event, TradeReport) and event.trade_id not in seen:
            seen.add(event.trade_id)
            words.append(f"{trimmed(event.qty)} @ {trimmed(event.price)} {'maker' if event.maker else 'taker'}")
        elif isinstance(event, OrderReport):
            before = known
            known = known.after(event.status, filled_qty=event.filled_qty)
            if (known.status, known.filled_qty) != (before.status, before.filled_qty):
                words.append(f"{known.status} {trimmed(known.filled_qty)}" if known.filled_qty else known.status.value)
        elif isinstance(event, CommandRejected):
            words.append(f"{event.action} {event.code}")
    return words


def states(words: list[str]) -> list[str]:
    return [word for word in words if "@" not in word]


def trades(words: list[str]) -> list[str]:
    return [word for word in words if "@" in word]


def refusals(events: Iterable[Event]) -> list[tuple[Action, int]]:
    return [(event.action, event.code) for event in events if isinstance(event, CommandRejected)]


async def observed(world: World) -> Observed:
    (seen,) = [event for event in await world.send(Observe(SYMBOL)) if isinstance(event, Observed)]
    return seen


async def position(world: World) -> Decimal:
    (read,) = [
        event for event in await world.send(ReadPosition(SYMBOL))
        if isinstance(event, PositionReport) and event.begun_ms is not None
    ]
    assert read.begun_ms is not None and read.begun_ms <= read.at_ms
    return read.qty


async def snapshot(world: World) -> VenueSnapshot:
    return await world.gateway.snapshot()


async def long(world: World, qty: str = "0.010") -> PlaceOrder:
    """A long position, bought at market."""
    entry = order("BUY", "MARKET", qty)
    assert states(life(entry, await world.send(entry)))[-1] == f"FILLED {trimmed(D(qty))}"
    return entry


# ---- orders in the book -------------------------------------------------------------------------------------------


@anywhere
async def a_limit_is_acknowledged_with_an_order_id_and_its_quantity(world: World) -> None:
    resting = order("BUY", "LIMIT", price="59000")
    events = await world.send(resting)
    assert life(resting, events) == ["NEW"]
    told = [event for event in events if isinstance(event, OrderReport)]
    assert all(event.order_id for event in told)
    assert {event.quantity for event in told} <= {D("0.010"), None}


@behaviour
async def a_market_order_takes_the_opposite_best_price_at_once(world: World) -> None:
    seen = await observed(world)
    entry = order("BUY", "MARKET")
    events = await world.send(entry)
    words = life(entry, events)
    assert trades(words) == [f"0.01 @ {trimmed(seen.ask_px)} taker"]
    assert states(words)[-1] == "FILLED 0.01"
    (trade,) = {event.trade_id: event for event in events if isinstance(event, TradeReport)}.values()
    assert (trade.side, trade.fee_asset, trade.realized_pnl) == (Side.BUY, "USDT", ZERO)
    assert trade.fee == trade.qty * trade.price * seen.taker_fee
    assert await position(world) == D("0.010")


@behaviour
async def a_limit_fills_in_parts_as_maker_at_its_own_price(world: World) -> None:
    resting = order("BUY", "LIMIT", price="59900")
    events = await world.send(resting)
    events += await world.trade("59890", "0.004")
    assert life(resting, events) == ["NEW", "0.004 @ 59900 maker", "PARTIALLY_FILLED 0.004"]
    events += await world.trade("59880", "5")
    words = life(resting, events)
    assert trades(words) == ["0.004 @ 59900 maker", "0.006 @ 59900 maker"]
    assert states(words) == ["NEW", "PARTIALLY_FILLED 0.004", "FILLED 0.01"]


@behaviour
async def a_cancel_ends_an_order_and_keeps_what_was_filled(world: World) -> None:
    resting = order("BUY", "LIMIT", price="59900")
    events = await world.send(resting)
    events += await world.trade("59890", "0.004")
    events += await world.send(cancel(resting))
    assert states(life(resting, events)) == ["NEW", "PARTIALLY_FILLED 0.004", "CANCELED 0.004"]
    assert await position(world) == D("0.004")


@anywhere
async def a_cancel_of_what_is_not_there_is_refused(world: World) -> None:
    never = order("BUY", "LIMIT", price="59000")
    events = await world.send(cancel(never), cancel(never, conditional=True))
    assert refusals(events) == [(Action.CANCEL, -2011)] * 2


@anywhere
async def an_id_is_refused_while_an_order_of_that_id_is_open_and_free_afterwards(world: World) -> None:
    first = order("BUY", "LIMIT", price="59000")
    again = order("BUY", "LIMIT", price="58000", id=first.request.client_order_id)
    events = await world.send(first)
    assert refusals(await world.send(again)) == [(Action.PLACE, -4116)]
    (found,) = [event for event in await world.send(query(first)) if isinstance(event, OrderReport)]
    assert found.status is OrderStatus.NEW
    events += await world.send(cancel(first))
    assert life(first, events) == ["NEW", "CANCELED"]
    assert life(again, await world.send(again)) == ["NEW"]


@behaviour
async def what_breaks_a_filter_is_refused_with_the_filters_code(world: World) -> None:
    for wrong, code in (
        (order("BUY", "LIMIT", price="59000.05"), -4014),
        (order("BUY", "LIMIT", "0.0105", price="59000"), -1111),
        (order("BUY", "LIMIT", "0", price="59000"), -4003),
        (order("BUY", "LIMIT", "0.0001", price="59000"), -4004),
        (order("BUY", "LIMIT", "2000", price="59000"), -4005),
        (order("BUY", "LIMIT", price="70000"), -4016),
        (order("SELL", "LIMIT", price="50000"), -4024),
    ):
        answer = await world.send(wrong)
        # Too many decimals and a mere non-multiple have a code each, and Binance looks at the decimals first.
        assert refusals(answer) in ([(Action.PLACE, code)], [(Action.PLACE, -1111)]), wrong
        assert life(wrong, answer) == [f"place {refusals(answer)[0][1]}"]
    small = order("BUY", "MARKET", "0.001")
    assert refusals(await world.send(small)) == []
    await world.trade("40000")
    assert refusals(await world.send(order("BUY", "MARKET", "0.001"))) == [(Action.PLACE, -4164)]


@behaviour
async def what_the_margin_does_not_carry_is_refused(world: World) -> None:
    assert refusals(await world.send(order("BUY", "MARKET", "1"))) == [(Action.PLACE, -2019)]
    assert await position(world) == ZERO


@anywhere
async def a_post_only_order_that_would_take_is_not_taken(world: World) -> None:
    taking = order("BUY", "LIMIT", price="60500", time_in_force=TimeInForce.GTX)
    words = life(taking, await world.send(taking))
    assert words in (["place -5022"], ["NEW", "EXPIRED"])


@anywhere
async def a_reduce_only_order_closes_and_never_opens(world: World) -> None:
    assert refusals(await world.send(order("SELL", "MARKET", reduce_only=True))) == [(Action.PLACE, -2022)]
    await long(world)
    assert refusals(await world.send(order("BUY", "MARKET", reduce_only=True))) == [(Action.PLACE, -2022)]
    large = order("SELL", "MARKET", "0.015", reduce_only=True)
    assert states(life(large, await world.send(large)))[-1] == "EXPIRED 0.01"
    assert await position(world) == ZERO


@behaviour
async def a_closing_trade_tells_its_profit(world: World) -> None:
    await long(world)
    await world.trade("60500")
    close = order("SELL", "MARKET", reduce_only=True)
    bought = (await snapshot(world)).trades[-1].price
    events = await world.send(close)
    (trade,) = {event.trade_id: event for event in events if isinstance(event, TradeReport)}.values()
    assert trade.realized_pnl == (trade.price - bought) * D("0.010")


# ---- conditional orders -------------------------------------------------------------------------------------------


@behaviour
async def a_stop_waits_triggers_and_fills_under_its_own_id(world: World) -> None:
    await long(world)
    stop = order("SELL", "STOP_MARKET", trigger_price="59500", reduce_only=True)
    events = await world.send(stop)
    assert life(stop, events) == ["NEW"]
    events += await world.trade("59600")
    assert life(stop, events) == ["NEW"]
    events += await world.trade("59400")
    words = life(stop, events)
    assert states(words) == ["NEW", "TRIGGERED", "FILLED 0.01"]
    (trade,) = trades(words)
    assert trade.endswith("taker") and D(trade.split()[2]) <= D(59400)
    ids = [event.order_id for event in events if isinstance(event, OrderReport | TradeReport)]
    assert len(dict.fromkeys(ids)) == 2, "the order in the book has another id than the conditional one"
    assert await position(world) == ZERO


@behaviour
async def a_take_profit_waits_triggers_and_fills_at_its_limit_or_better(world: World) -> None:
    await long(world)
    profit = order("SELL", "TAKE_PROFIT", trigger_price="60500", price="60500", reduce_only=True)
    events = await world.send(profit)
    events += await world.trade("60600")
    events += await world.trade("60700")
    words = life(profit, events)
    assert states(words) == ["NEW", "TRIGGERED", "FILLED 0.01"]
    assert all(D(trade.split()[2]) >= D(60500) for trade in trades(words))


@behaviour
async def a_trailing_stop_follows_the_price_and_fires_on_its_return(world: World) -> None:
    await long(world)
    trailing = order("SELL", "TRAILING_STOP_MARKET", callback_rate="1", reduce_only=True)
    events = await world.send(trailing)
    events += await world.trade("61000")
    events += await world.trade("60500")
    assert life(trailing, events) == ["NEW"]
    events += await world.trade("60300")
    assert states(life(trailing, events)) == ["NEW", "TRIGGERED", "FILLED 0.01"]


@anywhere
async def a_trigger_that_is_met_already_is_refused(world: World) -> None:
    await long(world)
    passed = order("SELL", "STOP_MARKET", trigger_price="60100", reduce_only=True)
    assert refusals(await world.send(passed)) == [(Action.PLACE, -2021)]
    passed = order("SELL", "TAKE_PROFIT_MARKET", trigger_price="59900", reduce_only=True)
    assert refusals(await world.send(passed)) == [(Action.PLACE, -2021)]


@anywhere
async def a_conditional_order_is_cancelled_in_its_own_world(world: World) -> None:
    stop = order("SELL", "STOP_MARKET", trigger_price="59000", reduce_only=True)
    events = await world.send(stop)
    wrong = await world.send(cancel(stop))
    assert refusals(wrong) == [(Action.CANCEL, -2011)]
    events += await world.send(cancel(stop, conditional=True))
    assert life(stop, events) == ["NEW", "CANCELED"]


@behaviour
async def a_triggered_limit_is_cancelled_in_the_book(world: World) -> None:
    await long(world)
    stop = order("SELL", "STOP", trigger_price="59500", price="59500", reduce_only=True)
    events = await world.send(stop)
    events += await world.trade("59000")
    assert states(life(stop, events)) == ["NEW", "TRIGGERED"]
    assert refusals(await world.send(cancel(stop, conditional=True))) == [(Action.CANCEL, -2011)]
    events += await world.send(cancel(stop))
    assert states(life(stop, events)) == ["NEW", "TRIGGERED", "CANCELED"]
    assert await position(world) == D("0.010")


@behaviour
async def a_stop_that_triggers_without_a_position_is_rejected_with_its_reason(world: World) -> None:
    stop = order("SELL", "STOP_MARKET", trigger_price="59500", reduce_only=True)
    events = await world.send(stop)
    events += await world.trade("59400")
    assert states(life(stop, events)) == ["NEW", "REJECTED"]
    assert [event.reason for event in events if isinstance(event, OrderReport)][-1]
    assert await position(world) == ZERO


@behaviour
async def a_stop_and_a_take_profit_are_not_linked(world: World) -> None:
    await long(world)
    stop = order("SELL", "STOP_MARKET", trigger_price="59500", reduce_only=True)
    profit = order("SELL", "TAKE_PROFIT", trigger_price="60500", price="60500", reduce_only=True)
    await world.send(stop, profit)
    await world.trade("59400")
    (left,) = (await snapshot(world)).orders
    assert left.client_order_id == profit.request.client_order_id


def whole(side: str = "SELL", trigger_price: str = "59500", **more: Any) -> PlaceOrder:
    """A stop of the whole position."""
    return order(side, "STOP_MARKET", trigger_price=trigger_price, reduce_only=True, close_position=True, **more)


@behaviour
async def a_stop_of_the_whole_position_closes_what_is_held_at_its_trigger(world: World) -> None:
    await long(world)
    stop = whole()
    events = await world.send(stop)
    await long(world, "0.020")
    events += await world.trade("59400")
    words = life(stop, events)
    assert states(words)[:2] == ["NEW", "TRIGGERED"] and states(words)[-1] == "FILLED 0.03"
    assert await position(world) == ZERO


@anywhere
async def a_stop_of_the_whole_position_needs_one(world: World) -> None:
    assert refusals(await world.send(whole())) == [(Action.PLACE, -4509)]


@anywhere
async def one_stop_of_the_whole_position_stands_a_side(world: World) -> None:
    await long(world)
    first, second = whole(), whole(trigger_price="59000")
    events = await world.send(first)
    assert life(first, events) == ["NEW"]
    assert refusals(await world.send(second)) == [(Action.PLACE, -4130)]


@anywhere
async def a_stop_of_the_whole_position_ends_with_it(world: World) -> None:
    await long(world)
    stop, close = whole(), order("SELL", "MARKET", reduce_only=True)
    events = await world.send(stop)
    events += await world.send(close)
    assert life(stop, events) == ["NEW", "EXPIRED"]


@anywhere
async def a_stop_of_the_whole_position_is_found_as_one(world: World) -> None:
    await long(world)
    stop = whole()
    await world.send(stop)
    (found,) = [event for event in await world.send(query(stop)) if isinstance(event, OrderReport)]
    assert (found.status, found.close_position, found.reduce_only) == (OrderStatus.NEW, True, True)
    (shown,) = (await snapshot(world)).orders
    assert (shown.client_order_id, shown.close_position) == (stop.request.client_order_id, True)


# ---- looking things up --------------------------------------------------------------------------------------------


@behaviour
async def an_order_is_found_by_its_client_id_in_both_worlds_with_quantity_and_trigger(world: World) -> None:
    resting = order("BUY", "LIMIT", "0.020", price="59000")
    stop = order("SELL", "STOP_MARKET", "0.030", trigger_price="58000", reduce_only=True)
    await world.send(resting, stop)
    found = [event for event in await world.send(query(resting), query(stop)) if isinstance(event, OrderReport)]
    assert {(one.client_order_id, one.status, one.quantity, one.trigger_px) for one in found} == {
        (resting.request.client_order_id, OrderStatus.NEW, D("0.020"), None),
        (stop.request.client_order_id, OrderStatus.NEW, D("0.030"), D(58000)),
    }


@behaviour
async def an_order_that_is_over_is_found_as_it_ended(world: World) -> None:
    entry = await long(world)
    stop = order("SELL", "STOP_MARKET", "0.010", trigger_price="59500", reduce_only=True)
    gone = order("BUY", "LIMIT", price="55000")
    seen = await observed(world)
    await world.send(stop, gone)
    await world.send(cancel(gone))
    await world.trade("59400")
    answers = await world.send(query(entry), query(stop), query(gone))
    found = {event.client_order_id: event for event in answers if isinstance(event, OrderReport)}
    entered = found[entry.request.client_order_id]
    assert (entered.status, entered.filled_qty, entered.avg_px) == (OrderStatus.FILLED, D("0.010"), seen.ask_px)
    stopped = found[stop.request.client_order_id]
    assert (stopped.status, stopped.filled_qty) == (OrderStatus.FILLED, D("0.010"))
    assert found[gone.request.client_order_id].status is OrderStatus.CANCELED


@anywhere
async def what_neither_world_knows_is_not_found(world: World) -> None:
    never = order("BUY", "LIMIT", price="59000")
    refused = order("BUY", "LIMIT", price="59000.05")
    await world.send(refused)
    answers = [event for event in await world.send(query(never), query(refused)) if isinstance(event, OrderNotFound)]
    assert [event.client_order_id for event in answers] == [
        never.request.client_order_id, refused.request.client_order_id,
    ]


@behaviour
async def a_snapshot_has_balances_positions_orders_of_both_worlds_and_recent_trades(world: World) -> None:
    empty = await snapshot(world)
    assert (empty.positions, empty.orders, empty.trades) == ((), (), ())
    assert [(one.asset, one.wallet, one.available) for one in empty.balances] == [("USDT", D(10000), D(10000))]
    seen = await observed(world)
    entry = await long(world)
    resting = order("BUY", "LIMIT", "0.020", price="59000")
    stop = order("SELL", "STOP_MARKET", trigger_price="58000", reduce_only=True)
    await world.send(resting, stop)
    full = await snapshot(world)
    (trade,) = full.trades
    assert (trade.client_order_id, trade.price) == (entry.request.client_order_id, seen.ask_px)
    assert full.positions == (Position(SYMBOL, D("0.010"), seen.ask_px),)
    assert {(one.client_order_id, one.status, one.quantity, one.trigger_px) for one in full.orders} == {
        (resting.request.client_order_id, OrderStatus.NEW, D("0.020"), None),
        (stop.request.client_order_id, OrderStatus.NEW, D("0.010"), D(58000)),
    }
    (balance,) = full.balances
    assert balance.wallet == D(10000) - trade.fee
    # What the position and the resting order bind at leverage 5.
    assert D(9600) < balance.available < D(9660)


@behaviour
async def what_happens_during_a_gap_is_in_the_snapshot_after_it(world: World) -> None:
    entry = await long(world)
    stop = order("SELL", "STOP_MARKET", trigger_price="59500", reduce_only=True)
    profit = order("SELL", "TAKE_PROFIT", trigger_price="60500", price="60500", reduce_only=True)
    await world.send(stop, profit)
    await world.trade_unheard("59400")
    after = await snapshot(world)
    assert after.positions == ()
    assert [one.client_order_id for one in after.orders] == [profit.request.client_order_id]
    assert [one.client_order_id for one in after.trades] == [
        entry.request.client_order_id, stop.request.client_order_id,
    ]
    # The stream goes on after it.
    events = await world.send(cancel(profit, conditional=True))
    assert life(profit, events) == ["CANCELED"]


@behaviour
async def an_observation_tells_prices_and_the_account(world: World) -> None:
    before = await observed(world)
    assert before.bid_px < before.ask_px
    assert (before.wallet, before.unrealised) == (D(10000), ZERO)
    await long(world, "0.100")
    await world.trade("60500")
    after = await observed(world)
    assert after.bid_px <= D(60500) <= after.ask_px
    assert after.unrealised == D("0.100") * (after.mark_px - before.ask_px)
    assert after.wallet < before.wallet
