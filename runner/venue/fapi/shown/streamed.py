"""Market data as the streams tell it.  Source: "Websocket Market Streams", and the official SDK's models.

`told_ms` is the exchange's instant of telling, `E`; `st` 1 says USDⓈ-M, `ps` is the pair.
"""

from decimal import Decimal
from typing import Any

from runner.domain.instrument import Instrument
from runner.domain.values import ZERO, trimmed
from runner.venue.facts import OrderUpdate
from runner.venue.fapi.ladders import Difference, Ladder
from runner.venue.fapi.shown import market
from runner.venue.fapi.shown.numerals import padded, price, qty
from runner.venue.fapi.tape import Bar, Print

Payload = dict[str, Any]
_UM = 1


def agg_trade(printed: Print, instrument: Instrument, told_ms: int) -> Payload:
    head = {"e": "aggTrade", "E": told_ms, "s": instrument.symbol}
    return head | market.agg_trade(printed, instrument) | {"st": _UM}


def trade(printed: Print, instrument: Instrument, told_ms: int) -> Payload:
    return {
        "e": "trade",
        "E": told_ms,
        "T": printed.at_ms,
        "s": instrument.symbol,
        "t": printed.number,
        "p": price(instrument, printed.price),
        "q": qty(instrument, printed.qty),
        "X": "MARKET",
        "m": printed.buyer_maker,
        "st": _UM,
    }


def mark_price(symbol: str, mark: Decimal, funding: Decimal | None, next_ms: int, told_ms: int) -> Payload:
    """Index, settlement price and moving average are not known apart from the mark, which stands for them."""
    shown = market.premium_index(symbol, mark, funding, next_ms, told_ms)
    return {
        "e": "markPriceUpdate",
        "E": told_ms,
        "s": symbol,
        "p": shown["markPrice"],
        "ap": shown["markPrice"],
        "i": shown["indexPrice"],
        "P": shown["estimatedSettlePrice"],
        "r": shown["lastFundingRate"],
        "T": next_ms,
        "st": _UM,
    }


def book_ticker(
    bid: tuple[Decimal, Decimal], ask: tuple[Decimal, Decimal], update_id: int, instrument: Instrument, told_ms: int
) -> Payload:
    """The best (price, quantity) of both sides."""
    return {
        "e": "bookTicker",
        "u": update_id,
        "E": told_ms,
        "T": told_ms,
        "s": instrument.symbol,
        "ps": instrument.symbol,
        "b": price(instrument, bid[0]),
        "B": qty(instrument, bid[1]),
        "a": price(instrument, ask[0]),
        "A": qty(instrument, ask[1]),
        "st": _UM,
    }


def depth_difference(change: Difference, instrument: Instrument, told_ms: int) -> Payload:
    return _depth(
        instrument, told_ms, (change.first, change.last, change.previous), change.bids, change.asks
    )


def depth_levels(ladder: Ladder, previous: int, count: int, instrument: Instrument, told_ms: int) -> Payload:
    """The best `count` levels; `previous` is the id of the stream's event before."""
    ids = (previous + 1, ladder.update_id, previous)
    return _depth(instrument, told_ms, ids, ladder.bids[:count], ladder.asks[:count])


def _depth(
    instrument: Instrument, told_ms: int, ids: tuple[int, int, int], bids: list[tuple[Decimal, Decimal]],
    asks: list[tuple[Decimal, Decimal]],
) -> Payload:
    first, last, previous = ids
    return {
        "e": "depthUpdate",
        "E": told_ms,
        "T": told_ms,
        "s": instrument.symbol,
        "ps": instrument.symbol,
        "U": first,
        "u": last,
        "pu": previous,
        "b": market.levels(bids, instrument),
        "a": market.levels(asks, instrument),
        "st": _UM,
    }


def kline(bar: Bar, interval: str, instrument: Instrument, told_ms: int) -> Payload:
    symbol = {"s": instrument.symbol}
    return {
        "e": "kline", "E": told_ms, "s": instrument.symbol,
        "k": {"t": bar.opened_ms, "T": bar.closes_ms - 1} | symbol | _candle(bar, interval, instrument, told_ms),
    }


def continuous_kline(bar: Bar, interval: str, instrument: Instrument, told_ms: int) -> Payload:
    return {
        "e": "continuous_kline", "E": told_ms, "ps": instrument.symbol, "ct": "PERPETUAL",
        "k": {"t": bar.opened_ms, "T": bar.closes_ms - 1} | _candle(bar, interval, instrument, told_ms),
    }


def _candle(bar: Bar, interval: str, instrument: Instrument, told_ms: int) -> Payload:
    return {
        "i": interval,
        "f": bar.first,
        "L": bar.last,
        "o": price(instrument, bar.open),
        "c": price(instrument, bar.close),
        "h": price(instrument, bar.high),
        "l": price(instrument, bar.low),
        "v": qty(instrument, bar.volume),
        "n": bar.count,
        "x": bar.closes_ms <= told_ms,
        "q": trimmed(bar.quote_volume),
        "V": qty(instrument, bar.taker_volume),
        "Q": trimmed(bar.taker_quote),
        "B": "0",
    }


def ticker(bar: Bar, last: Decimal, last_qty: Decimal, instrument: Instrument, told_ms: int) -> Payload:
    """The statistics of the last 24 hours."""
    shown = market.day(bar, last, last_qty, instrument)
    return {
        "e": "24hrTicker",
        "E": told_ms,
        "s": instrument.symbol,
        "p": shown["priceChange"],
        "P": shown["priceChangePercent"],
        "w": shown["weightedAvgPrice"],
        "c": shown["lastPrice"],
        "Q": shown["lastQty"],
        "o": shown["openPrice"],
        "h": shown["highPrice"],
        "l": shown["lowPrice"],
        "v": shown["volume"],
        "q": shown["quoteVolume"],
        "O": shown["openTime"],
        "C": shown["closeTime"],
        "F": shown["firstId"],
        "L": shown["lastId"],
        "n": shown["count"],
        "ps": instrument.symbol,
        "st": _UM,
    }


def mini_ticker(bar: Bar, last: Decimal, instrument: Instrument, told_ms: int) -> Payload:
    shown = ticker(bar, last, ZERO, instrument, told_ms)
    return {"e": "24hrMiniTicker"} | {key: shown[key] for key in ("E", "s", "c", "o", "h", "l", "v", "q", "ps", "st")}


def force_order(fact: OrderUpdate, instrument: Instrument, told_ms: int) -> Payload:
    """A fill of a liquidation."""
    order, request = fact.order, fact.order.request
    filled = ZERO if fact.fill is None else fact.fill.qty
    return {
        "e": "forceOrder",
        "E": told_ms,
        "o": {
            "s": request.symbol,
            "S": request.side.value,
            "o": request.order_type.value,
            "f": request.time_in_force.value,
            "q": qty(instrument, request.quantity),
            "p": padded(order.avg_px if request.price is None else request.price, 0),
            "ap": price(instrument, order.avg_px),
            "X": order.status.value,
            "l": qty(instrument, filled),
            "z": qty(instrument, order.filled_qty),
            "T": fact.at_ms,
        },
        "ps": request.symbol,
        "st": _UM,
    }
