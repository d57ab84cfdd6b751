"""What each kind of step compiles to."""

from decimal import Decimal as D
from pathlib import Path

import runner.graph.kinds
from runner.domain.conditions import DelayCondition
from runner.domain.sizes import FilledOf, PositionShare, Quantity
from runner.domain.values import OrderType, Rounding, Side, TimeInForce, WorkingType
from runner.graph.kinds import RULES
from runner.graph.model import (
    CancelNode,
    DueTarget,
    EndNode,
    EndRule,
    FillOffset,
    FixedPrice,
    FixedTarget,
    FlattenNode,
    MarkOffset,
    OpenTarget,
    RiskOffset,
    Role,
    Schedule,
    ShareTarget,
    StartNode,
    WaitNode,
)
from tests.graph.plans import BRACKET, TWAP_AND_GUARD, edges, graph, group, node, order, policy

GUARD = """\
  - id: guard
    after: {long: first_fill}
    oco:
      side: SELL
      quantity: {filled: long}
      take_profit: {distance: 2R, type: TAKE_PROFIT_MARKET}
      stop_loss: {distance: 1%}
"""


def test_the_table_of_rules_is_the_folder_of_kinds() -> None:
    folder = Path(str(runner.graph.kinds.__file__)).parent
    assert sorted(RULES) == sorted(file.stem for file in folder.glob("*.py") if file.stem != "__init__")


# ---- entry ----------------------------------------------------------------------------------------------------------


def test_an_entry_is_one_opener_between_start_and_end() -> None:
    found = graph(
        "  - {id: long, timeout: 5m, time_in_force: GTX, when: {delay: 1s},"
        " entry: {side: BUY, quantity: 0.004, type: LIMIT, price: 60000}}\n"
    )
    assert edges(found) == ["long.start -> long.entry on succeeded", "long.entry -> long.end on any"]
    assert node(found, "long.start") == StartNode("long.start", "long", DelayCondition(1000), 300_000)
    assert node(found, "long.end") == EndNode("long.end", "long", EndRule.FILLED, ("long.entry",), "long")
    entry = order(found, "long.entry")
    assert (entry.role, entry.side, entry.order_type) == (Role.OPENER, Side.BUY, OrderType.LIMIT)
    assert (entry.time_in_force, entry.working_type) == (TimeInForce.GTX, WorkingType.CONTRACT_PRICE)
    assert (entry.target, entry.price, entry.trigger) == (FixedTarget(Quantity(D("0.004"))), FixedPrice(D(60000)), None)
    assert not entry.reduce_only
    step = policy(found, "long")
    assert (step.opens, step.protects, step.follows, step.planned_price) == (True, False, None, D(60000))
    assert (step.size, step.side, step.group_id, step.link) == (Quantity(D("0.004")), Side.BUY, "long", "")
    owned = group(found, "long")
    assert (owned.openers, owned.exits, owned.protected, owned.entry_side) == (("long.entry",), (), False, Side.BUY)


def test_a_limit_at_a_distance_lies_on_the_passive_side_of_the_mark() -> None:
    text = "  - {{id: a, entry: {{side: {side}, quantity: 0.004, type: LIMIT, distance: {distance}}}}}\n"
    buy = order(graph(text.format(side="BUY", distance="0.5%")), "a.entry")
    assert buy.price == MarkOffset(-1, Rounding.DOWN, fraction=D("0.005"))
    sell = graph(text.format(side="SELL", distance="150"))
    assert order(sell, "a.entry").price == MarkOffset(1, Rounding.UP, absolute=D(150))
    assert policy(sell, "a").planned_price is None


def test_a_stop_entry_has_trigger_and_limit_and_may_go_in_at_market() -> None:
    found = graph(
        "  - {id: a, on_immediate_trigger: MARKET, working_type: MARK_PRICE, time_in_force: IOC,"
        " entry: {side: BUY, quantity: 0.004, type: STOP, stop_price: 60000, limit_price: 60100}}\n"
    )
    entry = order(found, "a.entry")
    assert (entry.trigger, entry.price) == (FixedPrice(D(60000)), FixedPrice(D(60100)))
    assert (entry.market_if_triggered, entry.working_type, entry.time_in_force) == (
        True, WorkingType.MARK_PRICE, TimeInForce.IOC,
    )
    assert policy(found, "a").planned_price == D(60000)


def test_a_trailing_entry_has_its_rate_in_percent_and_no_planned_price() -> None:
    found = graph(
        "  - {id: a, entry: {side: SELL, quantity: 0.004, type: TRAILING_STOP_MARKET, callback_rate: 0.5%,"
        " activation_price: 62000}}\n"
    )
    entry = order(found, "a.entry")
    assert (entry.callback_rate, entry.activation, entry.trigger) == (D("0.5"), FixedPrice(D(62000)), None)
    assert policy(found, "a").planned_price is None


# ---- bracket --------------------------------------------------------------------------------------------------------


def test_a_brackets_exits_follow_the_first_fill_of_its_entry_stop_first() -> None:
    found = graph(BRACKET)
    assert edges(found) == [
        "long.start -> long.entry on succeeded",
        "long.entry -> long.stop_loss on first_fill",
        "long.entry -> long.take_profit.1 on first_fill",
        "long.entry -> long.take_profit.2 on first_fill",
        "long.stop_loss -> long.end on any", "long.take_profit.1 -> long.end on any",
        "long.take_profit.2 -> long.end on any",
    ]
    stop = order(found, "long.stop_loss")
    assert (stop.role, stop.side, stop.order_type, stop.target) == (
        Role.STOP, Side.SELL, OrderType.STOP_MARKET, OpenTarget(),
    )
    assert (stop.price, stop.trigger, stop.reduce_only) == (None, FixedPrice(D(59000)), True)
    weights = (D("0.5"), D("0.5"))
    first, second = order(found, "long.take_profit.1"), order(found, "long.take_profit.2")
    assert (first.target, second.target) == (ShareTarget(weights, 0), ShareTarget(weights, 1))
    assert first.price == first.trigger == FixedPrice(D(61000))
    assert second.price == second.trigger == FixedPrice(D(62000))
    assert found.nodes[-1] == EndNode(
        "long.end", "long", EndRule.CLOSED,
        ("long.entry", "long.stop_loss", "long.take_profit.1", "long.take_profit.2"), "long",
    )
    assert group(found, "long").protected
    assert (policy(found, "long").link, policy(found, "long").stop) == ("BRK", FixedPrice(D(59000)))


def test_the_exits_of_a_bracket_are_good_till_cancelled_whatever_its_entry_is() -> None:
    found = graph(BRACKET + "    time_in_force: GTX\n")
    assert order(found, "long.entry").time_in_force is TimeInForce.GTX
    assert order(found, "long.take_profit.1").time_in_force is TimeInForce.GTC


def test_take_profits_of_other_types_have_the_prices_that_they_need() -> None:
    text = (
        "  - id: a\n    bracket:\n      side: SELL\n      quantity: 0.004\n      entry: {{type: LIMIT, price: 60000}}\n"
        "      take_profit: {{price: 59000, type: {type}}}\n"
        "      stop_loss: {{stop_price: 61000, limit_price: 61100}}\n"
    )
    market = order(graph(text.format(type="TAKE_PROFIT_MARKET")), "a.take_profit")
    assert (market.price, market.trigger, market.side) == (None, FixedPrice(D(59000)), Side.BUY)
    found = graph(text.format(type="LIMIT"))
    limit = order(found, "a.take_profit")
    assert (limit.price, limit.trigger) == (FixedPrice(D(59000)), None)
    stop = order(found, "a.stop_loss")
    assert (stop.order_type, stop.price, stop.trigger) == (
        OrderType.STOP, FixedPrice(D(61100)), FixedPrice(D(61000)),
    )


def test_distances_of_a_market_entry_count_from_its_fill() -> None:
    found = graph(
        "  - id: a\n    bracket:\n      side: BUY\n      risk: 1%\n      entry: {type: MARKET}\n"
        "      take_profit: {distance: 2R}\n      stop_loss: {distance: 150}\n"
    )
    stop = FillOffset("a.entry", -1, Rounding.UP, absolute=D(150))
    assert order(found, "a.stop_loss").trigger == stop
    assert order(found, "a.take_profit").trigger == RiskOffset("a.entry", 1, Rounding.UP, D(2), stop)
    assert policy(found, "a").stop == stop


def test_r_measures_an_explicit_stop_of_a_market_entry() -> None:
    found = graph(
        "  - id: a\n    bracket:\n      side: SELL\n      quantity: 0.004\n      entry: {type: MARKET}\n"
        "      take_profit: {distance: 1.5R}\n      stop_loss: {stop_price: 61000}\n"
    )
    assert order(found, "a.take_profit").price == RiskOffset(
        "a.entry", -1, Rounding.DOWN, D("1.5"), FixedPrice(D(61000)),
    )


def test_a_bracket_without_take_profits_ends_by_its_stop() -> None:
    found = graph(
        "  - id: a\n    bracket: {side: BUY, quantity: 0.004, entry: {type: MARKET}, stop_loss: {distance: 1%}}\n"
    )
    assert [each.node_id for each in found.nodes] == ["a.start", "a.entry", "a.stop_loss", "a.end"]


# ---- oco and exit ---------------------------------------------------------------------------------------------------


def test_an_oco_of_a_filled_step_joins_its_group_and_counts_from_its_planned_price() -> None:
    found = graph("  - {id: long, entry: {side: BUY, quantity: 0.004, type: LIMIT, price: 60000}}\n" + GUARD)
    stop, target = order(found, "guard.stop_loss"), order(found, "guard.take_profit")
    assert (stop.group_id, target.group_id) == ("long", "long")
    assert (stop.trigger, target.trigger, target.price) == (FixedPrice(D("59400.0")), FixedPrice(D("61200.0")), None)
    step = policy(found, "guard")
    assert (step.follows, step.protects, step.opens, step.link) == ("long", True, False, "OCO")
    assert node(found, "guard.end") == EndNode(
        "guard.end", "guard", EndRule.CLOSED, ("guard.stop_loss", "guard.take_profit"), "long",
    )
    assert [each.group_id for each in found.groups] == ["long"]


def test_an_oco_of_a_twap_counts_from_the_fill_of_its_first_slice() -> None:
    found = graph("  - {id: long, twap: {side: BUY, quantity: 0.009, slices: 3, every: 2s}}\n" + GUARD)
    assert order(found, "guard.stop_loss").trigger == FillOffset("long.slice.1", -1, Rounding.UP, fraction=D("0.01"))


def test_an_oco_of_a_size_of_its_own_adopts_a_position() -> None:
    found = graph(
        "  - id: out\n    oco: {side: BUY, quantity: {position: 50%}, take_profit: {price: 59000},"
        " stop_loss: {stop_price: 61000}}\n"
    )
    own = group(found, "out")
    assert (own.opener_step, own.openers, own.adopts) == (None, (), PositionShare(D("0.5")))
    assert (own.entry_side, own.protected) == (Side.SELL, True)
    step = policy(found, "out")
    assert (step.follows, step.protects) == (None, False)


def test_a_stop_like_exit_is_an_exit_and_protects_no_group() -> None:
    found = graph(
        "  - {id: long, entry: {side: BUY, quantity: 0.004, type: MARKET}}\n"
        "  - {id: out, after: {long: first_fill},"
        " exit: {side: SELL, quantity: {filled: long}, type: STOP_MARKET, stop_price: 59000}}\n"
    )
    leg = order(found, "out.exit")
    assert (leg.role, leg.target, leg.group_id, leg.reduce_only) == (Role.EXIT, OpenTarget(), "long", True)
    assert not group(found, "long").protected
    assert group(found, "long").exits == ("out.exit",)


def test_an_exit_of_an_explicit_size_has_a_group_of_its_own() -> None:
    found = graph("  - {id: out, exit: {side: SELL, quantity: 0.004, type: LIMIT, price: 60000}}\n")
    assert group(found, "out").adopts == Quantity(D("0.004"))
    assert group(found, "out").entry_side is Side.BUY


# ---- twap -----------------------------------------------------------------------------------------------------------


def test_the_slices_of_a_twap_are_due_at_multiples_of_its_interval() -> None:
    found = graph(TWAP_AND_GUARD)
    assert edges(found)[:6] == [
        "rebuy.start -> rebuy.slice.1 on succeeded", "rebuy.start -> rebuy.slice.2 on succeeded +2000",
        "rebuy.start -> rebuy.slice.3 on succeeded +4000",
        "rebuy.slice.1 -> rebuy.end on any", "rebuy.slice.2 -> rebuy.end on any", "rebuy.slice.3 -> rebuy.end on any",
    ]
    assert [order(found, f"rebuy.slice.{k}").target for k in (1, 2, 3)] == [DueTarget(0), DueTarget(1), DueTarget(2)]
    assert order(found, "rebuy.slice.1").role is Role.OPENER
    step = policy(found, "rebuy")
    assert step.schedule == Schedule(Quantity(D("0.010")), 3, 2000, D(0), "next", False)
    assert (step.link, step.opens) == ("TWAP", True)


def test_a_twap_keeps_its_cap_and_how_it_carries_on() -> None:
    found = graph(
        "  - {id: a, twap: {side: SELL, quantity: 0.009, slices: 3, over: 6s, type: LIMIT, price: 60000,"
        " randomize: 20%, catch_up: spread, finish: MARKET}}\n"
    )
    assert policy(found, "a").schedule == Schedule(Quantity(D("0.009")), 3, 2000, D("0.2"), "spread", True)
    assert order(found, "a.slice.3").price == FixedPrice(D(60000))
    assert policy(found, "a").planned_price == D(60000)


def test_a_twap_of_a_step_closes_its_group() -> None:
    found = graph(BRACKET + (
        "  - {id: out, after: {long: first_fill}, twap: {side: SELL, quantity: {filled: long}, slices: 2, every: 2s,"
        " of: long}}\n"
    ))
    leg = order(found, "out.slice.1")
    assert (leg.role, leg.group_id, leg.reduce_only) == (Role.EXIT, "long", True)
    assert group(found, "long").exits[-2:] == ("out.slice.1", "out.slice.2")
    step = policy(found, "out")
    assert (step.opens, step.size) == (False, FilledOf("long"))


def test_a_reducing_twap_of_its_own_size_adopts_a_position() -> None:
    found = graph("  - {id: out, twap: {side: BUY, quantity: 0.009, slices: 3, every: 2s, reduce_only: true}}\n")
    own = group(found, "out")
    assert (own.adopts, own.entry_side, own.openers) == (Quantity(D("0.009")), Side.SELL, ())


# ---- wait, cancel, flatten ------------------------------------------------------------------------------------------


def test_a_wait_has_its_condition_on_its_own_node_so_that_the_timeout_counts() -> None:
    found = graph("  - {id: a, timeout: 1h, wait: {}, when: {delay: 5m}}\n")
    assert node(found, "a.start") == StartNode("a.start", "a", None, 3_600_000)
    assert node(found, "a.wait") == WaitNode("a.wait", "a", DelayCondition(300_000))
    assert node(found, "a.end") == EndNode("a.end", "a", EndRule.DONE, ("a.wait",), None)
    assert edges(found) == ["a.start -> a.wait on succeeded", "a.wait -> a.end on any"]


def test_a_cancel_names_its_steps_and_a_flatten_its_symbol() -> None:
    found = graph(
        BRACKET + "  - {id: c, after: {long: placed}, cancel: {steps: [long]}}\n"
        "  - {id: f, after: c, symbol: ETHUSDT, flatten: {scope: account}}\n"
    )
    assert node(found, "c.cancel") == CancelNode("c.cancel", "c", ("long",))
    assert node(found, "f.flatten") == FlattenNode("f.flatten", "f", "ETHUSDT", True)
    assert node(found, "f.end") == EndNode("f.end", "f", EndRule.DONE, ("f.flatten",), None)
    assert policy(found, "f").group_id is None
