"""What a compile rule is given (`Scope`), and what it gives back (`Parts`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from runner.domain.instrument import Instrument
from runner.domain.sizes import FilledOf, Size
from runner.domain.values import Side
from runner.errors import InternalError
from runner.graph.model import (
    Edge,
    EndNode,
    EndRule,
    Node,
    OrderNode,
    Outcome,
    Price,
    Schedule,
    StartNode,
    StepPolicy,
)
from runner.graph.prices import Anchor, planned_price
from runner.plan.model import (
    Body,
    BracketBody,
    CancelBody,
    Dependency,
    EntryBody,
    ExistingPosition,
    ExitBody,
    FlattenBody,
    OcoBody,
    Step,
    TwapBody,
    WaitBody,
)

BodyT = TypeVar("BodyT", bound=Body)


@dataclass(frozen=True, slots=True)
class Scope:
    """A plan's steps by id, and the instruments."""

    steps: Mapping[str, Step]
    instruments: Mapping[str, Instrument]

    def instrument(self, step: Step) -> Instrument:
        return self.instruments[step.symbol]

    def anchor(self, step_id: str) -> Anchor | None:
        """What distances of exits of that step's position count from; None where the step opens nothing."""
        return anchor_of(self.steps[step_id])


@dataclass(frozen=True, slots=True)
class GroupShare:
    """What one step brings into a group.  `stops` says whether a stop that protects is among the exits."""

    group_id: str
    entry_side: Side
    openers: tuple[str, ...] = ()
    exits: tuple[str, ...] = ()
    adopts: Size | None = None
    stops: bool = False


@dataclass(frozen=True, slots=True)
class Parts:
    """What one step compiles to: nodes and inner edges in their order, the policy, and its share of a group."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    policy: StepPolicy
    share: GroupShare | None = None


def closes(body: TwapBody) -> bool:
    """Whether a TWAP reduces a position instead of opening one."""
    return body.reduce_only or body.of is not None or isinstance(body.size, FilledOf)


def opens(body: Body) -> bool:
    """Whether a step may open a position."""
    return isinstance(body, EntryBody | BracketBody) or (isinstance(body, TwapBody) and not closes(body))


def side_of(body: Body) -> Side | None:
    """The side of the step's own orders (of a bracket: of its entry); None for kinds without one."""
    return None if isinstance(body, WaitBody | CancelBody | FlattenBody) else body.side


def source_of(body: Body) -> str | None:
    """The step whose group an exiting step joins, or None."""
    match body:
        case TwapBody(of=str(of)):
            return of
        case ExitBody(size=FilledOf(step_id)) | OcoBody(size=FilledOf(step_id)) | TwapBody(size=FilledOf(step_id)):
            return step_id
        case _:
            return None


def anchor_of(step: Step) -> Anchor | None:
    """What distances of exits count from, if this is the step that opens; None if it opens nothing."""
    match step.body:
        case EntryBody(order=order) | BracketBody(entry=order):
            return Anchor(f"{step.step_id}.entry", planned_price(order))
        case TwapBody(order=order) as body if not closes(body):
            return Anchor(f"{step.step_id}.slice.1", planned_price(order))
        case _:
            return None


def guarded_by(step: Step) -> str | None:
    """The step that this one protects: an OCO of what it fills, from its first fill on, whatever else happens."""
    match step.body, step.after:
        case OcoBody(size=FilledOf(source)), (Dependency(target=target, outcome=Outcome.FIRST_FILL),) if (
            step.when is None and target in (source, f"{source}.entry")
        ):
            return source
        case _:
            return None


def body_of(step: Step, kind: type[BodyT]) -> BodyT:
    """The step's body, known to be of its kind."""
    if not isinstance(step.body, kind):
        raise InternalError(f"step {step.step_id!r} of kind {step.kind!r} has a {type(step.body).__name__}")
    return step.body


def start_node(step: Step) -> StartNode:
    return StartNode(f"{step.step_id}.start", step.step_id, step.when, step.timeout_ms)


def frame(
    step: Step, inner: tuple[Node, ...], edges: tuple[Edge, ...], rule: EndRule, group_id: str | None = None,
) -> tuple[tuple[Node, ...], tuple[Edge, ...]]:
    """The nodes and edges of a step: `inner` between its start and its end, which every last node leads to."""
    start = start_node(step)
    end = EndNode(f"{step.step_id}.end", step.step_id, rule, tuple([node.node_id for node in inner]), group_id)
    sources = {edge.source for edge in edges}
    closing = [Edge(node.node_id, end.node_id, Outcome.ANY) for node in inner if node.node_id not in sources]
    return (start, *inner, end), (*edges, *closing)


def started(step: Step, nodes: tuple[OrderNode, ...]) -> tuple[Edge, ...]:
    """Edges by which orders go out as soon as the step starts."""
    start_id = f"{step.step_id}.start"
    return tuple([Edge(start_id, node.node_id, Outcome.SUCCEEDED) for node in nodes])


def policy(
    step: Step, *, side: Side | None = None, group_id: str | None = None, size: Size | None = None,
    protects: bool = False, follows: str | None = None, schedule: Schedule | None = None,
    planned: Decimal | None = None, stop: Price | None = None, link: str = "",
) -> StepPolicy:
    """The step's policy: what the plan says of it, and what its kind adds."""
    return StepPolicy(
        step.step_id, step.kind, step.symbol, side, group_id, opens(step.body), protects, follows,
        step.on_failure.value,
        step.on_timeout.value, size, schedule, planned, stop, step.unprotected_allowed, link,
        opens(step.body) and step.existing_position is ExistingPosition.ALLOW,
    )
