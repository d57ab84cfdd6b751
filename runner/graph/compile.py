"""From a plan to its execution graph: check everything, then let each step's kind make its nodes."""

from collections.abc import Mapping
from dataclasses import dataclass

from runner.domain.instrument import Instrument
from runner.errors import PlanInvalid
from runner.graph.kinds import RULES
from runner.graph.model import Edge, ExecutionGraph, Group, RiskLimits
from runner.graph.order import topological
from runner.graph.scope import GroupShare, Parts, Scope
from runner.graph.targets import FAILURES, outcome_of, target_of
from runner.plan.diagnostics import Diagnostic, Fault, Severity
from runner.plan.model import Plan, Step


@dataclass(frozen=True, slots=True)
class Compiled:
    """A graph that can be run, and what its author should still read."""

    graph: ExecutionGraph
    warnings: tuple[Diagnostic, ...]


def compile_plan(plan: Plan, instruments: Mapping[str, Instrument]) -> Compiled:
    """The graph of a plan.

    Raises:
        PlanInvalid: with every fault, in file order.
    """
    faults: list[Fault] = []
    diagnostics = sorted((plan.source.diagnose(fault) for fault in faults), key=lambda found: found.sort_key)
    errors = [found for found in diagnostics if found.severity is Severity.ERROR]
    if errors:
        raise PlanInvalid(f"{plan.name}: the plan is invalid", diagnostics)
    return Compiled(build(plan, instruments), tuple(diagnostics))


def build(plan: Plan, instruments: Mapping[str, Instrument]) -> ExecutionGraph:
    """The graph of a plan that has passed the checks."""
    scope = Scope({step.step_id: step for step in plan.steps}, instruments, _continues(plan))
    parts = [RULES[step.kind](step, scope) for step in plan.steps]
    places = {step.step_id: index for index, step in enumerate(plan.steps)}
    waits = [[places[target_of(wait).step_id] for wait in step.after] for step in plan.steps]
    order, _ = topological(waits)
    nodes = tuple(node for index in order for node in parts[index].nodes)
    edges = tuple(edge for index in order for edge in (*_waits(plan.steps[index]), *parts[index].edges))
    symbols = dict.fromkeys(policy.symbol for part in parts if (policy := part.policy).symbol in instruments)
    limits = plan.limits
    return ExecutionGraph(
        plan.name, tuple(instruments[symbol] for symbol in symbols), tuple(part.policy for part in parts), nodes,
        edges, _groups(plan, parts),
        RiskLimits(limits.max_order_notional, limits.max_position_notional, limits.max_daily_loss),
    )


def _waits(step: Step) -> tuple[Edge, ...]:
    edges = []
    for dependency in step.after:
        target = target_of(dependency)
        edges.append(Edge(target.node_id, f"{step.step_id}.start", outcome_of(dependency, target)))
    return tuple(edges)


def _continues(plan: Plan) -> frozenset[str]:
    """Steps whose failure another step waits for; an explicit `flatten` stands all the same."""
    named = set()
    for step in plan.steps:
        for dependency in step.after:
            target = target_of(dependency)
            if target.leg in ("", "entry") and outcome_of(dependency, target) in FAILURES:
                named.add(target.step_id)
    return frozenset(named)


def _groups(plan: Plan, parts: list[Parts]) -> tuple[Group, ...]:
    """Groups in the file order of the steps that they are named after; their members in file order too."""
    shares: dict[str, list[tuple[Step, GroupShare]]] = {
        part.share.group_id: [] for step, part in zip(plan.steps, parts)
        if part.share and part.share.group_id == step.step_id
    }
    for step, part in zip(plan.steps, parts):
        if part.share:
            shares[part.share.group_id].append((step, part.share))
    return tuple(_group(group_id, members) for group_id, members in shares.items())


def _group(group_id: str, members: list[tuple[Step, GroupShare]]) -> Group:
    owner, own = next((step, share) for step, share in members if step.step_id == group_id)
    guard = next((step for step, share in members if share.stops), None)
    timing = guard or owner
    return Group(
        group_id, owner.symbol, own.entry_side, group_id if own.openers else None,
        tuple(node for _, share in members for node in share.openers),
        tuple(node for _, share in members for node in share.exits),
        own.adopts, guard is not None, timing.protected_within_ms, timing.trigger_timeout_ms,
    )
