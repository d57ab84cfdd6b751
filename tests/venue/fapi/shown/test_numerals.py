from decimal import Decimal

import pytest

from runner.venue.fapi.shown.numerals import average, estimate, money, optional_money, padded, places, price, qty
from tests.venue.fapi.told import BTC, d


@pytest.mark.parametrize(("grid", "digits"), [("0.10", 2), ("0.001", 3), ("1", 0), ("5", 0), ("1E+1", 0), ("0", 0)])
def test_a_grid_has_as_many_places_as_it_is_written_with(grid: str, digits: int) -> None:
    assert places(Decimal(grid)) == digits


@pytest.mark.parametrize(
    ("value", "digits", "shown"),
    [
        ("0.01", 3, "0.010"), ("0.0100000", 3, "0.010"), ("0.0104", 3, "0.0104"), ("1E-5", 3, "0.00001"),
        ("2E+3", 0, "2000"), ("2E+3", 2, "2000.00"), ("-0.0010", 8, "-0.00100000"), ("0", 0, "0"),
    ],
)
def test_padding_adds_places_and_takes_no_digit_away(value: str, digits: int, shown: str) -> None:
    assert padded(Decimal(value), digits) == shown


def test_quantities_and_prices_have_the_places_of_the_instrument() -> None:
    assert qty(BTC, d("0.01")) == "0.010"
    assert price(BTC, d("60000.1")) == "60000.10"
    assert price(BTC, d(0)) == price(BTC, None) == "0"


def test_money_has_eight_places_and_is_never_rounded() -> None:
    assert money(d("9999.7")) == "9999.70000000"
    assert money(d("0.1234567891")) == "0.1234567891"
    assert optional_money(d(0)) == "0"


def test_what_follows_from_an_average_is_rounded_to_eight_places() -> None:
    third = d(1) / d(3)
    assert average(third) == "0.33333333"
    assert average(d("60000.10")) == "60000.1"
    assert estimate(third) == "0.33333333"
    assert estimate(d("0.5")) == "0.50000000"
