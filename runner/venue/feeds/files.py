"""Binance's public market data files: candles, trades, aggregated trades, best bid and ask.  The one impure module.

Plain `.csv`, `.csv.gz` and `.zip` with one file inside; with or without a header; times in ms or, since 2025 in some
archives, in microseconds.  Read row by row, so that a file's size costs time but no memory.  Source: the layout of
data.binance.vision, USDⓈ-M futures.
"""

import csv
import stat
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal, InvalidOperation
from io import TextIOWrapper
from pathlib import Path
from typing import IO, NamedTuple

from runner.errors import EnvironmentFault
from runner.venue.feeds.merging import merged, without_overlap
from runner.venue.market import CandleEnd, CandleOpen, Datum, Quote, Trade

MAX_LINE = 10_000
_BEYOND = Decimal(10) ** 15
_TRUTHS = {"true": True, "false": False}
_NOTHING = Decimal(0)
_OWN_KINDS = "candles, trades, aggregated trades or bookTicker rows"


class Layout(NamedTuple):
    """One kind of file: what its rows are called, its columns in the public order, those that are needed, and one that
    is read where it is there."""

    rows: str
    columns: tuple[str, ...]
    needed: tuple[str, ...]
    wished: str = ""


CANDLES = Layout(
    "candles",
    ("open_time", "open", "high", "low", "close", "volume", "close_time"),
    ("open_time", "close_time", "open", "high", "low", "close", "volume"),
)
TRADES = Layout(
    "trades",
    ("id", "price", "qty", "quote_qty", "time", "is_buyer_maker"),
    ("time", "price", "qty"),
    "is_buyer_maker",
)
AGGREGATED = Layout(
    "aggregated trades",
    ("agg_trade_id", "price", "quantity", "first_trade_id", "last_trade_id", "transact_time", "is_buyer_maker"),
    ("transact_time", "price", "quantity"),
    "is_buyer_maker",
)
QUOTES = Layout(
    "quotes",
    (
        "update_id", "best_bid_price", "best_bid_qty", "best_ask_price", "best_ask_qty", "transaction_time",
        "event_time",
    ),
    ("transaction_time", "best_bid_price", "best_bid_qty", "best_ask_price", "best_ask_qty"),
)
LAYOUTS = (CANDLES, TRADES, AGGREGATED, QUOTES)


class Census(NamedTuple):
    """What a file holds: the kind of its rows, `candles` or another word for people, and how many."""

    kind: str
    rows: int


def file_market(paths: Sequence[Path], symbol: str) -> Iterator[Datum]:
    """The data of one symbol from its files, merged by time; at equal times the file listed first goes first.

    Raises:
        EnvironmentFault: while it is read: a file is missing, unreadable, empty, damaged or not market data, a row
            makes no sense, time runs backwards, or two candles cover the same instant.
    """
    names = ", ".join(path.name for path in paths)
    return without_overlap(merged([read_file(path, symbol) for path in paths]), names)


def read_file(path: Path, symbol: str) -> Iterator[Datum]:
    """The data of one file, in its own order, which is that of time."""
    rows = _rows(path)
    number, first = next(rows)
    layout, columns, headed = _layout(path, first)
    if not headed:
        rows = _with_first(number, first, rows)
    build = _BUILDERS[layout.rows]
    seen = False
    for datum in build(path, symbol, columns, rows):
        seen = True
        yield datum
    if not seen:
        raise EnvironmentFault(f"{path}: the file has a header and no rows", hint="Download the file again.")


def census(path: Path) -> Census:
    """The kind of a file and the number of its rows, without understanding them."""
    rows = _rows(path)
    _, first = next(rows)
    layout, _, headed = _layout(path, first)
    return Census(layout.rows, sum(1 for _ in rows) + (not headed))


Row = tuple[int, list[str]]


def _with_first(number: int, first: list[str], rest: Iterator[Row]) -> Iterator[Row]:
    yield number, first
    yield from rest


def _candles(path: Path, symbol: str, columns: Sequence[int], rows: Iterable[Row]) -> Iterator[Datum]:
    opens, closes, *prices = columns
    o, h, l, c, v = prices  # noqa: E741
    ended = 0
    for number, row in rows:
        try:
            opened = _time(row[opens])
            end = _time(row[closes])
            first, high, low, last, volume = (
                Decimal(row[o]), Decimal(row[h]), Decimal(row[l]), Decimal(row[c]), Decimal(row[v]),
            )
            sound = _NOTHING < low <= first <= high < _BEYOND and low <= last <= high and _NOTHING <= volume < _BEYOND
        except (IndexError, ValueError, InvalidOperation) as error:
            raise _garbled(path, number, row) from error
        if not sound or end < opened:
            raise _garbled(path, number, row)
        if opened < ended:
            raise _backwards(path, number, opened, ended)
        # A close time is the last instant inside; the candle is known from the next one on.
        ended = end + 1 if end % 1000 == 999 else end
        yield CandleOpen(symbol, opened, first)
        yield CandleEnd(symbol, ended, opened, first, high, low, last, volume)


def _trades(path: Path, symbol: str, columns: Sequence[int], rows: Iterable[Row]) -> Iterator[Datum]:
    at, price_at, qty_at, *maker_at = columns
    before = 0
    for number, row in rows:
        try:
            now, price, qty = _time(row[at]), Decimal(row[price_at]), Decimal(row[qty_at])
            buyer_maker = _TRUTHS.get(row[maker_at[0]].strip().lower()) if maker_at else None
            sound = _NOTHING < price < _BEYOND and _NOTHING <= qty < _BEYOND
        except (IndexError, ValueError, InvalidOperation) as error:
            raise _garbled(path, number, row) from error
        if not sound:
            raise _garbled(path, number, row)
        if now < before:
            raise _backwards(path, number, now, before)
        before = now
        yield Trade(symbol, now, price, qty, buyer_maker)


def _quotes(path: Path, symbol: str, columns: Sequence[int], rows: Iterable[Row]) -> Iterator[Datum]:
    at, bid_at, bid_qty_at, ask_at, ask_qty_at = columns
    before = 0
    for number, row in rows:
        try:
            now = _time(row[at])
            bid, bid_qty = Decimal(row[bid_at]), Decimal(row[bid_qty_at])
            ask, ask_qty = Decimal(row[ask_at]), Decimal(row[ask_qty_at])
            sound = _NOTHING < bid <= ask < _BEYOND and min(bid_qty, ask_qty) >= _NOTHING
            sound = sound and max(bid_qty, ask_qty) < _BEYOND
        except (IndexError, ValueError, InvalidOperation) as error:
            raise _garbled(path, number, row) from error
        if not sound:
            raise _garbled(path, number, row)
        if now < before:
            raise _backwards(path, number, now, before)
        before = now
        yield Quote(symbol, now, bid, bid_qty, ask, ask_qty)


_Builder = Callable[[Path, str, Sequence[int], Iterable[Row]], Iterator[Datum]]
_BUILDERS: dict[str, _Builder] = {
    CANDLES.rows: _candles,
    TRADES.rows: _trades,
    AGGREGATED.rows: _trades,
    QUOTES.rows: _quotes,
}


def _layout(path: Path, first: list[str]) -> tuple[Layout, tuple[int, ...], bool]:
    """The kind of a file by its first row, where each needed column is, and whether that row is a header."""
    headed = not _looks_numeric(first[0])
    if headed:
        names = [cell.strip().lower() for cell in first]
        for layout in LAYOUTS:
            if set(layout.needed) <= set(names):
                wanted = layout.needed + ((layout.wished,) if layout.wished in names else ())
                return layout, tuple(map(names.index, wanted)), True
        raise EnvironmentFault(
            f"{path}, row 1: the header {_shown(first)} is not that of {_OWN_KINDS}",
            hint="Use the public files of data.binance.vision, USDⓈ-M futures.",
        )
    guessed = _by_shape(first)
    if guessed is None:
        raise EnvironmentFault(
            f"{path}, row 1: {_shown(first)} does not look like {_OWN_KINDS}",
            hint="Use the public files of data.binance.vision, USDⓈ-M futures.",
        )
    wanted = guessed.needed + ((guessed.wished,) if guessed.wished else ())
    return guessed, tuple(map(guessed.columns.index, wanted)), False


def _by_shape(row: list[str]) -> Layout | None:
    """A file without a header is known by where its times and its true/false stand."""
    times = {index for index, cell in enumerate(row) if _is_time(cell)}
    words = {index for index, cell in enumerate(row) if cell.strip().lower() in ("true", "false")}
    if 4 in times and 5 in words:
        return TRADES
    if 5 in times and 6 in words:
        return AGGREGATED
    # An id of 13 digits in the first column looks like a time too, so quotes are asked for before candles.
    if 5 in times and len(row) in (6, 7):
        return QUOTES
    if {0, 6} <= times:
        return CANDLES
    return None


def _looks_numeric(cell: str) -> bool:
    try:
        Decimal(cell)
    except InvalidOperation:
        return False
    return True


def _is_time(cell: str) -> bool:
    try:
        _time(cell)
    except ValueError:
        return False
    return True


def _time(cell: str) -> int:
    """Milliseconds from 13 digits of ms or 16 of microseconds.

    Raises:
        ValueError: anything else.
    """
    if len(cell) == 13:
        return int(cell)
    if len(cell) == 16:
        return int(cell) // 1000
    raise ValueError(cell)


def _rows(path: Path) -> Iterator[Row]:
    """The numbered rows of a file, empty lines left out; at least one.

    Raises:
        EnvironmentFault: as `file_market` says.
    """
    number, seen = 0, False
    try:
        if not path.exists():
            raise EnvironmentFault(f"{path}: there is no such file", hint="Paths in a plan are relative to the plan.")
        if not stat.S_ISREG(path.stat().st_mode):
            what = "a directory" if path.is_dir() else "not a regular file"
            raise EnvironmentFault(f"{path}: is {what}", hint="Name a .csv, .csv.gz or .zip file.")
        with _opened(path) as binary, TextIOWrapper(binary, "utf-8-sig", newline="") as text:
            for row in csv.reader(_lines(path, text), strict=True):
                number += 1
                if row:
                    seen = True
                    yield number, row
    except _unreadable() as error:
        raise EnvironmentFault(
            f"{path}: cannot be read after row {number}: {_reason(error)}",
            hint="Check that the file is complete and that you may read it.",
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise EnvironmentFault(
            f"{path}: is not text in CSV form after row {number}: {_reason(error)}",
            hint="Name a .csv, .csv.gz or .zip file of market data.",
        ) from error
    if not seen:
        raise EnvironmentFault(f"{path}: the file is empty", hint="Download the file again.")


def _opened(path: Path) -> IO[bytes]:
    # Each unpacker costs milliseconds to import, so only the one that is needed is.
    if path.suffix == ".gz":
        import gzip

        return gzip.open(path, "rb")  # type: ignore[return-value]  # GzipFile reads bytes, but is no IO by name
    if path.suffix != ".zip":
        return path.open("rb")
    import zipfile

    archive = zipfile.ZipFile(path)
    members = [name for name in archive.namelist() if name.endswith(".csv")]
    if len(members) != 1:
        archive.close()
        raise EnvironmentFault(
            f"{path}: holds {len(members)} .csv files where one is expected", hint="Unpack it and name the file.",
        )
    return archive.open(members[0])


def _unreadable() -> tuple[type[Exception], ...]:
    """What a damaged, encrypted or forbidden file raises; asked for only once something was raised."""
    from zipfile import BadZipFile

    return OSError, EOFError, zlib.error, BadZipFile, NotImplementedError, RuntimeError


def _lines(path: Path, text: TextIOWrapper) -> Iterator[str]:
    while line := text.readline(MAX_LINE):
        if len(line) == MAX_LINE and not line.endswith("\n"):
            raise EnvironmentFault(
                f"{path}: has a line of more than {MAX_LINE} characters", hint="Name a file of market data.",
            )
        yield line


def _reason(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return text or type(error).__name__


def _garbled(path: Path, number: int, row: list[str]) -> EnvironmentFault:
    return EnvironmentFault(
        f"{path}, row {number}: {_shown(row)} makes no sense", hint="Download the file again, or take the row out.",
    )


def _backwards(path: Path, number: int, now_ms: int, before_ms: int) -> EnvironmentFault:
    return EnvironmentFault(
        f"{path}, row {number}: time runs backwards, from {before_ms} to {now_ms} ms",
        hint="Sort the file by time.",
    )


def _shown(row: list[str]) -> str:
    text = ",".join(row)
    return repr(text if len(text) <= 80 else text[:77] + "...")
