"""Every broken plan of the corpus has exactly the errors that stand in it, each at its place, in file order."""

from pathlib import Path

import pytest

from runner.domain.catalog import shipped_instruments
from runner.errors import PlanInvalid
from runner.graph.codes import GRAPH_CODES
from runner.graph.compile import compile_plan
from runner.plan.diagnostics import Severity
from runner.plan.load import load_plan
from tests.marked_plans import Case, read_cases

CASES = read_cases(Path(__file__).parent / "corpus")


@pytest.mark.parametrize("case", CASES, ids=[case.title for case in CASES])
def test_each_fault_of_a_broken_plan_is_told_at_its_place(case: Case) -> None:
    plan = load_plan("x.yaml", case.text.encode(), {})
    with pytest.raises(PlanInvalid) as caught:
        compile_plan(plan, shipped_instruments())
    errors = [found for found in caught.value.diagnostics if found.severity is Severity.ERROR]
    places = [(found.code, found.mark.line, found.mark.column) for found in errors]
    assert sorted(places) == sorted(case.faults)
    assert places == sorted(places, key=lambda place: place[1:])


def test_the_corpus_has_at_least_90_broken_plans_of_different_names() -> None:
    assert len({case.title for case in CASES}) == len(CASES) >= 90


def test_the_corpus_knows_every_error_that_a_plan_can_have_with_the_shipped_instruments() -> None:
    met = {code for case in CASES for code, _, _ in case.faults}
    assert met == set(GRAPH_CODES) - {"unprotected", "not-trading"}
