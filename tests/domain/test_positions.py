"""What executions do to a position."""

from decimal import Decimal as D

from hypothesis import given
from hypothesis import strategies as st

from runner.domain.positions import Position
from runner.domain.values import ZERO, Side

FLAT = Position("BTCUSDT")


def test_a_position_opens_at_the_price_of_its_first_execution() -> None:
    assert FLAT.after(Side.BUY, D("0.004"), D(60000)) == (Position("BTCUSDT", D("0.004"), D(60000)), ZERO)
    assert FLAT.after(Side.SELL, D("0.004"), D(60000)) == (Position("BTCUSDT", D("-0.004"), D(60000)), ZERO)


def test_growing_averages_the_entry_price() -> None:
    long, _ = FLAT.after(Side.BUY, D(1), D(100))
    assert long.after(Side.BUY, D(3), D(200)) == (Position("BTCUSDT", D(4), D(175)), ZERO)


def test_shrinking_keeps_the_entry_price_and_realises_profit() -> None:
    long = Position("BTCUSDT", D(4), D(100))
    assert long.after(Side.SELL, D(1), D(150)) == (Position("BTCUSDT", D(3), D(100)), D(50))
    short = Position("BTCUSDT", D(-4), D(100))
    assert short.after(Side.BUY, D(4), D(150)) == (FLAT, D(-200))


def test_an_execution_beyond_the_position_flips_it_at_its_own_price() -> None:
    long = Position("BTCUSDT", D(1), D(100))
    assert long.after(Side.SELL, D(3), D(90)) == (Position("BTCUSDT", D(-2), D(90)), D(-10))


def test_the_unrealised_profit_has_the_sign_of_the_position() -> None:
    assert Position("BTCUSDT", D(2), D(100)).unrealised(D(90)) == D(-20)
    assert Position("BTCUSDT", D(-2), D(100)).unrealised(D(90)) == D(20)


@given(st.lists(st.tuples(st.sampled_from(Side), st.integers(1, 50), st.integers(1, 1000)), max_size=12))
def test_realised_and_unrealised_profit_are_all_the_money_that_moved(moves: list[tuple[Side, int, int]]) -> None:
    position, realised, cash = FLAT, ZERO, ZERO
    for side, qty, price in moves:
        position, profit = position.after(side, D(qty), D(price))
        realised += profit
        cash -= D(qty) * D(price) * side.sign
    last = D(500)
    assert abs(realised + position.unrealised(last) - (cash + position.qty * last)) < D("1e-15")
