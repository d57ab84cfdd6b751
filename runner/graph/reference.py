"""The price that an invented market starts from, and why that one."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from runner.domain.catalog import BTCUSDT_REFERENCE, BTCUSDT_REFERENCE_DATE
from runner.domain.values import EXACT, OrderType, Side, trimmed
from runner.plan.model import (
    BracketBody,
    EntryBody,
    ExitBody,
    OcoBody,
    OrderFields,
    Plan,
    RandomMarket,
    Step,
    TwapBody,
)

_ASIDE = Decimal("0.01")
_HALF = Decimal("0.5")


@dataclass(frozen=True, slots=True)
class ReferencePrice:
    """A price in quote per base unit, and where it comes from, in words."""

    price: Decimal
    why: str


@dataclass(frozen=True, slots=True)
class _Levels:
    """The explicit prices that one step names: what bounds the market below and above, and what it may start at."""

    lower: Decimal | None = None
    upper: Decimal | None = None
    limit: Decimal | None = None


def reference_price(plan: Plan, symbol: str, given: Decimal | None) -> ReferencePrice | None:
    """The first of: the price given, `random.start`, one between the plan's own levels, the one that is shipped.

    Between the levels means midway between the nearest triggers below and above, of the first step that has both or
    else of all steps; else at a limit; else 1 % to the side of a lone trigger where it is not passed.  None where
    nothing is known.
    """
    if given is not None:
        return ReferencePrice(given, f"--price {symbol}={trimmed(given)}")
    market = plan.dryrun.market.get(symbol) or plan.dryrun.market.get("")
    if isinstance(market, RandomMarket) and market.start is not None:
        return ReferencePrice(market.start, f"the plan's random.start {trimmed(market.start)}")
    return _between(plan, symbol) or _shipped(symbol)


def _between(plan: Plan, symbol: str) -> ReferencePrice | None:
    steps = [(step, levels) for step in plan.steps if step.symbol == symbol for levels in _levels(step)]
    for step, levels in steps:
        if levels.lower is not None and levels.upper is not None:
            return _middle(levels.lower, levels.upper, f"the nearest triggers of {step.step_id!r}")
    lowers = [levels.lower for _, levels in steps if levels.lower is not None]
    uppers = [levels.upper for _, levels in steps if levels.upper is not None]
    if lowers and uppers and max(lowers) < min(uppers):
        return _middle(max(lowers), min(uppers), "the nearest triggers of the plan")
    for step, levels in steps:
        if levels.limit is not None:
            return ReferencePrice(levels.limit, f"the limit price of {step.step_id!r}")
    for step, levels in steps:
        if levels.lower is not None:
            return ReferencePrice(
                EXACT.add(levels.lower, EXACT.multiply(levels.lower, _ASIDE)),
                f"1% above {trimmed(levels.lower)}, a trigger of {step.step_id!r}",
            )
        if levels.upper is not None:
            return ReferencePrice(
                EXACT.subtract(levels.upper, EXACT.multiply(levels.upper, _ASIDE)),
                f"1% below {trimmed(levels.upper)}, a trigger of {step.step_id!r}",
            )
    return None


def _middle(lower: Decimal, upper: Decimal, what: str) -> ReferencePrice:
    middle = EXACT.multiply(EXACT.add(lower, upper), _HALF)
    return ReferencePrice(middle, f"midway between {trimmed(lower)} and {trimmed(upper)}, {what}")


def _levels(step: Step) -> Iterator[_Levels]:
    """The prices of a step; its stop and nearest target are below and above an untriggered market."""
    match step.body:
        case BracketBody(side=side) as body:
            pair = _pair(side.opposite, body.stop_loss.stop_price, [leg.price for leg in body.take_profits])
            entry = _single(side, body.entry)
            yield _Levels(_inner(max, pair.lower, entry.lower), _inner(min, pair.upper, entry.upper), entry.limit)
        case OcoBody(side=side) as body:
            yield _pair(side, body.stop_loss.stop_price, [leg.price for leg in body.take_profits])
        case EntryBody(side=side, order=order) | ExitBody(side=side, order=order) | TwapBody(side=side, order=order):
            yield _single(side, order)
        case _:
            return


def _inner(nearer: Callable[..., Decimal], *levels: Decimal | None) -> Decimal | None:
    known = [level for level in levels if level is not None]
    return nearer(known) if known else None


def _pair(side: Side, stop: object, targets: Sequence[object]) -> _Levels:
    """`side` is that of the exits."""
    known = [target for target in targets if isinstance(target, Decimal)]
    stop_at = stop if isinstance(stop, Decimal) else None
    if side is Side.SELL:
        return _Levels(lower=stop_at, upper=min(known, default=None))
    return _Levels(lower=max(known, default=None), upper=stop_at)


def _single(side: Side, order: OrderFields) -> _Levels:
    """A sell stop and a buy take-profit are triggered from above, a buy stop and a sell take-profit from below."""
    if order.type is OrderType.LIMIT:
        return _Levels(limit=order.price if isinstance(order.price, Decimal) else None)
    if order.stop_price is None:
        return _Levels()
    if order.type.take_profit_like == (side is Side.BUY):
        return _Levels(lower=order.stop_price)
    return _Levels(upper=order.stop_price)


def _shipped(symbol: str) -> ReferencePrice | None:
    if symbol != "BTCUSDT":
        return None
    return ReferencePrice(BTCUSDT_REFERENCE, f"the last trade of BTCUSDT on {BTCUSDT_REFERENCE_DATE}")
