"""Who starts when, and how steps end: outcomes travel along edges, and each end node's rule is judged."""

from heapq import heappop, heappush

from runner.domain.commands import OrderDenied, Remark, StepEnded, StepStarted
from runner.domain.conditions import Condition
from runner.domain.values import ZERO, trimmed
from runner.engine import openers
from runner.engine.closing import cancel_openers, flatten, start_closing
from runner.engine.conditions import Judge
from runner.engine.schedule import due_offset_ms, planned
from runner.engine.sizes import available, needs_quote, step_quantity, unclaimed
from runner.engine.state import GroupState, Leg, Phase, Run, StepState
from runner.graph.model import (
    CancelNode,
    DueTarget,
    Edge,
    EndNode,
    EndRule,
    FlattenNode,
    OrderNode,
    Outcome,
    Role,
    StartNode,
    WaitNode,
)

STEP_ENDS = frozenset({Outcome.SUCCEEDED, Outcome.FAILED, Outcome.CANCELLED, Outcome.SKIPPED})
LEG_ENDS = frozenset({
    Outcome.FILLED, Outcome.REJECTED, Outcome.DENIED, Outcome.EXPIRED, Outcome.CANCELLED, Outcome.SKIPPED,
})


def begin(run: Run) -> None:
    """Start everything that waits for nothing."""
    for node in run.graph.nodes:
        if isinstance(node, StartNode) and not run.waits_for.get(node.node_id):
            _ready(run, node.node_id)


def propagate(run: Run) -> None:
    """Serve the edges of every outcome that has come and not been served yet."""
    while run.outcomes:
        node_id, outcome = run.outcomes.popleft()
        node = run.nodes[node_id]
        if isinstance(node, OrderNode):
            _lift(run, run.legs[node_id], outcome)
        ends = STEP_ENDS if isinstance(node, EndNode) else LEG_ENDS
        for index, edge in run.edges_out.get(node_id, ()):
            if edge.on is outcome or (edge.on is Outcome.ANY and outcome in ends):
                _come(run, index, edge)
            elif outcome in ends and edge.on not in run.happened[node_id]:
                _never(run, edge, outcome)


def _lift(run: Run, leg: Leg, outcome: Outcome) -> None:
    """What a leg's outcome is to its step: that of its openers, or of its exits where it only exits."""
    step = run.steps[leg.node.step_id]
    opens = step.policy.opens
    if (leg.node.role is Role.OPENER) is not opens:
        return
    if outcome in (Outcome.PLACED, Outcome.FIRST_FILL):
        run.record(step.end.node_id, outcome)
    elif outcome is Outcome.FILLED:
        same = [other for other in step.legs if (other.node.role is Role.OPENER) is opens]
        if sum((other.filled for other in same), ZERO) >= step.qty > ZERO:
            run.record(step.end.node_id, Outcome.FILLED)


def _come(run: Run, index: int, edge: Edge) -> None:
    target = run.nodes[edge.target]
    if isinstance(target, EndNode):
        return
    delay_ms = edge.delay_ms
    if isinstance(target, OrderNode) and isinstance(target.target, DueTarget):
        policy = run.steps[target.step_id].policy
        if policy.schedule is not None:
            delay_ms = due_offset_ms(policy.schedule, target.target.index, run.seed, target.step_id)
    if delay_ms:
        run.timer(f"edge:{index}", run.now_ms + delay_ms)
    else:
        arrive(run, index)


def arrive(run: Run, index: int) -> None:
    """An edge has done its waiting."""
    target = run.graph.edges[index].target
    left = run.waits_for[target]
    if index in left:
        left.discard(index)
        if not left:
            _ready(run, target)


def _never(run: Run, edge: Edge, outcome: Outcome) -> None:
    """The outcome that an edge waits for can no longer come."""
    target = run.nodes[edge.target]
    if isinstance(target, StartNode):
        step = run.steps[target.step_id]
        if step.phase is Phase.PENDING:
            end_step(run, step, Outcome.SKIPPED, f"{_named(edge.source)} {outcome}")
    elif isinstance(target, OrderNode):
        leg = run.legs[edge.target]
        if not leg.active:
            run.end_leg(leg, Outcome.SKIPPED)


def _named(node_id: str) -> str:
    return node_id.removesuffix(".end")


def _ready(run: Run, node_id: str) -> None:
    node = run.nodes[node_id]
    match node:
        case StartNode():
            heappush(run.ready, (run.steps[node.step_id].order, node.step_id))
        case OrderNode():
            _activate(run, run.legs[node_id])
        case WaitNode(when=when):
            _await(run, node_id, when)
        case CancelNode() | FlattenNode():
            run.tasks[node.step_id] = node
            if isinstance(node, CancelNode):
                _cancel_steps(run, node)
            else:
                for group in run.groups.values():
                    if group.spec.symbol == node.symbol and not group.ended and (group.working or group.open):
                        flatten(run, group)


def start_ready(run: Run) -> None:
    """Of the steps that all has come for at this moment, begin the first in file order."""
    step = run.steps[heappop(run.ready)[1]]
    node = run.nodes[f"{step.policy.step_id}.start"]
    if step.phase is not Phase.PENDING or not isinstance(node, StartNode):
        return
    stays = step.policy.protects or not (step.policy.opens or _waits(run, step))
    if run.stopping and not stays and step.policy.step_id not in _guarding(run):
        end_step(run, step, Outcome.SKIPPED, "the run is stopping")
    elif node.when is not None:
        step.phase = Phase.WAITING
        _await(run, node.node_id, node.when)
    else:
        start_step(run, step)


def _activate(run: Run, leg: Leg) -> None:
    if leg.outcome is not None:
        return
    leg.active = True
    group = run.group_of(leg)
    group.working[leg.node_id] = leg
    run.attend(group)
    if isinstance(leg.node.target, DueTarget):
        openers.slice_due(run, leg)
    elif leg.node.role is Role.OPENER:
        openers.request(run, leg)
    else:
        run.touch(group.spec.group_id)


# ---- conditions ---------------------------------------------------------------------------------------------------


def _await(run: Run, node_id: str, condition: Condition) -> None:
    judge = Judge(condition, f"when:{node_id}")
    run.judges[node_id] = judge
    for symbol in judge.position_symbols:
        run.position_judges.setdefault(symbol, {})[node_id] = judge
    for key in judge.keys:
        run.judging[key] = node_id
    if judge.arm(run.now_ms, lambda symbol: run.held.get(symbol, ZERO), run.emit):
        held(run, node_id)


def held(run: Run, node_id: str) -> None:
    """A condition has come to hold."""
    drop_judge(run, node_id)
    node = run.nodes[node_id]
    step = run.steps[node.step_id]
    if isinstance(node, StartNode):
        if step.phase is Phase.WAITING:
            start_step(run, step)
    elif step.phase is Phase.RUNNING:
        end_step(run, step, Outcome.SUCCEEDED)


def drop_judge(run: Run, node_id: str) -> None:
    judge = run.judges.pop(node_id, None)
    if judge is not None:
        judge.drop(run.emit)
        for symbol in judge.position_symbols:
            run.position_judges[symbol].pop(node_id, None)
        for key in judge.keys:
            run.judging.pop(key, None)


# ---- steps --------------------------------------------------------------------------------------------------------


def start_step(run: Run, step: StepState) -> None:
    """All that the step waits for has come: learn its size, then let its nodes go."""
    if needs_quote(step.policy.size):
        step.phase = Phase.SIZING
        openers.want(run, step.policy.step_id, {step.policy.symbol})
    else:
        begin_step(run, step)


def begin_step(run: Run, step: StepState) -> None:
    """The step starts now, with its size settled."""
    policy = step.policy
    step.phase = Phase.RUNNING
    step.started_ms = run.now_ms
    opener = next((leg.node for leg in step.legs if leg.node.role is Role.OPENER), None)
    sized = step_quantity(run, policy, opener)
    if sized.code:
        run.emit(OrderDenied(opener.node_id if opener else step.end.node_id, sized.code, sized.detail))
        end_step(run, step, Outcome.FAILED, "denied", f"{sized.code}: {sized.detail}")
        return
    step.qty = sized.qty
    follows = run.steps[policy.follows] if policy.follows else None
    group = run.groups.get(policy.group_id) if policy.group_id else None
    empty = policy.size is not None and step.qty == ZERO and (follows is None or follows.phase is Phase.ENDED)
    if empty or (group is not None and group.ended):
        end_step(run, step, Outcome.SKIPPED, "nothing_to_do")
        return
    if group is not None and group.spec.adopts is not None and not _adopt(run, step, group):
        return
    if policy.schedule is not None:
        step.plan = planned(policy.schedule, step.qty, run.instruments[policy.symbol], run.seed, policy.step_id)
    run.emit(StepStarted(policy.step_id, step.qty if policy.size is not None else None))
    start = run.nodes[f"{policy.step_id}.start"]
    if isinstance(start, StartNode) and start.timeout_ms is not None:
        run.timer(f"timeout:{policy.step_id}", run.now_ms + start.timeout_ms)
    run.record(start.node_id, Outcome.SUCCEEDED)


def _adopt(run: Run, step: StepState, group: GroupState) -> bool:
    """Start a ledger with the plan's position that no other group holds; false where there is none."""
    symbol, side = group.spec.symbol, group.spec.entry_side
    taken = min(step.qty, available(run, symbol, side))
    if taken < step.qty or taken == ZERO:
        detail = f"asked={trimmed(step.qty)} available={trimmed(taken)}"
        run.emit(OrderDenied(step.end.node_id, "NO_POSITION", detail))
        if taken == ZERO:
            group.ended = True
            end_step(run, step, Outcome.FAILED, "NO_POSITION", detail)
            return False
    left = taken
    free = min(max(run.free.get(symbol, ZERO) * side.sign, ZERO), left)
    run.free[symbol] = run.free.get(symbol, ZERO) - free * side.sign
    left -= free
    for other in unclaimed(run, symbol, side):
        part = min(left, other.open)
        other.charged += part
        left -= part
        run.note_ledger(other)
    group.entered = taken
    step.qty = taken
    run.note_ledger(group)
    return True


def end_step(run: Run, step: StepState, outcome: Outcome, reason: str = "", detail: str = "") -> None:
    """The step has ended; what it never started is skipped, and its `on_failure` is followed."""
    if step.phase is Phase.ENDED:
        return
    policy = step.policy
    step.phase, step.outcome = Phase.ENDED, outcome
    run.running_steps -= 1
    run.tasks.pop(policy.step_id, None)
    run.observing.pop(policy.step_id, None)
    for node_id in (f"{policy.step_id}.start", f"{policy.step_id}.wait"):
        drop_judge(run, node_id)
    for leg in step.legs:
        if leg.outcome is None and not leg.revisions and (leg.node.role is Role.OPENER or not leg.active):
            run.end_leg(leg, Outcome.SKIPPED)
    run.emit(StepEnded(policy.step_id, outcome.value, reason, detail))
    run.record(step.end.node_id, outcome)
    if policy.group_id:
        run.touch(policy.group_id)
    if outcome is Outcome.FAILED:
        if policy.on_failure != "continue":
            stop(run, "failed")
        if policy.on_failure == "flatten":
            for group in run.groups.values():
                if group.spec.symbol == policy.symbol and not group.ended and (group.working or group.open):
                    flatten(run, group)


def stop(run: Run, why: str) -> None:
    """Nothing opens any more; live groups are managed to their end, and what protects a filled source still starts."""
    already = run.stopping
    if not already or why == "stopped":
        run.stopping = why
    if already:
        return
    kept = _guarding(run)
    for step in run.steps.values():
        if step.phase is Phase.ENDED or step.policy.step_id in kept:
            continue
        opens = step.policy.opens
        if step.phase is Phase.RUNNING:
            if opens:
                _take_back(run, step, "stopped")
            elif step.end.rule is EndRule.DONE and step.policy.step_id not in run.tasks:
                end_step(run, step, Outcome.CANCELLED, "the run is stopping")
        elif not step.policy.protects and (opens or step.phase is Phase.WAITING or _waits(run, step)):
            end_step(run, step, Outcome.SKIPPED, "the run is stopping")


def _guarding(run: Run) -> set[str]:
    """Steps that open nothing, and that the protection of a filled source still waits for."""
    found: set[str] = set()
    left = [
        step for step in run.steps.values()
        if step.policy.protects and step.phase is Phase.PENDING and run.groups[step.policy.group_id or ""].open > ZERO
    ]
    while left:
        for index in run.waits_for.get(f"{left.pop().policy.step_id}.start", ()):
            step = run.steps[run.nodes[run.graph.edges[index].source].step_id]
            if step.policy.step_id not in found and not step.policy.opens:
                found.add(step.policy.step_id)
                left.append(step)
    return found


def _waits(run: Run, step: StepState) -> bool:
    start = run.nodes[f"{step.policy.step_id}.start"]
    wait = run.nodes.get(f"{step.policy.step_id}.wait")
    return (isinstance(start, StartNode) and start.when is not None) or wait is not None


def _take_back(run: Run, step: StepState, why: str) -> None:
    for group in {leg.node.group_id: run.group_of(leg) for leg in step.legs if leg.node.role is Role.OPENER}.values():
        cancel_openers(run, group, why)


def timed_out(run: Run, step: StepState) -> None:
    """The step's `timeout`: for what can open, never for an exit of an open quantity."""
    if step.phase is not Phase.RUNNING:
        return
    if step.policy.opens:
        _take_back(run, step, "timed_out")
    elif step.end.rule is EndRule.DONE:
        end_step(run, step, Outcome.FAILED, "timed_out")
    elif step.policy.on_timeout == "close":
        group = run.groups[step.policy.group_id or step.policy.step_id]
        group.failure = group.failure or "timed_out"
        start_closing(run, group, "timeout")
    else:
        run.emit(Remark(step.policy.step_id, "timeout", "timeout reached; its exits stay until the position is closed"))


def _cancel_steps(run: Run, node: CancelNode) -> None:
    for step_id in node.steps:
        step = run.steps[step_id]
        if step.phase is Phase.RUNNING and step.policy.opens:
            _take_back(run, step, "cancelled")
        elif step.phase not in (Phase.RUNNING, Phase.ENDED):
            end_step(run, step, Outcome.CANCELLED, "cancelled")
