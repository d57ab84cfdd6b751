"""How steps end: by the rule of their end, with the reason and the figures."""

import pytest

from runner.domain.commands import StepEnded
from runner.domain.orders import OrderStatus
from tests.engine.paper import Paper


def ended(paper: Paper, step_id: str) -> StepEnded:
    return next(one for one in paper.commands if isinstance(one, StepEnded) and one.step_id == step_id)


def test_an_entry_that_expired_half_filled_fails_and_says_how_much_was_filled() -> None:
    paper = Paper(
        "  - id: a\n    time_in_force: IOC\n    entry: {side: BUY, quantity: 0.004, type: LIMIT, price: 60000}\n",
    )
    paper.fill("a.entry#0", "0.001")
    paper.report("a.entry#0", OrderStatus.EXPIRED)
    assert ended(paper, "a") == StepEnded("a", "failed", "expired", "filled=0.001 of=0.004")


def test_a_refused_entry_ends_with_the_code_of_the_exchange() -> None:
    paper = Paper("  - id: a\n    entry: {side: BUY, quantity: 0.004, type: LIMIT, price: 60000}\n")
    paper.reject("a.entry#0", -2019)
    assert ended(paper, "a") == StepEnded("a", "failed", "rejected", "code=-2019")


def test_an_exit_that_is_refused_for_good_ends_with_the_code_of_the_exchange() -> None:
    paper = Paper(
        "  - id: x\n    exit: {side: SELL, quantity: 0.004, type: LIMIT, price: 61000}\n",
        positions={"BTCUSDT": "0.004"},
    )
    paper.reject("x.exit#0", -1111)
    assert ended(paper, "x") == StepEnded("x", "failed", "rejected", "code=-1111")


def test_an_incomplete_schedule_says_how_much_was_executed() -> None:
    paper = Paper("  - id: t\n    twap: {side: BUY, quantity: 0.004, slices: 2, every: 2s}\n")
    paper.fill("t.slice.1#0", "0.002")
    paper.fire("edge:1")
    paper.reject("t.slice.2#0", -2019)
    assert ended(paper, "t") == StepEnded("t", "failed", "incomplete", "executed=0.002 of=0.004")


def test_a_bracket_succeeds_when_all_that_it_filled_is_closed_by_its_own_exits() -> None:
    paper = Paper(
        "  - id: a\n    bracket: {side: SELL, quantity: 0.004, entry: {type: MARKET}, take_profit: {price: 59000}, "
        "stop_loss: {stop_price: 61000}}\n",
    )
    paper.fill("a.entry#0", "0.004")
    assert paper.said()[1:] == [
        "place a.stop_loss#0 STOP_MARKET BUY 0.004 @61000 reduce-only",
        "place a.take_profit#0 TAKE_PROFIT BUY 0.004 @59000 @59000 reduce-only",
    ]
    paper.accept("a.stop_loss#0", "a.take_profit#0")
    paper.trigger("a.take_profit#0")
    paper.fill("a.take_profit#0", "0.004", "59000")
    paper.cancelled("a.stop_loss#0")
    assert ended(paper, "a") == StepEnded("a", "succeeded")


@pytest.mark.parametrize(("fills", "outcome"), [(True, "succeeded"), (False, "skipped nothing_to_do")])
def test_an_oco_that_followed_its_source_ends_with_it(fills: bool, outcome: str) -> None:
    paper = Paper(
        "  - id: a\n    on_failure: continue\n    entry: {side: BUY, quantity: 0.004, type: LIMIT, price: 60000}\n"
        "  - id: g\n    after: {a: placed}\n    oco: {side: SELL, quantity: {filled: a}, "
        "take_profit: {price: 62000}, stop_loss: {stop_price: 59000}}\n",
    )
    paper.accept("a.entry#0")
    if fills:
        paper.fill("a.entry#0", "0.004")
        paper.accept("g.stop_loss#0", "g.take_profit#0")
        paper.trigger("g.stop_loss#0")
        paper.fill("g.stop_loss#0", "0.004", "59000")
        paper.cancelled("g.take_profit#0")
    else:
        paper.report("a.entry#0", OrderStatus.EXPIRED)
    assert paper.ends()["g"] == outcome


def test_an_oco_whose_position_vanished_fails_and_the_source_that_was_filled_has_succeeded() -> None:
    paper = Paper(
        "  - id: a\n    entry: {side: BUY, quantity: 0.004, type: MARKET}\n"
        "  - id: g\n    after: {a: first_fill}\n    oco: {side: SELL, quantity: {filled: a}, "
        "take_profit: {price: 62000}, stop_loss: {stop_price: 59000}}\n",
    )
    paper.fill("a.entry#0", "0.004")
    paper.accept("g.take_profit#0")
    paper.reject("g.stop_loss#0", -2022)
    for _ in range(2):
        paper.fire("read:a")
        paper.position("0")
    paper.cancelled("g.take_profit#0")
    assert paper.ends() == {"a": "succeeded", "g": "failed position_gone"}
    assert paper.verdict() == "failed"


def test_a_cancel_waits_until_none_of_all_its_steps_can_open() -> None:
    order = "entry: {side: BUY, quantity: 0.001, type: LIMIT, price: 60000}"
    paper = Paper(
        f"  - id: a\n    {order}\n  - id: b\n    {order}\n"
        "  - id: c\n    when: {delay: 1s}\n    cancel: {steps: [a, b]}\n",
    )
    paper.accept("a.entry#0", "b.entry#0")
    paper.fire("when:c.start")
    paper.cancelled("a.entry#0")
    assert "c" not in paper.ends()
    paper.cancelled("b.entry#0")
    assert paper.ends()["c"] == "succeeded"


def test_a_flatten_of_the_account_fails_where_what_it_saw_is_gone_before_it_is_closed() -> None:
    paper = Paper("  - id: out\n    flatten: {scope: account}\n")
    paper.fire("flat:out")
    paper.position("0.5")
    paper.reject("out.flatten#0", -2022)
    for _ in range(2):
        paper.fire("read:out")
        paper.position("0")
    assert paper.ends() == {"out": "failed position_gone"}
