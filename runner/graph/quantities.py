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
    """The smallest slice that a quantity may be cut into: with `randomize` r, one that weighs 1 − r beside all others
    of 1 + r.
    """
    return instrument.floor_qty(_share(qty, slices, EXACT.subtract(ONE, randomize), randomize))


def largest_slice(qty: Decimal, slices: int, randomize: Decimal, instrument: Instrument) -> Decimal:
    """The largest slice: the last, which takes what does not divide, weighing 1 + r beside all others of 1 − r."""
    if randomize == ZERO:
        return instrument.split(qty, slices)[-1]
    share = _share(qty, slices, EXACT.add(ONE, randomize), -randomize)
    undivided = EXACT.multiply(instrument.step_size, Decimal(slices - 1))
    return min(qty, instrument.ceil_qty(EXACT.add(share, undivided)))


def most_slices(qty: Decimal, least: Decimal, randomize: Decimal) -> int:
    """The largest number of slices none of which is below `least`; 0 where the whole is below it already."""
    if qty < least or least <= ZERO:
        return 0
    spare = EXACT.multiply(EXACT.subtract(ONE, randomize), EXACT.subtract(qty, least))
    return 1 + int(EXACT.divide_int(spare, EXACT.multiply(EXACT.add(ONE, randomize), least)))


def _share(qty: Decimal, slices: int, weight: Decimal, others: Decimal) -> Decimal:
    """What a slice of `weight` gets beside the rest, which weigh 1 + `others` each."""
    rest = EXACT.multiply(Decimal(slices - 1), EXACT.add(ONE, others))
    return EXACT.divide(EXACT.multiply(qty, weight), EXACT.add(weight, rest))
