"""Wallets, positions and income of an account, to the last digit."""

from decimal import Decimal

import pytest

from runner.domain.values import ZERO, Side
from runner.venue.account import Account, shown_px
from runner.venue.facts import BalanceState, PositionState
from runner.venue.settings import VenueSettings
from runner.venue.terms import IncomeType, MarginType, PositionSide
from tests.venue.desk import BTC, d
from tests.venue.ledger import BOTH, BUY, LONG, SELL, SHORT, USDC, Ledger


def rows(ledger: Ledger) -> list[str]:
    return [f"{row.kind} {row.amount}" for row in ledger.account.history.income(0)]


def test_the_wallet_takes_the_fee_of_an_opening_and_the_profit_of_a_closing() -> None:
    ledger = Ledger(fee="0.001")
    ledger.trade(BUY, 2, 100)
    assert ledger.wallet == d("999.8")
    ledger.trade(SELL, 2, 110)
    assert ledger.wallet == d("1019.58")
    assert ledger.account.holding("BTCUSDT").qty == ZERO
    assert rows(ledger) == ["TRANSFER 1000", "COMMISSION -0.200", "COMMISSION -0.220", "REALIZED_PNL 20"]


def test_an_execution_says_fee_profit_and_whether_the_position_grew() -> None:
    account = Ledger(fee="0.001").account
    assert account.execute(BTC, BOTH, BUY, d(1), d(100), True, 1, 1) == (d("0.1"), ZERO, True)
    assert account.execute(BTC, BOTH, SELL, d("0.5"), d(90), True, 2, 1) == (d("0.045"), d(-5), False)
    assert account.execute(BTC, BOTH, SELL, d(2), d(90), True, 3, 1) == (d("0.18"), d(-5), True)
    assert account.holding("BTCUSDT").qty == d("-1.5")


def test_maker_and_taker_pay_their_own_rates_in_the_margin_asset() -> None:
    ledger = Ledger()
    ledger.account.maker_fee, ledger.account.taker_fee = d("0.0002"), d("0.0005")
    assert ledger.account.execute(BTC, BOTH, BUY, d(1), d(100), True, 1, 1).fee == d("0.02")
    assert ledger.account.execute(USDC, BOTH, BUY, d(1), d(100), False, 2, 1).fee == d("0.05")
    assert ledger.account.wallets == {"USDT": d("999.98"), "USDC": d("-0.05")}


def test_fees_and_profits_are_rounded_against_the_account_to_eight_decimals() -> None:
    ledger = Ledger(fee="0.000333333333")
    ledger.trade(BUY, "0.001", "100.1")
    assert ledger.wallet == d(1000) - d("0.00003337")
    other = Ledger()
    other.trade(BUY, 1, 100)
    other.trade(BUY, 2, "100.1")
    other.trade(SELL, 3, "100.1")
    assert other.wallet == d("1000.09999999")


@pytest.mark.parametrize(("qty", "side", "expected"), [
    ("2", SELL, "2"), ("2", BUY, "0"), ("-2", BUY, "2"), ("-2", SELL, "0"), ("0", BUY, "0"),
])
def test_only_the_other_side_can_close(qty: str, side: Side, expected: str) -> None:
    ledger = Ledger()
    ledger.account.endow(BTC, BOTH, d(qty), d(100), 0)
    assert ledger.account.closable("BTCUSDT", BOTH, side) == d(expected)


def test_in_hedge_mode_long_and_short_are_positions_of_their_own() -> None:
    ledger = Ledger().hedge()
    ledger.trade(BUY, 2, 100, LONG)
    ledger.trade(SELL, 1, 110, SHORT)
    assert ledger.account.holding("BTCUSDT", LONG).qty == d(2)
    assert ledger.account.holding("BTCUSDT", SHORT).qty == d(-1)
    assert ledger.account.closable("BTCUSDT", LONG, SELL) == d(2)
    assert ledger.account.closable("BTCUSDT", SHORT, BUY) == d(1)
    assert ledger.account.closable("BTCUSDT", SHORT, SELL) == ZERO
    ledger.trade(SELL, 2, 105, LONG)
    assert ledger.wallet == d(1010)
    assert [held.side for held in ledger.account.held()] == [SHORT]


def test_an_isolated_position_takes_its_initial_margin_out_of_the_cross_wallet() -> None:
    ledger = Ledger(fee="0.001").isolate()
    ledger.trade(BUY, 2, 100)
    assert (ledger.wallet, ledger.cross, ledger.own()) == (d("999.8"), d(980), d("19.8"))
    ledger.trade(BUY, 1, 130)
    assert (ledger.wallet, ledger.cross, ledger.own()) == (d("999.67"), d(967), d("32.67"))


def test_an_isolated_position_that_shrinks_gives_back_its_share_and_bears_its_loss() -> None:
    ledger = Ledger().isolate()
    ledger.trade(BUY, 4, 100)
    ledger.trade(SELL, 1, 96)
    assert (ledger.wallet, ledger.cross, ledger.own()) == (d(996), d(966), d(30))
    ledger.trade(SELL, 3, 110)
    assert (ledger.wallet, ledger.cross, ledger.own()) == (d(1026), d(1026), ZERO)


def test_a_loss_beyond_the_closed_share_is_taken_from_what_stays_isolated() -> None:
    ledger = Ledger().isolate()
    ledger.trade(BUY, 4, 100)
    ledger.trade(SELL, 1, 85)
    assert (ledger.wallet, ledger.cross, ledger.own()) == (d(985), d(960), d(25))


def test_a_flip_gives_all_back_and_takes_the_margin_of_the_new_side() -> None:
    ledger = Ledger().isolate()
    ledger.trade(BUY, 4, 100)
    ledger.trade(SELL, 6, 110)
    assert ledger.account.holding("BTCUSDT").qty == d(-2)
    assert (ledger.wallet, ledger.cross, ledger.own()) == (d(1040), d(1018), d(22))


def test_isolated_wallets_never_take_more_than_there_is() -> None:
    ledger = Ledger(10).isolate()
    ledger.trade(BUY, 4, 100)
    assert (ledger.cross, ledger.own()) == (ZERO, d(10))


def test_break_even_counts_the_fees_and_profits_since_the_position_was_opened() -> None:
    ledger = Ledger(fee="0.0005")
    held = ledger.account.holding
    ledger.trade(BUY, "0.01", "60000")
    assert held("BTCUSDT").break_even_px == d("60030")
    ledger.trade(SELL, "0.005", "60100")
    # 0.30 + 0.15025 paid, 0.50 gained: 0.04975 more than was paid, on 0.005.
    assert held("BTCUSDT").break_even_px == d("59990.05")
    ledger.trade(SELL, "0.005", "60000")
    assert held("BTCUSDT").break_even_px == ZERO
    ledger.trade(SELL, "0.01", "60000")
    assert held("BTCUSDT").break_even_px == d("59970")


def test_break_even_of_a_flipped_position_begins_anew() -> None:
    ledger = Ledger(fee="0.001")
    ledger.trade(BUY, 1, 100)
    ledger.trade(SELL, 3, 100)
    assert ledger.account.holding("BTCUSDT").break_even_px == d("99.9")


def test_payments_change_the_wallet_and_the_isolated_wallet_they_concern() -> None:
    ledger = Ledger().isolate()
    ledger.trade(BUY, 4, 100)
    ledger.account.pay(IncomeType.FUNDING_FEE, "USDT", d("-0.5"), 9, "BTCUSDT", isolated=BOTH)
    assert (ledger.wallet, ledger.cross, ledger.own()) == (d("999.5"), d(960), d("39.5"))
    ledger.account.pay(IncomeType.TRANSFER, "USDT", ZERO, 9)
    assert rows(ledger) == ["TRANSFER 1000", "FUNDING_FEE -0.5"]


def test_states_tell_what_the_stream_tells() -> None:
    ledger = Ledger().isolate()
    ledger.trade(BUY, 3, 100)
    ledger.trade(BUY, 3, 101)
    ledger.trade(BUY, 3, 101)
    assert ledger.account.balance_state("USDT", d(5)) == BalanceState("USDT", d(1000), d("909.4"), d(5))
    assert ledger.account.position_state("BTCUSDT", BOTH, d(102)) == PositionState(
        "BTCUSDT", BOTH, d(9), d("100.66666666667"), d("100.66666666667"), ZERO, d(12), MarginType.ISOLATED, d("90.6"),
    )
    assert ledger.account.position_state("ALTUSDT", PositionSide.BOTH, d(1)).qty == ZERO


def test_the_leverage_at_the_start_is_never_more_than_the_contract_allows() -> None:
    assert Ledger(leverage=125).account.config("BTCUSDT").leverage == 20


@pytest.mark.parametrize(("price", "expected"), [
    ("60000.10", "60000.10"), ("0.123456789012", "0.12345678901"), ("1.999999999999", "2"),
])
def test_average_prices_are_shown_with_at_most_eleven_decimals(price: str, expected: str) -> None:
    assert str(shown_px(Decimal(price))) == expected


def test_a_position_held_from_the_start_has_its_own_margin_where_that_is_the_margin_type() -> None:
    account = Account("a", VenueSettings(leverage=4, margin_type=MarginType.ISOLATED))
    account.pay(IncomeType.TRANSFER, "USDT", d(1000), 0)
    account.endow(BTC, BOTH, d("-0.01"), d(60000), 1)
    assert account.holding("BTCUSDT").isolated_wallet == d(150)
    assert account.cross_wallet() == d(850)
    account.execute(BTC, BOTH, BUY, d("0.005"), d(60000), True, 1, 2)
    assert account.holding("BTCUSDT").isolated_wallet == d(75)


def test_it_takes_no_more_than_the_wallet_has() -> None:
    account = Account("a", VenueSettings(leverage=4, margin_type=MarginType.ISOLATED))
    account.pay(IncomeType.TRANSFER, "USDT", d(100), 0)
    account.endow(BTC, BOTH, d("0.01"), d(60000), 1)
    assert (account.holding("BTCUSDT").isolated_wallet, account.cross_wallet()) == (d(100), ZERO)
