"""Every intent of the engine, as closed unions: what goes to the exchange, to the clock, to the price watch, and
what is only told (`Notice`), for the journal and for people.
"""

from decimal import Decimal
from enum import StrEnum
from typing import Union

from runner.domain.conditions import PriceSource
from runner.domain.orders import OrderRequest
from runner.domain.value import Value


class PlaceOrder(Value, frozen=True):
    """Send one order.  `protective` marks stops and closes, which never wait behind openings.

    `node_id` names the graph node it is for, `reason` why a revision beyond the first was needed (or empty).
    """

    request: OrderRequest
    node_id: str
    revision: int = 0
    protective: bool = False
    reason: str = ""


class CancelOrder(Value, frozen=True):
    symbol: str
    client_order_id: str
    conditional: bool
    node_id: str
    reason: str = ""


class QueryOrder(Value, frozen=True):
    """Look an order up by its client id, in both order worlds; answered by `OrderReport` or `OrderNotFound`."""

    symbol: str
    client_order_id: str


class ReadPosition(Value, frozen=True):
    """Answered by a `PositionReport` with `begun_ms`."""

    symbol: str


class Observe(Value, frozen=True):
    """Answered by `Observed`."""

    symbol: str


class SetTimer(Value, frozen=True):
    """Fire once at `at_ms`; an instant in the past fires at once.  Setting an id again replaces it."""

    timer_id: str
    at_ms: int


class CancelTimer(Value, frozen=True):
    timer_id: str


class Crossing(StrEnum):
    """How the price must stand to the level for a watch to fire."""

    GT = ">"
    GE = ">="
    LT = "<"
    LE = "<="


class WatchPrice(Value, frozen=True):
    """Fire once, as soon as the price stands so; at once if the present price already does."""

    watch_id: str
    symbol: str
    source: PriceSource
    crossing: Crossing
    price: Decimal


class UnwatchPrice(Value, frozen=True):
    watch_id: str


class StepStarted(Value, frozen=True):
    step_id: str
    quantity: Decimal | None = None


class StepEnded(Value, frozen=True):
    """`outcome` is succeeded, failed, cancelled or skipped; `reason` a word for it, `detail` its figures."""

    step_id: str
    outcome: str
    reason: str = ""
    detail: str = ""


class OrderDenied(Value, frozen=True):
    """We did not send it: `code` and `detail`, like `MAX_POSITION_NOTIONAL` and `limit=2000 would_be=2410.5`."""

    node_id: str
    code: str
    detail: str


class Remark(Value, frozen=True):
    """Something a person should read: `code` is a word for machines, `text` one line for people."""

    step_id: str
    code: str
    text: str


class GroupProtected(Value, frozen=True):
    """A group's open quantity is covered by confirmed stops again, after `unprotected_ms` without."""

    group_id: str
    unprotected_ms: int


class RunEnded(Value, frozen=True):
    """`outcome` is succeeded, failed, stopped, or open (the data ended first)."""

    outcome: str
    reason: str = ""


VenueCommand = Union[PlaceOrder, CancelOrder, QueryOrder, ReadPosition, Observe]
TimerCommand = Union[SetTimer, CancelTimer]
WatchCommand = Union[WatchPrice, UnwatchPrice]
Notice = Union[StepStarted, StepEnded, OrderDenied, Remark, GroupProtected, RunEnded]
Command = Union[VenueCommand, TimerCommand, WatchCommand, Notice]
