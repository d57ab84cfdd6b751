"""When funding is exchanged, who pays it, and out of which wallet."""

from decimal import Decimal

import pytest

from runner.domain.values import ZERO
from runner.venue.facts import AccountUpdate, BalanceState
from runner.venue.funding import UNKNOWN_RATE, charge, next_funding_ms
from runner.venue.terms import IncomeType, Reason
from tests.venue.desk import BTC, d
from tests.venue.ledger import BOTH, LONG, SHORT, Ledger

HOUR = 3_600_000
MIDNIGHT = 20_000 * 24 * HOUR


def pay(ledger: Ledger, rate: str | None, mark: int | str = 100) -> list[AccountUpdate]:
    return charge(ledger.account, "BTCUSDT", "USDT", d(mark), None if rate is None else d(rate), 7)


@pytest.mark.parametrize(("hour", "interval", "expected"), [
    (0, 8, 8), (7.999, 8, 8), (8, 8, 16), (23, 8, 24), (5, 4, 8), (5, 1, 6),
])
def test_funding_times_are_whole_intervals_of_the_day_in_utc(hour: float, interval: int, expected: int) -> None:
    assert next_funding_ms(MIDNIGHT + int(hour * HOUR), interval) == MIDNIGHT + expected * HOUR


@pytest.mark.parametrize(("qty", "rate", "change"), [
    ("2", "0.0001", "-0.02"), ("-2", "0.0001", "0.02"), ("2", "-0.0001", "0.02"), ("-2", "-0.0001", "-0.02"),
])
def test_longs_pay_shorts_where_the_rate_is_above_zero(qty: str, rate: str, change: str) -> None:
    ledger = Ledger()
    ledger.account.endow(BTC, BOTH, d(qty), d(50), 0)
    facts = pay(ledger, rate)
    balance = BalanceState("USDT", 1000 + d(change), 1000 + d(change), d(change))
    assert facts == [AccountUpdate("main", 7, Reason.FUNDING_FEE, (balance,), (), "BTCUSDT")]
    row = ledger.account.history.income(7)[-1]
    assert (row.kind, row.amount, row.symbol, row.at_ms) == (IncomeType.FUNDING_FEE, d(change), "BTCUSDT", 7)


@pytest.mark.parametrize("qty", ["3", "-3"])
def test_where_the_rate_is_unknown_whoever_holds_pays(qty: str) -> None:
    ledger = Ledger()
    ledger.account.endow(BTC, BOTH, d(qty), d(50), 0)
    pay(ledger, None)
    assert ledger.wallet == 1000 - 300 * UNKNOWN_RATE


@pytest.mark.parametrize(("qty", "change"), [("0.001", "-0.00001112"), ("-0.001", "0.00001111")])
def test_payments_are_rounded_against_the_account(qty: str, change: str) -> None:
    ledger = Ledger()
    ledger.account.endow(BTC, BOTH, d(qty), d(50), 0)
    pay(ledger, "0.0001", "111.111")
    assert ledger.wallet - 1000 == d(change)


def test_an_isolated_position_pays_out_of_its_own_wallet_and_is_told() -> None:
    ledger = Ledger().isolate()
    ledger.account.endow(BTC, BOTH, d(2), d(100), 0)
    ledger.account.holding("BTCUSDT").isolated_wallet = d(20)
    fact, = pay(ledger, "0.001")
    assert (ledger.wallet, ledger.cross, ledger.own()) == (d("999.8"), d(980), d("19.8"))
    assert fact.positions == (ledger.account.position_state("BTCUSDT", BOTH, d(100)),)
    assert fact.balances == (BalanceState("USDT", d("999.8"), d(980), d("-0.2")),)


def test_both_sides_of_a_hedge_are_exchanged_at_once() -> None:
    ledger = Ledger().hedge()
    ledger.account.endow(BTC, LONG, d(3), d(100), 0)
    ledger.account.endow(BTC, SHORT, d(-1), d(100), 0)
    fact, = pay(ledger, "0.001")
    assert fact.balances[0].change == d("-0.2")
    assert [row.amount for row in ledger.account.history.income(7)][1:] == [d("-0.3"), d("0.1")]


def test_nothing_is_told_where_nothing_is_due() -> None:
    ledger = Ledger()
    assert pay(ledger, None) == []
    ledger.account.endow(BTC, BOTH, d(1), d(100), 0)
    assert pay(ledger, "0") == []
    assert charge(ledger.account, "ALTUSDT", "USDT", d(100), d(1), 7) == []
    assert ledger.wallet == 1000


def test_what_one_pays_another_gets_up_to_the_rounding() -> None:
    long, short = Ledger(), Ledger()
    long.account.endow(BTC, BOTH, d("0.333"), d(100), 0)
    short.account.endow(BTC, BOTH, d("-0.333"), d(100), 0)
    pay(long, "0.000123", "100.1")
    pay(short, "0.000123", "100.1")
    kept = 2000 - long.wallet - short.wallet
    assert ZERO <= kept <= Decimal("0.00000001")
