"""Who starts when: `after`, outcomes, timeouts, `on_failure`, `cancel`, and ledgers that adopt a position."""

from decimal import Decimal

import pytest

from runner.domain.commands import OrderDenied, Remark
from runner.domain.events import StopRequested
from runner.domain.orders import OrderStatus
from tests.engine.paper import Paper

LIMIT_A = "  - id: a\n    entry: {side: BUY, quantity: 0.002, type: LIMIT, price: 60000}\n    on_failure: continue\n"
ONE_MARKET_B = "    entry: {side: BUY, quantity: 0.001, type: MARKET}\n"
LONG = """
  - id: long
    bracket:
      side: BUY
      quantity: 0.004
      entry: {type: LIMIT, price: 60000}
      take_profit:
        - {price: 61000, portion: 50%}
        - {price: 62000, portion: 50%}
      stop_loss: {stop_price: 59000}
"""
GUARD = """
  - id: guard
    after: {a: first_fill}
    oco:
      side: SELL
      quantity: {filled: a}
      take_profit: {price: 62000}
      stop_loss: {stop_price: 59000}
"""


def starts_b(paper: Paper) -> bool:
    return any(line.startswith("place b.") for line in paper.said())


# ---- what a step waits for ----------------------------------------------------------------------------------------


def test_steps_without_after_start_together_in_file_order() -> None:
    paper = Paper(
        "  - id: z\n    entry: {side: BUY, quantity: 0.001, type: MARKET}\n"
        "  - id: m\n    entry: {side: BUY, quantity: 0.002, type: MARKET}\n"
        "  - id: a\n    entry: {side: BUY, quantity: 0.003, type: MARKET}\n"
    )
    assert [line.split()[1] for line in paper.said()] == ["z.entry#0", "m.entry#0", "a.entry#0"]


def test_after_a_plain_id_waits_until_that_step_has_succeeded() -> None:
    paper = Paper(LIMIT_A + "  - id: b\n    after: a\n" + ONE_MARKET_B)
    paper.accept("a.entry#0")
    paper.fill("a.entry#0", "0.001")
    assert not starts_b(paper)
    paper.fill("a.entry#0", "0.001")
    assert paper.ends() == {"a": "succeeded"}
    assert starts_b(paper)


def test_after_a_list_waits_for_all_of_it() -> None:
    paper = Paper(
        LIMIT_A + "  - id: c\n    entry: {side: BUY, quantity: 0.002, type: LIMIT, price: 60000}\n"
        "  - id: b\n    after: [a, c]\n" + ONE_MARKET_B
    )
    paper.accept("a.entry#0", "c.entry#0")
    paper.said()
    paper.fill("a.entry#0", "0.002")
    assert not starts_b(paper)
    paper.fill("c.entry#0", "0.002")
    assert starts_b(paper)


def test_placed_comes_with_the_exchanges_acceptance_and_not_with_our_sending() -> None:
    paper = Paper(LIMIT_A + "  - id: b\n    after: {a: placed}\n" + ONE_MARKET_B)
    assert not starts_b(paper)
    paper.accept("a.entry#0")
    assert starts_b(paper)


def test_placed_comes_also_when_the_first_news_is_a_fill() -> None:
    paper = Paper(LIMIT_A + "  - id: b\n    after: {a: placed}\n" + ONE_MARKET_B)
    paper.fill("a.entry#0", "0.002")
    assert starts_b(paper)


def test_first_fill_comes_with_any_fill_and_filled_only_with_the_whole() -> None:
    paper = Paper(
        LIMIT_A + "  - id: b\n    after: {a: first_fill}\n" + ONE_MARKET_B
        + "  - id: c\n    after: {a: filled}\n" + ONE_MARKET_B
    )
    paper.accept("a.entry#0")
    paper.said()
    paper.fill("a.entry#0", "0.001")
    assert paper.said() == ["place b.entry#0 MARKET BUY 0.001"]
    paper.fill("a.entry#0", "0.001")
    assert paper.said() == ["place c.entry#0 MARKET BUY 0.001"]


def test_filled_of_a_bracket_is_that_of_its_entry_and_succeeded_that_of_its_exits() -> None:
    paper = Paper(
        LONG + "  - id: b\n    after: {long: filled}\n" + ONE_MARKET_B
        + "  - id: c\n    after: {long: succeeded}\n" + ONE_MARKET_B
    )
    paper.accept("long.entry#0")
    paper.fill("long.entry#0", "0.004")
    assert "place b.entry#0 MARKET BUY 0.001" in paper.said()
    assert "long" not in paper.ends()
    paper.accept("long.stop_loss#0", "long.take_profit.1#0", "long.take_profit.2#0")
    paper.trigger("long.stop_loss#0")
    paper.fill("long.stop_loss#0", "0.004", "59000")
    paper.cancelled("long.take_profit.1#0", "long.take_profit.2#0")
    assert paper.ends()["long"] == "succeeded"
    assert "place c.entry#0 MARKET BUY 0.001" in paper.said()


def test_filled_of_an_exit_is_that_of_its_exit_order() -> None:
    paper = Paper(
        "  - id: x\n    exit: {side: SELL, quantity: 0.002, type: LIMIT, price: 61000}\n"
        "  - id: b\n    after: {x: filled}\n" + ONE_MARKET_B,
        positions={"BTCUSDT": "0.002"},
    )
    paper.accept("x.exit#0")
    paper.fill("x.exit#0", "0.001", "61000")
    assert not starts_b(paper)
    paper.fill("x.exit#0", "0.001", "61000")
    assert starts_b(paper)
    assert paper.ends()["x"] == "succeeded"


@pytest.mark.parametrize("outcome", ["failed", "any"])
def test_a_refused_entry_starts_what_waits_for_its_failure(outcome: str) -> None:
    paper = Paper(LIMIT_A + f"  - id: b\n    after: {{a: {outcome}}}\n" + ONE_MARKET_B)
    paper.reject("a.entry#0", -2019)
    assert paper.ends()["a"] == "failed rejected"
    assert starts_b(paper)


@pytest.mark.parametrize(("entry", "code", "reason"), [
    ("type: LIMIT, price: 60000", -2019, "rejected"), ("type: STOP_MARKET, stop_price: 60100", -2021, "would_trigger"),
    ("type: LIMIT, price: 60000", 0, "expired"), ("type: MARKET", None, "denied"),
])
def test_a_failed_entry_says_why(entry: str, code: int | None, reason: str) -> None:
    paper = Paper(
        f"  - id: a\n    entry: {{side: BUY, quantity: 0.002, {entry}}}\n  - id: b\n"
        f"    after: {{a: failed}}\n" + ONE_MARKET_B,
        "limits: {max_order_notional: 121}", price="61000" if code is None else "60000",
    )
    if code:
        paper.reject("a.entry#0", code)
    elif code is not None:
        paper.report("a.entry#0", OrderStatus.EXPIRED)
    assert paper.ends()["a"] == f"failed {reason}"
    assert starts_b(paper)


def test_a_cancelled_step_starts_what_waits_for_its_cancellation_and_skips_what_waits_for_success() -> None:
    paper = Paper(
        LIMIT_A + "  - id: c\n    when: {delay: 1s}\n    cancel: {steps: [a]}\n"
        "  - id: b\n    after: {a: cancelled}\n" + ONE_MARKET_B
        + "  - id: d\n    after: a\n" + ONE_MARKET_B
    )
    paper.accept("a.entry#0")
    paper.fire("when:c.start")
    paper.cancelled("a.entry#0")
    assert paper.ends() == {"a": "cancelled cancelled", "c": "succeeded", "d": "skipped a cancelled"}
    assert starts_b(paper)


def test_a_skipped_step_starts_what_waits_for_its_skipping() -> None:
    paper = Paper(
        LIMIT_A + "  - id: s\n    after: {a: failed}\n" + ONE_MARKET_B
        + "  - id: b\n    after: {s: skipped}\n" + ONE_MARKET_B
    )
    paper.fill("a.entry#0", "0.002")
    assert paper.ends()["s"].startswith("skipped")
    assert starts_b(paper)


def test_an_outcome_that_can_no_longer_come_skips_the_waiter_and_is_no_failure_of_the_run() -> None:
    paper = Paper(LIMIT_A + "  - id: b\n    after: {a: failed}\n" + ONE_MARKET_B)
    paper.fill("a.entry#0", "0.002")
    assert paper.ends() == {"a": "succeeded", "b": "skipped a succeeded"}
    assert paper.verdict() == "succeeded"


def test_a_leg_can_be_waited_for_by_its_name() -> None:
    paper = Paper(
        LONG + "  - id: b\n    after: {long.take_profit.2: filled}\n" + ONE_MARKET_B
        + "  - id: c\n    after: {long.take_profit.1: filled}\n" + ONE_MARKET_B
        + "  - id: d\n    after: [long.stop_loss]\n" + ONE_MARKET_B
    )
    paper.accept("long.entry#0")
    paper.fill("long.entry#0", "0.004")
    paper.accept("long.stop_loss#0", "long.take_profit.1#0", "long.take_profit.2#0")
    paper.said()
    paper.trigger("long.take_profit.1#0")
    paper.fill("long.take_profit.1#0", "0.002", "61000")
    assert "place c.entry#0 MARKET BUY 0.001" in paper.said()
    paper.accept("long.stop_loss#1")
    paper.cancelled("long.stop_loss#0")
    paper.trigger("long.stop_loss#1")
    paper.fill("long.stop_loss#1", "0.002", "59000")
    paper.cancelled("long.take_profit.2#0")
    assert "place d.entry#0 MARKET BUY 0.001" in paper.said()
    assert paper.ends()["b"] == "skipped long.take_profit.2 cancelled"


def test_a_take_profit_filled_in_part_before_the_stop_does_not_count_as_filled() -> None:
    paper = Paper(LONG + "  - id: b\n    after: {long.take_profit.2: filled}\n" + ONE_MARKET_B)
    paper.accept("long.entry#0")
    paper.fill("long.entry#0", "0.004")
    paper.accept("long.stop_loss#0", "long.take_profit.1#0", "long.take_profit.2#0")
    paper.trigger("long.take_profit.2#0")
    paper.fill("long.take_profit.2#0", "0.001", "62000")
    paper.accept("long.stop_loss#1")
    paper.cancelled("long.stop_loss#0")
    paper.trigger("long.stop_loss#1")
    paper.fill("long.stop_loss#1", "0.003", "59000")
    paper.cancelled("long.take_profit.1#0", "long.take_profit.2#0")
    assert paper.ends() == {"long": "succeeded", "b": "skipped long.take_profit.2 cancelled"}


def test_an_oco_never_waits_for_a_first_fill_that_came_before_it_asked() -> None:
    """Two edges: the second comes long after the first; both are remembered."""
    paper = Paper(
        LIMIT_A + "  - id: c\n    entry: {side: BUY, quantity: 0.002, type: LIMIT, price: 60000}\n"
        "  - id: b\n    after: {a: first_fill, c: placed}\n" + ONE_MARKET_B
    )
    paper.accept("a.entry#0")
    paper.fill("a.entry#0", "0.001")
    assert not starts_b(paper)
    paper.accept("c.entry#0")
    assert starts_b(paper)


def test_a_slice_can_be_waited_for() -> None:
    paper = Paper(
        "  - id: a\n    twap: {side: BUY, quantity: 0.004, slices: 2, every: 2s}\n"
        "  - id: b\n    after: {a.slice.2: filled}\n" + ONE_MARKET_B
    )
    paper.fill("a.slice.1#0", "0.002")
    assert not starts_b(paper)
    paper.fire(min(paper.timers, key=lambda one: paper.timers[one]))
    paper.fill("a.slice.2#0", "0.002")
    assert starts_b(paper)


# ---- a bracket's entry --------------------------------------------------------------------------------------------


def test_a_bracket_whose_entry_ends_with_nothing_filled_fails_with_the_entrys_reason() -> None:
    paper = Paper(LONG)
    paper.accept("long.entry#0")
    paper.report("long.entry#0", OrderStatus.EXPIRED)
    assert paper.ends() == {"long": "failed expired"}
    assert paper.verdict() == "failed"


def test_a_bracket_whose_entry_ends_half_filled_goes_on_as_that_size() -> None:
    paper = Paper(LONG)
    paper.accept("long.entry#0")
    paper.fill("long.entry#0", "0.002")
    paper.accept("long.stop_loss#0", "long.take_profit.1#0", "long.take_profit.2#0")
    paper.report("long.entry#0", OrderStatus.EXPIRED)
    assert paper.ends() == {}
    paper.trigger("long.stop_loss#0")
    paper.fill("long.stop_loss#0", "0.002", "59000")
    paper.cancelled("long.take_profit.1#0", "long.take_profit.2#0")
    assert paper.ends() == {"long": "succeeded"}


# ---- timeout ------------------------------------------------------------------------------------------------------


def test_a_timeout_counts_from_the_steps_start_and_cancels_what_is_not_filled() -> None:
    paper = Paper(
        "  - id: a\n    when: {delay: 10s}\n    timeout: 1m\n"
        "    entry: {side: BUY, quantity: 0.002, type: LIMIT, price: 60000}\n"
    )
    assert "timeout:a" not in paper.timers
    paper.fire("when:a.start")
    assert paper.timers["timeout:a"] - paper.now_ms == 60_000
    paper.accept("a.entry#0")
    paper.fill("a.entry#0", "0.001")
    paper.said()
    paper.fire("timeout:a")
    assert paper.said() == ["cancel a.entry#0"]
    assert paper.ends() == {}, "the exchange has not confirmed yet"
    paper.cancelled("a.entry#0")
    assert paper.ends() == {"a": "failed timed_out"}


def test_a_timeout_of_an_order_without_an_answer_yet_cancels_it_as_soon_as_it_has_one() -> None:
    paper = Paper(LIMIT_A + "    timeout: 800ms\n")
    paper.fire("timeout:a")
    assert paper.said() == ["place a.entry#0 LIMIT BUY 0.002 @60000"]
    paper.accept("a.entry#0")
    assert paper.said() == ["cancel a.entry#0"]


def test_a_timeout_after_the_end_of_the_step_does_nothing() -> None:
    paper = Paper(LIMIT_A + "    timeout: 1m\n  - id: w\n    when: {delay: 2m}\n    wait: {}\n")
    paper.fill("a.entry#0", "0.002")
    paper.said()
    paper.fire("timeout:a")
    assert paper.said() == []
    assert paper.ends() == {"a": "succeeded"}


@pytest.mark.parametrize("size", ["{filled: a}", "0.002"])
def test_a_timeout_never_touches_the_exits_of_an_open_quantity(size: str) -> None:
    paper = Paper(
        "  - id: a\n    entry: {side: BUY, quantity: 0.002, type: MARKET}\n"
        f"  - id: guard\n    after: {{a: first_fill}}\n    timeout: 1m\n    oco:\n      side: SELL\n"
        f"      quantity: {size}\n"
        "      take_profit: {price: 62000}\n      stop_loss: {stop_price: 59000}\n"
    )
    paper.fill("a.entry#0", "0.002")
    paper.accept("guard.stop_loss#0", "guard.take_profit#0")
    paper.said()
    paper.fire("timeout:guard")
    assert paper.said() == []
    assert "guard" not in paper.ends()
    assert any(isinstance(one, Remark) and one.code == "timeout" for one in paper.commands)


def test_on_timeout_close_closes_at_market_and_fails_the_step_as_timed_out() -> None:
    paper = Paper(LIMIT_A + GUARD + "    timeout: 1m\n    on_timeout: close\n")
    paper.fill("a.entry#0", "0.002")
    paper.accept("guard.stop_loss#0", "guard.take_profit#0")
    paper.said()
    paper.fire("timeout:guard")
    assert paper.said() == ["cancel guard.take_profit#0", "place guard.stop_loss#1 MARKET SELL 0.002 reduce-only"]
    paper.cancelled("guard.take_profit#0")
    paper.fill("guard.stop_loss#1", "0.002", "60500")
    assert paper.said() == ["cancel guard.stop_loss#0"], "protection goes last"
    paper.cancelled("guard.stop_loss#0")
    assert paper.ends()["guard"] == "failed timed_out"


def test_an_exit_that_times_out_keeps_working() -> None:
    paper = Paper(
        "  - id: x\n    timeout: 1m\n    exit: {side: SELL, quantity: 0.002, type: LIMIT, price: 61000}\n",
        positions={"BTCUSDT": "0.002"},
    )
    paper.accept("x.exit#0")
    paper.said()
    paper.fire("timeout:x")
    assert paper.said() == []
    paper.fill("x.exit#0", "0.002", "61000")
    assert paper.ends() == {"x": "succeeded"}


def test_a_twap_that_exits_goes_on_after_its_timeout() -> None:
    paper = Paper(
        "  - id: x\n    timeout: 1s\n    twap: {side: SELL, quantity: 0.004, slices: 2, every: 2s, type: LIMIT, "
        "price: 61000, reduce_only: true}\n",
        positions={"BTCUSDT": "0.004"},
    )
    paper.accept("x.slice.1#0")
    paper.said()
    paper.fire("timeout:x")
    assert paper.said() == []
    assert paper.ends() == {}


def test_a_wait_fails_at_its_timeout_which_counts_while_it_waits() -> None:
    paper = Paper("  - id: w\n    timeout: 1m\n    when: {price: {above: 61000}}\n    wait: {}\n")
    assert paper.timers["timeout:w"] - paper.now_ms == 60_000
    paper.fire("timeout:w")
    assert paper.ends() == {"w": "failed timed_out"}
    assert paper.watches == {}


# ---- on_failure ---------------------------------------------------------------------------------------------------


def test_on_failure_stop_cancels_what_can_open_manages_live_groups_and_ends_the_run_failed() -> None:
    paper = Paper(
        LONG + "  - id: bad\n    entry: {side: BUY, quantity: 0.001, type: LIMIT, price: 59500}\n"
        "  - id: later\n    after: bad\n" + ONE_MARKET_B
    )
    paper.accept("long.entry#0", "bad.entry#0")
    paper.fill("long.entry#0", "0.002")
    paper.accept("long.stop_loss#0", "long.take_profit.1#0", "long.take_profit.2#0")
    paper.said()
    paper.report("bad.entry#0", OrderStatus.EXPIRED)
    assert paper.said() == ["cancel long.entry#0"]
    paper.cancelled("long.entry#0")
    assert paper.verdict() is None, "the open 0.002 is managed to its end"
    paper.trigger("long.take_profit.1#0")
    paper.fill("long.take_profit.1#0", "0.001", "61000")
    paper.accept("long.stop_loss#1")
    paper.trigger("long.stop_loss#1")
    paper.fill("long.stop_loss#1", "0.001", "59000")
    paper.cancelled("long.take_profit.2#0", "long.stop_loss#0")
    assert paper.ends() == {
        "bad": "failed expired", "later": "skipped the run is stopping", "long": "cancelled stopped",
    }
    assert paper.verdict() == "failed"


def test_on_failure_continue_skips_only_the_dependants() -> None:
    paper = Paper(
        LIMIT_A + "  - id: b\n    after: a\n" + ONE_MARKET_B
        + "  - id: c\n    entry: {side: BUY, quantity: 0.002, type: LIMIT, price: 60000}\n"
    )
    paper.accept("c.entry#0")
    paper.reject("a.entry#0", -2019)
    assert paper.ends() == {"a": "failed rejected", "b": "skipped a failed"}
    assert not [line for line in paper.said() if line.startswith("cancel")]
    paper.fill("c.entry#0", "0.002")
    assert paper.verdict() == "failed"


def test_a_failure_that_a_waiter_takes_care_of_does_not_stop_the_others() -> None:
    paper = Paper(
        "  - id: a\n    entry: {side: BUY, quantity: 0.002, type: LIMIT, price: 60000}\n"
        "  - id: b\n    after: {a: any}\n" + ONE_MARKET_B
        + "  - id: c\n    entry: {side: BUY, quantity: 0.002, type: LIMIT, price: 60000}\n"
    )
    paper.accept("c.entry#0")
    paper.said()
    paper.reject("a.entry#0", -2019)
    assert paper.said() == ["place b.entry#0 MARKET BUY 0.001"]


def test_on_failure_flatten_closes_what_the_plan_opened_on_the_symbol() -> None:
    paper = Paper(
        LONG + "  - id: bad\n    on_failure: flatten\n    entry: {side: BUY, quantity: 0.001, type: LIMIT, "
               "price: 59500}\n"
    )
    paper.accept("long.entry#0", "bad.entry#0")
    paper.fill("long.entry#0", "0.002")
    paper.accept("long.stop_loss#0", "long.take_profit.1#0", "long.take_profit.2#0")
    paper.said()
    paper.report("bad.entry#0", OrderStatus.EXPIRED)
    assert paper.said() == [
        "cancel long.entry#0", "cancel long.take_profit.1#0", "cancel long.take_profit.2#0",
        "place long.stop_loss#1 MARKET SELL 0.002 reduce-only",
    ]
    paper.cancelled("long.entry#0", "long.take_profit.1#0", "long.take_profit.2#0")
    paper.fill("long.stop_loss#1", "0.002", "59900")
    paper.cancelled("long.stop_loss#0")
    assert paper.ends() == {"bad": "failed expired", "long": "cancelled flattened"}
    assert paper.verdict() == "failed"


def test_a_step_that_protects_a_filled_source_starts_also_after_a_failure() -> None:
    paper = Paper(LIMIT_A + "    timeout: 1m\n" + GUARD.replace("{a: first_fill}", "{a: any}") + """
  - id: bad
    entry: {side: BUY, quantity: 0.001, type: LIMIT, price: 59500}
""")
    paper.accept("a.entry#0", "bad.entry#0")
    paper.fill("a.entry#0", "0.001")
    paper.said()
    paper.report("bad.entry#0", OrderStatus.EXPIRED)
    assert paper.said() == ["cancel a.entry#0"]
    paper.cancelled("a.entry#0")
    assert "place guard.stop_loss#0 STOP_MARKET SELL 0.001 @59000 reduce-only" in paper.said()


def test_a_wait_that_leads_to_the_protection_of_a_filled_source_outlives_a_failure() -> None:
    paper = Paper(
        "  - id: a\n    entry: {side: BUY, quantity: 0.001, type: MARKET}\n"
        "  - id: w\n    after: a\n    when: {delay: 5s}\n    wait: {}\n"
        "  - id: other\n    when: {delay: 1h}\n    wait: {}\n"
        + GUARD.replace("{a: first_fill}", "w")
        + "  - id: bad\n    entry: {side: BUY, quantity: 0.001, type: LIMIT, price: 59500}\n"
    )
    paper.fill("a.entry#0", "0.001")
    paper.accept("bad.entry#0")
    paper.said()
    paper.report("bad.entry#0", OrderStatus.EXPIRED)
    assert paper.ends() == {
        "a": "succeeded", "bad": "failed expired", "other": "cancelled the run is stopping",
    }
    paper.fire("when:w.wait")
    assert "place guard.stop_loss#0 STOP_MARKET SELL 0.001 @59000 reduce-only" in paper.said()


def test_a_cancelled_step_triggers_no_on_failure() -> None:
    paper = Paper(
        "  - id: a\n    entry: {side: BUY, quantity: 0.002, type: LIMIT, price: 60000}\n"
        "  - id: c\n    when: {delay: 1s}\n    cancel: {steps: [a]}\n"
        "  - id: d\n    entry: {side: BUY, quantity: 0.002, type: LIMIT, price: 60000}\n"
    )
    paper.accept("a.entry#0", "d.entry#0")
    paper.fire("when:c.start")
    paper.cancelled("a.entry#0")
    assert paper.said()[-1:] == ["cancel a.entry#0"]
    assert paper.verdict() is None
    paper.fill("d.entry#0", "0.002")
    assert paper.verdict() == "succeeded"


# ---- cancel -------------------------------------------------------------------------------------------------------


def test_cancel_takes_back_what_can_open_leaves_exits_and_ends_when_it_is_confirmed() -> None:
    paper = Paper(LONG + "  - id: c\n    when: {delay: 1s}\n    cancel: {steps: [long]}\n")
    paper.accept("long.entry#0")
    paper.fill("long.entry#0", "0.002")
    paper.accept("long.stop_loss#0", "long.take_profit.1#0", "long.take_profit.2#0")
    paper.said()
    paper.fire("when:c.start")
    assert paper.said() == ["cancel long.entry#0"]
    assert paper.ends() == {}
    paper.cancelled("long.entry#0")
    assert paper.said() == []
    assert paper.ends() == {"c": "succeeded"}
    paper.trigger("long.stop_loss#0")
    paper.fill("long.stop_loss#0", "0.002", "59000")
    paper.cancelled("long.take_profit.1#0", "long.take_profit.2#0")
    assert paper.ends()["long"] == "succeeded"


def test_cancel_of_a_step_that_has_not_started_keeps_it_from_starting() -> None:
    paper = Paper(
        "  - id: a\n    when: {price: {above: 61000}}\n    entry: {side: BUY, quantity: 0.001, type: MARKET}\n"
        "  - id: c\n    cancel: {steps: [a]}\n"
    )
    assert paper.ends() == {"a": "cancelled cancelled", "c": "succeeded"}
    assert paper.watches == {}
    assert paper.verdict() == "succeeded"


def test_cancel_of_a_step_that_is_over_succeeds_at_once() -> None:
    paper = Paper(LIMIT_A + "  - id: c\n    after: a\n    cancel: {steps: [a]}\n")
    paper.fill("a.entry#0", "0.002")
    assert paper.ends() == {"a": "succeeded", "c": "succeeded"}


# ---- adopting a position ------------------------------------------------------------------------------------------


def test_an_exit_of_an_explicit_size_without_a_position_is_denied() -> None:
    paper = Paper("  - id: x\n    exit: {side: SELL, quantity: 0.002, type: MARKET}\n")
    assert paper.said() == []
    assert paper.ends() == {"x": "failed NO_POSITION"}
    denied = [one for one in paper.commands if isinstance(one, OrderDenied)]
    assert [(one.code, one.detail) for one in denied] == [("NO_POSITION", "asked=0.002 available=0")]


def test_a_ledger_of_an_explicit_exit_starts_at_what_is_there_and_more_is_denied() -> None:
    paper = Paper(
        "  - id: x\n    exit: {side: SELL, quantity: 0.005, type: MARKET}\n", positions={"BTCUSDT": "0.002"},
    )
    assert paper.said() == ["place x.exit#0 MARKET SELL 0.002 reduce-only"]
    denied = [one for one in paper.commands if isinstance(one, OrderDenied)]
    assert [(one.code, one.detail) for one in denied] == [("NO_POSITION", "asked=0.005 available=0.002")]


def test_a_position_that_another_group_holds_is_not_there_to_adopt() -> None:
    paper = Paper(LONG + "  - id: x\n    when: {delay: 1s}\n    exit: {side: SELL, quantity: 0.002, type: MARKET}\n")
    paper.accept("long.entry#0")
    paper.fill("long.entry#0", "0.004")
    paper.fire("when:x.start")
    assert paper.ends()["x"] == "failed NO_POSITION"


def test_two_exits_adopt_the_position_only_once() -> None:
    paper = Paper(
        "  - id: x\n    exit: {side: SELL, quantity: 0.002, type: LIMIT, price: 61000}\n"
        "  - id: y\n    exit: {side: SELL, quantity: 0.002, type: LIMIT, price: 62000}\n",
        positions={"BTCUSDT": "0.003"},
    )
    assert paper.said() == [
        "place x.exit#0 LIMIT SELL 0.002 @61000 reduce-only", "place y.exit#0 LIMIT SELL 0.001 @62000 reduce-only",
    ]


def test_an_exit_on_the_side_of_the_position_finds_none() -> None:
    paper = Paper(
        "  - id: x\n    exit: {side: BUY, quantity: 0.002, type: MARKET}\n", positions={"BTCUSDT": "0.003"},
    )
    assert paper.ends() == {"x": "failed NO_POSITION"}


def test_an_oco_of_the_position_takes_over_what_a_plain_entry_opened() -> None:
    paper = Paper(
        "  - id: a\n    entry: {side: BUY, quantity: 0.004, type: MARKET}\n"
        "  - id: o\n    after: a\n    oco: {side: SELL, quantity: {position: 50%}, take_profit: {price: 62000}, "
        "stop_loss: {stop_price: 59000}}\n"
        "  - id: x\n    after: {o: placed}\n    exit: {side: SELL, quantity: 0.004, type: MARKET}\n"
    )
    paper.fill("a.entry#0", "0.004")
    assert "place o.stop_loss#0 STOP_MARKET SELL 0.002 @59000 reduce-only" in paper.said()
    paper.accept("o.stop_loss#0", "o.take_profit#0")
    assert paper.said() == ["place x.exit#0 MARKET SELL 0.002 reduce-only"], "the other half is held already"


def test_a_position_share_counts_all_that_the_plan_holds_and_takes_what_no_group_holds() -> None:
    paper = Paper(
        LONG + "  - id: x\n    when: {delay: 1s}\n    exit: {side: SELL, quantity: {position: 50%}, type: MARKET}\n",
        positions={"BTCUSDT": "0.002"},
    )
    paper.accept("long.entry#0")
    paper.fill("long.entry#0", "0.004")
    paper.said()
    paper.fire("when:x.start")
    assert paper.said() == ["place x.exit#0 MARKET SELL 0.002 reduce-only"]
    denied = [one.detail for one in paper.commands if isinstance(one, OrderDenied)]
    assert denied == ["asked=0.003 available=0.002"]


def test_a_position_share_of_nothing_skips_the_step() -> None:
    paper = Paper("  - id: x\n    exit: {side: SELL, quantity: {position: 100%}, type: MARKET}\n")
    assert paper.ends() == {"x": "skipped nothing_to_do"}
    assert paper.verdict() == "succeeded"


def test_an_exit_of_a_source_that_ended_empty_has_nothing_to_do() -> None:
    paper = Paper(LIMIT_A + "  - id: x\n    after: {a: any}\n    exit: {side: SELL, quantity: {filled: a}, "
                            "type: MARKET}\n")
    paper.accept("a.entry#0")
    paper.report("a.entry#0", OrderStatus.EXPIRED)
    assert paper.ends() == {"a": "failed expired", "x": "skipped nothing_to_do"}


def test_an_oco_of_a_source_that_has_filled_nothing_yet_waits_for_its_fills() -> None:
    paper = Paper(LIMIT_A + GUARD.replace("first_fill", "placed"))
    paper.accept("a.entry#0")
    assert paper.said() == ["place a.entry#0 LIMIT BUY 0.002 @60000"]
    paper.fill("a.entry#0", "0.002")
    assert paper.said()[0] == "place guard.stop_loss#0 STOP_MARKET SELL 0.002 @59000 reduce-only"


# ---- Ctrl-C -------------------------------------------------------------------------------------------------------


def test_a_stop_of_the_run_skips_what_has_not_started_and_takes_back_what_can_open() -> None:
    paper = Paper(
        LIMIT_A + "  - id: b\n    after: a\n" + ONE_MARKET_B
        + "  - id: w\n    when: {price: {above: 70000}}\n    wait: {}\n"
        "  - id: c\n    when: {price: {above: 70000}}\n" + ONE_MARKET_B
    )
    paper.accept("a.entry#0")
    paper.said()
    paper.give(StopRequested(paper.now_ms))
    assert paper.said() == ["cancel a.entry#0"]
    assert paper.verdict() is None
    paper.cancelled("a.entry#0")
    assert paper.verdict() == "stopped"
    assert paper.watches == {}
    assert paper.ends()["a"] == "cancelled stopped"


def test_the_quantity_that_a_step_starts_with_is_told() -> None:
    paper = Paper(LIMIT_A)
    assert [getattr(one, "quantity", None) for one in paper.commands if hasattr(one, "step_id")] == [Decimal("0.002")]


def test_waiters_that_become_ready_at_one_moment_start_in_file_order() -> None:
    paper = Paper(
        "  - id: z\n    after: a\n" + ONE_MARKET_B + LIMIT_A + "  - id: m\n    after: {a: filled}\n" + ONE_MARKET_B
        + "  - id: b\n    after: a\n" + ONE_MARKET_B
    )
    paper.said()
    paper.fill("a.entry#0", "0.002")
    assert [line.split()[1] for line in paper.said()] == ["z.entry#0", "m.entry#0", "b.entry#0"]


def test_a_step_cancelled_before_its_waiting_was_over_does_not_start_afterwards() -> None:
    paper = Paper(
        LIMIT_A + "  - id: b\n    after: a\n" + ONE_MARKET_B
        + "  - id: c\n    when: {delay: 1s}\n    cancel: {steps: [b]}\n",
    )
    paper.fire("when:c.start")
    paper.said()
    paper.fill("a.entry#0", "0.002")
    assert paper.said() == []
    assert paper.ends() == {"b": "cancelled cancelled", "c": "succeeded", "a": "succeeded"}


def test_a_wait_that_leads_to_protection_is_skipped_once_there_is_nothing_left_to_protect() -> None:
    paper = Paper(
        "  - id: a\n    entry: {side: BUY, quantity: 0.001, type: MARKET}\n"
        "  - id: first\n    after: a\n    when: {delay: 1s}\n    wait: {}\n"
        "  - id: second\n    after: first\n    when: {delay: 1s}\n    wait: {}\n"
        + GUARD.replace("{a: first_fill}", "second")
        + "  - id: x\n    after: a\n    exit: {side: SELL, quantity: {filled: a}, type: LIMIT, price: 61000}\n"
        "  - id: bad\n    entry: {side: BUY, quantity: 0.001, type: LIMIT, price: 59500}\n"
    )
    paper.fill("a.entry#0", "0.001")
    paper.accept("bad.entry#0", "x.exit#0")
    paper.report("bad.entry#0", OrderStatus.EXPIRED)
    paper.fill("x.exit#0", "0.001", "61000")
    paper.fire("when:first.wait")
    assert paper.ends()["second"] == "skipped the run is stopping"
    assert paper.verdict() == "failed"
