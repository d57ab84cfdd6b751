"""What identifies a graph, and what an approval covers."""

from decimal import Decimal as D

import pytest
from msgspec.structs import replace

from runner.errors import InternalError
from runner.graph.compile import compile_plan
from runner.graph.fingerprint import approval_id, canonical, fingerprint, json_value
from runner.graph.model import ExecutionGraph, FixedPrice
from runner.plan.model import Plan
from tests.graph.plans import BRACKET, INSTRUMENTS, graph, plan
from tests.marked_plans import HEAD


def _pair(text: str = BRACKET, **sets: str) -> tuple[Plan, ExecutionGraph]:
    read = plan(text, sets=sets)
    return read, compile_plan(read, INSTRUMENTS).graph


def test_padding_zeros_and_comments_change_no_fingerprint() -> None:
    same = BRACKET.replace("0.004", "0.00400").replace("60000}", "60000.0}  # the entry")
    assert fingerprint(graph(same)) == fingerprint(graph(BRACKET))


@pytest.mark.parametrize(("old", "new"), [("0.004", "0.005"), ("59000", "58999.9"), ("long", "short"), ("2R", "3R")])
def test_everything_that_matters_changes_the_fingerprint(old: str, new: str) -> None:
    assert fingerprint(graph(BRACKET.replace(old, new))) != fingerprint(graph(BRACKET))


@pytest.mark.parametrize(("old", "new"), [
    ("stop_price: 59000", "stop_price: 59000, close_position: true"),
    ("    bracket:", "    existing_position: allow\n    bracket:"),
    ("    bracket:", "    time_in_force: GTD\n    bracket:"),
    ("good_till: 2026-11-24T20:00:00Z", "good_till: 2026-11-24T20:00:01Z"),
])
def test_what_matters_live_changes_the_fingerprint(old: str, new: str) -> None:
    dated = BRACKET.replace("price: 60000}", "price: 60000, good_till: 2026-11-24T20:00:00Z}")
    text = dated.replace("    bracket:", "    time_in_force: GTD\n    bracket:") if "good_till" in old else BRACKET
    changed = (dated if "GTD" in new else text).replace(old, new)
    assert fingerprint(graph(changed)) != fingerprint(graph(text))


@pytest.mark.parametrize("head", ["account: {leverage: 5}\n", "account: {margin_type: ISOLATED}\n",
                                  "on_external_change: adopt\n"])
def test_what_the_account_must_be_and_who_may_change_it_changes_the_fingerprint(head: str) -> None:
    assert fingerprint(graph(BRACKET, HEAD + head)) != fingerprint(graph(BRACKET))


def test_values_have_one_json_form() -> None:
    assert json_value({"b": (D("1.50"), None, True), "a": FixedPrice(D(3))}) == {
        "b": ["1.5", None, True], "a": {"is": "FixedPrice", "price": "3"},
    }
    assert canonical({"b": 1, "a": "é"}) == '{"a":"é","b":1}'.encode()
    with pytest.raises(InternalError):
        json_value(object())


def test_an_approval_covers_file_parameters_graph_account_and_mode() -> None:
    read, compiled = _pair()
    base = approval_id(read, compiled, "acc", "live")
    other_rules = replace(compiled, instruments=(replace(compiled.instruments[0], min_notional=D(100)),))
    others = [
        approval_id(*_pair(BRACKET + "# a word\n"), "acc", "live"),
        approval_id(replace(read, params={"qty": D(1)}), compiled, "acc", "live"),
        approval_id(read, other_rules, "acc", "live"),
        approval_id(read, replace(compiled, limits=replace(compiled.limits, max_daily_loss=D(1))), "acc", "live"),
        approval_id(read, compiled, "other", "live"),
        approval_id(read, compiled, "acc", "demo"),
    ]
    assert approval_id(*_pair(), "acc", "live") == base
    assert len({base, *others}) == 7
