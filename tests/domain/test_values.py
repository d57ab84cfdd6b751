"""The words of orders, and decimals as text."""

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.domain.values import ZERO, OrderType, Side, base36, plain, total, trimmed


def test_sides_have_opposites_and_directions() -> None:
    assert (Side.BUY.opposite, Side.SELL.opposite) == (Side.SELL, Side.BUY)
    assert (Side.BUY.sign, Side.SELL.sign) == (1, -1)


def test_order_types_know_what_they_are() -> None:
    assert [each for each in OrderType if not each.conditional] == [OrderType.MARKET, OrderType.LIMIT]
    assert [each for each in OrderType if each.limited] == [OrderType.LIMIT, OrderType.STOP, OrderType.TAKE_PROFIT]
    assert [each for each in OrderType if each.stop_like] == [
        OrderType.STOP, OrderType.STOP_MARKET, OrderType.TRAILING_STOP_MARKET,
    ]
    assert [each for each in OrderType if each.take_profit_like] == [
        OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_MARKET,
    ]


@pytest.mark.parametrize(("value", "full", "short"), [
    ("1E-5", "0.00001", "0.00001"), ("0.00400", "0.00400", "0.004"), ("1E+2", "100", "100"), ("100", "100", "100"),
    ("-0.0", "-0.0", "0"), ("60000.0", "60000.0", "60000"),
])
def test_decimals_are_written_without_exponents(value: str, full: str, short: str) -> None:
    assert (plain(D(value)), trimmed(D(value))) == (full, short)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=10))
def test_trimming_changes_no_value(value: D) -> None:
    assert D(trimmed(value)) == value


@given(st.integers(0, 10**12))
def test_base_36_reads_back(number: int) -> None:
    assert int(base36(number), 36) == number


def test_the_sum_of_nothing_is_a_decimal_zero() -> None:
    assert total([]) == ZERO
    assert isinstance(total([]), D)
