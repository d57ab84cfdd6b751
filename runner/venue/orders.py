"""Orders as the exchange holds them, and what each account has open.

A `WorkingOrder` is in the matching engine; a `WaitingOrder` is on the Algo service and waits for its trigger.  Both
name their account, so that nothing here knows of wallets and positions.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from decimal import Decimal

from runner.domain.value import Record, fresh
from runner.domain.values import EXACT, ONE, ZERO, OrderType, Side
from runner.venue.facts import AlgoState, OrderState
from runner.venue.requests import NewOrder
from runner.venue.terms import AlgoStatus, PositionSide, Status

_PERCENT = Decimal(100)


class WorkingOrder(Record, eq=False):
    """An order that the matching engine has accepted and not ended.

    `place` is its place in time among all orders, and `since_ms` since when it has it: an amendment renews both.
    `side`, `limit` and `leaves` are read off the request.  `ends_ms` is when the exchange ends it by itself.  `exits`
    is whether it can only close: reduce-only, or in hedge mode the side that closes.
    """

    account: str
    request: NewOrder
    order_id: int
    created_ms: int
    updated_ms: int
    place: int
    since_ms: int
    exits: bool
    algo_id: int = 0
    forced: bool = False
    ends_ms: int = 0
    status: Status = Status.NEW
    filled_qty: Decimal = ZERO
    cost: Decimal = ZERO
    amendments: int = 0
    side: Side = Side.BUY
    limit: Decimal | None = None
    leaves: Decimal = ZERO

    def __post_init__(self) -> None:
        self.read()

    def read(self) -> None:
        """Take over what the request says of side, limit and quantity."""
        self.side = self.request.side
        self.limit = self.request.price if self.request.order_type.limited else None
        self.leaves = self.request.quantity - self.filled_qty

    @property
    def symbol(self) -> str:
        return self.request.symbol

    @property
    def position_side(self) -> PositionSide:
        return self.request.position_side

    @property
    def priority(self) -> tuple[Decimal, int]:
        """Price, then time: what the matching engine would execute first."""
        limit = self.limit or ZERO
        return (-limit if self.side is Side.BUY else limit), self.place

    def state(self) -> OrderState:
        return OrderState(
            self.request, self.order_id, self.status, self.filled_qty, self.cost, self.created_ms, self.updated_ms,
            self.algo_id, self.forced,
        )


class WaitingOrder(Record, eq=False):
    """A conditional order on the Algo service, up to the end of the order that it places.

    `place` is its place in time.  `extreme` and `active` belong to trailing stops: the best price since activation,
    and whether it is activated.
    """

    account: str
    request: NewOrder
    algo_id: int
    created_ms: int
    updated_ms: int
    place: int
    exits: bool
    status: AlgoStatus = AlgoStatus.NEW
    triggered_ms: int = 0
    order: WorkingOrder | None = None
    active: bool = False
    extreme: Decimal = ZERO
    reason: str = ""

    @property
    def symbol(self) -> str:
        return self.request.symbol

    @property
    def side(self) -> Side:
        return self.request.side

    @property
    def since_ms(self) -> int:
        return self.created_ms

    @property
    def trailing(self) -> bool:
        return self.request.order_type is OrderType.TRAILING_STOP_MARKET

    @property
    def falls(self) -> bool:
        """Whether the trigger is met by a price at or below it: a stop that sells, a take-profit that buys."""
        return (self.request.side is Side.SELL) == self.request.order_type.stop_like

    @property
    def level(self) -> Decimal | None:
        """The price that triggers it now; None for a trailing stop that is not activated."""
        if not self.trailing:
            return self.request.trigger_price
        if not self.active:
            return None
        rate = (self.request.callback_rate or ZERO) / _PERCENT
        return EXACT.multiply(self.extreme, ONE - rate if self.falls else ONE + rate)

    def met_by(self, price: Decimal) -> bool:
        """Whether this price triggers it."""
        level = self.level
        return level is not None and (price <= level if self.falls else price >= level)

    def follow(self, price: Decimal) -> bool:
        """Let a trailing stop see a price: activate it, or carry its extreme along; whether it was activated now."""
        start = self.request.activation_price
        if self.active:
            self.extreme = max(self.extreme, price) if self.falls else min(self.extreme, price)
            return False
        self.active = start is None or (price >= start if self.falls else price <= start)
        if self.active:
            self.extreme = price
        return self.active

    def state(self) -> AlgoState:
        order = self.order
        return AlgoState(
            self.request, self.algo_id, self.status, self.created_ms, self.updated_ms, self.triggered_ms,
            0 if order is None else order.order_id, None if order is None else order.request.order_type,
            ZERO if order is None else order.filled_qty, ZERO if order is None else order.cost, self.active,
            self.reason,
        )


class Lane(Record):
    """What one account has working on one side of one position: orders that can open it, and orders that only close.

    `qty` and `notional` are the sums of what the openers leave and what that costs at their limits.
    """

    openers: dict[int, WorkingOrder] = fresh(dict)
    exits: dict[int, WorkingOrder] = fresh(dict)
    qty: Decimal = ZERO
    notional: Decimal = ZERO
    _ranked: list[tuple[Decimal, int]] = fresh(list)

    def add(self, order: WorkingOrder) -> None:
        if order.exits:
            self.exits[order.order_id] = order
        else:
            self.openers[order.order_id] = order
            insort(self._ranked, (order.priority[0], order.order_id))
            self.count(order, order.leaves)

    def remove(self, order: WorkingOrder) -> None:
        if order.exits:
            self.exits.pop(order.order_id, None)
        elif self.openers.pop(order.order_id, None) is not None:
            del self._ranked[bisect_left(self._ranked, (order.priority[0], order.order_id))]
            self.count(order, -order.leaves)

    def losing(self, mark: Decimal) -> Iterator[WorkingOrder]:
        """The openers whose limit is worse than the mark: what they buy would be worth less, what they sell more."""
        for _, number in self._ranked:
            order = self.openers[number]
            if order.limit is not None:
                if (order.limit - mark) * order.side.sign <= ZERO:
                    return
                yield order

    def count(self, order: WorkingOrder, qty: Decimal) -> None:
        """Let what an opener leaves change by `qty`."""
        if order.limit is not None and not order.exits:
            self.qty = EXACT.add(self.qty, qty)
            self.notional = EXACT.add(self.notional, EXACT.multiply(qty, order.limit))

    def covered(self) -> Decimal:
        """The quantity that resting exits already close."""
        return sum((order.leaves for order in self.exits.values() if order.limit is not None), ZERO)


class Claims(Record):
    """The working orders of an account that can open one position: by side their quantity and their notional, and the
    orders themselves."""

    buys: Lane
    sells: Lane

    @property
    def buy_qty(self) -> Decimal:
        return self.buys.qty

    @property
    def buy_notional(self) -> Decimal:
        return self.buys.notional

    @property
    def sell_qty(self) -> Decimal:
        return self.sells.qty

    @property
    def sell_notional(self) -> Decimal:
        return self.sells.notional

    @property
    def orders(self) -> Iterator[WorkingOrder]:
        yield from self.buys.openers.values()
        yield from self.sells.openers.values()

    def losing(self, mark: Decimal) -> Iterator[WorkingOrder]:
        """The orders that would lose at once against the mark."""
        yield from self.buys.losing(mark)
        yield from self.sells.losing(mark)


class OpenOrders(Record):
    """All that one account has open, in both worlds.

    Client ids are unique in each world while their orders are open.  `triggered` are the conditional orders whose
    placed order is not over; they no longer count as waiting.
    """

    working: dict[int, WorkingOrder] = fresh(dict)
    waiting: dict[int, WaitingOrder] = fresh(dict)
    triggered: dict[int, WaitingOrder] = fresh(dict)
    _working_ids: dict[str, WorkingOrder] = fresh(dict)
    _waiting_ids: dict[str, WaitingOrder] = fresh(dict)
    _symbols: dict[str, dict[int, WorkingOrder]] = fresh(dict)
    _lanes: dict[tuple[str, PositionSide, Side], Lane] = fresh(dict)
    _closers: dict[str, dict[int, WaitingOrder]] = fresh(dict)

    def lane(self, symbol: str, position_side: PositionSide, side: Side) -> Lane:
        key = (symbol, position_side, side)
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = Lane()
        return lane

    def claims(self, symbol: str, position_side: PositionSide) -> Claims:
        return Claims(self.lane(symbol, position_side, Side.BUY), self.lane(symbol, position_side, Side.SELL))

    def opening(self) -> list[tuple[str, PositionSide]]:
        """The positions that at least one working order can open; one may be named twice."""
        return [(symbol, position_side) for (symbol, position_side, _), lane in self._lanes.items() if lane.openers]

    def of(self, symbol: str) -> dict[int, WorkingOrder]:
        """The working orders of one symbol, the oldest first."""
        return self._symbols.get(symbol, {})

    def closers(self, symbol: str) -> dict[int, WaitingOrder]:
        """The waiting `closePosition` orders of one symbol."""
        return self._closers.get(symbol, {})

    def order(self, key: int | str) -> WorkingOrder | None:
        return self.working.get(key) if isinstance(key, int) else self._working_ids.get(key)

    def conditional(self, key: int | str) -> WaitingOrder | None:
        """A conditional order that waits, by either of its ids."""
        return self.waiting.get(key) if isinstance(key, int) else self._waiting_ids.get(key)

    def spare_id(self, number: int) -> str:
        """A client id for an order that came without: one that no open order of either world has."""
        client_id = f"auto-{number}"
        while client_id in self._working_ids or client_id in self._waiting_ids:
            client_id += "-"
        return client_id

    def add(self, order: WorkingOrder) -> None:
        self.working[order.order_id] = order
        self._working_ids[order.request.client_order_id] = order
        self._symbols.setdefault(order.symbol, {})[order.order_id] = order
        self.lane(order.symbol, order.position_side, order.side).add(order)

    def remove(self, order: WorkingOrder) -> None:
        del self.working[order.order_id]
        del self._working_ids[order.request.client_order_id]
        del self._symbols[order.symbol][order.order_id]
        self.lane(order.symbol, order.position_side, order.side).remove(order)

    def add_waiting(self, order: WaitingOrder) -> None:
        self.waiting[order.algo_id] = order
        self._waiting_ids[order.request.client_order_id] = order
        if order.request.close_position:
            self._closers.setdefault(order.symbol, {})[order.algo_id] = order

    def remove_waiting(self, order: WaitingOrder) -> None:
        del self.waiting[order.algo_id]
        del self._waiting_ids[order.request.client_order_id]
        if order.request.close_position:
            del self._closers[order.symbol][order.algo_id]
