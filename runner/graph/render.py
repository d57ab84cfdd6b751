"""A graph as text for people, as JSON for machines; `RENDERINGS` lists these and the two chart languages."""

import json
import textwrap
from collections.abc import Callable, Iterator, Mapping

from runner.domain.instrument import Instrument
from runner.domain.times import duration
from runner.domain.values import trimmed
from runner.graph.charts import as_dot, as_mermaid
from runner.graph.fingerprint import fingerprint, json_value
from runner.graph.model import (
    CancelNode,
    Edge,
    EndNode,
    ExecutionGraph,
    FlattenNode,
    Node,
    OrderNode,
    Outcome,
    StartNode,
    StepPolicy,
    WaitNode,
)
from runner.graph.words import condition_words, order_words, outcome_words, size_words

_WIDTH = 80
_INDENT = 2


def as_text(graph: ExecutionGraph) -> str:
    """Steps in the order in which they can start: what each waits for, its orders, and what its end means."""
    instruments = {instrument.symbol: instrument for instrument in graph.instruments}
    steps = {policy.step_id: policy for policy in graph.steps}
    nodes: dict[str, list[Node]] = {}
    for node in graph.nodes:
        nodes.setdefault(node.step_id, []).append(node)
    incoming: dict[str, list[Edge]] = {}
    for edge in graph.edges:
        incoming.setdefault(edge.target, []).append(edge)
    count = f"{len(steps)} step{'s' if len(steps) > 1 else ''}, {len(graph.nodes)} nodes"
    lines = [f"{graph.name}: {count}, fingerprint {fingerprint(graph)[:12]}"]
    for step_id, members in nodes.items():
        lines.append("")
        lines += _step(steps[step_id], members, incoming, instruments.get(steps[step_id].symbol))
    lines += _conditions(graph)
    return "\n".join(lines) + "\n"


def as_json(graph: ExecutionGraph) -> str:
    """The whole graph with its fingerprint, as JSON."""
    content = {"fingerprint": fingerprint(graph), "graph": json_value(graph)}
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


RENDERINGS: Mapping[str, Callable[[ExecutionGraph], str]] = {
    "text": as_text, "mermaid": as_mermaid, "dot": as_dot, "json": as_json,
}


def _step(
    policy: StepPolicy, nodes: list[Node], incoming: Mapping[str, list[Edge]], instrument: Instrument | None,
) -> Iterator[str]:
    head = f"{policy.step_id}  {policy.kind}"
    if policy.kind not in ("wait", "cancel"):
        head += f" {policy.symbol}"
    if policy.side is not None and policy.size is not None and instrument is not None:
        head += f" {policy.side} {size_words(policy.size, instrument)}"
    yield head
    width = max((len(_leg(node)) for node in nodes if isinstance(node, OrderNode)), default=0)
    width = max(width, len("on failure"))
    for node in nodes:
        match node:
            case StartNode():
                yield from _row("starts", _start_words(node, incoming.get(node.node_id, [])), width)
                if node.timeout_ms is not None:
                    yield from _row("timeout", f"{duration(node.timeout_ms)}, then {_at_timeout(policy)}", width)
            case WaitNode():
                yield from _row("waits", f"until {condition_words(node.when)}", width)
            case OrderNode() if instrument is not None:
                words = order_words(node, policy, instrument) + _moment(incoming.get(node.node_id, []))
                yield from _row(_leg(node), words, width)
            case EndNode():
                if policy.existing_position_allowed:
                    yield from _row("beside", "a position of the same side that is not the run's", width)
                if policy.on_failure != "stop":
                    yield from _row("on failure", policy.on_failure, width)
            case CancelNode(steps=steps):
                yield from _row("cancels", f"what can open of {', '.join(steps)}", width)
            case FlattenNode():
                whole = f"the whole position in {node.symbol}"
                yield from _row("closes", whole if node.account else f"what the plan opened on {node.symbol}", width)


def _row(name: str, words: str, width: int) -> list[str]:
    lead = f"{'':{_INDENT}}{name:<{width}}  "
    return textwrap.wrap(
        words, _WIDTH, initial_indent=lead, subsequent_indent=" " * (len(lead) + 2), break_on_hyphens=False,
        break_long_words=False,
    )


def _leg(node: OrderNode) -> str:
    return node.node_id.removeprefix(f"{node.step_id}.")


def _start_words(node: StartNode, waits: list[Edge]) -> str:
    words = " and ".join(f"{_named(edge.source)} {outcome_words(edge.on)}" for edge in waits)
    text = f"once {words}" if words else "with the run"
    return f"{text}, when {condition_words(node.when)}" if node.when is not None else text


def _at_timeout(policy: StepPolicy) -> str:
    if policy.opens:
        return "what can open is cancelled"
    if policy.kind not in ("oco", "exit"):
        return "it fails"
    return "what is open is closed" if policy.on_timeout == "close" else "its exits go on working"


def _named(node_id: str) -> str:
    return node_id.removesuffix(".end")


def _moment(waits: list[Edge]) -> str:
    """When an order of a started step goes out, where that is not at once."""
    for edge in waits:
        if edge.on is Outcome.FIRST_FILL:
            return f", from the first fill of {edge.source} on"
        if edge.delay_ms:
            return f", after {duration(edge.delay_ms)}"
    return ""


def _conditions(graph: ExecutionGraph) -> list[str]:
    """What holds for the plan as a whole, a line each: limits, the account, and what others change."""
    account, lines = graph.account, []
    wishes = {"leverage": account.leverage, "margin_type": account.margin_type}
    asked = [f"{name} {value}" for name, value in wishes.items() if value is not None]
    if asked:
        lines.append(f"account  {', '.join(asked)}")
    if graph.adopt_external_changes:
        lines.append("others  what they change of the run is adopted")
    lines += _limits(graph)
    return ["", *lines] if lines else []


def _limits(graph: ExecutionGraph) -> list[str]:
    limits = graph.limits
    named = {
        "max_order_notional": limits.max_order_notional, "max_position_notional": limits.max_position_notional,
        "max_daily_loss": limits.max_daily_loss,
    }
    found = [f"{name} {trimmed(value)}" for name, value in named.items() if value is not None]
    return [f"limits  {', '.join(found)}"] if found else []
