"""The base of frozen values."""

from decimal import Decimal

import pytest

from runner.domain.sizes import Notional, Quantity
from runner.domain.value import Packing, Value


class Pair(Value, frozen=True):
    left: int
    right: int = 2


def test_a_value_cannot_be_changed() -> None:
    with pytest.raises(AttributeError, match="immutable"):
        Pair(1).left = 3  # type: ignore[misc]


def test_values_of_different_kinds_are_never_equal() -> None:
    assert Quantity(Decimal(1)) != Notional(Decimal(1))
    assert Quantity(Decimal(1)) == Quantity(Decimal("1.0"))
    assert len({Quantity(Decimal(1)), Quantity(Decimal("1.0")), Notional(Decimal(1))}) == 2


def test_but_gives_the_same_value_with_other_fields_and_leaves_the_first_alone() -> None:
    first = Pair(1)
    assert (first.but(right=5), first) == (Pair(1, 5), Pair(1, 2))


def test_fields_tells_names_and_what_must_be_given() -> None:
    assert Pair.fields() == (("left", True), ("right", False))


class Nest(Value, frozen=True):
    inner: Pair
    amount: Decimal
    note: str | None = None


def test_what_is_packed_comes_back_as_it_was_with_the_values_in_it() -> None:
    packing = Packing(Nest)
    value = Nest(Pair(1), Decimal("0.010"))
    packed = packing.pack(value)
    assert packing.unpack(packed) == value
    assert str(packing.unpack(packed).amount) == "0.010"
    assert len(packed) < 20
