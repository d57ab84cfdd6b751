"""From a plan to its execution graph: check everything, then let each step's kind make its nodes."""

from collections.abc import Mapping
from dataclasses import dataclass

from runner.domain.instrument import Instrument
from runner.errors import PlanInvalid
from runner.graph.checks import check_plan
from runner.graph.checks.policy import LENIENT, Policy
from runner.graph.checks.symbols import step_symbols
from runner.graph.kinds import RULES
from runner.graph.model import AccountWish, Edge, ExecutionGraph, Group, RiskLimits
from runner.graph.scope import GroupShare, Parts, Scope
from runner.graph.survey import Survey
from runner.plan.diagnostics import Diagnostic, Severity
from runner.plan.model import OnExternalChange, Plan, Step


@dataclass(frozen=True, slots=True)
class Compiled:
    """A graph that can be run, and what its author should still read."""

    graph: ExecutionGraph
    warnings: tuple[Diagnostic, ...]


def compile_plan(plan: Plan, instruments: Mapping[str, Instrument], policy: Policy = LENIENT) -> Compiled:
    """The graph of a plan; `policy` is what its mode asks for beyond what every plan must be.

    Raises:
        PlanInvalid: with every fault, in file order.
    """
    survey, faults = check_plan(plan, instruments, policy)
    diagnostics = sorted((plan.source.diagnose(fault) for fault in faults), key=lambda found: found.sort_key)
    errors = [found for found in diagnostics if found.severity is Severity.ERROR]
    if errors:
        raise PlanInvalid(f"{plan.name}: the plan is invalid", diagnostics)
    return Compiled(_build(survey, instruments), tuple(diagnostics))


def _build(survey: Survey, instruments: Mapping[str, Instrument]) -> ExecutionGraph:
    plan = survey.plan
    scope = Scope({step.step_id: step for step in plan.steps}, instruments)
    parts = [RULES[step.kind](step, scope) for step in plan.steps]
    nodes = tuple(node for place in survey.order for node in parts[place].nodes)
    edges = tuple(edge for place in survey.order for edge in (*_waits(survey, place), *parts[place].edges))
    symbols = dict.fromkeys(symbol for step in plan.steps for symbol in step_symbols(step) if symbol in instruments)
    limits = plan.limits
    return ExecutionGraph(
        plan.name, tuple(instruments[symbol] for symbol in symbols), tuple(part.policy for part in parts), nodes,
        edges, _groups(plan, parts),
        RiskLimits(limits.max_order_notional, limits.max_position_notional, limits.max_daily_loss),
        AccountWish(plan.account.leverage, plan.account.margin_type),
        plan.on_external_change is OnExternalChange.ADOPT,
    )


def _waits(survey: Survey, place: int) -> list[Edge]:
    start_id = f"{survey.steps[place].step_id}.start"
    return [Edge(wait.target.node_id, start_id, wait.outcome) for wait in survey.waits[place]]


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
