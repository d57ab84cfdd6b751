"""How a quantity is spread over slices: sums are exact, what does not divide is last, and what is carried where."""

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.domain.catalog import shipped_instruments
from runner.domain.sizes import Quantity
from runner.engine.schedule import due_offset_ms, planned, slice_quantity
from runner.graph.model import Schedule

BTC = shipped_instruments()["BTCUSDT"]
STEP = BTC.step_size


def schedule(slices: int, randomize: str = "0", catch_up: str = "next", every_ms: int = 2_000) -> Schedule:
    return Schedule(Quantity(Decimal(1)), slices, every_ms, Decimal(randomize), catch_up, False)


def texts(parts: tuple[Decimal, ...]) -> list[str]:
    return [str(part) for part in parts]


def test_slices_sum_exactly_and_the_remainder_goes_to_the_last() -> None:
    assert texts(planned(schedule(3), Decimal("0.010"), BTC, 7, "t")) == ["0.003", "0.003", "0.004"]


@given(
    st.integers(1, 5_000), st.integers(1, 60), st.sampled_from(["0", "0.2", "0.99"]), st.integers(0, 2**64 - 1),
)
def test_slices_always_sum_exactly_on_the_step_and_none_is_negative(
    steps: int, slices: int, randomize: str, seed: int,
) -> None:
    qty = steps * STEP
    parts = planned(schedule(slices, randomize), qty, BTC, seed, "t")
    assert len(parts) == slices
    assert sum(parts) == qty
    assert all(part >= 0 and BTC.on_step(part) for part in parts)


@given(st.integers(2, 40), st.sampled_from(["0.05", "0.2", "0.5"]), st.integers(0, 2**64 - 1))
def test_randomised_slices_stay_within_their_bounds_around_an_even_one(slices: int, randomize: str, seed: int) -> None:
    qty = Decimal(100)
    even, room = qty / slices, Decimal(randomize) * qty / slices
    parts = planned(schedule(slices, randomize), qty, BTC, seed, "t")
    assert all(even - room - STEP <= part <= even + room + STEP for part in parts[:-1])
    assert even - room - STEP <= parts[-1] <= even + room + slices * STEP


def test_randomising_is_decided_by_the_seed_and_the_step_alone() -> None:
    spread = schedule(5, "0.2")
    first = planned(spread, Decimal(1), BTC, 7, "t")
    assert planned(spread, Decimal(1), BTC, 7, "t") == first
    assert planned(spread, Decimal(1), BTC, 8, "t") != first
    assert planned(spread, Decimal(1), BTC, 7, "u") != first
    assert len(set(first)) > 1


def test_slices_are_due_at_absolute_instants() -> None:
    assert [due_offset_ms(schedule(4), k, 7, "t") for k in range(4)] == [0, 2_000, 4_000, 6_000]


@given(st.sampled_from(["0.2", "0.99"]), st.integers(0, 2**64 - 1))
def test_randomised_times_stay_within_half_their_share_of_the_interval_and_in_order(randomize: str, seed: int) -> None:
    spread = schedule(20, randomize)
    due = [due_offset_ms(spread, k, seed, "t") for k in range(20)]
    assert due[0] == 0
    assert all(abs(at - k * 2_000) <= Decimal(randomize) * 1_000 for k, at in enumerate(due))
    assert all(before < after for before, after in pairwise(due))


PLAN = tuple(map(Decimal, ("0.003", "0.003", "0.003", "0.003")))


@pytest.mark.parametrize(("catch_up", "index", "done", "expected"), [
    ("next", 0, "0", "0.003"),
    ("next", 1, "0.003", "0.003"),  # on time
    ("next", 1, "0.001", "0.005"),  # the shortfall goes into this slice
    ("next", 1, "0.006", "0"),  # ahead already
    ("next", 3, "0.004", "0.008"),  # the last takes all that is left
    ("spread", 1, "0.003", "0.003"),
    ("spread", 1, "0", "0.004"),  # 0.012 over three
    ("spread", 2, "0.001", "0.005"),  # 0.011 over two is 0.0055
    ("spread", 3, "0.001", "0.011"),
    ("skip", 1, "0", "0.003"),  # what was missed is dropped
    ("skip", 3, "0.005", "0.003"),
    ("skip", 3, "0.011", "0.001"),
])
def test_what_is_missing_is_carried_as_the_plan_says(catch_up: str, index: int, done: str, expected: str) -> None:
    sent = slice_quantity(schedule(4, catch_up=catch_up), PLAN, index, Decimal(done), BTC)
    assert sent == Decimal(expected)


def test_nothing_is_spread_over_slices_that_were_planned_empty() -> None:
    empty = (Decimal("0.003"), Decimal(0), Decimal(0))
    assert slice_quantity(schedule(3, catch_up="spread"), empty, 1, Decimal(0), BTC) == 0
