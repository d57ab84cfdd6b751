"""A graph survives its way through the text that a run keeps of it."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args, get_type_hints

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from runner.domain.catalog import shipped_instruments
from runner.domain.conditions import (
    AllOf,
    AnyOf,
    AtCondition,
    Condition,
    DelayCondition,
    HeldFor,
    Not,
    PositionCondition,
    PriceCondition,
)
from runner.domain.value import Value
from runner.errors import JournalError
from runner.graph.compile import compile_plan
from runner.graph.fingerprint import canonical, fingerprint
from runner.graph.model import ExecutionGraph
from runner.graph.stored import graph_from
from runner.plan.load import load_plan
from tests.engine.paper import graph_of
from tests.engine.scenarios import SCENARIOS

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))


def _grown(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    parts = st.lists(inner, min_size=1, max_size=3).map(tuple)
    return st.one_of(
        parts.map(AllOf), parts.map(AnyOf), inner.map(Not),
        st.builds(HeldFor, inner, st.integers(1, 10**9)),
    )


st.register_type_strategy(
    Decimal, st.decimals(allow_nan=False, allow_infinity=False, places=8, min_value=-10**20, max_value=10**20),
)
conditions = st.recursive(
    st.one_of(
        st.from_type(PriceCondition), st.from_type(PositionCondition), st.from_type(AtCondition),
        st.from_type(DelayCondition),
    ),
    _grown, max_leaves=6,
)
for kind in get_args(Condition):
    if kind in (AllOf, AnyOf, Not, HeldFor):
        st.register_type_strategy(kind, conditions)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_graph_of_every_example_comes_back_equal(path: Path) -> None:
    graph = compile_plan(load_plan(path.name, path.read_bytes()), shipped_instruments()).graph
    assert graph_from(canonical(graph)) == graph
    assert graph_from(canonical(graph).decode()) == graph


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_the_graph_of_every_scenario_keeps_its_fingerprint(scenario: Any) -> None:
    graph = graph_of(scenario.steps)
    assert fingerprint(graph_from(canonical(graph))) == fingerprint(graph)


@settings(max_examples=60, deadline=None)
@given(st.builds(ExecutionGraph))
def test_any_graph_comes_back_equal(graph: ExecutionGraph) -> None:
    assert graph_from(canonical(graph)) == graph


@pytest.mark.parametrize("change", [
    lambda plain: plain.pop("is"),
    lambda plain: plain.update({"is": "Instrument"}),
    lambda plain: plain.update(tomorrow=1),
    lambda plain: plain.update(name=1),
    lambda plain: plain.update(adopt_external_changes="yes"),
    lambda plain: plain["nodes"][0].update({"is": "Nothing"}),
    lambda plain: plain["nodes"][0].pop("node_id"),
    lambda plain: plain["edges"][0].update(on="perhaps"),
    lambda plain: plain["instruments"][0].update(tick_size="a tenth"),
    lambda plain: plain["instruments"][0].update(tick_size=0.1),
])
def test_a_text_that_is_no_graph_is_refused(change: Any) -> None:
    plain = json.loads(canonical(graph_of(SCENARIOS[0].steps)))
    change(plain)
    with pytest.raises(JournalError, match="the graph that the run keeps cannot be read"):
        graph_from(json.dumps(plain))


def test_what_is_no_text_of_a_graph_at_all_is_refused() -> None:
    for text in ("", "[]", "null", '{"is":"ExecutionGraph"}'):
        with pytest.raises(JournalError):
            graph_from(text)


def test_every_class_of_a_graph_can_be_told_by_its_name() -> None:
    """Two classes of one name in a graph could not be told apart in its text."""
    names = [kind.__name__ for kind in _classes(ExecutionGraph, set())]
    assert len(names) == len(set(names)) > 20


def _classes(kind: type[Value], seen: set[type[Value]]) -> set[type[Value]]:
    if kind not in seen:
        seen.add(kind)
        for hint in get_type_hints(kind).values():
            for inner in _parts(hint):
                _classes(inner, seen)
    return seen


def _parts(hint: Any) -> list[type[Value]]:
    if isinstance(hint, type) and issubclass(hint, Value):
        return [hint]
    return [one for part in get_args(hint) for one in _parts(part)]
