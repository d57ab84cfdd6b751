"""What one execution does to a position, its isolated wallet and its break-even price."""

import pytest

from runner.domain.values import ZERO, Side
from runner.venue.holdings import Booking, Holding, SymbolConfig, booked, summed
from runner.venue.terms import MarginType
from tests.venue.desk import d
from tests.venue.ledger import BOTH, BUY, SELL


def held(qty: int | str, entry: int | str = 100, isolated: int | str = 0) -> Holding:
    return Holding("BTCUSDT", BOTH, "USDT", d(qty), d(entry), d(isolated))


@pytest.mark.parametrize(("before", "side", "qty", "after", "entry", "realized", "opened"), [
    ("0", BUY, "2", "2", "110", "0", "2"),
    ("2", BUY, "2", "4", "105", "0", "2"),
    ("2", SELL, "1", "1", "100", "10", "0"),
    ("2", SELL, "2", "0", "0", "20", "0"),
    ("2", SELL, "5", "-3", "110", "20", "3"),
    ("-2", BUY, "5", "3", "110", "-20", "3"),
    ("-2", SELL, "2", "-4", "105", "0", "2"),
])
def test_an_execution_opens_closes_or_flips(
    before: str, side: Side, qty: str, after: str, entry: str, realized: str, opened: str,
) -> None:
    position = held(before, 100 if d(before) else 0)
    booking, grown = position.take(side, d(qty), d(110), d("0.001"))
    assert (position.qty, position.entry_px) == (d(after), d(entry))
    assert booking == Booking(d(qty) * d("0.110"), d(realized), d(opened) > ZERO)
    assert grown == d(opened)
    assert position.realized == d(realized)


def test_a_flip_leaves_the_free_wallet_what_the_closed_side_left() -> None:
    """100 isolated, 60 lost by the closing, 5 paid for it; the new side may take of what was free and the 35."""
    position = held(-1, isolated=0)
    position.isolate(Booking(d(10), d(-60), True), d(1), d(2), d(50), d(20))
    assert position.isolated_wallet == ZERO
    rich = held(-1, isolated=100)
    rich.isolate(Booking(d(10), d(-60), True), d(1), d(2), d(50), d(20))
    assert rich.isolated_wallet == d(45)
    poor = held(-1, isolated=100)
    poor.isolate(Booking(d(10), d(-60), True), d(1), d(2), d(80), d(20))
    assert poor.isolated_wallet == d(50)


def test_a_profit_and_a_worth_go_by_the_mark() -> None:
    assert held(2).unrealized(d(90)) == d(-20)
    assert held(-2).unrealized(d(90)) == d(20)
    assert held(-2).notional(d(90)) == d(180)


def test_break_even_is_nothing_for_a_flat_position() -> None:
    assert held(0, 0).break_even_px == ZERO


def test_a_symbol_is_isolated_or_crossed() -> None:
    assert not SymbolConfig(5).isolated
    assert SymbolConfig(5, MarginType.ISOLATED).isolated


@pytest.mark.parametrize(("value", "rounding", "expected"), [
    ("0.123456789", "ROUND_CEILING", "0.12345679"), ("0.123456789", "ROUND_FLOOR", "0.12345678"),
    ("-0.123456781", "ROUND_FLOOR", "-0.12345679"), ("5", "ROUND_FLOOR", "5"),
    ("0.00000001", "ROUND_CEILING", "0.00000001"), ("1E+3", "ROUND_FLOOR", "1E+3"),
])
def test_amounts_have_eight_decimals_at_most(value: str, rounding: str, expected: str) -> None:
    assert booked(d(value), rounding) == d(expected)


def test_a_sum_loses_no_digit() -> None:
    assert summed([d("1e30"), d("1e-30")]) == d("1" + "0" * 30 + "." + "0" * 29 + "1")
    assert summed([]) == ZERO
