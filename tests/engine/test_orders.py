"""One order from its sending to its end: unknown outcomes, repeated and reordered news, and ids."""

from decimal import Decimal

import pytest

from runner.domain.commands import PlaceOrder
from runner.domain.events import (
    Action,
    CommandRejected,
    CommandUnresolved,
    OrderNotFound,
    StopRequested,
)
from runner.domain.orders import OrderStatus
from runner.domain.reports import OrderReport, TradeReport
from runner.domain.snapshots import VenueSnapshot
from runner.domain.values import ZERO, Side
from runner.engine.ids import order_key
from tests.engine.paper import Paper

ENTRY = "  - id: a\n    entry: {side: BUY, quantity: 0.004, type: LIMIT, price: 60000}\n"
LONG = """
  - id: long
    bracket:
      side: BUY
      quantity: 0.004
      entry: {type: LIMIT, price: 60000}
      take_profit: {price: 61000}
      stop_loss: {stop_price: 59000}
"""


def opened(steps: str = LONG) -> Paper:
    paper = Paper(steps)
    paper.fill("long.entry#0", "0.004")
    paper.said()
    return paper


def lookup(paper: Paper, name: str) -> str:
    return f"lookup:{paper.names[name]}"


# ---- unknown outcomes ---------------------------------------------------------------------------------------------


def test_an_order_without_a_clear_answer_is_looked_up_before_anything_else_is_sent_for_it() -> None:
    paper = Paper(ENTRY)
    paper.said()
    paper.lose("a.entry#0")
    assert paper.said() == ["query a.entry#0"]


def test_an_order_that_is_found_is_adopted_and_never_sent_again() -> None:
    paper = Paper(ENTRY)
    paper.lose("a.entry#0")
    paper.accept("a.entry#0")
    paper.fill("a.entry#0", "0.004")
    assert [line for line in paper.said() if line.startswith(("place", "again"))] == [
        "place a.entry#0 LIMIT BUY 0.004 @60000",
    ]
    assert paper.ends() == {"a": "succeeded"}


def test_not_found_is_believed_only_after_the_request_expired_and_a_second_query_agrees_and_keeps_the_id() -> None:
    paper = Paper(ENTRY)
    paper.said()
    paper.lose("a.entry#0")  # it can be accepted for five more seconds, and a margin of one
    last_ms = paper.now_ms + 6_000
    paper.said()
    paper.not_found("a.entry#0")
    pauses = []
    while paper.now_ms < last_ms:
        pauses.append(paper.timers[lookup(paper, "a.entry#0")] - paper.now_ms)
        paper.fire(lookup(paper, "a.entry#0"))
        assert paper.said() == ["query a.entry#0"]
        paper.not_found("a.entry#0")
    assert pauses == [500, 1_000, 2_000, 2_500], "and no later than it can be sure"
    assert paper.said() == [], "one query after the expiry is not enough"
    paper.fire(lookup(paper, "a.entry#0"))
    assert paper.said() == ["query a.entry#0"]
    paper.not_found("a.entry#0")
    assert paper.said() == ["again a.entry#0 LIMIT BUY 0.004 @60000"]
    sent = [one.request.client_order_id for one in paper.commands if isinstance(one, PlaceOrder)]
    assert len(sent) == 2
    assert len(set(sent)) == 1, "under the same id, so that a resting twin is refused"


def test_an_order_that_is_no_longer_wanted_is_not_sent_again() -> None:
    paper = Paper(ENTRY + "    timeout: 1s\n")
    paper.lose("a.entry#0")
    paper.fire("timeout:a")
    paper.said()
    paper.now_ms += 10_000
    paper.not_found("a.entry#0")
    paper.fire(lookup(paper, "a.entry#0"))
    paper.not_found("a.entry#0")
    assert paper.said() == ["query a.entry#0"]
    assert paper.ends() == {"a": "failed timed_out"}


def test_a_cancel_that_was_asked_for_meanwhile_goes_out_when_the_order_is_found() -> None:
    paper = Paper(ENTRY + "    timeout: 1s\n")
    paper.lose("a.entry#0")
    paper.fire("timeout:a")
    paper.said()
    paper.accept("a.entry#0")
    assert paper.said() == ["cancel a.entry#0"]


def test_a_query_without_an_answer_is_repeated_after_a_pause() -> None:
    paper = Paper(ENTRY)
    paper.lose("a.entry#0")
    paper.said()
    paper.lose("a.entry#0", Action.QUERY)
    assert paper.said() == []
    assert paper.timers[lookup(paper, "a.entry#0")] - paper.now_ms == 500
    paper.fire(lookup(paper, "a.entry#0"))
    assert paper.said() == ["query a.entry#0"]
    paper.reject("a.entry#0", -1001, Action.QUERY)
    assert paper.said() == []
    assert lookup(paper, "a.entry#0") in paper.timers


def test_a_lookup_that_comes_due_after_the_order_has_ended_asks_nothing() -> None:
    paper = Paper(ENTRY + "  - id: w\n    when: {delay: 1h}\n    wait: {}\n")
    paper.lose("a.entry#0")
    paper.not_found("a.entry#0")
    paper.fill("a.entry#0", "0.004")
    paper.said()
    paper.fire(lookup(paper, "a.entry#0"))
    paper.not_found("a.entry#0")
    paper.lose("a.entry#0")
    assert paper.said() == []


def test_a_duplicate_id_means_that_an_earlier_send_landed_and_is_adopted_by_a_query() -> None:
    paper = Paper(ENTRY)
    paper.said()
    paper.reject("a.entry#0", -4116)
    assert paper.said() == ["query a.entry#0"]
    assert paper.ends() == {}
    paper.not_found("a.entry#0")
    paper.fire(lookup(paper, "a.entry#0"))
    assert paper.said() == ["query a.entry#0"], "it exists, so it is looked for until it is seen"
    paper.fill("a.entry#0", "0.004")
    assert paper.ends() == {"a": "succeeded"}


def test_a_protective_order_unknown_for_half_a_second_is_joined_by_a_second_one() -> None:
    paper = opened()
    paper.accept("long.take_profit#0")
    paper.lose("long.stop_loss#0")
    assert paper.said() == ["query long.stop_loss#0"]
    assert paper.timers["twin:long.stop_loss"] - paper.now_ms == 500
    paper.fire("twin:long.stop_loss")
    assert paper.said() == ["place long.stop_loss#1 STOP_MARKET SELL 0.004 @59000 reduce-only"]
    paper.accept("long.stop_loss#1")
    assert "bound:long" not in paper.timers
    assert paper.said() == []
    paper.accept("long.stop_loss#0")
    assert paper.said() == ["cancel long.stop_loss#0"], "the twin is cancelled when it is found"


def test_a_twin_that_is_proved_absent_is_not_sent_again() -> None:
    paper = opened()
    paper.lose("long.stop_loss#0")
    paper.fire("twin:long.stop_loss")
    paper.accept("long.stop_loss#1", "long.take_profit#0")
    paper.now_ms += 10_000
    paper.not_found("long.stop_loss#0")
    paper.fire(lookup(paper, "long.stop_loss#0"))
    paper.said()
    paper.not_found("long.stop_loss#0")
    assert paper.said() == []


def test_a_protective_order_that_is_found_within_half_a_second_gets_no_twin() -> None:
    paper = opened()
    paper.lose("long.stop_loss#0")
    paper.accept("long.stop_loss#0", "long.take_profit#0")
    paper.said()
    paper.fire("twin:long.stop_loss")
    assert paper.said() == []


def test_where_others_hold_the_symbol_too_a_protective_order_gets_no_twin() -> None:
    paper = Paper(LONG + "  - id: b\n    entry: {side: BUY, quantity: 0.001, type: MARKET}\n")
    paper.fill("b.entry#0", "0.001")
    paper.fill("long.entry#0", "0.004")
    paper.said()
    paper.lose("long.stop_loss#0")
    paper.fire("twin:long.stop_loss")
    assert paper.said() == ["query long.stop_loss#0"]


def test_a_take_profit_and_an_entry_get_no_twin() -> None:
    paper = opened()
    paper.lose("long.take_profit#0")
    assert [one for one in paper.timers if one.startswith("twin:")] == ["twin:long.stop_loss"]


def test_a_close_without_a_clear_answer_is_looked_up_and_not_sent_beside_itself() -> None:
    paper = opened()
    paper.accept("long.take_profit#0")
    paper.reject("long.stop_loss#0", -2021)
    paper.cancelled("long.take_profit#0")
    paper.said()
    paper.lose("long.stop_loss#1")
    assert paper.said() == ["query long.stop_loss#1"]
    paper.now_ms += 20_000
    paper.not_found("long.stop_loss#1")
    paper.fire(lookup(paper, "long.stop_loss#1"))
    paper.said()
    paper.not_found("long.stop_loss#1")
    assert paper.said() == ["again long.stop_loss#1 MARKET SELL 0.004 reduce-only"]


# ---- cancels ------------------------------------------------------------------------------------------------------


def cancelling() -> Paper:
    paper = Paper(ENTRY + "    timeout: 1s\n    on_failure: continue\n  - id: w\n    when: {delay: 1h}\n    wait: {}\n")
    paper.accept("a.entry#0")
    paper.fire("timeout:a")
    paper.said()
    return paper


def test_an_opener_that_still_waits_to_be_sent_is_withdrawn_by_its_cancel() -> None:
    """In a ban of minutes it would else be sent, and a MARKET order executed, long after the run was told to stop."""
    paper = Paper(ENTRY.replace("type: LIMIT, price: 60000", "type: MARKET"))
    paper.said()
    paper.now_ms += 30_000
    paper.give(StopRequested(paper.now_ms, False))
    assert paper.said() == ["cancel a.entry#0"]
    client_id = paper.names["a.entry#0"]
    paper.give(CommandRejected(paper.now_ms, "BTCUSDT", client_id, Action.PLACE, 0, "withdrawn", True))
    assert (paper.ends(), paper.verdict()) == ({"a": "cancelled stopped"}, "stopped")


def test_a_cancel_that_overtakes_the_answer_to_a_placement_is_asked_again_when_the_order_shows_itself() -> None:
    paper = Paper(ENTRY)
    paper.now_ms += 30_000
    paper.give(StopRequested(paper.now_ms, False))
    paper.said()
    paper.lose("a.entry#0")
    paper.reject("a.entry#0", -2011, Action.CANCEL)
    assert set(paper.said()) == {"query a.entry#0"}
    paper.accept("a.entry#0")
    assert paper.said() == ["cancel a.entry#0"]
    paper.cancelled("a.entry#0")
    assert paper.verdict() == "stopped"


def test_a_cancel_that_fails_because_the_order_just_filled_books_the_fill() -> None:
    paper = cancelling()
    paper.reject("a.entry#0", -2011, Action.CANCEL)
    assert paper.said() == ["query a.entry#0"]
    paper.fill("a.entry#0", "0.004")
    assert paper.ends() == {"a": "succeeded"}


def test_a_cancel_that_was_lost_is_repeated_when_the_order_is_found_working() -> None:
    paper = cancelling()
    paper.lose("a.entry#0", Action.CANCEL)
    assert paper.said() == ["query a.entry#0"]
    paper.accept("a.entry#0")
    assert paper.said() == ["cancel a.entry#0"]


def test_a_cancel_that_cannot_be_done_now_is_tried_again_after_a_look() -> None:
    paper = cancelling()
    paper.reject("a.entry#0", -4117, Action.CANCEL)
    assert paper.said() == []
    paper.fire(lookup(paper, "a.entry#0"))
    assert paper.said() == ["query a.entry#0"]
    paper.accept("a.entry#0")
    assert paper.said() == ["cancel a.entry#0"]


def test_an_order_to_be_cancelled_counts_as_ended_only_when_two_queries_do_not_find_it() -> None:
    paper = cancelling()
    paper.now_ms += 10_000
    paper.reject("a.entry#0", -2011, Action.CANCEL)
    paper.said()
    paper.not_found("a.entry#0")
    assert paper.ends() == {}
    paper.fire(lookup(paper, "a.entry#0"))
    assert paper.said() == ["query a.entry#0"]
    paper.not_found("a.entry#0")
    assert paper.ends() == {"a": "failed timed_out"}


def test_a_stop_that_the_exchange_twice_does_not_know_any_more_is_placed_again() -> None:
    paper = opened()
    paper.lose("long.stop_loss#0")
    paper.accept("long.stop_loss#0", "long.take_profit#0")
    paper.said()
    paper.not_found("long.stop_loss#0")
    assert paper.said() == []
    paper.fire(lookup(paper, "long.stop_loss#0"))
    paper.not_found("long.stop_loss#0")
    assert paper.said() == [
        "query long.stop_loss#0", "place long.stop_loss#1 STOP_MARKET SELL 0.004 @59000 reduce-only",
    ]
    assert "bound:long" in paper.timers


@pytest.mark.parametrize("told", ["answer", "trade"])
def test_an_order_that_the_exchange_has_just_confirmed_is_not_forgotten_because_queries_lag_behind(told: str) -> None:
    """Else a step would end over it, and it could fill when nobody minds it any more."""
    paper = Paper(ENTRY)
    if told == "answer":
        paper.accept("a.entry#0")
    else:
        paper.fill("a.entry#0", "0.001")
    seen_ms = paper.now_ms
    paper.give(VenueSnapshot(paper.now_ms + 100, (), (), (), begun_ms=paper.now_ms + 50))
    paper.now_ms += 100
    assert paper.said() == ["place a.entry#0 LIMIT BUY 0.004 @60000", "query a.entry#0"]
    paper.not_found("a.entry#0")
    while not paper.ends():
        paper.fire(lookup(paper, "a.entry#0"))
        paper.not_found("a.entry#0")
    assert paper.now_ms >= seen_ms + 4_500


def test_an_order_whose_fill_a_snapshot_tells_and_which_it_does_not_show_is_looked_up_at_once() -> None:
    paper = Paper(ENTRY)
    paper.accept("a.entry#0")
    paper.said()
    paper.now_ms += 10_000
    trade = TradeReport(
        paper.now_ms - 5_000, "BTCUSDT", paper.names["a.entry#0"], "X-a.entry#0", "1", Side.BUY, Decimal("0.001"),
        Decimal(60_000), ZERO, "USDT", ZERO, False,
    )
    paper.give(VenueSnapshot(paper.now_ms, (), (), (), (trade,), begun_ms=paper.now_ms - 50))
    assert paper.said() == ["query a.entry#0"]


def test_a_cancel_of_an_order_that_has_ended_meanwhile_changes_nothing() -> None:
    paper = cancelling()
    paper.cancelled("a.entry#0")
    paper.said()
    paper.reject("a.entry#0", -2011, Action.CANCEL)
    assert paper.said() == []


def test_a_conditional_order_is_cancelled_in_the_world_where_it_is() -> None:
    paper = opened()
    paper.accept("long.stop_loss#0", "long.take_profit#0")
    paper.trigger("long.take_profit#0")
    paper.fill("long.stop_loss#0", "0.004", "59000")
    last = paper.commands[-1]
    assert getattr(last, "conditional", None) is False, "triggered, it is an order in the book"
    paper = opened()
    paper.accept("long.stop_loss#0", "long.take_profit#0")
    paper.fill("long.stop_loss#0", "0.004", "59000")
    assert getattr(paper.commands[-1], "conditional", None) is True


# ---- news, from several sources -----------------------------------------------------------------------------------


def trade(paper: Paper, name: str, trade_id: str, qty: str, px: str = "60000") -> None:
    client_id = paper.names[name]
    paper.give(TradeReport(
        paper.now_ms, "BTCUSDT", client_id, f"X-{name}", trade_id, Side.BUY, Decimal(qty), Decimal(px), ZERO, "USDT",
        ZERO, False,
    ))


def test_exit_sizes_follow_the_highest_cumulative_figure_of_any_source() -> None:
    paper = Paper(LONG)
    paper.accept("long.entry#0")
    paper.said()
    paper.report("long.entry#0", OrderStatus.PARTIALLY_FILLED, filled="0.002")
    assert paper.said()[1] == "place long.stop_loss#0 STOP_MARKET SELL 0.002 @59000 reduce-only"
    for trade_id in ("1", "2"):
        trade(paper, "long.entry#0", trade_id, "0.001")
    assert paper.said() == [], "the trades only price what is known already"
    trade(paper, "long.entry#0", "3", "0.001")
    paper.accept("long.stop_loss#0")
    assert paper.said() == ["place long.stop_loss#1 STOP_MARKET SELL 0.003 @59000 reduce-only"]


def test_the_same_news_again_gives_no_command() -> None:
    paper = Paper(LONG)
    paper.accept("long.entry#0")
    trade(paper, "long.entry#0", "1", "0.002")
    paper.report("long.entry#0", OrderStatus.PARTIALLY_FILLED, filled="0.002", px="60000")
    before = len(paper.commands)
    trade(paper, "long.entry#0", "1", "0.002")
    paper.report("long.entry#0", OrderStatus.PARTIALLY_FILLED, filled="0.002", px="60000")
    assert len(paper.commands) == before


def test_older_news_after_newer_is_stale() -> None:
    paper = Paper(LONG)
    paper.report("long.entry#0", OrderStatus.PARTIALLY_FILLED, filled="0.003", px="60000")
    before = len(paper.commands)
    paper.give(OrderReport(
        paper.now_ms, "BTCUSDT", paper.names["long.entry#0"], "X", OrderStatus.PARTIALLY_FILLED, Decimal("0.001"),
        Decimal(60_000),
    ))
    paper.report("long.entry#0", OrderStatus.NEW, filled="0.003")
    assert len(paper.commands) == before


def test_a_fill_that_is_told_after_the_cancel_is_protected_all_the_same() -> None:
    paper = Paper(LONG + "    timeout: 1s\n")
    paper.accept("long.entry#0")
    paper.fill("long.entry#0", "0.001")
    paper.accept("long.stop_loss#0", "long.take_profit#0")
    paper.fire("timeout:long")
    paper.cancelled("long.entry#0")
    paper.said()
    trade(paper, "long.entry#0", "7", "0.001")
    trade(paper, "long.entry#0", "8", "0.001")
    assert paper.said()[0] == "place long.stop_loss#1 STOP_MARKET SELL 0.002 @59000 reduce-only"


def test_news_of_orders_that_are_not_ours_is_ignored() -> None:
    paper = Paper(ENTRY)
    before = len(paper.commands)
    ours = ("BTCUSDT", "someone-elses")
    paper.give(OrderReport(paper.now_ms, *ours, "1", OrderStatus.FILLED, Decimal(1), Decimal(1)))
    paper.give(TradeReport(
        paper.now_ms, *ours, "1", "1", Side.BUY, Decimal(1), Decimal(1), ZERO, "USDT", ZERO, False,
    ))
    paper.give(CommandRejected(paper.now_ms, *ours, Action.PLACE, -2019, ""))
    paper.give(CommandUnresolved(paper.now_ms, *ours, Action.PLACE, paper.now_ms))
    paper.give(OrderNotFound(paper.now_ms, *ours))
    assert len(paper.commands) == before


def test_a_refusal_that_comes_after_the_order_was_seen_is_no_refusal() -> None:
    paper = Paper(ENTRY)
    paper.accept("a.entry#0")
    paper.reject("a.entry#0", -2019)
    assert paper.ends() == {}


def test_an_order_that_the_matching_engine_refuses_at_its_trigger_fails_its_step() -> None:
    paper = Paper("  - id: a\n    entry: {side: BUY, quantity: 0.002, type: STOP_MARKET, stop_price: 60100}\n")
    paper.accept("a.entry#0")
    paper.trigger("a.entry#0")
    paper.report("a.entry#0", OrderStatus.REJECTED)
    assert paper.ends() == {"a": "failed rejected"}


# ---- ids ----------------------------------------------------------------------------------------------------------


def test_the_revision_rises_with_each_replacement_and_the_attempt_only_after_a_known_rejection() -> None:
    paper = opened()
    paper.accept("long.take_profit#0")
    paper.reject("long.stop_loss#0", -4045)
    paper.fire("retry:long.stop_loss")
    paper.accept("long.stop_loss#0")
    paper.report("long.stop_loss#0", OrderStatus.EXPIRED)
    stops = [one for one in paper.commands if isinstance(one, PlaceOrder) and one.node_id == "long.stop_loss"]
    keys = [order_key(one.request.client_order_id) for one in stops]
    assert [(key.revision, key.attempt) for key in keys if key] == [(0, 0), (0, 1), (1, 0)]
    assert {key.round for key in keys if key} == {0}


@pytest.mark.parametrize("status", [OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED])
def test_no_order_is_sent_twice_whatever_is_told_of_it(status: OrderStatus) -> None:
    paper = Paper(ENTRY)
    paper.lose("a.entry#0")
    paper.report("a.entry#0", status, filled="0" if status is OrderStatus.NEW else "0.001")
    paper.now_ms += 20_000
    for _ in range(3):
        paper.not_found("a.entry#0")
    assert [line for line in paper.said() if line.startswith("again")] == []


def test_a_close_that_never_arrived_is_sent_again_as_soon_as_that_is_sure() -> None:
    """Accepted for 5 s more, 1 s of margin, and a second query half a second later."""
    paper = opened()
    paper.reject("long.stop_loss#0", -2021)
    paper.lose("long.stop_loss#1")
    lost_ms = paper.now_ms
    lookup = "lookup:" + paper.names["long.stop_loss#1"]
    paper.not_found("long.stop_loss#1")
    while not any(line.startswith("again long.stop_loss#1 MARKET") for line in paper.said()):
        paper.fire(lookup)
        paper.not_found("long.stop_loss#1")
    assert paper.now_ms - lost_ms == 6_500
