"""What a step may wait for, as frozen values; `runner.engine.conditions` judges them."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Union


class PriceSource(StrEnum):
    LAST = "LAST"
    MARK = "MARK"


class Relation(StrEnum):
    ABOVE = "above"
    BELOW = "below"
    CROSSES_UP = "crosses_up"
    CROSSES_DOWN = "crosses_down"


@dataclass(frozen=True, slots=True)
class PriceCondition:
    """`above` and `below` are states (strictly beyond the level); `crosses_*` need the other side seen first."""

    symbol: str
    relation: Relation
    price: Decimal
    source: PriceSource = PriceSource.LAST


@dataclass(frozen=True, slots=True)
class PositionCondition:
    """The plan's own position on the symbol, signed, strictly above or below a quantity."""

    symbol: str
    relation: Relation
    qty: Decimal


@dataclass(frozen=True, slots=True)
class AtCondition:
    """True from an instant on."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class DelayCondition:
    """True from `delay_ms` after the condition was armed."""

    delay_ms: int


@dataclass(frozen=True, slots=True)
class AllOf:
    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: "Condition"


@dataclass(frozen=True, slots=True)
class HeldFor:
    """`part` must hold without a break, and without a gap in the data, for `for_ms`."""

    part: "Condition"
    for_ms: int


Condition = Union[PriceCondition, PositionCondition, AtCondition, DelayCondition, AllOf, AnyOf, Not, HeldFor]
