"""Slices against the schedule that the engine will really make."""

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.domain.catalog import shipped_instruments
from runner.domain.sizes import EquityShare, Notional, Quantity
from runner.graph.quantities import known_notional, known_qty, largest_slice, most_slices, smallest_slice

BTC = shipped_instruments()["BTCUSDT"]


def test_what_the_plan_alone_settles() -> None:
    assert known_qty(Quantity(D("0.004")), None, BTC) == D("0.004")
    assert known_qty(Notional(D(600)), D(61000), BTC) == D("0.009")
    assert known_qty(Notional(D(600)), None, BTC) is None
    assert known_qty(EquityShare(D(1)), D(61000), BTC) is None
    assert known_notional(Notional(D(600)), D(61000), BTC) == D(549)
    assert known_notional(Notional(D(600)), None, BTC) == D(600)
    assert known_notional(Quantity(D("0.004")), None, BTC) is None


@pytest.mark.parametrize(("qty", "least", "randomize", "most"), [
    ("0.009", "0.001", "0", 9), ("0.0095", "0.001", "0", 9), ("0.009", "0.002", "0", 4), ("0.001", "0.001", "0.5", 1),
    ("0.0009", "0.001", "0", 0), ("0.009", "0.001", "0.2", 6),
])
def test_the_largest_workable_number_of_slices(qty: str, least: str, randomize: str, most: int) -> None:
    assert most_slices(D(qty), D(least), D(randomize)) == most


@given(st.integers(1, 5000), st.integers(1, 60), st.integers(0, 99), st.data())
def test_no_slice_that_randomness_makes_is_beyond_the_bounds(
    steps: int, slices: int, percent: int, data: st.DataObject,
) -> None:
    """Each slice weighs 1 ± r of an even one, is rounded down, and the last takes the rest."""
    qty, randomize = steps * BTC.step_size, D(percent) / 100
    extremes = st.sampled_from([1 - randomize, 1 + randomize, D(1)])
    weights = data.draw(st.lists(extremes, min_size=slices, max_size=slices))
    whole = sum(weights, D(0))
    parts = [BTC.floor_qty(qty * weight / whole) for weight in weights[:-1]]
    parts.append(qty - sum(parts, D(0)))
    assert smallest_slice(qty, slices, randomize, BTC) <= min(parts)
    assert max(parts) <= largest_slice(qty, slices, randomize, BTC)


@given(st.integers(1, 5000), st.integers(1, 50), st.integers(0, 90))
def test_the_largest_number_of_slices_works_and_one_more_does_not(steps: int, least_steps: int, percent: int) -> None:
    qty, least, randomize = steps * BTC.step_size, least_steps * BTC.step_size, D(percent) / 100
    most = most_slices(qty, least, randomize)
    if most:
        assert smallest_slice(qty, most, randomize, BTC) >= least
    assert smallest_slice(qty, most + 1, randomize, BTC) < least
