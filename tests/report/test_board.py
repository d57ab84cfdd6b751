"""How the steps of a run stand, for a table."""

from runner.domain.commands import CancelTimer, SetTimer, StepEnded, StepStarted
from runner.domain.events import RunStarted, TimerFired
from runner.domain.orders import OrderStatus
from runner.report.board import LegRow
from tests.report.stories import (
    BRACKET,
    ENTRY,
    STOP,
    TWAP,
    D,
    Entry,
    at,
    bracket,
    report,
    told,
    trade,
    twap_denied,
)

START = at("05-04 15:33:00")


def entered(*more: Entry) -> list[Entry]:
    return [(START, RunStarted(START, "d1", 1)), (START, StepStarted("long", D("0.004"))), (START, ENTRY), *more]


def test_a_step_waits_is_open_with_its_orders_and_ends_without() -> None:
    (waiting,) = told(BRACKET, [])[0].board()
    assert (waiting.state, waiting.orders, waiting.wanted) == ("waiting", (), None)
    (open_,) = told(BRACKET, entered(
        (START, trade(START, ENTRY, "0.003", "60000", "0.1")), (START, STOP),
        (START, report(START, STOP, OrderStatus.NEW)),
    ))[0].board()
    assert (open_.state, open_.entered, open_.exited, open_.wanted) == ("open", D("0.003"), D(0), D("0.004"))
    assert open_.orders == (LegRow("entry", "PARTIALLY_FILLED"), LegRow("stop_loss", "ACCEPTED"))
    (ended,) = told(BRACKET, bracket())[0].board()
    assert (ended.state, ended.entered, ended.exited, ended.orders) == ("succeeded", D("0.004"), D("0.004"), ())


def test_the_reason_of_an_end_is_shown() -> None:
    (row,) = told(BRACKET, entered((START, StepEnded("long", "failed", "unprotected"))))[0].board()
    assert (row.state, row.reason) == ("failed", "unprotected")


def test_the_next_thing_by_the_clock_is_the_nearest_timer() -> None:
    timers: list[Entry] = [
        (START, SetTimer("timeout:long", START + 9_000)), (START, SetTimer("bound:long", START + 2_000)),
        (START, SetTimer("lookup:d1.1.0.0.0", START + 500)), (START, SetTimer("read:elsewhere", START)),
    ]
    (row,) = told(BRACKET, entered(*timers))[0].board()
    assert (row.due, row.due_ms) == ("look-up", START + 500)
    timers.append((START + 500, TimerFired(START + 500, "lookup:d1.1.0.0.0")))
    (row,) = told(BRACKET, entered(*timers))[0].board()
    assert (row.due, row.due_ms) == ("close unless protected", START + 2_000)
    timers.append((START + 500, CancelTimer("bound:long")))
    (row,) = told(BRACKET, entered(*timers))[0].board()
    assert (row.due, row.due_ms) == ("timeout", START + 9_000)


def test_a_timeout_is_nothing_to_a_step_that_is_filled() -> None:
    (row,) = told(BRACKET, entered(
        (START, SetTimer("timeout:long", START + 9_000)), (START, trade(START, ENTRY, "0.004", "60000", "0.1")),
    ))[0].board()
    assert (row.due, row.due_ms) == ("", None)


def test_the_slices_of_a_twap_are_due_by_their_edges() -> None:
    context = TWAP._replace(steps=(TWAP.steps[0]._replace(first_edge=3, last_edge=4),))
    entries = [*twap_denied()[:3], (START, SetTimer("edge:4", START + 250)), (START, SetTimer("edge:9", START + 1))]
    (row,) = told(context, entries)[0].board()
    assert (row.due, row.due_ms) == ("next order", START + 250)
