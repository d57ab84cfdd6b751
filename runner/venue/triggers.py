"""The conditional orders of one symbol that wait, sorted by the level that triggers them."""

from bisect import bisect_left, insort
from collections.abc import Iterator
from decimal import Decimal

from runner.domain.values import WorkingType
from runner.venue.orders import WaitingOrder

LOWEST = Decimal("-Infinity")
HIGHEST = Decimal("Infinity")
Band = tuple[Decimal, Decimal]
"""The highest price at or below which, and the lowest price at or above which, something happens."""


class Triggers:
    """Fixed triggers by their direction and by the price they look at, and the trailing ones, whose levels move."""

    __slots__ = ("_fixed", "_orders", "_trailing")

    def __init__(self) -> None:
        self._fixed: dict[tuple[WorkingType, bool], list[tuple[Decimal, int]]] = {
            (kind, falls): [] for kind in WorkingType for falls in (True, False)
        }
        self._orders: dict[int, WaitingOrder] = {}
        self._trailing: dict[WorkingType, dict[int, WaitingOrder]] = {kind: {} for kind in WorkingType}

    def __iter__(self) -> Iterator[WaitingOrder]:
        """All of them, in the order of their arrival."""
        return iter(self._orders.values())

    def __len__(self) -> int:
        return len(self._orders)

    def add(self, order: WaitingOrder) -> None:
        self._orders[order.place] = order
        if order.trailing:
            self._trailing[order.request.working_type][order.place] = order
        else:
            insort(self._fixed[order.request.working_type, order.falls], _key(order))

    def remove(self, order: WaitingOrder) -> None:
        if self._orders.pop(order.place, None) is None:
            return
        if order.trailing:
            del self._trailing[order.request.working_type][order.place]
        else:
            keys = self._fixed[order.request.working_type, order.falls]
            del keys[bisect_left(keys, _key(order))]

    def touched(self, low: Decimal, high: Decimal, kinds: tuple[WorkingType, ...]) -> list[WaitingOrder]:
        """Those that prices from `low` to `high` may trigger or carry along: stops first, then by arrival."""
        found: list[WaitingOrder] = []
        for kind in kinds:
            for level, place in self._fixed[kind, True]:
                if -level < low:
                    break
                found.append(self._orders[place])
            for level, place in self._fixed[kind, False]:
                if level > high:
                    break
                found.append(self._orders[place])
            found += self._trailing[kind].values()
        found.sort(key=lambda order: (not order.request.order_type.stop_like, order.place))
        return found

    def band(self, kinds: tuple[WorkingType, ...]) -> Band:
        """The prices that touch one of them."""
        floor, ceiling = LOWEST, HIGHEST
        for kind in kinds:
            falling, rising = self._fixed[kind, True], self._fixed[kind, False]
            if falling:
                floor = max(floor, -falling[0][0])
            if rising:
                ceiling = min(ceiling, rising[0][0])
            for order in self._trailing[kind].values():
                below, above = _reach(order)
                floor = floor if below is None else max(floor, below)
                ceiling = ceiling if above is None else min(ceiling, above)
        return floor, ceiling


def _key(order: WaitingOrder) -> tuple[Decimal, int]:
    """What is reached first comes first."""
    level = order.request.trigger_price or LOWEST
    return (-level if order.falls else level), order.place


def _reach(order: WaitingOrder) -> tuple[Decimal | None, Decimal | None]:
    """Where a trailing stop reacts to a fall and to a rise: its level, and its extreme or its activation."""
    level, other = order.level, order.extreme if order.active else order.request.activation_price
    return (level, other) if order.falls else (other, level)
