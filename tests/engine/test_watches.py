"""Watched levels: what fires, when, and only once."""

from decimal import Decimal

import pytest

from runner.domain.commands import Crossing, WatchPrice
from runner.domain.conditions import PriceSource
from runner.engine.watches import Touch, WatchBook, stands

GT, GE, LT, LE = Crossing.GT, Crossing.GE, Crossing.LT, Crossing.LE
LAST, MARK = PriceSource.LAST, PriceSource.MARK


def watch(name: str = "w", crossing: Crossing = GE, level: int = 100, source: PriceSource = LAST) -> WatchPrice:
    return WatchPrice(name, "BTCUSDT", source, crossing, Decimal(level))


def price(book: WatchBook, at: int, source: PriceSource = LAST, symbol: str = "BTCUSDT") -> list[str]:
    return [touch.watch.watch_id for touch in book.on_price(symbol, source, Decimal(at))]


@pytest.mark.parametrize(("crossing", "below", "at", "above"), [
    (GT, False, False, True), (GE, False, True, True), (LT, True, False, False), (LE, True, True, False),
])
def test_each_crossing_is_what_its_sign_says(crossing: Crossing, below: bool, at: bool, above: bool) -> None:
    assert [stands(crossing, Decimal(p), Decimal(100)) for p in (99, 100, 101)] == [below, at, above]


def test_a_watch_that_already_stands_fires_at_once_and_is_not_kept() -> None:
    book = WatchBook()
    assert book.add(watch(), 0, Decimal(100)) == Touch(watch(), Decimal(100))
    assert not book
    assert price(book, 200) == []


def test_a_watch_fires_once() -> None:
    book = WatchBook()
    assert book.add(watch(), 0, Decimal(99)) is None
    assert book
    assert price(book, 99) == []
    assert book.on_price("BTCUSDT", LAST, Decimal(101)) == (Touch(watch(), Decimal(101)),)
    assert price(book, 101) == []
    assert not book


def test_watches_of_other_symbols_and_sources_do_not_fire() -> None:
    book = WatchBook()
    book.add(watch("last"), 0, Decimal(99))
    book.add(watch("mark", source=MARK), 0, Decimal(99))
    assert price(book, 101, symbol="ETHUSDT") == []
    assert price(book, 101, source=MARK) == ["mark"]
    assert price(book, 101) == ["last"]


def test_several_watches_fire_in_the_order_they_were_set() -> None:
    book = WatchBook()
    for name, level in (("b", 101), ("a", 100), ("c", 103)):
        book.add(watch(name, level=level), 0, Decimal(99))
    assert price(book, 102) == ["b", "a"]
    assert price(book, 103) == ["c"]


def test_a_removed_watch_does_not_fire_and_an_unknown_one_is_no_fault() -> None:
    book = WatchBook()
    book.add(watch(), 0, Decimal(99))
    book.remove("w")
    book.remove("never set")
    assert price(book, 101) == []


def test_setting_an_id_again_replaces_it_even_on_another_source() -> None:
    book = WatchBook()
    book.add(watch(source=MARK), 0, Decimal(99))
    book.add(watch(level=200), 0, Decimal(99))
    assert price(book, 150, source=MARK) == []
    assert price(book, 150) == []
    assert price(book, 200) == ["w"]


@pytest.mark.parametrize(("crossing", "level", "set_ms", "expected"), [
    (GE, 110, 0, 110), (GT, 110, 0, None), (GT, 109, 0, 110), (LE, 90, 0, 90), (LT, 90, 0, None), (LT, 91, 0, 90),
    (GE, 105, 0, 110), (GE, 101, 0, 102), (LE, 103, 0, 102), (GE, 110, 1, None), (LE, 90, 1, None), (GE, 102, 1, 102),
    (LE, 102, 1, 102), (LE, 91, 1, None),
])
def test_a_candle_fires_by_its_range_where_it_was_watched_whole_and_else_by_its_close(
    crossing: Crossing, level: int, set_ms: int, expected: int | None,
) -> None:
    book = WatchBook()
    asked = watch(crossing=crossing, level=level)
    present = Decimal(0) if crossing in (GT, GE) else Decimal(1000)
    book.add(asked, set_ms, present)
    fired = book.on_candle("BTCUSDT", LAST, 0, low=Decimal(90), high=Decimal(110), close=Decimal(102))
    assert fired == (() if expected is None else (Touch(asked, Decimal(expected)),))
    assert bool(book) is (expected is None)


def test_a_candle_of_a_symbol_that_nobody_watches_fires_nothing() -> None:
    assert WatchBook().on_candle("BTCUSDT", LAST, 0, Decimal(1), Decimal(2), Decimal(1)) == ()
