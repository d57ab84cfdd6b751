"""Facts of the exchange as the events of the user data stream.

Source: Binance USDⓈ-M "User data streams".  `T` is the exchange's instant of the
fact, `E` the one at which it is told; both in UTC ms.  Every function returns one JSON object.
"""

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from itertools import groupby
from typing import assert_never

from runner.domain.instrument import Instrument
from runner.domain.values import EXACT, ZERO, trimmed
from runner.venue.facts import (
    AccountUpdate,
    AlgoState,
    AlgoUpdate,
    BalanceState,
    ConfigUpdate,
    Fact,
    Fill,
    MarginCalled,
    OrderState,
    OrderUpdate,
    PositionState,
)
from runner.venue.fapi.shown.numerals import average, estimate, money, optional_money, price, qty
from runner.venue.requests import NewOrder
from runner.venue.terms import ExecutionType, MarginType, Reason

Event = dict[str, object]
Instruments = Callable[[str], Instrument]
"""An instrument by its symbol."""

LIQUIDATED = "autoclose-"
"""How the client order ids of liquidations begin."""
CLOSED_WITH_POSITION = "GTE_GTC"
"""The time in force of `closePosition` orders: good till cancelled or till the position is closed."""


def user_events(facts: Iterable[Fact], instruments: Instruments, told_ms: int) -> Iterator[tuple[str, Event]]:
    """What the account of each fact is told, in order: (account, event).

    At one instant a taker's TRADE_LITE events go before its NEW, and the balances and positions that its fills have
    changed are told once, as they are after the last of them.
    """
    for (account, _), together in groupby(facts, key=lambda fact: (fact.account, fact.at_ms)):
        for shown in _arranged(list(together)):
            match shown:
                case (order, fill):
                    yield account, trade_lite(order, fill, instruments(order.request.symbol), told_ms)
                case OrderUpdate():
                    yield account, order_trade_update(shown, instruments(shown.order.request.symbol), told_ms)
                case AlgoUpdate():
                    yield account, algo_update(shown, instruments(shown.order.request.symbol), told_ms)
                case AccountUpdate():
                    yield account, account_update(shown, instruments, told_ms)
                case MarginCalled():
                    yield account, margin_call(shown, instruments, told_ms)
                case ConfigUpdate():
                    yield account, account_config_update(shown, told_ms)
                case _:
                    assert_never(shown)


def _arranged(facts: list[Fact]) -> Iterator[Fact | tuple[OrderState, Fill]]:
    """One account's facts of one instant in the order of the stream, with a pair for each TRADE_LITE."""
    new = {fact.order.order_id for fact in facts if isinstance(fact, OrderUpdate) and _is_new(fact)}
    lites: dict[int, list[tuple[OrderState, Fill]]] = {}
    for fact in facts:
        if isinstance(fact, OrderUpdate) and fact.fill is not None and fact.order.order_id in new:
            lites.setdefault(fact.order.order_id, []).append((fact.order, fact.fill))
    held: list[AccountUpdate] = []
    filling = 0
    for fact in facts:
        if isinstance(fact, AccountUpdate) and fact.reason is Reason.ORDER and filling:
            held.append(fact)
            continue
        if held and not (isinstance(fact, OrderUpdate) and fact.order.order_id == filling):
            yield merged(held)
            held = []
        filling = 0
        if isinstance(fact, OrderUpdate):
            order_id = fact.order.order_id
            if _is_new(fact):
                yield from lites.get(order_id, ())
            elif fact.fill is not None and order_id not in new:
                yield fact.order, fact.fill
            filling = order_id
        yield fact
    if held:
        yield merged(held)


def _is_new(fact: OrderUpdate) -> bool:
    return fact.execution is ExecutionType.NEW


def merged(updates: list[AccountUpdate]) -> AccountUpdate:
    """Several changes of one account for one reason as one: each balance and position as it is after the last."""
    if len(updates) == 1:
        return updates[0]
    balances = {state.asset: state for update in updates for state in update.balances}
    positions = {(state.symbol, state.side): state for update in updates for state in update.positions}
    return updates[-1].but(balances=tuple(balances.values()), positions=tuple(positions.values()))


def order_trade_update(fact: OrderUpdate, instrument: Instrument, told_ms: int) -> Event:
    order, fill = fact.order, fact.fill
    request = order.request
    shown: Event = {
        "s": request.symbol,
        "c": request.client_order_id,
        "S": request.side.value,
        "o": "LIQUIDATION" if liquidated(order) else request.order_type.value,
        "f": request.time_in_force.value,
        "q": qty(instrument, request.quantity),
        "p": price(instrument, request.price),
        "ap": price(instrument, order.avg_px),
        "sp": price(instrument, request.trigger_price),
        "x": fact.execution.value,
        "X": order.status.value,
        "i": order.order_id,
        "l": qty(instrument, ZERO if fill is None else fill.qty),
        "z": qty(instrument, order.filled_qty),
        "L": price(instrument, None if fill is None else fill.price),
    }
    if fill is not None:
        shown["n"] = money(fill.fee)
        shown["N"] = fill.fee_asset
    if fact.modify_id is not None:
        shown["M"] = str(fact.modify_id)
    shown |= {
        "T": fact.at_ms,
        "t": 0 if fill is None else fill.trade_id,
        "b": "0",
        "a": "0",
        "m": fill is not None and fill.maker,
        "R": request.reduce_only,
        "wt": request.working_type.value,
        "ot": "LIQUIDATION" if liquidated(order) else request.order_type.value,
        "ps": request.position_side.value,
        "cp": request.close_position,
        "rp": "0" if fill is None else optional_money(fill.realized),
        "pP": request.price_protect,
        "si": 0,
        "ss": 0,
        "V": request.self_trade.value,
        "pm": request.price_match.value,
        "gtd": request.good_till_ms,
        "er": str(fact.expiry.value),
    }
    return {"e": "ORDER_TRADE_UPDATE", "E": told_ms, "T": fact.at_ms, "o": shown}


def liquidated(order: OrderState) -> bool:
    """Whether it is the exchange's own order of a liquidation."""
    return order.forced and order.request.client_order_id.startswith(LIQUIDATED)


def trade_lite(order: OrderState, fill: Fill, instrument: Instrument, told_ms: int) -> Event:
    request = order.request
    return {
        "e": "TRADE_LITE",
        "E": told_ms,
        "T": fill.at_ms,
        "s": request.symbol,
        "q": qty(instrument, request.quantity),
        "p": price(instrument, request.price),
        "m": fill.maker,
        "c": request.client_order_id,
        "S": request.side.value,
        "L": price(instrument, fill.price),
        "l": qty(instrument, fill.qty),
        "t": fill.trade_id,
        "i": order.order_id,
    }


def algo_update(fact: AlgoUpdate, instrument: Instrument, told_ms: int) -> Event:
    state = fact.order
    request = state.request
    shown: Event = {
        "caid": request.client_order_id,
        "aid": state.algo_id,
        "at": "CONDITIONAL",
        "o": request.order_type.value,
        "s": request.symbol,
        "S": request.side.value,
        "ps": request.position_side.value,
        "f": algo_time_in_force(request),
        "q": "0" if request.close_position else qty(instrument, request.quantity),
        "X": state.status.value,
        "ai": str(state.order_id) if state.order_id else "",
    }
    if state.actual_type is not None:
        shown["ap"] = algo_average(state)
        shown["aq"] = "0" if state.filled_qty == ZERO else qty(instrument, state.filled_qty)
        shown["act"] = state.actual_type.value
    shown |= {
        "tp": trimmed(request.trigger_price or ZERO),
        "p": trimmed(request.price or ZERO),
        "V": request.self_trade.value,
        "wt": request.working_type.value,
        "pm": request.price_match.value,
        "cp": request.close_position,
        "pP": request.price_protect,
        "R": request.reduce_only or request.close_position,
        "tt": state.triggered_ms,
        "gtd": request.good_till_ms,
    }
    if state.reason:
        shown["rm"] = state.reason
    shown["ia"] = state.activated
    return {"e": "ALGO_UPDATE", "T": fact.at_ms, "E": told_ms, "o": shown}


def algo_time_in_force(request: NewOrder) -> str:
    return CLOSED_WITH_POSITION if request.close_position else request.time_in_force.value


def algo_average(state: AlgoState) -> str:
    """The average price of what the order that it placed has filled; `0` where nothing is."""
    return "0" if state.filled_qty == ZERO else average(EXACT.divide(state.cost, state.filled_qty))


def account_update(fact: AccountUpdate, instruments: Instruments, told_ms: int) -> Event:
    shown: Event = {
        "m": fact.reason.value,
        "B": [_balance(state) for state in fact.balances],
        "P": [_position(state, instruments(state.symbol)) for state in fact.positions],
    }
    if fact.symbol:
        shown["S"] = fact.symbol
    return {"e": "ACCOUNT_UPDATE", "E": told_ms, "T": fact.at_ms, "a": shown}


def _balance(state: BalanceState) -> Event:
    return {
        "a": state.asset,
        "wb": money(state.wallet),
        "cw": money(state.cross_wallet),
        "bc": optional_money(state.change),
    }


def _position(state: PositionState, instrument: Instrument) -> Event:
    return {
        "s": state.symbol,
        "pa": "0" if state.qty == ZERO else qty(instrument, state.qty),
        "ep": average(state.entry_px),
        "bep": average(state.break_even_px),
        "cr": optional_money(state.realized),
        "up": estimate(state.unrealized),
        "mt": "isolated" if state.margin_type is MarginType.ISOLATED else "cross",
        "iw": optional_money(state.isolated_wallet),
        "ps": state.side.value,
    }


def margin_call(fact: MarginCalled, instruments: Instruments, told_ms: int) -> Event:
    return {
        "e": "MARGIN_CALL",
        "E": told_ms,
        "cw": money(fact.cross_wallet),
        "p": [
            _called(state, mark, maintenance, instruments(state.symbol))
            for state, mark, maintenance in fact.positions
        ],
    }


def _called(state: PositionState, mark: Decimal, maintenance: Decimal, instrument: Instrument) -> Event:
    return {
        "s": state.symbol,
        "ps": state.side.value,
        "pa": qty(instrument, state.qty),
        "mt": state.margin_type.value,
        "iw": optional_money(state.isolated_wallet),
        "mp": price(instrument, mark),
        "up": estimate(state.unrealized),
        "mm": estimate(maintenance),
    }


def account_config_update(fact: ConfigUpdate, told_ms: int) -> Event:
    return {
        "e": "ACCOUNT_CONFIG_UPDATE",
        "E": told_ms,
        "T": fact.at_ms,
        "ac": {"s": fact.symbol, "l": fact.leverage},
    }


def listen_key_expired(key: str, told_ms: int) -> Event:
    return {"e": "listenKeyExpired", "E": told_ms, "listenKey": key}
