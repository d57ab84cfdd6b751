"""The book of each symbol as REST and the streams show it, so that a local book kept by Binance's rule is exact.

The shown book is the best `LEVELS` of both sides.  Whoever looks at it gets it as it is now, under a new update id; for
each stream of differences it is remembered which prices have changed, been there or gone since its last event, so that
nothing seen in between is left standing.  Source: USDⓈ-M "How to manage a local order book correctly".
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from runner.domain.values import ZERO, Side
from runner.venue.book import Book

LEVELS = 100
_OneSide = dict[Decimal, Decimal]
Levels = list[tuple[Decimal, Decimal]]


class Ladder(NamedTuple):
    """The book at one update id: (price, quantity), the best first."""

    update_id: int
    bids: Levels
    asks: Levels


class Difference(NamedTuple):
    """What changed after `previous` up to `last`: absolute quantities, zero for a price that is gone."""

    first: int
    last: int
    previous: int
    bids: Levels
    asks: Levels


@dataclass(eq=False, slots=True)
class Chain:
    """One stream of differences: the id of its last event, and the prices that have changed since."""

    symbol: str
    last: int
    bids: set[Decimal] = field(default_factory=set)
    asks: set[Decimal] = field(default_factory=set)


@dataclass(slots=True)
class _Shown:
    bids: _OneSide = field(default_factory=dict)
    asks: _OneSide = field(default_factory=dict)
    chains: list[Chain] = field(default_factory=list)


class Ladders:
    """`next_id` counts the update ids of a symbol up."""

    def __init__(self, books: Mapping[str, Book], next_id: Callable[[str], int]) -> None:
        self._books = books
        self._next_id = next_id
        self._shown: dict[str, _Shown] = {}

    def read(self, symbol: str) -> Ladder:
        """The book as it is now, under an id of its own."""
        shown = self._refresh(symbol)
        return Ladder(self._next_id(symbol), list(shown.bids.items()), list(shown.asks.items()))

    def follow(self, symbol: str) -> Chain:
        """Begin a stream of differences, from the book as it is now."""
        shown = self._refresh(symbol)
        chain = Chain(symbol, self._next_id(symbol))
        shown.chains.append(chain)
        return chain

    def leave(self, chain: Chain) -> None:
        self._shown[chain.symbol].chains.remove(chain)

    def difference(self, chain: Chain) -> Difference | None:
        """What has changed since the chain's last event; None for nothing."""
        shown = self._refresh(chain.symbol)
        if not chain.bids and not chain.asks:
            return None
        previous, chain.last = chain.last, self._next_id(chain.symbol)
        bids = [(price, shown.bids.get(price, ZERO)) for price in sorted(chain.bids, reverse=True)]
        asks = [(price, shown.asks.get(price, ZERO)) for price in sorted(chain.asks)]
        chain.bids, chain.asks = set(), set()
        return Difference(previous + 1, chain.last, previous, bids, asks)

    def _refresh(self, symbol: str) -> _Shown:
        shown = self._shown.setdefault(symbol, _Shown())
        book = self._books[symbol]
        bids, asks = _levels(book, Side.BUY), _levels(book, Side.SELL)
        for chain in shown.chains:
            chain.bids |= _changed(shown.bids, bids)
            chain.asks |= _changed(shown.asks, asks)
        shown.bids, shown.asks = bids, asks
        return shown


def _levels(book: Book, side: Side) -> _OneSide:
    """A quantity without bound is shown as the most that one market order may ask for."""
    most = book.instrument.market_max_qty
    return {level.price: most if level.qty is None else level.qty for level in book.levels(side, LEVELS)}


def _changed(before: _OneSide, now: _OneSide) -> set[Decimal]:
    """The prices at which one or the other has something that the other has not."""
    return {price for price, _ in before.items() ^ now.items()}
