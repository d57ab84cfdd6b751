"""From plans to graphs: the whole."""

import random
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.errors import PlanInvalid
from runner.graph.compile import compile_plan
from runner.graph.fingerprint import canonical
from runner.graph.model import RiskLimits
from runner.plan.diagnostics import Severity
from tests.graph.plans import BRACKET, INSTRUMENTS, TWAP_AND_GUARD, compiled, edges, graph, group, plan, policy

D = Decimal


def test_a_waiting_step_gets_an_edge_from_the_end_of_a_step_and_from_the_node_of_a_leg() -> None:
    found = graph(BRACKET + (
        "  - {id: a, after: long, wait: {}, when: {delay: 1s}}\n"
        "  - {id: b, after: {long.take_profit.2: filled, a: any}, wait: {}, when: {delay: 1s}}\n"
        "  - {id: c, after: [long.entry], wait: {}, when: {delay: 1s}}\n"
    ))
    waits = [edge for edge in edges(found) if edge.split(" -> ")[1].startswith(("a.start", "b.start", "c.start"))]
    assert waits == [
        "long.end -> a.start on succeeded",
        "long.take_profit.2 -> b.start on filled", "a.end -> b.start on any",
        "long.entry -> c.start on filled",
    ]


def test_steps_stay_in_file_order_while_nodes_go_topologically() -> None:
    found = graph(
        "  - {id: b, after: a, wait: {}, when: {delay: 1s}}\n"
        "  - {id: c, wait: {}, when: {delay: 1s}}\n"
        "  - {id: a, wait: {}, when: {delay: 1s}}\n"
    )
    assert [step.step_id for step in found.steps] == ["b", "c", "a"]
    starts = [node.node_id for node in found.nodes if node.node_id.endswith(".start")]
    assert starts == ["c.start", "a.start", "b.start"]


def test_exits_of_another_step_join_its_group_and_bring_their_own_timing() -> None:
    found = group(graph(TWAP_AND_GUARD), "rebuy")
    assert found.openers == ("rebuy.slice.1", "rebuy.slice.2", "rebuy.slice.3")
    assert found.exits == ("guard.stop_loss", "guard.take_profit")
    assert (found.opener_step, found.adopts, found.protected) == ("rebuy", None, True)
    assert (found.protected_within_ms, found.trigger_timeout_ms) == (5000, 7000)


def test_a_group_that_is_joined_before_its_opener_stands_in_the_file_is_whole() -> None:
    lines = TWAP_AND_GUARD.split("  - id: guard")
    found = group(graph("  - id: guard" + lines[1] + lines[0]), "rebuy")
    assert found.openers[0] == "rebuy.slice.1"
    assert found.exits == ("guard.stop_loss", "guard.take_profit")


@pytest.mark.parametrize(("outcome", "expected"), [
    ("failed", "continue"), ("any", "continue"), ("succeeded", "stop"), ("first_fill", "stop"), ("cancelled", "stop"),
])
def test_a_step_whose_failure_is_waited_for_does_not_stop_the_run(outcome: str, expected: str) -> None:
    found = graph(BRACKET + f"  - {{id: next, after: {{long: {outcome}}}, wait: {{}}, when: {{delay: 1s}}}}\n")
    assert policy(found, "long").on_failure == expected


def test_the_graph_holds_its_limits_and_the_instruments_of_its_steps_only() -> None:
    head = "version: 1\nname: x\ndefaults: {symbol: ETHUSDT}\nlimits: {max_daily_loss: 50}\n"
    found = graph("  - {id: out, flatten: {}}\n", head)
    assert found.limits == RiskLimits(None, None, D(50))
    assert [instrument.symbol for instrument in found.instruments] == ["ETHUSDT"]


def test_symbols_that_are_only_watched_bring_their_instruments_too() -> None:
    found = graph("  - {id: a, when: {not: {price: {above: 3000, symbol: ETHUSDT}}}, flatten: {}}\n")
    assert [instrument.symbol for instrument in found.instruments] == ["BTCUSDT", "ETHUSDT"]


def test_warnings_do_not_make_a_plan_invalid() -> None:
    found = compiled("  - {id: long, entry: {side: BUY, quantity: 0.004, type: MARKET}}\n")
    assert [(warning.code, warning.severity, warning.mark.line) for warning in found.warnings] == [
        ("unprotected", Severity.WARNING, 5),
    ]


def test_a_symbol_that_does_not_trade_is_refused_with_its_status() -> None:
    from msgspec.structs import replace

    halted = dict(INSTRUMENTS, BTCUSDT=replace(INSTRUMENTS["BTCUSDT"], status="SETTLING"))
    with pytest.raises(PlanInvalid) as caught:
        compile_plan(plan("  - {id: out, flatten: {}}\n"), halted)
    assert [(found.code, "SETTLING" in found.message) for found in caught.value.diagnostics] == [("not-trading", True)]


@st.composite
def _plans(draw: st.DrawFn) -> str:
    """Plans of waits, entries and brackets whose `after` has no cycle, in any file order."""
    count = draw(st.integers(1, 12))
    lines = []
    for index in range(count):
        sources = draw(st.lists(st.integers(0, index - 1), max_size=3, unique=True)) if index else []
        after = ", ".join(f"s{source}: any" for source in sources)
        kind = draw(st.sampled_from([
            "wait: {}, when: {delay: 1s}",
            "entry: {side: BUY, quantity: 0.004, type: MARKET}",
            "twap: {side: BUY, quantity: 0.009, slices: 3, every: 1s}",
            "bracket: {side: BUY, quantity: 0.004, entry: {type: MARKET}, stop_loss: {distance: 1%}}",
        ]))
        lines.append(f"  - {{id: s{index}, {f'after: {{{after}}}, ' if after else ''}{kind}}}")
    return "\n".join(draw(st.permutations(lines))) + "\n"


@settings(max_examples=60, deadline=None)
@given(_plans())
def test_nodes_are_in_topological_order_and_every_edge_ends_in_nodes(steps: str) -> None:
    found = graph(steps)
    places = {node.node_id: place for place, node in enumerate(found.nodes)}
    assert len(places) == len(found.nodes)
    assert all(places[edge.source] < places[edge.target] for edge in found.edges)


@settings(max_examples=25, deadline=None)
@given(_plans())
def test_the_same_plan_compiles_to_the_same_graph(steps: str) -> None:
    assert canonical(graph(steps)) == canonical(graph(steps))



def test_of_many_unknown_names_all_are_told_and_the_first_few_with_a_hint() -> None:
    names = random.Random(1).sample(range(10_000, 99_999), 3_000)
    lines = [f"  - {{id: s{name}, after: t{name}, wait: {{}}, when: {{delay: 1s}}}}" for name in names]
    read = plan("\n".join(lines))
    with pytest.raises(PlanInvalid) as caught:
        compile_plan(read, INSTRUMENTS)
    assert len(caught.value.diagnostics) == 3_000
    assert [bool(found.hint) for found in caught.value.diagnostics].count(True) <= 20
