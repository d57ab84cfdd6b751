"""What the machine remembers of a run: legs with their revisions, groups with their ledgers, steps, and the book.

Everything here is plain data that the other modules of this room change; a run's state is a function of the events
it has been given, and nothing else.
"""

from collections import deque
from collections.abc import Iterator
from decimal import Decimal
from enum import StrEnum

from runner.domain.commands import CancelTimer, Command, SetTimer, UnwatchPrice, WatchPrice
from runner.domain.events import Event
from runner.domain.instrument import Instrument
from runner.domain.orders import Order
from runner.domain.pace import Pace
from runner.domain.positions import Position
from runner.domain.value import Record, fresh
from runner.domain.values import ZERO
from runner.engine.conditions import Judge
from runner.engine.others import Others
from runner.engine.purse import Day, Quote
from runner.graph.model import (
    CancelNode,
    Edge,
    EndNode,
    ExecutionGraph,
    FlattenNode,
    Group,
    Node,
    OrderNode,
    Outcome,
    Role,
    StepPolicy,
)


class Purpose(StrEnum):
    """Why a revision was sent."""

    WORK = "work"  # the leg's own order
    CLOSE = "close"  # a MARKET in the place of the leg's own order
    REST = "rest"  # a take-profit whose level was passed already, as a LIMIT at its price


class Revision(Record):
    """One exchange order of a leg.

    `ours_to_cancel`: we asked for its end.  `expires_ms`: while its placement is unresolved, the instant from which
    the exchange can no longer accept it; `misses` counts the queries since then that did not find it.
    `cancel_asked`: its cancel has been sent.  `absent`: an opener that is proved not to be there, to be sent once more.
    `duplicate`: it was refused because its id stands already.  `gone`: its cancel was refused since it is not open.
    `inherited`: it was live when the run was resumed, and has not been seen live since.  `stood_ms`: since when the
    exchange is known to hold it.  `terms_ms`: when the exchange named the terms that it holds it to.
    `looking`: a query for it is on its way, or due.  `told_ms`: when the exchange last said how it stands.
    `worst_px` is what an opener was counted at by the gate.  `adds`: it stands beside earlier ones, not for them.
    """

    order: Order
    number: int
    attempt: int
    purpose: Purpose
    sent_ms: int
    traded_qty: Decimal = ZERO
    traded_quote: Decimal = ZERO
    ours_to_cancel: bool = False
    expires_ms: int | None = None
    misses: int = 0
    lookups: int = 0
    looking: bool = False
    cancel_asked: bool = False
    absent: bool = False
    duplicate: bool = False
    gone: bool = False
    inherited: bool = False
    stood_ms: int | None = None
    terms_ms: int = 0
    told_ms: int = 0
    worst_px: Decimal = ZERO
    adds: bool = False

    @property
    def client_order_id(self) -> str:
        return self.order.request.client_order_id

    @property
    def live(self) -> bool:
        return not self.order.status.closed

    @property
    def standing(self) -> bool:
        """Confirmed by the exchange, not triggered, and not being cancelled by us."""
        return self.order.confirmed and not self.order.triggered and not self.ours_to_cancel

    @property
    def protective(self) -> bool:
        """Whether it is a stop of an open quantity."""
        return self.order.request.reduce_only and self.order.request.order_type.stop_like

    @property
    def asked(self) -> bool:
        """Sent, and without an answer so far."""
        return self.live and not self.order.confirmed


class Leg(Record):
    """An order node at work; `revisions` are its live orders and the newest one.

    `target` is the settled quantity of an opener or a slice.  `anchor_px` is the average price of the first fill
    report; `anchor_mark` is the mark of that moment, which stands in for it once `stand_in` says so.  `passed`: the
    level of this take-profit was passed, its next order is a LIMIT, or at market where it was passed so `far` that the
    exchange takes no limit there.  `held_until_ms`: no new order before.
    `whole_after_ms`, of a stop with `close_position`: 0 while none was refused; else a sized stop stands in for it, and
    it is tried again from then on, or, where None, no more.
    `refused`: the code of a permanent rejection.  `again`: a slice that closes, refused for a reason that passes.
    """

    node: OrderNode
    index: int
    revisions: list[Revision] = fresh(list)
    active: bool = False
    target: Decimal = ZERO
    filled: Decimal = ZERO
    anchor_px: Decimal | None = None
    anchor_mark: Decimal | None = None
    price_asked: bool = False
    stand_in: bool = False
    passed: bool = False
    far: bool = False
    next_revision: int = 0
    next_attempt: int = 0
    held_until_ms: int = 0
    whole_after_ms: int | None = 0
    replaced_ms: int = -1_000_000
    refused: int | None = None
    again: bool = False
    outcome: Outcome | None = None

    @property
    def node_id(self) -> str:
        return self.node.node_id

    def live(self) -> list[Revision]:
        return [revision for revision in self.revisions if revision.live]

    @property
    def leaves(self) -> Decimal:
        return sum((revision.order.leaves_qty for revision in self.revisions), ZERO)


class GroupState(Record):
    """A ledger: what came in by the group's openers (or was adopted), and what went out by its exits.

    `charged`: what another group's orders, or the exchange by force, closed of it.  `closing`: why the group is being
    closed at market, or empty; `until_protected`: only until a stop stands; `passed`: because the stop's level was
    passed already; `close_held_until_ms`: when the next close may go.  `failure`: the reason its steps will fail with.
    `unwatched_since_ms`: since when nobody watched it, until it is known what stood meanwhile.
    `real`: the position on this side by a trusted read that is newer than our last fill, or None; `position_ms`: the
    instant of the newest figure; `empty_read_ms`: when the first read that found nothing was begun.  `working` holds
    the legs that have become active and have not ended.
    """

    spec: Group
    order: int
    legs: list[Leg]
    openers_left: int
    working: dict[str, Leg] = fresh(dict)
    by_role: dict[Role, list[Leg]] = fresh(dict)
    first_filled: Leg | None = None
    entered: Decimal = ZERO
    exited: Decimal = ZERO
    charged: Decimal = ZERO
    closing: str = ""
    closing_since_ms: int = 0
    close_held_until_ms: int = 0
    until_protected: bool = False
    passed: bool = False
    failure: str = ""
    flattened: bool = False
    stopped: bool = False
    ended: bool = False
    unprotected_since_ms: int | None = None
    last_fill_ms: int = 0
    reading: bool = False
    position_ms: int = 0
    empty_read_ms: int | None = None
    real: Decimal | None = None
    unwatched_since_ms: int | None = None

    def __post_init__(self) -> None:
        for leg in self.legs:
            self.by_role.setdefault(leg.node.role, []).append(leg)

    @property
    def open(self) -> Decimal:
        return max(self.entered - self.exited - self.charged, ZERO)

    @property
    def exit_qty(self) -> Decimal:
        """What exits may be sized to: the ledger, never more than a position known to be smaller."""
        return self.open if self.real is None else min(self.open, self.real)

    def role(self, *roles: Role) -> Iterator[Leg]:
        """The legs that are one of `roles` to the group, role by role, in graph order."""
        return (leg for role in roles for leg in self.by_role.get(role, ()))

    @property
    def live(self) -> bool:
        """Whether the exchange may hold an order of the group: only legs at work and the closing one can have any."""
        exits = (self.legs[index] for index in range(len(self.spec.openers), len(self.legs)))
        closer = self.legs[:1]
        return any(revision.live for leg in (*self.working.values(), *exits, *closer) for revision in leg.revisions)

    @property
    def at_rest(self) -> bool:
        """Whether a run that is stopped may leave the group to the exchange: empty without orders, or open with every
        exit that it should have confirmed, and no request unanswered."""
        if self.ended or self.open == ZERO:
            return self.ended or not self.live
        unanswered = any(one.asked or one.order.cancel_in_flight for leg in self.legs for one in leg.live())
        return not self.closing and self.unprotected_since_ms is None and not unanswered


class Phase(StrEnum):
    """`ENDED` steps have their outcome in `StepState.outcome`."""

    PENDING = "pending"
    WAITING = "waiting"  # all it waits for has come; its condition has not
    SIZING = "sizing"  # its size needs prices and equity
    RUNNING = "running"
    ENDED = "ended"


class StepState(Record):
    """`order` is its place in the file; `cancelled`: why what can open was taken back: timed_out, cancelled, stopped,
    flattened; or empty."""

    policy: StepPolicy
    order: int
    legs: list[Leg]
    end: EndNode
    phase: Phase = Phase.PENDING
    started_ms: int = 0
    qty: Decimal = ZERO
    plan: tuple[Decimal, ...] = ()
    cancelled: str = ""
    finishing: bool = False
    outcome: Outcome | None = None


class Run:
    """The whole state of one run, and the commands that the event at hand has called forth.

    `timers` and `watches` are those that are set now.  `filled_ms`: when our orders of a symbol last executed.
    `deferred`: after a resume, what was told before the snapshot that it waits for, else None; until
    `doubtful_until_ms` a cancel of the former process may still arrive.  `managing`: a run that was stopped and is
    resumed goes on until nothing is open.
    """

    def __init__(self, graph: ExecutionGraph) -> None:
        self.graph = graph
        self.run_id = ""
        self.seed = 0
        self.pace = Pace()
        self.now_ms = 0
        self.out: list[Command] = []
        self.timers: dict[str, int] = {}
        self.watches: dict[str, WatchPrice] = {}
        self.deferred: list[Event] | None = None
        self.resumed_ms = self.doubtful_until_ms = 0
        self.managing = False
        self.instruments: dict[str, Instrument] = {one.symbol: one for one in graph.instruments}
        self.nodes: dict[str, Node] = {node.node_id: node for node in graph.nodes}
        self.legs: dict[str, Leg] = {
            node.node_id: Leg(node, index) for index, node in enumerate(graph.nodes) if isinstance(node, OrderNode)
        }
        self.node_index = {node.node_id: index for index, node in enumerate(graph.nodes)}
        self.groups: dict[str, GroupState] = {}
        for order, group in enumerate(graph.groups):
            legs = [self.legs[node_id] for node_id in (*group.openers, *group.exits)]
            self.groups[group.group_id] = GroupState(group, order, legs, len(group.openers))
        self.holders: dict[str, dict[str, GroupState]] = {}
        ends = {node.step_id: node for node in graph.nodes if isinstance(node, EndNode)}
        legs_of: dict[str, list[Leg]] = {policy.step_id: [] for policy in graph.steps}
        for leg in self.legs.values():
            legs_of[leg.node.step_id].append(leg)
        self.steps: dict[str, StepState] = {
            policy.step_id: StepState(policy, order, legs_of[policy.step_id], ends[policy.step_id])
            for order, policy in enumerate(graph.steps)
        }
        self.edges_out: dict[str, list[tuple[int, Edge]]] = {}
        self.waits_for: dict[str, set[int]] = {}
        for index, edge in enumerate(graph.edges):
            self.edges_out.setdefault(edge.source, []).append((index, edge))
            self.waits_for.setdefault(edge.target, set()).add(index)
        self.orders: dict[str, tuple[Leg, Revision]] = {}
        self.trades: set[tuple[str, str, str]] = set()
        self.book: dict[str, Position] = {}
        self.held: dict[str, Decimal] = {}
        self.free: dict[str, Decimal] = {}
        self.opening: dict[str, dict[str, Leg]] = {}
        self.others = Others()
        self.filled_ms: dict[str, int] = {}
        self.attended: dict[str, dict[str, None]] = {}
        self.quotes: dict[str, Quote] = {}
        self.day = Day(0)
        self.happened: dict[str, set[Outcome]] = {}
        self.outcomes: deque[tuple[str, Outcome]] = deque()
        self.ready: list[tuple[int, str]] = []
        self.dirty: dict[str, None] = {}
        self.check: dict[str, None] = {}
        self.observing: dict[str, set[str]] = {}
        self.waiting: dict[str, dict[str, None]] = {}
        self.judging: dict[str, str] = {}
        self.judges: dict[str, Judge] = {}
        self.position_judges: dict[str, dict[str, Judge]] = {}
        self.tasks: dict[str, CancelNode | FlattenNode] = {}
        self.running_steps = len(self.steps)
        self.stopping = ""
        self.forced = ""
        self.forced_until_ms = 0
        self.ended = False

    def emit(self, command: Command) -> None:
        self.out.append(command)
        match command:
            case SetTimer(timer_id, at_ms):
                self.timers[timer_id] = at_ms
            case CancelTimer(timer_id):
                self.timers.pop(timer_id, None)
            case WatchPrice(watch_id=watch_id):
                self.watches[watch_id] = command
            case UnwatchPrice(watch_id):
                self.watches.pop(watch_id, None)

    def timer(self, timer_id: str, at_ms: int) -> None:
        self.emit(SetTimer(timer_id, at_ms))

    def drop_timer(self, timer_id: str) -> None:
        self.emit(CancelTimer(timer_id))

    def touch(self, group_id: str) -> None:
        self.dirty[group_id] = None

    def group_of(self, leg: Leg) -> GroupState:
        return self.groups[leg.node.group_id]

    def record(self, node_id: str, outcome: Outcome) -> None:
        """Say once that `outcome` has come to a node; edges that wait for it are served in the same advance."""
        seen = self.happened.setdefault(node_id, set())
        if outcome not in seen:
            seen.add(outcome)
            self.outcomes.append((node_id, outcome))

    def end_leg(self, leg: Leg, outcome: Outcome) -> None:
        if leg.outcome is None:
            leg.outcome = outcome
            group = self.group_of(leg)
            group.working.pop(leg.node_id, None)
            group.openers_left -= leg.node.role is Role.OPENER
            self.opening.get(leg.node.symbol, {}).pop(leg.node_id, None)
            self.record(leg.node_id, outcome)
            self.check[leg.node.step_id] = None
            self.touch(leg.node.group_id)

    def sole_holder(self, group: GroupState) -> bool:
        """Whether no other group of the run, and nobody else that is known of, has a share in the position."""
        holders = self.holders.get(group.spec.symbol, {})
        others = len(holders) - (group.spec.group_id in holders)
        symbol = group.spec.symbol
        return others == 0 and not self.free.get(symbol) and not self.others.positions.get(symbol)

    def attend(self, group: GroupState) -> None:
        """Keep the list of groups that have, or may come to have, something on the exchange."""
        listed = self.attended.setdefault(group.spec.symbol, {})
        if not group.ended and (group.working or group.open > ZERO or group.live):
            listed[group.spec.group_id] = None
        else:
            listed.pop(group.spec.group_id, None)

    def note_ledger(self, group: GroupState) -> None:
        """Keep the list of groups that hold something of their symbol, in file order of their first holding."""
        holders = self.holders.setdefault(group.spec.symbol, {})
        if group.open > ZERO:
            holders[group.spec.group_id] = group
        elif holders.pop(group.spec.group_id, None) is not None:
            for group_id in holders:  # one of them may hold the symbol alone now
                self.touch(group_id)
        self.touch(group.spec.group_id)
