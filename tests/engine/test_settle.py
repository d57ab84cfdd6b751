"""When a group ends, and what can still happen to it then."""

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
    timeout: 1m
    on_failure: continue
  - id: w
    when: {delay: 9h}
    wait: {}
"""


def test_a_group_ends_only_when_all_its_orders_have_ended() -> None:
    paper = Paper(LONG)
    paper.fill("long.entry#0", "0.004")
    paper.accept("long.stop_loss#0", "long.take_profit#0")
    paper.trigger("long.take_profit#0")
    paper.fill("long.take_profit#0", "0.004", "61000")
    assert paper.ends() == {}
    paper.cancelled("long.stop_loss#0")
    assert paper.ends() == {"long": "succeeded"}


def test_an_exit_still_in_flight_when_the_position_closes_is_cancelled_when_it_is_seen() -> None:
    paper = Paper(LONG)
    paper.fill("long.entry#0", "0.004")
    paper.accept("long.take_profit#0")
    paper.trigger("long.take_profit#0")
    paper.fill("long.take_profit#0", "0.004", "61000")
    paper.said()
    paper.accept("long.stop_loss#0")
    assert paper.said() == ["cancel long.stop_loss#0"]


def test_protection_is_cancelled_after_everything_else() -> None:
    paper = Paper(
        LONG + "  - id: x\n    after: {long: filled}\n    exit: {side: SELL, quantity: {filled: long}, type: LIMIT, "
        "price: 60500}\n",
    )
    paper.fill("long.entry#0", "0.004")
    paper.accept("long.stop_loss#0", "long.take_profit#0", "x.exit#0")
    paper.said()
    paper.fill("x.exit#0", "0.004", "60500")
    assert paper.said() == ["cancel long.take_profit#0", "cancel long.stop_loss#0"]


def test_what_is_filled_after_the_groups_end_is_closed_at_market_and_told() -> None:
    """A fill that overtook the cancel, told long after it: nobody waits for that position any more."""
    paper = Paper(LONG)
    paper.accept("long.entry#0")
    paper.fire("timeout:long")
    paper.cancelled("long.entry#0")
    assert paper.ends() == {"long": "failed timed_out"}
    paper.said()
    paper.fill("long.entry#0", "0.001")
    assert paper.said() == ["place long.stop_loss#0 MARKET SELL 0.001 reduce-only"]
    assert [one.text for one in paper.commands if isinstance(one, Remark) and one.code == "closing"] == [
        "closing long at market: it was filled after its end",
    ]
    paper.fill("long.stop_loss#0", "0.001", "59900")
    assert paper.said() == []
    assert paper.ends() == {"long": "failed timed_out"}


def test_news_of_a_group_that_has_ended_changes_nothing_else() -> None:
    paper = Paper(LONG)
    paper.accept("long.entry#0")
    paper.report("long.entry#0", OrderStatus.EXPIRED)
    before = len(paper.commands)
    paper.report("long.entry#0", OrderStatus.CANCELED)
    paper.accept("long.entry#0")
    assert len(paper.commands) == before


def test_empty_reads_of_a_group_that_has_nothing_open_are_no_loss() -> None:
    paper = Paper(LONG)
    paper.accept("long.entry#0")
    paper.fill("long.entry#0", "0.002")
    paper.accept("long.stop_loss#0", "long.take_profit#0")
    paper.reject("long.stop_loss#0", -2022)
    paper.report("long.take_profit#0", OrderStatus.EXPIRED)
    paper.accept("long.take_profit#1")
    paper.fill("long.take_profit#1", "0.002", "61000")
    for _ in range(2):
        paper.fire("read:long")
        paper.position("0")
    assert "position_gone" not in [one.code for one in paper.commands if isinstance(one, Remark)]
