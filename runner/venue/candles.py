"""How orders are judged on a candle, of whose inside nothing is known but its range and its volume.

The order of things inside a candle is not known, so it is taken as it hurts: see the rules under *Candles* in
`runner.venue.exchange`.
"""

from collections.abc import Iterable
from decimal import Decimal

from runner.domain.values import EXACT, ZERO, Side
from runner.venue.book import Book, WorkingOrder
from runner.venue.execution import Execution, priority
from runner.venue.market import CandleEnd


class CandleJudge:
    """Lets one candle that has just ended act on the orders of its symbol."""

    def __init__(self, execution: Execution, book: Book, candle: CandleEnd) -> None:
        self.execution = execution
        self.book = book
        self.candle = candle
        self._used = dict.fromkeys(Side, ZERO)

    def run(self) -> None:
        orders = tuple(self.book.orders.values())
        held = {side: self._closable(side) for side in Side}
        # What rested before the candle; what triggers in it is judged where it triggers.
        resting = sorted((order for order in orders if order.in_book), key=priority)
        stops = [order for order in orders if not order.in_book and order.request.order_type.stop_like]
        others = [order for order in orders if not order.in_book and not order.request.order_type.stop_like]
        for order in (*_openers(stops), *_openers(others)):
            self._conditional(order)
        for order in _openers(resting):
            self._limit(order)
        for order in _exits(stops):
            self._conditional(order)
        self._profits([*_exits(resting), *_exits(others)], held)

    def _profits(self, orders: list[WorkingOrder], held: dict[Side, Decimal]) -> None:
        """What closes at a profit: only what was `held` before the candle, and only if no stop has closed it."""
        was_open = {side: qty > ZERO for side, qty in held.items()}
        for order in orders:
            side = order.request.side
            now = self._closable(side)
            if (was_open[side] and not now) or min(order.leaves, now) > held[side]:
                continue
            before = order.filled_qty
            if order.in_book:
                self._limit(order)
            else:
                self._conditional(order)
            held[side] -= order.filled_qty - before

    def _conditional(self, order: WorkingOrder) -> None:
        if order.status.closed or self.book.watches_mark(order.request):
            return
        seen = self._trailed(order) if order.trailing else self._crossed(order)
        if seen is None:
            return
        self.execution.trigger(self.book, order, self.candle.at_ms, seen)
        if self._whole(order) and order.request.order_type.take_profit_like:
            # From its trigger on, the price went on to the extreme: what the triggered limit had before it.
            self._limit(order, maker=False)

    def _crossed(self, order: WorkingOrder) -> Decimal | None:
        """The price at which the order's fixed trigger is met, or None."""
        level, candle = order.level, self.candle
        if level is None:
            return None
        extreme = candle.low if order.falls else candle.high
        if self._whole(order):
            return level if order.met_by(extreme) else None
        if order.request.reduce_only and order.request.order_type.stop_like:
            return _worse(order, level, candle.close) if order.met_by(extreme) else None
        return candle.close if order.met_by(candle.close) else None

    def _trailed(self, order: WorkingOrder) -> Decimal | None:
        """As `_crossed`, for a trailing stop: its old level first, then the one that the candle's extreme makes."""
        candle = self.candle
        against, along = (candle.low, candle.high) if order.falls else (candle.high, candle.low)
        level = order.level
        if not self._whole(order):
            sees = against if order.request.reduce_only else candle.close
            if level is not None and order.met_by(sees):
                return _worse(order, level, candle.close)
            order.follow(candle.close)
            return None
        if level is not None and order.met_by(against):
            return level
        order.follow(along)
        return order.level if order.met_by(against) else None

    def _limit(self, order: WorkingOrder, *, maker: bool = True) -> None:
        """Fill a resting limit with its share of the candle's volume."""
        if order.status.closed or not order.in_book or order.limit is None:
            return
        side, candle = order.request.side, self.candle
        extreme = candle.low if side is Side.BUY else candle.high
        if not self.book.reached(order, extreme if self._whole(order) else candle.close):
            return
        most = self._beyond(side, order.limit) - self._used[side]
        self._used[side] += self.execution.fill_resting(self.book, order, candle.at_ms, most, maker=maker)

    def _beyond(self, side: Side, limit: Decimal) -> Decimal:
        """The part of the volume beyond a limit, taken as evenly spread over the range; at it too, by `touch`."""
        candle = self.candle
        grain = self.book.instrument.tick_size if self.book.touch else ZERO
        span = candle.high - candle.low + grain
        part = (limit - candle.low if side is Side.BUY else candle.high - limit) + grain
        if part >= span:
            return candle.volume
        return self.book.instrument.floor_qty(EXACT.divide(EXACT.multiply(candle.volume, part), span))

    def _whole(self, order: WorkingOrder) -> bool:
        """Whether the order was there for the whole candle."""
        return order.since_ms <= self.candle.opened_ms

    def _closable(self, side: Side) -> Decimal:
        return self.execution.account.closable(self.book.symbol, side)


def hindsight(order: WorkingOrder, candle: CandleEnd, present: Decimal) -> Decimal | None:
    """Where a reduce-only stop fills that arrives after the candle in which an opening order was filled.

    The candle's adverse extreme may have come after that fill, when the stop would have been there in a market
    without candles: if it passes the trigger, the worst of trigger, close and present price; else None.
    """
    level = order.level
    if level is None or not order.met_by(candle.low if order.falls else candle.high):
        return None
    return _worse(order, level, candle.close, present)


def _worse(order: WorkingOrder, *prices: Decimal) -> Decimal:
    return min(prices) if order.request.side is Side.SELL else max(prices)


def _openers(orders: Iterable[WorkingOrder]) -> list[WorkingOrder]:
    return [order for order in orders if not order.request.reduce_only]


def _exits(orders: Iterable[WorkingOrder]) -> list[WorkingOrder]:
    return [order for order in orders if order.request.reduce_only]
