"""Conditional orders of the Algo service: placed, cancelled, queried.  Source: Binance USDⓈ-M "New Algo Order"."""

from typing import Any

from runner.venue.facts import AlgoState
from runner.venue.fapi.calls import Call
from runner.venue.fapi.routes.reading import algo_key, new_conditional, wants_result, window
from runner.venue.fapi.routes.symbols import instrument, some_symbol
from runner.venue.fapi.shown import conditionals as shown
from runner.venue.refusals import Refusal

Shown = dict[str, Any]


def place(call: Call) -> Shown:
    wants_result(call.params)
    request = new_conditional(call.params, call.account)
    state = call.exchange.place_conditional(call.account, request, call.at_ms)
    return shown.placed(state, instrument(call, request.symbol))


def cancel(call: Call) -> Shown:
    """The symbol need not be sent.  The code in the answer is a text, as Binance's is."""
    symbol = some_symbol(call)
    state = call.exchange.cancel_conditional(call.account, algo_key(call.params), call.at_ms, symbol)
    return {"algoId": state.algo_id, "clientAlgoId": state.request.client_order_id, "code": "200", "msg": "success"}


def cancel_all(call: Call) -> Shown:
    symbol = call.params.symbol()
    call.exchange.cancel_all_conditional(call.account, symbol, call.at_ms)
    return {"code": 200, "msg": "The operation of cancel all open order is done."}


def query(call: Call) -> Shown:
    symbol = some_symbol(call)
    state = call.exchange.conditional(call.account, algo_key(call.params), symbol)
    return shown.queried(state, instrument(call, state.request.symbol))


def list_open(call: Call) -> list[Shown]:
    _check_kind(call)
    symbol = some_symbol(call)
    number = call.params.maybe_integer("algoId")
    return [
        _listed(call, state) for state in call.exchange.open_conditionals(call.account, symbol)
        if number in (None, state.algo_id)
    ]


def list_all(call: Call) -> list[Shown]:
    """Open and closed ones of a symbol by algo id: of a window of at most 7 days, from an id on, or the latest."""
    params, account = call.params, call.account
    symbol = params.symbol()
    instrument(call, symbol)
    limit = params.limit(500, 1000)
    from_id = params.maybe_integer("algoId") or 0
    span = None if from_id else window(params, call.at_ms)
    since_ms, until_ms = span or (0, call.at_ms)
    closed = account.history.conditionals(
        symbol, call.at_ms, since_ms=since_ms, until_ms=until_ms, from_id=from_id, limit=limit
    )
    live = [
        order.state() for order in (*account.open.waiting.values(), *account.open.triggered.values())
        if order.symbol == symbol and order.algo_id >= from_id and since_ms <= order.created_ms <= until_ms
    ]
    states = sorted([*closed, *live], key=lambda state: state.algo_id)
    return [_listed(call, state) for state in (states[:limit] if span or from_id else states[-limit:])]


def _check_kind(call: Call) -> None:
    if call.params.maybe_text("algoType") not in (None, "CONDITIONAL"):
        raise Refusal(-4500, "Invalid algoType.")


def _listed(call: Call, state: AlgoState) -> Shown:
    return shown.listed(state, instrument(call, state.request.symbol))
