"""Decimals as Binance writes them: as text, in full, with at least as many places as the instrument's grid.

What an account owns or an order asks is never rounded: where it is finer than its grid it is shown with all its
digits.  Only averages and what follows from them are, to 8 places.
"""

from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache

from runner.domain.instrument import Instrument
from runner.domain.values import EXACT, ZERO, trimmed

_MONEY_PLACES = 8
_FINEST = Decimal("0.00000001")


@cache
def places(grid: Decimal) -> int:
    """How many digits after the point a multiple of `grid` is written with: 2 for a tick of 0.10, 0 for a step of 1."""
    exponent = grid.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def padded(value: Decimal, digits: int) -> str:
    """`value` with at least `digits` digits after the point; more only where it has more of them."""
    text = format(value, "f")
    whole, _, fraction = text.partition(".")
    if len(fraction) > digits:
        fraction = fraction.rstrip("0")
        if not fraction and not digits:
            return "0" if whole == "-0" else whole
    elif len(fraction) == digits and value:
        return text
    if not value:
        whole = "0"
    return f"{whole}.{fraction:0<{digits}}" if digits or fraction else whole


def qty(instrument: Instrument, value: Decimal) -> str:
    return padded(value, places(instrument.step_size))


def price(instrument: Instrument, value: Decimal | None) -> str:
    """A price on the tick; `0` where there is none."""
    return "0" if value is None or value == ZERO else padded(value, places(instrument.tick_size))


def money(value: Decimal) -> str:
    """An amount of an asset, to 8 places."""
    return padded(value, _MONEY_PLACES)


def optional_money(value: Decimal) -> str:
    """As `money`, and `0` for nothing, as in `bc`, `cr` and `iw` of ACCOUNT_UPDATE."""
    return "0" if value == ZERO else money(value)


def average(value: Decimal) -> str:
    """A price that is a quotient, to 8 places at most, without trailing zeros."""
    return trimmed(_rounded(value))


def estimate(value: Decimal) -> str:
    """An amount that follows from an average, such as unrealised profit: to exactly 8 places."""
    return padded(_rounded(value), _MONEY_PLACES)


def _rounded(value: Decimal) -> Decimal:
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent >= -_MONEY_PLACES:
        return value
    return value.quantize(_FINEST, rounding=ROUND_HALF_EVEN, context=EXACT)
