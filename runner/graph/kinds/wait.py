"""`wait`: nothing but its condition, which its timeout bounds."""

from runner.errors import InternalError
from runner.graph.model import Edge, EndNode, EndRule, Outcome, WaitNode
from runner.graph.scope import Parts, Scope, policy, start_node
from runner.plan.model import Step


def compile_step(step: Step, scope: Scope) -> Parts:
    if step.when is None:
        raise InternalError(f"the wait {step.step_id!r} has no condition")
    start = start_node(step).but(when=None)
    wait = WaitNode(f"{step.step_id}.wait", step.step_id, step.when)
    end = EndNode(f"{step.step_id}.end", step.step_id, EndRule.DONE, (wait.node_id,), None)
    edges = (Edge(start.node_id, wait.node_id, Outcome.SUCCEEDED), Edge(wait.node_id, end.node_id, Outcome.ANY))
    return Parts((start, wait, end), edges, policy(step))
