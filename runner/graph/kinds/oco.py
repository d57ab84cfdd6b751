"""`oco`: take-profits and a stop, on another step's group or on a position that it adopts."""

from runner.graph.legs import exit_legs
from runner.graph.model import EndRule
from runner.graph.scope import GroupShare, Parts, Scope, body_of, frame, policy, source_of, started
from runner.plan.model import OcoBody, Step


def compile_step(step: Step, scope: Scope) -> Parts:
    body = body_of(step, OcoBody)
    source = source_of(body)
    group_id = source or step.step_id
    anchor = scope.anchor(source) if source else None
    exits = exit_legs(step, scope, group_id, body.side, body.take_profits, body.stop_loss, anchor)
    nodes, edges = frame(step, exits, started(step, exits), EndRule.CLOSED, group_id)
    return Parts(
        nodes, edges,
        policy(
            step, side=body.side, group_id=group_id, size=body.size, protects=source is not None,
            follows=source, stop=exits[0].trigger, link="OCO",
        ),
        GroupShare(
            group_id, body.side.opposite, exits=tuple(node.node_id for node in exits),
            adopts=None if source else body.size, stops=True,
        ),
    )
