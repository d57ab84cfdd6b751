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
        if Trade not in seen or Point in seen:
            yield f"spread {ticks} tick{'s' if ticks > 1 else ''}"
        assets = "/".join(sorted({book.instrument.quote_asset for book in exchange.books.values()}))
        points = "a basis point" if slippage.level_bps == 1 else f"each {trimmed(slippage.level_bps)} basis points"
        yield f"depth {slippage.depth_quote:,f} {assets} {points}"
    if Mark not in seen:
        yield "mark as last price"
    hours = "/".join(map(str, sorted({book.contract.funding_hours for book in exchange.books.values()})))
    rates = {exchange.funding_rate(symbol) for symbol in exchange.books}
    if None in rates:
        yield f"funding {trimmed(UNKNOWN_RATE * _PERCENT)} % paid each {hours} h"
    for rate in sorted(rate for rate in rates if rate):
        yield f"funding rate {trimmed(rate * _PERCENT)} % each {hours} h"
    for symbol, book in sorted(exchange.books.items()):
        if settings.leverage > book.contract.max_leverage:
            yield f"leverage {book.contract.max_leverage} on {symbol}: its most"
    if strange := sorted(exchange.books.keys() - KNOWN - settings.contracts.keys()):
        yield f"margin brackets of {' and '.join(strange)}"


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
