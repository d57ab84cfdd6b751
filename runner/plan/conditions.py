"""`when`: what must hold before a step starts, from the tree to the closed union of conditions."""

from runner.domain.conditions import (
    AllOf,
    AnyOf,
    AtCondition,
    Condition,
    DelayCondition,
    HeldFor,
    Not,
    PositionCondition,
    PriceCondition,
    PriceSource,
    Relation,
)
from runner.plan import scalars
from runner.plan.diagnostics import Path, pointer
from runner.plan.faults import Faults
from runner.plan.reader import Tree
from runner.plan.suggestions import listed

_KINDS = ("price", "at", "delay", "position", "all", "any", "not")
_PRICE_RELATIONS = ("above", "below", "crosses_up", "crosses_down")
_POSITION_RELATIONS = ("above", "below")
_NEVER = AtCondition(0)


def read_condition(value: Tree, path: Path, symbol: str, faults: Faults) -> Condition:
    """A condition; `symbol` is the step's, or empty where it has none."""
    if not isinstance(value, dict):
        return _NEVER
    kind = _only(value, _KINDS, path, faults, "a condition")
    if kind is None:
        return _NEVER
    found = _condition(kind, value[kind], (*path, kind), symbol, faults)
    if "for" in value:
        if kind in ("at", "delay"):
            faults.add(
                "condition", f"{pointer(path)}: `for` says nothing beside {kind}, which once true stays true",
                (*path, "for"), "leave `for` out", at_key=True)
        return HeldFor(found, scalars.duration(value["for"], (*path, "for"), faults))
    return found


def _condition(kind: str, value: Tree, path: Path, symbol: str, faults: Faults) -> Condition:
    match kind:
        case "price":
            return _price(value, path, symbol, faults)
        case "position":
            return _position(value, path, symbol, faults)
        case "at":
            return AtCondition(scalars.time(value, path, faults))
        case "delay":
            return DelayCondition(scalars.duration(value, path, faults, zero_too=True))
        case "not":
            return Not(read_condition(value, path, symbol, faults))
    entries = value if isinstance(value, list) else []
    parts = tuple(read_condition(entry, (*path, index), symbol, faults) for index, entry in enumerate(entries))
    return AllOf(parts) if kind == "all" else AnyOf(parts)


def _price(value: Tree, path: Path, symbol: str, faults: Faults) -> Condition:
    if not isinstance(value, dict):
        return _NEVER
    relation = _only(value, _PRICE_RELATIONS, path, faults, "a price condition")
    if relation is None:
        return _NEVER
    own = value.get("symbol", symbol)
    source = value.get("source", "LAST")
    level = scalars.positive(value[relation], (*path, relation), faults)
    if not own:
        _symbol_missing(path, faults)
    return PriceCondition(
        str(own), Relation(relation), level, PriceSource.MARK if source == "MARK" else PriceSource.LAST)


def _position(value: Tree, path: Path, symbol: str, faults: Faults) -> Condition:
    if not isinstance(value, dict):
        return _NEVER
    relation = _only(value, _POSITION_RELATIONS, path, faults, "a position condition")
    if relation is None:
        return _NEVER
    if not symbol:
        _symbol_missing(path, faults)
    return PositionCondition(symbol, Relation(relation), scalars.signed(value[relation], (*path, relation), faults))


def _symbol_missing(path: Path, faults: Faults) -> None:
    faults.add_beside(
        "missing-symbol", f"{pointer(path)}: no symbol is known here", path,
        "add `symbol` to the step or to `defaults`")


def _only(value: dict[str, Tree], keys: tuple[str, ...], path: Path, faults: Faults, what: str) -> str | None:
    given = [key for key in value if key in keys]
    if len(given) == 1:
        return given[0]
    if given:
        faults.add_beside(
            "condition", f"{pointer(path)}: {what} has one of {listed(keys)}, not {listed(given, 'and')}",
            (*path, given[1]), "join several by `all: [{…}, {…}]`", at_key=True)
    elif not faults.explains_absence(path, *keys, strangers=True):
        faults.add_beside("condition", f"{pointer(path)}: {what} has exactly one of {listed(keys)}", path)
    return None
