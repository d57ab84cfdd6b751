"""`exit`: one reduce-only order, on another step's group or on a position that it adopts."""

from runner.graph.legs import order_leg
from runner.graph.model import EndRule, OpenTarget, Role
from runner.graph.prices import planned_price
from runner.graph.scope import GroupShare, Parts, Scope, body_of, frame, policy, source_of, started
from runner.plan.model import ExitBody, Step


def compile_step(step: Step, scope: Scope) -> Parts:
    body = body_of(step, ExitBody)
    source = source_of(body)
    group_id = source or step.step_id
    order = order_leg(step, "exit", group_id, Role.EXIT, body.side, body.order, OpenTarget())
    nodes, edges = frame(step, (order,), started(step, (order,)), EndRule.CLOSED, group_id)
    return Parts(
        nodes, edges,
        policy(
            step, side=body.side, group_id=group_id, size=body.size, protects=source is not None,
            follows=source, planned=planned_price(body.order),
        ),
        GroupShare(group_id, body.side.opposite, exits=(order.node_id,), adopts=None if source else body.size),
    )
