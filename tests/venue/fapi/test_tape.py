"""What is remembered of the market: trades, candles of all intervals, the last day."""

from decimal import Decimal

import pytest

from runner.venue.fapi.tape import INTERVALS, Strip, Tape
from runner.venue.market import CandleEnd, CandleOpen, Datum, Point, Quote, Trade

MINUTE = 60_000
MONDAY = 1_790_553_600_000  # 2026-09-28, 00:00 UTC


def strip(*data: Datum) -> Strip:
    tape = Tape()
    for datum in data:
        tape.record(datum)
    return tape.of("BTCUSDT")


def trade(at_ms: int, price: int, qty: str = "1", buyer_maker: bool | None = None) -> Trade:
    return Trade("BTCUSDT", MONDAY + at_ms, Decimal(price), Decimal(qty), buyer_maker)


def test_trades_are_numbered_and_who_took_is_told_by_the_price_where_it_is_not_known() -> None:
    prints = strip(trade(0, 10), trade(1, 9), trade(2, 9), trade(3, 11), trade(4, 12, "1", True)).prints
    assert [printed.number for printed in prints] == [1, 2, 3, 4, 5]
    assert [printed.buyer_maker for printed in prints] == [False, True, True, False, True]


def test_trades_make_candles_with_the_open_one_last() -> None:
    tape = strip(trade(0, 10), trade(1, 12, "2", True), trade(MINUTE, 8), trade(MINUTE + 5, 9))
    first, last = tape.candles("1m", MONDAY + MINUTE + 5)
    assert (first.open, first.high, first.low, first.close) == (10, 12, 10, 12)
    assert (first.volume, first.quote_volume, first.taker_volume, first.taker_quote, first.count) == (3, 34, 1, 10, 2)
    assert (first.opened_ms, first.closes_ms, first.first, first.last) == (MONDAY, MONDAY + MINUTE, 1, 2)
    assert (last.close, last.first, last.last) == (9, 3, 4)


def test_where_nothing_is_traded_the_price_stands() -> None:
    tape = strip(trade(0, 10), trade(3 * MINUTE, 12))
    flat = tape.candles("1m", MONDAY + 5 * MINUTE)
    assert [int(bar.close) for bar in flat] == [10, 10, 10, 12, 12, 12]
    assert [int(bar.volume) for bar in flat] == [1, 0, 0, 1, 0, 0]


@pytest.mark.parametrize(("limit", "closes"), [(1, [5]), (2, [4, 5]), (100, [0, 1, 2, 3, 4, 5])])
def test_the_latest_candles_come_without_a_beginning(limit: int, closes: list[int]) -> None:
    tape = strip(*(trade(minute * MINUTE, minute) for minute in range(6)))
    assert [bar.close for bar in tape.candles("1m", MONDAY + 5 * MINUTE, limit=limit)] == closes


def test_a_beginning_gives_the_candles_from_there_on() -> None:
    tape = strip(*(trade(minute * MINUTE, minute) for minute in range(6)))
    now = MONDAY + 6 * MINUTE
    from_second = tape.candles("1m", now, since_ms=MONDAY + MINUTE + 1, limit=2)
    assert [bar.close for bar in from_second] == [2, 3]
    between = tape.candles("1m", now, since_ms=MONDAY + MINUTE, until_ms=MONDAY + 2 * MINUTE)
    assert [bar.close for bar in between] == [1, 2]


@pytest.mark.parametrize("interval", INTERVALS)
def test_each_interval_has_the_candle_that_holds_the_trade(interval: str) -> None:
    at = MONDAY + 3 * 86_400_000 + 5 * 3_600_000
    tape = strip(Trade("BTCUSDT", at, Decimal(10), Decimal(1)))
    (bar,) = tape.candles(interval, at)
    assert bar.opened_ms <= at < bar.closes_ms


def test_weeks_begin_on_monday_and_months_on_the_first() -> None:
    at = MONDAY + 3 * 86_400_000
    tape = strip(Trade("BTCUSDT", at, Decimal(10), Decimal(1)))
    assert tape.candles("1w", at)[0].opened_ms == MONDAY
    month = tape.candles("1M", at)[0]
    assert (month.opened_ms, month.closes_ms) == (1_790_812_800_000, 1_793_491_200_000)


def test_candles_of_the_data_are_kept_as_they_are() -> None:
    price = Decimal(10)
    begun = CandleOpen("BTCUSDT", MONDAY, price)
    ended = CandleEnd(
        "BTCUSDT", MONDAY + 5 * MINUTE, MONDAY, price, Decimal(14), Decimal(8), Decimal(12), Decimal(30)
    )
    tape = strip(begun)
    assert tape.candles("1m", MONDAY)[0].close == 10
    tape = strip(begun, ended)
    (bar,) = tape.candles("5m", MONDAY + 4 * MINUTE)
    assert (bar.high, bar.low, bar.close, bar.volume) == (14, 8, 12, 30)
    assert tape.candles("1m", MONDAY + 4 * MINUTE) == []


def test_the_last_day_forgets_what_is_older() -> None:
    day = 24 * 60 * MINUTE
    tape = strip(trade(0, 100), trade(2 * MINUTE, 10), trade(day, 12))
    bar = tape.day(MONDAY + day + MINUTE)
    assert bar is not None
    assert (bar.open, bar.high, bar.close, bar.count) == (10, 12, 12, 2)
    assert (bar.opened_ms, bar.closes_ms) == (MONDAY + MINUTE, MONDAY + day + MINUTE)
    assert tape.day(MONDAY + 3 * day) is None


def test_points_are_trades_without_a_quantity_and_quotes_are_none() -> None:
    quote = Quote("BTCUSDT", MONDAY, *(Decimal(1),) * 4)
    tape = strip(Point("BTCUSDT", MONDAY, Decimal(5)), quote)
    assert tape.last is not None and (tape.last.price, tape.last.qty) == (5, 0)
    assert tape.quote is quote and len(tape.prints) == 1


def test_views_of_the_book_are_numbered_by_symbol() -> None:
    tape = Tape()
    assert [tape.next_update_id(symbol) for symbol in ("A", "A", "B")] == [1, 2, 1]
