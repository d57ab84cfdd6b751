"""The price levels that somebody watches, and which of them a price or a candle passes.  Pure.

A watch fires once.  On a candle that was watched as a whole its high and low count; a watch that was set while the
candle was underway is judged on the close alone, since what came before is not known.
"""

from decimal import Decimal
from typing import NamedTuple

from runner.domain.commands import Crossing, WatchPrice
from runner.domain.conditions import PriceSource


def stands(crossing: Crossing, price: Decimal, level: Decimal) -> bool:
    """Whether `price` stands so to `level`."""
    match crossing:
        case Crossing.GT:
            return price > level
        case Crossing.GE:
            return price >= level
        case Crossing.LT:
            return price < level
        case Crossing.LE:
            return price <= level


class Touch(NamedTuple):
    """A watch that fired, and the price that made it fire."""

    watch: WatchPrice
    price: Decimal


class WatchBook:
    """Watches by symbol and source, in the order they were set."""

    def __init__(self) -> None:
        self._watches: dict[tuple[str, PriceSource], dict[str, tuple[WatchPrice, int]]] = {}

    def add(self, watch: WatchPrice, at_ms: int, present: Decimal) -> Touch | None:
        """Set a watch, or fire it at once where the present price already stands so; the same id replaces."""
        self.remove(watch.watch_id)
        if stands(watch.crossing, present, watch.price):
            return Touch(watch, present)
        self._watches.setdefault((watch.symbol, watch.source), {})[watch.watch_id] = (watch, at_ms)
        return None

    def remove(self, watch_id: str) -> None:
        for group in self._watches.values():
            group.pop(watch_id, None)

    def __bool__(self) -> bool:
        """Whether anything is watched."""
        return any(self._watches.values())

    def on_price(self, symbol: str, source: PriceSource, price: Decimal) -> tuple[Touch, ...]:
        """The watches that a price fires, in the order they were set."""
        group = self._watches.get((symbol, source))
        if not group:
            return ()
        fired = [Touch(watch, price) for watch, _ in group.values() if stands(watch.crossing, price, watch.price)]
        return self._taken(group, fired)

    def on_candle(
        self, symbol: str, source: PriceSource, opened_ms: int, low: Decimal, high: Decimal, close: Decimal,
    ) -> tuple[Touch, ...]:
        """What a candle fires at its end; the price of a touch is the close, or the extreme that passed the level."""
        group = self._watches.get((symbol, source))
        if not group:
            return ()
        fired = []
        for watch, set_ms in group.values():
            price = close
            if set_ms <= opened_ms and not stands(watch.crossing, close, watch.price):
                price = high if watch.crossing in (Crossing.GT, Crossing.GE) else low
            if stands(watch.crossing, price, watch.price):
                fired.append(Touch(watch, price))
        return self._taken(group, fired)

    def _taken(self, group: dict[str, tuple[WatchPrice, int]], fired: list[Touch]) -> tuple[Touch, ...]:
        for touch in fired:
            del group[touch.watch.watch_id]
        return tuple(fired)
