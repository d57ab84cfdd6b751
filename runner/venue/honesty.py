"""In what a simulated exchange is not the real one: what it takes for granted, and what it leaves out.

Both depend on the data that it has seen, so they are asked for at the end of a run.
"""

from collections.abc import Iterator

from runner.domain.values import trimmed
from runner.venue.contracts import KNOWN
from runner.venue.exchange import Exchange
from runner.venue.funding import UNKNOWN_RATE
from runner.venue.market import CandleEnd, Mark, Point, Quote, Trade

_PERCENT = 100


def assumed(exchange: Exchange) -> tuple[str, ...]:
    """What stands in for what the data do not have, in words."""
    return tuple(_assumed(exchange))


def not_simulated(exchange: Exchange) -> tuple[str, ...]:
    """What of a real market was missing, in words."""
    return tuple(_missing(exchange))


def _assumed(exchange: Exchange) -> Iterator[str]:
    settings, seen = exchange.settings, exchange.kinds
    slippage = settings.slippage
    if Quote in seen:
        yield "each further tick as deep as the best quote"
    elif slippage is not None:
        ticks = 2 * slippage.half_spread_ticks
        assets = sorted({book.instrument.quote_asset for book in exchange.books.values()})
        spread = "" if Trade in seen and Point not in seen else f"spread {ticks} tick{'s' if ticks > 1 else ''}, "
        points = "a basis point" if slippage.level_bps == 1 else f"each {trimmed(slippage.level_bps)} basis points"
        yield f"{spread}{slippage.depth_quote:,f} {'/'.join(assets)} {points} deep"
    if Mark not in seen:
        yield "mark price as the last price"
    hours = sorted({book.contract.funding_hours for book in exchange.books.values()})
    every = "/".join(map(str, hours))
    rates = {exchange.funding_rate(symbol) for symbol in exchange.books}
    if None in rates:
        yield f"funding {trimmed(UNKNOWN_RATE * _PERCENT)} % each {every} h, paid by whoever holds"
    known = sorted(rate for rate in rates if rate)
    if known:
        yield f"funding {'/'.join(trimmed(rate * _PERCENT) for rate in known)} % each {every} h"
    strange = sorted(exchange.books.keys() - KNOWN - settings.contracts.keys())
    if strange:
        yield f"margin brackets of {', '.join(strange)}"


def _missing(exchange: Exchange) -> Iterator[str]:
    seen = exchange.kinds
    if None in (exchange.funding_rate(symbol) for symbol in exchange.books):
        yield "real funding rates"
    yield "queue position"
    if CandleEnd in seen:
        yield "the way of the price inside a candle"
    if Point in seen:
        yield "traded volume"
    if Quote not in seen and exchange.settings.slippage is None:
        yield "spread"
        yield "book depth"
