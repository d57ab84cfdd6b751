"""`bracket`: an entry, and exits for whatever it fills, from its first fill on."""

from runner.graph.legs import exit_legs, order_leg
from runner.graph.model import Edge, EndRule, FixedTarget, Outcome, Role
from runner.graph.prices import Anchor, planned_price
from runner.graph.scope import GroupShare, Parts, Scope, body_of, frame, policy, started
from runner.plan.model import BracketBody, Step


def compile_step(step: Step, scope: Scope) -> Parts:
    body = body_of(step, BracketBody)
    group_id = step.step_id
    entry = order_leg(step, "entry", group_id, Role.OPENER, body.side, body.entry, FixedTarget(body.size))
    planned = planned_price(body.entry)
    exits = exit_legs(
        step, scope, group_id, body.side.opposite, body.take_profits, body.stop_loss, Anchor(entry.node_id, planned),
    )
    follow = tuple(Edge(entry.node_id, node.node_id, Outcome.FIRST_FILL) for node in exits)
    nodes, edges = frame(step, (entry, *exits), started(step, (entry,)) + follow, EndRule.CLOSED, group_id)
    return Parts(
        nodes, edges,
        policy(
            step, side=body.side, group_id=group_id, size=body.size, planned=planned, stop=exits[0].trigger,
            link="BRK",
        ),
        GroupShare(
            group_id, body.side, openers=(entry.node_id,), exits=tuple(node.node_id for node in exits), stops=True,
        ),
    )
