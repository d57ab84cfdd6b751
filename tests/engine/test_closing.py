"""Closing at market: the bound of protection, `flatten`, and positions that are gone."""

from decimal import Decimal

import pytest

from runner.domain.commands import GroupProtected, OrderDenied, Remark
from runner.domain.events import PositionReport, StopRequested
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


def opened(steps: str = LONG, filled: str = "0.004", **more: str) -> Paper:
    """The bracket with its entry filled, and nothing of its exits answered yet."""
    paper = Paper(steps, **more)  # type: ignore[arg-type]
    paper.accept("long.entry#0")
    paper.fill("long.entry#0", filled)
    return paper


def protected(steps: str = LONG, filled: str = "0.004", **more: str) -> Paper:
    paper = opened(steps, filled, **more)
    paper.accept("long.stop_loss#0", "long.take_profit#0")
    paper.said()
    return paper


def codes(paper: Paper) -> list[str]:
    return [one.code for one in paper.commands if isinstance(one, Remark)]


# ---- the bound ----------------------------------------------------------------------------------------------------


def test_the_clock_of_protection_runs_from_the_fill_until_a_stop_is_confirmed() -> None:
    paper = opened()
    assert paper.timers["bound:long"] - paper.now_ms == 2_000
    paper.now_ms += 150
    paper.accept("long.stop_loss#0")
    assert "bound:long" not in paper.timers
    assert [one.unprotected_ms for one in paper.commands if isinstance(one, GroupProtected)] == [150]


def test_the_bound_is_the_plans_own() -> None:
    paper = opened(LONG + "    protected_within: 500ms\n")
    assert paper.timers["bound:long"] - paper.now_ms == 500


def test_only_open_quantity_beyond_the_confirmed_stops_starts_the_clock_and_a_shrink_does_not() -> None:
    paper = Paper(LONG.replace(
        "take_profit: {price: 61000}", "take_profit: [{price: 61000, portion: 50%}, {price: 62000, portion: 50%}]",
    ))
    paper.fill("long.entry#0", "0.004")
    paper.accept("long.stop_loss#0", "long.take_profit.1#0", "long.take_profit.2#0")
    paper.trigger("long.take_profit.1#0")
    paper.fill("long.take_profit.1#0", "0.002", "61000")
    assert "place long.stop_loss#1 STOP_MARKET SELL 0.002 @59000 reduce-only" in paper.said()
    assert "bound:long" not in paper.timers


def test_a_stop_that_ends_without_our_asking_starts_the_clock_and_is_replaced_at_once() -> None:
    paper = protected()
    paper.report("long.stop_loss#0", OrderStatus.EXPIRED)
    assert paper.said() == ["place long.stop_loss#1 STOP_MARKET SELL 0.004 @59000 reduce-only"]
    assert paper.timers["bound:long"] - paper.now_ms == 2_000


def test_at_the_bound_a_market_close_is_sent_beside_the_stop_and_the_step_fails_unprotected() -> None:
    paper = opened()
    paper.accept("long.take_profit#0")
    paper.fire("twin:long.stop_loss")
    paper.said()
    paper.fire("bound:long")
    assert paper.said() == ["cancel long.take_profit#0", "place long.stop_loss#2 MARKET SELL 0.004 reduce-only"]
    paper.cancelled("long.take_profit#0")
    paper.fill("long.stop_loss#2", "0.004", "59900")
    paper.accept("long.stop_loss#0", "long.stop_loss#1")
    paper.cancelled("long.stop_loss#0", "long.stop_loss#1")
    assert paper.ends() == {"long": "failed unprotected"}


def test_the_openers_cancel_is_sent_with_the_close_and_not_awaited() -> None:
    paper = opened(filled="0.002")
    paper.said()
    paper.fire("bound:long")
    said = paper.said()
    assert said[0] == "cancel long.entry#0"
    assert "place long.stop_loss#1 MARKET SELL 0.002 reduce-only" in said


def test_a_close_does_not_wait_for_the_pause_of_a_stop_that_was_just_refused() -> None:
    paper = opened()
    paper.accept("long.take_profit#0")
    bound_ms = paper.timers["bound:long"]
    paper.now_ms = bound_ms - 100
    paper.reject("long.stop_loss#0", -4045)
    paper.said()
    paper.fire("bound:long")
    assert paper.now_ms == bound_ms
    assert [line for line in paper.said() if line.startswith("place")] == [
        "place long.stop_loss#0 MARKET SELL 0.004 reduce-only",
    ]


def test_until_a_stop_stands_or_nothing_is_open_both_are_tried_again_with_pauses_of_at_most_a_second() -> None:
    paper = opened()
    paper.accept("long.take_profit#0")
    tried = {"STOP_MARKET": 0, "MARKET": 0}
    paper.said()
    paper.reject("long.stop_loss#0", -4045)
    bound_ms = paper.timers["bound:long"]
    while paper.now_ms < bound_ms + 10_000:
        due = min(paper.timers, key=lambda one: paper.timers[one])
        assert paper.timers[due] - paper.now_ms <= 1_000
        paper.fire(due)
        for line in paper.said():
            words = line.split()
            if words[0] in ("place", "again"):
                if paper.now_ms >= bound_ms:
                    tried[words[2]] += 1
                paper.reject(words[1], -4045 if words[2] == "STOP_MARKET" else -1001)
    assert tried["STOP_MARKET"] >= 9
    assert tried["MARKET"] >= 9
    assert paper.verdict() is None, "the run does not end"


def test_a_stop_that_stands_after_the_bound_ends_the_closing_but_the_step_still_fails() -> None:
    paper = opened()
    paper.fire("twin:long.stop_loss")
    paper.fire("bound:long")
    paper.reject("long.stop_loss#2", -1001)
    paper.accept("long.stop_loss#1", "long.stop_loss#0")
    paper.cancelled("long.stop_loss#0")
    paper.said()
    for timer in list(paper.timers):
        if timer.startswith(("close", "pause", "retry")):
            paper.fire(timer)
    assert not [line for line in paper.said() if "MARKET SELL" in line and "STOP" not in line.split()[2]]
    paper.trigger("long.stop_loss#1")
    paper.fill("long.stop_loss#1", "0.004", "59000")
    for name in [one for one in paper.names if "take_profit" in one]:
        paper.cancelled(name)
    assert paper.ends() == {"long": "failed unprotected"}


def test_a_bound_that_fires_after_the_stop_stands_does_nothing() -> None:
    paper = opened()
    paper.accept("long.stop_loss#0", "long.take_profit#0")
    paper.said()
    paper.timers["bound:long"] = paper.now_ms
    paper.fire("bound:long")
    assert paper.said() == []


def test_a_run_asked_to_stop_does_not_end_before_what_is_open_is_protected() -> None:
    paper = opened()
    paper.give(StopRequested(paper.now_ms))
    assert paper.verdict() is None
    paper.accept("long.take_profit#0")
    assert paper.verdict() is None
    paper.accept("long.stop_loss#0")
    assert paper.verdict() == "stopped"


# ---- flatten ------------------------------------------------------------------------------------------------------

RESTING = LONG.replace("take_profit: {price: 61000}", "take_profit: {type: LIMIT, price: 61000}")
FLATTEN = "  - id: out\n    when: {delay: 1s}\n    flatten: {}\n"


def test_flatten_cancels_what_can_open_then_exits_that_block_then_closes_and_cancels_stops_last() -> None:
    paper = protected(RESTING + FLATTEN, "0.002")
    paper.fire("when:out.start")
    assert paper.said() == ["cancel long.entry#0", "cancel long.take_profit#0"], "a resting LIMIT blocks the close"
    paper.cancelled("long.take_profit#0")
    assert paper.said() == ["place long.stop_loss#1 MARKET SELL 0.002 reduce-only"]
    paper.cancelled("long.entry#0")
    paper.fill("long.stop_loss#1", "0.002", "59900")
    assert paper.said() == ["cancel long.stop_loss#0"]
    paper.cancelled("long.stop_loss#0")
    assert paper.ends() == {"long": "cancelled flattened", "out": "succeeded"}
    assert paper.verdict() == "succeeded"


def test_flatten_does_not_wait_for_ever_for_an_exit_that_blocks() -> None:
    paper = protected(RESTING + FLATTEN)
    paper.fire("when:out.start")
    paper.said()
    assert paper.timers["close:long"] - paper.now_ms == 500
    paper.fire("close:long")
    assert paper.said() == ["place long.stop_loss#1 MARKET SELL 0.004 reduce-only"]


def test_flatten_closes_what_an_opener_still_fills_before_its_cancel_takes_effect() -> None:
    paper = protected(LONG + FLATTEN, "0.002")
    paper.fire("when:out.start")
    paper.fill("long.stop_loss#1", "0.002", "59900")
    paper.said()
    paper.fill("long.entry#0", "0.001", "60000")
    assert paper.said() == ["place long.stop_loss#2 MARKET SELL 0.001 reduce-only"]


@pytest.mark.parametrize("code", [-2022, -4118])
def test_a_close_that_is_refused_as_reduce_only_reads_the_position_and_is_repeated(code: int) -> None:
    paper = protected(LONG + FLATTEN)
    paper.fire("when:out.start")
    paper.cancelled("long.take_profit#0")
    paper.said()
    paper.reject("long.stop_loss#1", code)
    assert paper.said() == []
    assert "read:long" in paper.timers
    paper.fire(min((one for one in paper.timers if one.startswith("pause:")), key=lambda one: paper.timers[one]))
    assert paper.said() == ["place long.stop_loss#1 MARKET SELL 0.004 reduce-only"]


def test_flatten_closes_in_parts_where_the_market_lot_size_asks() -> None:
    paper = Paper("  - id: t\n    twap: {side: BUY, quantity: 250, slices: 3, every: 100ms}\n" + FLATTEN)
    paper.fill("t.slice.1#0", "83.333")
    paper.fire("edge:1")
    paper.fill("t.slice.2#0", "83.333")
    paper.said()
    paper.fire("when:out.start")
    assert paper.said() == [
        "place t.slice.1#1 MARKET SELL 120 reduce-only", "place t.slice.1#2 MARKET SELL 46.666 reduce-only",
    ]


def test_flatten_of_a_symbol_on_which_nothing_is_open_succeeds_at_once() -> None:
    assert Paper("  - id: out\n    flatten: {}\n").ends() == {"out": "succeeded"}


def test_flatten_closes_a_plain_entry_that_has_no_exits() -> None:
    paper = Paper("  - id: a\n    entry: {side: BUY, quantity: 0.002, type: MARKET}\n" + FLATTEN)
    paper.fill("a.entry#0", "0.002")
    paper.said()
    paper.fire("when:out.start")
    assert paper.said() == ["place a.entry#1 MARKET SELL 0.002 reduce-only"]
    paper.fill("a.entry#1", "0.002", "60100")
    assert paper.ends() == {"a": "succeeded", "out": "succeeded"}


def test_flatten_leaves_other_symbols_alone() -> None:
    paper = Paper(
        "  - id: e\n    symbol: ETHUSDT\n    entry: {side: BUY, quantity: 1, type: MARKET}\n" + FLATTEN,
    )
    paper.fill("e.entry#0", "1")
    paper.said()
    paper.fire("when:out.start")
    assert paper.said() == []
    assert paper.ends()["out"] == "succeeded"


def test_what_waits_for_a_stop_loss_does_not_start_when_the_position_was_flattened() -> None:
    paper = protected(
        LONG + FLATTEN + "  - id: again\n    after: [long.stop_loss]\n    entry: {side: BUY, quantity: 0.001, "
                         "type: MARKET}\n",
    )
    paper.fire("when:out.start")
    paper.cancelled("long.take_profit#0")
    paper.fill("long.stop_loss#1", "0.004", "59900")
    paper.cancelled("long.stop_loss#0")
    assert paper.ends()["again"].startswith("skipped")


def test_a_stop_of_the_run_that_flattens_closes_everything_and_then_ends() -> None:
    paper = protected()
    paper.give(StopRequested(paper.now_ms, flatten=True))
    assert paper.said() == ["cancel long.take_profit#0", "place long.stop_loss#1 MARKET SELL 0.004 reduce-only"]
    assert paper.verdict() is None
    paper.cancelled("long.take_profit#0")
    paper.fill("long.stop_loss#1", "0.004", "59900")
    paper.cancelled("long.stop_loss#0")
    assert paper.verdict() == "stopped"
    assert paper.ends() == {"long": "cancelled flattened"}


# ---- flatten with scope: account ----------------------------------------------------------------------------------

ACCOUNT = "  - id: out\n    when: {delay: 1s}\n    flatten: {scope: account}\n"


def test_flatten_of_the_account_closes_the_net_position_whoever_opened_it() -> None:
    paper = Paper(ACCOUNT)
    paper.fire("when:out.start")
    paper.fire("flat:out")
    assert paper.said() == ["read BTCUSDT"]
    paper.position("-0.5")
    assert paper.said() == ["place out.flatten#0 MARKET BUY 0.5 reduce-only"]
    paper.fill("out.flatten#0", "0.5")
    assert paper.ends() == {"out": "succeeded"}


def test_flatten_of_the_account_closes_the_plans_own_first_and_reads_what_is_left_two_seconds_later() -> None:
    paper = protected(LONG + ACCOUNT)
    paper.fire("when:out.start")
    paper.cancelled("long.take_profit#0")
    paper.fill("long.stop_loss#1", "0.004", "59900")
    filled_ms = paper.now_ms
    paper.cancelled("long.stop_loss#0")
    assert paper.timers["flat:out"] == filled_ms + 2_000
    paper.said()
    paper.fire("flat:out")
    assert paper.said() == ["read BTCUSDT"]
    paper.position("0")
    assert paper.ends() == {"long": "cancelled flattened", "out": "succeeded"}


def test_flatten_of_the_account_closes_a_large_position_in_parts() -> None:
    paper = Paper(ACCOUNT)
    paper.fire("when:out.start")
    paper.fire("flat:out")
    paper.said()
    paper.position("130")
    assert paper.said() == [
        "place out.flatten#0 MARKET SELL 120 reduce-only", "place out.flatten#1 MARKET SELL 10 reduce-only",
    ]


def test_a_pushed_position_or_that_of_another_symbol_is_no_answer_to_a_flatten_of_the_account() -> None:
    paper = Paper(ACCOUNT)
    paper.fire("when:out.start")
    paper.fire("flat:out")
    paper.said()
    paper.give(PositionReport(paper.now_ms, "BTCUSDT", Decimal("0.5")))
    paper.position("3", "ETHUSDT")
    assert paper.said() == []
    assert paper.ends() == {}


# ---- the position behind the ledger -------------------------------------------------------------------------------


def doubted(paper: Paper) -> Paper:
    """The exchange has refused a stop as reduce-only."""
    paper.accept("long.take_profit#0")
    paper.reject("long.stop_loss#0", -2022)
    paper.said()
    return paper


def test_a_position_is_read_only_once_the_figure_can_be_newer_than_our_last_fill() -> None:
    paper = opened()
    filled_ms = paper.now_ms
    doubted(paper)
    assert paper.timers["read:long"] == filled_ms + 2_000


def test_a_position_is_gone_when_two_reads_a_second_apart_agree_and_then_stops_are_cancelled_last() -> None:
    paper = protected()
    paper.report("long.take_profit#0", OrderStatus.EXPIRED)
    paper.accept("long.take_profit#1")
    paper.said()
    paper.fire("read:long")
    assert paper.said() == ["read BTCUSDT"]
    paper.position("0")
    assert paper.timers["read:long"] - paper.now_ms == 1_000
    assert paper.ends() == {}
    paper.fire("read:long")
    paper.position("0")
    assert paper.said() == ["read BTCUSDT", "cancel long.take_profit#1", "cancel long.stop_loss#0"]
    paper.cancelled("long.take_profit#1", "long.stop_loss#0")
    assert paper.ends() == {"long": "failed position_gone"}
    assert "position_gone" in codes(paper)
    assert paper.said() == [], "there is no loop"


def test_a_position_that_our_own_stop_closed_unheard_is_not_gone() -> None:
    """The user stream is silent: the first empty read makes us ask for our exits before anything is written off."""
    paper = protected()
    paper.report("long.take_profit#0", OrderStatus.EXPIRED)
    paper.accept("long.take_profit#1")
    paper.said()
    paper.fire("read:long")
    paper.give(PositionReport(paper.now_ms, "BTCUSDT", Decimal(0), paper.now_ms))
    assert paper.said() == ["read BTCUSDT", "query long.stop_loss#0", "query long.take_profit#1"]
    paper.fire("read:long")
    paper.give(PositionReport(paper.now_ms, "BTCUSDT", Decimal(0), paper.now_ms))
    assert (paper.ends(), codes(paper)) == ({}, [])
    paper.report("long.stop_loss#0", OrderStatus.FILLED, filled="0.004", px="59000")
    assert paper.said() == ["read BTCUSDT", "cancel long.take_profit#1"]
    paper.cancelled("long.take_profit#1")
    assert paper.ends() == {"long": "succeeded"}


def test_a_fill_between_two_empty_reads_starts_the_doubt_again() -> None:
    paper = doubted(opened(filled="0.002"))
    paper.fire("read:long")
    paper.position("0")
    paper.now_ms += 500
    paper.fill("long.entry#0", "0.001")
    paper.cancelled("long.take_profit#0")
    paper.accept("long.take_profit#1", "long.stop_loss#0")
    paper.fire("read:long")
    paper.position("0")
    assert paper.ends() == {}, "this read is not newer than the fill"
    paper.fire("read:long")
    paper.position("0")
    assert paper.ends() == {}, "the first that counts"
    paper.fire("read:long")
    paper.position("0")
    paper.cancelled("long.entry#0", "long.take_profit#1")
    assert "position_gone" in codes(paper)


def test_a_read_that_began_too_soon_after_our_last_fill_is_asked_for_again() -> None:
    paper = doubted(opened())
    paper.fire("read:long")
    paper.give(PositionReport(paper.now_ms, "BTCUSDT", Decimal(0), paper.now_ms - 1))
    assert "read:long" in paper.timers
    assert paper.ends() == {}


def test_a_position_that_is_there_ends_the_doubt() -> None:
    paper = doubted(opened())
    paper.fire("read:long")
    paper.position("0.004")
    paper.fire("retry:long.stop_loss")
    assert paper.said()[-1] == "place long.stop_loss#0 STOP_MARKET SELL 0.004 @59000 reduce-only"
    assert "read:long" not in paper.timers


def test_exits_are_sized_to_a_position_that_is_smaller_than_the_ledger() -> None:
    paper = doubted(opened())
    paper.fire("read:long")
    paper.position("0.003")
    paper.fire("retry:long.stop_loss")
    said = paper.said()
    assert "place long.stop_loss#0 STOP_MARKET SELL 0.003 @59000 reduce-only" in said
    assert "cancel long.take_profit#0" in said


def test_a_short_position_is_read_on_its_own_side() -> None:
    paper = opened(LONG.replace("BUY", "SELL").replace("61000", "58000").replace("59000", "61000"))
    doubted(paper)
    paper.fire("read:long")
    paper.position("-0.004")
    assert paper.ends() == {}
    paper.fire("retry:long.stop_loss")
    assert "place long.stop_loss#0 STOP_MARKET BUY 0.004 @61000 reduce-only" in paper.said()


def test_a_position_that_turned_to_the_other_side_is_gone() -> None:
    paper = doubted(opened())
    for _ in range(2):
        paper.fire("read:long")
        paper.position("-1")
    assert "position_gone" in codes(paper)


def test_nothing_of_this_is_a_denial() -> None:
    paper = doubted(opened())
    assert not [one for one in paper.commands if isinstance(one, OrderDenied)]


def test_a_pushed_position_that_is_later_than_our_last_fill_sizes_the_exits() -> None:
    paper = protected()
    paper.give(PositionReport(paper.now_ms + 1, "BTCUSDT", Decimal("0.003")))
    assert paper.said() == [
        "place long.stop_loss#1 STOP_MARKET SELL 0.003 @59000 reduce-only", "cancel long.take_profit#0",
    ]


@pytest.mark.parametrize("later_ms", [-1, 0])
def test_a_pushed_position_that_is_not_later_than_our_last_fill_counts_for_nothing(later_ms: int) -> None:
    paper = protected()
    filled_ms = paper.now_ms
    paper.give(PositionReport(filled_ms + later_ms, "BTCUSDT", Decimal("0.003")))
    paper.give(PositionReport(filled_ms + later_ms, "BTCUSDT", Decimal(0)))
    assert paper.said() == []
    assert "read:long" not in paper.timers


def test_a_pushed_empty_position_is_doubted_and_read_twice_before_it_counts_as_gone() -> None:
    paper = protected()
    paper.give(PositionReport(paper.now_ms + 1, "BTCUSDT", Decimal(0)))
    assert paper.said() == []
    for _ in range(2):
        paper.fire("read:long")
        paper.position("0")
    paper.cancelled("long.take_profit#0", "long.stop_loss#0")
    assert paper.ends() == {"long": "failed position_gone"}


def test_a_position_that_is_whole_again_lets_the_exits_grow_again() -> None:
    paper = protected()
    paper.give(PositionReport(paper.now_ms + 1, "BTCUSDT", Decimal("0.003")))
    paper.accept("long.stop_loss#1")
    paper.cancelled("long.stop_loss#0", "long.take_profit#0")
    paper.said()
    paper.give(PositionReport(paper.now_ms + 2, "BTCUSDT", Decimal("0.004")))
    assert paper.said()[0] == "place long.stop_loss#2 STOP_MARKET SELL 0.004 @59000 reduce-only"
