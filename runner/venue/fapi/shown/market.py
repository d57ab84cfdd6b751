"""Market data as the REST API shows them.  Source: Binance USDⓈ-M "Market Data"; its SDK's models."""

from decimal import Decimal
from typing import Any

from runner.domain.instrument import Instrument
from runner.domain.values import EXACT, ONE, ZERO, trimmed
from runner.venue.clockwork import FundingTime
from runner.venue.fapi.shown.numerals import average, money, padded, places, price, qty
from runner.venue.fapi.tape import Bar, Print

Shown = dict[str, Any]
_PERCENT = Decimal(100)


def trade(printed: Print, instrument: Instrument) -> Shown:
    return {
        "id": printed.number,
        "price": price(instrument, printed.price),
        "qty": qty(instrument, printed.qty),
        "quoteQty": trimmed(EXACT.multiply(printed.price, printed.qty)),
        "time": printed.at_ms,
        "isBuyerMaker": printed.buyer_maker,
        "isRPITrade": False,
    }


def agg_trade(printed: Print, instrument: Instrument) -> Shown:
    """Each trade stands for itself."""
    quantity = qty(instrument, printed.qty)
    return {
        "a": printed.number,
        "p": price(instrument, printed.price),
        "q": quantity,
        "nq": quantity,
        "f": printed.number,
        "l": printed.number,
        "T": printed.at_ms,
        "m": printed.buyer_maker,
    }


def kline(bar: Bar, instrument: Instrument) -> list[object]:
    return [
        bar.opened_ms,
        price(instrument, bar.open),
        price(instrument, bar.high),
        price(instrument, bar.low),
        price(instrument, bar.close),
        qty(instrument, bar.volume),
        bar.closes_ms - 1,
        trimmed(bar.quote_volume),
        bar.count,
        qty(instrument, bar.taker_volume),
        trimmed(bar.taker_quote),
        "0",
    ]


def day(bar: Bar, last: Decimal, last_qty: Decimal, instrument: Instrument) -> Shown:
    """The statistics of the last 24 hours."""
    change = EXACT.subtract(last, bar.open)
    percent = EXACT.multiply(EXACT.subtract(EXACT.divide(last, bar.open), ONE), _PERCENT)
    mean = EXACT.divide(bar.quote_volume, bar.volume) if bar.volume else last
    return {
        "symbol": instrument.symbol,
        "priceChange": padded(change, places(instrument.tick_size)),
        "priceChangePercent": padded(percent.quantize(Decimal("0.001"), context=EXACT), 3),
        "weightedAvgPrice": average(mean),
        "lastPrice": price(instrument, last),
        "lastQty": qty(instrument, last_qty),
        "openPrice": price(instrument, bar.open),
        "highPrice": price(instrument, bar.high),
        "lowPrice": price(instrument, bar.low),
        "volume": qty(instrument, bar.volume),
        "quoteVolume": trimmed(bar.quote_volume),
        "openTime": bar.opened_ms,
        "closeTime": bar.closes_ms,
        "firstId": bar.first,
        "lastId": bar.last,
        "count": bar.count,
    }


def levels(side: list[tuple[Decimal, Decimal]], instrument: Instrument) -> list[list[str]]:
    return [[price(instrument, at), qty(instrument, amount)] for at, amount in side]


def funding_time(past: FundingTime) -> Shown:
    return {
        "symbol": past.symbol, "fundingTime": past.at_ms, "fundingRate": padded(past.rate, 8),
        "markPrice": money(past.mark_px),
    }


def premium_index(symbol: str, mark: Decimal, funding: Decimal | None, next_ms: int, at_ms: int) -> Shown:
    """The index is not known apart from the mark, and stands for it."""
    shown = money(mark)
    return {
        "symbol": symbol,
        "markPrice": shown,
        "indexPrice": shown,
        "estimatedSettlePrice": shown,
        "lastFundingRate": padded(funding or ZERO, 8),
        "interestRate": "0.00010000",
        "nextFundingTime": next_ms,
        "time": at_ms,
    }
