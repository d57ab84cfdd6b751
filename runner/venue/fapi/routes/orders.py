"""Orders of the matching engine: placed, changed, cancelled, queried, singly and in batches.

Source: Binance USDⓈ-M "Trade Endpoints".
"""

from collections.abc import Callable
from typing import Any

from runner.domain.instrument import Instrument
from runner.domain.values import ZERO
from runner.venue.facts import OrderState
from runner.venue.fapi.calls import Call
from runner.venue.fapi.errors import not_valid
from runner.venue.fapi.params import Params, from_json
from runner.venue.fapi.routes.reading import amendment, new_order, order_key, wants_result, window
from runner.venue.fapi.routes.symbols import instrument, some_symbol
from runner.venue.fapi.shown import orders as shown
from runner.venue.refusals import NO_SUCH_ORDER, Refusal, missing
from runner.venue.requests import OrderKey
from runner.venue.terms import SelfTrade, Status

Shown = dict[str, Any]
_MOST_PLACED = 5
_MOST_CANCELLED = 10


def place(call: Call) -> Shown:
    return _place(call, call.params, SelfTrade.EXPIRE_MAKER)


def test(call: Call) -> Shown:
    """Judge an order as `place` does; what it would look like when accepted, with an id of 0."""
    request = new_order(call.params, call.account)
    wants_result(call.params)
    call.exchange.test(call.account, request, call.at_ms)
    state = OrderState(request, 0, Status.NEW, ZERO, ZERO, call.at_ms, call.at_ms)
    return shown.answered(state, instrument(call, request.symbol))


def place_several(call: Call) -> list[Shown]:
    return _each(call, lambda params: _place(call, params, SelfTrade.NONE))


def change(call: Call) -> Shown:
    return _change(call, call.params)


def change_several(call: Call) -> list[Shown]:
    return _each(call, lambda params: _change(call, params))


def cancel(call: Call) -> Shown:
    symbol = call.params.symbol()
    return _cancel(call, symbol, order_key(call.params))


def cancel_several(call: Call) -> list[Shown]:
    """By `orderIdList` or `origClientOrderIdList`, JSON arrays of at most 10."""
    symbol = call.params.symbol()
    keys = _keys(call.params)
    return [_or_refusal(lambda key=key: _cancel(call, symbol, key)) for key in keys]  # type: ignore[misc]


def cancel_all(call: Call) -> Shown:
    call.exchange.cancel_all(call.account, call.params.symbol(), call.at_ms)
    return {"code": 200, "msg": "The operation of cancel all open order is done."}


def countdown(call: Call) -> Shown:
    """Cancel all of a symbol after `countdownTime` ms unless asked again; 0 lets it be."""
    symbol, span_ms = call.params.symbol(), call.params.integer("countdownTime")
    if span_ms < 0:
        raise not_valid("countdownTime")
    call.exchange.countdown(call.account, symbol, span_ms, call.at_ms)
    return {"symbol": symbol, "countdownTime": str(span_ms)}


def query(call: Call) -> Shown:
    symbol = call.params.symbol()
    rules = instrument(call, symbol)
    return shown.queried(call.exchange.order(call.account, symbol, order_key(call.params)), rules)


def query_open(call: Call) -> Shown:
    """As `query`, but -2013 for one that is over."""
    symbol = call.params.symbol()
    rules = instrument(call, symbol)
    state = call.exchange.order(call.account, symbol, order_key(call.params))
    if state.status.closed:
        raise Refusal(*NO_SUCH_ORDER)
    return shown.queried(state, rules)


def list_open(call: Call) -> list[Shown]:
    symbol = some_symbol(call)
    return [shown.queried(state, _rules(call, state)) for state in call.exchange.open_orders(call.account, symbol)]


def list_all(call: Call) -> list[Shown]:
    """Open and closed ones by order id: of a window of at most 7 days, from an id on, or the latest."""
    params, account = call.params, call.account
    symbol = some_symbol(call)
    limit = params.limit(500, 1000)
    from_id = params.maybe_integer("orderId") or 0
    span = None if from_id else window(params, call.at_ms)
    since_ms, until_ms = span or (0, call.at_ms)
    closed = account.history.orders(
        symbol, call.at_ms, since_ms=since_ms, until_ms=until_ms, from_id=from_id, limit=limit
    )
    working = [
        state for state in call.exchange.open_orders(account, symbol)
        if state.order_id >= from_id and since_ms <= state.created_ms <= until_ms
    ]
    states = sorted([*closed, *working], key=lambda state: state.order_id)
    chosen = states[:limit] if span or from_id else states[-limit:]
    return [shown.listed(state, _rules(call, state)) for state in chosen]


def list_trades(call: Call) -> list[Shown]:
    """The account's executions of one symbol: of a window of at most 7 days, from a trade id on, or the latest."""
    params = call.params
    symbol = params.symbol()
    rules = instrument(call, symbol)
    from_id = params.maybe_integer("fromId") or 0
    span = window(params, call.at_ms)
    if span and from_id:
        raise Refusal(-1128, "Combination of optional parameters invalid.")
    since_ms, until_ms = span or (0, call.at_ms)
    fills = call.account.history.fills(
        symbol, call.at_ms, since_ms=since_ms, until_ms=until_ms, from_id=from_id, limit=params.limit(500, 1000),
        order_id=params.maybe_integer("orderId"),
    )
    return [shown.user_trade(fill, rules) for fill in fills]


def list_forced(call: Call) -> list[Shown]:
    """The account's liquidations (`autoCloseType` LIQUIDATION) and deleveragings (ADL), the latest."""
    params = call.params
    symbol = some_symbol(call)
    kind = params.maybe_text("autoCloseType")
    if kind not in (None, "LIQUIDATION", "ADL"):
        raise not_valid("autoCloseType")
    limit = params.limit(50 if kind is None else 100, 100)
    since_ms, until_ms = window(params, call.at_ms) or (call.at_ms - 7 * 86_400_000, call.at_ms)
    closed = call.account.history.orders(symbol, call.at_ms, since_ms=since_ms, until_ms=until_ms, limit=2**31)
    states = [
        state for state in closed
        if state.forced and (kind is None or (kind == "ADL") == state.request.client_order_id.startswith("adl_"))
    ]
    return [shown.listed(state, _rules(call, state)) for state in states[-limit:]]


def list_amendments(call: Call) -> list[Shown]:
    """What `change` has done to the account's orders, the latest last."""
    params = call.params
    symbol = params.symbol()
    instrument(call, symbol)
    key: OrderKey | None = params.maybe_integer("orderId") or params.maybe_text("origClientOrderId")
    since_ms, until_ms = window(params, call.at_ms) or (0, call.at_ms)
    rows = [
        row for row in call.door.amendments.of(call.account.name)
        if row["symbol"] == symbol and key in (None, row["orderId"], row["clientOrderId"])
        and since_ms <= row["time"] <= until_ms
    ]
    return rows[-params.limit(50, 100):]


def order_limits(call: Call) -> list[Shown]:
    """The account's limits of new orders."""
    return call.door.limits.order_rows()


def _place(call: Call, params: Params, self_trade: SelfTrade) -> Shown:
    result = wants_result(params)
    state = call.exchange.place(call.account, new_order(params, call.account, self_trade), call.at_ms)
    return shown.placed(state, _rules(call, state), result=result)


def _change(call: Call, params: Params) -> Shown:
    asked = amendment(params)
    rules = instrument(call, asked.symbol)
    before = call.exchange.order(call.account, asked.symbol, asked.key)
    after = call.exchange.amend(call.account, asked, call.at_ms)
    rows, name = call.door.amendments, call.account.name
    count = 1 + sum(row["orderId"] == after.order_id for row in rows.of(name))
    rows.add(name, shown.amended(before, after, rules, call.at_ms, count))
    answer = shown.answered(after, rules) | {"pair": asked.symbol}
    return answer if asked.modify_id is None else answer | {"modifyId": asked.modify_id}


def _cancel(call: Call, symbol: str, key: OrderKey) -> Shown:
    state = call.exchange.cancel(call.account, symbol, key, call.at_ms)
    return shown.answered(state, _rules(call, state))


def _each(call: Call, do: Callable[[Params], Shown]) -> list[Shown]:
    """Each row of `batchOrders` by itself; a refusal stands in its row's place."""
    rows = call.params.rows("batchOrders")
    if not 1 <= len(rows) <= _MOST_PLACED:
        raise Refusal(-4082, "Invalid number of batch place orders.")
    return [_or_refusal(lambda row=row: do(_row(row))) for row in rows]  # type: ignore[misc]


def _row(row: object) -> Params:
    if not isinstance(row, dict):
        raise missing("batchOrders")
    return from_json(row)


def _or_refusal(do: Callable[[], Shown]) -> Shown:
    try:
        return do()
    except Refusal as refusal:
        return {"code": refusal.code, "msg": refusal.message}


def _keys(params: Params) -> list[OrderKey]:
    """Some clients write the names in small letters, and Binance takes them."""
    names = {name.lower(): name for name in params.values}
    for wanted, kind in (("orderidlist", int), ("origclientorderidlist", str)):
        name = names.get(wanted)
        if name is None:
            continue
        rows = params.rows(name)
        if not 1 <= len(rows) <= _MOST_CANCELLED or not all(type(row) is kind for row in rows):
            raise not_valid(name)
        return [row for row in rows if isinstance(row, int | str)]
    raise Refusal(-1102, "Param 'origClientOrderIdList' or 'orderIdList' must be sent, but both were empty/null!")


def _rules(call: Call, state: OrderState) -> Instrument:
    return call.exchange.books[state.request.symbol].instrument
