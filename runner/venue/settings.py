"""What one simulated account and exchange are like."""

from dataclasses import dataclass
from decimal import Decimal

from runner.domain.positions import Position


@dataclass(frozen=True, slots=True)
class VenueSettings:
    """`balance` in quote units, fees as fractions of the notional.

    `fill_on_touch`: a resting limit is filled when the price trades at it, not only through it.
    `positions` are there from the start; an `entry_px` of zero stands for the symbol's first price.
    """

    balance: Decimal = Decimal(10000)
    leverage: int = 5
    maker_fee: Decimal = Decimal("0.0002")
    taker_fee: Decimal = Decimal("0.0005")
    fill_on_touch: bool = False
    positions: tuple[Position, ...] = ()
