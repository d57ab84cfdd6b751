"""The simulated exchange's words and the domain's: requests one way, facts and states the other.  Pure.

Several facts speak of one thing: a conditional order that has triggered is told of by its own world and by the matching
engine.  Each thing is told once: up to the trigger by the conditional order's facts, after it by the engine order's,
under the same client order id.  Order ids begin with `FAKE-`, those of conditional orders with `FAKE-A`.
"""

from collections.abc import Callable
from decimal import Decimal

from runner.domain.events import (
    Event,
    Force,
    ForcedExecution,
    FundingExchanged,
    InsuranceCleared,
    MarginCalled,
)
from runner.domain.orders import OrderRequest, OrderStatus
from runner.domain.reports import OrderReport, TradeReport
from runner.domain.values import ZERO
from runner.venue import facts
from runner.venue.facts import AccountUpdate, AlgoState, AlgoUpdate, Fact, Fill, OrderState, OrderUpdate
from runner.venue.requests import NewOrder
from runner.venue.terms import AlgoStatus, ExecutionType, Expiry, Reason, Status

_STATUS = {
    Status.NEW: OrderStatus.NEW,
    Status.PARTIALLY_FILLED: OrderStatus.PARTIALLY_FILLED,
    Status.FILLED: OrderStatus.FILLED,
    Status.CANCELED: OrderStatus.CANCELED,
    Status.EXPIRED: OrderStatus.EXPIRED,
    Status.EXPIRED_IN_MATCH: OrderStatus.EXPIRED,
}
_ALGO_STATUS = {
    AlgoStatus.NEW: OrderStatus.NEW,
    AlgoStatus.TRIGGERING: OrderStatus.NEW,
    AlgoStatus.TRIGGERED: OrderStatus.TRIGGERED,
    AlgoStatus.CANCELED: OrderStatus.CANCELED,
    AlgoStatus.EXPIRED: OrderStatus.EXPIRED,
    AlgoStatus.REJECTED: OrderStatus.REJECTED,
}
_WHY = {
    Expiry.SELF_TRADE: "Self-trade prevented",
    Expiry.TIME_IN_FORCE: "Unfilled rest expired",
    Expiry.TIME_IN_FORCE_BY_SELF_TRADE: "Self-trade prevented",
    Expiry.REDUCE_ONLY: "Reduce Only expired",
    Expiry.LIQUIDATION: "Liquidation",
    Expiry.NO_POSITION: "The position is gone",
    Expiry.DELISTED: "The symbol is delisted",
    Expiry.UNFILLED_MARKET: "Unfilled rest expired",
}
_ADL = "adl_autoclose"
_ENGINE_TELLS = frozenset({AlgoStatus.TRIGGERING, AlgoStatus.FINISHED})

Mark = Callable[[str], Decimal | None]
"""The present mark price of a symbol, where it is known."""


def new_order(request: OrderRequest) -> NewOrder:
    """The domain's order as the exchange is asked for it; one of the whole position has no quantity."""
    whole = request.close_position
    return NewOrder(
        request.symbol, request.side, request.order_type, ZERO if whole else request.quantity, request.client_order_id,
        price=request.price, time_in_force=request.time_in_force, good_till_ms=request.good_till_ms or 0,
        reduce_only=request.reduce_only and not whole, close_position=whole, trigger_price=request.trigger_price,
        working_type=request.working_type, callback_rate=request.callback_rate,
        activation_price=request.activation_price,
    )


def events_of(fact: Fact, mark: Mark) -> tuple[Event, ...]:
    """What a fact about the run's own account is to the engine; nothing where another fact tells it."""
    match fact:
        case OrderUpdate(order=order, fill=fill) if order.forced:
            return () if fill is None else (forced_execution(fill, order.request.client_order_id),)
        case OrderUpdate(execution=ExecutionType.NEW, order=order) if order.algo_id:
            return ()  # the conditional order's own TRIGGERED has told it
        case OrderUpdate(fill=Fill() as fill, order=order):
            report = order_report(order, fact.at_ms, mark(order.request.symbol))
            return trade_report(fill, order.request.client_order_id), report
        case OrderUpdate(order=order):
            return (order_report(order, fact.at_ms, mark(order.request.symbol), _WHY.get(fact.expiry, "")),)
        case AlgoUpdate(order=state) if state.status not in _ENGINE_TELLS:
            return (conditional_report(state, fact.at_ms, mark(state.request.symbol)),)
        case facts.MarginCalled(positions=positions):
            return (MarginCalled(fact.at_ms, tuple(state.symbol for state, _, _ in positions)),)
        case AccountUpdate(reason=Reason.FUNDING_FEE, balances=balances, symbol=symbol):
            return tuple(FundingExchanged(fact.at_ms, symbol, one.change, one.asset) for one in balances)
        case AccountUpdate(reason=Reason.INSURANCE_CLEAR, balances=balances):
            return tuple(InsuranceCleared(fact.at_ms, one.change, one.asset) for one in balances)
        case _:
            return ()


def order_report(order: OrderState, at_ms: int, mark_px: Decimal | None, reason: str = "") -> OrderReport:
    """The state of an order in the matching engine; one that a conditional order has placed is TRIGGERED, not NEW."""
    request = order.request
    status = OrderStatus.TRIGGERED if order.algo_id and order.status is Status.NEW else _STATUS[order.status]
    return OrderReport(
        at_ms, request.symbol, request.client_order_id, engine_id(order.order_id), status, order.filled_qty,
        order.avg_px if order.filled_qty else None, mark_px, reason, request.quantity, request.trigger_price,
        request.price, request.side, request.reduce_only or request.close_position, request.close_position,
    )


def conditional_report(state: AlgoState, at_ms: int, mark_px: Decimal | None) -> OrderReport:
    """The state of a conditional order; from its trigger on it goes by its engine order's id."""
    request = state.request
    status = _ALGO_STATUS.get(state.status)
    if status is None:  # FINISHED: its engine order is over
        whole = state.filled_qty and state.filled_qty >= request.quantity
        status = OrderStatus.FILLED if whole else OrderStatus.EXPIRED
    return OrderReport(
        at_ms, request.symbol, request.client_order_id,
        engine_id(state.order_id) if state.order_id else f"FAKE-A{state.algo_id}",
        status, state.filled_qty, None, mark_px, state.reason, request.quantity or None, request.trigger_price,
        request.price, request.side, request.reduce_only or request.close_position, request.close_position,
    )


def looked_up(
    order: OrderState | None, conditional: AlgoState | None, at_ms: int, mark_px: Decimal | None,
) -> OrderReport | None:
    """What both order worlds know of one client order id, or None where neither does.

    Ids are unique among open orders alone, so that each world may know one: the engine order goes before the
    conditional one that placed it, else what is open before what has ended, and the later before the earlier.
    """
    if conditional is None or (order is not None and order.algo_id == conditional.algo_id):
        return None if order is None else order_report(order, at_ms, mark_px)
    if order is None:
        return conditional_report(conditional, at_ms, mark_px)
    first = (not order.status.closed, order.created_ms), (not conditional.status.closed, conditional.created_ms)
    if first[0] >= first[1]:
        return order_report(order, at_ms, mark_px)
    return conditional_report(conditional, at_ms, mark_px)


def trade_report(fill: Fill, client_order_id: str) -> TradeReport:
    """One execution of an order."""
    return TradeReport(
        fill.at_ms, fill.symbol, client_order_id, engine_id(fill.order_id), str(fill.trade_id), fill.side, fill.qty,
        fill.price, fill.fee, fill.fee_asset, fill.realized, fill.maker,
    )


def forced_execution(fill: Fill, client_order_id: str) -> ForcedExecution:
    """One execution of an order of the exchange's own; its client order id says why."""
    cause = Force.DELEVERAGED if client_order_id.startswith(_ADL) else Force.LIQUIDATED
    return ForcedExecution(
        fill.at_ms, fill.symbol, cause, engine_id(fill.order_id), str(fill.trade_id), fill.side, fill.qty, fill.price,
        fill.fee, fill.fee_asset, fill.realized,
    )


def engine_id(order_id: int) -> str:
    return f"FAKE-{order_id}"
