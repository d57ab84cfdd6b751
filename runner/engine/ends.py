"""Judging whether a running step has come to its end, by the rule of its end node."""

from runner.domain.commands import ReadPosition, Remark
from runner.domain.events import Force, PositionReport
from runner.domain.values import ZERO, OrderType, Side, TimeInForce, WorkingType, trimmed
from runner.engine import openers
from runner.engine.answers import Refusal, refusal
from runner.engine.closing import start_closing
from runner.engine.flow import end_step
from runner.engine.state import GroupState, Leg, Phase, Run, StepState
from runner.graph.model import (
    CancelNode,
    EndRule,
    FlattenNode,
    Group,
    OpenTarget,
    OrderNode,
    Outcome,
    Role,
)

FORCED = frozenset(Force)
"""Reasons of a group whose position the exchange closed by force."""
REASONS = {
    Outcome.REJECTED: "rejected",
    Outcome.DENIED: "denied",
    Outcome.EXPIRED: "expired",
    Outcome.CANCELLED: "cancelled",
    Outcome.SKIPPED: "skipped",
}


def judge(run: Run, step: StepState) -> None:
    """End the step if its rule is fulfilled, or can no longer be."""
    if step.phase is not Phase.RUNNING:
        return
    match step.end.rule:
        case EndRule.FILLED:
            if all(leg.outcome is not None for leg in step.legs):
                _judge_filled(run, step)
        case EndRule.CLOSED:
            _judge_closed(run, step)
        case EndRule.SCHEDULED:
            if all(leg.outcome is not None for leg in step.legs):
                _judge_scheduled(run, step)


def _judge_filled(run: Run, step: StepState) -> None:
    if all(leg.outcome is Outcome.FILLED for leg in step.legs):
        end_step(run, step, Outcome.SUCCEEDED)
    else:
        _end_unfilled(run, step, step.legs)


def _end_unfilled(run: Run, step: StepState, legs: list[Leg]) -> None:
    """The step's openers ended without filling it: by our cancel, or for the exchange's or the gate's reason."""
    filled = sum((leg.filled for leg in legs), ZERO)
    detail = f"filled={trimmed(filled)} of={trimmed(step.qty)}" if filled else ""
    failure = run.group_of(legs[0]).failure
    if step.cancelled == "timed_out" or failure in FORCED:
        end_step(run, step, Outcome.FAILED, failure if failure in FORCED else "timed_out", detail)
        return
    if step.cancelled:
        end_step(run, step, Outcome.CANCELLED, step.cancelled, detail)
        return
    leg = next(leg for leg in legs if leg.outcome is not Outcome.FILLED)
    reason = REASONS.get(leg.outcome or Outcome.ANY, "failed")
    if leg.refused is not None:
        detail = f"code={leg.refused}"
        reason = "would_trigger" if refusal(leg.refused) is Refusal.WOULD_TRIGGER else reason
    end_step(run, step, Outcome.FAILED, reason, detail)


def _judge_closed(run: Run, step: StepState) -> None:
    group = run.groups[step.policy.group_id or step.policy.step_id]
    mine = [leg for leg in step.legs if leg.node.role is Role.OPENER]
    refused = [leg for leg in step.legs if leg.node.role is Role.EXIT and leg.outcome is Outcome.REJECTED]
    if refused:
        end_step(run, step, Outcome.FAILED, "rejected", f"code={refused[0].refused}")
        return
    if not group.ended:
        return
    if group.entered == ZERO:
        if mine:
            _end_unfilled(run, step, mine)
        else:
            end_step(run, step, Outcome.SKIPPED, "nothing_to_do")
    elif group.failure:
        end_step(run, step, Outcome.FAILED, group.failure)
    elif group.flattened:
        end_step(run, step, Outcome.CANCELLED, "flattened")
    elif step.cancelled == "stopped" and mine:
        end_step(run, step, Outcome.CANCELLED, "stopped")
    else:
        end_step(run, step, Outcome.SUCCEEDED)


def _judge_scheduled(run: Run, step: StepState) -> None:
    left = max(step.qty - openers.executed(step), ZERO)
    schedule = step.policy.schedule
    detail = f"executed={trimmed(step.qty - left)} of={trimmed(step.qty)}"
    group = run.groups[step.policy.group_id or step.policy.step_id]
    flat = not step.policy.opens and group.open == ZERO
    if left == ZERO:
        end_step(run, step, Outcome.SUCCEEDED)
    elif group.failure in FORCED or (flat and group.failure):
        end_step(run, step, Outcome.FAILED, group.failure, detail)
    elif flat and group.flattened:
        end_step(run, step, Outcome.CANCELLED, "flattened", detail)
    elif flat:
        end_step(run, step, Outcome.SUCCEEDED)
    elif step.cancelled == "timed_out":
        end_step(run, step, Outcome.FAILED, "timed_out", detail)
    elif step.cancelled:
        end_step(run, step, Outcome.CANCELLED, step.cancelled, detail)
    elif schedule is not None and schedule.catch_up == "skip" and not schedule.finish_market:
        end_step(run, step, Outcome.SUCCEEDED, "", f"shortfall={trimmed(left)} {detail}")
    else:
        reason = next((REASONS[one.outcome] for one in reversed(step.legs) if one.outcome in _REFUSED), "incomplete")
        end_step(run, step, Outcome.FAILED, reason if openers.executed(step) == ZERO else "incomplete", detail)


_REFUSED = (Outcome.REJECTED, Outcome.DENIED)


# ---- cancel and flatten -------------------------------------------------------------------------------------------


def judge_tasks(run: Run) -> None:
    """End the cancel and flatten steps whose work is done."""
    for step_id, node in list(run.tasks.items()):
        step = run.steps[step_id]
        if isinstance(node, CancelNode):
            if not any(_can_open(run.steps[other]) for other in node.steps):
                end_step(run, step, Outcome.SUCCEEDED)
        elif _flat(run, node):
            _finish_flatten(run, step, node)


def _can_open(step: StepState) -> bool:
    return any(leg.node.role is Role.OPENER and leg.outcome is None for leg in step.legs)


def _flat(run: Run, node: FlattenNode) -> bool:
    return not any(
        group.spec.symbol == node.symbol and group.flattened and (group.open > ZERO or group.live)
        for group in run.groups.values()
    )


def _finish_flatten(run: Run, step: StepState, node: FlattenNode) -> None:
    if not node.account:
        end_step(run, step, Outcome.SUCCEEDED)
        return
    own = run.groups.get(step.policy.step_id)
    if own is not None:
        if own.ended:
            end_step(run, step, Outcome.FAILED if own.failure else Outcome.SUCCEEDED, own.failure)
        return
    if not step.finishing:
        step.finishing = True
        last_fill_ms = max(
            (group.last_fill_ms + run.pace.trust_after_ms for group in run.groups.values()
             if group.spec.symbol == node.symbol and group.last_fill_ms),
            default=run.now_ms,
        )
        run.timer(f"flat:{step.policy.step_id}", max(run.now_ms, last_fill_ms))


def read_for_flatten(run: Run, step_id: str) -> None:
    node = run.tasks.get(step_id)
    if isinstance(node, FlattenNode):
        run.emit(ReadPosition(node.symbol))


def flatten_account(run: Run, report: PositionReport) -> None:
    """The net position that is left, whoever opened it, becomes a group of the flatten step and is closed."""
    for step_id, node in list(run.tasks.items()):
        step = run.steps[step_id]
        if not isinstance(node, FlattenNode) or node.symbol != report.symbol or not step.finishing:
            continue
        if step_id in run.groups or report.begun_ms is None:
            continue
        if report.qty == ZERO:
            end_step(run, step, Outcome.SUCCEEDED)
            continue
        side = Side.BUY if report.qty > ZERO else Side.SELL
        order_node = OrderNode(
            node.node_id, step_id, step_id, Role.EXIT, node.symbol, side.opposite, OrderType.MARKET, TimeInForce.GTC,
            WorkingType.CONTRACT_PRICE, OpenTarget(),
        )
        leg = Leg(order_node, run.node_index[node.node_id], active=True)
        spec = Group(step_id, node.symbol, side, None, (), (node.node_id,), None, False, 0, 0)
        group = GroupState(spec, len(run.groups), [leg], 0, {leg.node_id: leg}, entered=abs(report.qty))
        run.legs[node.node_id] = leg
        run.groups[step_id] = group
        run.free.pop(node.symbol, None)
        run.note_ledger(group)
        run.emit(Remark(step_id, "flatten", f"closing the account's {trimmed(report.qty)} {node.symbol}"))
        start_closing(run, group, "flatten")
