"""How large a step is, and how far a price lies from its anchor, as a plan may say it."""

from decimal import Decimal
from enum import StrEnum

from runner.domain.value import Value


class Quantity(Value, frozen=True):
    """An explicit quantity in base units."""

    qty: Decimal


class FilledOf(Value, frozen=True):
    """The open quantity of another step, `{filled: step}`."""

    step_id: str


class PositionShare(Value, frozen=True):
    """A fraction (0 < f <= 1) of the plan's own position on the step's symbol, `{position: 100%}`."""

    fraction: Decimal


class Notional(Value, frozen=True):
    """An amount in quote units."""

    quote: Decimal


class EquityShare(Value, frozen=True):
    """A fraction of equity (wallet + unrealised at the step's start), taken as notional."""

    fraction: Decimal


class RiskShare(Value, frozen=True):
    """A fraction of equity that is lost when the stop is hit; brackets only."""

    fraction: Decimal


Size = Quantity | FilledOf | PositionShare | Notional | EquityShare | RiskShare


class DistanceKind(StrEnum):
    FRACTION = "fraction"
    ABSOLUTE = "absolute"
    RISK = "risk"


class Distance(Value, frozen=True):
    """An unsigned distance: `2%` (FRACTION, 0.02), `150` (ABSOLUTE, quote per base unit), `2R` (RISK, 2)."""

    kind: DistanceKind
    value: Decimal
