"""Wallet, fees and margin to the last digit."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import pytest

from runner.domain.values import Side
from runner.venue.account_before import Account, Booking, Claim, booked, initial_margin

D = Decimal
BUY, SELL = Side.BUY, Side.SELL


def account() -> Account:
    return Account(D(1000), 5, D("0.0002"), D("0.0005"))


def test_the_wallet_takes_the_fee_of_an_opening_and_the_profit_of_a_closing() -> None:
    desk = account()
    assert desk.book("X", BUY, D(2), D(100), maker=True) == Booking(D("0.04"), D(0), grew=True)
    assert desk.wallet == D("999.96")
    assert desk.book("X", SELL, D(2), D(110), maker=False) == Booking(D("0.11"), D(20), grew=False)
    assert desk.wallet == D("1019.85")
    assert desk.position("X").qty == 0


def test_a_flip_counts_as_opening() -> None:
    desk = account()
    desk.book("X", BUY, D(1), D(100), maker=True)
    assert desk.book("X", SELL, D("1.5"), D(100), maker=True).grew
    assert desk.position("X").qty == D("-0.5")


@pytest.mark.parametrize(("value", "rounding", "expected"), [
    ("0.123456789", ROUND_CEILING, "0.12345679"), ("0.123456789", ROUND_FLOOR, "0.12345678"),
    ("-0.123456781", ROUND_FLOOR, "-0.12345679"), ("5", ROUND_FLOOR, "5"), ("0.00000001", ROUND_CEILING, "0.00000001"),
])
def test_what_is_booked_is_rounded_against_the_account(value: str, rounding: str, expected: str) -> None:
    assert booked(D(value), rounding) == D(expected)


@pytest.mark.parametrize(("position", "side", "expected"), [
    ("2", SELL, "2"), ("2", BUY, "0"), ("-2", BUY, "2"), ("-2", SELL, "0"), ("0", BUY, "0"),
])
def test_only_the_other_side_can_close(position: str, side: Side, expected: str) -> None:
    desk = account()
    if D(position):
        desk.book("X", BUY if D(position) > 0 else SELL, abs(D(position)), D(100), maker=True)
    assert desk.closable("X", side) == D(expected)


@pytest.mark.parametrize(("position", "claims", "expected"), [
    ("0", [], "0"),
    ("1", [], "20"),
    ("-1", [], "20"),
    ("1", [Claim(BUY, D(1), D(90))], "38"),
    ("1", [Claim(SELL, D(1), D(110))], "20"),
    ("1", [Claim(SELL, D(3), D(110))], "46"),
    ("0", [Claim(BUY, D(1), D(90)), Claim(SELL, D(1), D(110))], "22"),
    ("0", [Claim(BUY, D(1), D(105))], "26"),
    ("0", [Claim(SELL, D(1), D(95))], "24"),
])
def test_the_worse_side_binds_margin_and_what_would_lose_at_once_binds_its_loss(
    position: str, claims: list[Claim], expected: str,
) -> None:
    assert initial_margin(D(position), D(100), claims, D(5)) == D(expected)


def test_unrealised_profit_is_summed_over_open_positions() -> None:
    desk = account()
    desk.book("X", BUY, D(1), D(100), maker=True)
    desk.book("Y", SELL, D(2), D(50), maker=True)
    desk.book("Z", SELL, D(2), D(50), maker=True)
    desk.book("Z", BUY, D(2), D(50), maker=True)
    assert desk.unrealised({"X": D(103), "Y": D(49)}) == D(5)
