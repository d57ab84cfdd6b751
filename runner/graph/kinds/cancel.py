"""`cancel`: cancels what can still open of other steps."""

from runner.graph.model import CancelNode, Edge, EndRule, Outcome
from runner.graph.scope import Parts, Scope, body_of, frame, policy
from runner.plan.model import CancelBody, Step


def compile_step(step: Step, scope: Scope) -> Parts:
    node = CancelNode(f"{step.step_id}.cancel", step.step_id, body_of(step, CancelBody).steps)
    edge = Edge(f"{step.step_id}.start", node.node_id, Outcome.SUCCEEDED)
    return Parts(*frame(step, (node,), (edge,), EndRule.DONE), policy(step))
