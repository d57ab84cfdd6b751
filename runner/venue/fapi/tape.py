"""What has been traded and quoted lately, as the market-data routes and streams tell it.

Fed with every datum after the exchange has taken it.  Of each symbol it keeps the last thousand trades, and a week of
bars: of a minute where there are trades or points, or the data's own candles.  A point counts as a trade without a
quantity.  Where it is not known who took, a falling price is taken for a seller's.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple, assert_never

from runner.domain.values import EXACT, ZERO
from runner.venue.market import CandleEnd, CandleOpen, Datum, Mark, Point, Quote, Trade

_MINUTE = 60_000
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR
_WEEK = 7 * _DAY
_MONDAY = 4 * _DAY
"""The first Monday after 1970 began, a Thursday."""
_PRINTS = 1000
_BARS = 7 * 24 * 60

_SPANS: Mapping[str, int] = {
    "1m": _MINUTE, "3m": 3 * _MINUTE, "5m": 5 * _MINUTE, "15m": 15 * _MINUTE, "30m": 30 * _MINUTE, "1h": _HOUR,
    "2h": 2 * _HOUR, "4h": 4 * _HOUR, "6h": 6 * _HOUR, "8h": 8 * _HOUR, "12h": 12 * _HOUR, "1d": _DAY, "3d": 3 * _DAY,
    "1w": _WEEK, "1M": 31 * _DAY,
}
INTERVALS = tuple(_SPANS)


class Print(NamedTuple):
    """One public trade; `number` counts up from 1 in its symbol."""

    number: int
    at_ms: int
    price: Decimal
    qty: Decimal
    buyer_maker: bool


@dataclass(slots=True)
class Bar:
    """What was traded from `opened_ms` until before `closes_ms`.

    Volumes in base and quote units; the taker's are those of buyers who took, zero where that is not known.  `first`
    and `last` are numbers of trades, -1 where there is none.
    """

    opened_ms: int
    closes_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal = ZERO
    quote_volume: Decimal = ZERO
    count: int = 0
    taker_volume: Decimal = ZERO
    taker_quote: Decimal = ZERO
    first: int = -1
    last: int = -1

    def add(self, later: "Bar") -> None:
        """Take in what was traded right after."""
        self.high, self.low, self.close = max(self.high, later.high), min(self.low, later.low), later.close
        self.volume = EXACT.add(self.volume, later.volume)
        self.quote_volume = EXACT.add(self.quote_volume, later.quote_volume)
        self.count += later.count
        self.taker_volume = EXACT.add(self.taker_volume, later.taker_volume)
        self.taker_quote = EXACT.add(self.taker_quote, later.taker_quote)
        self.first = later.first if self.first < 0 else self.first
        self.last = max(self.last, later.last)


class Strip:
    """The tape of one symbol."""

    def __init__(self) -> None:
        self.prints: deque[Print] = deque(maxlen=_PRINTS)
        self.quote: Quote | None = None
        self._bars: deque[Bar] = deque(maxlen=_BARS)
        self._longest_ms = _MINUTE

    @property
    def last(self) -> Print | None:
        return self.prints[-1] if self.prints else None

    def traded(self, at_ms: int, price: Decimal, qty: Decimal, buyer_maker: bool | None) -> None:
        before = self.last
        if buyer_maker is None:
            buyer_maker = before is not None and (
                price < before.price or (price == before.price and before.buyer_maker)
            )
        printed = Print(1 if before is None else before.number + 1, at_ms, price, qty, buyer_maker)
        self.prints.append(printed)
        quote = EXACT.multiply(price, qty)
        took, took_quote = (ZERO, ZERO) if buyer_maker else (qty, quote)
        opened_ms = at_ms - at_ms % _MINUTE
        self._add(Bar(
            opened_ms, opened_ms + _MINUTE, price, price, price, price, qty, quote, 1, took, took_quote,
            printed.number, printed.number,
        ))

    def opened(self, at_ms: int, price: Decimal) -> None:
        """A candle of the data begins."""
        opened_ms = at_ms - at_ms % _MINUTE
        self._add(Bar(opened_ms, opened_ms + _MINUTE, price, price, price, price))

    def ended(self, candle: CandleEnd) -> None:
        """A whole candle: it takes the place of what was seen of it so far."""
        while self._bars and self._bars[-1].opened_ms >= candle.opened_ms:
            self._bars.pop()
        middle = EXACT.divide(EXACT.add(EXACT.add(candle.high, candle.low), candle.close), Decimal(3))
        quote = EXACT.multiply(candle.volume, middle).quantize(Decimal("0.00000001"), context=EXACT)
        self._longest_ms = max(self._longest_ms, candle.at_ms - candle.opened_ms)
        self._bars.append(Bar(
            candle.opened_ms, candle.at_ms, candle.open, candle.high, candle.low, candle.close, candle.volume, quote,
        ))

    def candles(
        self, interval: str, now_ms: int, since_ms: int | None = None, until_ms: int | None = None, limit: int = 500,
    ) -> list[Bar]:
        """Candles of an interval of `INTERVALS`, the oldest first; the one that is open now comes last.

        Between two instants (of their beginnings, both included): from the first one on where that is given, else the
        latest.  Where nothing was traded the price stands.  Nothing for an interval below that of the data's candles.
        """
        until_ms = now_ms if until_ms is None else min(until_ms, now_ms)
        if not self._bars or self._longest_ms > _SPANS[interval] or self._bars[0].opened_ms > now_ms:
            return []
        start = self._earliest(interval, since_ms, until_ms, limit)
        bars, before = self._since(start, now_ms)
        found: dict[int, Bar] = {}
        for bar in bars:
            opened_ms = _opens(interval, bar.opened_ms)
            if opened_ms in found:
                found[opened_ms].add(bar)
            else:
                found[opened_ms] = replace(bar, opened_ms=opened_ms, closes_ms=_closes(interval, opened_ms))
        filled: list[Bar] = []
        at_ms = start
        close = None if before is None else before.close
        while at_ms <= until_ms and len(filled) < limit:
            ends_ms = _closes(interval, at_ms)
            present = found.get(at_ms)
            if present is None and close is not None:
                present = Bar(at_ms, ends_ms, close, close, close, close)
            if present is not None:
                filled.append(present)
                close = present.close
            at_ms = ends_ms
        return filled

    def day(self, now_ms: int) -> Bar | None:
        """The last 24 hours as one bar; None where nothing was traded in them."""
        whole: Bar | None = None
        bars, _ = self._since(now_ms - _DAY - self._longest_ms + 1, now_ms)
        for bar in bars:
            if bar.closes_ms <= now_ms - _DAY:
                continue
            if whole is None:
                whole = replace(bar)
            else:
                whole.add(bar)
        if whole is not None:
            whole.opened_ms, whole.closes_ms = now_ms - _DAY, now_ms
        return whole

    def _since(self, start_ms: int, now_ms: int) -> tuple[list[Bar], Bar | None]:
        """The bars that begin from `start_ms` up to `now_ms`, and the last one before them; looks at no others."""
        found: list[Bar] = []
        for bar in reversed(self._bars):
            if bar.opened_ms < start_ms:
                return found[::-1], bar
            if bar.opened_ms <= now_ms:
                found.append(bar)
        return found[::-1], None

    def _earliest(self, interval: str, since_ms: int | None, until_ms: int, limit: int) -> int:
        first = _opens(interval, self._bars[0].opened_ms)
        if since_ms is not None:
            opened_ms = _opens(interval, since_ms)
            return max(first, opened_ms if opened_ms == since_ms else _closes(interval, opened_ms))
        opened_ms = _opens(interval, until_ms)
        for _ in range(limit - 1):
            if opened_ms <= first:
                break
            opened_ms = _opens(interval, opened_ms - 1)
        return max(first, opened_ms)

    def _add(self, bar: Bar) -> None:
        if self._bars and self._bars[-1].closes_ms > bar.opened_ms:
            self._bars[-1].add(bar)
        else:
            self._bars.append(bar)


class Tape:
    """The strips of all symbols, and the numbers that views of their books bear."""

    def __init__(self) -> None:
        self._strips: dict[str, Strip] = {}
        self._updates: dict[str, int] = {}

    def of(self, symbol: str) -> Strip:
        strip = self._strips.get(symbol)
        if strip is None:
            strip = self._strips[symbol] = Strip()
        return strip

    def next_update_id(self, symbol: str) -> int:
        """One more than the last: what a view of the book is numbered with."""
        number = self._updates.get(symbol, 0) + 1
        self._updates[symbol] = number
        return number

    def record(self, datum: Datum) -> None:
        strip = self.of(datum.symbol)
        match datum:
            case Trade():
                strip.traded(datum.at_ms, datum.price, datum.qty, datum.buyer_maker)
            case Point():
                strip.traded(datum.at_ms, datum.price, ZERO, None)
            case CandleOpen():
                strip.opened(datum.at_ms, datum.price)
            case CandleEnd():
                strip.ended(datum)
            case Quote():
                strip.quote = datum
            case Mark():
                pass
            case _:
                assert_never(datum)


def _opens(interval: str, at_ms: int) -> int:
    """When the candle begins that an instant belongs to."""
    if interval == "1M":
        day = datetime.fromtimestamp(at_ms / 1000, UTC)
        return int(datetime(day.year, day.month, 1, tzinfo=UTC).timestamp() * 1000)
    shift = _MONDAY if interval == "1w" else 0
    return at_ms - (at_ms - shift) % _SPANS[interval]


def _closes(interval: str, opened_ms: int) -> int:
    """When the candle is over that begins then."""
    if interval == "1M":
        return _opens(interval, opened_ms + _SPANS[interval])
    return opened_ms + _SPANS[interval]
