"""The plan's own limits: what it is sure to cross by itself."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from runner.domain.instrument import Instrument
from runner.domain.sizes import Notional, Size
from runner.domain.values import EXACT, ONE, ZERO, Side, trimmed
from runner.graph.checks.places import body_path, fault
from runner.graph.prices import judged_price
from runner.graph.quantities import known_notional, known_qty, largest_slice
from runner.graph.scope import closes
from runner.plan.diagnostics import Fault, Path
from runner.plan.model import BracketBody, EntryBody, OrderFields, Plan, Step, TwapBody


def check(plan: Plan, instruments: Mapping[str, Instrument]) -> Iterator[Fault]:
    """Orders and positions above the limits at prices that the plan names; unknown prices are the gate's affair."""
    limits = plan.limits
    if limits.max_order_notional is None and limits.max_position_notional is None:
        return
    at_once: dict[tuple[str, Side], Decimal] = {}
    for step in plan.steps:
        instrument = instruments.get(step.symbol)
        opener = _opener(step)
        if instrument is None or opener is None:
            continue
        side, size, order = opener
        whole = known_notional(size, judged_price(order), instrument)
        if whole is None:
            continue
        place = _place(step, size)
        largest = _largest_order(step, whole, size, order, instrument)
        if limits.max_order_notional is not None and largest > limits.max_order_notional:
            yield fault(
                "over-order-limit", place,
                f"an order may be worth {trimmed(largest)} {instrument.quote_asset}, above the plan's own "
                f"max_order_notional {trimmed(limits.max_order_notional)}",
            )
        before = at_once.get((step.symbol, side), ZERO)
        together = EXACT.add(before, whole)
        if not step.after and step.when is None:
            at_once[step.symbol, side] = together
        else:
            before, together = ZERO, whole
        if limits.max_position_notional is not None and together > limits.max_position_notional >= before:
            what = "this" if before == ZERO else "this, with the steps before it that start with the run,"
            yield fault(
                "over-position-limit", place,
                f"{what} may be worth {trimmed(together)} {instrument.quote_asset} on {step.symbol}, above the plan's "
                f"own max_position_notional {trimmed(limits.max_position_notional)}",
            )


def _opener(step: Step) -> tuple[Side, Size, OrderFields] | None:
    match step.body:
        case EntryBody(side=side, size=size, order=order) | BracketBody(side=side, size=size, entry=order):
            return side, size, order
        case TwapBody(side=side, size=size, order=order) as body if not closes(body):
            return side, size, order
        case _:
            return None


def _largest_order(step: Step, whole: Decimal, size: Size, order: OrderFields, instrument: Instrument) -> Decimal:
    """The worth of the step's largest order."""
    if not isinstance(step.body, TwapBody):
        return whole
    price = judged_price(order)
    qty = known_qty(size, price, instrument)
    if qty is None or price is None:
        share = EXACT.divide(whole, Decimal(step.body.slices))
        return EXACT.multiply(share, EXACT.add(ONE, step.body.randomize)) if step.body.slices > 1 else whole
    return instrument.notional(largest_slice(qty, step.body.slices, step.body.randomize, instrument), price)


def _place(step: Step, size: Size) -> Path:
    return (*body_path(step), "notional" if isinstance(size, Notional) else "quantity")
