from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.domain.sizes import Distance, DistanceKind
from runner.plan import scalars
from runner.plan.faults import Faults


@pytest.mark.parametrize(
    ("text", "fraction"),
    [
        ("1%", "0.01"),
        ("0.25%", "0.0025"),
        ("100%", "1"),
        ("0.1234567890123456789012345678901234567890%"[:41] + "%", None),
    ],
)
def test_a_percentage_is_an_exact_fraction(text: str, fraction: str | None) -> None:
    expected = Decimal(fraction) if fraction else Decimal("0.00" + text[2:-1])
    assert scalars.fraction_of(text) == expected


@pytest.mark.parametrize(
    ("value", "distance"),
    [
        ("2%", Distance(DistanceKind.FRACTION, Decimal("0.02"))),
        (150, Distance(DistanceKind.ABSOLUTE, Decimal(150))),
        ("150.5", Distance(DistanceKind.ABSOLUTE, Decimal("150.5"))),
        ("2R", Distance(DistanceKind.RISK, Decimal(2))),
    ],
)
def test_a_distance_is_a_fraction_an_amount_or_a_multiple_of_the_risk(value: object, distance: Distance) -> None:
    assert scalars.distance_of(value) == distance


@pytest.mark.parametrize(
    "value", ["", "R", "%", "1.5atr", "2 %", None, True, [], {}, "-2%", "0", "0R", "1e3", "٣%"]
)
def test_what_is_no_distance_is_told(value: object) -> None:
    with pytest.raises(ValueError, match="is not"):
        scalars.distance_of(value)


@pytest.mark.parametrize(
    "value", [None, True, "1e3", "01", "+1", "1.", ".5", " 1", "٣", "1" * 41, "NaN", [], Decimal]
)
def test_what_is_no_number_is_told(value: object) -> None:
    with pytest.raises(ValueError, match=r"is not a number|digits"):
        scalars.number_of(value)


@settings(deadline=None)
@given(st.decimals(min_value=0, max_value=10**20, places=12, allow_nan=False))
def test_a_quoted_number_is_exact(number: Decimal) -> None:
    assert scalars.number_of(format(number, "f")) == number


@pytest.mark.parametrize(
    "reader",
    [
        scalars.positive,
        scalars.signed,
        scalars.duration,
        scalars.time,
        scalars.distance,
        scalars.percentage,
    ],
)
def test_a_value_that_is_none_of_its_kind_adds_one_fault_at_its_place(reader: object) -> None:
    faults = Faults()
    assert callable(reader)
    reader("nonsense", ("a",), faults)
    reader("nonsense", ("a",), faults)
    assert [(fault.path, fault.at_key) for fault in faults.found] == [(("a",), False)]


def test_a_whole_number_that_is_none_adds_a_fault() -> None:
    faults = Faults()
    assert scalars.whole("x", ("a",), faults, 1, 5) == 1
    assert scalars.whole(6, ("b",), faults, 1, 5) == 1
    assert scalars.whole("5", ("c",), faults, 1, 5) == 5
    assert [fault.code for fault in faults.found] == ["integer", "range"]


def test_a_time_far_away_is_no_crash() -> None:
    with pytest.raises(ValueError, match="RFC 3339"):
        scalars.time_of("0001-01-01T00:00:00+23:59")
