"""Sizes of steps: exactly one of `quantity`, `notional`, `equity`, and in a bracket `risk`."""

from collections.abc import Mapping
from decimal import Decimal

from runner.domain.sizes import EquityShare, FilledOf, Notional, PositionShare, Quantity, RiskShare, Size
from runner.domain.values import ONE, ZERO
from runner.plan import scalars
from runner.plan.diagnostics import Path, pointer
from runner.plan.faults import Faults
from runner.plan.reader import Tree
from runner.plan.suggestions import listed

KEYS = ("quantity", "notional", "equity")
BRACKET_KEYS = (*KEYS, "risk")
MOST_EQUITY = Decimal(125)
"""A share of equity beyond the largest leverage, 125 times, can never be held."""

_NOTHING = Quantity(ONE)


def read_size(body: Mapping[str, Tree], path: Path, faults: Faults, *, bracket: bool = False) -> Size:
    """The size of the step whose kind's mapping is `body`."""
    allowed = BRACKET_KEYS if bracket else KEYS
    given = [key for key in allowed if key in body]
    if len(given) != 1:
        if given:
            faults.add_beside(
                "size", f"{pointer(path)}: {listed(given, 'and')} are several sizes of one step", (*path, _last(body,
                given)),
                f"keep exactly one of {listed(allowed)}", at_key=True)
        elif not faults.explains_absence(path, *allowed, strangers=True):
            faults.add_beside(
                "size", f"{pointer(path)}: the size is missing", path, f"add exactly one of {listed(allowed)}")
        return _NOTHING
    key = given[0]
    value, here = body[key], (*path, key)
    match key:
        case "notional":
            return Notional(scalars.positive(value, here, faults))
        case "equity":
            return EquityShare(scalars.percentage(value, here, faults, ZERO, MOST_EQUITY))
        case "risk":
            return RiskShare(scalars.percentage(value, here, faults))
    return _quantity(value, here, faults)


def _quantity(value: Tree, path: Path, faults: Faults) -> Size:
    if not isinstance(value, dict):
        return Quantity(scalars.positive(value, path, faults))
    given = [key for key in ("filled", "position") if key in value]
    if len(given) != 1:
        if not faults.explains_absence(path, "filled", "position", strangers=True):
            faults.add_beside(
                "size", f"{pointer(path)}: a quantity of something is exactly one of filled and position", path)
        return _NOTHING
    if "position" in value:
        return PositionShare(scalars.percentage(value["position"], (*path, "position"), faults))
    return FilledOf(str(value["filled"]))


def _last(body: Mapping[str, Tree], keys: list[str]) -> str:
    return [key for key in body if key in keys][-1]
