"""`twap`: a quantity over time slices, that opens, or closes the group of another step."""

from runner.graph.legs import order_leg
from runner.graph.model import DueTarget, Edge, EndRule, Outcome, Role, Schedule
from runner.graph.prices import planned_price
from runner.graph.scope import GroupShare, Parts, Scope, body_of, closes, frame, policy, source_of
from runner.plan.model import Finish, Step, TwapBody


def compile_step(step: Step, scope: Scope) -> Parts:
    body = body_of(step, TwapBody)
    source = source_of(body)
    group_id = source or step.step_id
    closing = closes(body)
    role = Role.EXIT if closing else Role.OPENER
    slices = tuple(
        order_leg(step, f"slice.{index + 1}", group_id, role, body.side, body.order, DueTarget(index))
        for index in range(body.slices)
    )
    start_id = f"{step.step_id}.start"
    due = tuple(
        Edge(start_id, node.node_id, Outcome.SUCCEEDED, delay_ms=index * body.every_ms)
        for index, node in enumerate(slices)
    )
    nodes, edges = frame(step, slices, due, EndRule.SCHEDULED, group_id)
    schedule = Schedule(
        body.size, body.slices, body.every_ms, body.randomize, body.catch_up.value, body.finish is Finish.MARKET,
    )
    ids = tuple(node.node_id for node in slices)
    return Parts(
        nodes, edges,
        policy(
            step, side=body.side, group_id=group_id, size=body.size, schedule=schedule,
            planned=planned_price(body.order), link="TWAP",
        ),
        GroupShare(group_id, body.side.opposite, exits=ids, adopts=None if source else body.size) if closing
        else GroupShare(group_id, body.side, openers=ids),
    )
