"""How orders are judged on a candle, of whose inside nothing is known but its range and its volume.

The order of things inside a candle is not known, so it is taken as it hurts.

K1. A candle is two data: its open, a price, and its end.  At the open triggers are met by a gap (T3); resting limits
    wait for the end, when the volume is known.
K2. An order that was there for the whole candle is judged on its range: triggers fill at the trigger, limits as in K3.
    What fills in the candle of its own trigger pays the taker's fee.
K3. A resting limit gets at most the share of the volume beyond its price, volume × (P − low) / (high − low) for a
    buy, floored on the step; all of it when the whole candle is through.
K4. An order that came while the candle was underway sees the close alone; a stop that only closes sees the adverse
    extreme, and then fills at its trigger or the close, whichever is worse.
K5. Openers go first, then stops that only close, the nearest first, then what closes at a profit: never what this
    candle opened, and nothing once a stop has made the position flat.  What closes at a profit without being
    reduce-only goes after the stops too, and opens where they have made it flat.
K6. A stop that only closes and arrives before the next candle's end, where an opening order of its account was filled
    in the candle just ended, is tested against that candle's adverse extreme: if passed, it is accepted and at once
    triggered, at the worst of its trigger, that close and the present price.
K7. A trailing stop is tested at its old level first, then follows the candle's better extreme, then is tested again.
K8. The fill time is the candle's end.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import TypeVar, Union

from runner.domain.values import EXACT, ZERO, Side
from runner.venue.algo import AlgoService
from runner.venue.book import Book
from runner.venue.execution import Execution
from runner.venue.market import CandleEnd
from runner.venue.orders import WaitingOrder, WorkingOrder
from runner.venue.terms import AlgoStatus, PositionSide

Order = Union[WorkingOrder, WaitingOrder]
_O = TypeVar("_O", WorkingOrder, WaitingOrder)
_Holding = tuple[str, PositionSide, Side]
"""An account, one of its positions, and the side that closes it."""


class CandleJudge:
    """Lets one candle that has just ended act on the orders of its symbol."""

    def __init__(self, execution: Execution, algo: AlgoService, book: Book, candle: CandleEnd) -> None:
        self.execution = execution
        self.algo = algo
        self.book = book
        self.candle = candle
        self._used = dict.fromkeys(Side, ZERO)

    def run(self) -> None:
        book, candle = self.book, self.candle
        waiting = book.touched(candle.low, candle.high)
        # What rested before the candle; what triggers in it is judged where it triggers.
        resting = sorted(
            [*book.bids.crossed_by(candle.low), *book.asks.crossed_by(candle.high)], key=lambda order: order.priority,
        )
        touched: list[Order] = [*waiting, *resting]
        held = {_position(order): self._closable(order) for order in touched}
        stops = [order for order in waiting if order.request.order_type.stop_like]
        others = [order for order in waiting if not order.request.order_type.stop_like]
        profits: list[Order] = [*_openers(others), *_openers(resting)]
        last = [order for order in profits if _shrinks(order, held)]
        for order in (*_openers(stops), *_openers(others)):
            if order not in last:
                self._conditional(order)
        for limit in _openers(resting):
            if limit not in last:
                self._limit(limit)
        for order in sorted(_exits(stops), key=_reached_first):
            self._conditional(order)
        self._liquidate(candle.low, candle.high)
        for late in last:
            self._execute(late)
        self._profits([*_exits(resting), *_exits(others)], held)

    def _profits(self, orders: list[Order], held: dict[_Holding, Decimal]) -> None:
        """What closes at a profit: only what was `held` before the candle, and only if no stop has closed it."""
        was_open = {position for position, qty in held.items() if qty > ZERO}
        for order in orders:
            position, now = _position(order), self._closable(order)
            if (position in was_open and not now) or min(_wanted(order, now), now) > held[position]:
                continue
            held[position] -= self._execute(order)

    def _execute(self, order: Order) -> Decimal:
        """Let the candle act on an order of either world; how much it executed."""
        return self._limit(order) if isinstance(order, WorkingOrder) else self._conditional(order)

    def _conditional(self, order: WaitingOrder) -> Decimal:
        """Trigger an order where the candle meets its trigger; how much it executed."""
        if order.status.closed or self.book.watches_mark(order.request):
            return ZERO
        seen = self._trailed(order) if order.trailing else self._crossed(order)
        if seen is None or self.algo.held_back(self.book, order):
            return ZERO
        if order.exits and order.request.order_type.stop_like:
            self._liquidate(seen, seen)
            if order.status is not AlgoStatus.NEW:
                return ZERO
        placed = self.algo.trigger(self.book, order, seen)
        if placed is None:
            return ZERO
        if self._whole(order) and order.request.order_type.take_profit_like:
            # From its trigger on, the price went on to the extreme: what the triggered limit had before it.
            self._limit(placed, maker=False, whole=True)
        return placed.filled_qty

    def _crossed(self, order: WaitingOrder) -> Decimal | None:
        """The price at which the order's fixed trigger is met, or None."""
        level, candle = order.level, self.candle
        if level is None:
            return None
        extreme = candle.low if order.falls else candle.high
        if self._whole(order):
            return level if order.met_by(extreme) else None
        if order.exits and order.request.order_type.stop_like:
            return _worse(order, level, candle.close) if order.met_by(extreme) else None
        return candle.close if order.met_by(candle.close) else None

    def _trailed(self, order: WaitingOrder) -> Decimal | None:
        """As `_crossed`, for a trailing stop: its old level first, then the one that the candle's extreme makes."""
        candle = self.candle
        against, along = (candle.low, candle.high) if order.falls else (candle.high, candle.low)
        level = order.level
        if not self._whole(order):
            sees = against if order.exits else candle.close
            if level is not None and order.met_by(sees):
                return _worse(order, level, candle.close)
            self.algo.follow(self.book, order, candle.close)
            return None
        if level is not None and order.met_by(against):
            return level
        self.algo.follow(self.book, order, along)
        return order.level if order.met_by(against) else None

    def _limit(self, order: WorkingOrder, *, maker: bool = True, whole: bool = False) -> Decimal:
        """Fill a resting limit with its share of the candle's volume; how much."""
        if order.status.closed or order.limit is None:
            return ZERO
        side, candle = order.side, self.candle
        extreme = candle.low if side is Side.BUY else candle.high
        if not self.book.reached(order, extreme if whole or self._whole(order) else candle.close):
            return ZERO
        most = self._beyond(side, order.limit) - self._used[side]
        filled = self.execution.fill_resting(self.book, order, most, maker=maker)
        self._used[side] += filled
        return filled

    def _beyond(self, side: Side, limit: Decimal) -> Decimal:
        """The part of the volume beyond a limit, taken as evenly spread over the range; at it too, by `touch`."""
        candle = self.candle
        grain = self.book.instrument.tick_size if self.book.touch else ZERO
        span = candle.high - candle.low + grain
        part = (limit - candle.low if side is Side.BUY else candle.high - limit) + grain
        if part >= span:
            return candle.volume
        return self.book.instrument.floor_qty(EXACT.divide(EXACT.multiply(candle.volume, part), span))

    def _liquidate(self, low: Decimal, high: Decimal) -> None:
        """Let the last price have been there, where it is the mark too."""
        if self.book.mark is None:
            self.execution.liquidator.check(self.book.symbol, low, high, self.candle.at_ms)

    def _whole(self, order: Order) -> bool:
        """Whether the order was there for the whole candle."""
        return order.since_ms <= self.candle.opened_ms

    def _closable(self, order: Order) -> Decimal:
        account = self.execution.accounts[order.account]
        return account.closable(self.book.symbol, order.request.position_side, order.side)


def hindsight(order: WaitingOrder, candle: CandleEnd, present: Decimal) -> Decimal | None:
    """Where a stop that only closes fills that arrives after the candle in which an opening order was filled.

    The candle's adverse extreme may have come after that fill, when the stop would have been there in a market
    without candles: if it passes the trigger, the worst of trigger, close and present price; else None.
    """
    level = order.level
    if level is None or not order.met_by(candle.low if order.falls else candle.high):
        return None
    return _worse(order, level, candle.close, present)


def _worse(order: WaitingOrder, *prices: Decimal) -> Decimal:
    return min(prices) if order.side is Side.SELL else max(prices)


def _reached_first(order: WaitingOrder) -> tuple[Decimal, int]:
    """Of stops that sell the highest comes first, of stops that buy the lowest."""
    level = order.level or ZERO
    return (-level if order.falls else level), order.place


def _wanted(order: Order, closable: Decimal) -> Decimal:
    """How much the order would execute."""
    if isinstance(order, WorkingOrder):
        return order.leaves
    return closable if order.request.close_position else order.request.quantity


def _shrinks(order: Order, held: dict[_Holding, Decimal]) -> bool:
    """Whether an order that may open is no larger than the position that it found on the other side."""
    return _wanted(order, ZERO) <= held[_position(order)]


def _position(order: Order) -> _Holding:
    return order.account, order.request.position_side, order.side


def _openers(orders: Iterable[_O]) -> list[_O]:
    return [order for order in orders if not order.exits]


def _exits(orders: Iterable[_O]) -> list[_O]:
    return [order for order in orders if order.exits]
