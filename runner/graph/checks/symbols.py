"""Symbols: each must be an instrument that is known and trades."""

from collections.abc import Iterator, Mapping

from runner.domain.conditions import AllOf, AnyOf, Condition, HeldFor, Not, PositionCondition, PriceCondition
from runner.domain.instrument import Instrument
from runner.graph.checks.places import Hints, fault, symbol_path
from runner.plan.diagnostics import Fault, Path
from runner.plan.model import CancelBody, Plan, Step, WaitBody


def check(plan: Plan, instruments: Mapping[str, Instrument]) -> Iterator[Fault]:
    good = {symbol for symbol, instrument in instruments.items() if instrument.tradable}
    hints = Hints(good)
    for step in plan.steps:
        if step.symbol not in good and not isinstance(step.body, WaitBody | CancelBody):
            yield _fault(step.symbol, symbol_path(plan.source, step), instruments, hints)
        if step.when is not None:
            for symbol, path in condition_symbols(step.when, (*step.path, "when")):
                if symbol not in good:
                    own = symbol == step.symbol and path not in plan.source.values
                    yield _fault(symbol, symbol_path(plan.source, step) if own else path, instruments, hints)


def step_symbols(step: Step) -> Iterator[str]:
    """The symbols that a step trades or looks at."""
    yield step.symbol
    if step.when is not None:
        for symbol, _ in condition_symbols(step.when, ()):
            yield symbol


def condition_symbols(condition: Condition, path: Path) -> Iterator[tuple[str, Path]]:
    """The symbols whose prices or positions a condition at `path` looks at, and where it names them."""
    match condition:
        case PriceCondition(symbol=symbol):
            yield symbol, (*path, "price", "symbol")
        case PositionCondition(symbol=symbol):
            yield symbol, (*path, "position")
        case AllOf(parts) | AnyOf(parts):
            key = "all" if isinstance(condition, AllOf) else "any"
            for index, part in enumerate(parts):
                yield from condition_symbols(part, (*path, key, index))
        case Not(part):
            yield from condition_symbols(part, (*path, "not"))
        case HeldFor(part):
            yield from condition_symbols(part, path)
        case _:
            return


def _fault(symbol: str, path: Path, instruments: Mapping[str, Instrument], hints: Hints) -> Fault:
    instrument = instruments.get(symbol)
    if instrument is not None:
        return fault("not-trading", path, f"{symbol} has the status {instrument.status}, and only TRADING takes orders")
    return fault(
        "unknown-symbol", path, f"{symbol!r} is no known instrument",
        hints.near(symbol) or "give the exchange's own list by --instruments FILE (a GET /fapi/v1/exchangeInfo body)",
    )
