"""Every fact that can reach the engine, as one closed union.  All instants are UTC milliseconds (`at_ms`)."""

from decimal import Decimal
from enum import StrEnum
from typing import Union

from runner.domain.account import AccountFacts
from runner.domain.pace import Pace
from runner.domain.positions import Position
from runner.domain.reports import OrderReport, TradeReport
from runner.domain.snapshots import VenueSnapshot
from runner.domain.value import Value
from runner.domain.values import Side


class Action(StrEnum):
    """What a request was for, where its answer needs to say so."""

    PLACE = "place"
    CANCEL = "cancel"
    QUERY = "query"


class RunStarted(Value, frozen=True):
    """The first event of a run.  `positions` are what the run may call its own from the start, `foreign` what else the
    account holds then."""

    at_ms: int
    run_id: str
    seed: int
    positions: tuple[Position, ...] = ()
    foreign: tuple[Position, ...] = ()
    pace: Pace = Pace()


class RunResumed(Value, frozen=True):
    """The process that ran this run is gone, and another takes it on: whatever was asked and not answered has no answer
    to come.  A whole `VenueSnapshot` follows.

    `expires_ms`: from then on the exchange can accept no request of the former process any more.
    """

    at_ms: int
    expires_ms: int


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
    """The definite no to one request; nothing was executed by that request.

    `code` is the exchange's, 0 where the request never reached it.  `passing`: for a reason that passes by itself
    (no connection, an overload), so that the same may be taken later.
    """

    at_ms: int
    symbol: str
    client_order_id: str
    action: Action
    code: int
    message: str
    passing: bool = False


class AttemptFailed(Value, frozen=True):
    """One try of a request came to nothing, for certain; `attempt` counts from 1.

    `retry_ms`: in how many ms it is tried again, or None where it is not: then its `CommandRejected` follows.
    """

    at_ms: int
    symbol: str
    client_order_id: str
    action: Action
    attempt: int
    transient: bool
    error: str
    retry_ms: int | None = None


class AttemptMade(Value, frozen=True):
    """A request is tried again; `attempt` is the number of this try."""

    at_ms: int
    symbol: str
    client_order_id: str
    action: Action
    attempt: int


class StreamGap(Value, frozen=True):
    """The account's events since `since_ms` may be missing; a whole `VenueSnapshot` follows."""

    at_ms: int
    since_ms: int


class AccountSeen(Value, frozen=True):
    """What the account is set to: at the start, and whenever it is seen to have changed."""

    at_ms: int
    facts: AccountFacts


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
    RunStarted, RunResumed, OrderReport, TradeReport, MarginCalled, ForcedExecution, FundingExchanged, InsuranceCleared,
    CommandRejected, CommandUnresolved, AttemptFailed, AttemptMade, OrderNotFound, PositionReport, Observed, TimerFired,
    PriceTouched, MarketGap, StreamGap, VenueSnapshot, AccountSeen, DataEnded, StopRequested,
]
