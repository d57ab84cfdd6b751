"""What the exchange tells of itself: the states of orders, balances and positions, and the facts that changed them.

A state is frozen and whole, so that a fact can be told late, twice, or never.  All instants are the exchange's own,
in UTC ms; money and prices are in quote units.
"""

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Union

from runner.domain.value import Value
from runner.domain.values import EXACT, ZERO, OrderType, Side
from runner.venue.requests import NewOrder
from runner.venue.terms import (
    AlgoStatus,
    ExecutionType,
    Expiry,
    IncomeType,
    MarginType,
    PositionSide,
    Reason,
    Status,
)

_CENT = Decimal("0.00000001")


class OrderState(Value, frozen=True):
    """An order in the matching engine.

    `request` is as accepted: with its client id, its price where `price_match` chose it, and later amendments.  Of an
    order that a conditional one has placed, `request.order_type` is LIMIT or MARKET and `algo_id` is not 0.
    `cost` is the sum of price × quantity of all its fills.
    """

    request: NewOrder
    order_id: int
    status: Status
    filled_qty: Decimal
    cost: Decimal
    created_ms: int
    updated_ms: int
    algo_id: int = 0
    forced: bool = False
    """Whether the exchange itself placed it: liquidation or ADL."""

    @property
    def avg_px(self) -> Decimal:
        """Average price of all fills, to 8 decimals; zero without one."""
        if self.filled_qty == ZERO:
            return ZERO
        average = EXACT.divide(self.cost, self.filled_qty)
        return average.quantize(_CENT, rounding=ROUND_HALF_EVEN, context=EXACT)


class AlgoState(Value, frozen=True):
    """A conditional order on the Algo service.

    From its trigger on, `order_id` is the order that it placed in the matching engine (0 before), `actual_type` that
    order's type, `filled_qty` and `cost` that order's fills.  `reason` says why it was REJECTED or EXPIRED.
    `activated` belongs to trailing stops.
    """

    request: NewOrder
    algo_id: int
    status: AlgoStatus
    created_ms: int
    updated_ms: int
    triggered_ms: int = 0
    order_id: int = 0
    actual_type: OrderType | None = None
    filled_qty: Decimal = ZERO
    cost: Decimal = ZERO
    activated: bool = False
    reason: str = ""


class Fill(Value, frozen=True):
    """One execution of an order.  `realized` is the closing part's profit before fees."""

    trade_id: int
    order_id: int
    symbol: str
    side: Side
    position_side: PositionSide
    price: Decimal
    qty: Decimal
    fee: Decimal
    fee_asset: str
    realized: Decimal
    maker: bool
    at_ms: int


class BalanceState(Value, frozen=True):
    """`wallet` is all that the account owns without unrealised profit, `cross_wallet` what no isolated position holds;
    `change` is the change that is neither profit nor fee (transfers, funding)."""

    asset: str
    wallet: Decimal
    cross_wallet: Decimal
    change: Decimal = ZERO


class PositionState(Value, frozen=True):
    """`qty` is signed; `realized` is accumulated over its life, before fees; `break_even_px` counts fees."""

    symbol: str
    side: PositionSide
    qty: Decimal
    entry_px: Decimal
    break_even_px: Decimal
    realized: Decimal
    unrealized: Decimal
    margin_type: MarginType
    isolated_wallet: Decimal


class Income(Value, frozen=True):
    """One row of the income history: the only ways in which a wallet changes.  `number` is unique in its account."""

    number: int
    kind: IncomeType
    asset: str
    amount: Decimal
    at_ms: int
    symbol: str = ""
    trade_id: int = 0
    note: str = ""


class OrderUpdate(Value, frozen=True):
    """Something happened to an order in the matching engine."""

    account: str
    at_ms: int
    execution: ExecutionType
    order: OrderState
    fill: Fill | None = None
    expiry: Expiry = Expiry.NONE
    modify_id: int | None = None


class AlgoUpdate(Value, frozen=True):
    """Something happened to a conditional order."""

    account: str
    at_ms: int
    order: AlgoState


class AccountUpdate(Value, frozen=True):
    """Balances and positions that have changed, and why; `symbol` where funding was exchanged."""

    account: str
    at_ms: int
    reason: Reason
    balances: tuple[BalanceState, ...]
    positions: tuple[PositionState, ...] = ()
    symbol: str = ""


class MarginCalled(Value, frozen=True):
    """An account comes near its liquidation; `maintenance` of each position at the mark."""

    account: str
    at_ms: int
    cross_wallet: Decimal
    positions: tuple[tuple[PositionState, Decimal, Decimal], ...]
    """Each position with its mark price and its maintenance margin."""


class ConfigUpdate(Value, frozen=True):
    """The leverage of a symbol was changed."""

    account: str
    at_ms: int
    symbol: str
    leverage: int


Fact = Union[OrderUpdate, AlgoUpdate, AccountUpdate, MarginCalled, ConfigUpdate]
