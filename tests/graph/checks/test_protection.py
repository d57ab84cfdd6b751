"""Which openers are told to be unprotected."""

import pytest

from runner.errors import PlanInvalid
from runner.graph.checks.policy import Policy
from runner.graph.compile import compile_plan
from runner.plan.diagnostics import Severity
from tests.graph.plans import BRACKET, INSTRUMENTS, TWAP_AND_GUARD, compiled, plan

ENTRY = "  - {id: long, entry: {side: BUY, quantity: 0.004, type: LIMIT, price: 60000}}\n"
OCO = "oco: {side: SELL, quantity: {filled: long}, take_profit: {price: 62000}, stop_loss: {stop_price: 59000}}}\n"


def _unprotected(steps: str) -> list[str]:
    return [warning.path[-1] for warning in compiled(steps).warnings if warning.code == "unprotected"]  # type: ignore[misc]


def test_brackets_and_guarded_twaps_are_protected() -> None:
    assert _unprotected(BRACKET) == []
    assert _unprotected(TWAP_AND_GUARD) == []


@pytest.mark.parametrize("after", ["{long: first_fill}", "{long.entry: first_fill}"])
def test_an_oco_from_the_first_fill_on_protects(after: str) -> None:
    assert _unprotected(ENTRY + f"  - {{id: guard, after: {after}, {OCO}") == []


@pytest.mark.parametrize("guard", [
    "  - {id: guard, after: long, " + OCO,  # only once it is filled
    "  - {id: guard, after: {long: first_fill}, when: {delay: 1s}, " + OCO,  # later
    "  - {id: pause, wait: {}, when: {delay: 1s}}\n  - {id: guard, after: {long: first_fill, pause: any}, " + OCO,
    ("  - {id: guard, after: {long: first_fill}, exit: {side: SELL, quantity: {filled: long}, type: STOP_MARKET,"
    " stop_price: 59000}}\n"),  # no OCO
    "",
])
def test_anything_less_does_not(guard: str) -> None:
    assert _unprotected(ENTRY + guard) == ["entry"]


def test_a_twap_without_an_oco_is_unprotected_unless_it_is_allowed_or_reduces() -> None:
    twap = "  - {{id: long, {more}twap: {{side: BUY, quantity: 0.009, slices: 3, every: 2s{fields}}}}}\n"
    assert _unprotected(twap.format(more="", fields="")) == ["twap"]
    assert _unprotected(twap.format(more="unprotected: allow, ", fields="")) == []
    assert _unprotected(twap.format(more="", fields=", reduce_only: true")) == []


def test_a_policy_that_requires_protection_refuses_what_is_unprotected_and_not_allowed() -> None:
    strict = Policy(require_protection=True)
    with pytest.raises(PlanInvalid) as caught:
        compile_plan(plan(ENTRY), INSTRUMENTS, strict)
    (found,) = caught.value.diagnostics
    assert (found.code, found.severity, found.path) == ("unprotected", Severity.ERROR, ("steps", 0, "entry"))
    assert "unprotected: allow" in found.hint
    allowed = ENTRY.replace("{id: long,", "{id: long, unprotected: allow,")
    for steps in (allowed, BRACKET, TWAP_AND_GUARD):
        assert compile_plan(plan(steps), INSTRUMENTS, strict).warnings == ()
