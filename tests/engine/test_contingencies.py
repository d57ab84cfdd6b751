"""What follows from each refusal: a table over codes and legs, by hand."""

import pytest

from runner.domain.commands import Remark
from runner.domain.events import Action
from runner.domain.orders import OrderStatus
from tests.engine.paper import Paper

LONG = """
  - id: long
    on_failure: continue
    bracket:
      side: BUY
      quantity: 0.004
      entry: {type: LIMIT, price: 60000}
      take_profit: {price: 61000}
      stop_loss: {stop_price: 59000}
"""


def opened() -> Paper:
    paper = Paper(LONG)
    paper.accept("long.entry#0")
    paper.fill("long.entry#0", "0.004")
    paper.said()
    return paper


STOP = "place long.stop_loss#0 STOP_MARKET SELL 0.004 @59000 reduce-only"
PROFIT = "place long.take_profit#0 TAKE_PROFIT SELL 0.004 @61000 @61000 reduce-only"
CLOSE = "place long.stop_loss#1 MARKET SELL 0.004 reduce-only"


@pytest.mark.parametrize(("leg", "code", "at_once", "after_a_second"), [
    ("stop_loss", -2021, ["cancel long.take_profit#0", CLOSE], None),
    ("stop_loss", -4142, ["cancel long.take_profit#0", CLOSE], None),
    ("stop_loss", -2022, [], [STOP]),
    ("stop_loss", -4118, [], [STOP]),
    ("stop_loss", -4045, [], [STOP]),
    ("stop_loss", -1001, [], [STOP]),
    ("stop_loss", -4116, ["query long.stop_loss#0"], None),
    ("take_profit", -2021, ["place long.take_profit#1 LIMIT SELL 0.004 @61000 reduce-only"], None),
    ("take_profit", -2022, [], [PROFIT]),
    ("take_profit", -4116, ["query long.take_profit#0"], None),
    ("take_profit", -1111, [], None),
])
def test_a_refused_exit_is_answered_by_what_its_code_means(
    leg: str, code: int, at_once: list[str], after_a_second: list[str] | None,
) -> None:
    paper = opened()
    paper.accept(*{"long.stop_loss#0", "long.take_profit#0"} - {f"long.{leg}#0"})
    paper.reject(f"long.{leg}#0", code)
    assert paper.said() == at_once
    if after_a_second is not None:
        assert paper.timers[f"retry:long.{leg}"] - paper.now_ms == 1_000
        paper.fire(f"retry:long.{leg}")
        assert paper.said() == after_a_second


@pytest.mark.parametrize(("code", "reason"), [
    (-2019, "rejected"), (-1111, "rejected"), (-4164, "rejected"), (-2021, "rejected"),
])
def test_a_refused_entry_fails_its_step_and_says_so(code: int, reason: str) -> None:
    paper = Paper(LONG)
    paper.reject("long.entry#0", code)
    assert paper.ends() == {"long": f"failed {'would_trigger' if code == -2021 else reason}"}
    assert [one.text for one in paper.commands if isinstance(one, Remark)] == [f"long.entry: refused {code} ({code})"]


def test_an_entry_that_is_owed_a_cancel_is_not_sent_at_market_when_its_level_is_passed() -> None:
    paper = Paper(
        "  - id: a\n    timeout: 1s\n    on_immediate_trigger: MARKET\n"
        "    entry: {side: BUY, quantity: 0.002, type: STOP_MARKET, stop_price: 60100}\n",
    )
    paper.fire("timeout:a")
    paper.said()
    paper.reject("a.entry#0", -2021)
    assert paper.said() == []
    assert paper.ends() == {"a": "failed timed_out"}


def test_an_answer_to_a_query_for_an_order_that_has_ended_is_ignored() -> None:
    paper = opened()
    before = len(paper.commands)
    paper.reject("long.entry#0", -1001, Action.QUERY)
    assert len(paper.commands) == before


@pytest.mark.parametrize("status", [OrderStatus.EXPIRED, OrderStatus.CANCELED, OrderStatus.REJECTED])
def test_an_exit_that_someone_else_ended_is_placed_again_at_once(status: OrderStatus) -> None:
    for leg, line in (("stop_loss", STOP), ("take_profit", PROFIT)):
        paper = opened()
        paper.accept("long.stop_loss#0", "long.take_profit#0")
        paper.report(f"long.{leg}#0", status)
        assert paper.said() == [line.replace("#0", "#1")]
        assert "read:long" in paper.timers, "it may have been the position that went"


def test_a_market_exit_that_ended_short_is_tried_again_after_a_pause() -> None:
    paper = Paper(
        "  - id: x\n    exit: {side: SELL, quantity: 0.004, type: MARKET}\n", positions={"BTCUSDT": "0.004"},
    )
    paper.fill("x.exit#0", "0.001")
    paper.said()
    paper.report("x.exit#0", OrderStatus.EXPIRED)
    assert paper.said() == []
    paper.fire("retry:x.exit")
    assert paper.said() == ["place x.exit#1 MARKET SELL 0.003 reduce-only"]
    paper.fill("x.exit#1", "0.003")
    assert paper.ends() == {"x": "succeeded"}


def test_a_refused_slice_of_a_twap_that_exits_leaves_its_quantity_to_the_next() -> None:
    paper = Paper(
        "  - id: x\n    twap: {side: SELL, quantity: 0.004, slices: 2, every: 2s, reduce_only: true}\n",
        positions={"BTCUSDT": "0.004"},
    )
    paper.reject("x.slice.1#0", -1001)
    paper.said()
    paper.fire("edge:1")
    assert paper.said() == ["place x.slice.2#0 MARKET SELL 0.004 reduce-only"]
