"""Markets that are drawn, not recorded: a path between points, and a seeded invented market.  No floats."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from runner.domain.instrument import Instrument
from runner.domain.seeded import noise
from runner.domain.times import DAY_MS, HOUR_MS, SECOND_MS
from runner.domain.values import EXACT, ZERO
from runner.venue.market import Point

_YEAR_S = 365 * DAY_MS // SECOND_MS
_LANE = 0xFFFF
_MEAN = 2 * _LANE
_DEVIATION_SQUARED = Decimal(4 * (65536**2 - 1)) / 12
_SCALE = 10**9


def path_market(instrument: Instrument, points: Sequence[tuple[int, Decimal]], start_ms: int) -> Iterator[Point]:
    """Prices once a second on the straight lines between `(offset ms, price)` points, and at each point itself.

    Prices lie on the tick, the nearest one; points on it are met exactly.  Reckoned in integers, since a path may have
    as many steps as a day has seconds.
    """
    symbol, tick = instrument.symbol, instrument.tick_size
    unit = _unit(tick, *(price for _, price in points))
    grain = int(EXACT.divide(tick, unit))
    whole = [(at_ms, int(EXACT.divide(price, unit))) for at_ms, price in points]
    shown, text = -1, ZERO
    for (from_ms, from_px), (to_ms, to_px) in zip(whole, [*whole[1:], (whole[-1][0] + 1, whole[-1][1])]):
        span = to_ms - from_ms
        for offset in range(0, span, SECOND_MS):
            exact = from_px * span + (to_px - from_px) * offset
            ticks = max(1, (2 * exact + span * grain) // (2 * span * grain))
            if ticks != shown:
                shown, text = ticks, tick * ticks
            yield Point(symbol, start_ms + from_ms + offset, text)


def random_market(
    instrument: Instrument, start_px: Decimal, volatility: Decimal, hours: int, seed: int, start_ms: int,
) -> Iterator[Point]:
    """An invented market: once a second the price moves by a share of itself, near to normally distributed.

    `volatility` is yearly, as a fraction.  A step is the sum of four even 16-bit numbers, which is bell-shaped and
    at most 3.5 deviations wide; the price is kept as an integer number of billionths of a tick, so every platform
    gives the same bytes.
    """
    symbol, tick = instrument.symbol, instrument.tick_size
    # price += price × (sum − mean) × factor / scale, all integers
    per_step = volatility / Decimal(_YEAR_S).sqrt() / _DEVIATION_SQUARED.sqrt()
    factor = int(per_step * 10**24)
    price = int(EXACT.divide(start_px, tick) * _SCALE)
    shown, text = 0, ZERO
    for step in range(hours * HOUR_MS // SECOND_MS + 1):
        ticks = max(1, (price + _SCALE // 2) // _SCALE)
        if ticks != shown:
            shown, text = ticks, tick * ticks
        yield Point(symbol, start_ms + step * SECOND_MS, text)
        bits = noise(seed, step)
        lanes = (bits & _LANE) + (bits >> 16 & _LANE) + (bits >> 32 & _LANE) + (bits >> 48)
        price += price * (lanes - _MEAN) * factor // 10**24


def _unit(*values: Decimal) -> Decimal:
    """The power of ten of which all values are multiples."""
    exponents = [value.as_tuple().exponent for value in values]
    return Decimal(1).scaleb(min(0, *(each for each in exponents if isinstance(each, int))))
