"""Public market data files, good and broken."""

import gzip
import os
import zipfile
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

import pytest

from runner.errors import EnvironmentFault
from runner.venue.feeds.files import Census, census, file_market
from runner.venue.market import CandleEnd, CandleOpen, Datum, Quote, Trade

D = Decimal
T0 = 1_746_372_780_000
CANDLE_HEADER = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore"
)
CANDLE = f"{T0},95505.4,95505.5,95502.7,95502.7,16.536,{T0 + 59_999},1579000,10,8,764000,0"
TRADE = f"5266583935,61800.30,0.006,370.80180,{T0},false"
AGGREGATED = f"77,61800.30,0.006,100,102,{T0},true"
QUOTE = f"5123107839020,61800.20,2.507,61800.30,2.510,{T0},{T0}"
EXPECTED_CANDLE: list[Datum] = [
    CandleOpen("X", T0, D("95505.4")),
    CandleEnd("X", T0 + 60_000, T0, D("95505.4"), D("95505.5"), D("95502.7"), D("95502.7"), D("16.536")),
]
EXPECTED_TRADE: list[Datum] = [Trade("X", T0, D("61800.30"), D("0.006"), False)]
EXPECTED_SALE: list[Datum] = [Trade("X", T0, D("61800.30"), D("0.006"), True)]
EXPECTED_BARE: list[Datum] = [Trade("X", T0, D("61800.30"), D("0.006"))]
EXPECTED_QUOTE: list[Datum] = [Quote("X", T0, D("61800.20"), D("2.507"), D("61800.30"), D("2.510"))]


def write(folder: Path, *lines: str, name: str = "data.csv") -> Path:
    path = folder / name
    text = "".join(line + "\n" for line in lines).encode()
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(text))
    elif name.endswith(".zip"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(name.replace(".zip", ".csv"), text)
    else:
        path.write_bytes(text)
    return path


def read(*paths: Path) -> list[Datum]:
    return list(file_market(paths, "X"))


def fault(*paths: Path) -> str:
    with pytest.raises(EnvironmentFault) as raised:
        read(*paths)
    assert raised.value.hint
    return raised.value.message


@pytest.mark.parametrize(("lines", "expected"), [
    ([CANDLE_HEADER, CANDLE], EXPECTED_CANDLE),
    ([CANDLE], EXPECTED_CANDLE),
    (["open_time,open,high,low,close,volume,close_time", ",".join(CANDLE.split(",")[:7])], EXPECTED_CANDLE),
    ([",".join(CANDLE.split(",")[:7])], EXPECTED_CANDLE),
    ([f"close_time,volume,close,low,high,open,open_time\n{T0 + 59_999},16.536,95502.7,95502.7,95505.5,95505.4,{T0}"],
     EXPECTED_CANDLE),
    (["id,price,qty,quote_qty,time,is_buyer_maker", TRADE], EXPECTED_TRADE),
    ([TRADE], EXPECTED_TRADE),
    (["agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker", AGGREGATED],
     EXPECTED_SALE),
    ([AGGREGATED], EXPECTED_SALE),
    (["time,price,qty", f"{T0},61800.30,0.006"], EXPECTED_BARE),
    (["time,price,qty,is_buyer_maker", f"{T0},61800.30,0.006,"], EXPECTED_BARE),
    (["time,price,qty,is_buyer_maker", f"{T0},61800.30,0.006,True"], EXPECTED_SALE),
    (["update_id,best_bid_price,best_bid_qty,best_ask_price,best_ask_qty,transaction_time,event_time", QUOTE],
     EXPECTED_QUOTE),
    ([QUOTE], EXPECTED_QUOTE),
    (["", TRADE, ""], EXPECTED_TRADE),
])
def test_each_kind_is_read_with_and_without_a_header(tmp_path: Path, lines: list[str], expected: list[Datum]) -> None:
    assert read(write(tmp_path, *lines)) == expected


@pytest.mark.parametrize("name", ["data.csv", "data.csv.gz", "data.zip"])
def test_each_packing_is_read(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, CANDLE_HEADER, CANDLE, name=name)
    assert read(path) == EXPECTED_CANDLE
    assert census(path) == Census("candles", 1)


def test_a_byte_order_mark_is_no_part_of_the_header(tmp_path: Path) -> None:
    assert read(write(tmp_path, "\ufeff" + CANDLE_HEADER, CANDLE)) == EXPECTED_CANDLE


@pytest.mark.parametrize(("close", "expected"), [
    (f"{T0 + 59_999}", T0 + 60_000), (f"{T0 + 59_999}999", T0 + 60_000), (f"{T0 + 60_000}", T0 + 60_000),
])
def test_a_candle_is_known_from_the_first_instant_after_it(tmp_path: Path, close: str, expected: int) -> None:
    cells = CANDLE.split(",")
    cells[6] = close
    assert read(write(tmp_path, ",".join(cells)))[1].at_ms == expected


@pytest.mark.parametrize("time", [f"{T0}", f"{T0}000", f"{T0}999"])
def test_times_are_in_ms_or_in_microseconds(tmp_path: Path, time: str) -> None:
    assert read(write(tmp_path, TRADE.replace(str(T0), time)))[0].at_ms == T0


def test_numbers_keep_every_digit(tmp_path: Path) -> None:
    price = "0.123456789012345678901234567890"
    (trade,) = read(write(tmp_path, f"1,{price},1,1,{T0},true"))
    assert isinstance(trade, Trade)
    assert str(trade.price) == price


def test_several_files_are_merged_by_time_and_at_equal_times_in_the_order_given(tmp_path: Path) -> None:
    trades = write(tmp_path, TRADE, TRADE.replace(str(T0), str(T0 + 2)), name="t.csv")
    quotes = write(tmp_path, QUOTE, QUOTE.replace(str(T0), str(T0 + 1)), name="q.csv")
    assert [(type(each).__name__, each.at_ms - T0) for each in read(trades, quotes)] == [
        ("Trade", 0), ("Quote", 0), ("Quote", 1), ("Trade", 2),
    ]
    assert [type(each).__name__ for each in read(quotes, trades)][:2] == ["Quote", "Trade"]


def _later(row: str, minutes: int) -> str:
    cells = row.split(",")
    cells[0], cells[6] = str(int(cells[0]) + minutes * 60_000), str(int(cells[6]) + minutes * 60_000)
    return ",".join(cells)


def test_monthly_files_follow_each_other(tmp_path: Path) -> None:
    first = write(tmp_path, CANDLE, name="a.csv")
    second = write(tmp_path, _later(CANDLE, 1), name="b.csv")
    assert [each.at_ms - T0 for each in read(second, first)] == [0, 60_000, 60_000, 120_000]


def test_the_same_minutes_twice_are_a_fault(tmp_path: Path) -> None:
    first, second = (write(tmp_path, CANDLE, name=name) for name in ("a.csv", "b.csv"))
    assert fault(first, second) == f"a.csv, b.csv: two candles cover {T0} ms"


@pytest.mark.parametrize(("lines", "says"), [
    ([], "the file is empty"),
    (["", ""], "the file is empty"),
    ([CANDLE_HEADER], "has a header and no rows"),
    (["time,price", "1,2"], "row 1: the header 'time,price' is not that of candles, trades"),
    (["1,2,3"], "row 1: '1,2,3' does not look like candles, trades"),
    ([TRADE.replace("61800.30", "-1")], "row 1: '5266583935,-1,"),
    ([TRADE.replace("61800.30", "NaN")], "makes no sense"),
    ([TRADE.replace("61800.30", "Infinity")], "makes no sense"),
    ([TRADE.replace("61800.30", "1e999")], "makes no sense"),
    ([TRADE.replace("0.006", "-0.006")], "makes no sense"),
    ([TRADE, "5266583936,abc,1,1"], "row 2: '5266583936,abc,1,1' makes no sense"),
    ([TRADE, TRADE.replace(str(T0), "1746372780")], "row 2"),
    ([CANDLE.replace("95505.5", "95505.3")], "makes no sense"),
    ([CANDLE.replace("16.536", "-1")], "makes no sense"),
    ([CANDLE, CANDLE.replace(str(T0 + 59_999), "x" * 200)], "xxx...' makes no sense"),
    ([CANDLE.replace(str(T0 + 59_999), str(T0 - 1))], "makes no sense"),
    ([QUOTE.replace("61800.30", "61800.10")], "makes no sense"),
    ([QUOTE, QUOTE.replace("2.507", "")], "row 2"),
    ([TRADE, TRADE.replace(str(T0), str(T0 - 1))], f"row 2: time runs backwards, from {T0} to {T0 - 1} ms"),
    ([QUOTE, QUOTE.replace(str(T0), str(T0 - 1))], "row 2: time runs backwards"),
    ([CANDLE, CANDLE], "row 2: time runs backwards"),
    ([CANDLE_HEADER, _later(CANDLE, 1), CANDLE], "row 3: time runs backwards"),
    (["x" * 20_000], "has a line of more than 10000 characters"),
    (['1,"2'], "is not text in CSV form"),
])
def test_what_is_wrong_with_a_file_is_said_with_its_row(tmp_path: Path, lines: list[str], says: str) -> None:
    path = write(tmp_path, *lines)
    message = fault(path)
    assert says in message
    assert str(path) in message
    assert "\n" not in message


def test_a_missing_file_a_directory_and_a_pipe_are_named(tmp_path: Path) -> None:
    assert "there is no such file" in fault(tmp_path / "none.csv")
    assert "is a directory" in fault(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    assert "is not a regular file" in fault(tmp_path / "pipe")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, TRADE)
    path.chmod(0)
    assert "Permission denied" in fault(path)


def _broken(folder: Path) -> Iterable[tuple[Path, str]]:
    whole = gzip.compress((TRADE + "\n").encode() * 1000)
    for name, content, says in (
        ("cut.csv.gz", whole[:-20], "cannot be read after row"),
        ("not.csv.gz", b"plain text", "cannot be read after row 0"),
        ("flipped.csv.gz", whole[:20] + b"\xff" + whole[21:], "cannot be read after row"),
        ("not.zip", b"plain text", "cannot be read after row 0"),
        ("binary.csv", bytes(range(256)) * 40, "is not text in CSV form"),
    ):
        path = folder / name
        path.write_bytes(content)
        yield path, says


def test_damaged_packings_and_binary_files_are_named(tmp_path: Path) -> None:
    for path, says in _broken(tmp_path):
        assert says in fault(path)


@pytest.mark.parametrize("names", [[], ["a.csv", "b.csv"], ["readme.txt"]])
def test_a_zip_holds_one_csv_file(tmp_path: Path, names: list[str]) -> None:
    path = tmp_path / "some.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, TRADE)
    assert f"holds {sum(name.endswith('.csv') for name in names)} .csv files where one is expected" in fault(path)


def test_a_file_is_not_read_further_than_asked(tmp_path: Path) -> None:
    path = write(tmp_path, TRADE, "rubbish")
    data = file_market([path], "X")
    assert next(data) == EXPECTED_TRADE[0]
    with pytest.raises(EnvironmentFault):
        next(data)


def test_the_month_of_candles(shared_data: Path) -> None:
    path = shared_data / "BTCUSDT-1m-2025-05.csv.gz"
    data = read(path)
    assert census(path) == Census("candles", 43_199)
    assert len(data) == 2 * 43_199
    assert (data[0].at_ms, data[-1].at_ms) == (1_746_372_780_000, 1_748_964_720_000)
    assert [each.at_ms for each in data] == sorted(each.at_ms for each in data)


def test_trades_and_quotes_of_the_same_minutes(shared_data: Path) -> None:
    trades = shared_data / "BTCUSDT-trades-2024-08-08.csv.gz"
    quotes = shared_data / "BTCUSDT-bookTicker-2024-08-08.csv.gz"
    assert (census(trades), census(quotes)) == (Census("trades", 21_313), Census("quotes", 66_089))
    data = read(trades, quotes)
    assert len(data) == 21_313 + 66_089
    assert [each.at_ms for each in data] == sorted(each.at_ms for each in data)
