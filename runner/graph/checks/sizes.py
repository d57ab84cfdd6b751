"""Sizes: on the step, inside the exchange's bounds, and worth enough; so are the parts that they are cut into."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from runner.domain.instrument import Instrument, shares
from runner.domain.sizes import FilledOf, Notional, Quantity, Size
from runner.domain.values import EXACT, ZERO, OrderType, plain, trimmed
from runner.graph.checks.places import body_path, fault, take_profit_path
from runner.graph.prices import judged_price
from runner.graph.quantities import known_qty, largest_slice, most_slices, smallest_slice
from runner.graph.scope import closes
from runner.graph.survey import Survey
from runner.plan.diagnostics import Fault, Path
from runner.plan.model import (
    BracketBody,
    EntryBody,
    ExitBody,
    OcoBody,
    OrderFields,
    Step,
    StopLoss,
    TakeProfit,
    TwapBody,
)


@dataclass(frozen=True, slots=True)
class _Bounds:
    """What one order of the given types may be: the narrowest of LOT_SIZE and, for market orders, MARKET_LOT_SIZE."""

    least: Decimal
    most: Decimal
    why: str


def check(survey: Survey, step: Step, instrument: Instrument) -> Iterator[Fault]:
    base = body_path(step)
    match step.body:
        case EntryBody(size=size, order=order):
            yield from _size(base, size, order, _bounds(instrument, order.type), instrument, opens=True)
        case ExitBody(size=size, order=order):
            yield from _size(base, size, order, _bounds(instrument, order.type), instrument, opens=False)
        case TwapBody() as body:
            yield from _twap(base, body, instrument)
        case BracketBody(size=size, entry=order) as body:
            bounds = _bounds(instrument, order.type, _stop_type(body.stop_loss))
            yield from _size(base, size, order, bounds, instrument, opens=True)
            qty = known_qty(size, judged_price(order), instrument)
            yield from _legs(survey, base, qty, body.take_profits, instrument)
        case OcoBody(size=size) as body:
            bounds = _bounds(instrument, _stop_type(body.stop_loss))
            yield from _size(base, size, OrderFields(OrderType.MARKET), bounds, instrument, opens=False)
            source = _source_qty(survey, size, instrument)
            if isinstance(size, FilledOf) and source is not None:
                yield from _too_much(_place(base, size), f"'{size.step_id}' may fill ", source, bounds, instrument)
            yield from _legs(survey, base, source, body.take_profits, instrument)
        case _:
            return


def _size(
    base: Path, size: Size, order: OrderFields, bounds: _Bounds, instrument: Instrument, *, opens: bool,
) -> Iterator[Fault]:
    price = judged_price(order)
    qty = known_qty(size, price, instrument)
    place = _place(base, size)
    if isinstance(size, Quantity):
        found = list(_on_step(place, size.qty, instrument))
        yield from found
        if found:
            return
    if qty is not None:
        how = "" if isinstance(size, Quantity) else f"at {trimmed(price or ZERO)} this is "
        if qty < bounds.least:
            yield fault(
                "quantity-range", place,
                f"{how}{trimmed(qty)} {instrument.base_asset}, below the least quantity {trimmed(bounds.least)} of "
                f"{instrument.symbol}",
            )
            return
        yield from _too_much(place, how, qty, bounds, instrument)
    if opens:
        yield from _worth(place, size, qty, price, instrument)


def _too_much(place: Path, how: str, qty: Decimal, bounds: _Bounds, instrument: Instrument) -> Iterator[Fault]:
    if ZERO < bounds.most < qty:
        yield fault(
            "quantity-range", place,
            f"{how}{trimmed(qty)} {instrument.base_asset}, above the most that {bounds.why} of "
            f"{instrument.symbol} may be, {trimmed(bounds.most)}",
        )


def _worth(
    place: Path, size: Size, qty: Decimal | None, price: Decimal | None, instrument: Instrument,
) -> Iterator[Fault]:
    least = trimmed(instrument.min_notional)
    if qty is not None and price is not None:
        worth = instrument.notional(qty, price)
        if worth < instrument.min_notional:
            enough = instrument.ceil_qty(EXACT.divide(instrument.min_notional, price))
            yield fault(
                "min-notional", place,
                f"{trimmed(qty)} at {trimmed(price)} is worth {trimmed(worth)} {instrument.quote_asset}, and "
                f"{instrument.symbol} takes no opening order below {least}",
                f"use a quantity of at least {trimmed(enough)}",
            )
    elif isinstance(size, Notional) and size.quote < instrument.min_notional:
        yield fault(
            "min-notional", place,
            f"{plain(size.quote)} {instrument.quote_asset} is below the {least} that an opening order of "
            f"{instrument.symbol} must be worth",
        )


def _legs(
    survey: Survey, base: Path, qty: Decimal | None, take_profits: tuple[TakeProfit, ...], instrument: Instrument,
) -> Iterator[Fault]:
    """Take-profits that are below the least quantity even when everything is filled."""
    if qty is None or len(take_profits) < 2:
        return
    portions = [leg.portion for leg in take_profits]
    for index, part in enumerate(shares(qty, portions, instrument)):
        least = _bounds(instrument, take_profits[index].type).least
        if part < least:
            leg = take_profit_path(survey.plan.source, base, index)
            yield fault(
                "portion-too-small", (*leg, "portion"),
                f"{trimmed(portions[index] * 100)}% of {trimmed(qty)} is {trimmed(part)} {instrument.base_asset} on "
                f"the step, below the least quantity {trimmed(least)} of {instrument.symbol}",
                "raise the quantity, or use fewer take-profits",
            )


def _twap(base: Path, body: TwapBody, instrument: Instrument) -> Iterator[Fault]:
    bounds = _bounds(instrument, body.order.type)
    place = _place(base, body.size)
    if isinstance(body.size, Quantity):
        found = list(_on_step(place, body.size.qty, instrument))
        yield from found
        if found:
            return
    price = judged_price(body.order)
    qty = known_qty(body.size, price, instrument)
    opens = not closes(body)
    if qty is None:
        if isinstance(body.size, Notional) and opens:
            yield from _poor_slices(base, body, body.size.quote, instrument)
        return
    if qty < bounds.least:
        yield fault(
            "quantity-range", place,
            f"{trimmed(qty)} {instrument.base_asset}, below the least quantity {trimmed(bounds.least)} of "
            f"{instrument.symbol}",
        )
        return
    needed, why = bounds.least, f"the least quantity {trimmed(bounds.least)} of {instrument.symbol}"
    if opens and price is not None:
        worthy = instrument.ceil_qty(EXACT.divide(instrument.min_notional, price))
        if worthy > needed:
            least = trimmed(instrument.min_notional)
            needed = worthy
            why = f"{trimmed(worthy)}: the least notional of {instrument.symbol} is {least}, at {trimmed(price)}"
    smallest = smallest_slice(qty, body.slices, body.randomize, instrument)
    if smallest < needed:
        most = most_slices(qty, needed, body.randomize)
        yield fault(
            "twap-slices", (*base, "slices"),
            f"{body.slices} slices of {trimmed(qty)} {instrument.base_asset} are as small as {trimmed(smallest)}, "
            f"below {why}",
            f"use at most {most} slice{'s' if most > 1 else ''}" if most else "raise the quantity: not one slice works",
        )
    largest = largest_slice(qty, body.slices, body.randomize, instrument)
    if ZERO < bounds.most < largest:
        yield fault(
            "quantity-range", (*base, "slices"),
            f"a slice may be {trimmed(largest)} {instrument.base_asset}, above the most that {bounds.why} of "
            f"{instrument.symbol} may be, {trimmed(bounds.most)}",
            "use more slices",
        )


def _poor_slices(base: Path, body: TwapBody, quote: Decimal, instrument: Instrument) -> Iterator[Fault]:
    """Slices of an amount of money at a price that is not known: their worth is judged alone."""
    if most_slices(quote, instrument.min_notional, body.randomize) < body.slices:
        most = most_slices(quote, instrument.min_notional, body.randomize)
        yield fault(
            "twap-slices", (*base, "slices"),
            f"{body.slices} slices of {trimmed(quote)} {instrument.quote_asset} are worth less than the least notional "
            f"{trimmed(instrument.min_notional)} of {instrument.symbol}",
            f"use at most {most} slice{'s' if most > 1 else ''}" if most else "raise the notional: not one slice works",
        )


def _on_step(place: Path, qty: Decimal, instrument: Instrument) -> Iterator[Fault]:
    if not instrument.on_step(qty):
        below, above = instrument.neighbours(qty)
        nearest = trimmed(above) if below <= ZERO else f"{trimmed(below)} or {trimmed(above)}"
        yield fault(
            "quantity-step", place,
            f"{plain(qty)} is not on the step size {trimmed(instrument.step_size)} of {instrument.symbol}",
            f"use {nearest}",
        )


def _bounds(instrument: Instrument, *types: OrderType) -> _Bounds:
    if all(order_type.limited for order_type in types):
        return _Bounds(instrument.min_qty, instrument.max_qty, "a limit order")
    return _Bounds(
        max(instrument.min_qty, instrument.market_min_qty), min(instrument.max_qty, instrument.market_max_qty),
        "a market order",
    )


def _stop_type(stop: StopLoss) -> OrderType:
    return OrderType.STOP_MARKET if stop.limit_price is None else OrderType.STOP


def _source_qty(survey: Survey, size: Size, instrument: Instrument) -> Decimal | None:
    """What an OCO will be for at most, where the plan settles it."""
    if not isinstance(size, FilledOf):
        return known_qty(size, None, instrument)
    place = survey.places.get(size.step_id)
    match None if place is None else survey.steps[place].body:
        case EntryBody(size=opened, order=order) | TwapBody(size=opened, order=order):
            return known_qty(opened, judged_price(order), instrument)
        case _:
            return None


def _place(base: Path, size: Size) -> Path:
    return (*base, "notional" if isinstance(size, Notional) else "quantity")
