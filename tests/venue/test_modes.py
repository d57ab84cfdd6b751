"""What an owner may change about an account, and what forbids it."""

from collections.abc import Callable

import pytest

from runner.domain.values import ZERO
from runner.venue import modes
from runner.venue.facts import BalanceState
from runner.venue.refusals import Refusal
from runner.venue.terms import IncomeType, MarginType, PositionSide, Reason
from tests.venue.desk import d
from tests.venue.ledger import BOTH, BUY, LONG, SELL, SHORT, Ledger, Marks


def code(call: Callable[[], object]) -> int:
    """The code of the refusal, 0 without one."""
    try:
        call()
    except Refusal as refusal:
        return refusal.code
    return 0


def lever(ledger: Ledger, leverage: int, **marks: int) -> int:
    return code(lambda: modes.set_leverage(ledger.account, "BTCUSDT", leverage, Marks(**marks)))


@pytest.mark.parametrize(("leverage", "refusal"), [(0, -4028), (1, 0), (10, 0), (20, 0), (21, -4028), (-5, -4028)])
def test_a_leverage_is_one_that_the_first_bracket_allows(leverage: int, refusal: int) -> None:
    ledger = Ledger()
    assert lever(ledger, leverage) == refusal
    assert ledger.account.config("BTCUSDT").leverage == (10 if refusal else leverage)
    assert ledger.account.config("ALTUSDT").leverage == 10


def test_a_leverage_that_forbids_what_is_held_or_ordered_is_refused() -> None:
    ledger = Ledger(100_000)
    ledger.trade(BUY, 60, 100)
    assert lever(ledger, 20) == 0
    assert lever(ledger, 20, BTCUSDT=200) == -2027
    ledger.rest(BUY, 50, 90)
    assert lever(ledger, 20) == -2027
    assert ledger.account.config("BTCUSDT").leverage == 20


def test_less_leverage_needs_more_margin() -> None:
    ledger = Ledger(100)
    ledger.trade(BUY, 5, 100)
    assert lever(ledger, 5) == 0
    assert lever(ledger, 4) == -2028
    assert lever(ledger, 10) == 0
    ledger.rest(BUY, 4, 100)
    assert lever(ledger, 8) == -2028


def test_an_account_below_its_margin_may_not_lower_its_leverage() -> None:
    ledger = Ledger(100)
    ledger.trade(BUY, 5, 100)
    assert lever(ledger, 9, BTCUSDT=85) == -2028
    assert lever(ledger, 10, BTCUSDT=85) == 0


def test_the_leverage_of_an_isolated_position_can_only_rise() -> None:
    ledger = Ledger().isolate()
    assert lever(ledger, 5) == 0
    ledger.trade(BUY, 5, 100)
    assert lever(ledger, 4) == -4161
    assert lever(ledger, 10) == 0
    assert ledger.own() == 100


def test_the_margin_type_changes_only_without_orders_and_position() -> None:
    ledger = Ledger()

    def change(kind: MarginType, has_orders: bool = False) -> int:
        return code(lambda: modes.set_margin_type(ledger.account, "BTCUSDT", kind, has_orders=has_orders))

    assert change(MarginType.CROSSED) == -4046
    assert change(MarginType.ISOLATED, True) == -4047
    ledger.trade(BUY, 1, 100)
    assert change(MarginType.ISOLATED) == -4048
    ledger.trade(SELL, 1, 100)
    ledger.trade(BUY, 1, 100, symbol="ALTUSDT")
    assert change(MarginType.ISOLATED) == 0
    assert ledger.account.config("BTCUSDT").isolated
    assert not ledger.account.config("ALTUSDT").isolated


def test_hedge_mode_changes_only_without_orders_and_positions_anywhere() -> None:
    ledger = Ledger()

    def change(hedge: bool, has_orders: bool = False) -> int:
        return code(lambda: modes.set_hedge_mode(ledger.account, hedge, has_orders=has_orders))

    assert change(False) == -4059
    assert change(True, True) == -4067
    ledger.trade(BUY, 1, 100, symbol="ALTUSDT")
    assert change(True) == -4068
    ledger.trade(SELL, 1, 100, symbol="ALTUSDT")
    assert change(True) == 0
    ledger.trade(SELL, 1, 100, SHORT)
    assert change(False) == -4068


def move(ledger: Ledger, amount: str | int, side: PositionSide = BOTH, **marks: int) -> int:
    return code(lambda: modes.move_margin(ledger.account, "BTCUSDT", side, d(amount), Marks(**marks), 9))


def test_margin_moves_between_the_cross_wallet_and_an_isolated_position() -> None:
    ledger = Ledger().isolate()
    ledger.trade(BUY, 10, 100)
    fact = modes.move_margin(ledger.account, "BTCUSDT", BOTH, d(50), Marks(), 9)
    assert fact.reason is Reason.MARGIN_TRANSFER
    assert fact.balances == (BalanceState("USDT", d(1000), d(850)),)
    assert fact.positions[0].isolated_wallet == ledger.own() == 150
    assert move(ledger, -50) == 0
    assert (ledger.wallet, ledger.cross, ledger.own()) == (d(1000), d(900), d(100))


def test_an_isolated_position_keeps_its_initial_margin_and_covers_its_loss() -> None:
    ledger = Ledger().isolate()
    ledger.trade(BUY, 10, 100)
    assert move(ledger, "-0.01") == -4051
    assert move(ledger, 100) == 0
    assert move(ledger, -100, BTCUSDT=99) == -4051
    assert move(ledger, -91, BTCUSDT=99) == 0
    assert move(ledger, -1, BTCUSDT=110) == -4051


def test_only_what_is_free_can_be_moved_and_only_to_an_isolated_position() -> None:
    ledger = Ledger()
    ledger.trade(BUY, 10, 100)
    assert move(ledger, 10) == -4054
    other = Ledger(hold := 150).isolate()
    assert move(other, 10) == -4054
    other.trade(BUY, 10, 100)
    assert move(other, 0) == -4055
    assert move(other, "50.01") == -4050
    assert move(other, 50) == 0
    assert other.wallet == hold
    assert other.cross == ZERO


def test_in_hedge_mode_margin_moves_to_the_side_that_is_named() -> None:
    ledger = Ledger().isolate().hedge()
    ledger.trade(BUY, 1, 100, LONG)
    ledger.trade(SELL, 1, 100, SHORT)
    assert move(ledger, 5, SHORT) == 0
    assert (ledger.own(LONG), ledger.own(SHORT)) == (d(10), d(15))


def test_deposits_and_withdrawals_are_income_and_stop_at_what_is_free() -> None:
    ledger = Ledger()

    def pay(amount: str | int) -> int:
        return code(lambda: modes.transfer(ledger.account, "USDT", d(amount), Marks(), 9))

    ledger.trade(BUY, 10, 100)
    assert pay(0) == -4055
    assert pay("-900.01") == -2018
    assert pay(-900) == 0
    assert pay("5.5") == 0
    assert ledger.wallet == d("105.5")
    assert [(row.kind, row.amount) for row in ledger.account.history.income(9)][1:] == [
        (IncomeType.TRANSFER, d(-900)), (IncomeType.TRANSFER, d("5.5")),
    ]
    fact = modes.transfer(ledger.account, "USDC", d(7), Marks(), 9)
    assert (fact.reason, fact.balances) == (Reason.DEPOSIT, (BalanceState("USDC", d(7), d(7), d(7)),))
    assert modes.transfer(ledger.account, "USDC", d(-7), Marks(), 9).reason is Reason.WITHDRAW
