"""What an exchange says of one order, and of one execution, from whatever source.

The same fill may arrive several times, from an answer, the user stream and a query; facts about orders therefore
carry cumulative figures, and trades carry their own ids.  All instants are UTC milliseconds.
"""

from decimal import Decimal

from runner.domain.orders import OrderStatus
from runner.domain.value import Value
from runner.domain.values import ZERO, Side


class OrderReport(Value, frozen=True):
    """The state of an order, from whatever source.

    `filled_qty` is cumulative; `avg_px` is the average of all fills where the source knows it; `mark_px` the mark
    price at that moment where known; `reason` the exchange's word for an end (`er`, `rm`), or empty.
    `quantity`, `trigger_px` and `limit_px` are what the exchange itself holds the order to, where the source says so:
    an order found under our id is ours only if they agree.  `side`, `reduce_only` and `close_position` likewise, for
    orders that nobody here has placed.
    """

    at_ms: int
    symbol: str
    client_order_id: str
    order_id: str
    status: OrderStatus
    filled_qty: Decimal = ZERO
    avg_px: Decimal | None = None
    mark_px: Decimal | None = None
    reason: str = ""
    quantity: Decimal | None = None
    trigger_px: Decimal | None = None
    limit_px: Decimal | None = None
    side: Side | None = None
    reduce_only: bool | None = None
    close_position: bool | None = None


class TradeReport(Value, frozen=True):
    """One execution.  Unique by `(symbol, order_id, trade_id)`; `fee` and `realized_pnl` in `fee_asset` units."""

    at_ms: int
    symbol: str
    client_order_id: str
    order_id: str
    trade_id: str
    side: Side
    qty: Decimal
    price: Decimal
    fee: Decimal
    fee_asset: str
    realized_pnl: Decimal
    maker: bool
