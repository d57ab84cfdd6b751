"""Ticks, steps, splits and shares."""

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.domain.catalog import shipped_instruments
from runner.domain.instrument import shares
from runner.domain.values import ZERO, Rounding

BTC = shipped_instruments()["BTCUSDT"]
INSTRUMENTS = st.sampled_from(sorted(shipped_instruments().values(), key=lambda each: each.symbol))
AMOUNTS = st.decimals("0", "1000000", places=8)


def test_prices_round_to_the_tick_in_the_direction_asked() -> None:
    assert BTC.round_price(D("60000.04"), Rounding.DOWN) == D("60000.0")
    assert BTC.round_price(D("60000.04"), Rounding.UP) == D("60000.1")
    assert BTC.round_price(D("60000.1"), Rounding.UP) == D("60000.1")


def test_a_rounded_price_is_written_with_the_ticks_own_places() -> None:
    assert str(BTC.round_price(D(60000), Rounding.DOWN)) == "60000.0"
    assert str(BTC.floor_qty(D(1))) == "1.000"


@given(INSTRUMENTS, AMOUNTS)
def test_rounding_never_crosses_and_never_moves_a_whole_tick(instrument: object, price: D) -> None:
    assert isinstance(instrument, type(BTC))
    down, up = instrument.price_neighbours(price)
    assert down <= price <= up
    assert up - down in (ZERO, instrument.tick_size)
    assert instrument.on_tick(down)
    assert instrument.on_tick(up)
    assert (up == down) == instrument.on_tick(price)


@given(INSTRUMENTS, AMOUNTS)
def test_quantities_floor_and_ceil_to_the_step(instrument: object, qty: D) -> None:
    assert isinstance(instrument, type(BTC))
    down, up = instrument.neighbours(qty)
    assert down <= qty <= up
    assert (down, up) == (instrument.floor_qty(qty), instrument.ceil_qty(qty))
    assert instrument.on_step(down)
    assert instrument.on_step(up, market=True)


def test_a_split_gives_the_rest_to_the_last() -> None:
    assert BTC.split(D("0.010"), 3) == (D("0.003"), D("0.003"), D("0.004"))
    assert BTC.split(D("0.009"), 3) == (D("0.003"),) * 3
    assert BTC.split(D("0.5"), 1) == (D("0.5"),)


@given(INSTRUMENTS, st.integers(1, 10**7), st.integers(1, 300))
def test_slices_are_on_the_step_and_sum_exactly(instrument: object, steps: int, parts: int) -> None:
    assert isinstance(instrument, type(BTC))
    qty = instrument.step_size * steps
    found = instrument.split(qty, parts)
    assert sum(found) == qty
    assert len(found) == parts
    assert all(instrument.on_step(part) and part >= ZERO for part in found)
    assert max(found) == found[-1]


@given(INSTRUMENTS, st.integers(0, 10**7), st.lists(st.integers(1, 100), min_size=1, max_size=8))
def test_shares_are_on_the_step_and_sum_exactly(instrument: object, steps: int, ratio: list[int]) -> None:
    assert isinstance(instrument, type(BTC))
    weights = [D(part) / D(100) for part in ratio[:-1]]
    weights.append(D(1) - sum(weights, ZERO))
    if weights[-1] < ZERO:
        return
    qty = instrument.step_size * steps
    found = shares(qty, weights, instrument)
    assert sum(found) == qty
    assert all(instrument.on_step(part) and part >= ZERO for part in found)


def test_the_first_of_two_halves_of_an_odd_quantity_is_the_smaller() -> None:
    assert shares(D("0.003"), [D("0.5"), D("0.5")], BTC) == (D("0.001"), D("0.002"))
    assert shares(D("0.001"), [D("0.5"), D("0.5")], BTC) == (ZERO, D("0.001"))
    assert shares(D("0.003"), [D(1)], BTC) == (D("0.003"),)


@pytest.mark.parametrize(("qty", "parts"), [
    ("119", ["119"]), ("120", ["120"]), ("250", ["120", "120", "10"]), ("240", ["120", "120"]),
])
def test_a_market_quantity_is_cut_at_the_largest_market_order(qty: str, parts: list[str]) -> None:
    assert BTC.market_parts(D(qty)) == tuple(map(D, parts))


def test_a_tick_of_zero_switches_the_rule_off() -> None:
    from msgspec.structs import replace

    free = replace(BTC, tick_size=ZERO, market_max_qty=ZERO)
    assert free.on_tick(D("1.23456789"))
    assert free.round_price(D("1.23456789"), Rounding.UP) == D("1.23456789")
    assert free.market_parts(D(9999)) == (D(9999),)


def test_notional_is_exact_for_long_numbers() -> None:
    qty, price = 3 * 10**30 + 1, 10**35 + 7
    assert BTC.notional(D(qty), D(price)) == D(qty * price)
