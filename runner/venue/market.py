"""Market data as the exchange takes them in: one closed union of small values.  Instants in UTC ms.

A candle is two data, its open and its end, because an order may arrive in between.  These are NamedTuples, not
frozen dataclasses: a month of candles is 86,398 of them, and a NamedTuple is built in a quarter of the time.
"""

from decimal import Decimal
from typing import NamedTuple, Union


class CandleOpen(NamedTuple):
    """The first price of a candle, at the instant it begins."""

    symbol: str
    at_ms: int
    price: Decimal


class CandleEnd(NamedTuple):
    """A whole candle, known from the instant it ends (`at_ms`: the first instant after it)."""

    symbol: str
    at_ms: int
    opened_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


class Trade(NamedTuple):
    """One public trade; `buyer_maker` where it is known whether the seller took."""

    symbol: str
    at_ms: int
    price: Decimal
    qty: Decimal
    buyer_maker: bool | None = None


class Quote(NamedTuple):
    """The best bid and ask with what is displayed there."""

    symbol: str
    at_ms: int
    bid: Decimal
    bid_qty: Decimal
    ask: Decimal
    ask_qty: Decimal


class Point(NamedTuple):
    """A price without a quantity, as drawn paths and invented markets have."""

    symbol: str
    at_ms: int
    price: Decimal


class Mark(NamedTuple):
    """The mark price, where it is known apart from the last price."""

    symbol: str
    at_ms: int
    price: Decimal


Datum = Union[CandleOpen, CandleEnd, Trade, Quote, Point, Mark]
