"""A graph in the chart languages Mermaid and Graphviz DOT: a box a step, an arrow a wait."""

from collections.abc import Callable

from runner.domain.times import duration
from runner.graph.model import Edge, ExecutionGraph, FlattenNode, Node, OrderNode, Outcome, StartNode, WaitNode
from runner.graph.words import condition_words, order_words

_MERMAID_ENTITIES = str.maketrans({"#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;"})
_DOT_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"'})


def as_mermaid(graph: ExecutionGraph) -> str:
    """A Mermaid flowchart."""
    lines = ["flowchart TD"]
    numbers, labels, members = _numbered(graph)
    for step_number, (step_id, nodes) in enumerate(members.items()):
        lines.append(f'  subgraph s{step_number}["{step_id}"]')
        lines += [f'    n{number}["{labels[number].translate(_MERMAID_ENTITIES)}"]' for number in nodes]
        lines.append("  end")
    return _finished(lines, graph, numbers, lambda source, target, label: (
        f'  n{source} -->|"{label}"| n{target}' if label else f"  n{source} --> n{target}"
    ), "")


def as_dot(graph: ExecutionGraph) -> str:
    """A Graphviz digraph."""
    lines = [f'digraph "{graph.name.translate(_DOT_ESCAPES)}" {{', "  node [shape=box];"]
    numbers, labels, members = _numbered(graph)
    for step_number, (step_id, nodes) in enumerate(members.items()):
        lines.append(f"  subgraph cluster_{step_number} {{")
        lines.append(f'    label="{step_id}";')
        lines += [f'    n{number} [label="{labels[number].translate(_DOT_ESCAPES)}"];' for number in nodes]
        lines.append("  }")
    return _finished(lines, graph, numbers, lambda source, target, label: (
        f'  n{source} -> n{target} [label="{label}"];' if label else f"  n{source} -> n{target};"
    ), "}\n")


def _finished(
    lines: list[str], graph: ExecutionGraph, numbers: dict[str, int], arrow: Callable[[int, int, str], str], end: str,
) -> str:
    lines += [arrow(numbers[edge.source], numbers[edge.target], _label(edge)) for edge in graph.edges]
    return "\n".join(lines) + "\n" + end


def _numbered(graph: ExecutionGraph) -> tuple[dict[str, int], list[str], dict[str, list[int]]]:
    """Numbers of nodes by id, their labels, and the numbers of each step's nodes."""
    numbers = {node.node_id: number for number, node in enumerate(graph.nodes)}
    instruments = {instrument.symbol: instrument for instrument in graph.instruments}
    policies = {policy.step_id: policy for policy in graph.steps}
    members: dict[str, list[int]] = {}
    labels = []
    for number, node in enumerate(graph.nodes):
        members.setdefault(node.step_id, []).append(number)
        label = node.node_id.removeprefix(f"{node.step_id}.")
        if isinstance(node, OrderNode):
            label += f": {order_words(node, policies[node.step_id], instruments[node.symbol])}"
        labels.append(label + _more(node))
    return numbers, labels, members


def _more(node: Node) -> str:
    if isinstance(node, WaitNode):
        return f": {condition_words(node.when)}"
    if isinstance(node, FlattenNode):
        return f": {node.symbol}"
    if isinstance(node, StartNode) and node.when is not None:
        return f": when {condition_words(node.when)}"
    return ""


def _label(edge: Edge) -> str:
    """What the arrow waits for; arrows inside a step that only give its structure have none."""
    inside = edge.source.partition(".")[0] == edge.target.partition(".")[0]
    words = "" if inside and edge.on in (Outcome.ANY, Outcome.SUCCEEDED) else edge.on.value
    return f"{words} +{duration(edge.delay_ms)}".strip() if edge.delay_ms else words
