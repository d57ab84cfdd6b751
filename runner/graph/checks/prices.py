"""Prices: on the tick, inside the exchange's range, on their own side of each other, and able to fill."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from runner.domain.instrument import Instrument
from runner.domain.sizes import Distance, DistanceKind
from runner.domain.values import ONE, ZERO, OrderType, Side, plain, trimmed
from runner.graph.checks.places import body_path, fault, level_path, take_profit_path
from runner.graph.model import FillOffset, FixedPrice, Price
from runner.graph.prices import Anchor, exit_price, planned_price
from runner.graph.scope import anchor_of, guarded_by, source_of
from runner.graph.survey import Survey
from runner.plan.diagnostics import Fault, Path
from runner.plan.model import (
    BracketBody,
    EntryBody,
    ExitBody,
    Level,
    OcoBody,
    OrderFields,
    Step,
    StopLoss,
    TakeProfit,
    TwapBody,
)


def check(survey: Survey, step: Step, instrument: Instrument) -> Iterator[Fault]:
    base = body_path(step)
    match step.body:
        case EntryBody(side=side, order=order) | ExitBody(side=side, order=order) | TwapBody(side=side, order=order):
            yield from _order(base, side, order, instrument)
        case BracketBody() as body:
            yield from _order((*base, "entry"), body.side, body.entry, instrument)
            anchor = Anchor(f"{step.step_id}.entry", planned_price(body.entry))
            yield from _Exits(survey, base, body.side.opposite, instrument, anchor).check(
                body.take_profits, body.stop_loss, planned=anchor.price,
            )
        case OcoBody() as body:
            source = source_of(body)
            if source is None:
                yield from _unanchored(survey, base, body)
            anchor = _source_anchor(survey, source)
            yield from _Exits(survey, base, body.side, instrument, anchor).check(
                body.take_profits, body.stop_loss, planned=anchor.price if guarded_by(step) else None,
            )
        case _:
            return


def _order(base: Path, side: Side, order: OrderFields, instrument: Instrument) -> Iterator[Fault]:
    for key, level in (("price", order.price), ("stop_price", order.stop_price), ("limit_price", order.limit_price),
                       ("activation_price", order.activation_price)):
        if isinstance(level, Decimal):
            yield from _explicit((*base, key), level, instrument)
    if isinstance(order.price, Distance):
        down = side is Side.BUY
        yield from _distance((*base, "distance"), order.price, down=down)
    if order.type is OrderType.STOP and order.stop_price is not None and order.limit_price is not None:
        yield from _fillable((*base, "limit_price"), side, order.stop_price, order.limit_price)


@dataclass(frozen=True, slots=True)
class _Exits:
    """The exits of a bracket or OCO; `side` is theirs."""

    survey: Survey
    base: Path
    side: Side
    instrument: Instrument
    anchor: Anchor

    def check(
        self, take_profits: tuple[TakeProfit, ...], stop: StopLoss, *, planned: Decimal | None,
    ) -> Iterator[Fault]:
        """`planned` is the entry's price where the exits have to lie on both sides of it."""
        base, side = self.base, self.side
        stop_place = level_path((*base, "stop_loss"), "stop_price", stop.stop_price)
        trigger = self._price(stop.stop_price, profit=False, stop=None)
        yield from self._own(stop_place, stop.stop_price, trigger, falls=side is Side.SELL)
        if stop.limit_price is not None:
            limit_place = (*base, "stop_loss", "limit_price")
            yield from _explicit(limit_place, stop.limit_price, self.instrument)
            if isinstance(trigger, FixedPrice):
                yield from _fillable(limit_place, side, trigger.price, stop.limit_price)
        stop_at = trigger.price if isinstance(trigger, FixedPrice) else None
        if stop_at is not None and planned is not None and not self._worse(stop_at, planned):
            yield self._wrong(stop_place, "stop", stop_at, "below", "above", "entry", planned)
        for index, take_profit in enumerate(take_profits):
            leg = take_profit_path(self.survey.plan.source, base, index)
            place = level_path(leg, "price", take_profit.price)
            price = self._price(take_profit.price, profit=True, stop=trigger)
            yield from self._own(place, take_profit.price, price, falls=side is Side.BUY)
            if not isinstance(price, FixedPrice):
                continue
            if planned is not None:
                if not self._worse(planned, price.price):
                    yield self._wrong(place, "take-profit", price.price, "above", "below", "entry", planned)
            elif stop_at is not None and not self._worse(stop_at, price.price):
                yield self._wrong(place, "take-profit", price.price, "above", "below", "stop", stop_at)

    def _price(self, level: Level, *, profit: bool, stop: Price | None) -> Price:
        return exit_price(
            level, self.side, profit=profit, anchor=self.anchor, stop=stop, instrument=self.instrument,
        )

    def _own(self, place: Path, level: Level, price: Price, *, falls: bool) -> Iterator[Fault]:
        """What is wrong with a price by itself; `falls` says whether a distance leads down from the entry."""
        if isinstance(level, Decimal):
            yield from _explicit(place, level, self.instrument)
        elif isinstance(price, FixedPrice):
            yield from _ranged(place, price.price, self.instrument, f"{_written(level)} from the entry is ")
        elif isinstance(price, FillOffset):
            yield from _distance(place, level, down=falls)

    def _worse(self, worse: Decimal, better: Decimal) -> bool:
        """Whether the first price is worse than the second for the position that the exits close."""
        return worse < better if self.side is Side.SELL else worse > better

    def _wrong(
        self, place: Path, name: str, price: Decimal, long: str, short: str, other: str, at: Decimal,
    ) -> Fault:
        opened, beyond = ("long", long) if self.side is Side.SELL else ("short", short)
        return fault(
            "wrong-side", place,
            f"the {name} of a {opened} must be {beyond} the {other} {trimmed(at)}, and is {trimmed(price)}",
            "the sides may be the wrong way round" if price != at else "one tick is the least distance",
        )


def _source_anchor(survey: Survey, source: str | None) -> Anchor:
    """Where the source is missing or opens nothing, which is a fault of its own, its fill stands in."""
    place = None if source is None else survey.places.get(source)
    return (None if place is None else anchor_of(survey.steps[place])) or Anchor("", None)


def _unanchored(survey: Survey, base: Path, body: OcoBody) -> Iterator[Fault]:
    """Distances in an OCO of a size of its own."""
    levels = [(level_path((*base, "stop_loss"), "stop_price", body.stop_loss.stop_price), body.stop_loss.stop_price)]
    for index, take_profit in enumerate(body.take_profits):
        leg = take_profit_path(survey.plan.source, base, index)
        levels.append((level_path(leg, "price", take_profit.price), take_profit.price))
    for place, level in levels:
        if isinstance(level, Distance):
            yield fault(
                "distance-without-entry", place, "a distance counts from an entry, and this OCO has none",
                "write the price, or size the OCO by `quantity: {filled: step}`",
            )


def _explicit(place: Path, price: Decimal, instrument: Instrument) -> Iterator[Fault]:
    if not instrument.on_tick(price):
        below, above = instrument.price_neighbours(price)
        nearest = trimmed(above) if below <= ZERO else f"{trimmed(below)} or {trimmed(above)}"
        yield fault(
            "price-tick", place,
            f"{plain(price)} is not on the tick {trimmed(instrument.tick_size)} of {instrument.symbol}",
            f"use {nearest}",
        )
    yield from _ranged(place, price, instrument, "")


def _ranged(place: Path, price: Decimal, instrument: Instrument, how: str) -> Iterator[Fault]:
    if price < instrument.min_price or price <= ZERO:
        yield fault(
            "price-range", place,
            f"{how}{plain(price)}, below {instrument.symbol}'s lowest price {trimmed(instrument.min_price)}"
            if how else f"{plain(price)} is below {instrument.symbol}'s lowest price {trimmed(instrument.min_price)}",
        )
    elif ZERO < instrument.max_price < price:
        yield fault(
            "price-range", place,
            f"{how}{plain(price)}, above {instrument.symbol}'s highest price {trimmed(instrument.max_price)}"
            if how else f"{plain(price)} is above {instrument.symbol}'s highest price {trimmed(instrument.max_price)}",
        )


def _distance(place: Path, distance: Distance, *, down: bool) -> Iterator[Fault]:
    """A distance whose anchor is not known yet: it must at least leave a price above zero."""
    if down and distance.kind is DistanceKind.FRACTION and distance.value >= ONE:
        yield fault("price-range", place, f"{_written(distance)} below a price leaves none", "use less than 100%")


def _fillable(place: Path, side: Side, trigger: Decimal, limit: Decimal) -> Iterator[Fault]:
    """A stop is triggered where the price moves on: its limit must allow at least the trigger itself."""
    if side is Side.SELL and limit > trigger:
        yield fault(
            "limit-cannot-fill", place,
            f"a SELL stop triggered at {trimmed(trigger)} cannot fill at {trimmed(limit)} or better while the price "
            "falls", f"use {trimmed(trigger)} or less",
        )
    elif side is Side.BUY and limit < trigger:
        yield fault(
            "limit-cannot-fill", place,
            f"a BUY stop triggered at {trimmed(trigger)} cannot fill at {trimmed(limit)} or better while the price "
            "rises", f"use {trimmed(trigger)} or more",
        )


def _written(distance: Distance) -> str:
    match distance.kind:
        case DistanceKind.FRACTION:
            return f"{trimmed(distance.value * 100)}%"
        case DistanceKind.RISK:
            return f"{trimmed(distance.value)}R"
        case DistanceKind.ABSOLUTE:
            return trimmed(distance.value)
