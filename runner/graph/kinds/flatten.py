"""`flatten`: closes what the plan opened on a symbol, or the symbol's whole position."""

from runner.graph.model import Edge, EndRule, FlattenNode, Outcome
from runner.graph.scope import Parts, Scope, body_of, frame, policy
from runner.plan.model import FlattenBody, Step


def compile_step(step: Step, scope: Scope) -> Parts:
    node = FlattenNode(f"{step.step_id}.flatten", step.step_id, step.symbol, body_of(step, FlattenBody).account)
    edge = Edge(f"{step.step_id}.start", node.node_id, Outcome.SUCCEEDED)
    return Parts(*frame(step, (node,), (edge,), EndRule.DONE), policy(step))
