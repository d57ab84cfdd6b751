"""What a graph says of its legs, steps and groups, and of those that it does not have."""

from runner.domain.catalog import shipped_instruments
from runner.domain.values import OrderType, Side
from runner.graph.compile import compile_plan
from runner.plan.load import load_plan
from runner.report.context import GroupFacts, LegFacts, RunContext, StepFacts, SymbolFacts, describe
from runner.report.legs import Legs
from tests.report.stories import ENTRY, place

PLAN = b"""\
version: 1
name: several
defaults: {symbol: ETHUSDT}
steps:
  - id: build
    twap: {side: BUY, quantity: 0.6, slices: 3, every: 2s}
  - id: guard
    after: {build: first_fill}
    oco: {side: SELL, quantity: {filled: build}, take_profit: {price: 3200}, stop_loss: {stop_price: 2900}}
  - id: out
    after: {guard: failed}
    flatten: {}
"""


def described() -> RunContext:
    graph = compile_plan(load_plan("plan.yaml", PLAN), shipped_instruments()).graph
    return describe(
        graph, run_id="d1", mode="dryrun", fingerprint="f", seed=1, market="m", latency_ms=50, dated=True,
        precise=False,
    )


def test_each_leg_knows_its_step_group_and_slice() -> None:
    legs = {leg.node_id: leg for leg in described().legs}
    assert legs["build.slice.3"] == LegFacts(
        "build.slice.3", "build", "build", "opener", "ETHUSDT", Side.BUY, OrderType.MARKET, 3,
    )
    assert (legs["guard.stop_loss"].group_id, legs["guard.stop_loss"].role) == ("build", "stop")
    assert (legs["out.flatten"].role, legs["out.flatten"].side) == ("exit", None)


def test_steps_groups_and_symbols() -> None:
    context = described()
    assert context.steps == (
        StepFacts("build", "twap", "ETHUSDT", "TWAP-d1-build", 3, first_edge=1, last_edge=2),
        StepFacts("guard", "oco", "ETHUSDT", "OCO-d1-guard", 0),
        StepFacts("out", "flatten", "ETHUSDT", "", 0),
    )
    assert context.groups == (GroupFacts("build", "ETHUSDT", True, True),)
    assert context.symbols == (SymbolFacts("ETHUSDT", "USDT", 2),)


def test_each_kind_of_step_has_its_word_in_the_log() -> None:
    legs = Legs(described())

    def word(node_id: str, revision: int = 0) -> str:
        return legs.action(place(node_id, "1", Side.BUY, OrderType.MARKET, "1", revision=revision))

    assert word("build.slice.1", 2) == "twap_slice"
    assert (word("guard.stop_loss"), word("guard.stop_loss", 1)) == ("place_oco", "place_exit")
    assert word("out.flatten") == "place_exit"


def test_a_name_that_the_plan_does_not_have_gives_bare_facts() -> None:
    legs = Legs(described())
    assert legs.leg("ghost.entry").step_id == "ghost"
    assert legs.step("ghost") == StepFacts("ghost", "", "", "", 0)
    assert legs.action(ENTRY) == "place_order"
