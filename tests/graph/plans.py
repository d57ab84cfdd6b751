"""Plans and graphs from a few lines of YAML."""

from collections.abc import Mapping

from runner.domain.catalog import shipped_instruments
from runner.graph.compile import Compiled, compile_plan
from runner.graph.model import ExecutionGraph, Group, Node, OrderNode, StepPolicy
from runner.plan.load import load_plan
from runner.plan.model import Plan
from tests.marked_plans import HEAD

INSTRUMENTS = shipped_instruments()


def plan(steps: str, head: str = HEAD, sets: Mapping[str, str] | None = None) -> Plan:
    """A plan whose `steps` are given as YAML list items."""
    return load_plan("x.yaml", f"{head}steps:\n{steps}\n".encode(), sets or {})


def compiled(steps: str, head: str = HEAD) -> Compiled:
    return compile_plan(plan(steps, head), INSTRUMENTS)


def graph(steps: str, head: str = HEAD) -> ExecutionGraph:
    return compiled(steps, head).graph


def node(found: ExecutionGraph, node_id: str) -> Node:
    return next(each for each in found.nodes if each.node_id == node_id)


def order(found: ExecutionGraph, node_id: str) -> OrderNode:
    each = node(found, node_id)
    assert isinstance(each, OrderNode)
    return each


def group(found: ExecutionGraph, group_id: str) -> Group:
    return next(each for each in found.groups if each.group_id == group_id)


def policy(found: ExecutionGraph, step_id: str) -> StepPolicy:
    return next(each for each in found.steps if each.step_id == step_id)


def edges(found: ExecutionGraph) -> list[str]:
    """`long.start -> long.entry on succeeded`, with the delay where there is one."""
    return [
        f"{edge.source} -> {edge.target} on {edge.on}" + (f" +{edge.delay_ms}" if edge.delay_ms else "")
        for edge in found.edges
    ]


BRACKET = """\
  - id: long
    bracket:
      side: BUY
      quantity: 0.004
      entry: {type: LIMIT, price: 60000}
      take_profit:
        - {price: 61000, portion: 50%}
        - {distance: 2R, portion: 50%}
      stop_loss: {stop_price: 59000}
"""
TWAP_AND_GUARD = """\
  - id: rebuy
    twap: {side: BUY, quantity: 0.010, slices: 3, every: 2s}
  - id: guard
    after: {rebuy: first_fill}
    protected_within: 5s
    trigger_timeout: 7s
    oco:
      side: SELL
      quantity: {filled: rebuy}
      take_profit: {price: 62000}
      stop_loss: {stop_price: 59000, limit_price: 58800}
"""
