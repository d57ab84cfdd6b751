"""Slices of a TWAP on their way: when they go, what they carry, and what is done with the rest."""

from decimal import Decimal

import pytest

from runner.domain.commands import Remark, StepEnded
from runner.domain.orders import OrderStatus
from tests.engine.paper import START_MS, Paper


def twap(fields: str, head: str = "", more: str = "", **kinds: object) -> Paper:
    return Paper(f"  - id: t\n    twap: {{side: BUY, {fields}}}\n{more}", head, **kinds)  # type: ignore[arg-type]


def edges(paper: Paper) -> list[str]:
    """Timers of slices that are still due, earliest first."""
    return sorted((one for one in paper.timers if one.startswith("edge:")), key=lambda one: paper.timers[one])


def due(paper: Paper) -> list[str]:
    """Let the next slice come due, and say what it brings."""
    paper.said()
    paper.fire(edges(paper)[0])
    return paper.said()


LIMITED = "quantity: 0.009, slices: 3, every: 2s, type: LIMIT, price: 60000"


def test_the_first_slice_goes_at_once_and_each_other_at_its_absolute_time() -> None:
    paper = twap("quantity: 0.009, slices: 3, every: 2s")
    assert paper.said() == ["place t.slice.1#0 MARKET BUY 0.003"]
    assert [paper.timers[one] - START_MS for one in edges(paper)] == [2_000, 4_000]


def test_over_is_divided_by_the_slices() -> None:
    assert [twap("quantity: 0.009, slices: 3, over: 6s").timers[one] - START_MS for one in ("edge:1", "edge:2")] == [
        2_000, 4_000,
    ]


def test_a_slow_slice_does_not_delay_the_rest_and_counts_as_on_its_way() -> None:
    paper = twap("quantity: 0.009, slices: 3, every: 2s")
    assert due(paper) == ["place t.slice.2#0 MARKET BUY 0.003"]
    paper.fill("t.slice.2#0", "0.003")
    assert due(paper) == ["place t.slice.3#0 MARKET BUY 0.003"]
    paper.fill("t.slice.1#0", "0.003")
    paper.fill("t.slice.3#0", "0.003")
    assert paper.ends() == {"t": "succeeded"}


def test_slices_are_sized_to_sum_exactly() -> None:
    paper = twap("quantity: 0.010, slices: 3, every: 2s")
    paper.fill("t.slice.1#0", "0.003")
    assert due(paper) == ["place t.slice.2#0 MARKET BUY 0.003"]
    paper.fill("t.slice.2#0", "0.003")
    assert due(paper) == ["place t.slice.3#0 MARKET BUY 0.004"]


def test_a_limit_slice_is_cancelled_at_the_next_due_time_and_the_cancel_confirmed_before_the_next_goes() -> None:
    paper = twap(LIMITED)
    paper.accept("t.slice.1#0")
    paper.fill("t.slice.1#0", "0.001")
    assert due(paper) == ["cancel t.slice.1#0"]
    # the cancel loses to another fill, which is not sent a second time
    paper.fill("t.slice.1#0", "0.001")
    assert paper.said() == []
    paper.cancelled("t.slice.1#0")
    assert paper.said() == ["place t.slice.2#0 LIMIT BUY 0.004 @60000"]


def test_a_limit_slice_that_has_filled_makes_the_next_go_at_once() -> None:
    paper = twap(LIMITED)
    paper.fill("t.slice.1#0", "0.003")
    assert due(paper) == ["place t.slice.2#0 LIMIT BUY 0.003 @60000"]


@pytest.mark.parametrize(("catch_up", "second", "third"), [
    ("next", "0.006", "0.009"), ("spread", "0.004", "0.009"), ("skip", "0.003", "0.003"),
])
def test_the_rest_of_a_slice_is_carried_by_catch_up(catch_up: str, second: str, third: str) -> None:
    paper = twap(f"{LIMITED}, catch_up: {catch_up}")
    paper.accept("t.slice.1#0")
    due(paper)
    paper.cancelled("t.slice.1#0")
    assert paper.said() == [f"place t.slice.2#0 LIMIT BUY {second} @60000"]
    paper.accept("t.slice.2#0")
    due(paper)
    paper.cancelled("t.slice.2#0")
    assert paper.said() == [f"place t.slice.3#0 LIMIT BUY {third} @60000"]


def test_a_slice_that_was_overtaken_while_it_waited_is_carried_by_the_one_behind_it() -> None:
    paper = twap(LIMITED)
    paper.accept("t.slice.1#0")
    assert due(paper) == ["cancel t.slice.1#0"]
    assert due(paper) == [], "the cancel is still not confirmed"
    paper.cancelled("t.slice.1#0")
    assert paper.said() == ["place t.slice.3#0 LIMIT BUY 0.009 @60000"]


def test_a_slice_without_a_clear_answer_is_cancelled_once_it_is_found() -> None:
    paper = twap(LIMITED)
    paper.lose("t.slice.1#0")
    assert due(paper) == []
    paper.accept("t.slice.1#0")
    assert paper.said() == ["cancel t.slice.1#0"]


def test_a_limit_by_distance_counts_from_the_mark_of_each_slices_own_time() -> None:
    paper = twap("quantity: 0.006, slices: 2, every: 2s, type: LIMIT, distance: 100")
    assert paper.said() == ["place t.slice.1#0 LIMIT BUY 0.003 @59900"]
    paper.fill("t.slice.1#0", "0.003", "59900")
    paper.price = Decimal(61_000)
    assert due(paper) == ["place t.slice.2#0 LIMIT BUY 0.003 @60900"]


def test_a_refused_slice_does_not_stop_the_schedule_and_is_carried() -> None:
    paper = twap("quantity: 0.009, slices: 3, every: 2s")
    paper.reject("t.slice.1#0", -2019)
    assert paper.ends() == {}
    assert due(paper) == ["place t.slice.2#0 MARKET BUY 0.006"]
    paper.fill("t.slice.2#0", "0.006")
    due(paper)
    paper.fill("t.slice.3#0", "0.003")
    assert paper.ends() == {"t": "succeeded"}


def test_slices_that_are_all_refused_fail_with_that_reason() -> None:
    paper = twap("quantity: 0.006, slices: 2, every: 2s")
    paper.reject("t.slice.1#0", -2019)
    due(paper)
    paper.reject("t.slice.2#0", -2019)
    assert paper.ends() == {"t": "failed rejected"}


def test_a_slice_worth_less_than_the_exchange_takes_is_carried_by_the_next() -> None:
    paper = twap("quantity: 0.004, slices: 4, every: 2s", price="40000")
    assert paper.said() == []
    assert due(paper) == ["place t.slice.2#0 MARKET BUY 0.002"]


# ---- what is left after the last ----------------------------------------------------------------------------------


def last_slice_rests(fields: str, more: str = "") -> Paper:
    paper = twap(f"quantity: 0.006, slices: 2, every: 2s, type: LIMIT, price: 60000{fields}", more=more)
    paper.fill("t.slice.1#0", "0.003")
    due(paper)
    paper.accept("t.slice.2#0")
    paper.fill("t.slice.2#0", "0.001")
    paper.said()
    assert paper.timers["end:t"] == START_MS + 4_000
    paper.fire("end:t")
    assert paper.said() == ["cancel t.slice.2#0"]
    paper.cancelled("t.slice.2#0")
    return paper


def test_what_is_left_after_the_last_slice_fails_the_step_as_incomplete() -> None:
    assert last_slice_rests("").ends() == {"t": "failed incomplete"}


def test_with_skip_the_step_succeeds_and_shows_the_shortfall() -> None:
    paper = last_slice_rests(", catch_up: skip")
    assert paper.ends() == {"t": "succeeded"}
    assert [one.detail for one in paper.commands if isinstance(one, StepEnded)] == [
        "shortfall=0.002 executed=0.004 of=0.006",
    ]


def test_finish_market_sends_what_is_left_at_market() -> None:
    more = "  - id: b\n    after: {t: filled}\n    wait: {}\n    when: {delay: 1h}\n"
    paper = last_slice_rests(", finish: MARKET", more=more)
    assert paper.said() == ["place t.slice.2#1 MARKET BUY 0.002"]
    assert any(isinstance(one, Remark) and one.code == "finish" for one in paper.commands)
    paper.fill("t.slice.2#1", "0.002", "60100")
    assert paper.ends() == {"t": "succeeded"}
    assert "when:b.wait" in paper.timers, "the step is filled"


def test_finish_market_counts_what_skip_has_dropped() -> None:
    paper = last_slice_rests(", catch_up: skip, finish: MARKET")
    assert paper.said() == ["place t.slice.2#1 MARKET BUY 0.002"]


def test_finish_market_that_is_refused_leaves_the_step_incomplete() -> None:
    paper = last_slice_rests(", finish: MARKET")
    paper.reject("t.slice.2#1", -2019)
    assert paper.ends() == {"t": "failed incomplete"}


def test_finish_market_buys_nothing_once_the_run_is_stopping() -> None:
    paper = twap(
        "quantity: 0.006, slices: 2, every: 2s, type: LIMIT, price: 60000, finish: MARKET",
        more="  - id: bad\n    entry: {side: BUY, quantity: 0.001, type: LIMIT, price: 59000}\n",
    )
    paper.accept("t.slice.1#0", "bad.entry#0")
    paper.said()
    paper.report("bad.entry#0", OrderStatus.EXPIRED)
    paper.cancelled("t.slice.1#0")
    assert paper.said() == ["cancel t.slice.1#0"]
    assert paper.ends()["t"] == "cancelled stopped"


def test_a_twap_is_filled_when_all_of_it_is_executed() -> None:
    paper = twap("quantity: 0.004, slices: 2, every: 2s", more="  - id: b\n    after: {t: filled}\n"
        "    entry: {side: BUY, "
                 "quantity: 0.001, type: MARKET}\n")
    paper.fill("t.slice.1#0", "0.002")
    due(paper)
    paper.fill("t.slice.2#0", "0.001")
    assert paper.said() == []
    paper.fill("t.slice.2#0", "0.001")
    assert paper.said() == ["place b.entry#0 MARKET BUY 0.001"]


def test_a_timeout_of_a_twap_takes_back_what_rests_and_what_is_still_due() -> None:
    paper = Paper(f"  - id: t\n    timeout: 1s\n    twap: {{side: BUY, {LIMITED}}}\n")
    paper.accept("t.slice.1#0")
    paper.fill("t.slice.1#0", "0.001")
    paper.said()
    paper.fire("timeout:t")
    assert paper.said() == ["cancel t.slice.1#0"]
    paper.cancelled("t.slice.1#0")
    assert paper.ends() == {"t": "failed timed_out"}


# ---- a TWAP that exits --------------------------------------------------------------------------------------------

LONG_AND_OUT = """
  - id: long
    bracket: {side: BUY, quantity: 0.009, entry: {type: MARKET}, stop_loss: {stop_price: 59000}}
  - id: out
    after: {long: filled}
    twap: {side: SELL, quantity: SIZE, slices: 3, every: 2s, of: long}
"""


def exiting(size: str = "{filled: long}") -> Paper:
    paper = Paper(LONG_AND_OUT.replace("SIZE", size))
    paper.fill("long.entry#0", "0.009")
    paper.accept("long.stop_loss#0")
    return paper


def test_a_twap_that_exits_is_reduce_only_and_shrinks_the_group_that_it_names() -> None:
    paper = exiting()
    assert paper.said()[-1] == "place out.slice.1#0 MARKET SELL 0.003 reduce-only"
    paper.fill("out.slice.1#0", "0.003")
    assert paper.said() == ["place long.stop_loss#1 STOP_MARKET SELL 0.006 @59000 reduce-only"]


def test_a_twap_that_exits_succeeds_when_flat_though_slices_are_still_due() -> None:
    paper = exiting()
    paper.fill("out.slice.1#0", "0.003")
    paper.accept("long.stop_loss#1")
    paper.cancelled("long.stop_loss#0")
    paper.trigger("long.stop_loss#1")
    paper.fill("long.stop_loss#1", "0.006", "59000")
    assert paper.ends() == {"long": "succeeded", "out": "succeeded"}
    assert paper.verdict() == "succeeded"


def test_a_twap_that_exits_never_sells_more_than_is_open() -> None:
    paper = exiting("0.012")
    assert paper.said()[-1] == "place out.slice.1#0 MARKET SELL 0.004 reduce-only"
    paper.fill("out.slice.1#0", "0.004")
    assert due(paper) == ["place out.slice.2#0 MARKET SELL 0.004 reduce-only"]
    paper.fill("out.slice.2#0", "0.004")
    assert due(paper) == ["place out.slice.3#0 MARKET SELL 0.001 reduce-only"]
    paper.fill("out.slice.3#0", "0.001")
    assert paper.ends()["out"] == "succeeded"


def test_a_twap_that_exits_an_empty_source_has_nothing_to_do() -> None:
    paper = Paper(LONG_AND_OUT.replace("SIZE", "{filled: long}").replace("{long: filled}", "{long: any}"))
    paper.reject("long.entry#0", -2019)
    assert paper.ends() == {"long": "failed rejected", "out": "skipped nothing_to_do"}


def test_a_reduce_only_twap_of_its_own_adopts_the_position() -> None:
    paper = Paper(
        "  - id: out\n    twap: {side: SELL, quantity: 0.006, slices: 2, every: 2s, reduce_only: true}\n",
        positions={"BTCUSDT": "0.006"},
    )
    assert paper.said() == ["place out.slice.1#0 MARKET SELL 0.003 reduce-only"]
    paper.fill("out.slice.1#0", "0.003")
    assert due(paper) == ["place out.slice.2#0 MARKET SELL 0.003 reduce-only"]
    paper.fill("out.slice.2#0", "0.003")
    assert paper.ends() == {"out": "succeeded"}


def test_finish_market_of_a_twap_that_exits_sells_what_is_still_open_and_no_more() -> None:
    paper = Paper(
        "  - id: out\n    twap: {side: SELL, quantity: 0.006, slices: 2, every: 2s, reduce_only: true, type: LIMIT, "
        "price: 61000, finish: MARKET}\n", positions={"BTCUSDT": "0.006"},
    )
    paper.accept("out.slice.1#0")
    due(paper)
    paper.cancelled("out.slice.1#0")
    paper.accept("out.slice.2#0")
    paper.fire("end:out")
    paper.said()
    paper.cancelled("out.slice.2#0")
    assert paper.said() == ["place out.slice.2#1 MARKET SELL 0.006 reduce-only"]


def test_a_flatten_ends_a_twap_that_exits_as_cancelled() -> None:
    paper = Paper(LONG_AND_OUT.replace("SIZE", "{filled: long}") + "  - id: f\n    when: {delay: 1s}\n"
        "    flatten: {}\n")
    paper.fill("long.entry#0", "0.009")
    paper.accept("long.stop_loss#0")
    paper.fill("out.slice.1#0", "0.003")
    paper.accept("long.stop_loss#1")
    paper.cancelled("long.stop_loss#0")
    paper.said()
    paper.fire("when:f.start")
    assert paper.said() == ["place long.stop_loss#2 MARKET SELL 0.006 reduce-only"]
    paper.fill("long.stop_loss#2", "0.006")
    paper.cancelled("long.stop_loss#1")
    assert paper.ends() == {"long": "cancelled flattened", "out": "cancelled flattened", "f": "succeeded"}


def test_a_twap_of_an_explicit_size_that_starts_when_its_source_is_closed_has_nothing_to_do() -> None:
    paper = Paper(LONG_AND_OUT.replace("SIZE", "0.009").replace("{long: filled}", "long"))
    paper.fill("long.entry#0", "0.009")
    paper.accept("long.stop_loss#0")
    paper.trigger("long.stop_loss#0")
    paper.fill("long.stop_loss#0", "0.009", "59000")
    assert paper.ends() == {"long": "succeeded", "out": "skipped nothing_to_do"}


def test_a_twap_whose_position_is_gone_fails_with_that() -> None:
    paper = exiting()
    paper.reject("out.slice.1#0", -2022)
    paper.fire("read:long")
    paper.position("0")
    paper.fire("read:long")
    paper.position("0")
    paper.cancelled("long.stop_loss#0")
    assert paper.ends() == {"long": "failed position_gone", "out": "failed position_gone"}


# ---- while the price is being asked for ---------------------------------------------------------------------------


LATER = "  - id: w\n    when: {delay: 9h}\n    wait: {}\n"


class Slow(Paper):
    """Observations are answered only when the test says so."""

    def observe(self, symbol: str = "BTCUSDT") -> None:
        self.__dict__.setdefault("asked", []).append(symbol)

    def answer(self) -> None:
        for symbol in self.__dict__.pop("asked", []):
            super().observe(symbol)


def test_nothing_that_opens_is_sent_before_its_price_is_known() -> None:
    paper = Slow("  - id: a\n    entry: {side: BUY, quantity: 0.002, type: MARKET}\n")
    assert paper.said() == []
    paper.answer()
    assert paper.said() == ["place a.entry#0 MARKET BUY 0.002"]


def test_an_order_that_is_cancelled_while_its_price_is_asked_for_is_never_sent() -> None:
    paper = Slow(
        "  - id: a\n    timeout: 1ms\n    on_failure: continue\n    entry: {side: BUY, quantity: 0.002, type: MARKET}\n"
        "  - id: w\n    when: {delay: 1h}\n    wait: {}\n",
    )
    paper.fire("timeout:a")
    paper.answer()
    assert paper.said() == []
    assert paper.ends() == {"a": "failed timed_out"}


def test_a_step_that_is_cancelled_while_its_size_is_asked_for_never_starts() -> None:
    paper = Slow(
        "  - id: a\n    entry: {side: BUY, notional: 500, type: MARKET}\n"
        "  - id: c\n    when: {delay: 1s}\n    cancel: {steps: [a]}\n"
        "  - id: w\n    when: {delay: 1h}\n    wait: {}\n",
    )
    paper.fire("when:c.start")
    paper.answer()
    assert paper.said() == []
    assert paper.ends() == {"a": "cancelled cancelled", "c": "succeeded"}


def test_a_slice_that_exits_is_not_sent_when_the_group_closed_while_its_price_was_asked_for() -> None:
    paper = Slow(LONG_AND_OUT.replace("SIZE", "{filled: long}") + LATER)
    paper.answer()
    paper.fill("long.entry#0", "0.009")
    paper.accept("long.stop_loss#0")
    paper.trigger("long.stop_loss#0")
    paper.fill("long.stop_loss#0", "0.009", "59000")
    paper.said()
    paper.answer()
    assert paper.said() == []
    assert paper.ends() == {"long": "succeeded", "out": "succeeded"}


def test_a_rest_that_was_closed_otherwise_while_its_price_was_asked_for_is_not_sent() -> None:
    paper = Slow(
        LONG_AND_OUT.replace("SIZE", "{filled: long}").replace("slices: 3", "slices: 1, type: LIMIT, price: 61000")
        .replace("of: long", "of: long, finish: MARKET") + LATER,
    )
    paper.answer()
    paper.fill("long.entry#0", "0.009")
    paper.accept("long.stop_loss#0")
    paper.answer()
    paper.accept("out.slice.1#0")
    paper.fire("end:out")
    paper.cancelled("out.slice.1#0")
    paper.trigger("long.stop_loss#0")
    paper.fill("long.stop_loss#0", "0.009", "59000")
    paper.said()
    paper.answer()
    assert paper.said() == []
    assert paper.ends() == {"long": "succeeded", "out": "succeeded"}


def test_a_slice_overtaken_while_its_price_is_asked_for_is_carried() -> None:
    paper = Slow(f"  - id: t\n    twap: {{side: BUY, {LIMITED}}}\n")
    paper.answer()
    paper.accept("t.slice.1#0")
    paper.fire("edge:1")
    paper.cancelled("t.slice.1#0")
    paper.fire("edge:2")
    paper.said()
    paper.answer()
    assert [line.split()[4] for line in paper.said() if line.startswith("place")] in (["0.006", "0.003"], ["0.009"])


def test_an_opener_beside_a_daily_loss_waits_for_the_marks_of_all_that_is_held() -> None:
    paper = Slow(
        "  - id: e\n    symbol: ETHUSDT\n    entry: {side: BUY, quantity: 0.1, type: MARKET}\n"
        "  - id: b\n    after: e\n    entry: {side: BUY, quantity: 0.001, type: MARKET}\n",
        "limits: {max_daily_loss: 50}",
    )
    paper.answer()
    paper.fill("e.entry#0", "0.1", "2000")
    assert sorted(paper.__dict__["asked"]) == ["BTCUSDT", "ETHUSDT"]
    paper.said()
    paper.answer()
    assert paper.said() == ["place b.entry#0 MARKET BUY 0.001"]


def test_a_rest_that_turns_out_to_be_filled_while_its_price_is_asked_for_is_not_bought_twice() -> None:
    paper = Slow(
        "  - id: t\n    twap: {side: BUY, quantity: 0.002, slices: 1, every: 2s, type: LIMIT, price: 60000, "
        "finish: MARKET}\n" + LATER,
    )
    paper.answer()
    paper.accept("t.slice.1#0")
    paper.fire("end:t")
    paper.cancelled("t.slice.1#0")
    paper.fill("t.slice.1#0", "0.002")  # it had overtaken the cancel
    paper.said()
    paper.answer()
    assert paper.said() == []
    assert paper.ends() == {"t": "succeeded"}
