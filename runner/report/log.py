"""`bot.log`: one JSON object a line, formed from a run's events and commands.

An order's placement is told when the exchange has answered it, so that its line carries the order id; an OCO's when
both of its orders are answered.  What was never answered is told at the run's end.
"""

import json
from decimal import Decimal

from runner.domain.commands import (
    CancelOrder,
    Command,
    OrderDenied,
    PlaceOrder,
    QueryOrder,
    Remark,
    RunEnded,
    StepEnded,
    StepStarted,
)
from runner.domain.events import (
    Action,
    AttemptFailed,
    AttemptMade,
    CommandRejected,
    CommandUnresolved,
    Event,
    ForcedExecution,
    FundingExchanged,
    InsuranceCleared,
    MarginCalled,
    OrderNotFound,
    RunStarted,
)
from runner.domain.orders import OrderRequest, OrderStatus
from runner.domain.reports import OrderReport
from runner.domain.times import rfc3339
from runner.domain.values import ZERO, total, trimmed
from runner.engine.ids import order_key
from runner.graph.model import Role
from runner.report.contact import Note
from runner.report.context import RunContext
from runner.report.legs import Legs
from runner.report.orders import Change, KnownOrder, Orders

_STOP_ROLES = frozenset({Role.STOP.value})


class LogFormatter:
    """Turns the entries of one run into log lines.  `orders` is the run's, kept up to date by whoever calls."""

    def __init__(self, context: RunContext, orders: Orders) -> None:
        self._context = context
        self._orders = orders
        self._legs = Legs(context)
        self._quantities: dict[str, Decimal] = {}
        self._pairs: dict[str, list[KnownOrder]] = {}
        self._told: set[str] = set()
        self._given_up: set[str] = set()
        self._last: dict[str, tuple[OrderStatus, Decimal]] = {}

    def of(self, at_ms: int, value: Event | Command, change: Change | None, notes: tuple[Note, ...]) -> list[str]:
        """The lines of one entry, each ending with a newline."""
        lines = self._lines(value, change)
        lines += [
            self._line("reconcile", "", level=note.level, request=note.request, result=note.result)
            for note in notes if note.result
        ]
        return [json.dumps({"ts": rfc3339(at_ms), **line}, ensure_ascii=False) + "\n" for line in lines]

    def _lines(self, value: Event | Command, change: Change | None) -> list[dict[str, object]]:
        lines: list[dict[str, object]] = []
        if isinstance(value, PlaceOrder):
            lines += self._sent(value)
        if change is not None and change.answered:
            lines += self._answered(change.known)
        match value:
            case RunStarted():
                request = {
                    "plan": self._context.plan, "fingerprint": self._context.fingerprint,
                    "market": self._context.market, "seed": value.seed,
                }
                lines.append(self._line("validate", "", request=request, result="OK"))
                lines.append(self._line("run_start", "", request=request))
            case RunEnded(outcome=outcome, reason=reason):
                for known in self._orders:
                    if known.placed.request.client_order_id not in self._told:
                        lines += self._placed([known])
                level = "ERROR" if outcome == "failed" else "INFO"
                lines.append(self._line("run_end", "", level=level, result=outcome, error=reason))
            case StepStarted(step_id=step_id, quantity=quantity) if self._legs.step(step_id).kind == "twap":
                step = self._legs.step(step_id)
                self._quantities[step_id] = quantity or ZERO
                lines.append(self._line(
                    "twap_start", step_id, linkId=step.link_id, request={"symbol": step.symbol},
                    totalSlices=step.slices, totalQty=_text(quantity),
                ))
            case StepEnded(step_id=step_id) if self._legs.step(step_id).kind == "twap":
                lines.append(self._twap_end(value))
            case OrderReport() if change is not None:
                lines += self._update(change.known)
            case CancelOrder():
                lines.append(self._cancel(value.client_order_id, value.node_id, value.reason))
            case CommandRejected(action=Action.CANCEL):
                lines += [
                    self._line("cancel_order", self._legs.leg(known.placed.node_id).step_id, level="WARNING",
                               **self._names(known), result="REJECTED", error=_refusal(value))
                    for known in [self._orders.get(value.client_order_id)] if known
                ]
            case OrderDenied(node_id=node_id, code=code, detail=detail):
                leg = self._legs.leg(node_id)
                lines.append(self._line(
                    "risk_denied", leg.step_id, level="WARNING", linkId=self._legs.step(leg.step_id).link_id,
                    request={"nodeId": node_id, "symbol": leg.symbol}, error=f"{code} {detail}".rstrip(),
                    result="DENIED",
                ))
            case Remark(step_id=step_id, code=code, text=text):
                lines.append(self._line("reconcile", step_id, level="WARNING", result=code, error=text))
            case ForcedExecution():
                lines.append(self._line(
                    "reconcile", "", level="ERROR", orderId=value.order_id, executedQty=_text(value.qty),
                    avgPrice=_text(value.price), result=value.cause.upper(),
                    request={"symbol": value.symbol, "side": value.side.value, "fee": _text(value.fee)},
                ))
            case MarginCalled(symbols=symbols):
                lines += [
                    self._line("reconcile", "", level="WARNING", result="MARGIN_CALL", request={"symbol": symbol})
                    for symbol in symbols
                ]
            case FundingExchanged(amount=amount, asset=asset):
                lines.append(self._line(
                    "reconcile", "", result="FUNDING",
                    request={"symbol": value.symbol, "amount": _text(amount), "asset": asset},
                ))
            case InsuranceCleared(amount=amount, asset=asset):
                lines.append(self._line(
                    "reconcile", "", level="ERROR", result="INSURANCE_CLEAR",
                    request={"amount": _text(amount), "asset": asset},
                ))
            case AttemptFailed() | AttemptMade():
                lines.append(self._attempt(value))
            case QueryOrder() | OrderNotFound() | CommandUnresolved():
                lines.append(self._line(
                    "reconcile", "", clientOrderId=value.client_order_id, request={"symbol": value.symbol},
                    result=_LOOKED_UP[type(value)],
                ))
            case _:
                pass
        return lines

    def _sent(self, command: PlaceOrder) -> list[dict[str, object]]:
        request = command.request
        leg = self._legs.leg(command.node_id)
        known = self._orders.get(request.client_order_id)
        if known is not None and self._legs.action(command) == "place_oco":
            self._pairs.setdefault(leg.step_id, []).append(known)
        key = order_key(request.client_order_id)
        attempt = (key.attempt if key else 0) + (known.sends if known else 1)
        if attempt == 1:
            return []
        return [self._line(
            "retry_attempt", leg.step_id, clientOrderId=request.client_order_id, req=_request(request),
            attempt=attempt,
        )]

    def _attempt(self, value: AttemptFailed | AttemptMade) -> dict[str, object]:
        """One try of a request, of an order or about one."""
        known = self._orders.get(value.client_order_id)
        step_id = self._legs.leg(known.placed.node_id).step_id if known else ""
        req: dict[str, object] = {"symbol": value.symbol, "action": value.action.value}
        if value.action is Action.PLACE and known is not None:
            req = _request(known.placed.request)
        if isinstance(value, AttemptMade):
            return self._line(
                "retry_attempt", step_id, clientOrderId=value.client_order_id, req=req, attempt=value.attempt,
            )
        if value.action is Action.PLACE and value.retry_ms is None:
            self._given_up.add(value.client_order_id)
        return self._line(
            "order_attempt_failed", step_id, level="WARNING", clientOrderId=value.client_order_id, req=req,
            attempt=value.attempt, transient=value.transient, error=value.error,
        )

    def _answered(self, known: KnownOrder) -> list[dict[str, object]]:
        """The placement, and before it the failure of its attempt."""
        lines = []
        command = known.placed
        leg = self._legs.leg(command.node_id)
        if known.refusal is not None and command.request.client_order_id not in self._given_up:
            key = order_key(command.request.client_order_id)
            lines.append(self._line(
                "order_attempt_failed", leg.step_id, level="WARNING",
                clientOrderId=command.request.client_order_id, req=_request(command.request),
                attempt=key.attempt + 1 if key else 1, transient=known.refusal.passing, error=_refusal(known.refusal),
            ))
        pair = self._pairs.get(leg.step_id, [])
        if known not in pair:
            return lines + self._placed([known])
        if any(one.answered_ms is None for one in pair):
            return lines
        del self._pairs[leg.step_id]
        return lines + self._placed(pair)

    def _placed(self, orders: list[KnownOrder]) -> list[dict[str, object]]:
        """The placement of one order, or of the pair of an OCO together."""
        self._told.update(known.placed.request.client_order_id for known in orders)
        first = orders[0]
        leg = self._legs.leg(first.placed.node_id)
        action = self._legs.action(first.placed)
        refused = [known for known in orders if known.order.status is OrderStatus.REJECTED]
        more: dict[str, object] = {}
        if action == "twap_slice":
            more = {"sliceIndex": leg.slice_index, "totalSlices": self._legs.step(leg.step_id).slices}
        elif action == "place_oco":
            more = _pair(orders, self._legs)
        result = "REJECTED" if refused else "ACCEPTED" if first.answered_ms is not None else "UNANSWERED"
        if len(orders) == 1:
            more |= {
                "orderId": first.order.order_id, "clientOrderId": first.placed.request.client_order_id,
                "request": _request(first.placed.request),
            }
        else:
            more["request"] = [_request(known.placed.request) for known in orders]
        errors = [_refusal(known.refusal) for known in refused if known.refusal is not None]
        return [self._line(
            action, leg.step_id, level="ERROR" if refused else "INFO",
            linkId=self._legs.step(leg.step_id).link_id, **more, result=result, error="; ".join(errors),
        )]

    def _update(self, known: KnownOrder) -> list[dict[str, object]]:
        client_id = known.placed.request.client_order_id
        state = (known.order.status, known.order.filled_qty)
        if self._last.get(client_id) == state:
            return []
        self._last[client_id] = state
        leg = self._legs.leg(known.placed.node_id)
        return [self._line(
            "order_update", leg.step_id, level="INFO", **self._names(known), result=known.result,
            executedQty=_text(known.filled_qty), avgPrice=_text(known.order.avg_px),
            error=known.end_reason,
        )]

    def _cancel(self, client_id: str, node_id: str, reason: str) -> dict[str, object]:
        known = self._orders.get(client_id)
        names = self._names(known) if known else {"clientOrderId": client_id}
        return self._line(
            "cancel_order", self._legs.leg(node_id).step_id, level="INFO", **names,
            request={"clientOrderId": client_id, "reason": reason}, result="SENT",
        )

    def _twap_end(self, ended: StepEnded) -> dict[str, object]:
        step = self._legs.step(ended.step_id)
        sent = [known for known in self._orders if self._legs.leg(known.placed.node_id).step_id == ended.step_id]
        return self._line(
            "twap_complete", ended.step_id, level="ERROR" if ended.outcome == "failed" else "INFO",
            linkId=step.link_id, totalSlices=step.slices, totalQty=_text(self._quantities.get(ended.step_id)),
            executedQty=_text(total(known.filled_qty for known in sent)),
            slices=[
                {
                    "sliceIndex": self._legs.leg(known.placed.node_id).slice_index, "orderId": known.order.order_id,
                    "executedQty": _text(known.filled_qty), "result": known.result,
                }
                for known in sent
            ],
            result=ended.outcome, error=", ".join(filter(None, (ended.reason, ended.detail))),
        )

    def _names(self, known: KnownOrder) -> dict[str, object]:
        leg = self._legs.leg(known.placed.node_id)
        return {
            "orderId": known.order.order_id, "clientOrderId": known.placed.request.client_order_id,
            "linkId": self._legs.step(leg.step_id).link_id,
        }

    def _line(self, action: str, step_id: str, *, level: str = "INFO", **more: object) -> dict[str, object]:
        line: dict[str, object] = {
            "level": level, "action": action, "mode": self._context.mode, "runId": self._context.run_id,
            "stepId": step_id,
        }
        return line | {key: value for key, value in more.items() if value not in (None, "")}


_LOOKED_UP: dict[type, str] = {
    QueryOrder: "ASKED", OrderNotFound: "NOT_FOUND", CommandUnresolved: "UNRESOLVED",
}


def _pair(orders: list[KnownOrder], legs: Legs) -> dict[str, object]:
    """The order ids and prices of an OCO's sides; of several take-profits the first."""
    sides: dict[str, object] = {}
    for known in orders:
        request = known.placed.request
        if legs.leg(known.placed.node_id).role in _STOP_ROLES:
            sides |= {"slOrderId": known.order.order_id, "stopPrice": _text(request.trigger_price)}
            sides |= {"stopLimitPrice": _text(request.price)}
        elif "tpOrderId" not in sides:
            sides |= {"tpOrderId": known.order.order_id, "takeProfit": _text(request.trigger_price or request.price)}
    return sides


def _request(request: OrderRequest) -> dict[str, object]:
    """An order in Binance's own keys, without those that it has no value for."""
    fields: dict[str, object] = {
        "symbol": request.symbol, "side": request.side.value, "type": request.order_type.value,
        "quantity": None if request.close_position else _text(request.quantity), "price": _text(request.price),
        "stopPrice": _text(request.trigger_price), "activationPrice": _text(request.activation_price),
        "callbackRate": _text(request.callback_rate),
        "timeInForce": request.time_in_force.value if request.order_type.limited else None,
        "closePosition": True if request.close_position else None,
        "reduceOnly": True if request.reduce_only and not request.close_position else None,
    }
    return {key: value for key, value in fields.items() if value is not None}


def _refusal(refusal: CommandRejected) -> str:
    return f"{refusal.code} {refusal.message}".rstrip()


def _text(value: Decimal | None) -> str | None:
    return None if value is None else trimmed(value)
