"""Exits brought to the ledger: growing, shrinking, levels that are passed, and limits that do not fill."""

from decimal import Decimal

import pytest

from runner.domain.commands import Remark
from runner.domain.orders import OrderStatus
from tests.engine.paper import Paper

LONG = """
  - id: long
    bracket:
      side: BUY
      quantity: 0.004
      entry: {type: LIMIT, price: 60000}
      take_profit: {price: 61000}
      stop_loss: {stop_price: 59000}
"""
HALVES = LONG.replace(
    "take_profit: {price: 61000}", "take_profit: [{price: 61000, portion: 50%}, {price: 62000, portion: 50%}]",
)
STOP_LIMIT = LONG.replace("{stop_price: 59000}", "{stop_price: 59000, limit_price: 58900}")


def protected(steps: str = LONG, filled: str = "0.004") -> Paper:
    paper = Paper(steps)
    paper.accept("long.entry#0")
    paper.fill("long.entry#0", filled)
    paper.accept(*[name for name in paper.names if "entry" not in name])
    paper.said()
    return paper


# ---- protection first, exits follow fills -------------------------------------------------------------------------


def test_the_stop_is_sent_before_the_take_profit_as_soon_as_anything_is_filled() -> None:
    paper = Paper(LONG)
    assert paper.said() == ["place long.entry#0 LIMIT BUY 0.004 @60000"]
    paper.fill("long.entry#0", "0.001")
    assert paper.said() == [
        "place long.stop_loss#0 STOP_MARKET SELL 0.001 @59000 reduce-only",
        "place long.take_profit#0 TAKE_PROFIT SELL 0.001 @61000 @61000 reduce-only",
    ]


def test_a_take_profit_may_be_a_market_order_or_rest_in_the_book() -> None:
    for order, line in (
        ("{type: TAKE_PROFIT_MARKET, price: 61000}", "TAKE_PROFIT_MARKET SELL 0.004 @61000 reduce-only"),
        ("{type: LIMIT, price: 61000}", "LIMIT SELL 0.004 @61000 reduce-only"),
    ):
        paper = Paper(LONG.replace("take_profit: {price: 61000}", f"take_profit: {order}"))
        paper.fill("long.entry#0", "0.004")
        assert paper.said()[-1] == f"place long.take_profit#0 {line}"


def test_a_bracket_may_have_no_take_profit() -> None:
    paper = Paper(LONG.replace("      take_profit: {price: 61000}\n", ""))
    paper.fill("long.entry#0", "0.004")
    assert paper.said()[1:] == ["place long.stop_loss#0 STOP_MARKET SELL 0.004 @59000 reduce-only"]
    paper.accept("long.stop_loss#0")
    paper.trigger("long.stop_loss#0")
    paper.fill("long.stop_loss#0", "0.004", "59000")
    assert paper.ends() == {"long": "succeeded"}


def test_a_pair_of_a_hundred_percent_each_is_the_classic_oco() -> None:
    for winner, loser in (("take_profit", "stop_loss"), ("stop_loss", "take_profit")):
        paper = protected()
        paper.trigger(f"long.{winner}#0")
        paper.fill(f"long.{winner}#0", "0.004", "61000")
        assert paper.said() == [f"cancel long.{loser}#0"]
        paper.cancelled(f"long.{loser}#0")
        assert paper.ends() == {"long": "succeeded"}


def test_the_first_of_two_half_take_profits_shrinks_the_stop_and_leaves_it() -> None:
    paper = protected(HALVES)
    paper.trigger("long.take_profit.1#0")
    paper.fill("long.take_profit.1#0", "0.002", "61000")
    assert paper.said() == ["place long.stop_loss#1 STOP_MARKET SELL 0.002 @59000 reduce-only"]
    paper.accept("long.stop_loss#1")
    assert paper.said() == ["cancel long.stop_loss#0"]
    paper.cancelled("long.stop_loss#0")
    assert paper.said() == []


def test_a_stop_that_executes_in_part_takes_its_share_from_the_take_profits_from_the_last_backwards() -> None:
    paper = protected(HALVES)
    paper.trigger("long.stop_loss#0")
    paper.fill("long.stop_loss#0", "0.001", "59000")
    assert paper.said() == ["cancel long.take_profit.2#0"]
    paper.cancelled("long.take_profit.2#0")
    assert paper.said() == ["place long.take_profit.2#1 TAKE_PROFIT SELL 0.001 @62000 @62000 reduce-only"]


def test_the_first_execution_of_a_stop_cancels_what_can_still_open() -> None:
    paper = protected(filled="0.002")
    paper.trigger("long.stop_loss#0")
    paper.fill("long.stop_loss#0", "0.001", "59000")
    assert "cancel long.entry#0" in paper.said()
    paper.cancelled("long.entry#0")
    paper.fill("long.stop_loss#0", "0.001", "59000")
    for name in [name for name in paper.names if "take_profit" in name]:
        paper.cancelled(name)
    assert paper.ends() == {"long": "cancelled stopped"}, "which triggers no on_failure"
    assert paper.verdict() == "succeeded"


def test_the_completion_of_all_take_profits_cancels_what_can_still_open() -> None:
    paper = protected(filled="0.002")
    paper.trigger("long.take_profit#0")
    paper.fill("long.take_profit#0", "0.001", "61000")
    assert "cancel long.entry#0" not in paper.said()
    paper.fill("long.take_profit#0", "0.001", "61000")
    assert "cancel long.entry#0" in paper.said()


# ---- resizing -----------------------------------------------------------------------------------------------------


def test_a_stop_grows_by_placing_the_new_one_first_and_the_old_one_goes_when_the_new_is_accepted() -> None:
    paper = protected(filled="0.002")
    paper.fill("long.entry#0", "0.002")
    assert paper.said()[0] == "place long.stop_loss#1 STOP_MARKET SELL 0.004 @59000 reduce-only"
    assert paper.said() == []
    paper.accept("long.stop_loss#1")
    assert paper.said() == ["cancel long.stop_loss#0"]


def test_a_take_profit_is_resized_by_cancel_confirm_place() -> None:
    paper = protected(filled="0.002")
    paper.fill("long.entry#0", "0.002")
    assert paper.said()[1] == "cancel long.take_profit#0"
    paper.cancelled("long.take_profit#0")
    assert paper.said() == ["place long.take_profit#1 TAKE_PROFIT SELL 0.004 @61000 @61000 reduce-only"]


def test_a_burst_of_fills_is_one_replacement_in_flight_and_then_one_for_the_newest_target() -> None:
    paper = protected(filled="0.001")
    for _ in range(3):
        paper.fill("long.entry#0", "0.001")
    assert paper.said() == [
        "place long.stop_loss#1 STOP_MARKET SELL 0.002 @59000 reduce-only", "cancel long.take_profit#0",
    ]
    paper.accept("long.stop_loss#1")
    paper.cancelled("long.take_profit#0")
    said = paper.said()
    assert "place long.stop_loss#2 STOP_MARKET SELL 0.004 @59000 reduce-only" in said
    assert "place long.take_profit#1 TAKE_PROFIT SELL 0.004 @61000 @61000 reduce-only" in said


def test_a_replacement_refused_as_passed_closes_only_what_the_triggering_one_leaves() -> None:
    paper = protected(filled="0.002")
    paper.fill("long.entry#0", "0.001")
    paper.said()
    paper.trigger("long.stop_loss#0")
    paper.reject("long.stop_loss#1", -2021)
    said = paper.said()
    assert "cancel long.entry#0" in said
    assert [line for line in said if line.startswith("place")] == [
        "place long.stop_loss#2 MARKET SELL 0.001 reduce-only",
    ]
    paper.fill("long.stop_loss#0", "0.002", "58990")
    paper.fill("long.stop_loss#2", "0.001", "58980")
    paper.cancelled("long.entry#0", "long.take_profit#0")
    assert paper.ends() == {"long": "cancelled stopped"}


def test_a_replacement_refused_as_passed_lets_the_standing_one_trigger_but_not_for_ever() -> None:
    paper = protected(filled="0.002")
    paper.fill("long.entry#0", "0.001")
    paper.said()
    paper.reject("long.stop_loss#1", -2021)
    assert [line for line in paper.said() if line.startswith("place")] == [
        "place long.stop_loss#2 MARKET SELL 0.001 reduce-only",
    ]
    paper.fill("long.stop_loss#2", "0.001", "58990")
    paper.cancelled("long.entry#0", "long.take_profit#0")
    paper.said()
    paper.fire("close:long")
    assert paper.said() == ["place long.stop_loss#3 MARKET SELL 0.002 reduce-only"], "it did not trigger in 3 s"


def test_where_groups_share_a_position_a_stop_grows_by_an_additional_order() -> None:
    paper = Paper(LONG + LONG.replace("id: long", "id: more"))
    paper.fill("more.entry#0", "0.004")
    paper.accept("more.stop_loss#0", "more.take_profit#0")
    paper.fill("long.entry#0", "0.001")
    paper.accept("long.stop_loss#0", "long.take_profit#0")
    paper.said()
    paper.fill("long.entry#0", "0.002")
    assert paper.said()[0] == "place long.stop_loss#1 STOP_MARKET SELL 0.002 @59000 reduce-only"
    paper.accept("long.stop_loss#1")
    assert not [line for line in paper.said() if "cancel long.stop_loss" in line]
    assert "bound:long" not in paper.timers, "both together cover it"


def test_an_excess_that_is_executed_all_the_same_is_charged_to_the_others_in_file_order_and_told() -> None:
    """A smaller stop is accepted while the larger one that it replaces executes: more is sold than was held."""
    paper = Paper(HALVES + LONG.replace("id: long", "id: more"))
    paper.fill("more.entry#0", "0.004")
    paper.accept("more.stop_loss#0", "more.take_profit#0")
    paper.fill("long.entry#0", "0.004")
    paper.accept("long.stop_loss#0", "long.take_profit.1#0", "long.take_profit.2#0")
    paper.trigger("long.take_profit.1#0")
    paper.fill("long.take_profit.1#0", "0.002", "61000")
    paper.accept("long.stop_loss#1")
    paper.said()
    paper.trigger("long.stop_loss#0")
    paper.fill("long.stop_loss#0", "0.004", "59000")
    assert [one.text for one in paper.commands if isinstance(one, Remark) and one.code == "charged"] == [
        "0.002 BTCUSDT of more were closed by an exit of long",
    ]
    assert "place more.stop_loss#1 STOP_MARKET SELL 0.002 @59000 reduce-only" in paper.said()


# ---- levels already passed ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [-2021, -4142])
def test_a_stop_whose_level_is_passed_is_closed_at_market_which_counts_as_its_fill(code: int) -> None:
    paper = Paper(LONG + "  - id: b\n    after: [long.stop_loss]\n    entry: {side: BUY, quantity: 0.001, "
                         "type: MARKET}\n")
    paper.fill("long.entry#0", "0.004")
    paper.accept("long.take_profit#0")
    paper.said()
    paper.reject("long.stop_loss#0", code)
    assert paper.said() == ["cancel long.take_profit#0", "place long.stop_loss#1 MARKET SELL 0.004 reduce-only"]
    paper.cancelled("long.take_profit#0")
    paper.fill("long.stop_loss#1", "0.004", "58900")
    assert paper.ends() == {"long": "succeeded"}
    assert "place b.entry#0 MARKET BUY 0.001" in paper.said()


@pytest.mark.parametrize("order", ["price: 61000", "type: TAKE_PROFIT_MARKET, price: 61000"])
def test_a_take_profit_whose_level_is_passed_rests_as_a_limit_and_is_then_conditional_again(order: str) -> None:
    paper = Paper(LONG.replace("take_profit: {price: 61000}", f"take_profit: {{{order}}}"))
    paper.fill("long.entry#0", "0.004")
    conditional = paper.said()[-1]
    paper.accept("long.stop_loss#0")
    paper.reject("long.take_profit#0", -2021)
    assert paper.said() == ["place long.take_profit#1 LIMIT SELL 0.004 @61000 reduce-only"]
    assert paper.timers["trigger:long.take_profit"] - paper.now_ms == 3_000
    paper.accept("long.take_profit#1")
    paper.fill("long.take_profit#1", "0.001", "61000")
    paper.said()
    paper.fire("trigger:long.take_profit")
    assert paper.said() == ["cancel long.take_profit#1"]
    paper.cancelled("long.take_profit#1")
    assert paper.said() == [conditional.replace("#0", "#2").replace("0.004", "0.003")]
    # at most one round per trigger_timeout
    paper.reject("long.take_profit#2", -2021)
    assert paper.said() == ["place long.take_profit#3 LIMIT SELL 0.003 @61000 reduce-only"]
    assert paper.timers["trigger:long.take_profit"] - paper.now_ms == 3_000


@pytest.mark.parametrize("code", [-4016, -4024])
def test_a_take_profit_whose_level_is_passed_beyond_the_price_band_closes_at_market(code: int) -> None:
    paper = Paper(LONG)
    paper.fill("long.entry#0", "0.004")
    paper.accept("long.stop_loss#0")
    paper.reject("long.take_profit#0", -2021)
    paper.said()
    paper.reject("long.take_profit#1", code)
    (placed,) = paper.said()
    assert placed.endswith("MARKET SELL 0.004 reduce-only")
    paper.fire("trigger:long.take_profit")
    assert paper.said() == []
    paper.fill(placed.split()[1], "0.004", "70000")
    assert paper.said() == ["cancel long.stop_loss#0"]
    paper.cancelled("long.stop_loss#0")
    assert paper.ends() == {"long": "succeeded"}


def test_an_entry_whose_level_is_passed_fails_by_default() -> None:
    paper = Paper("  - id: a\n    entry: {side: BUY, quantity: 0.002, type: STOP_MARKET, stop_price: 60100}\n")
    paper.said()
    paper.reject("a.entry#0", -2021)
    assert paper.said() == []
    assert paper.ends() == {"a": "failed would_trigger"}


@pytest.mark.parametrize("order", [
    "type: STOP_MARKET, stop_price: 60100", "type: STOP, stop_price: 60100, limit_price: 60200",
    "type: TAKE_PROFIT_MARKET, stop_price: 59900",
])
def test_an_entry_whose_level_is_passed_goes_at_market_where_the_plan_says_so(order: str) -> None:
    paper = Paper(f"  - id: a\n    on_immediate_trigger: MARKET\n    entry: {{side: BUY, quantity: 0.002, {order}}}\n")
    paper.said()
    paper.reject("a.entry#0", -2021)
    assert paper.said() == ["place a.entry#1 MARKET BUY 0.002"]
    paper.fill("a.entry#1", "0.002", "60300")
    assert paper.ends() == {"a": "succeeded"}


def test_a_bracket_whose_entry_went_at_market_is_protected_as_any_other() -> None:
    paper = Paper(
        LONG.replace("{type: LIMIT, price: 60000}", "{type: STOP_MARKET, stop_price: 60100}")
        + "    on_immediate_trigger: MARKET\n",
    )
    paper.reject("long.entry#0", -4142)
    paper.fill("long.entry#1", "0.004", "60300")
    assert "place long.stop_loss#0 STOP_MARKET SELL 0.004 @59000 reduce-only" in paper.said()


def test_an_exit_stop_whose_level_is_passed_is_closed_at_market() -> None:
    paper = Paper(
        "  - id: x\n    exit: {side: SELL, quantity: 0.002, type: STOP_MARKET, stop_price: 59000}\n",
        positions={"BTCUSDT": "0.002"},
    )
    paper.said()
    paper.reject("x.exit#0", -2021)
    assert paper.said() == ["place x.exit#1 MARKET SELL 0.002 reduce-only"]
    paper.fill("x.exit#1", "0.002", "58900")
    assert paper.ends() == {"x": "succeeded"}


# ---- limits that do not fill --------------------------------------------------------------------------------------


def test_a_triggered_stop_limit_that_does_not_fill_in_time_is_closed_at_market_for_its_rest() -> None:
    paper = protected(STOP_LIMIT)
    paper.trigger("long.stop_loss#0")
    assert paper.timers["trigger:long.stop_loss"] - paper.now_ms == 3_000
    paper.fill("long.stop_loss#0", "0.001", "58950")
    paper.said()
    paper.fire("trigger:long.stop_loss")
    said = paper.said()
    assert "cancel long.stop_loss#0" in said
    paper.cancelled("long.stop_loss#0")
    for name in [name for name in paper.names if "take_profit" in name and f"cancel {name}" in said]:
        paper.cancelled(name)
    assert "place long.stop_loss#1 MARKET SELL 0.003 reduce-only" in paper.said()


def test_the_rest_of_a_triggered_take_profit_is_conditional_again_after_its_time() -> None:
    paper = protected(LONG + "    trigger_timeout: 1s\n")
    paper.trigger("long.take_profit#0")
    assert paper.timers["trigger:long.take_profit"] - paper.now_ms == 1_000
    paper.fill("long.take_profit#0", "0.001", "61000")
    paper.said()
    paper.fire("trigger:long.take_profit")
    assert paper.said() == ["cancel long.take_profit#0"]
    paper.cancelled("long.take_profit#0")
    assert paper.said() == ["place long.take_profit#1 TAKE_PROFIT SELL 0.003 @61000 @61000 reduce-only"]


def test_a_trigger_timeout_after_the_fill_does_nothing() -> None:
    paper = protected(HALVES)
    paper.trigger("long.take_profit.1#0")
    paper.fill("long.take_profit.1#0", "0.002", "61000")
    paper.said()
    paper.fire("trigger:long.take_profit.1")
    assert paper.said() == []


def test_a_triggered_stop_limit_of_an_exit_step_is_closed_at_market_too() -> None:
    paper = Paper(
        "  - id: x\n    exit: {side: SELL, quantity: 0.002, type: STOP, stop_price: 59000, limit_price: 58900}\n",
        positions={"BTCUSDT": "0.002"},
    )
    paper.accept("x.exit#0")
    paper.trigger("x.exit#0")
    paper.said()
    paper.fire("trigger:x.exit")
    assert paper.said() == ["cancel x.exit#0"]
    paper.cancelled("x.exit#0")
    assert paper.said() == ["place x.exit#1 MARKET SELL 0.002 reduce-only"]


def test_a_resting_limit_exit_has_no_trigger_timeout() -> None:
    paper = protected(LONG.replace("take_profit: {price: 61000}", "take_profit: {type: LIMIT, price: 61000}"))
    paper.fill("long.take_profit#0", "0.001", "61000")
    assert "trigger:long.take_profit" not in paper.timers


def test_a_triggered_stop_that_ends_short_of_its_quantity_is_closed_at_market_at_once() -> None:
    paper = protected(STOP_LIMIT)
    paper.trigger("long.stop_loss#0")
    paper.fill("long.stop_loss#0", "0.001", "58950")
    paper.said()
    paper.report("long.stop_loss#0", OrderStatus.EXPIRED)
    paper.cancelled("long.take_profit#0")
    assert "place long.stop_loss#1 MARKET SELL 0.003 reduce-only" in paper.said()


# ---- exits that follow --------------------------------------------------------------------------------------------


def test_a_market_exit_of_a_source_that_still_works_follows_each_of_its_fills() -> None:
    paper = Paper(
        "  - id: a\n    entry: {side: BUY, quantity: 0.004, type: LIMIT, price: 60000}\n"
        "  - id: x\n    after: {a: first_fill}\n    exit: {side: SELL, quantity: {filled: a}, type: MARKET}\n"
    )
    paper.accept("a.entry#0")
    paper.fill("a.entry#0", "0.001")
    assert paper.said()[-1] == "place x.exit#0 MARKET SELL 0.001 reduce-only"
    paper.fill("x.exit#0", "0.001")
    assert paper.ends() == {}
    paper.fill("a.entry#0", "0.003")
    assert paper.said()[-1] == "place x.exit#1 MARKET SELL 0.003 reduce-only"
    paper.fill("x.exit#1", "0.003")
    assert paper.ends() == {"a": "succeeded", "x": "succeeded"}


def test_a_limit_exit_grows_with_its_source_by_cancel_confirm_place() -> None:
    paper = Paper(
        "  - id: a\n    entry: {side: BUY, quantity: 0.004, type: LIMIT, price: 60000}\n"
        "  - id: x\n    after: {a: first_fill}\n    exit: {side: SELL, quantity: {filled: a}, type: LIMIT, "
        "price: 61000}\n"
    )
    paper.accept("a.entry#0")
    paper.fill("a.entry#0", "0.001")
    paper.accept("x.exit#0")
    paper.fill("a.entry#0", "0.003")
    assert paper.said()[-1] == "cancel x.exit#0"
    paper.cancelled("x.exit#0")
    assert paper.said() == ["place x.exit#1 LIMIT SELL 0.004 @61000 reduce-only"]


def test_an_oco_of_a_twap_follows_slices_that_are_still_due() -> None:
    paper = Paper(
        "  - id: t\n    twap: {side: BUY, quantity: 0.004, slices: 2, every: 2s}\n"
        "  - id: g\n    after: {t: first_fill}\n    oco: {side: SELL, quantity: {filled: t}, "
        "take_profit: {price: 62000}, "
        "stop_loss: {stop_price: 59000}}\n"
        "  - id: x\n    after: {g: placed}\n    exit: {side: SELL, quantity: {filled: t}, type: MARKET}\n"
    )
    paper.fill("t.slice.1#0", "0.002")
    paper.accept("g.stop_loss#0", "g.take_profit#0")
    paper.fill("x.exit#0", "0.002")
    paper.cancelled("g.stop_loss#0", "g.take_profit#0")
    assert paper.ends() == {}, "nothing is open, but a slice is still due"
    paper.said()
    paper.fire("edge:1")
    paper.fill("t.slice.2#0", "0.002")
    assert "place g.stop_loss#1 STOP_MARKET SELL 0.002 @59000 reduce-only" in paper.said()


def test_an_exit_that_the_exchange_will_never_take_fails_its_step() -> None:
    paper = Paper(
        "  - id: x\n    exit: {side: SELL, quantity: 0.002, type: LIMIT, price: 61000}\n",
        positions={"BTCUSDT": "0.002"},
    )
    paper.reject("x.exit#0", -1111)
    assert paper.ends() == {"x": "failed rejected"}


def test_a_take_profit_that_the_exchange_will_never_take_is_told_and_leaves_the_stop() -> None:
    paper = Paper(LONG)
    paper.fill("long.entry#0", "0.004")
    paper.accept("long.stop_loss#0")
    paper.said()
    paper.reject("long.take_profit#0", -1111)
    assert paper.said() == []
    assert paper.ends() == {}
    assert [one.text for one in paper.commands if isinstance(one, Remark)] == [
        "long.take_profit: refused -1111 (-1111); the exchange will not take it",
    ]
    paper.trigger("long.stop_loss#0")
    paper.fill("long.stop_loss#0", "0.004", "59000")
    assert paper.ends() == {"long": "succeeded"}


def test_every_exit_is_reduce_only_and_good_till_cancelled() -> None:
    paper = Paper(LONG.replace("    bracket", "    time_in_force: GTX\n    bracket"))
    paper.fill("long.entry#0", "0.004")
    requests = {name: paper.sent[client_id] for name, client_id in paper.names.items()}
    assert requests["long.entry#0"].time_in_force == "GTX"
    assert not requests["long.entry#0"].reduce_only
    for name in ("long.stop_loss#0", "long.take_profit#0"):
        assert requests[name].reduce_only
        assert requests[name].time_in_force == "GTC"
        assert requests[name].quantity == Decimal("0.004")


@pytest.mark.parametrize(("order", "cancels"), [
    ("type: STOP_MARKET, stop_price: 59000", True), ("type: TRAILING_STOP_MARKET, callback_rate: 1%", True),
    ("type: TAKE_PROFIT_MARKET, stop_price: 61000", False),
])
def test_nobody_buys_into_his_own_stop_also_where_the_stop_is_an_exit_step(order: str, cancels: bool) -> None:
    paper = Paper(
        "  - id: a\n    entry: {side: BUY, quantity: 0.004, type: LIMIT, price: 60000}\n"
        f"  - id: x\n    after: {{a: first_fill}}\n    exit: {{side: SELL, quantity: {{filled: a}}, {order}}}\n",
    )
    paper.accept("a.entry#0")
    paper.fill("a.entry#0", "0.002")
    paper.accept("x.exit#0")
    paper.said()
    paper.trigger("x.exit#0")
    paper.fill("x.exit#0", "0.001")
    assert ("cancel a.entry#0" in paper.said()) is cancels


# ---- requests that take seconds -------------------------------------------------------------------------------------


def test_a_stop_whose_request_hangs_while_nothing_protects_is_joined_by_another_long_before_the_bound() -> None:
    paper = Paper(LONG)
    paper.fill("long.entry#0", "0.004")
    paper.said()
    paper.fire("twin:long.stop_loss")
    assert paper.said() == ["place long.stop_loss#1 STOP_MARKET SELL 0.004 @59000 reduce-only"]
    assert paper.timers["bound:long"] - paper.now_ms == 1_500
    paper.accept("long.stop_loss#1")
    assert "bound:long" not in paper.timers
    paper.accept("long.stop_loss#0")
    assert paper.said() == ["cancel long.stop_loss#0"]


def test_it_is_joined_by_one_for_all_that_is_open_by_then() -> None:
    paper = Paper(LONG)
    paper.accept("long.entry#0")
    paper.fill("long.entry#0", "0.001")
    paper.fill("long.entry#0", "0.002")
    paper.said()
    paper.fire("twin:long.stop_loss")
    assert "place long.stop_loss#1 STOP_MARKET SELL 0.003 @59000 reduce-only" in paper.said()


def test_a_smaller_stop_that_hangs_while_the_larger_stands_is_waited_for() -> None:
    paper = protected()
    paper.trigger("long.take_profit#0")
    paper.fill("long.take_profit#0", "0.001", "61000")
    paper.said()
    paper.now_ms += 5_000
    paper.fill("long.take_profit#0", "0.001", "61000")
    assert not [line for line in paper.said() if "STOP_MARKET" in line]
