"""What the exchange does by itself: liquidation, ADL and funding."""

from decimal import Decimal

from runner.domain.commands import PlaceOrder, Remark, RunEnded
from runner.domain.events import DataEnded, Force, ForcedExecution, FundingExchanged, InsuranceCleared
from runner.domain.orders import OrderStatus
from runner.domain.values import Side
from tests.engine.paper import Paper
from tests.engine.test_closing import LONG, opened, protected

D = Decimal
TWAP = """
  - id: build
    unprotected: allow
    twap: {side: BUY, quantity: 0.009, slices: 3, every: 10s}
"""
ENTRY = """
  - id: hold
    unprotected: allow
    entry: {side: BUY, quantity: 0.004, type: MARKET}
"""


def force(
    paper: Paper, qty: str, *, side: Side = Side.SELL, cause: Force = Force.LIQUIDATED, px: str = "57000",
    trade_id: str = "900",
) -> None:
    paper.now_ms += 10
    paper.give(ForcedExecution(
        paper.now_ms, "BTCUSDT", cause, "X-forced", trade_id, side, D(qty), D(px), D("0.1"), "USDT", D(0),
    ))


def test_a_liquidated_group_takes_its_orders_back_and_fails_with_the_cause() -> None:
    paper = protected()
    force(paper, "0.004")
    assert paper.said() == ["cancel long.take_profit#0", "cancel long.stop_loss#0"]
    paper.cancelled("long.take_profit#0", "long.stop_loss#0")
    assert paper.ends() == {"long": "failed liquidated"}
    assert [one.text for one in paper.commands if isinstance(one, Remark)] == [
        "0.004 BTCUSDT of long were liquidated at 57000",
    ]


def test_the_run_goes_on_for_a_second_to_hear_what_it_cost_and_then_fails_with_the_cause() -> None:
    paper = protected()
    force(paper, "0.004")
    paper.cancelled("long.take_profit#0", "long.stop_loss#0")
    assert paper.verdict() is None
    paper.give(InsuranceCleared(paper.now_ms, D(-3), "USDT"))
    assert paper.timers["forced:"] - paper.now_ms == 1_000
    paper.fire("forced:")
    assert [one for one in paper.commands if isinstance(one, RunEnded)] == [RunEnded("failed", "liquidated")]


def test_orders_that_the_exchange_ended_first_are_not_sent_again_once_the_position_is_gone() -> None:
    paper = protected()
    paper.report("long.stop_loss#0", OrderStatus.EXPIRED, reason="Liquidation")
    paper.report("long.take_profit#0", OrderStatus.EXPIRED, reason="Liquidation")
    force(paper, "0.004")
    paper.said()
    paper.accept("long.stop_loss#1", "long.take_profit#1")
    assert sorted(paper.said()) == ["cancel long.stop_loss#1", "cancel long.take_profit#1"]
    paper.cancelled("long.take_profit#1", "long.stop_loss#1")
    sent = sum(isinstance(one, PlaceOrder) for one in paper.commands)
    while paper.verdict() is None:
        paper.fire(min(paper.timers, key=lambda timer_id: paper.timers[timer_id]))
    assert sum(isinstance(one, PlaceOrder) for one in paper.commands) == sent
    assert paper.ends() == {"long": "failed liquidated"}


def test_adl_of_a_part_leaves_the_rest_protected_and_fails_the_step_at_its_end() -> None:
    paper = protected()
    force(paper, "0.003", cause=Force.DELEVERAGED)
    assert "place long.stop_loss#1 STOP_MARKET SELL 0.001 @59000 reduce-only" in paper.said()
    paper.accept("long.stop_loss#1")
    paper.cancelled("long.stop_loss#0", "long.take_profit#0")
    paper.trigger("long.stop_loss#1")
    paper.fill("long.stop_loss#1", "0.001", "59000")
    paper.cancelled(*(name for name in paper.names if name.startswith("long.take_profit#1")))
    assert paper.ends() == {"long": "failed deleveraged"}


def test_an_entry_that_still_works_is_taken_back() -> None:
    paper = opened(filled="0.001")
    paper.accept("long.stop_loss#0", "long.take_profit#0")
    paper.said()
    force(paper, "0.001")
    assert "cancel long.entry#0" in paper.said()
    paper.cancelled("long.entry#0", "long.take_profit#0", "long.stop_loss#0")
    assert paper.ends() == {"long": "failed liquidated"}


def test_a_twap_that_is_liquidated_sends_no_further_slice() -> None:
    paper = Paper(TWAP)
    paper.fill("build.slice.1#0", "0.003")
    paper.said()
    force(paper, "0.003")
    assert paper.ends() == {"build": "failed liquidated"}
    assert paper.said() == []
    paper.fire("forced:")
    assert paper.verdict() == "failed"


def test_a_position_whose_step_has_succeeded_is_gone_all_the_same_and_nothing_opens_any_more() -> None:
    paper = Paper(ENTRY + """
  - id: later
    after: hold
    when: {delay: 1h}
    unprotected: allow
    entry: {side: BUY, quantity: 0.004, type: MARKET}
""")
    paper.fill("hold.entry#0", "0.004")
    assert paper.ends() == {"hold": "succeeded"}
    force(paper, "0.004")
    assert paper.ends() == {"hold": "succeeded", "later": "skipped the run is stopping"}
    paper.fire("forced:")
    assert [one for one in paper.commands if isinstance(one, RunEnded)] == [RunEnded("failed", "liquidated")]


def test_a_forced_execution_told_twice_counts_once() -> None:
    paper = protected()
    force(paper, "0.003")
    paper.said()
    force(paper, "0.003")
    assert paper.said() == []
    force(paper, "0.001", trade_id="901")
    assert len([one for one in paper.commands if isinstance(one, Remark)]) == 2


def test_what_no_group_holds_goes_first_then_the_groups_in_file_order() -> None:
    second = LONG.replace("id: long", "id: other")
    paper = Paper(LONG + second, positions={"BTCUSDT": "0.002"})
    for name in ("long", "other"):
        paper.accept(f"{name}.entry#0")
        paper.fill(f"{name}.entry#0", "0.004")
        paper.accept(f"{name}.stop_loss#0", f"{name}.take_profit#0")
    paper.said()
    force(paper, "0.007")
    texts = [one.text for one in paper.commands if isinstance(one, Remark)]
    assert texts == [
        "0.004 BTCUSDT of long were liquidated at 57000", "0.001 BTCUSDT of other were liquidated at 57000",
    ]
    assert "place other.stop_loss#1 STOP_MARKET SELL 0.003 @59000 reduce-only" in paper.said()


def test_a_close_of_the_other_side_is_not_ours() -> None:
    paper = protected()
    force(paper, "0.004", side=Side.BUY)
    assert paper.said() == []
    paper.give(DataEnded(paper.now_ms))
    assert paper.verdict() == "open"


def test_funding_and_what_a_liquidation_costs_count_into_the_days_loss() -> None:
    head = "limits: {max_daily_loss: 5}"
    later = ENTRY.replace("unprotected", "when: {delay: 1h}\n    unprotected")
    for amount, outcome in (("-4.99", None), ("-5", "failed denied")):
        paper = Paper(later, head)
        paper.give(FundingExchanged(paper.now_ms, "BTCUSDT", D(amount), "USDT"))
        paper.fire(next(timer_id for timer_id in paper.timers if timer_id.startswith("when:")))
        assert paper.ends().get("hold") == outcome
    paper = Paper(later, head)
    paper.give(FundingExchanged(paper.now_ms, "BTCUSDT", D(2), "USDT"))
    paper.give(InsuranceCleared(paper.now_ms, D(-7), "USDT"))
    paper.fire(next(timer_id for timer_id in paper.timers if timer_id.startswith("when:")))
    assert paper.ends()["hold"] == "failed denied"
