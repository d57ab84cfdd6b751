"""Interleavings that once went wrong; the state machine of `test_invariants` found them."""

from decimal import Decimal

from runner.domain.commands import CancelOrder, PlaceOrder, QueryOrder, Remark
from runner.domain.events import PositionReport, StopRequested
from runner.domain.orders import OrderStatus
from runner.domain.reports import OrderReport, TradeReport
from runner.domain.values import ZERO
from tests.engine.paper import Paper

BRACKET = """
  - id: long
    bracket:
      side: BUY
      quantity: 0.006
      entry: {type: MARKET}
      take_profit: {price: 61000}
      stop_loss: {stop_price: 59000}
"""
OCO = """
  - id: guard
    timeout: 1m
    on_timeout: close
    oco:
      side: SELL
      quantity: 0.008
      take_profit: {price: 62000}
      stop_loss: {stop_price: 59000, limit_price: 58800}
"""
HELD = {"BTCUSDT": "0.010"}


def bought(steps: str = BRACKET) -> Paper:
    paper = Paper(steps)
    paper.accept("long.entry#0")
    paper.fill("long.entry#0", "0.006")
    paper.said()
    return paper


def ids(paper: Paper) -> list[str]:
    return [one.request.client_order_id for one in paper.commands if isinstance(one, PlaceOrder)]


def gone(paper: Paper) -> bool:
    return any(isinstance(one, Remark) and one.code == "position_gone" for one in paper.commands)


def test_a_late_refusal_does_not_bring_back_the_id_of_a_newer_order() -> None:
    """The first stop is refused only after the bound has sent a close: the next order is the third, not the second."""
    for code in (-2021, -4045, -2022):
        paper = bought()
        paper.fire("bound:long")
        assert "place long.stop_loss#1 MARKET SELL 0.006 reduce-only" in paper.said()
        paper.reject("long.stop_loss#0", code)
        paper.reject("long.stop_loss#1", -2022)
        for timer in [one for one in paper.timers if one.startswith(("retry:", "pause:"))]:
            paper.fire(timer)
        assert len(ids(paper)) == len(set(ids(paper))), code


def test_a_close_that_is_acknowledged_before_it_fills_is_not_taken_for_a_stop() -> None:
    paper = bought()
    paper.accept("long.stop_loss#0", "long.take_profit#0")
    paper.give(StopRequested(paper.now_ms, flatten=True))
    assert "place long.stop_loss#1 MARKET SELL 0.006 reduce-only" in paper.said()
    paper.accept("long.stop_loss#1")
    assert paper.said() == []


def test_a_report_without_price_and_mark_asks_once_however_often_it_comes() -> None:
    paper = Paper(BRACKET)
    client_id = paper.names["long.entry#0"]
    report = OrderReport(paper.now_ms, "BTCUSDT", client_id, "X", OrderStatus.FILLED, Decimal("0.006"))
    paper.give(report)
    count = len(paper.commands)
    assert sum(isinstance(one, QueryOrder) for one in paper.commands) == 1
    paper.give(report)
    assert len(paper.commands) == count


def test_the_price_of_an_older_report_changes_nothing() -> None:
    paper = Paper(BRACKET)
    client_id = paper.names["long.entry#0"]
    older = OrderReport(
        paper.now_ms, "BTCUSDT", client_id, "X", OrderStatus.PARTIALLY_FILLED, Decimal("0.002"), Decimal(59_990),
    )
    paper.give(older)
    paper.fill("long.entry#0", "0.002")
    paper.fill("long.entry#0", "0.004")
    paper.give(older)
    assert paper.machine._run.orders[client_id][1].order.avg_px == 60_000


def test_an_exit_that_only_a_trade_has_shown_is_cancelled_when_that_was_owed() -> None:
    """The take-profit has no answer when the bound takes it back; then a stop stands, and a trade shows it there."""
    paper = bought()
    paper.fire("bound:long")
    paper.accept("long.stop_loss#0")
    assert not any(line.startswith("cancel") for line in paper.said())
    client_id = paper.names["long.take_profit#0"]
    paper.give(TradeReport(
        paper.now_ms, "BTCUSDT", client_id, "X", "t", paper.sent[client_id].side, Decimal("0.001"), Decimal(61_000),
        ZERO, "USDT", ZERO, False,
    ))
    assert "cancel long.take_profit#0" in paper.said()


def test_finish_at_market_is_protected_though_no_slice_was_filled() -> None:
    """The group must not end between the last slice and what is sent at market for it."""
    paper = Paper("""
  - id: buy
    twap: {side: BUY, quantity: 0.010, slices: 2, every: 2s, type: LIMIT, price: 60000, finish: MARKET}
  - id: guard
    after: {buy: first_fill}
    oco:
      side: SELL
      quantity: {filled: buy}
      take_profit: {price: 62000}
      stop_loss: {stop_price: 59000}
""")
    paper.accept("buy.slice.1#0")
    paper.fire("edge:1")
    paper.cancelled("buy.slice.1#0")
    paper.accept("buy.slice.2#0")
    paper.fire("end:buy")
    paper.cancelled("buy.slice.2#0")
    assert paper.said()[-1] == "place buy.slice.2#1 MARKET BUY 0.01"
    paper.fill("buy.slice.2#1", "0.010")
    assert "place guard.stop_loss#0 STOP_MARKET SELL 0.01 @59000 reduce-only" in paper.said()


def test_a_slice_that_is_refused_makes_way_for_the_one_behind_it() -> None:
    paper = Paper("""
  - id: buy
    twap: {side: BUY, quantity: 0.009, slices: 3, every: 800ms, type: LIMIT, price: 60000}
    unprotected: allow
""")
    paper.fire("edge:1")
    assert paper.said() == ["place buy.slice.1#0 LIMIT BUY 0.003 @60000"]
    paper.reject("buy.slice.1#0", -4164)
    assert paper.said() == ["place buy.slice.2#0 LIMIT BUY 0.006 @60000"]


def test_a_stopped_run_ends_only_when_the_protection_that_it_leaves_stands() -> None:
    paper = bought()
    paper.give(StopRequested(paper.now_ms))
    assert paper.verdict() is None
    paper.reject("long.stop_loss#0", -4045)
    assert paper.verdict() is None
    paper.fire("retry:long.stop_loss")
    paper.accept("long.take_profit#0")
    assert paper.verdict() is None
    paper.accept("long.stop_loss#1" if "long.stop_loss#1" in paper.names else "long.stop_loss#0")
    assert paper.verdict() == "stopped"
    assert not any(isinstance(one, CancelOrder) for one in paper.commands)


def test_a_triggered_limit_stop_that_is_being_cancelled_is_no_protection() -> None:
    """Its cancel may still win: the smaller stop that replaces it stays."""
    paper = bought(BRACKET.replace("stop_price: 59000", "stop_price: 59000, limit_price: 58900"))
    paper.accept("long.stop_loss#0", "long.take_profit#0")
    paper.trigger("long.take_profit#0")
    paper.fill("long.take_profit#0", "0.002")
    paper.accept("long.stop_loss#1")
    assert paper.said()[-1] == "cancel long.stop_loss#0"
    paper.trigger("long.stop_loss#0")
    assert paper.said() == []


def test_market_exits_in_flight_are_not_sold_a_second_time_by_a_close() -> None:
    paper = Paper("""
  - id: long
    bracket: {side: BUY, quantity: 0.008, entry: {type: MARKET}, stop_loss: {stop_price: 59000}}
  - id: unwind
    after: {long: filled}
    twap: {side: SELL, quantity: 0.008, slices: 4, every: 2s, reduce_only: true, of: long}
""")
    paper.fill("long.entry#0", "0.008")
    assert "place unwind.slice.1#0 MARKET SELL 0.002 reduce-only" in paper.said()
    paper.fire("twin:long.stop_loss")
    paper.said()
    paper.fire("bound:long")
    assert paper.said() == ["place long.stop_loss#2 MARKET SELL 0.006 reduce-only"]


def test_a_close_asked_for_by_a_timeout_outlives_the_bound_that_came_first() -> None:
    paper = Paper(OCO, positions=HELD)
    paper.fire("bound:guard")
    assert "place guard.stop_loss#1 MARKET SELL 0.008 reduce-only" in paper.said()
    paper.fire("timeout:guard")
    paper.accept("guard.stop_loss#0")
    paper.reject("guard.stop_loss#1", -4045)
    paper.fire(next(one for one in paper.timers if one.startswith(("retry:", "pause:"))))
    assert any("MARKET SELL 0.008" in line for line in paper.said())


def test_a_close_proved_never_executed_is_sent_again_only_at_a_size_that_is_still_open() -> None:
    paper = Paper(OCO, positions=HELD)
    paper.accept("guard.stop_loss#0", "guard.take_profit#0")
    paper.fire("timeout:guard")
    paper.lose("guard.stop_loss#1")
    paper.report("guard.stop_loss#0", OrderStatus.EXPIRED)
    paper.trigger("guard.take_profit#0")
    paper.fill("guard.take_profit#0", "0.003", "62000")
    paper.cancelled("guard.take_profit#0")
    paper.said()
    paper.now_ms += 10_000
    paper.not_found("guard.stop_loss#1")
    paper.not_found("guard.stop_loss#1")
    assert paper.said() == ["place guard.stop_loss#2 MARKET SELL 0.005 reduce-only"]


def test_what_exits_close_before_their_entry_is_told_of_is_not_forgotten() -> None:
    """Two stops stand for a moment and both execute; the entry's last fill is told after that."""
    paper = Paper(BRACKET.replace("{type: MARKET}", "{type: LIMIT, price: 60000}"))
    paper.accept("long.entry#0")
    paper.fill("long.entry#0", "0.002")
    paper.accept("long.stop_loss#0")
    paper.fill("long.entry#0", "0.002")
    paper.accept("long.stop_loss#1")
    for stop, qty in (("long.stop_loss#0", "0.002"), ("long.stop_loss#1", "0.004")):
        paper.trigger(stop)
        paper.fill(stop, qty, "58990")
    paper.said()
    paper.report("long.entry#0", OrderStatus.CANCELED, filled="0.006")
    assert not any("stop_loss" in line and line.startswith("place") for line in paper.said()), "nothing is open"


def test_two_reads_of_one_moment_do_not_prove_that_a_position_is_gone() -> None:
    paper = bought()
    paper.accept("long.take_profit#0")
    paper.reject("long.stop_loss#0", -2022)
    paper.fire("read:long")
    paper.position("0")
    paper.position("0")
    assert not gone(paper)
    paper.fire("read:long")
    paper.position("0")
    assert gone(paper)
    paper.cancelled("long.take_profit#0")
    assert paper.ends() == {"long": "failed position_gone"}


def test_an_exit_whose_replacement_is_refused_keeps_what_stands_and_tries_again() -> None:
    paper = Paper("""
  - id: buy
    entry: {side: BUY, type: LIMIT, price: 60000, quantity: 0.008}
    unprotected: allow
  - id: out
    after: {buy: first_fill}
    exit: {side: SELL, type: STOP_MARKET, stop_price: 59000, quantity: {filled: buy}}
""")
    paper.accept("buy.entry#0")
    paper.fill("buy.entry#0", "0.004")
    paper.accept("out.exit#0")
    paper.fill("buy.entry#0", "0.004")
    paper.reject("out.exit#1", -4045)
    assert paper.ends() == {"buy": "succeeded"}
    paper.said()
    paper.fire("retry:out.exit")
    assert paper.said() == ["place out.exit#1 STOP_MARKET SELL 0.008 @59000 reduce-only"]


def test_a_stop_taken_back_before_it_was_answered_stays_when_more_is_bought_meanwhile() -> None:
    paper = Paper(BRACKET.replace("{type: MARKET}", "{type: LIMIT, price: 60000}"))
    paper.accept("long.entry#0")
    paper.fill("long.entry#0", "0.002")
    paper.accept("long.take_profit#0")
    paper.trigger("long.take_profit#0")
    paper.fill("long.take_profit#0", "0.002", "61000")  # nothing is open: the stop that has no answer may go
    paper.fill("long.entry#0", "0.002")  # its cancel has lost, and the stop is wanted again
    paper.said()
    paper.accept("long.stop_loss#0")
    assert not any(line.startswith("cancel long.stop_loss#0") for line in paper.said())


def test_a_triggered_stop_is_not_cancelled_for_a_close_that_was_just_dropped() -> None:
    paper = bought(BRACKET.replace("stop_price: 59000", "stop_price: 59000, limit_price: 58900"))
    paper.fire("bound:long")
    paper.said()
    paper.trigger("long.stop_loss#0")  # its first answer: it stands, and works already
    assert not any(line.startswith("cancel long.stop_loss#0") for line in paper.said())


def test_a_position_figure_that_is_overtaken_by_a_newer_one_counts_no_more() -> None:
    paper = bought()
    paper.accept("long.stop_loss#0", "long.take_profit#0")
    older = PositionReport(paper.now_ms + 100, "BTCUSDT", Decimal("0.002"))
    newer = PositionReport(paper.now_ms + 200, "BTCUSDT", Decimal("0.006"))
    paper.give(newer)
    paper.give(older)
    assert paper.said() == []


def test_where_a_position_is_gone_nothing_of_it_is_left_for_another_step() -> None:
    paper = Paper(OCO + """
  - id: rest
    after: {guard: any}
    exit: {side: SELL, type: MARKET, quantity: {position: 100%}}
""", positions=HELD)
    paper.reject("guard.stop_loss#0", -2022)
    paper.accept("guard.take_profit#0")
    for _ in range(2):
        paper.fire("read:guard")
        paper.position("0")
    paper.cancelled("guard.take_profit#0")
    assert paper.ends()["guard"] == "failed position_gone"
    assert not any("rest" in line for line in paper.said())


def test_a_stop_without_an_answer_gets_its_twin_when_its_group_comes_to_hold_the_symbol_alone() -> None:
    paper = Paper("""
  - id: near
    exit: {side: SELL, type: LIMIT, price: 61000, quantity: 0.006}
  - id: far
    exit: {side: SELL, type: STOP_MARKET, stop_price: 58000, quantity: {position: 100%}}
""", positions=HELD)
    paper.accept("near.exit#0")
    paper.lose("far.exit#0")
    paper.now_ms += 600
    paper.said()
    paper.fill("near.exit#0", "0.006", "61000")
    assert "place far.exit#1 STOP_MARKET SELL 0.004 @58000 reduce-only" in paper.said()


def test_an_exit_stop_without_an_answer_is_joined_by_a_twin_in_time() -> None:
    paper = Paper("""
  - id: buy
    entry: {side: BUY, type: MARKET, quantity: 0.008}
    unprotected: allow
  - id: out
    after: {buy: filled}
    exit: {side: SELL, type: STOP_MARKET, stop_price: 59000, quantity: {filled: buy}}
""")
    paper.fill("buy.entry#0", "0.008")
    paper.lose("out.exit#0")
    paper.said()
    paper.fire("twin:out.exit")
    assert paper.said() == ["place out.exit#1 STOP_MARKET SELL 0.008 @59000 reduce-only"]


def test_a_take_profit_is_not_done_while_an_order_of_it_is_on_its_way() -> None:
    """Another group's stop sells a part of this one, which makes the leg's share what it has filled already."""
    paper = Paper("""
  - id: first
    bracket:
      side: BUY
      quantity: 0.004
      entry: {type: MARKET}
      take_profit: {price: 61000}
      stop_loss: {stop_price: 59000}
  - id: second
    bracket:
      side: BUY
      quantity: 0.006
      entry: {type: MARKET}
      take_profit: [{price: 61000, portion: 50%}, {price: 62000, portion: 50%}]
      stop_loss: {stop_price: 58500}
""")
    paper.fill("first.entry#0", "0.004")
    paper.accept("first.stop_loss#0", "first.take_profit#0")
    paper.fill("second.entry#0", "0.006")
    paper.accept("second.stop_loss#0", "second.take_profit.1#0", "second.take_profit.2#0")
    paper.trigger("second.take_profit.1#0")
    paper.fill("second.take_profit.1#0", "0.002", "61000")
    paper.report("second.take_profit.1#0", OrderStatus.EXPIRED)
    assert "place second.take_profit.1#1 TAKE_PROFIT SELL 0.001 @61000 @61000 reduce-only" in paper.said()
    paper.trigger("first.take_profit#0")
    paper.fill("first.take_profit#0", "0.004", "61000")
    paper.trigger("first.stop_loss#0")
    paper.fill("first.stop_loss#0", "0.002", "59000")
    paper.said()
    paper.accept("second.take_profit.1#1")
    assert "cancel second.take_profit.1#1" in paper.said()


def test_a_read_overtaken_by_a_pushed_figure_is_asked_for_again() -> None:
    paper = bought()
    paper.accept("long.take_profit#0")
    paper.reject("long.stop_loss#0", -2022)
    paper.fire("read:long")
    paper.give(PositionReport(paper.now_ms + 50, "BTCUSDT", ZERO))
    paper.position("0")
    paper.said()
    paper.now_ms += 100
    paper.fire("read:long")
    assert "read BTCUSDT" in paper.said()


def test_a_slice_in_flight_is_not_taken_off_a_position_that_it_has_already_lessened() -> None:
    paper = Paper("""
  - id: long
    bracket: {side: BUY, quantity: 0.009, entry: {type: MARKET}, stop_loss: {stop_price: 59000}}
  - id: unwind
    after: {long: filled}
    twap: {side: SELL, quantity: 0.009, slices: 3, every: 2s, reduce_only: true, of: long}
""")
    paper.fill("long.entry#0", "0.009")
    paper.accept("long.stop_loss#0")
    paper.fire(min((one for one in paper.timers if one.startswith("edge:")), key=lambda one: paper.timers[one]))
    paper.give(PositionReport(paper.now_ms, "BTCUSDT", Decimal("0.003")))  # both slices are sold, and not told yet
    paper.said()
    paper.fire(next(one for one in paper.timers if one.startswith("edge:")))
    assert paper.said()[0] == "place unwind.slice.3#0 MARKET SELL 0.003 reduce-only"
