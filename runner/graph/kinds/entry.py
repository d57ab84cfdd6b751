"""`entry`: one order that may open."""

from runner.graph.legs import order_leg
from runner.graph.model import EndRule, FixedTarget, Role
from runner.graph.prices import planned_price
from runner.graph.scope import GroupShare, Parts, Scope, body_of, frame, policy, started
from runner.plan.model import EntryBody, Step


def compile_step(step: Step, scope: Scope) -> Parts:
    body = body_of(step, EntryBody)
    group_id = step.step_id
    order = order_leg(step, "entry", group_id, Role.OPENER, body.side, body.order, FixedTarget(body.size))
    nodes, edges = frame(step, (order,), started(step, (order,)), EndRule.FILLED, group_id)
    return Parts(
        nodes, edges,
        policy(step, side=body.side, group_id=group_id, size=body.size, planned=planned_price(body.order)),
        GroupShare(group_id, body.side, openers=(order.node_id,)),
    )
