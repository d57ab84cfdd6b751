"""What a step may wait for, as frozen values; `runner.engine.conditions` judges them."""

from decimal import Decimal
from enum import StrEnum
from typing import Union

from runner.domain.value import Value


class PriceSource(StrEnum):
    LAST = "LAST"
    MARK = "MARK"


class Relation(StrEnum):
    ABOVE = "above"
    BELOW = "below"
    CROSSES_UP = "crosses_up"
    CROSSES_DOWN = "crosses_down"


class PriceCondition(Value, frozen=True):
    """`above` and `below` are states (strictly beyond the level); `crosses_*` need the other side seen first."""

    symbol: str
    relation: Relation
    price: Decimal
    source: PriceSource = PriceSource.LAST


class PositionCondition(Value, frozen=True):
    """The plan's own position on the symbol, signed, strictly above or below a quantity."""

    symbol: str
    relation: Relation
    qty: Decimal


class AtCondition(Value, frozen=True):
    """True from an instant on."""

    at_ms: int


class DelayCondition(Value, frozen=True):
    """True from `delay_ms` after the condition was armed."""

    delay_ms: int


class AllOf(Value, frozen=True):
    parts: tuple["Condition", ...]


class AnyOf(Value, frozen=True):
    parts: tuple["Condition", ...]


class Not(Value, frozen=True):
    part: "Condition"


class HeldFor(Value, frozen=True):
    """`part` must hold without a break, and without a gap in the data, for `for_ms`."""

    part: "Condition"
    for_ms: int


Condition = Union[PriceCondition, PositionCondition, AtCondition, DelayCondition, AllOf, AnyOf, Not, HeldFor]
