"""From a price rule to a price on the tick."""

from decimal import Decimal
from typing import NamedTuple

from runner.domain.values import EXACT, Rounding
from runner.engine.state import Run
from runner.graph.model import FillOffset, FixedPrice, MarkOffset, Price, RiskOffset


class Resolved(NamedTuple):
    """`provisional`: the mark of the fill's moment stands in for a fill price that is not known yet."""

    price: Decimal
    provisional: bool = False


def resolve(run: Run, symbol: str, rule: Price) -> Resolved | None:
    """The rule's price now, or None while what it counts from is not known."""
    match rule:
        case FixedPrice(price):
            return Resolved(price)
        case MarkOffset():
            quote = run.quotes.get(symbol)
            if quote is None:
                return None
            return Resolved(offset(run, symbol, quote.mark_px, rule))
        case FillOffset():
            anchor = _anchor(run, rule.node_id)
            if anchor is None:
                return None
            return Resolved(offset(run, symbol, anchor.price, rule), anchor.provisional)
        case RiskOffset():
            anchor = _anchor(run, rule.node_id)
            stop = resolve(run, symbol, rule.stop)
            if anchor is None or stop is None:
                return None
            risk = EXACT.multiply(abs(anchor.price - stop.price), rule.multiple)
            return Resolved(_round(run, symbol, anchor.price + rule.sign * risk, rule.rounding), anchor.provisional)


def offset(run: Run, symbol: str, anchor: Decimal, rule: MarkOffset | FillOffset) -> Decimal:
    distance = rule.absolute if rule.absolute is not None else EXACT.multiply(anchor, rule.fraction or Decimal(0))
    return _round(run, symbol, anchor + rule.sign * distance, rule.rounding)


def _round(run: Run, symbol: str, price: Decimal, rounding: Rounding) -> Decimal:
    instrument = run.instruments[symbol]
    return max(instrument.round_price(price, rounding), instrument.tick_size)


def _anchor(run: Run, node_id: str) -> Resolved | None:
    """What was paid in the first fill of the group that the opener `node_id` belongs to."""
    leg = run.group_of(run.legs[node_id]).first_filled
    if leg is None:
        return None
    if leg.anchor_px is not None:
        return Resolved(leg.anchor_px)
    if leg.anchor_mark is not None and leg.stand_in:
        return Resolved(leg.anchor_mark, provisional=True)
    return None
