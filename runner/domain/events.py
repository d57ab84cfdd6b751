"""Every fact that can reach the engine, as one closed union.  All instants are UTC milliseconds (`at_ms`).

The same fill may arrive several times, from an answer, the user stream and a query; facts about orders therefore
carry cumulative figures, and trades carry their own ids.
"""

from decimal import Decimal
from enum import StrEnum
from typing import Union

from runner.domain.orders import OrderStatus
from runner.domain.positions import Position
from runner.domain.value import Value
from runner.domain.values import ZERO, Side


class Action(StrEnum):
    """What a request was for, where its answer needs to say so."""

    PLACE = "place"
    CANCEL = "cancel"
    QUERY = "query"


class RunStarted(Value, frozen=True):
    """The first event of a run.  `positions` are what the run may call its own from the start."""

    at_ms: int
    run_id: str
    seed: int
    positions: tuple[Position, ...] = ()


class OrderReport(Value, frozen=True):
    """The state of an order, from whatever source.

    `filled_qty` is cumulative; `avg_px` is the average of all fills where the source knows it; `mark_px` the mark
    price at that moment where known; `reason` the exchange's word for an end (`er`, `rm`), or empty.
    `quantity` and `trigger_px` are what the exchange itself holds the order to, where the source says so: an order
    found under our id is ours only if they agree.
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


class Force(StrEnum):
    """Why the exchange itself closed a position; the reason that its steps fail with."""

    LIQUIDATED = "liquidated"
    DELEVERAGED = "deleveraged"


class ForcedExecution(Value, frozen=True):
    """The exchange closed a part of the account's position by an order of its own.

    Unique by `(symbol, order_id, trade_id)`; `fee` and `realized_pnl` in `fee_asset` units.
    """

    at_ms: int
    symbol: str
    cause: Force
    order_id: str
    trade_id: str
    side: Side
    qty: Decimal
    price: Decimal
    fee: Decimal
    fee_asset: str
    realized_pnl: Decimal


class FundingExchanged(Value, frozen=True):
    """Funding of a position: `amount` in `asset` units, below zero where it was paid.  A gateway tells each once."""

    at_ms: int
    symbol: str
    amount: Decimal
    asset: str


class MarginCalled(Value, frozen=True):
    """The account comes near the liquidation of these positions.  It may come late, or not at all."""

    at_ms: int
    symbols: tuple[str, ...]


class InsuranceCleared(Value, frozen=True):
    """The exchange's insurance fund took the fee of a liquidation (`amount` below zero), or took over a debt (above).

    A gateway tells each once.
    """

    at_ms: int
    amount: Decimal
    asset: str


class CommandRejected(Value, frozen=True):
    """The exchange's definite no to one request, with its error code; nothing was executed by that request."""

    at_ms: int
    symbol: str
    client_order_id: str
    action: Action
    code: int
    message: str


class CommandUnresolved(Value, frozen=True):
    """A request without a clear answer: neither success nor rejection.

    `expires_ms` is the instant from which the exchange can no longer accept the request (timestamp + recvWindow).
    """

    at_ms: int
    symbol: str
    client_order_id: str
    action: Action
    expires_ms: int


class OrderNotFound(Value, frozen=True):
    """The answer to a query: neither order world knows this client order id at this moment."""

    at_ms: int
    symbol: str
    client_order_id: str


class PositionReport(Value, frozen=True):
    """The account's signed position on a symbol.

    `at_ms` is the instant the figure speaks of; `begun_ms` when the read that brought it was begun, or None for a
    pushed update.
    """

    at_ms: int
    symbol: str
    qty: Decimal
    begun_ms: int | None = None


class Observed(Value, frozen=True):
    """The answer to `Observe`: prices of the symbol, and the account in quote units."""

    at_ms: int
    symbol: str
    last_px: Decimal
    mark_px: Decimal
    bid_px: Decimal
    ask_px: Decimal
    wallet: Decimal
    unrealised: Decimal
    taker_fee: Decimal
    """The account's taker rate on the symbol, as a fraction."""


class TimerFired(Value, frozen=True):
    at_ms: int
    timer_id: str


class PriceTouched(Value, frozen=True):
    """A watched level was passed; a watch fires once."""

    at_ms: int
    watch_id: str
    price: Decimal


class MarketGap(Value, frozen=True):
    """Market data of the symbol were missing up to now."""

    at_ms: int
    symbol: str


class DataEnded(Value, frozen=True):
    """The simulated market has no more data; nothing further will happen."""

    at_ms: int


class StopRequested(Value, frozen=True):
    """Someone asked the run to stop: nothing opens any more, protection stays; `flatten` also closes."""

    at_ms: int
    flatten: bool = False


Event = Union[
    RunStarted, OrderReport, TradeReport, MarginCalled, ForcedExecution, FundingExchanged, InsuranceCleared,
    CommandRejected, CommandUnresolved, OrderNotFound, PositionReport, Observed, TimerFired, PriceTouched, MarketGap,
    DataEnded, StopRequested,
]
