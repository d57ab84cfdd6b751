"""Every intent of the engine, as closed unions: what goes to the exchange, to the clock, to the price watch, and
what is only told (`Notice`), for the journal and for people.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Union

from runner.domain.conditions import PriceSource
from runner.domain.orders import OrderRequest


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """Send one order.  `protective` marks stops and closes, which never wait behind openings.

    `node_id` names the graph node it is for, `reason` why a revision beyond the first was needed (or empty).
    """

    request: OrderRequest
    node_id: str
    revision: int = 0
    protective: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CancelOrder:
    symbol: str
    client_order_id: str
    conditional: bool
    node_id: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class QueryOrder:
    """Look an order up by its client id, in both order worlds; answered by `OrderReport` or `OrderNotFound`."""

    symbol: str
    client_order_id: str


@dataclass(frozen=True, slots=True)
class ReadPosition:
    """Answered by a `PositionReport` with `begun_ms`."""

    symbol: str


@dataclass(frozen=True, slots=True)
class Observe:
    """Answered by `Observed`."""

    symbol: str


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Fire once at `at_ms`; an instant in the past fires at once.  Setting an id again replaces it."""

    timer_id: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class CancelTimer:
    timer_id: str


class Crossing(StrEnum):
    """How the price must stand to the level for a watch to fire."""

    GT = ">"
    GE = ">="
    LT = "<"
    LE = "<="


@dataclass(frozen=True, slots=True)
class WatchPrice:
    """Fire once, as soon as the price stands so; at once if the present price already does."""

    watch_id: str
    symbol: str
    source: PriceSource
    crossing: Crossing
    price: Decimal


@dataclass(frozen=True, slots=True)
class UnwatchPrice:
    watch_id: str


@dataclass(frozen=True, slots=True)
class StepStarted:
    step_id: str
    quantity: Decimal | None = None


@dataclass(frozen=True, slots=True)
class StepEnded:
    """`outcome` is succeeded, failed, cancelled or skipped; `reason` a word for it, `detail` its figures."""

    step_id: str
    outcome: str
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class OrderDenied:
    """We did not send it: `code` and `detail`, like `MAX_POSITION_NOTIONAL` and `limit=2000 would_be=2410.5`."""

    node_id: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Remark:
    """Something a person should read: `code` is a word for machines, `text` one line for people."""

    step_id: str
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class GroupProtected:
    """A group's open quantity is covered by confirmed stops again, after `unprotected_ms` without."""

    group_id: str
    unprotected_ms: int


@dataclass(frozen=True, slots=True)
class RunEnded:
    """`outcome` is succeeded, failed, stopped, or open (the data ended first)."""

    outcome: str
    reason: str = ""


VenueCommand = Union[PlaceOrder, CancelOrder, QueryOrder, ReadPosition, Observe]
TimerCommand = Union[SetTimer, CancelTimer]
WatchCommand = Union[WatchPrice, UnwatchPrice]
Notice = Union[StepStarted, StepEnded, OrderDenied, Remark, GroupProtected, RunEnded]
Command = Union[VenueCommand, TimerCommand, WatchCommand, Notice]
