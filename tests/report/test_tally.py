"""Folding a run's entries, whatever their order and however often they come."""

from hypothesis import given
from hypothesis import strategies as st

from runner.domain.commands import GroupProtected, RunEnded
from runner.domain.events import ForcedExecution
from runner.domain.orders import OrderStatus
from runner.domain.reports import OrderReport, TradeReport
from runner.domain.values import OrderType, Side
from runner.report.summary import as_text
from tests.report.stories import (
    BRACKET,
    ENTRY,
    OCO,
    PROFIT,
    STOP,
    D,
    Entry,
    at,
    bracket,
    liquidated,
    oco_refused,
    place,
    report,
    told,
    trade,
)


def test_a_stop_for_a_part_only_does_not_protect() -> None:
    small = type(STOP)(type(STOP.request)(
        "d1.2.0.0.0", "BTCUSDT", STOP.request.side, STOP.request.order_type, D("0.003"), trigger_price=D(59000),
        reduce_only=True,
    ), "long.stop_loss")
    summary = told(BRACKET, [
        (0, ENTRY), (10, trade(10, ENTRY, "0.004", "60000", "0")), (10, small),
        (20, report(20, small, OrderStatus.NEW)),
        (30, PROFIT), (35, report(35, PROFIT, OrderStatus.NEW)), (40, trade(40, PROFIT, "0.001", "61000", "0")),
        (90, RunEnded("open")),
    ])[0].summary()
    assert (summary.unprotected_ms, summary.naked_at_end) == (30, ())
    assert as_text(summary).startswith("the data ended: 3 orders, 1 filled; ")


def test_an_adopted_position_is_unprotected_as_long_as_the_machine_says() -> None:
    entries: list[Entry] = [*oco_refused()[:-1], (at("05-04 15:33:00.300"), GroupProtected("guard", 50))]
    assert told(OCO, entries)[0].summary().unprotected_ms == 50
    twice: list[Entry] = [*bracket(), (at("05-05 01:23:00"), GroupProtected("long", 100))]
    assert told(BRACKET, twice)[0].summary().unprotected_ms == 100


@given(st.lists(st.integers(0, len(bracket()) - 1), max_size=12))
def test_facts_that_come_again_change_nothing(places: list[int]) -> None:
    entries = bracket()
    once, _ = told(BRACKET, entries)
    again = list(entries)
    facts = (index for index in places if isinstance(entries[index][1], OrderReport | TradeReport))
    for index in sorted(facts, reverse=True):
        again.insert(index + 1, entries[index])
        again.insert(len(again) - 1, (entries[-1][0], entries[index][1]))
    twice, _ = told(BRACKET, again)
    assert twice.summary() == once.summary()
    assert twice.order_rows() == once.order_rows()
    assert twice.fill_rows() == once.fill_rows()
    assert twice.log_text() == once.log_text()


def test_a_forced_execution_is_counted_once() -> None:
    entries = liquidated()
    again = [entry for entry in entries for _ in range(1 + isinstance(entry[1], ForcedExecution))]
    assert told(BRACKET, again)[0].summary() == told(BRACKET, entries)[0].summary()
    assert told(BRACKET, again)[0].fill_rows() == told(BRACKET, entries)[0].fill_rows()


def test_what_a_groups_exits_close_beyond_its_own_is_the_others_and_leaves_nobody_naked() -> None:
    both = BRACKET._replace(
        groups=(*BRACKET.groups, BRACKET.groups[0]._replace(group_id="other")),
        legs=(*BRACKET.legs, *(
            one._replace(node_id=one.node_id.replace("long", "other"), step_id="other", group_id="other")
            for one in BRACKET.legs
        )),
    )
    theirs = place("other.entry", "4", Side.BUY, OrderType.LIMIT, "0.004", price="60000")
    entries: list[Entry] = [
        (0, ENTRY), (0, theirs), (10, trade(10, ENTRY, "0.004", "60000", "0")), (10, STOP),
        (20, report(20, STOP, OrderStatus.NEW)), (20, PROFIT), (20, report(20, PROFIT, OrderStatus.NEW)),
        (30, trade(30, theirs, "0.004", "60000", "0")), (40, trade(40, STOP, "0.004", "59000", "0")),
        (50, trade(50, PROFIT, "0.004", "61000", "0")), (90, RunEnded("succeeded")),
    ]
    summary = told(both, entries)[0].summary()
    assert (summary.naked_at_end, summary.positions, summary.unprotected_ms) == ((), (), 10 + 20)
