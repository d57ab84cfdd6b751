"""The names of market streams, what each means, and on which path it is served.

Source: Binance USDⓈ-M "Websocket Market Streams" and its split of paths of 2026.
`trade` is not documented for futures; it stands where ccxt asks for it.
"""

import re
from enum import StrEnum
from typing import NamedTuple


class Path(StrEnum):
    """The first part of a stream socket's path.  LEGACY has none: the `/ws` and `/stream` of before April 2026."""

    PUBLIC = "public"
    MARKET = "market"
    PRIVATE = "private"
    LEGACY = ""


class Kind(StrEnum):
    """What a stream tells of."""

    AGG_TRADE = "aggTrade"
    TRADE = "trade"
    MARK_PRICE = "markPrice"
    BOOK_TICKER = "bookTicker"
    KLINE = "kline"
    CONTINUOUS_KLINE = "continuousKline"
    DEPTH = "depth"
    LEVELS = "levels"
    TICKER = "ticker"
    MINI_TICKER = "miniTicker"
    FORCE_ORDER = "forceOrder"
    CONTRACT = "contractInfo"


PATHS = {
    Kind.TRADE: Path.PUBLIC,
    Kind.BOOK_TICKER: Path.PUBLIC,
    Kind.DEPTH: Path.PUBLIC,
    Kind.LEVELS: Path.PUBLIC,
}
"""Where a kind is served; all others on MARKET."""


class Stream(NamedTuple):
    """A stream by its meaning.

    `symbol` in upper case, empty for the streams of all symbols; `every_ms` its period (0: at each change) by the
    exchange's time; `interval` of a kline; `levels` of a partial book.
    """

    name: str
    kind: Kind
    symbol: str
    every_ms: int = 0
    interval: str = ""
    levels: int = 0

    @property
    def path(self) -> Path:
        return PATHS.get(self.kind, Path.MARKET)

    @property
    def listed(self) -> bool:
        """Whether one frame tells of all symbols, in a list."""
        return "@arr" in self.name and self.kind is not Kind.FORCE_ORDER


INTERVALS = ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M")
_BOOK_PERIODS: dict[str | None, int] = {None: 250, "100ms": 100, "250ms": 250, "500ms": 500}
_SYMBOL = r"(?P<symbol>[a-z0-9]+(?:_[0-9]{6})?)"
_INTERVAL = rf"(?P<interval>{'|'.join(INTERVALS)})"
_SPEED = r"(?:@(?P<speed>[0-9]+ms|[13]s))?"
_KINDS: tuple[tuple[Kind, str, dict[str | None, int]], ...] = (
    (Kind.AGG_TRADE, rf"{_SYMBOL}@aggTrade", {None: 100}),
    (Kind.TRADE, rf"{_SYMBOL}@trade", {None: 0}),
    (Kind.MARK_PRICE, rf"(?:{_SYMBOL}@markPrice|!markPrice@arr){_SPEED}", {None: 3000, "3s": 3000, "1s": 1000}),
    (Kind.BOOK_TICKER, rf"{_SYMBOL}@bookTicker", {None: 0}),
    (Kind.BOOK_TICKER, r"!bookTicker", {None: 5000}),
    (Kind.KLINE, rf"{_SYMBOL}@kline_{_INTERVAL}", {None: 250}),
    (Kind.CONTINUOUS_KLINE, rf"{_SYMBOL}_perpetual@continuousKline_{_INTERVAL}", {None: 250}),
    (Kind.LEVELS, rf"{_SYMBOL}@depth(?P<levels>5|10|20){_SPEED}", _BOOK_PERIODS),
    (Kind.DEPTH, rf"{_SYMBOL}@depth{_SPEED}", _BOOK_PERIODS),
    (Kind.TICKER, rf"(?:{_SYMBOL}@ticker|!ticker@arr)", {None: 1000}),
    (Kind.MINI_TICKER, rf"(?:{_SYMBOL}@miniTicker|!miniTicker@arr)", {None: 1000}),
    (Kind.FORCE_ORDER, rf"(?:{_SYMBOL}@forceOrder|!forceOrder@arr)", {None: 1000}),
    (Kind.CONTRACT, r"!contractInfo", {None: 0}),
)
_PATTERNS = tuple((kind, re.compile(pattern), periods) for kind, pattern, periods in _KINDS)


def stream(name: str) -> Stream | None:
    """The stream of this name; None for one that is never served, such as a name in upper case."""
    for kind, pattern, periods in _PATTERNS:
        found = pattern.fullmatch(name)
        if found is None:
            continue
        parts = found.groupdict()
        every_ms = periods.get(parts.get("speed"))
        if every_ms is None:
            return None
        symbol = (parts.get("symbol") or "").upper()
        return Stream(name, kind, symbol, every_ms, parts.get("interval") or "", int(parts.get("levels") or 0))
    return None
