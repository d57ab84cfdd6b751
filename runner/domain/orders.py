"""One order as we know it, and the literal table of what may follow what.

An order is known by its `client_order_id`.  What a report says is folded in by `Order.after`: filled quantities
only ever grow, and a report that the table does not allow after the present status is stale and changes nothing
but the fill.
"""

from decimal import Decimal
from enum import StrEnum

from runner.domain.value import Value
from runner.domain.values import ZERO, OrderType, Side, TimeInForce, WorkingType


class OrderStatus(StrEnum):
    """Binance's statuses of both order worlds, and two of our own for what is not known yet."""

    PENDING_NEW = "PENDING_NEW"  # sent, no answer yet
    UNKNOWN = "UNKNOWN"  # the answer was lost: it may or may not exist
    NEW = "NEW"
    TRIGGERED = "TRIGGERED"  # conditional orders: now an order in the matching engine
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"

    @property
    def closed(self) -> bool:
        return self in CLOSED


CLOSED = frozenset({OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.REJECTED})

_LIVE_NEXT = frozenset({
    OrderStatus.TRIGGERED, OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.EXPIRED,
    OrderStatus.REJECTED,
})
TRANSITIONS: dict[OrderStatus, frozenset[OrderStatus]] = {
    OrderStatus.PENDING_NEW: _LIVE_NEXT | {OrderStatus.NEW, OrderStatus.UNKNOWN},
    OrderStatus.UNKNOWN: _LIVE_NEXT | {OrderStatus.NEW, OrderStatus.PENDING_NEW},  # pending again: resent after proof
    OrderStatus.NEW: _LIVE_NEXT,
    # A conditional order is refused by the matching engine at its trigger: margin, or reduce-only while flat.
    OrderStatus.TRIGGERED: _LIVE_NEXT - {OrderStatus.TRIGGERED},
    OrderStatus.PARTIALLY_FILLED: frozenset({OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.EXPIRED}),
    # A fill that overtook the cancel may be reported after it.
    OrderStatus.CANCELED: frozenset({OrderStatus.FILLED}),
    OrderStatus.EXPIRED: frozenset({OrderStatus.FILLED}),
    OrderStatus.REJECTED: frozenset(),
    OrderStatus.FILLED: frozenset(),
}


_UNFILLED = frozenset({OrderStatus.NEW, OrderStatus.TRIGGERED, OrderStatus.PENDING_NEW, OrderStatus.UNKNOWN})


class OrderRequest(Value, frozen=True):
    """An order as it is asked for.  Prices in quote per base unit, `callback_rate` in percent (1 is 1 %).

    `close_position`: the exchange sizes it at its trigger to the whole position; `quantity` is what it is to cover
    when it is sent, and no bound of what it executes.  `good_till_ms` belongs to GTD.
    """

    client_order_id: str
    symbol: str
    side: Side
    order_type: OrderType
    quantity: Decimal
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    callback_rate: Decimal | None = None
    activation_price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    reduce_only: bool = False
    working_type: WorkingType = WorkingType.CONTRACT_PRICE
    close_position: bool = False
    good_till_ms: int | None = None


class Order(Value, frozen=True):
    """An order of ours: the request, and what the exchange has said of it so far."""

    request: OrderRequest
    status: OrderStatus = OrderStatus.PENDING_NEW
    order_id: str = ""
    filled_qty: Decimal = ZERO
    avg_px: Decimal | None = None
    triggered: bool = False
    cancel_in_flight: bool = False

    @property
    def leaves_qty(self) -> Decimal:
        """What can still be executed: nothing once the order is closed.

        Of an order with `close_position` it is what is left of what it was sent for; the exchange may execute more.
        """
        return ZERO if self.status.closed else max(self.request.quantity - self.filled_qty, ZERO)

    @property
    def confirmed(self) -> bool:
        """Whether the exchange is known to hold the order now."""
        return self.status in (OrderStatus.NEW, OrderStatus.TRIGGERED, OrderStatus.PARTIALLY_FILLED)

    def after(
        self, status: OrderStatus, *, order_id: str = "", filled_qty: Decimal = ZERO, avg_px: Decimal | None = None,
    ) -> "Order":
        """The order after a report; equal to this one when the report brings nothing new."""
        filled = max(self.filled_qty, filled_qty)
        following = status if status in TRANSITIONS[self.status] else self.status
        whole = filled >= self.request.quantity and not self.request.close_position
        if whole and following is not OrderStatus.REJECTED:
            following = OrderStatus.FILLED
        elif filled > ZERO and following in _UNFILLED:
            following = OrderStatus.PARTIALLY_FILLED
        fresher = avg_px is not None and (filled_qty >= self.filled_qty)
        return self.but(
            status=following, order_id=order_id or self.order_id, filled_qty=filled,
            avg_px=avg_px if fresher else self.avg_px,
            triggered=self.triggered or status is OrderStatus.TRIGGERED or (
                filled > ZERO and self.request.order_type.conditional
            ),
            cancel_in_flight=self.cancel_in_flight and not following.closed,
        )
