"""Quantities that the text of a plan alone settles."""

from decimal import Decimal

from runner.domain.instrument import Instrument
from runner.domain.sizes import Notional, Quantity, Size
from runner.domain.values import EXACT, ONE, ZERO


def known_qty(size: Size, price: Decimal | None, instrument: Instrument) -> Decimal | None:
    """The quantity in base units, if the plan settles it: explicit, or an amount at a known price, rounded down."""
    match size:
        case Quantity(qty):
            return qty
        case Notional(quote) if price is not None:
            return instrument.floor_qty(EXACT.divide(quote, price))
        case _:
            return None


def known_notional(size: Size, price: Decimal | None, instrument: Instrument) -> Decimal | None:
    """What the size is worth at `price`, in quote units; an amount is worth itself where the price is not known."""
    qty = known_qty(size, price, instrument)
    if qty is not None and price is not None:
        return instrument.notional(qty, price)
    return size.quote if isinstance(size, Notional) else None


def smallest_slice(qty: Decimal, slices: int, randomize: Decimal, instrument: Instrument) -> Decimal:
    """The smallest slice that a quantity may be cut into; one slice alone is the whole."""
    if slices == 1:
        return qty
    least = EXACT.multiply(EXACT.divide(qty, Decimal(slices)), EXACT.subtract(ONE, randomize))
    return instrument.floor_qty(least)


def largest_slice(qty: Decimal, slices: int, randomize: Decimal, instrument: Instrument) -> Decimal:
    """The largest slice: the last, which takes what does not divide, or one that randomness enlarged."""
    if slices == 1:
        return qty
    last = instrument.split(qty, slices)[-1] if randomize == ZERO else ZERO
    return max(last, EXACT.multiply(EXACT.divide(qty, Decimal(slices)), EXACT.add(ONE, randomize)))


def most_slices(qty: Decimal, least: Decimal, randomize: Decimal) -> int:
    """The largest number of slices none of which is below `least`; 0 where the whole is below it already."""
    if qty < least or least <= ZERO:
        return 0
    return max(1, int(EXACT.divide_int(EXACT.multiply(qty, EXACT.subtract(ONE, randomize)), least)))
