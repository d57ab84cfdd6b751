"""What people and `bot.log` are told of a run's contact to its exchange."""

import json
from typing import Any

import pytest

from runner.domain.account import AccountFacts, SymbolSetting
from runner.domain.commands import CancelOrder, PlaceOrder, RunEnded, StepEnded
from runner.domain.events import (
    AccountSeen,
    Action,
    AttemptFailed,
    AttemptMade,
    CommandRejected,
    CommandUnresolved,
    OrderNotFound,
    PositionReport,
    RunResumed,
    RunStarted,
    StopRequested,
    StreamGap,
)
from runner.domain.orders import OrderStatus
from runner.domain.positions import Position
from runner.domain.reports import OrderReport
from runner.domain.snapshots import VenueSnapshot
from runner.domain.values import OrderType, Side
from runner.report.lines import LineKind
from runner.report.report import Report
from runner.report.summary import Lost, as_text
from tests.report.stories import BRACKET, ENTRY, PROFIT, STOP, D, Entry, at, report, told, trade

START = at("05-04 15:33:00")
FACTS = AccountFacts("abc", True, False, False, (SymbolSetting("BTCUSDT", 5, "ISOLATED"),))


def placed(*more: Entry) -> list[Entry]:
    return [(START, RunStarted(START, "d1", 1)), (START, ENTRY), *more]


def logged(entries: list[Entry]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in told(BRACKET, entries)[0].log_text().splitlines()]


def texts(entries: list[Entry]) -> list[str]:
    lines = [line for line in told(BRACKET, entries)[1] if line.kind is not LineKind.DETAIL]
    return [f"{line.leg.strip()}: {line.text}" for line in lines]


def of(command: PlaceOrder) -> tuple[str, str]:
    return command.request.symbol, command.request.client_order_id


def test_each_try_of_a_request_is_logged_and_its_last_failure_only_once() -> None:
    entries = placed(
        (START, AttemptFailed(START, *of(ENTRY), Action.PLACE, 1, True, "-1008 overloaded", 500)),
        (START + 500, AttemptMade(START + 500, *of(ENTRY), Action.PLACE, 2)),
        (START + 600, AttemptFailed(START + 600, *of(ENTRY), Action.PLACE, 2, True, "-1008 overloaded")),
        (START + 600, CommandRejected(START + 600, *of(ENTRY), Action.PLACE, -1008, "overloaded", passing=True)),
    )
    found = [line for line in logged(entries) if line["action"] in ("order_attempt_failed", "retry_attempt")]
    assert [(line["action"], line["attempt"], line.get("transient")) for line in found] == [
        ("order_attempt_failed", 1, True), ("retry_attempt", 2, None), ("order_attempt_failed", 2, True),
    ]
    assert found[0]["req"]["price"] == "60000" and found[0]["error"] == "-1008 overloaded"
    assert found[0]["stepId"] == "long" and found[0]["clientOrderId"] == "d1.1.0.0.0"
    assert texts(entries)[0] == "long.entry: attempt 1 failed: -1008 overloaded; tried again in 500ms"


def test_a_try_to_cancel_says_so() -> None:
    entries = placed(
        (START, AttemptFailed(START, *of(ENTRY), Action.CANCEL, 1, True, "no connection", 500)),
    )
    assert logged(entries)[-1]["req"] == {"symbol": "BTCUSDT", "action": "cancel"}
    assert texts(entries) == ["long.entry: attempt 1 to cancel it failed: no connection; tried again in 500ms"]


def test_an_order_without_a_clear_answer_is_unknown_until_it_is_found_or_sent_again() -> None:
    lost = placed((START + 9, CommandUnresolved(START + 9, *of(ENTRY), Action.PLACE, START + 5_000)))
    assert texts(lost) == ["long.entry: UNKNOWN: it was sent, but there is no clear answer; it is looked up"]
    whole = told(BRACKET, lost)[0]
    assert whole.order_rows()[0]["result"] == "UNKNOWN"
    assert whole.summary().unresolved == ("long.entry (d1.1.0.0.0)",)
    found = told(BRACKET, [*lost, (START + 99, report(START + 99, ENTRY, OrderStatus.NEW))])[0]
    assert found.summary().unresolved == ()
    again = [*lost, (START + 7_000, ENTRY), (START + 7_050, report(START + 7_050, ENTRY, OrderStatus.NEW))]
    (retry,) = [line for line in logged(again) if line["action"] == "retry_attempt"]
    assert retry["attempt"] == 2
    whole = told(BRACKET, again)[0]
    assert whole.summary().orders == 1 and whole.summary().unresolved == ()


def test_only_the_end_of_a_stopped_run_is_taken_back_by_a_resume() -> None:
    for outcome, after in (("stopped", ""), ("succeeded", "succeeded"), ("failed", "failed")):
        entries = placed((START, RunEnded(outcome)), (START + 9, RunResumed(START + 9, START + 99)))
        assert told(BRACKET, entries)[0].summary().outcome == after


def test_an_order_that_was_looked_up_in_vain_is_gone_once_the_run_has_ended_of_itself() -> None:
    lost = placed(
        (START + 9, CommandUnresolved(START + 9, *of(ENTRY), Action.PLACE, START + 5_000)),
        (START + 7_000, OrderNotFound(START + 7_000, *of(ENTRY))),
    )
    assert told(BRACKET, lost)[0].summary().unresolved == ("long.entry (d1.1.0.0.0)",)
    whole = told(BRACKET, [*lost, (START + 7_000, RunEnded("failed"))])[0]
    assert whole.summary().unresolved == () and whole.order_rows()[0]["result"] == "NOT_ACCEPTED"
    assert [known.gone for known in whole.orders()] == [True]
    found = [*lost, (START + 7_100, report(START + 7_100, ENTRY, OrderStatus.NEW)), (START + 7_200, RunEnded("failed"))]
    assert [known.gone for known in told(BRACKET, found)[0].orders()] == [False]


def test_a_cancel_without_a_clear_answer_leaves_the_order_as_it_is() -> None:
    entries = placed(
        (START, report(START, ENTRY, OrderStatus.NEW)),
        (START, CancelOrder("BTCUSDT", ENTRY.request.client_order_id, False, "long.entry", "timeout")),
        (START, CommandUnresolved(START, *of(ENTRY), Action.CANCEL, START + 5_000)),
    )
    (_, text) = texts(entries)
    assert text == "long.entry: UNKNOWN: its cancel was sent, but there is no clear answer; it is looked up"
    assert told(BRACKET, entries)[0].summary().unresolved == ()


def test_a_lost_stream_and_its_return_are_told_with_what_was_found() -> None:
    foreign = OrderReport(START, "BTCUSDT", "by-hand", "77", OrderStatus.NEW)
    snapshot = VenueSnapshot(
        START + 300, (), (Position("BTCUSDT", D("0.004"), D(60000)), Position("ETHUSDT", D(1), D(3000))),
        (report(START, ENTRY, OrderStatus.NEW), foreign), begun_ms=START + 200,
    )
    entries = placed((START + 100, StreamGap(START + 100, START + 50)), (START + 300, snapshot))
    assert texts(entries) == [
        "account: the account's events were lost at 15:33:00 UTC; everything is read again",
        "long.entry: LIMIT BUY 0.004 BTCUSDT @ 60000.0        accepted",
        "account: everything was read again: 1 order of this run open, position +0.004 BTCUSDT",
    ]
    lines = [line for line in logged(entries) if line["action"] == "reconcile"]
    assert [line["result"] for line in lines] == ["STREAM_GAP", "CAUGHT_UP"]
    assert lines[1]["request"] == {"orders": 1, "positions": {"BTCUSDT": "0.004"}}
    whole = Report(BRACKET)
    for at_ms, value in entries[:-1]:
        whole.see(at_ms, value)
    assert whole.lost_ms() == START + 50
    whole.see(*entries[-1])
    assert whole.lost_ms() is None


def test_a_snapshot_that_brings_nothing_is_not_told() -> None:
    quiet = VenueSnapshot(START + 300, (), (), (report(START, ENTRY, OrderStatus.NEW),), begun_ms=START + 200)
    entries = placed((START + 10, report(START + 10, ENTRY, OrderStatus.NEW)), (START + 300, quiet))
    assert logged(entries) == logged(entries[:-1])
    assert texts(entries) == texts(entries[:-1])


def test_a_look_at_one_symbol_does_not_end_a_gap() -> None:
    entries = placed(
        (START, StreamGap(START, START)), (START + 10, VenueSnapshot(START + 10, (), (), (), symbols=("BTCUSDT",))),
    )
    assert told(BRACKET, entries)[0].lost_ms() == START


def test_what_happened_while_no_process_was_there_says_when_it_did() -> None:
    hour = 3_600_000
    snapshot = VenueSnapshot(
        START + hour, (), (), (report(START + 5_000, ENTRY, OrderStatus.FILLED, "0.004", "60000"),),
        (trade(START + 5_000, ENTRY, "0.004", "60000", "0.05", maker=True),), begun_ms=START + hour,
    )
    entries = placed(
        (START + 100, report(START + 100, ENTRY, OrderStatus.NEW)),
        (START + hour, RunResumed(START + hour, START + hour + 5_000)), (START + hour, snapshot),
    )
    assert texts(entries)[1:] == [
        "account: taken up again; the process before was last at work at 15:33:00 UTC",
        "long.entry: FILLED 0.004 @ 60000.0, maker, 05-04 15:33:05 already",
        "account: everything was read again: 0 orders of this run open, no position",
    ]


def test_the_account_is_told_to_those_who_ask_for_more_and_its_change_to_everyone() -> None:
    changed = FACTS.but(settings=(SymbolSetting("BTCUSDT", 20, "CROSSED"),))
    entries = placed(
        (START, AccountSeen(START, FACTS)), (START + 5, AccountSeen(START + 5, FACTS)),
        (START + 9, AccountSeen(START + 9, changed)),
    )
    assert texts(entries) == ["account: its settings are now: BTCUSDT leverage 20 CROSSED"]
    assert [line["result"] for line in logged(entries) if line["action"] == "reconcile"] == [
        "ACCOUNT", "ACCOUNT_CHANGED",
    ]


def test_a_wish_to_stop_is_answered_with_what_it_means() -> None:
    assert texts(placed((START, StopRequested(START)))) == [
        "run: stopping: nothing opens any more, what protects stays",
    ]
    assert texts(placed((START, StopRequested(START, flatten=True)))) == [
        "run: stopping: nothing opens any more, and what the run holds is closed",
    ]


def test_foreign_executions_and_orders_are_not_the_runs() -> None:
    theirs = trade(START + 10, ENTRY, "1", "60000", "9").but(client_order_id="by-hand", order_id="88")
    snapshot = VenueSnapshot(
        START + 20, (), (Position("BTCUSDT", D(1), D(60000)),),
        (report(START, ENTRY, OrderStatus.NEW).but(client_order_id="by-hand", order_id="88"),), (theirs,),
    )
    whole, _ = told(BRACKET, placed((START + 10, theirs), (START + 20, snapshot)))
    summary = whole.summary()
    assert (summary.orders, summary.money, summary.positions, summary.unpriced) == (1, (), (), ())
    assert whole.fill_rows() == [] and len(whole.order_rows()) == 1


def test_what_is_uncovered_between_two_processes_is_named_with_its_longest_time() -> None:
    """The entry fills one half before the crash and the other after it; the stop for all of it stands at the end."""
    half, rest, back = START + 1_000, START + 60_000, START + 100_000
    whole_stop = STOP.but(request=STOP.request.but(quantity=D("0.004")))
    entries = placed(
        (START + 100, report(START + 100, ENTRY, OrderStatus.NEW)),
        (half, trade(half, ENTRY, "0.002", "60000", "0.02", trade_id="1")),
        (back, RunResumed(back, back + 5_000)),
        (back, VenueSnapshot(
            back, (), (), (report(rest, ENTRY, OrderStatus.FILLED, "0.004", "60000"),),
            (trade(half, ENTRY, "0.002", "60000", "0.02", trade_id="1"),
             trade(rest, ENTRY, "0.002", "60000", "0.02", trade_id="2")),
            begun_ms=back,
        )),
        (back + 10, whole_stop),
        (back + 110, report(back + 110, whole_stop, OrderStatus.NEW)),
    )
    (one,) = told(BRACKET, entries)[0].summary().uncovered
    assert (one.group_id, one.symbol, one.qty, one.ms) == ("long", "BTCUSDT", D("0.004"), back + 110 - half)


def test_a_fill_after_the_stop_leaves_only_itself_uncovered() -> None:
    half, rest, back = START + 1_000, START + 60_000, START + 100_000
    half_stop = STOP.but(request=STOP.request.but(quantity=D("0.002")))
    entries = placed(
        (half, trade(half, ENTRY, "0.002", "60000", "0.02", trade_id="1")), (half, half_stop),
        (half + 100, report(half + 100, half_stop, OrderStatus.NEW)),
        (back, RunResumed(back, back + 5_000)),
        (back, VenueSnapshot(
            back, (), (Position("BTCUSDT", D("0.004"), D(60000)),), (report(half + 100, half_stop, OrderStatus.NEW),),
            (trade(rest, ENTRY, "0.002", "60000", "0.02", trade_id="2"),), begun_ms=back,
        )),
    )
    summary = told(BRACKET, entries)[0].summary()
    assert [(one.qty, one.ms) for one in summary.uncovered] == [(D("0.002"), back - rest)]
    assert summary.naked_at_end == ("long",) and summary.resumed == 1


def test_a_stop_of_the_whole_position_leaves_nothing_uncovered() -> None:
    half, rest, back = START + 1_000, START + 60_000, START + 100_000
    whole = STOP.but(request=STOP.request.but(quantity=D("0.002"), close_position=True))
    entries = placed(
        (half, trade(half, ENTRY, "0.002", "60000", "0.02", trade_id="1")), (half, whole),
        (half + 100, report(half + 100, whole, OrderStatus.NEW)),
        (back, RunResumed(back, back + 5_000)),
        (back, VenueSnapshot(
            back, (), (), (report(half + 100, whole, OrderStatus.NEW),),
            (trade(rest, ENTRY, "0.002", "60000", "0.02", trade_id="2"),), begun_ms=back,
        )),
    )
    summary = told(BRACKET, entries)[0].summary()
    assert summary.uncovered == () and summary.unprotected_ms == 100 and summary.naked_at_end == ()


def held(at_ms: int, qty: str, *, begun_ms: int | None = None) -> Entry:
    return at_ms, PositionReport(at_ms, "BTCUSDT", D(qty), begun_ms)


def entered() -> list[Entry]:
    return placed((START + 100, trade(START + 100, ENTRY, "0.004", "60000", "0.05")), held(START + 100, "0.004"))


def test_what_others_closed_is_neither_open_nor_naked_but_named() -> None:
    entries = [*entered(), held(START + 5_000, "0"), (START + 6_000, StepEnded("long", "failed", "position_gone"))]
    summary = told(BRACKET, entries)[0].summary()
    assert (summary.positions, summary.naked_at_end) == ((), ())
    assert summary.closed_by_others == (Lost("BTCUSDT", D("0.004")),)
    assert "CLOSED BY OTHERS, not in the PnL: 0.004 BTCUSDT" in as_text(summary)


def test_a_part_that_others_closed_is_not_shown_as_open() -> None:
    sold = trade(START + 9_000, STOP, "0.003", "59000", "0.05", pnl="-3")
    entries = [*entered(), held(START + 5_000, "0.003"), (START + 5_000, STOP), (START + 9_000, sold),
               held(START + 9_000, "0")]
    summary = told(BRACKET, entries)[0].summary()
    assert (summary.positions, summary.closed_by_others) == ((), (Lost("BTCUSDT", D("0.001")),))


@pytest.mark.parametrize(
    "stale",
    [
        [held(START + 200, "0", begun_ms=START + 50)],
        [(START + 200, VenueSnapshot(START + 200, (), (), (), begun_ms=START + 50))],
        [(START + 200, VenueSnapshot(START + 200, (), (), (), begun_ms=START + 150, symbols=("ETHUSDT",)))],
        [held(START + 200, "0"), (START + 300, trade(START + 300, PROFIT, "0.001", "61000", "0.1"))],
        [held(START + 200, "0"), (START + 200, PROFIT),
         (START + 300, report(START + 300, PROFIT, OrderStatus.FILLED, "0.004"))],
        [held(START + 200, "5")], [],
    ],
    ids=["an old read", "an old snapshot", "of another symbol", "before a fill", "fills untold", "of others too", "no"],
)
def test_a_figure_that_may_be_of_before_the_last_fill_takes_nothing_away(stale: list[Entry]) -> None:
    summary = told(BRACKET, [*entered(), (START + 150, PROFIT), *stale])[0].summary()
    assert summary.closed_by_others == () and summary.positions


def test_a_fill_whose_price_nobody_told_is_named() -> None:
    entries = placed((START + 9, report(START + 9, ENTRY, OrderStatus.FILLED, "0.004", "60000")))
    summary = told(BRACKET, entries)[0].summary()
    assert summary.unpriced == ("long.entry (d1.1.0.0.0)",)


def test_a_report_that_goes_on_after_a_resume_is_the_report_of_the_whole_journal() -> None:
    entries = placed(
        (START + 100, report(START + 100, ENTRY, OrderStatus.NEW)),
        (START + 200, RunResumed(START + 200, START + 5_200)),
        (START + 300, trade(START + 300, ENTRY, "0.004", "60000", "0.05")), (START + 300, STOP), (START + 300, PROFIT),
        (START + 400, report(START + 400, STOP, OrderStatus.NEW)),
    )
    once = told(BRACKET, entries)[0]
    twice = Report(BRACKET)
    for at_ms, value in entries[:3]:
        twice.see(at_ms, value)
    before = twice.take_log()
    for at_ms, value in entries[3:]:
        twice.see(at_ms, value)
    assert before + twice.take_log() == once.log_text()
    assert twice.summary() == once.summary() and twice.order_rows() == once.order_rows()


def test_a_refusal_for_a_reason_that_passes_is_logged_as_transient() -> None:
    side = PlaceOrder(ENTRY.request.but(side=Side.SELL, order_type=OrderType.MARKET, price=None), "long.stop_loss", 1)
    entries: list[Entry] = [
        (START, RunStarted(START, "d1", 1)), (START, side),
        (START, CommandRejected(START, *of(side), Action.PLACE, 0, "no connection", passing=True)),
    ]
    (failed,) = [line for line in logged(entries) if line["action"] == "order_attempt_failed"]
    assert failed["transient"] is True
