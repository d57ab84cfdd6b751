"""One group brought to where it should be, after anything about it has changed."""

from runner.domain.values import ZERO
from runner.engine import orders
from runner.engine.closing import cancel_openers, settle_close, start_closing, watch_protection
from runner.engine.exits import settle_exits
from runner.engine.ledger import share
from runner.engine.openers import settle_openers
from runner.engine.state import GroupState, Leg, Phase, Run
from runner.graph.model import DueTarget, Outcome, Role


def settle(run: Run, group: GroupState) -> None:
    """End what has ended, size exits to the ledger, close where it must be closed, and finish an empty group."""
    if group.ended:
        if group.open == ZERO:
            return
        group.ended = False
        start_closing(run, group, "it was filled after its end")
    watch_protection(run, group)
    settle_openers(run, group)
    if group.stopped or _profits_complete(group):
        cancel_openers(run, group, "stopped")
    if group.open == ZERO and group.openers_left == 0:
        _finish(run, group)
    else:
        if group.closing:
            settle_close(run, group)
        settle_exits(run, group)
        _mark_filled(run, group)


def _profits_complete(group: GroupState) -> bool:
    return (
        group.openers_left > 0 and group.entered > ZERO and group.open == ZERO
        and any(leg.filled > ZERO for leg in group.role(Role.TAKE_PROFIT))
    )


def _mark_filled(run: Run, group: GroupState) -> None:
    """Take-profits that have filled their whole share, while the group goes on."""
    if group.openers_left:
        return
    for leg in group.role(Role.TAKE_PROFIT):
        done = leg.filled > ZERO and leg.filled >= share(run, group, leg)
        if leg.active and leg.outcome is None and done and not leg.live():
            run.end_leg(leg, Outcome.FILLED)


def _finish(run: Run, group: GroupState) -> None:
    """Nothing is open and nothing can open: take back the rest, protection last, and end when all of it has ended."""
    rest = [(leg, one) for leg in group.legs if leg.node.role is not Role.STOP for one in leg.live()]
    stops = [(leg, one) for leg in group.role(Role.STOP) for one in leg.live()]
    for leg, one in (*rest, *stops):
        if one.order.request.reduce_only:
            orders.cancel(run, leg, one, "the position is closed")
    if rest or stops:
        return
    group.ended = True
    group.closing = ""
    for leg in list(group.working.values()):
        run.end_leg(leg, _outcome(run, group, leg))
    for leg in group.legs:
        if isinstance(leg.node.target, DueTarget) and run.steps[leg.node.step_id].phase is Phase.RUNNING:
            run.end_leg(leg, Outcome.SKIPPED)
        run.check[leg.node.step_id] = None


def _outcome(run: Run, group: GroupState, leg: Leg) -> Outcome:
    if leg.filled == ZERO and not leg.revisions:
        return Outcome.SKIPPED
    wanted = share(run, group, leg) if leg.node.role is Role.TAKE_PROFIT else ZERO
    whole = leg.filled > ZERO and leg.filled >= wanted and not group.flattened
    return Outcome.FILLED if whole else Outcome.CANCELLED
