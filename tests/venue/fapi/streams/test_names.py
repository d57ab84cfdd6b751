import pytest

from runner.venue.fapi.streams.names import Kind, Path, stream


@pytest.mark.parametrize(
    ("name", "kind", "path", "symbol", "every_ms"),
    [
        ("btcusdt@aggTrade", Kind.AGG_TRADE, Path.MARKET, "BTCUSDT", 100),
        ("btcusdt@trade", Kind.TRADE, Path.PUBLIC, "BTCUSDT", 0),
        ("btcusdt@markPrice", Kind.MARK_PRICE, Path.MARKET, "BTCUSDT", 3000),
        ("btcusdt@markPrice@1s", Kind.MARK_PRICE, Path.MARKET, "BTCUSDT", 1000),
        ("!markPrice@arr@1s", Kind.MARK_PRICE, Path.MARKET, "", 1000),
        ("btcusdt@bookTicker", Kind.BOOK_TICKER, Path.PUBLIC, "BTCUSDT", 0),
        ("!bookTicker", Kind.BOOK_TICKER, Path.PUBLIC, "", 5000),
        ("btcusdt@depth", Kind.DEPTH, Path.PUBLIC, "BTCUSDT", 250),
        ("btcusdt@depth@100ms", Kind.DEPTH, Path.PUBLIC, "BTCUSDT", 100),
        ("btcusdt@depth20@500ms", Kind.LEVELS, Path.PUBLIC, "BTCUSDT", 500),
        ("1000shibusdt@kline_1M", Kind.KLINE, Path.MARKET, "1000SHIBUSDT", 250),
        ("btcusdt_perpetual@continuousKline_1m", Kind.CONTINUOUS_KLINE, Path.MARKET, "BTCUSDT", 250),
        ("!miniTicker@arr", Kind.MINI_TICKER, Path.MARKET, "", 1000),
        ("!forceOrder@arr", Kind.FORCE_ORDER, Path.MARKET, "", 1000),
        ("!contractInfo", Kind.CONTRACT, Path.MARKET, "", 0),
    ],
)
def test_a_name_says_what_is_told_how_often_and_where(
    name: str, kind: Kind, path: Path, symbol: str, every_ms: int
) -> None:
    found = stream(name)
    assert found is not None
    assert (found.kind, found.path, found.symbol, found.every_ms) == (kind, path, symbol, every_ms)


def test_levels_and_interval_are_read_from_the_name() -> None:
    book, kline = stream("btcusdt@depth5"), stream("btcusdt@kline_15m")
    assert book is not None and kline is not None
    assert (book.levels, kline.interval) == (5, "15m")


@pytest.mark.parametrize(
    "name",
    [
        "", "0", "BTCUSDT@aggTrade", "btcusdt", "btcusdt@", "btcusdt@kline_2m", "btcusdt@depth7", "btcusdt@depth@0ms",
        "btcusdt@markPrice@500ms", "btcusdt@aggTrade ", "!userData", "btcusdt@nosuchstream", "btcusdt@rpiDepth@500ms",
    ],
)
def test_what_is_not_served_has_no_meaning(name: str) -> None:
    assert stream(name) is None
