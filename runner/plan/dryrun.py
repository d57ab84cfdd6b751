"""`dryrun`: the simulated exchange and its markets, from the tree."""

from collections.abc import Mapping
from decimal import Decimal

from runner.domain.positions import Position
from runner.domain.values import ZERO
from runner.plan import scalars
from runner.plan.diagnostics import Path, pointer
from runner.plan.faults import Faults
from runner.plan.model import (
    AccountSettings,
    DataMarket,
    DryRunSettings,
    Market,
    PathMarket,
    PathPoint,
    RandomMarket,
)
from runner.plan.reader import Tree
from runner.plan.suggestions import listed

_SOURCES = ("data", "path", "random")
_VOLATILITY = "60%"
_MOST_VOLATILITY = Decimal(100)
MOST_LEVERAGE = 125
MOST_HOURS = 24 * 366
_MOST_SEED = 2**63 - 1
_STANDARD = DryRunSettings()


def read_dryrun(value: Tree, account: AccountSettings, faults: Faults) -> DryRunSettings:
    """The settings, with their defaults filled in: those of `account` where it says something."""
    standard = _STANDARD.but(
        leverage=account.leverage or _STANDARD.leverage, margin_type=account.margin_type or _STANDARD.margin_type)
    if not isinstance(value, dict):
        return standard
    path: Path = ("dryrun",)
    leverage = standard.leverage
    if "leverage" in value:
        leverage = scalars.whole(value["leverage"], (*path, "leverage"), faults, 1, MOST_LEVERAGE)
        if account.leverage is not None and leverage != account.leverage:
            faults.add(
                "contradiction",
                f"{pointer((*path, 'leverage'))}: {leverage} is not the {account.leverage} that `account` asks for",
                (*path, "leverage"), "leave it out: a dry run takes that of `account`")
    fees_value = value.get("fees")
    fees = fees_value if isinstance(fees_value, dict) else {}

    def fee(key: str, default: str) -> Decimal:
        return scalars.percentage(fees.get(key, default), (*path, "fees", key), faults, zero_too=True)

    return DryRunSettings(
        balance=scalars.positive(
            value["balance"], (*path, "balance"), faults) if "balance" in value else _STANDARD.balance,
        leverage=leverage,
        maker_fee=fee("maker", "0.02%"),
        taker_fee=fee("taker", "0.05%"),
        latency_ms=scalars.duration(value.get("latency", "50ms"), (*path, "latency"), faults, zero_too=True),
        start_ms=scalars.time(value["start"], (*path, "start"), faults) if "start" in value else _STANDARD.start_ms,
        fill_on_touch=value.get("fill") == "touch",
        positions=_positions(value.get("positions"), (*path, "positions"), faults),
        market=_markets(value.get("market"), (*path, "market"), faults),
        margin_type=standard.margin_type,
    )


def _positions(value: Tree, path: Path, faults: Faults) -> tuple[Position, ...]:
    found = []
    for symbol, entry in (value if isinstance(value, dict) else {}).items():
        here = (*path, symbol)
        if not isinstance(entry, dict) or "quantity" not in entry or "entry_price" not in entry:
            continue  # the schema tells it
        qty = scalars.signed(entry["quantity"], (*here, "quantity"), faults)
        if qty == ZERO:
            faults.add(
                "range", f"{pointer((*here, 'quantity'))}: a position of 0 is none", (*here, "quantity"),
                "leave it out")
        price = scalars.positive(entry["entry_price"], (*here, "entry_price"), faults)
        found.append(Position(symbol, qty, price))
    return tuple(found)


def _markets(value: Tree, path: Path, faults: Faults) -> Mapping[str, Market]:
    if not isinstance(value, dict):
        return {}
    single = [key for key in value if key in _SOURCES]
    if single:
        symbols = [key for key in value if key not in _SOURCES]
        if symbols and not faults.is_wrong((*path, symbols[0])):
            faults.add(
                "market", f"{pointer(path)}: one source for all ({listed(single, 'and')}) stands beside symbols",
                (*path, symbols[0]), "give every symbol a source of its own", at_key=True)
            return {}
        market = _market(value, path, faults)
        return {"": market} if market is not None else {}
    found = {}
    for symbol, entry in value.items():
        market = _market(entry, (*path, symbol), faults) if isinstance(entry, dict) else None
        if market is not None:
            found[symbol] = market
    return found


def _market(value: Mapping[str, Tree], path: Path, faults: Faults) -> Market | None:
    given = [key for key in value if key in _SOURCES]
    if len(given) != 1:
        if given:
            faults.add_beside(
                "market", f"{pointer(path)}: {listed(given, 'and')} are both sources", (*path, given[1]), "keep one",
                at_key=True)
        elif not faults.explains_absence(path, *_SOURCES, strangers=True):
            faults.add_beside("market", f"{pointer(path)}: a source has exactly one of {listed(_SOURCES)}", path)
        return None
    source, here = value[given[0]], (*path, given[0])
    match given[0]:
        case "data":
            return DataMarket(tuple(str(file) for file in source) if isinstance(source, list) else (str(source),))
        case "path":
            return _path(source, here, faults)
    return _random(source, here, faults)


def _path(value: Tree, path: Path, faults: Faults) -> Market | None:
    points: list[PathPoint] = []
    for index, entry in enumerate(value if isinstance(value, list) else []):
        here = (*path, index)
        if not isinstance(entry, dict) or "at" not in entry or "price" not in entry:
            continue  # the schema tells it
        at_ms = scalars.duration(entry["at"], (*here, "at"), faults, zero_too=True)
        price = scalars.positive(entry["price"], (*here, "price"), faults)
        if points and at_ms <= points[-1].at_ms:
            faults.add(
                "market", f"{pointer((*here, 'at'))}: {entry['at']} is not after the point before it", (*here, "at"))
        points.append(PathPoint(at_ms, price))
    return PathMarket(tuple(points))


def _random(value: Tree, path: Path, faults: Faults) -> Market | None:
    if not isinstance(value, dict):
        return None
    return RandomMarket(
        scalars.positive(value["start"], (*path, "start"), faults) if "start" in value else None,
        scalars.percentage(
            value.get("volatility", _VOLATILITY), (*path, "volatility"), faults, ZERO, _MOST_VOLATILITY, zero_too=True),
        scalars.whole(value.get("hours", 24), (*path, "hours"), faults, 1, MOST_HOURS),
        scalars.whole(value["seed"], (*path, "seed"), faults, 0, _MOST_SEED) if "seed" in value else None,
    )
