"""Prices that are led by hand: what a control request stands for, as market data."""

from collections.abc import Iterator
from decimal import Decimal

from runner.domain.values import EXACT, ZERO, plain
from runner.venue.book import Book
from runner.venue.fapi.routes.asked import NotUnderstood, SetPrice
from runner.venue.market import Datum, Mark, Point, Quote, Trade

_DEPTH_QUOTE = Decimal(50_000)


def price_data(wish: SetPrice, book: Book, at_ms: int) -> Iterator[Datum]:
    """The data that the wish stands for.  A last price takes the quote along where there is one.

    Raises:
        NotUnderstood: a price that the symbol cannot have, or half a quote.
    """
    symbol = wish.symbol
    for name in ("price", "bid", "ask", "mark"):
        value = getattr(wish, name)
        if value is not None and (value <= ZERO or (name != "mark" and not book.instrument.on_tick(value))):
            raise NotUnderstood(f"{name} is {plain(value)}: a multiple of the tick {plain(book.instrument.tick_size)}"
                                " above zero is needed.")
    if wish.qty is not None and wish.qty <= ZERO:
        raise NotUnderstood("qty is not above zero.")
    if (wish.bid is None) != (wish.ask is None):
        raise NotUnderstood("A quote has both a bid and an ask.")
    if wish.bid is not None and wish.ask is not None:
        if wish.bid >= wish.ask:
            raise NotUnderstood("The bid is not below the ask.")
        depth = wish.qty or book.instrument.floor_qty(EXACT.divide(_DEPTH_QUOTE, wish.ask))
        yield Quote(symbol, at_ms, wish.bid, depth, wish.ask, depth)
    elif wish.price is not None and book.quote is not None:
        moved = wish.price - book.quote.bid
        yield book.quote._replace(at_ms=at_ms, bid=wish.price, ask=book.quote.ask + moved)
    if wish.price is not None:
        yield Point(symbol, at_ms, wish.price) if wish.qty is None else Trade(symbol, at_ms, wish.price, wish.qty)
    if wish.mark is not None:
        yield Mark(symbol, at_ms, wish.mark)
