"""Judging `when`: each condition becomes a small tree of truths that timers, price touches and fills change.

A price state is followed by one watch on the side that it is not on; nothing is asked of the market in between.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from runner.domain.commands import CancelTimer, Command, Crossing, SetTimer, UnwatchPrice, WatchPrice
from runner.domain.conditions import (
    AllOf,
    AnyOf,
    AtCondition,
    Condition,
    DelayCondition,
    HeldFor,
    Not,
    PositionCondition,
    PriceCondition,
    Relation,
)

Emit = Callable[[Command], None]


@dataclass(slots=True)
class Truth:
    """One node of a condition: `value` is None while nothing is known.

    `crossing`: for `crosses_*`, whether the other side has been seen.  `since_ms`: for `for`, since when its part
    has held.
    """

    condition: Condition
    key: str
    parts: list["Truth"] = field(default_factory=list)
    value: bool | None = None
    crossing: bool = False
    since_ms: int | None = None


class Judge:
    """Follows one condition from `arm` until it holds or is dropped; ids of its timers and watches begin with `key`."""

    def __init__(self, condition: Condition, key: str) -> None:
        self._by_key: dict[str, Truth] = {}
        self._open: dict[str, None] = {}
        self._root = self._build(condition, key)

    def arm(self, now_ms: int, position: Callable[[str], Decimal], emit: Emit) -> bool:
        """Start to follow; true if the condition holds at once."""
        for truth in self._by_key.values():
            self._start(truth, now_ms, emit)
        return self.positions(now_ms, position, emit)

    def touched(self, watch_id: str, now_ms: int, emit: Emit) -> bool:
        """A watched level was passed."""
        self._open.pop(watch_id, None)
        key, _, side = watch_id.rpartition("/")
        truth = self._by_key.get(key)
        if truth is None or not isinstance(truth.condition, PriceCondition):
            return self.holds
        condition = truth.condition
        if condition.relation in (Relation.CROSSES_UP, Relation.CROSSES_DOWN):
            if truth.crossing:
                truth.value = True
            else:
                truth.crossing = True
                beyond = Crossing.GT if condition.relation is Relation.CROSSES_UP else Crossing.LT
                self._watch(truth, "in", beyond, emit)
        else:
            truth.value = side == "in"
            inside, outside = _sides(condition.relation)
            other = "out" if truth.value else "in"
            if f"{key}/{other}" not in self._open:
                self._watch(truth, other, outside if truth.value else inside, emit)
        return self._settle(now_ms, emit)

    def fired(self, timer_id: str, now_ms: int, emit: Emit) -> bool:
        """A timer of ours is due."""
        truth = self._by_key.get(timer_id)
        if truth is not None and not isinstance(truth.condition, HeldFor):
            truth.value = True
        return self._settle(now_ms, emit)

    def positions(self, now_ms: int, position: Callable[[str], Decimal], emit: Emit) -> bool:
        """The plan's positions may have changed."""
        for truth in self._by_key.values():
            if isinstance(truth.condition, PositionCondition):
                qty = position(truth.condition.symbol)
                above = truth.condition.relation is Relation.ABOVE
                truth.value = qty > truth.condition.qty if above else qty < truth.condition.qty
        return self._settle(now_ms, emit)

    def gap(self, symbol: str, now_ms: int, emit: Emit) -> bool:
        """Data of the symbol were missing: what must hold without a break is counted anew from now."""
        for truth in self._by_key.values():
            if not isinstance(truth.condition, HeldFor) or truth.since_ms is None:
                continue
            if symbol in _symbols(truth.condition):
                truth.since_ms = now_ms
                emit(SetTimer(truth.key, now_ms + truth.condition.for_ms))
        return self._settle(now_ms, emit)

    def drop(self, emit: Emit) -> None:
        """Stop following."""
        for watch_id in list(self._open):
            self._unwatch(watch_id, emit)
        for truth in self._by_key.values():
            timed = isinstance(truth.condition, AtCondition | DelayCondition) or truth.since_ms is not None
            if timed and truth.value is False:
                emit(CancelTimer(truth.key))

    @property
    def position_symbols(self) -> set[str]:
        """The symbols whose position it looks at."""
        conditions = (truth.condition for truth in self._by_key.values())
        return {condition.symbol for condition in conditions if isinstance(condition, PositionCondition)}

    @property
    def keys(self) -> list[str]:
        """The ids of its timers, which are also the stems of its watch ids."""
        return list(self._by_key)

    @property
    def holds(self) -> bool:
        return self._root.value is True

    def _build(self, condition: Condition, key: str) -> Truth:
        truth = Truth(condition, key)
        self._by_key[key] = truth
        match condition:
            case AllOf(parts) | AnyOf(parts):
                truth.parts = [self._build(part, f"{key}.{index}") for index, part in enumerate(parts)]
            case Not(part) | HeldFor(part, _):
                truth.parts = [self._build(part, f"{key}.0")]
        return truth

    def _start(self, truth: Truth, now_ms: int, emit: Emit) -> None:
        match truth.condition:
            case AtCondition(at_ms):
                truth.value = at_ms <= now_ms
                if not truth.value:
                    emit(SetTimer(truth.key, at_ms))
            case DelayCondition(delay_ms):
                truth.value = False
                emit(SetTimer(truth.key, now_ms + delay_ms))
            case PriceCondition(relation=Relation.CROSSES_UP | Relation.CROSSES_DOWN as relation):
                truth.value = False
                self._watch(truth, "out", Crossing.LT if relation is Relation.CROSSES_UP else Crossing.GT, emit)
            case PriceCondition(relation=relation):
                inside, outside = _sides(relation)
                self._watch(truth, "in", inside, emit)
                self._watch(truth, "out", outside, emit)

    def _settle(self, now_ms: int, emit: Emit) -> bool:
        self._judge(self._root, now_ms, emit)
        return self.holds

    def _judge(self, truth: Truth, now_ms: int, emit: Emit) -> bool | None:
        values = [self._judge(part, now_ms, emit) for part in truth.parts]
        match truth.condition:
            case AllOf():
                truth.value = False if False in values else None if None in values else True
            case AnyOf():
                truth.value = True if True in values else None if None in values else False
            case Not():
                truth.value = None if values[0] is None else not values[0]
            case HeldFor(_, for_ms):
                self._hold(truth, values[0], for_ms, now_ms, emit)
        return truth.value

    def _hold(self, truth: Truth, part: bool | None, for_ms: int, now_ms: int, emit: Emit) -> None:
        if part is True and truth.since_ms is None:
            truth.since_ms = now_ms
            emit(SetTimer(truth.key, now_ms + for_ms))
        elif part is not True and truth.since_ms is not None:
            truth.since_ms = None
            emit(CancelTimer(truth.key))
        truth.value = truth.since_ms is not None and now_ms - truth.since_ms >= for_ms

    def _watch(self, truth: Truth, side: str, crossing: Crossing, emit: Emit) -> None:
        condition = truth.condition
        assert isinstance(condition, PriceCondition)
        watch_id = f"{truth.key}/{side}"
        self._open[watch_id] = None
        emit(WatchPrice(watch_id, condition.symbol, condition.source, crossing, condition.price))

    def _unwatch(self, watch_id: str, emit: Emit) -> None:
        if self._open.pop(watch_id, 0) is None:
            emit(UnwatchPrice(watch_id))


def _sides(relation: Relation) -> tuple[Crossing, Crossing]:
    """The crossings that make a state true, and false."""
    if relation is Relation.ABOVE:
        return Crossing.GT, Crossing.LE
    return Crossing.LT, Crossing.GE


def _symbols(condition: Condition) -> set[str]:
    match condition:
        case PriceCondition(symbol=symbol) | PositionCondition(symbol=symbol):
            return {symbol}
        case AllOf(parts) | AnyOf(parts):
            return {symbol for part in parts for symbol in _symbols(part)}
        case Not(part) | HeldFor(part, _):
            return _symbols(part)
    return set()
