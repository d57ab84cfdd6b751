"""From a size as written to a quantity on the step, at the start of a step.

A computed quantity rounds down; an explicit one is taken as it is.  Source of `risk`: plan language, *Size*:
floor(equity × p / (|entry − stop| + both taker fees per unit)).
"""

from decimal import Decimal
from typing import NamedTuple, assert_never

from runner.domain.sizes import EquityShare, FilledOf, Notional, PositionShare, Quantity, RiskShare, Size
from runner.domain.values import EXACT, ZERO, OrderType, Side, trimmed
from runner.engine.prices import offset
from runner.engine.purse import Quote
from runner.engine.state import GroupState, Run
from runner.graph.model import FillOffset, FixedPrice, MarkOffset, OrderNode, Price, RiskOffset, StepPolicy


class Sized(NamedTuple):
    """`denied` is a code with its figures where the size cannot be sent, else empty."""

    qty: Decimal
    code: str = ""
    detail: str = ""


def needs_quote(size: Size | None) -> bool:
    """Whether the size depends on prices or equity of the moment."""
    return isinstance(size, Notional | EquityShare | RiskShare)


def step_quantity(run: Run, policy: StepPolicy, opener: OrderNode | None) -> Sized:
    """The quantity of a step that starts now; its symbol has been observed where the size needs that."""
    size = policy.size
    match size:
        case None:
            return Sized(ZERO)
        case Quantity(qty):
            return Sized(qty)
        case FilledOf(step_id):
            return Sized(run.groups[run.steps[step_id].policy.group_id or step_id].open)
        case PositionShare(fraction):
            side = policy.side if policy.opens else policy.side.opposite if policy.side else None
            held = max(run.held.get(policy.symbol, ZERO) * side.sign, ZERO) if side else ZERO
            return Sized(run.instruments[policy.symbol].floor_qty(EXACT.multiply(held, fraction)))
        case Notional(quote):
            return _computed(run, policy, opener, quote, None)
        case EquityShare(fraction):
            quote_amount = EXACT.multiply(run.quotes[policy.symbol].equity, fraction)
            return _computed(run, policy, opener, quote_amount, None)
        case RiskShare(fraction):
            at_risk = EXACT.multiply(run.quotes[policy.symbol].equity, fraction)
            return _computed(run, policy, opener, at_risk, policy.stop)
    assert_never(size)


def entry_price(run: Run, node: OrderNode, quote: Quote) -> Decimal:
    """What an opener will trade at as far as that is known before it is sent: its limit, its trigger, or the
    opposite best quote."""
    match node.price or node.trigger:
        case FixedPrice(price):
            return price
        case MarkOffset() as rule:
            return offset(run, node.symbol, quote.mark_px, rule)
    return quote.ask_px if node.side is Side.BUY else quote.bid_px


def available(run: Run, symbol: str, side: Side) -> Decimal:
    """The plan's position on that side that no group with exits holds."""
    free = max(run.free.get(symbol, ZERO) * side.sign, ZERO)
    return free + sum((group.open for group in unclaimed(run, symbol, side)), ZERO)


def unclaimed(run: Run, symbol: str, side: Side) -> list[GroupState]:
    """Groups without exits of their own, in file order."""
    groups = (group for group in run.holders.get(symbol, {}).values())
    mine = [group for group in groups if not group.spec.exits and group.spec.entry_side is side]
    return sorted(mine, key=lambda group: group.order)


def _computed(
    run: Run, policy: StepPolicy, opener: OrderNode | None, quote_amount: Decimal, stop: Price | None,
) -> Sized:
    quote = run.quotes[policy.symbol]
    instrument = run.instruments[policy.symbol]
    price = entry_price(run, opener, quote) if opener else quote.mark_px
    if stop is None:
        per_unit = price
    else:
        stop_px = _stop_price(run, policy.symbol, stop, price)
        fees = EXACT.multiply(quote.taker_fee, price + stop_px)
        per_unit = abs(price - stop_px) + fees
    qty = instrument.floor_qty(EXACT.divide(quote_amount, per_unit)) if per_unit > ZERO else ZERO
    notional = instrument.notional(qty, quote.mark_px if opener and opener.order_type is OrderType.MARKET else price)
    if qty < instrument.min_qty:
        return Sized(qty, "MIN_QTY", f"minimum={trimmed(instrument.min_qty)} computed={trimmed(qty)}")
    if notional < instrument.min_notional:
        return Sized(qty, "MIN_NOTIONAL", f"minimum={trimmed(instrument.min_notional)} computed={trimmed(notional)}")
    return Sized(qty)


def _stop_price(run: Run, symbol: str, rule: Price, entry: Decimal) -> Decimal:
    match rule:
        case FixedPrice(price):
            return price
        case FillOffset() | MarkOffset():
            return offset(run, symbol, entry, rule)
        case RiskOffset():
            return entry
    assert_never(rule)
