"""Five traces worked out by hand from the plan language's rules, before any exchange was there."""

from decimal import Decimal

from runner.domain.commands import GroupProtected
from runner.domain.orders import OrderStatus
from tests.engine.paper import Paper

BRACKET = """
  - id: long
    bracket:
      side: BUY
      quantity: 0.009
      entry: {type: LIMIT, price: 60000}
      take_profit:
        - {price: 61000, portion: 50%}
        - {price: 62000, portion: 50%}
      stop_loss: {stop_price: 59000}
    timeout: 1h
"""


def test_a_bracket_filled_in_three_parts_takes_half_its_profit_and_is_then_stopped() -> None:
    paper = Paper(BRACKET)
    assert paper.said() == ["place long.entry#0 LIMIT BUY 0.009 @60000"]
    paper.accept("long.entry#0")
    assert paper.said() == []

    # First part, 0.002: the stop for all of it goes first, then each take-profit for its half.
    paper.fill("long.entry#0", "0.002")
    assert paper.said() == [
        "place long.stop_loss#0 STOP_MARKET SELL 0.002 @59000 reduce-only",
        "place long.take_profit.1#0 TAKE_PROFIT SELL 0.001 @61000 @61000 reduce-only",
        "place long.take_profit.2#0 TAKE_PROFIT SELL 0.001 @62000 @62000 reduce-only",
    ]
    paper.accept("long.stop_loss#0", "long.take_profit.1#0", "long.take_profit.2#0")
    assert paper.said() == []

    # Second part, 0.003 (0.005 in all): the stop grows by a new one, take-profits are cancelled first.
    # share 1 = floor(0.005 × 0.5) = 0.002, share 2 = 0.003.
    paper.fill("long.entry#0", "0.003")
    assert paper.said() == [
        "place long.stop_loss#1 STOP_MARKET SELL 0.005 @59000 reduce-only",
        "cancel long.take_profit.1#0",
        "cancel long.take_profit.2#0",
    ]
    # Third part while all of that is in flight: nothing more may be sent yet.
    paper.fill("long.entry#0", "0.004")
    assert paper.said() == []
    # The new stop is accepted: the next growth goes out; the old stops end only after an acceptance that covers.
    paper.accept("long.stop_loss#1")
    assert paper.said() == ["place long.stop_loss#2 STOP_MARKET SELL 0.009 @59000 reduce-only"]
    paper.accept("long.stop_loss#2")
    assert paper.said() == ["cancel long.stop_loss#0", "cancel long.stop_loss#1"]
    # share 1 = floor(0.009 × 0.5) = 0.004, share 2 = 0.005: the burst of fills is one replacement.
    paper.cancelled("long.take_profit.1#0")
    assert paper.said() == ["place long.take_profit.1#1 TAKE_PROFIT SELL 0.004 @61000 @61000 reduce-only"]
    paper.cancelled("long.take_profit.2#0", "long.stop_loss#0", "long.stop_loss#1")
    assert paper.said() == ["place long.take_profit.2#1 TAKE_PROFIT SELL 0.005 @62000 @62000 reduce-only"]
    paper.accept("long.take_profit.1#1", "long.take_profit.2#1")

    # The first take-profit fills in two parts; the stop shrinks to 0.006, then to 0.005, the second leg stays.
    paper.trigger("long.take_profit.1#1")
    paper.fill("long.take_profit.1#1", "0.003", "61000")
    assert paper.said() == ["place long.stop_loss#3 STOP_MARKET SELL 0.006 @59000 reduce-only"]
    paper.fill("long.take_profit.1#1", "0.001", "61000")
    paper.accept("long.stop_loss#3")
    assert paper.said() == [
        "cancel long.stop_loss#2",
        "place long.stop_loss#4 STOP_MARKET SELL 0.005 @59000 reduce-only",
    ]
    paper.accept("long.stop_loss#4")
    assert paper.said() == ["cancel long.stop_loss#3"]
    paper.cancelled("long.stop_loss#2", "long.stop_loss#3")

    # Stopped: the second take-profit is cancelled, and the bracket has closed all that it opened.
    paper.trigger("long.stop_loss#4")
    paper.fill("long.stop_loss#4", "0.005", "58990")
    assert paper.said() == ["cancel long.take_profit.2#1"]
    assert paper.ends() == {}
    paper.cancelled("long.take_profit.2#1")
    assert paper.ends() == {"long": "succeeded"}
    assert paper.verdict() == "succeeded"
    assert paper.said() == []


def test_a_twap_and_its_oco_grow_together_from_the_first_fill() -> None:
    paper = Paper("""
  - id: buy
    twap: {side: BUY, quantity: 0.010, slices: 3, every: 2s}
  - id: guard
    after: {buy: first_fill}
    oco:
      side: SELL
      quantity: {filled: buy}
      take_profit: {price: 62000}
      stop_loss: {stop_price: 59000, limit_price: 58800}
""")
    assert paper.said() == ["place buy.slice.1#0 MARKET BUY 0.003"]
    paper.fill("buy.slice.1#0", "0.003")
    assert paper.said() == [
        "place guard.stop_loss#0 STOP SELL 0.003 @59000 @58800 reduce-only",
        "place guard.take_profit#0 TAKE_PROFIT SELL 0.003 @62000 @62000 reduce-only",
    ]
    paper.accept("guard.stop_loss#0", "guard.take_profit#0")
    slices = sorted(timer for timer in paper.timers if timer.startswith("edge:"))
    assert [paper.timers[one] - paper.timers[slices[0]] for one in slices] == [0, 2_000]

    paper.fire(slices[0])
    assert paper.said() == ["place buy.slice.2#0 MARKET BUY 0.003"]
    paper.fill("buy.slice.2#0", "0.003")
    assert paper.said() == [
        "place guard.stop_loss#1 STOP SELL 0.006 @59000 @58800 reduce-only",
        "cancel guard.take_profit#0",
    ]
    paper.accept("guard.stop_loss#1")
    paper.cancelled("guard.stop_loss#0", "guard.take_profit#0")
    assert paper.said() == [
        "cancel guard.stop_loss#0",
        "place guard.take_profit#1 TAKE_PROFIT SELL 0.006 @62000 @62000 reduce-only",
    ]
    paper.accept("guard.take_profit#1")

    # The price is at the take-profit before the last slice is due: all of it is sold, and nobody buys any more.
    paper.trigger("guard.take_profit#1")
    paper.fill("guard.take_profit#1", "0.006", "62000")
    assert paper.said() == ["cancel guard.stop_loss#1"]
    assert paper.ends() == {"buy": "cancelled stopped"}
    paper.cancelled("guard.stop_loss#1")
    paper.fire(slices[1])
    assert paper.said() == []
    assert paper.ends() == {"buy": "cancelled stopped", "guard": "succeeded"}
    assert paper.verdict() == "succeeded"


def test_a_stop_refused_as_passed_while_the_entry_is_half_open_closes_at_market() -> None:
    paper = Paper(BRACKET)
    paper.accept("long.entry#0")
    paper.fill("long.entry#0", "0.004")
    paper.said()
    paper.accept("long.take_profit.1#0", "long.take_profit.2#0")
    paper.reject("long.stop_loss#0", -2021)
    # The market is through the stop: nobody buys more, the take-profits go, the open 0.004 is sold at market.
    assert paper.said() == [
        "cancel long.entry#0",
        "cancel long.take_profit.1#0",
        "cancel long.take_profit.2#0",
        "place long.stop_loss#1 MARKET SELL 0.004 reduce-only",
    ]
    # The cancel of the entry loses to another fill: that is sold too.
    paper.fill("long.entry#0", "0.001", "58950")
    assert paper.said() == ["place long.stop_loss#2 MARKET SELL 0.001 reduce-only"]
    paper.cancelled("long.entry#0", "long.take_profit.1#0", "long.take_profit.2#0")
    paper.fill("long.stop_loss#1", "0.004", "58940")
    assert paper.ends() == {}
    paper.fill("long.stop_loss#2", "0.001", "58940")
    assert paper.said() == []
    assert paper.ends() == {"long": "cancelled stopped"}


def test_a_resize_whose_new_stop_is_rejected_keeps_the_old_one_and_ends_protected_or_closed() -> None:
    paper = Paper(BRACKET)
    paper.accept("long.entry#0")
    paper.fill("long.entry#0", "0.002")
    paper.accept("long.stop_loss#0", "long.take_profit.1#0", "long.take_profit.2#0")
    paper.fill("long.entry#0", "0.003")
    paper.said()
    bound_ms = paper.timers["bound:long"]
    assert bound_ms - paper.now_ms == 2_000
    paper.reject("long.stop_loss#1", -4045)
    assert paper.said() == []  # the old stop stands for 0.002; the next try waits its pause
    paper.fire("retry:long.stop_loss")
    assert paper.said() == ["place long.stop_loss#1 STOP_MARKET SELL 0.005 @59000 reduce-only"]
    paper.reject("long.stop_loss#1", -4045)
    assert paper.timers["retry:long.stop_loss"] <= bound_ms
    paper.fire("retry:long.stop_loss")
    paper.said()
    paper.fire("bound:long")
    assert paper.now_ms == bound_ms
    said = paper.said()
    assert "cancel long.entry#0" in said
    assert "place long.stop_loss#2 MARKET SELL 0.005 reduce-only" in said
    assert not any(line.startswith("cancel long.stop_loss") for line in said), "protection goes only after closing"
    paper.cancelled("long.entry#0", "long.take_profit.1#0", "long.take_profit.2#0")
    paper.reject("long.stop_loss#1", -4045)
    paper.fill("long.stop_loss#2", "0.005", "59900")
    assert paper.said() == ["cancel long.stop_loss#0"]
    paper.cancelled("long.stop_loss#0")
    assert paper.ends() == {"long": "failed unprotected"}
    assert paper.verdict() == "failed"


def test_a_timeout_of_a_half_filled_entry_cancels_the_rest_and_its_exits_decide() -> None:
    paper = Paper(BRACKET)
    paper.accept("long.entry#0")
    paper.fill("long.entry#0", "0.004")
    paper.accept("long.stop_loss#0", "long.take_profit.1#0", "long.take_profit.2#0")
    paper.said()
    paper.fire("timeout:long")
    assert paper.said() == ["cancel long.entry#0"]
    paper.cancelled("long.entry#0")
    assert paper.said() == []
    assert paper.ends() == {}
    for leg, price in (("long.take_profit.1#0", "61000"), ("long.take_profit.2#0", "62000")):
        paper.trigger(leg)
        paper.fill(leg, "0.002", price)
        if price == "61000":
            assert paper.said() == ["place long.stop_loss#1 STOP_MARKET SELL 0.002 @59000 reduce-only"]
            paper.accept("long.stop_loss#1")
            paper.cancelled("long.stop_loss#0")
            paper.said()
    assert paper.said() == ["cancel long.stop_loss#1"]
    paper.cancelled("long.stop_loss#1")
    assert paper.ends() == {"long": "succeeded"}
    protected = [one.unprotected_ms for one in paper.commands if isinstance(one, GroupProtected)]
    assert protected
    assert sum(protected) < 2_000
    assert paper.machine.ended
    assert paper.filled[paper.names["long.entry#0"]] == Decimal("0.004")
    assert OrderStatus.CANCELED.closed
