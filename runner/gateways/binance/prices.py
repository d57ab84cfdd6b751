"""The prices of the run's symbols as the market streams tell them, and the watches upon them.

Nothing is judged on prices that may be old.  The last price and the mark of a symbol count while its mark price, which
comes each second, is not older than `stale_ms`; the best prices of the book, while their socket is up.  While prices
that somebody watches are missing, that is told as a `MarketGap` again and again, so that nothing counts as having held
meanwhile; and once more when they are back, whereupon every watch is judged on the present.
"""

from collections.abc import Callable, Collection
from decimal import Decimal
from typing import assert_never

from runner.domain.commands import UnwatchPrice, WatchCommand, WatchPrice
from runner.domain.conditions import PriceSource
from runner.domain.events import Event, MarketGap, PriceTouched
from runner.domain.value import Record, Value
from runner.engine.watches import Touch, WatchBook


class Quote(Value, frozen=True):
    """What a symbol costs now."""

    last_px: Decimal
    mark_px: Decimal
    bid_px: Decimal
    ask_px: Decimal


class _Present(Record):
    """What was heard of a symbol since the sockets came up; None what was not."""

    last_px: Decimal | None = None
    mark_px: Decimal | None = None
    mark_ms: int = 0
    best: tuple[Decimal, Decimal] | None = None
    astray_ms: int = 0
    """Since when trades have been beyond the best prices, which were not told anew; 0 while they agree."""
    judged: bool = False
    """Whether its prices are judged now: they are whole and fresh."""
    missed: bool = False
    """Whether they were judged once and are no more."""
    gap_ms: int = 0
    """When it was last told that they are missing."""


_GAPS = 4
"""How often within `stale_ms` it is told that prices are missing."""


class LivePrices:
    """Implements `Prices` of `runner.ports`.  Instants are those of `now_ms`."""

    def __init__(
        self, symbols: Collection[str], stale_ms: int, now_ms: Callable[[], int], tell: Callable[[Event], None],
    ) -> None:
        self._present = {symbol: _Present() for symbol in symbols}
        self._stale_ms = stale_ms
        self._now_ms = now_ms
        self._tell = tell
        self._book = WatchBook()
        self._pending: dict[str, WatchPrice] = {}
        self._watched: dict[str, str] = {}

    # --- what the streams tell; a symbol that is not the run's is passed over, and so is a price that was read (`seed`)
    # --- where one was heard

    def mark(self, symbol: str, price: Decimal, *, seed: bool = False) -> None:
        present = self._present.get(symbol)
        if present is not None and not (seed and present.mark_px is not None):
            self.check(symbol)
            present.mark_px, present.mark_ms = price, self._now_ms()
            self._heard(symbol, present, PriceSource.MARK, price)

    def last(self, symbol: str, price: Decimal, *, seed: bool = False) -> None:
        """The price of a trade."""
        present = self._present.get(symbol)
        if present is not None and not (seed and present.last_px is not None):
            self.check(symbol)
            present.last_px = price
            if present.best is not None and not present.best[0] <= price <= present.best[1]:
                present.astray_ms = present.astray_ms or self._now_ms()
            self._heard(symbol, present, PriceSource.LAST, price)

    def best(self, symbol: str, bid: Decimal, ask: Decimal, *, seed: bool = False) -> None:
        present = self._present.get(symbol)
        if present is not None and not (seed and present.best is not None):
            present.best, present.astray_ms = (bid, ask), 0

    def market_lost(self) -> None:
        """Trades and marks are no longer heard."""
        for symbol, present in self._present.items():
            if present.judged:
                self._miss(symbol, present)
            present.last_px = present.mark_px = None

    def book_lost(self) -> None:
        """The best prices are no longer heard."""
        for present in self._present.values():
            present.best, present.astray_ms = None, 0

    def astray(self, symbol: str) -> bool:
        """Whether trades have been beyond the best prices for so long that those must be old."""
        began_ms = self._present[symbol].astray_ms
        return began_ms > 0 and self._now_ms() - began_ms > self._stale_ms

    def check(self, symbol: str) -> None:
        """Let prices go that have become old, and say so for as long as there are none."""
        present = self._present[symbol]
        if present.judged and self._now_ms() - present.mark_ms > self._stale_ms:
            present.mark_px = None
            self._miss(symbol, present)
        elif not present.judged and present.gap_ms and self._now_ms() - present.gap_ms >= self._stale_ms // _GAPS:
            self._miss(symbol, present)

    def _miss(self, symbol: str, present: _Present) -> None:
        present.missed, present.judged = present.missed or present.judged, False
        present.gap_ms = self._now_ms()
        if symbol in self._watched.values():
            self._tell(MarketGap(present.gap_ms, symbol))

    # --- what is asked

    def mark_of(self, symbol: str) -> Decimal | None:
        """The fresh mark price; None where there is none."""
        present = self._present.get(symbol)
        if present is None or self._now_ms() - present.mark_ms > self._stale_ms:
            return None
        return present.mark_px

    def quote(self, symbol: str) -> Quote | None:
        """All prices of a symbol; None where one is missing or may be old."""
        present = self._present.get(symbol)
        if present is None or present.best is None or present.last_px is None or self.astray(symbol):
            return None
        mark = self.mark_of(symbol)
        return None if mark is None else Quote(present.last_px, mark, *present.best)

    def watch(self, command: WatchCommand) -> None:
        match command:
            case WatchPrice(watch_id, symbol):
                self._book.remove(watch_id)
                self.check(symbol)
                present = self._present[symbol]
                self._watched[watch_id] = symbol
                if present.judged:
                    self._add(command)
                else:
                    self._pending[watch_id] = command
                    present.gap_ms = present.gap_ms or self._now_ms()
            case UnwatchPrice(watch_id):
                self._book.remove(watch_id)
                self._pending.pop(watch_id, None)
                self._watched.pop(watch_id, None)
            case _:
                assert_never(command)

    def _add(self, watch: WatchPrice) -> None:
        price = self._price(watch.symbol, watch.source)
        touch = self._book.add(watch, self._now_ms(), price)
        self._touched(() if touch is None else (touch,))

    def _price(self, symbol: str, source: PriceSource) -> Decimal:
        present = self._present[symbol]
        price = present.mark_px if source is PriceSource.MARK else present.last_px
        assert price is not None
        return price

    def _heard(self, symbol: str, present: _Present, source: PriceSource, price: Decimal) -> None:
        if present.judged:
            self._touched(self._book.on_price(symbol, source, price))
            return
        if present.last_px is None or self.mark_of(symbol) is None:
            return
        present.judged, present.gap_ms = True, 0
        if present.missed:
            present.missed = False
            self._tell(MarketGap(self._now_ms(), symbol))
        for each in PriceSource:
            self._touched(self._book.on_price(symbol, each, self._price(symbol, each)))
        for watch in [watch for watch in self._pending.values() if watch.symbol == symbol]:
            del self._pending[watch.watch_id]
            self._add(watch)

    def _touched(self, touches: tuple[Touch, ...]) -> None:
        for touch in touches:
            self._watched.pop(touch.watch.watch_id, None)
            self._tell(PriceTouched(self._now_ms(), touch.watch.watch_id, touch.price))
