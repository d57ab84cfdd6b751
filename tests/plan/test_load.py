import gc
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.domain.conditions import PriceCondition, Relation
from runner.domain.sizes import Distance, DistanceKind, FilledOf, Quantity
from runner.domain.values import OrderType, Side
from runner.errors import PlanInvalid
from runner.plan.load import load_plan
from runner.plan.model import BracketBody, DataMarket, Dependency, Limits, OcoBody, TwapBody
from tests.plan.plans import HEAD, WAIT, faults, load

AT_A_GLANCE = """\
# yaml-language-server: $schema=../schemas/plan-v1.schema.json
version: 1
name: btc-breakout
description: Buy the breakout, protect it, take profit in two parts.

params:                               # typed; `--set stop=59200` overrides
  qty:  {type: decimal, default: 0.004, min: 0.001}
  stop: {type: decimal, default: 59000}

defaults:                             # every step inherits these
  symbol: BTCUSDT
  working_type: CONTRACT_PRICE

limits:                               # enforced in every mode
  max_order_notional: 1000
  max_position_notional: 2000
  max_daily_loss: 50

dryrun:                               # the simulated exchange; never read in live mode
  balance: 10000
  market: {data: data/BTCUSDT-1m-2025-08.csv}

steps:
  - id: long
    bracket:
      side: BUY
      quantity: ${qty}
      entry: {type: LIMIT, price: 60000}
      take_profit:
        - {price: 61000, portion: 50%}
        - {distance: 2R, portion: 50%}
      stop_loss: {stop_price: "${stop}"}
    timeout: 4h                       # for what can still open; what is filled stays protected

  - id: rebuy
    after: long                       # when the bracket is closed
    when: {price: {crosses_up: 59500}}
    twap: {side: BUY, quantity: 0.009, slices: 3, every: 2s}

  - id: guard
    after: {rebuy: first_fill}        # protects from the first slice on, and grows with it
    oco:
      side: SELL
      quantity: {filled: rebuy}
      take_profit: {price: 62000}
      stop_loss: {stop_price: 59000, limit_price: 58800}
"""


def test_the_plan_at_a_glance_loads() -> None:
    plan = load_plan("plans/glance.yaml", AT_A_GLANCE.encode(), {"stop": "59200"})
    assert plan.name == "btc-breakout"
    assert plan.params == {"qty": Decimal("0.004"), "stop": Decimal(59200)}
    assert plan.limits == Limits(Decimal(1000), Decimal(2000), Decimal(50))
    assert plan.dryrun.market == {"": DataMarket(("data/BTCUSDT-1m-2025-08.csv",))}
    long, rebuy, guard = plan.steps
    assert isinstance(long.body, BracketBody)
    assert (long.body.side, long.body.size, long.timeout_ms) == (Side.BUY, Quantity(Decimal("0.004")), 14_400_000)
    assert [leg.price for leg in long.body.take_profits] == [
        Decimal(61000),
        Distance(DistanceKind.RISK, Decimal(2)),
    ]
    assert [leg.portion for leg in long.body.take_profits] == [Decimal("0.5"), Decimal("0.5")]
    assert long.body.stop_loss.stop_price == Decimal(59200)
    assert isinstance(rebuy.body, TwapBody)
    assert (rebuy.body.slices, rebuy.body.every_ms, rebuy.body.order.type) == (3, 2_000, OrderType.MARKET)
    assert rebuy.when == PriceCondition("BTCUSDT", Relation.CROSSES_UP, Decimal(59500))
    assert rebuy.after == (Dependency("long", "succeeded", ("steps", 1, "after")),)
    assert isinstance(guard.body, OcoBody)
    assert (guard.body.size, guard.body.stop_loss.limit_price) == (FilledOf("rebuy"), Decimal(58800))
    assert guard.after == (Dependency("rebuy", "first_fill", ("steps", 2, "after", "rebuy")),)


def test_a_plan_knows_the_text_it_came_from() -> None:
    import hashlib

    content = (HEAD + WAIT).encode()
    source = load_plan("p.yaml", content).source
    assert (source.name, source.sha256) == ("p.yaml", hashlib.sha256(content).hexdigest())
    assert source.lines[0] == "version: 1"


def test_a_schema_key_for_editors_is_ignored() -> None:
    assert load("$schema: ../schemas/plan-v1.schema.json\n" + WAIT).name == "x"


def test_faults_come_in_file_order_whoever_found_them() -> None:
    found = faults(
        "version: 2\nname: &n x\nsteps:\n  - {id: A, wait: {}}\n  - {id: b, flatten: {}, symbol: BTCUSDT}\n"
        "params: {p: {type: decimal}}\ndescription: [q]\n"
    )
    assert [item.code for item in found] == [
        "version",
        "anchor",
        "missing-key",
        "step-id",
        "missing-parameter",
        "type",
    ]
    assert [item.mark.line for item in found] == [1, 2, 4, 4, 6, 7]


def test_a_diagnostic_has_the_file_and_its_line() -> None:
    (found,) = faults("version: 1\nname: 5\n" + WAIT)
    assert (found.file, found.line_text, found.path) == ("x.yaml", "name: 5", ("name",))


def test_the_error_counts_its_faults() -> None:
    with pytest.raises(PlanInvalid, match=r"x\.yaml: 2 errors"):
        load_plan("x.yaml", b"version: 1\n")
    with pytest.raises(PlanInvalid, match=r"x\.yaml: 1 error$"):
        load_plan("x.yaml", b"")


def test_the_check_stops_at_a_thousand_faults_and_says_so() -> None:
    found = faults("version: 1\nname: x\nsteps:\n" + "  - {id: A}\n" * 3_000)
    assert len(found) == 1_001
    assert "too-many-faults" in {item.code for item in found}
    found = faults("a: 1\n" * 3_000)
    assert [item.code for item in found[:3]] == ["missing-key", "missing-key", "missing-key"] or len(found) > 1_000


def test_a_fault_on_the_collector_leaves_it_running() -> None:
    assert gc.isenabled()
    faults("version: 1\n")
    assert gc.isenabled()


_WORDS = st.sampled_from(
    [
        "version",
        "name",
        "steps",
        "id",
        "entry",
        "bracket",
        "oco",
        "twap",
        "side",
        "BUY",
        "type",
        "LIMIT",
        "price",
        "quantity",
        "take_profit",
        "portion",
        "50%",
        "stop_loss",
        "when",
        "all",
        "params",
        "${p}",
        "${",
        "2R",
        "1h",
        "after",
        "a",
        "dryrun",
        "market",
        "path",
        "at",
        "positions",
        "BTCUSDT",
        "010",
        "on",
        "",
    ]
)
_TREES = st.recursive(
    st.one_of(_WORDS, st.integers(-2, 99_999), st.booleans(), st.none(), st.decimals(0, 100, places=3)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(_WORDS, inner, max_size=5)),
    max_leaves=25,
)


def _flow(tree: object) -> str:
    match tree:
        case dict():
            return "{" + ", ".join(f'"{key}": {_flow(value)}' for key, value in tree.items()) + "}"
        case list():
            return "[" + ", ".join(map(_flow, tree)) + "]"
        case None:
            return "null"
        case str():
            return tree if tree.isalnum() else f"'{tree}'"
    return str(tree).lower()


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from(["name", "steps", "params", "limits", "dryrun", "defaults"]), _TREES), _TREES
)
def test_whatever_a_plan_is_made_of_only_faults_come_of_it(top: dict[str, object], step: object) -> None:
    top["version"] = 1
    if isinstance(step, dict):
        top["steps"] = [step]
    for item in faults(_flow(top)):
        assert item.mark.line == 1


def test_a_wrong_value_beneath_an_empty_key_is_no_surprise() -> None:
    codes = {item.code for item in faults(f'params: {{"": {{type: []}}}}\n{HEAD}{WAIT}')}
    assert codes == {"parameter-name"}


_PROFIT = "take_profit: {price: 2}, stop_loss: {stop_price: 1}"
_KINDS = st.sampled_from(
    [
        "entry: {side: BUY, type: MARKET, quantity: 1}",
        f"oco: {{side: SELL, quantity: 1, {_PROFIT}}}",
        "flatten: {}",
        "twap: {side: BUY, quantity: 1, slices: 2, every: 1s}",
    ]
)


@settings(deadline=None)
@given(st.lists(_KINDS, min_size=1, max_size=6))
def test_as_many_steps_come_out_as_go_in_and_in_their_order(kinds: list[str]) -> None:
    plan = load("steps:\n" + "".join(f"  - {{id: s{index}, {kind}}}\n" for index, kind in enumerate(kinds)))
    assert [step.step_id for step in plan.steps] == [f"s{index}" for index in range(len(kinds))]
    assert [step.kind for step in plan.steps] == [kind.split(":")[0] for kind in kinds]
