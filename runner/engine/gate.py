"""The last word before an order that may open is sent.  Exits never come here.

A refusal is a denial with a code and its figures, not an exception.
"""

from decimal import Decimal
from typing import NamedTuple

from runner.domain.values import EXACT, ZERO, Side, trimmed
from runner.engine.purse import Quote
from runner.engine.state import Leg, Revision, Run
from runner.graph.model import Role


class Denial(NamedTuple):
    code: str
    detail: str


def judge(
    run: Run, leg: Leg, quantity: Decimal, worst_px: Decimal, price: Decimal | None, besides: Revision | None = None,
) -> Denial | None:
    """Whether an opening order of `quantity` base units stands in nobody's way, is worth enough at its `price` (the
    mark, if it has none), and crosses none of the plan's limits at `worst_px`.  `besides` is the order itself, where
    it is counted among the live ones already."""
    limits = run.graph.limits
    symbol = leg.node.symbol
    existing = _existing(run, leg)
    if existing is not None:
        return existing
    instrument = run.instruments[symbol]
    value = worth(run, leg, quantity, price)
    if value < instrument.min_notional:
        return Denial("MIN_NOTIONAL", f"minimum={trimmed(instrument.min_notional)} computed={trimmed(value)}")
    order_notional = instrument.notional(quantity, worst_px)
    if limits.max_order_notional is not None and order_notional > limits.max_order_notional:
        return Denial("MAX_ORDER_NOTIONAL", _figures(limits.max_order_notional, order_notional))
    if limits.max_position_notional is not None:
        would_be = _position_notional(run, leg, quantity, worst_px, besides)
        if would_be > limits.max_position_notional:
            return Denial("MAX_POSITION_NOTIONAL", _figures(limits.max_position_notional, would_be))
    if limits.max_daily_loss is not None:
        loss = daily_loss(run)
        if loss >= limits.max_daily_loss:
            return Denial("MAX_DAILY_LOSS", f"limit={trimmed(limits.max_daily_loss)} loss={trimmed(loss)}")
    return None


def worth(run: Run, leg: Leg, quantity: Decimal, price: Decimal | None) -> Decimal:
    """What the exchange takes an opening order to be worth, in quote units: MARKET is judged at the mark."""
    symbol = leg.node.symbol
    return run.instruments[symbol].notional(quantity, price or run.quotes[symbol].mark_px)


def worst_price(leg: Leg, price: Decimal | None, trigger: Decimal | None, quote: Quote) -> Decimal:
    """The price an opening order is counted at: its limit, or for a market order the worse of mark, quote and
    trigger (a sale has no worst price upwards, so it is counted at the highest of them too)."""
    if price is not None:
        return max(price, quote.mark_px) if leg.node.side is Side.SELL else price
    taker = quote.ask_px if leg.node.side is Side.BUY else quote.bid_px
    return max(taker, quote.mark_px, trigger or ZERO)


def daily_loss(run: Run) -> Decimal:
    """−(realised − fees + exchanged since 00:00 UTC + the change of unrealised since then), in quote units."""
    day = run.day
    return -(day.realised - day.fees + day.exchanged + unrealised(run) - day.unrealised)


def unrealised(run: Run) -> Decimal:
    """Of all positions of the run, at the marks last observed."""
    marked = ((position, run.quotes[symbol]) for symbol, position in run.book.items() if symbol in run.quotes)
    return sum((position.unrealised(quote.mark_px) for position, quote in marked), ZERO)


def exposed_symbols(run: Run) -> list[str]:
    """Symbols whose marks the daily loss depends on."""
    return [symbol for symbol, position in run.book.items() if position.qty != ZERO]


def _existing(run: Run, leg: Leg) -> Denial | None:
    """What others hold on the symbol forbids to open there, unless the step may stand beside it on the same side."""
    symbol, side = leg.node.symbol, leg.node.side
    allowed = run.steps[leg.node.step_id].policy.existing_position_allowed
    position = run.others.positions.get(symbol, ZERO)
    strange = [one.report for one in run.others.orders.values() if one.report.symbol == symbol]
    beside = all(one.side is side or one.reduce_only or one.close_position for one in strange)
    if allowed and position * side.sign >= ZERO and beside:
        return None
    if position == ZERO and not strange:
        return None
    return Denial("EXISTING_POSITION", f"position={trimmed(position)} orders={len(strange)}")


def _position_notional(
    run: Run, leg: Leg, quantity: Decimal, worst_px: Decimal, besides: Revision | None,
) -> Decimal:
    """|position at the mark + everything that can still open on this side at its worst price|, quote units."""
    symbol, side = leg.node.symbol, leg.node.side
    held = run.held.get(symbol, ZERO) * side.sign
    notional = EXACT.multiply(held, run.quotes[symbol].mark_px)
    notional += EXACT.multiply(quantity, worst_px)
    for other in run.opening.get(symbol, {}).values():
        if other.node.side is side and other.node.role is Role.OPENER:
            for revision in other.revisions:
                if revision.live and not revision.order.request.reduce_only and revision is not besides:
                    px = revision.worst_px or worst_px
                    notional += EXACT.multiply(revision.order.leaves_qty, px)
    return abs(notional)


def _figures(limit: Decimal, would_be: Decimal) -> str:
    return f"limit={trimmed(limit)} would_be={trimmed(would_be)}"
