"""Does what the faults say: to requests before and after they are handled, to triggers, and to positions.

The answers are Binance's own.  Source: USDⓈ-M "General info: HTTP return codes" and "Error codes".
Two kinds of 503 have no code in their body.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from runner.domain.values import ZERO
from runner.venue.account import Account
from runner.venue.facts import AlgoState, AlgoUpdate, Fact, OrderUpdate
from runner.venue.fapi.disturbing import Disturbance
from runner.venue.fapi.door import Audience, Door
from runner.venue.fapi.errors import ApiError
from runner.venue.fapi.params import Params
from runner.venue.faults import Fault, FaultName, FaultPlan, Place, Seam
from runner.venue.market import Datum
from runner.venue.refusals import Refusal
from runner.venue.requests import OrderKey
from runner.venue.terms import PositionSide

_Answer = tuple[int | None, int, str]
_ANSWERS: Mapping[FaultName, _Answer] = {
    FaultName.UNKNOWN_503: (None, 503, "Unknown error, please check your request or try again later."),
    FaultName.UNAVAILABLE_503: (None, 503, "Service Unavailable."),
    FaultName.INTERNAL_503: (-1001, 503, "Internal error; unable to process your request. Please try again."),
    FaultName.OVERLOADED_1008: (-1008, 503, (
        "Request throttled by system-level protection. Reduce-only/close-position orders are exempt. Please try again."
    )),
    FaultName.TIMEOUT_1007: (-1007, 408, (
        "Timeout waiting for response from backend server. Send status unknown; execution status unknown."
    )),
    FaultName.CLOCK_1021: (-1021, 400, "Timestamp for this request is outside of the recvWindow."),
    FaultName.UNKNOWN_ORDER_2011: (-2011, 400, "Unknown order sent."),
    FaultName.WOULD_TRIGGER_2021: (-2021, 400, "Order would immediately trigger."),
    FaultName.REDUCE_ONLY_2022: (-2022, 400, "ReduceOnly Order is rejected."),
    FaultName.DUPLICATE_ID_4116: (-4116, 400, "ClientOrderId is duplicated."),
    FaultName.OVER_CLOSE_4118: (-4118, 400, (
        "ReduceOnly Order Failed. Please check your existing position and open orders"
    )),
    FaultName.TOO_MANY_429: (-1003, 429, (
        "Too many requests; current limit of IP is 2400 requests per minute. "
        "Please use the websocket for live updates to avoid polling the API."
    )),
    FaultName.BANNED_418: (-1003, 418, (
        "Way too many requests; IP banned until {until_ms}. Please use the websocket for live updates to avoid bans."
    )),
}
_QUERIES = frozenset((
    "GET /fapi/v1/order", "GET /fapi/v1/openOrder", "GET /fapi/v1/openOrders", "GET /fapi/v1/allOrders",
    "GET /fapi/v1/algoOrder", "GET /fapi/v1/openAlgoOrders", "GET /fapi/v1/allAlgoOrders", "order.status",
))
_ID_NAMES = ("newClientOrderId", "origClientOrderId", "clientAlgoId")
_ROW_NAMES = ("clientOrderId", "clientAlgoId")


class Misbehaviour:
    """Carries out the faults of `plan` at `door`; implements `Disturber`."""

    def __init__(self, door: Door, plan: FaultPlan) -> None:
        self.plan = plan
        self._door = door

    @property
    def active(self) -> bool:
        return self.plan.active

    def before(self, route: str, account: Account | None, params: Params) -> Disturbance | None:
        """What goes wrong with a request; before that, what others do to the account and to the order just now."""
        place = self._place(route, account, params)
        if account is not None:
            fault = self.plan.take(Seam.POSITION, place)
            if fault is not None:
                self._close(fault, account, params.values.get("symbol", ""))
            fault = self.plan.take(Seam.BEFORE_CANCEL, place)
            if fault is not None:
                self._fill_part(fault, account, params)
        fault = self.plan.take(Seam.REQUEST, place)
        return None if fault is None else disturbance(fault, self._door.front.now_ms())

    def after(self, route: str, account: Account | None, params: Params, result: Any) -> Any:
        """The answer without the orders that queries do not see yet; what was placed may be hidden from now on."""
        if account is None:
            return result
        now_ms = self._door.front.now_ms()
        if route not in _QUERIES:
            for client_id in _client_ids(result):
                fault = self.plan.take(Seam.PLACEMENT, Place(route, (client_id,), account=account.name))
                if fault is not None:
                    self.plan.hide(account.name, client_id, now_ms + (fault.delay_ms or 0))
            return result
        if isinstance(result, list):
            return [row for row in result if not self._hidden(account, row, now_ms)]
        if self._hidden(account, result, now_ms):
            raise Refusal(-2013, "Order does not exist.")
        return result

    def veto(self, account: Account, order: AlgoState) -> str:
        """Why a conditional order is refused at its trigger; empty, as nearly always."""
        if not self.plan.active:
            return ""
        fault = self.plan.take(Seam.TRIGGER, Place(client_ids=(order.request.client_order_id,), account=account.name))
        return "" if fault is None else fault.reason or ""

    def witness(self, facts: Sequence[Fact]) -> None:
        """Let happen what others do to an account once something has happened."""
        for fact in facts:
            match fact:
                case OrderUpdate(account=name, order=order):
                    request, event, status = order.request, "ORDER_TRADE_UPDATE", str(order.status)
                case AlgoUpdate(account=name, order=conditional):
                    request, event, status = conditional.request, "ALGO_UPDATE", str(conditional.status)
                case _:
                    continue
            place = Place(client_ids=(request.client_order_id,), event=event, status=status, account=name)
            fault = self.plan.take(Seam.POSITION, place)
            if fault is not None:
                self._close(fault, self._door.exchange.accounts[name], request.symbol)

    def _place(self, route: str, account: Account | None, params: Params) -> Place:
        values = params.values
        named = [values[name] for name in _ID_NAMES if values.get(name)]
        rows = _rows(values.get("batchOrders", ""))
        named += [str(row[name]) for row in rows for name in _ID_NAMES if row.get(name)]
        named += [str(each) for each in _listed(params, "origClientOrderIdList")]
        if account is not None:
            named += self._named_by_number(account, params)
        exempt = route.startswith("DELETE") or route.endswith(".cancel")
        exempt = exempt or all(_closes(row) for row in rows or [values])
        return Place(route, tuple(named), exempt=exempt, account="" if account is None else account.name)

    def _named_by_number(self, account: Account, params: Params) -> Iterator[str]:
        """The client ids of orders that a request names by the exchange's own numbers."""
        exchange, symbol = self._door.exchange, params.values.get("symbol", "")
        numbers = [params.values.get("orderId", ""), *_listed(params, "orderIdList")]
        for number in numbers:
            if str(number).isdecimal():
                try:
                    yield exchange.order(account, symbol, int(number)).request.client_order_id
                except Refusal:
                    continue
        number = params.values.get("algoId", "")
        if number.isdecimal():
            try:
                yield exchange.conditional(account, int(number)).request.client_order_id
            except Refusal:
                return

    def _close(self, fault: Fault, account: Account, symbol: str) -> None:
        """Close what is held by hand, or by ADL; where nothing is held, nothing happens."""
        exchange, at_ms = self._door.exchange, self._door.at_ms()
        for (held, side), holding in list(account.holdings.items()):
            if holding.qty == ZERO or held != (fault.symbol or symbol) or fault.position_side not in (None, side):
                continue
            qty = min(abs(holding.qty), fault.qty or abs(holding.qty))
            if fault.name is FaultName.CLOSED_BY_ADL:
                exchange.deleverage(account, held, side, qty, at_ms)
            else:
                exchange.close_by_hand(account, held, side, qty, at_ms)
        self._door.publish()

    def _fill_part(self, fault: Fault, account: Account, params: Params) -> None:
        """Let the market fill a part of the order that is just being cancelled."""
        exchange, symbol = self._door.exchange, params.values.get("symbol", "")
        number = params.values.get("orderId", "")
        key: OrderKey = int(number) if number.isdecimal() else params.values.get("origClientOrderId", "")
        for order in exchange.open_orders(account, symbol):
            request = order.request
            if key and key not in (order.order_id, request.client_order_id):
                continue
            left = request.quantity - order.filled_qty
            half = exchange.books[request.symbol].instrument.floor_qty(left / 2) or left
            exchange.fill_resting(
                account, request.symbol, order.order_id, min(left, fault.qty or half), self._door.at_ms(),
            )

    def _hidden(self, account: Account, row: Any, now_ms: int) -> bool:
        return any(self.plan.hides(account.name, client_id, now_ms) for client_id in _client_ids(row))


class Witnessing:
    """An audience that lets the faults see each fact after `audience` was told it."""

    def __init__(self, audience: Audience, misbehaviour: Misbehaviour) -> None:
        self._audience = audience
        self._misbehaviour = misbehaviour

    def publish(self, facts: Sequence[Fact]) -> None:
        self._audience.publish(facts)
        if self._misbehaviour.active:
            self._misbehaviour.witness(facts)

    def on_datum(self, datum: Datum) -> None:
        self._audience.on_datum(datum)


def disturbance(fault: Fault, front_ms: int) -> Disturbance:
    """What a fault of the seam REQUEST means for the request that it meets; `front_ms` is the wall clock's now."""
    match fault.name:
        case FaultName.LOST_ANSWER:
            return Disturbance(cut=True)
        case FaultName.SLOW_ANSWER:
            return Disturbance(wait_after_ms=fault.delay_ms or 0)
        case FaultName.HANGING_ANSWER:
            return Disturbance(hang=True, instead=None if fault.executed else ApiError(None, "", 503))
    code, http, message = _ANSWERS[fault.name]
    headers = {}
    if fault.retry_after_s is not None:
        headers["Retry-After"] = str(fault.retry_after_s)
    if fault.name is FaultName.BANNED_418:
        message = message.format(until_ms=front_ms + 1000 * (fault.retry_after_s or 0))
    answer = ApiError(code, message, http, headers)
    return Disturbance(after=answer) if fault.executed else Disturbance(instead=answer)


def _client_ids(result: Any) -> tuple[str, ...]:
    rows = result if isinstance(result, list) else [result]
    return tuple(
        str(row[name]) for row in rows if isinstance(row, Mapping) for name in _ROW_NAMES if row.get(name)
    )


def _rows(text: str) -> list[Mapping[str, Any]]:
    try:
        rows = json.loads(text) if text else []
    except (ValueError, RecursionError):
        return []
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []


def _listed(params: Params, name: str) -> list[Any]:
    for known, text in params.values.items():
        if known.lower() == name.lower():
            try:
                found = json.loads(text)
            except (ValueError, RecursionError):
                return []
            return found if isinstance(found, list) else []
    return []


def _closes(row: Mapping[str, Any]) -> bool:
    """Whether an order only closes: `closePosition`, `reduceOnly`, or in hedge mode the side against the position's."""
    if any(str(row.get(name)).lower() == "true" for name in ("closePosition", "reduceOnly")):
        return True
    return (row.get("positionSide"), row.get("side")) in ((PositionSide.LONG, "SELL"), (PositionSide.SHORT, "BUY"))
