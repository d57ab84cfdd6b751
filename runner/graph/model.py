"""The execution graph: single actions (nodes), what each waits for (edges), and groups that share a ledger.

Node ids are `<step>.<leg>`: `long.start`, `long.entry`, `long.take_profit.2`, `rebuy.slice.3`, `long.end`.
The `start` of a step joins all that it waits for; its `end` carries the rule of the step's outcome, and stands for
the step as a whole where an edge waits for a step (`filled` of a step is that of its openers).
"""

from decimal import Decimal
from enum import StrEnum

from runner.domain.conditions import Condition
from runner.domain.instrument import Instrument
from runner.domain.sizes import Size
from runner.domain.value import Value
from runner.domain.values import OrderType, Rounding, Side, TimeInForce, WorkingType


class Outcome(StrEnum):
    """What an edge may wait for.  The first four, and `would_trigger`, can precede an end; the others are ends."""

    PLACED = "placed"
    FIRST_FILL = "first_fill"
    FILLED = "filled"
    WOULD_TRIGGER = "would_trigger"
    REJECTED = "rejected"
    DENIED = "denied"
    EXPIRED = "expired"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    ANY = "any"


class Role(StrEnum):
    """What an order node is to its group."""

    OPENER = "opener"
    STOP = "stop"
    TAKE_PROFIT = "take_profit"
    EXIT = "exit"


# ---- prices -------------------------------------------------------------------------------------------------------


class FixedPrice(Value, frozen=True):
    price: Decimal


class MarkOffset(Value, frozen=True):
    """Mark at the order's placement + sign × (absolute, or fraction × mark), rounded to the tick."""

    sign: int
    rounding: Rounding
    absolute: Decimal | None = None
    fraction: Decimal | None = None


class FillOffset(Value, frozen=True):
    """Average price of the first fill report of `node_id` + sign × (absolute, or fraction × that price)."""

    node_id: str
    sign: int
    rounding: Rounding
    absolute: Decimal | None = None
    fraction: Decimal | None = None


class RiskOffset(Value, frozen=True):
    """As `FillOffset`, by `multiple` × |that price − the price of `stop`|."""

    node_id: str
    sign: int
    rounding: Rounding
    multiple: Decimal
    stop: "FixedPrice | FillOffset"


Price = FixedPrice | MarkOffset | FillOffset | RiskOffset


# ---- targets ------------------------------------------------------------------------------------------------------


class FixedTarget(Value, frozen=True):
    """The step's own size, settled when the step starts."""

    size: Size


class OpenTarget(Value, frozen=True):
    """The whole of the group's open quantity."""


class ShareTarget(Value, frozen=True):
    """Leg `index` (from 0) of a take-profit divided by `weights`, which sum to 1; less what it has filled itself."""

    weights: tuple[Decimal, ...]
    index: int


class DueTarget(Value, frozen=True):
    """What is planned up to slice `index` (from 0) of the step's schedule, less what is filled by then."""

    index: int


Target = FixedTarget | OpenTarget | ShareTarget | DueTarget


class Schedule(Value, frozen=True):
    """A quantity over time slices: slice k is due at the step's start + k × every_ms (randomised within bounds).

    `catch_up` is next, spread or skip; `finish_market` sends what is left after the last slice as MARKET.
    The worst price a slice may trade at is the node's own price, if it has one.
    """

    size: Size
    slices: int
    every_ms: int
    randomize: Decimal
    catch_up: str
    finish_market: bool


# ---- nodes --------------------------------------------------------------------------------------------------------


class StartNode(Value, frozen=True):
    """Starts the step once every incoming edge has come and `when` holds."""

    node_id: str
    step_id: str
    when: Condition | None
    timeout_ms: int | None


class OrderNode(Value, frozen=True):
    """One leg: an order with a target quantity that may change, and so a sequence of exchange orders.

    `price` is the limit, `trigger` the stop price (the activation price of a trailing stop is `activation`);
    `callback_rate` in percent as on the wire.  `market_if_triggered`: an opener whose trigger is already passed is
    sent as MARKET instead of failing.  `close_position`: a stop that the exchange sizes at its trigger.
    `good_till_ms` belongs to GTD.
    """

    node_id: str
    step_id: str
    group_id: str
    role: Role
    symbol: str
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    working_type: WorkingType
    target: Target
    price: Price | None = None
    trigger: Price | None = None
    activation: Price | None = None
    callback_rate: Decimal | None = None
    market_if_triggered: bool = False
    close_position: bool = False
    good_till_ms: int | None = None

    @property
    def reduce_only(self) -> bool:
        return self.role is not Role.OPENER


class WaitNode(Value, frozen=True):
    """Done when its condition has held."""

    node_id: str
    step_id: str
    when: Condition


class CancelNode(Value, frozen=True):
    """Cancels what can still open of `steps`; done when none of it is open."""

    node_id: str
    step_id: str
    steps: tuple[str, ...]


class FlattenNode(Value, frozen=True):
    """Closes what the plan opened on `symbol`, or, with `account`, the symbol's whole net position."""

    node_id: str
    step_id: str
    symbol: str
    account: bool


class EndRule(StrEnum):
    """When a step has succeeded; `nodes` of the end node are the ones that the rule speaks of."""

    FILLED = "filled"  # each node has filled its target
    CLOSED = "closed"  # something was entered, and the group's open quantity is zero again
    SCHEDULED = "scheduled"  # the whole scheduled quantity is executed
    DONE = "done"  # the wait, cancel or flatten node is done


class EndNode(Value, frozen=True):
    node_id: str
    step_id: str
    rule: EndRule
    nodes: tuple[str, ...]
    group_id: str | None


Node = StartNode | OrderNode | WaitNode | CancelNode | FlattenNode | EndNode


class Edge(Value, frozen=True):
    """`target` waits for `on` of `source`, and `delay_ms` more (counted from the moment `on` came)."""

    source: str
    target: str
    on: Outcome
    delay_ms: int = 0


# ---- groups and steps ---------------------------------------------------------------------------------------------


class Group(Value, frozen=True):
    """Orders that share a ledger.  `entry_side` is the side that opens; `openers` and `exits` are node ids.

    `opener_step` is the step that opens, or None for a group whose ledger starts with an adopted position: then
    `adopts` is how much it asks for.  `protected` says whether stops must cover the open quantity.
    """

    group_id: str
    symbol: str
    entry_side: Side
    opener_step: str | None
    openers: tuple[str, ...]
    exits: tuple[str, ...]
    adopts: Size | None
    protected: bool
    protected_within_ms: int
    trigger_timeout_ms: int


class StepPolicy(Value, frozen=True):
    """What holds for a step as a whole.

    `opens`: it may open a position.  `follows`: the group whose source step it follows while that works (an `oco` or
    `exit` with `{filled: x}`), else None.  `protects`: it protects a filled source, so it starts also after a stop
    of the run.  `link` is the prefix of its link id (OCO, BRK, TWAP), or empty.  `planned_price` is the price that
    sizes and notionals are judged at when known from the plan, `stop` the stop's price rule for a risk size.
    `existing_position_allowed`: it may open beside a position of the same side that is not the run's.
    """

    step_id: str
    kind: str
    symbol: str
    side: Side | None
    group_id: str | None
    opens: bool
    protects: bool
    follows: str | None
    on_failure: str
    on_timeout: str
    size: Size | None
    schedule: Schedule | None
    planned_price: Decimal | None
    stop: Price | None
    unprotected_allowed: bool
    link: str
    existing_position_allowed: bool = False


class RiskLimits(Value, frozen=True):
    """Caps in quote units that the gate enforces; None where there is none."""

    max_order_notional: Decimal | None = None
    max_position_notional: Decimal | None = None
    max_daily_loss: Decimal | None = None


class AccountWish(Value, frozen=True):
    """What the account must be set to; None where the plan does not say.  `margin_type` is ISOLATED or CROSSED."""

    leverage: int | None = None
    margin_type: str | None = None


class ExecutionGraph(Value, frozen=True):
    """Nodes in topological order, ties by file order; the same file gives the same graph and node ids.

    `adopt_external_changes`: what others change of our orders and positions is taken over; else nothing opens any more.
    """

    name: str
    instruments: tuple[Instrument, ...]
    steps: tuple[StepPolicy, ...]
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    groups: tuple[Group, ...]
    limits: RiskLimits
    account: AccountWish = AccountWish()
    adopt_external_changes: bool = False
