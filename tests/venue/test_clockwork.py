"""What happens by itself: dates, a year, countdowns, funding, and their order."""

import pytest

from runner.domain.positions import Position
from runner.domain.values import TimeInForce
from runner.venue.execution import YEAR_MS
from runner.venue.facts import AccountUpdate
from runner.venue.filters import GOOD_TILL_BEFORE_MS
from runner.venue.market import Point
from runner.venue.refusals import Refusal
from runner.venue.settings import Rules
from runner.venue.terms import IncomeType, Reason
from tests.venue.desk import Desk, code, d, states

GTD = TimeInForce.GTD
HOURS = 3_600_000


def dated(good_till_ms: int, rules: Rules | None = None) -> Desk:
    desk = Desk(60000, rules=rules or Rules())
    desk.order("BUY", "LIMIT", "0.010", 59000, id="b", time_in_force=GTD, good_till_ms=good_till_ms)
    return desk


@pytest.mark.parametrize(("good_till", "expected"), [
    (600_000, -5040), (600_001, 0), (GOOD_TILL_BEFORE_MS - 1, 0), (GOOD_TILL_BEFORE_MS, -5040), (0, -1102),
])
def test_d1_the_date_lies_ahead_but_not_beyond_all_time(good_till: int, expected: int) -> None:
    told = Desk(60000).order("BUY", "LIMIT", "0.010", 59000, time_in_force=GTD, good_till_ms=good_till)
    assert (code(told) == expected) if expected else states(told) == ["o1 NEW"]


def test_d1_a_date_belongs_to_dated_orders_alone() -> None:
    assert code(Desk(60000).order("BUY", "LIMIT", "0.010", 59000, good_till_ms=10**9)) == -1106


@pytest.mark.parametrize(("rules", "expected"), [
    (Rules(), ["b CANCELED"]), (Rules(good_till_cancels=False), ["b EXPIRED er2"]),
])
def test_d1_a_dated_order_ends_at_its_second(rules: Rules, expected: list[str]) -> None:
    desk = dated(700_999, rules)
    assert desk.exchange.next_due_ms() == 700_000
    assert desk.wait(699_999) == []
    told = desk.wait(1)
    assert states(told) == expected
    assert desk.exchange.order(desk.me, "BTCUSDT", "b").updated_ms == 700_000


def test_d1_a_dated_order_that_is_over_leaves_nothing_due() -> None:
    desk = dated(700_000)
    before = Desk(60000).exchange.next_due_ms()
    desk.cancel("b")
    assert desk.exchange.next_due_ms() == before


def test_d1_a_resting_order_ends_after_a_year() -> None:
    desk = Desk(60000)
    desk.order("BUY", "LIMIT", "0.010", 59000, id="b")
    desk.wait(YEAR_MS - 1)
    assert desk.state("b") == "NEW 0"
    desk.wait(1)
    assert len(desk.exchange.open_orders(desk.me)) == 0


def test_d2_a_countdown_cancels_what_works_on_its_symbol() -> None:
    desk = Desk(60000)
    other = desk.exchange.open_account("other")
    desk.order("BUY", "LIMIT", "0.010", 59000, id="b")
    desk.order("BUY", "STOP_MARKET", "0.010", stop=61000, id="s")
    desk.order("BUY", "LIMIT", 10, 9, symbol="COARSEUSDT", id="elsewhere")
    desk.order("BUY", "LIMIT", "0.010", 59000, id="others", by=other)
    desk.exchange.countdown(desk.me, "BTCUSDT", 1000, 0)
    assert desk.exchange.next_due_ms() == 1000
    assert desk.wait(999) == []
    assert states(desk.wait(1)) == ["b CANCELED"]
    assert desk.wait(5000) == []


def test_d2_by_a_rule_conditional_orders_go_too() -> None:
    desk = Desk(60000, rules=Rules(countdown_covers_conditionals=True))
    desk.order("BUY", "STOP_MARKET", "0.010", stop=61000, id="s")
    desk.exchange.countdown(desk.me, "BTCUSDT", 1000, 0)
    assert states(desk.wait(1000)) == ["~s CANCELED"]


def test_d2_a_countdown_is_set_anew_and_called_off() -> None:
    desk = Desk(60000)
    desk.order("BUY", "LIMIT", "0.010", 59000, id="b")
    desk.exchange.countdown(desk.me, "BTCUSDT", 1000, 0)
    desk.exchange.countdown(desk.me, "BTCUSDT", 1000, 900)
    assert desk.wait(1899) == []
    desk.exchange.countdown(desk.me, "BTCUSDT", 0, 1899)
    assert desk.wait(10_000) == []
    assert desk.state("b") == "NEW 0"
    assert code(desk.cancel("x", symbol="NOPEUSDT")) == -1121


def test_d3_what_is_due_goes_before_data_and_requests_of_its_instant() -> None:
    desk = Desk(60000)
    desk.order("BUY", "LIMIT", "0.010", 59000, id="b")
    desk.exchange.countdown(desk.me, "BTCUSDT", 1000, 0)
    assert states(desk.see(Point("BTCUSDT", 1000, d(58000)))) == ["b CANCELED"]
    desk.order("BUY", "LIMIT", "0.010", 57500, id="c", at=1000)
    desk.exchange.countdown(desk.me, "BTCUSDT", 1000, 1000)
    with pytest.raises(Refusal, match="-2011"):
        desk.exchange.cancel(desk.me, "BTCUSDT", "c", 2000)
    assert states(desk.exchange.drain()) == ["c CANCELED"]


def test_d3_everything_happens_at_its_own_instant() -> None:
    desk = Desk(60000, funding_rate=d("0.0001"), positions=(Position("BTCUSDT", d("0.010"), d(60000)),))
    desk.exchange.countdown(desk.me, "BTCUSDT", 8 * HOURS, 0)
    desk.order("BUY", "LIMIT", "0.010", 59000, id="b")
    told = desk.wait(20 * HOURS)
    assert [type(fact).__name__ for fact in told] == ["AccountUpdate", "OrderUpdate", "AccountUpdate"]
    assert [fact.at_ms for fact in told if isinstance(fact, AccountUpdate)] == [8 * HOURS, 16 * HOURS]
    assert {fact.reason for fact in told if isinstance(fact, AccountUpdate)} == {Reason.FUNDING_FEE}
    paid = desk.me.history.income(desk.now, kind=IncomeType.FUNDING_FEE)
    assert [row.amount for row in paid] == [d("-0.06"), d("-0.06")]


def test_the_funding_rate_of_a_symbol_can_be_set() -> None:
    desk = Desk(60000, positions=(Position("BTCUSDT", d("0.010"), d(60000)),))
    assert desk.exchange.funding_rate("BTCUSDT") is None
    desk.exchange.set_funding_rate("BTCUSDT", d("-0.0001"))
    desk.wait(8 * HOURS)
    assert [row.amount for row in desk.me.history.income(desk.now, kind=IncomeType.FUNDING_FEE)] == [d("0.06")]


def test_time_never_goes_back() -> None:
    desk = Desk(60000)
    desk.wait(5000)
    desk.exchange.advance(10)
    assert desk.exchange.now_ms == 5000
