"""Market data, and what is traded here under which rules.  Source: Binance USDⓈ-M "Market Data Endpoints"."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from runner.domain.instrument import Instrument
from runner.domain.values import ZERO
from runner.venue.fapi.calls import Call
from runner.venue.fapi.routes.symbols import instrument, some_symbol, symbols
from runner.venue.fapi.shown import market as shown
from runner.venue.fapi.shown import rules
from runner.venue.fapi.shown.numerals import price, qty
from runner.venue.fapi.tape import INTERVALS, Bar, Print
from runner.venue.funding import next_funding_ms
from runner.venue.holdings import summed
from runner.venue.refusals import Refusal

Shown = dict[str, Any]
DEPTHS = (5, 10, 20, 50, 100, 500, 1000)


def exchange_info(call: Call) -> Shown:
    books, settings = call.exchange.books, call.exchange.settings
    assets = sorted({book.instrument.quote_asset for book in books.values()})
    limits = call.door.limits
    return {
        "timezone": "UTC",
        "serverTime": call.front_ms,
        "futuresType": "U_MARGINED",
        "rateLimits": [*limits.weight_rows(), *limits.order_rows()],
        "exchangeFilters": [],
        "assets": [rules.asset(name) for name in assets],
        "symbols": [rules.symbol(book.instrument, settings.contract(name)) for name, book in books.items()],
    }


def depth(call: Call) -> Shown:
    symbol = call.params.symbol()
    of = instrument(call, symbol)
    limit = call.params.maybe_integer("limit")
    if limit is None:
        limit = 500
    if limit not in DEPTHS:
        raise Refusal(-4021, "Invalid depth limit.")
    ladder = call.door.ladders.read(symbol)
    return {
        "lastUpdateId": ladder.update_id,
        "E": call.at_ms,
        "T": call.at_ms,
        "bids": shown.levels(ladder.bids[:limit], of),
        "asks": shown.levels(ladder.asks[:limit], of),
    }


def trades(call: Call) -> list[Shown]:
    of, prints = _prints(call)
    return [shown.trade(printed, of) for printed in prints[-call.params.limit(500, 1000):]]


def old_trades(call: Call) -> list[Shown]:
    """From a trade id on, as far as they are kept."""
    of, prints = _prints(call)
    limit = call.params.limit(100, 500)
    from_id = call.params.maybe_integer("fromId")
    if from_id is None:
        return [shown.trade(printed, of) for printed in prints[-limit:]]
    return [shown.trade(printed, of) for printed in prints if printed.number >= from_id][:limit]


def agg_trades(call: Call) -> list[Shown]:
    of, prints = _prints(call)
    params = call.params
    limit = params.limit(500, 1000)
    from_id, start, end = (params.maybe_integer(name) for name in ("fromId", "startTime", "endTime"))
    if from_id is None and start is None and end is None:
        return [shown.agg_trade(printed, of) for printed in prints[-limit:]]
    chosen = [
        printed for printed in prints
        if (from_id is None or printed.number >= from_id)
        and (start is None or printed.at_ms >= start) and (end is None or printed.at_ms <= end)
    ]
    return [shown.agg_trade(printed, of) for printed in chosen[:limit]]


def klines(call: Call) -> list[list[object]]:
    return _klines(call, call.params.symbol())


def continuous_klines(call: Call) -> list[list[object]]:
    """There are only perpetual contracts here."""
    if call.params.text("contractType") != "PERPETUAL":
        raise Refusal(-4104, "Invalid contract type.")
    return _klines(call, call.params.text("pair"))


def premium_index(call: Call) -> Any:
    return _one_or_all(call, lambda symbol: premium(call, symbol))


def premium(call: Call, symbol: str) -> Shown:
    exchange = call.exchange
    hours = exchange.settings.contract(symbol).funding_hours
    return shown.premium_index(
        symbol, exchange.books[symbol].mark_px, exchange.funding_rate(symbol), next_funding_ms(call.at_ms, hours),
        call.at_ms,
    )


def funding_rates(call: Call) -> list[Shown]:
    """The funding times that were, oldest first: of a span its first ones, else the last."""
    symbol = some_symbol(call)
    limit = call.params.limit(100, 1000)
    since_ms, until_ms = _span(call)
    found = [
        shown.funding_time(each) for each in call.exchange.clockwork.fundings
        if symbol in ("", each.symbol) and (since_ms or 0) <= each.at_ms <= (until_ms or call.at_ms)
    ]
    return found[-limit:] if since_ms is None else found[:limit]


def funding_info(call: Call) -> list[Shown]:
    return [
        {
            "symbol": symbol, "adjustedFundingRateCap": "0.02000000", "adjustedFundingRateFloor": "-0.02000000",
            "fundingIntervalHours": call.exchange.settings.contract(symbol).funding_hours, "disclaimer": False,
        }
        for symbol in symbols(call)
    ]


def day_ticker(call: Call) -> Any:
    return _one_or_all(call, lambda symbol: _day(call, symbol))


def price_ticker(call: Call) -> Any:
    return _one_or_all(call, lambda symbol: _price(call, symbol))


def book_ticker(call: Call) -> Any:
    return _one_or_all(call, lambda symbol: _best(call, symbol))


def open_interest(call: Call) -> Shown:
    """What all accounts of this exchange hold long."""
    symbol = call.params.symbol()
    of = instrument(call, symbol)
    held = summed(
        holding.qty for account in call.exchange.accounts.values() for holding in account.held()
        if holding.symbol == symbol and holding.qty > ZERO
    )
    return {"openInterest": qty(of, held), "symbol": symbol, "time": call.at_ms}


def _klines(call: Call, symbol: str) -> list[list[object]]:
    of = instrument(call, symbol)
    params = call.params
    interval = params.text("interval")
    if interval not in INTERVALS:
        raise Refusal(-1120, "Invalid interval.")
    since_ms, until_ms = _span(call)
    limit = _kline_limit(call)
    strip = call.door.tape.of(symbol)
    return [shown.kline(bar, of) for bar in strip.candles(interval, call.at_ms, since_ms, until_ms, limit)]


def _span(call: Call) -> tuple[int | None, int | None]:
    """`startTime` and `endTime`, each where it was sent."""
    since_ms, until_ms = call.params.maybe_integer("startTime"), call.params.maybe_integer("endTime")
    if since_ms is not None and until_ms is not None and since_ms > until_ms:
        raise Refusal(-1023, "Start time is greater than end time.")
    return since_ms, until_ms


def _kline_limit(call: Call) -> int:
    return call.params.limit(500, 1500)


def _prints(call: Call) -> tuple[Instrument, list[Print]]:
    symbol = call.params.symbol()
    of = instrument(call, symbol)
    return of, list(call.door.tape.of(symbol).prints)


def _one_or_all(call: Call, show: Callable[[str], Shown]) -> Any:
    """One object for the symbol that was asked for, else a list of all."""
    symbol = some_symbol(call)
    return show(symbol) if symbol else [show(each) for each in symbols(call)]


def _day(call: Call, symbol: str) -> Shown:
    of = instrument(call, symbol)
    strip = call.door.tape.of(symbol)
    present = call.exchange.books[symbol].last_px
    bar = strip.day(call.at_ms) or Bar(call.at_ms - 86_400_000, call.at_ms, present, present, present, present)
    last = strip.last
    return shown.day(bar, present, ZERO if last is None else last.qty, of)


def _price(call: Call, symbol: str) -> Shown:
    of = instrument(call, symbol)
    last = call.door.tape.of(symbol).last
    return {
        "symbol": symbol,
        "price": price(of, call.exchange.books[symbol].last_px),
        "time": call.at_ms if last is None else last.at_ms,
    }


def _best(call: Call, symbol: str) -> Shown:
    of = instrument(call, symbol)
    ladder = call.door.ladders.read(symbol)
    bid, ask = _top(ladder.bids), _top(ladder.asks)
    return {
        "symbol": symbol,
        "bidPrice": price(of, bid[0]),
        "bidQty": qty(of, bid[1]),
        "askPrice": price(of, ask[0]),
        "askQty": qty(of, ask[1]),
        "time": call.at_ms,
        "lastUpdateId": ladder.update_id,
    }


def _top(side: list[tuple[Decimal, Decimal]]) -> tuple[Decimal, Decimal]:
    return side[0] if side else (ZERO, ZERO)
