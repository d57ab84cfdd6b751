"""Which market each symbol of the served exchange plays: files, paths, or invented ones, and its words for people."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from runner.domain.catalog import BTCUSDT_REFERENCE
from runner.domain.instrument import Instrument
from runner.domain.seeded import seed_of
from runner.domain.values import trimmed
from runner.errors import EnvironmentFault, UsageError
from runner.venue.market import Datum

DEFAULT_PRICES: Mapping[str, Decimal] = {
    "BTCUSDT": BTCUSDT_REFERENCE, "ETHUSDT": Decimal(2680), "XRPUSDT": Decimal("0.6"),
}
"""What is invented where nothing is asked for: symbols of unlike ticks and steps, at prices of August 2024."""
_VOLATILITY = Decimal("0.6")
_HOURS = 24 * 366


class PlayedMarket(NamedTuple):
    """One symbol's market: in words, and its data."""

    symbol: str
    words: str
    data: Iterable[Datum]


class Sources(NamedTuple):
    """What was asked for: files and paths by symbol ("" for the default one), prices of invented markets, a seed.

    A path is its `(offset ms, price)` points.
    """

    files: tuple[tuple[str, str], ...] = ()
    paths: tuple[tuple[str, tuple[tuple[int, Decimal], ...]], ...] = ()
    prices: Mapping[str, Decimal] = {}
    seed: int = 1


def played_markets(sources: Sources, instruments: Mapping[str, Instrument]) -> tuple[PlayedMarket, ...]:
    """The markets in the order asked for; without any asked for the default ones, invented.

    Raises:
        UsageError: a symbol has two kinds of market, or two paths.
        EnvironmentFault: a file cannot be read, or a symbol's rules are not known.
    """
    files: dict[str, list[str]] = {}
    for symbol, file in sources.files:
        files.setdefault(symbol or _of_file(file, instruments), []).append(file)
    paths: dict[str, tuple[tuple[int, Decimal], ...]] = {}
    for symbol, points in sources.paths:
        if (symbol or "BTCUSDT") in paths:
            raise UsageError(f"--path: {symbol or 'BTCUSDT'} has two paths", hint="name the symbol: --path SYMBOL=PATH")
        paths[symbol or "BTCUSDT"] = points
    prices = dict(sources.prices)
    if not (files or paths or prices):
        prices = {symbol: price for symbol, price in DEFAULT_PRICES.items() if symbol in instruments}
        if not prices:
            raise EnvironmentFault(
                f"the instruments hold none of {', '.join(DEFAULT_PRICES)}", hint="name one: --price SYMBOL=PRICE",
            )
    found = [_recorded(_rules(symbol, instruments), names) for symbol, names in files.items()]
    found += [_drawn(_rules(symbol, instruments), points) for symbol, points in paths.items()]
    found += [_invented(_rules(symbol, instruments), price, sources.seed) for symbol, price in prices.items()]
    twice = {market.symbol for market in found if [each.symbol for each in found].count(market.symbol) > 1}
    if twice:
        raise UsageError(f"{', '.join(sorted(twice))}: two kinds of market", hint="keep one of --data, --path, --price")
    return tuple(found)


def _rules(symbol: str, instruments: Mapping[str, Instrument]) -> Instrument:
    if symbol not in instruments:
        raise EnvironmentFault(
            f"{symbol}: its trading rules are not known",
            hint="save the body of GET /fapi/v1/exchangeInfo and name it with --instruments FILE",
        )
    return instruments[symbol]


def _of_file(file: str, instruments: Mapping[str, Instrument]) -> str:
    """The symbol that a file's name begins with, as Binance's public files are named."""
    name = Path(file).name
    fitting = [symbol for symbol in instruments if name.startswith(symbol)]
    if not fitting:
        raise UsageError(f"--data {file}: its name does not say the symbol", hint=f"write --data SYMBOL={file}")
    return max(fitting, key=len)


def _recorded(instrument: Instrument, names: list[str]) -> PlayedMarket:
    from runner.venue.feeds.files import census, file_market

    paths = [Path(name) for name in names]
    counts = [census(path) for path in paths]
    words = " + ".join(f"{path.name}, {count.rows:,} {count.kind}" for path, count in zip(paths, counts))
    return PlayedMarket(instrument.symbol, words, file_market(paths, instrument.symbol))


def _drawn(instrument: Instrument, points: tuple[tuple[int, Decimal], ...]) -> PlayedMarket:
    from runner.venue.feeds.drawn import path_market

    words = f"INVENTED, a path of {len(points)} price{'' if len(points) == 1 else 's'}"
    return PlayedMarket(instrument.symbol, words, path_market(instrument, points, 0))


def _invented(instrument: Instrument, price: Decimal, seed: int) -> PlayedMarket:
    from runner.venue.feeds.drawn import random_market

    words = f"INVENTED, random walk from {trimmed(price)}, seed {seed}"
    noise = seed_of(seed, instrument.symbol)
    return PlayedMarket(
        instrument.symbol, words, random_market(instrument, price, _VOLATILITY, _HOURS, noise, 0),
    )
