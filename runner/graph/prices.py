"""Prices of a plan as the graph holds them: explicit ones as they are, computed ones on the tick.

A computed price rounds towards the safe side of who trades: whatever sells rounds up, whatever buys rounds down.  So
a stop never loses more than was asked, a take-profit never takes less, and an entry never pays more.
"""

from dataclasses import dataclass
from decimal import Decimal

from runner.domain.instrument import Instrument
from runner.domain.sizes import Distance, DistanceKind
from runner.domain.values import EXACT, OrderType, Rounding, Side
from runner.errors import InternalError
from runner.graph.model import FillOffset, FixedPrice, MarkOffset, Price, RiskOffset
from runner.plan.model import Level, OrderFields

PERCENT = Decimal(100)


@dataclass(frozen=True, slots=True)
class Anchor:
    """What the distances of exits count from: the entry's planned price, or else the first fill of `node_id`."""

    node_id: str
    price: Decimal | None


def rounding_of(side: Side) -> Rounding:
    """How the computed prices of orders on this side round."""
    return Rounding.UP if side is Side.SELL else Rounding.DOWN


def planned_price(order: OrderFields) -> Decimal | None:
    """The price at which an order plans to trade, in quote per base unit: its limit, or its trigger.

    None for MARKET and trailing orders, and where the price is a distance from the mark.
    """
    match order.type:
        case OrderType.LIMIT:
            level = order.price
        case OrderType.MARKET | OrderType.TRAILING_STOP_MARKET:
            return None
        case _:
            level = order.stop_price
    return level if isinstance(level, Decimal) else None


def judged_price(order: OrderFields) -> Decimal | None:
    """The price that an order's notional is judged at: its limit, else its trigger; None where neither is known."""
    return order.limit_price if order.limit_price is not None else planned_price(order)


def exit_price(
    level: Level, side: Side, *, profit: bool, anchor: Anchor | None, stop: Price | None, instrument: Instrument,
) -> Price:
    """The price of an exit on `side` (its own side).

    `profit` says whether it lies where the position gains, `stop` is the price that an `R` distance measures.
    Without an anchor only explicit prices exist.

    Raises:
        InternalError: a distance that the checks should have refused.
    """
    if isinstance(level, Decimal):
        return FixedPrice(level)
    if anchor is None:
        raise InternalError("a distance without an entry to count from passed the checks")
    sign = -side.sign if profit else side.sign
    rounding = rounding_of(side)
    if level.kind is DistanceKind.RISK:
        if not isinstance(stop, FixedPrice | FillOffset):
            raise InternalError("a distance in R without a stop to measure passed the checks")
        if anchor.price is None or isinstance(stop, FillOffset):
            return RiskOffset(anchor.node_id, sign, rounding, level.value, stop)
        move = EXACT.multiply(level.value, abs(EXACT.subtract(anchor.price, stop.price)))
        return FixedPrice(moved(anchor.price, sign, move, rounding, instrument))
    if anchor.price is None:
        absolute, fraction = _parts(level)
        return FillOffset(anchor.node_id, sign, rounding, absolute, fraction)
    return FixedPrice(moved(anchor.price, sign, _move(level, anchor.price), rounding, instrument))


def limit_price(level: Level, side: Side) -> Price:
    """The price of a LIMIT order: explicit, or so far from the mark on the passive side."""
    if isinstance(level, Decimal):
        return FixedPrice(level)
    absolute, fraction = _parts(level)
    return MarkOffset(-side.sign, rounding_of(side), absolute, fraction)


def moved(price: Decimal, sign: int, move: Decimal, rounding: Rounding, instrument: Instrument) -> Decimal:
    """`price` moved by `move` in the direction of `sign`, on the tick."""
    return instrument.round_price(EXACT.add(price, EXACT.multiply(move, Decimal(sign))), rounding)


def wire_callback(rate: Decimal | None) -> Decimal | None:
    """A trailing stop's callback rate in percent, as the exchange takes it, from a fraction."""
    return None if rate is None else EXACT.multiply(rate, PERCENT)


def _parts(distance: Distance) -> tuple[Decimal | None, Decimal | None]:
    if distance.kind is DistanceKind.FRACTION:
        return None, distance.value
    return distance.value, None


def _move(distance: Distance, price: Decimal) -> Decimal:
    return EXACT.multiply(price, distance.value) if distance.kind is DistanceKind.FRACTION else distance.value
