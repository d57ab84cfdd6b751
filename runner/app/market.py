"""Which market each symbol of a dry run has, in words, in bytes and as data.

A source given on the command line goes before the plan's.  A plan without any source runs on invented markets, and
says so; one symbol without a source beside others that have one is an error.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from runner.domain.instrument import Instrument
from runner.domain.seeded import seed_of
from runner.domain.values import trimmed
from runner.errors import EnvironmentFault, UsageError
from runner.graph.reference import ReferencePrice, reference_price
from runner.plan.model import DataMarket, Market, PathMarket, Plan, RandomMarket
from runner.venue.market import Datum

INVENTED = RandomMarket(None, Decimal("0.6"), 24, None)
"""What a symbol without any source has: 60 % a year, for 24 hours."""


class ChosenMarket(NamedTuple):
    """One symbol's market.

    `words` is for the header, `identity` the same for the same data, `data` makes it anew; `precise` says whether its
    times need milliseconds.
    """

    symbol: str
    words: str
    identity: str
    data: Callable[[], Iterable[Datum]]
    precise: bool


class Wishes(NamedTuple):
    """What the command line asks for: files by symbol ("" for the only one), reference prices, the seed.

    The seed goes before those of the plan; without any it is 1.
    """

    files: tuple[tuple[str, str], ...]
    prices: Mapping[str, Decimal]
    seed: int | None


def choose_markets(
    plan: Plan, instruments: Iterable[Instrument], wishes: Wishes, base: Path,
) -> tuple[ChosenMarket, ...]:
    """The market of each instrument, in their order.

    `base` is the folder of the plan, which its own paths are relative to; those of the command line are relative to
    where the user stands.

    Raises:
        UsageError: the command line names a symbol that the plan does not trade, or leaves open which one is meant.
        EnvironmentFault: a file cannot be read, a symbol has no source, or no reference price is known.
    """
    settings = plan.dryrun
    rules = {instrument.symbol: instrument for instrument in instruments}
    files = _files(wishes.files, rules)
    _refuse_strangers(wishes.prices, rules)
    sources: dict[str, Market | None] = {
        symbol: DataMarket(files[symbol]) if symbol in files else settings.market.get(symbol, settings.market.get(""))
        for symbol in rules
    }
    bare = [symbol for symbol, source in sources.items() if source is None]
    if bare and len(bare) < len(sources):
        raise EnvironmentFault(
            f"{', '.join(bare)}: no market data, while other symbols have some",
            hint=f"add --data {bare[0]}=FILE, or a source under dryrun.market",
        )
    shared = settings.market.get("")
    if len([one for one in sources.values() if one is shared]) > 1 and isinstance(shared, DataMarket | PathMarket):
        raise EnvironmentFault(
            f"one market stands for {', '.join(sources)}", hint="give each symbol its own source under dryrun.market",
        )
    for symbol in wishes.prices:
        if isinstance(sources[symbol], DataMarket | PathMarket):
            raise UsageError(
                f"--price {symbol}: its market is not invented", hint="leave --price out, or the market's source",
            )
    if not rules:
        raise EnvironmentFault(
            "the plan names no symbol, so there is no market to run it on", hint="name one under defaults.symbol",
        )
    chosen = []
    for symbol, source in sources.items():
        instrument = rules[symbol]
        match source:
            case DataMarket(files=names):
                folder = Path() if symbol in files else base
                chosen.append(_recorded(symbol, tuple(folder / name for name in names), names))
            case PathMarket():
                chosen.append(_drawn(instrument, source, settings.start_ms))
            case RandomMarket() | None:
                start = reference_price(plan, symbol, wishes.prices.get(symbol))
                chosen.append(_invented(instrument, source or INVENTED, settings.start_ms, wishes.seed, start))
    return tuple(chosen)


def header_words(markets: tuple[ChosenMarket, ...]) -> str:
    """Where the prices come from; with several symbols each is named."""
    if len(markets) == 1:
        return markets[0].words
    return "; ".join(f"{market.symbol}: {market.words}" for market in markets)


def _files(pairs: Iterable[tuple[str, str]], rules: Mapping[str, Instrument]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for symbol, file in pairs:
        if not symbol and len(rules) != 1:
            raise UsageError(
                f"--data {file}: the plan trades {', '.join(rules) or 'no symbol'}",
                hint="name the symbol: --data SYMBOL=FILE",
            )
        name = symbol or next(iter(rules))
        _refuse_strangers([name], rules)
        found[name] = (*found.get(name, ()), file)
    return found


def _refuse_strangers(symbols: Iterable[str], rules: Mapping[str, Instrument]) -> None:
    for symbol in symbols:
        if symbol not in rules:
            raise UsageError(f"{symbol} is not in the plan", hint=f"the plan trades {', '.join(rules) or 'no symbol'}")


def _recorded(symbol: str, paths: tuple[Path, ...], names: tuple[str, ...]) -> ChosenMarket:
    from runner.venue.feeds.files import CANDLES, census, file_market

    counts = [census(path) for path in paths]
    words = " + ".join(f"{name}, {count.rows:,} {count.kind}" for name, count in zip(names, counts))
    identity = "file " + " ".join(_digest(path) for path in paths)
    precise = any(count.kind != CANDLES.rows for count in counts)
    return ChosenMarket(symbol, words, identity, lambda: file_market(paths, symbol), precise)


def _drawn(instrument: Instrument, source: PathMarket, start_ms: int) -> ChosenMarket:
    from runner.venue.feeds.drawn import path_market

    points = tuple((point.at_ms, point.price) for point in source.points)
    identity = f"path {start_ms} " + " ".join(f"{at_ms}:{trimmed(price)}" for at_ms, price in points)
    return ChosenMarket(
        instrument.symbol, f"INVENTED, a path of {len(points)} prices in the plan", identity,
        lambda: path_market(instrument, points, start_ms), any(at_ms % 1000 for at_ms, _ in points),
    )


def _invented(
    instrument: Instrument, source: RandomMarket, start_ms: int, wished_seed: int | None, start: ReferencePrice | None,
) -> ChosenMarket:
    from runner.venue.feeds.drawn import random_market

    symbol = instrument.symbol
    if start is None:
        raise EnvironmentFault(
            f"{symbol}: no price is known to invent a market around", hint=f"give --price {symbol}=PRICE",
        )
    seed = next(seed for seed in (wished_seed, source.seed, 1) if seed is not None)
    noise = seed_of(seed, symbol)
    words = f"INVENTED, random walk from {trimmed(start.price)} ({start.why}), seed {seed}"
    identity = f"random {start_ms} {trimmed(start.price)} {trimmed(source.volatility)} {source.hours} {seed}"
    return ChosenMarket(
        symbol, words, identity,
        lambda: random_market(instrument, start.price, source.volatility, source.hours, noise, start_ms),
        False,
    )


def _digest(path: Path) -> str:
    whole = sha256()
    try:
        with path.open("rb") as file:
            while part := file.read(1 << 20):
                whole.update(part)
    except OSError as error:
        raise EnvironmentFault(f"{path}: it cannot be read: {error.strerror or error}") from error
    return whole.hexdigest()
