"""What the reports need to know of a run beside its events: names, links, and where each leg belongs."""

from collections import defaultdict
from typing import NamedTuple

from runner.domain.values import OrderType, Side
from runner.engine.ids import link_id
from runner.graph.model import ExecutionGraph, FlattenNode, OrderNode, Role, StepPolicy


class LegFacts(NamedTuple):
    """One node that sends orders.  `slice_index` counts from 1 as the node's name does; 0 where it is no slice."""

    node_id: str
    step_id: str
    group_id: str
    role: str
    symbol: str
    side: Side | None
    order_type: OrderType
    slice_index: int


class StepFacts(NamedTuple):
    """`link_id` is empty for a step whose orders share none; `slices` is 0 but for a schedule.

    `first_edge` and `last_edge` bound the graph's edges that make the step wait for a time, both -1 where none does.
    """

    step_id: str
    kind: str
    symbol: str
    link_id: str
    slices: int
    first_edge: int = -1
    last_edge: int = -1


class GroupFacts(NamedTuple):
    """`protected`: stops must cover what it opens.  `opens`: it has openers of its own."""

    group_id: str
    symbol: str
    opens: bool
    protected: bool


class SymbolFacts(NamedTuple):
    """`price_places` is how many digits a price has after the point."""

    symbol: str
    quote_asset: str
    price_places: int


class RunContext(NamedTuple):
    """A run's names.

    `market` is the header's words for where prices came from, `latency_ms` the way to the exchange.  `dated` and
    `precise` say whether times need a date and milliseconds to be told apart.
    """

    run_id: str
    plan: str
    mode: str
    fingerprint: str
    seed: int
    market: str
    latency_ms: int
    dated: bool
    precise: bool
    symbols: tuple[SymbolFacts, ...]
    steps: tuple[StepFacts, ...]
    groups: tuple[GroupFacts, ...]
    legs: tuple[LegFacts, ...]


def describe(
    graph: ExecutionGraph, *, run_id: str, mode: str, fingerprint: str, seed: int, market: str, latency_ms: int,
    dated: bool, precise: bool,
) -> RunContext:
    """The context of a run of this graph."""
    step_of = {node.node_id: node.step_id for node in graph.nodes}
    edges: defaultdict[str, list[int]] = defaultdict(list)
    for index, edge in enumerate(graph.edges):
        if edge.delay_ms:
            edges[step_of[edge.target]].append(index)
    return RunContext(
        run_id, graph.name, mode, fingerprint, seed, market, latency_ms, dated, precise,
        symbols=tuple(
            SymbolFacts(one.symbol, one.quote_asset, _places(one.tick_size)) for one in graph.instruments
        ),
        steps=tuple(_step(policy, run_id, edges[policy.step_id]) for policy in graph.steps),
        groups=tuple(
            GroupFacts(group.group_id, group.symbol, group.opener_step is not None, group.protected)
            for group in graph.groups
        ),
        legs=tuple(
            _leg(node) for node in graph.nodes if isinstance(node, OrderNode | FlattenNode)
        ),
    )


def _step(policy: StepPolicy, run_id: str, edges: list[int]) -> StepFacts:
    return StepFacts(
        policy.step_id, policy.kind, policy.symbol, link_id(policy.link, run_id, policy.step_id),
        policy.schedule.slices if policy.schedule else 0, min(edges, default=-1), max(edges, default=-1),
    )


def _leg(node: OrderNode | FlattenNode) -> LegFacts:
    if isinstance(node, FlattenNode):
        return LegFacts(
            node.node_id, node.step_id, "", Role.EXIT.value, node.symbol, None, OrderType.MARKET, 0,
        )
    _, leg, *number = node.node_id.split(".")
    return LegFacts(
        node.node_id, node.step_id, node.group_id, node.role.value, node.symbol, node.side, node.order_type,
        int(number[0]) if leg == "slice" else 0,
    )


def _places(tick: object) -> int:
    _, point, digits = f"{tick:f}".partition(".")
    return len(digits.rstrip("0")) if point else 0
