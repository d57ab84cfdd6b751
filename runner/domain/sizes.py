"""How large a step is, and how far a price lies from its anchor, as a plan may say it."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Quantity:
    """An explicit quantity in base units."""

    qty: Decimal


@dataclass(frozen=True, slots=True)
class FilledOf:
    """The open quantity of another step, `{filled: step}`."""

    step_id: str


@dataclass(frozen=True, slots=True)
class PositionShare:
    """A fraction (0 < f <= 1) of the plan's own position on the step's symbol, `{position: 100%}`."""

    fraction: Decimal


@dataclass(frozen=True, slots=True)
class Notional:
    """An amount in quote units."""

    quote: Decimal


@dataclass(frozen=True, slots=True)
class EquityShare:
    """A fraction of equity (wallet + unrealised at the step's start), taken as notional."""

    fraction: Decimal


@dataclass(frozen=True, slots=True)
class RiskShare:
    """A fraction of equity that is lost when the stop is hit; brackets only."""

    fraction: Decimal


Size = Quantity | FilledOf | PositionShare | Notional | EquityShare | RiskShare


class DistanceKind(StrEnum):
    FRACTION = "fraction"
    ABSOLUTE = "absolute"
    RISK = "risk"


@dataclass(frozen=True, slots=True)
class Distance:
    """An unsigned distance: `2%` (FRACTION, 0.02), `150` (ABSOLUTE, quote per base unit), `2R` (RISK, 2)."""

    kind: DistanceKind
    value: Decimal
