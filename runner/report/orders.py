"""The orders of a run as its events and commands tell them, each fact once however often it was reported."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from runner.domain.commands import CancelOrder, Command, PlaceOrder, RunEnded
from runner.domain.events import (
    Action,
    CommandRejected,
    CommandUnresolved,
    Event,
    OrderNotFound,
    RunResumed,
)
from runner.domain.orders import Order, OrderStatus
from runner.domain.reports import OrderReport, TradeReport
from runner.domain.snapshots import VenueSnapshot
from runner.domain.values import ZERO

_UNANSWERED = frozenset({OrderStatus.PENDING_NEW, OrderStatus.UNKNOWN})


@dataclass(slots=True, eq=False)
class KnownOrder:
    """One order sent.

    `sends` is how often, under one id; `answered_ms` is when the exchange first spoke of it, None while it has not;
    `cancel_reason` why we asked for its end, `end_reason` the exchange's own word, `refusal` its definite no.  `gone`:
    the exchange does not have it, and never will; a run ends of itself only when that is sure of each that it looked
    up in vain, which `missed` says of the last look.
    """

    placed: PlaceOrder
    sent_ms: int
    order: Order
    sends: int = 1
    answered_ms: int | None = None
    cancel_reason: str = ""
    end_reason: str = ""
    refusal: CommandRejected | None = None
    missed: bool = False
    gone: bool = False
    trades: list[TradeReport] = field(default_factory=list)
    trade_ids: set[tuple[str, str]] = field(default_factory=set)
    traded_qty: Decimal = ZERO

    @property
    def filled_qty(self) -> Decimal:
        """The highest figure from any source."""
        return max(self.order.filled_qty, self.traded_qty)

    @property
    def result(self) -> str:
        """The state that the order was last known in, in the words of the reports."""
        if self.gone:
            return "NOT_ACCEPTED"
        match self.order.status:
            case OrderStatus.PENDING_NEW:
                return "UNANSWERED"
            case OrderStatus.NEW:
                return "ACCEPTED"
            case status:
                return status.value


class Change(NamedTuple):
    """What one event changed of one order.

    `answered`: this is the first that the exchange said of it.  `status` is the new one, None if it is as before;
    `trade` an execution that was not known yet.
    """

    known: KnownOrder
    answered: bool = False
    status: OrderStatus | None = None
    trade: TradeReport | None = None


class Orders:
    """Every order of the run, in the order they were sent."""

    def __init__(self) -> None:
        self._known: dict[str, KnownOrder] = {}

    def __iter__(self) -> Iterator[KnownOrder]:
        return iter(self._known.values())

    def get(self, client_order_id: str) -> KnownOrder | None:
        return self._known.get(client_order_id)

    def see(self, at_ms: int, value: Event | Command) -> Change | None:
        """Take an entry in; the change that it made to an order of ours, if any."""
        match value:
            case PlaceOrder(request=request) if (again := self._known.get(request.client_order_id)) is not None:
                # The same id is sent again only after proof that the exchange does not hold it: one order still.
                again.sends += 1
                again.missed = again.gone = False
                again.order = again.order.after(OrderStatus.PENDING_NEW)
            case PlaceOrder(request=request):
                self._known[request.client_order_id] = KnownOrder(value, at_ms, Order(request))
            case CancelOrder(client_order_id=client_id, reason=reason) if client_id in self._known:
                self._known[client_id].cancel_reason = reason
            case OrderReport(client_order_id=client_id) if client_id in self._known:
                return _reported(self._known[client_id], value)
            case TradeReport(client_order_id=client_id) if client_id in self._known:
                return _traded(self._known[client_id], value)
            case CommandRejected(client_order_id=client_id, action=Action.PLACE) if client_id in self._known:
                return _refused(self._known[client_id], value)
            case CommandUnresolved(client_order_id=client_id, action=Action.PLACE) if client_id in self._known:
                known = self._known[client_id]
                known.order = known.order.after(OrderStatus.UNKNOWN)
            case OrderNotFound(client_order_id=client_id) if client_id in self._known:
                known = self._known[client_id]
                known.missed = known.order.status in _UNANSWERED
            case RunEnded():
                for known in self:
                    known.gone = known.missed
            case RunResumed():
                for known in self:
                    known.order = known.order.after(OrderStatus.UNKNOWN)
            case _:
                pass
        return None


def parts(snapshot: VenueSnapshot) -> list[OrderReport | TradeReport]:
    """What a snapshot tells of orders and executions, in the order that it happened."""
    told: list[OrderReport | TradeReport] = [*snapshot.trades, *snapshot.orders]
    return sorted(told, key=lambda part: part.at_ms)


def _reported(known: KnownOrder, report: OrderReport) -> Change | None:
    before = known.order
    known.order = before.after(
        report.status, order_id=report.order_id, filled_qty=report.filled_qty, avg_px=report.avg_px,
    )
    known.end_reason = report.reason or known.end_reason
    return _change(known, before, report.at_ms)


def _traded(known: KnownOrder, trade: TradeReport) -> Change | None:
    key = (trade.order_id, trade.trade_id)
    if key in known.trade_ids:
        return None
    known.trade_ids.add(key)
    known.trades.append(trade)
    known.traded_qty += trade.qty
    before = known.order
    known.order = before.after(
        OrderStatus.PARTIALLY_FILLED, order_id=trade.order_id, filled_qty=known.filled_qty,
    )
    return _change(known, before, trade.at_ms, trade)


def _refused(known: KnownOrder, refusal: CommandRejected) -> Change | None:
    before = known.order
    known.order = before.after(OrderStatus.REJECTED)
    known.refusal = refusal
    return _change(known, before, refusal.at_ms)


def _change(known: KnownOrder, before: Order, at_ms: int, trade: TradeReport | None = None) -> Change | None:
    known.missed = known.gone = False
    answered = known.answered_ms is None
    if answered:
        known.answered_ms = at_ms
    status = known.order.status if known.order.status is not before.status else None
    if not answered and status is None and trade is None and known.order == before:
        return None
    return Change(known, answered, status, trade)
