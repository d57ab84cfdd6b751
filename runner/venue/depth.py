"""What a taker finds in the book: the market's own levels, and the users' resting orders.

Takers are MARKET orders, triggered orders and marketable limits; they pay the taker's fee.

*Taking*

T1. With quotes the opposite best price and what is displayed there, then each next tick with the same quantity again.
T2. Without quotes, sides or a slippage model the last price, for the whole quantity: spread and depth are not
    simulated.  While a candle is underway that is its open.
T3. A triggered order takes at the price that triggered it or the opposite quote, whichever is worse.  A gap through
    a trigger therefore fills at the gap's price, never at the trigger.  A take-profit gains nothing from a gap: without
    quotes it fills at its trigger, or at its limit where that is the worse.
T4. A limit takes up to its price where a spread is known; else only at better than its price (`touch`: or at it).
T5. What a MARKET or IOC order cannot take at once expires; FOK all or -5021; GTX nothing or -5022 (triggered: EXPIRED).
    A MARKET order takes no price further from the mark than the contract's bound.
T6. Where there are no quotes, trades that say which side took give bid and ask.
T7. With a slippage model and no quotes: the best price lies `half_spread_ticks` from the last (or triggering) price or
    is the side of the trades, and each level shows `depth_quote` of it, at least one step; they are `level_bps` apart.
T8. What takers took of the market's levels is missing until the symbol's next datum, or the next second.

*Meeting* (orders of users among each other)

M1. A taker takes a user's resting order where that is better than the market's own level; at an equal price the market
    goes first.  Both sides trade at the resting limit, with one trade id.
M2. Orders of one account that would meet end as the taker's mode of self-trade prevention says, EXPIRED_IN_MATCH, where
    the taker is GTC, GTD, IOC or MARKET; FOK, and NONE, trade with themselves.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from runner.domain.instrument import Instrument
from runner.domain.values import EXACT, ZERO, Rounding, Side
from runner.venue.orders import WorkingOrder
from runner.venue.settings import Slippage

_BASIS_POINT = Decimal("0.0001")


class Level(NamedTuple):
    """A price and what lies there; None is without bound."""

    price: Decimal
    qty: Decimal | None


class Queue:
    """The users' resting orders of one side, by price, then time."""

    __slots__ = ("_keys", "_orders", "side")

    def __init__(self, side: Side) -> None:
        self.side = side
        self._keys: list[tuple[Decimal, int]] = []
        self._orders: dict[int, WorkingOrder] = {}

    def __iter__(self) -> Iterator[WorkingOrder]:
        """The orders, the best first.  The queue must not change meanwhile."""
        orders = self._orders
        return (orders[place] for _, place in self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, order: WorkingOrder) -> bool:
        return order.place in self._orders

    def add(self, order: WorkingOrder) -> None:
        insort(self._keys, order.priority)
        self._orders[order.place] = order

    def remove(self, order: WorkingOrder) -> None:
        if self._orders.pop(order.place, None) is not None:
            del self._keys[bisect_left(self._keys, order.priority)]

    @property
    def best(self) -> WorkingOrder | None:
        return self._orders[self._keys[0][1]] if self._keys else None

    def crossed_by(self, price: Decimal) -> list[WorkingOrder]:
        """The orders whose limit is `price` or better than it, the best first."""
        found = []
        key = -price if self.side is Side.BUY else price
        for level, place in self._keys:
            if level > key:
                break
            found.append(self._orders[place])
        return found


def quoted_levels(best: Decimal, qty: Decimal, side: Side, tick: Decimal) -> Iterator[Level]:
    """What a taker of `side` finds behind a displayed best price: each next tick the same quantity again."""
    step = tick * side.sign
    price = best
    while price > ZERO:
        yield Level(price, qty)
        price += step


def slipping_levels(best: Decimal, side: Side, instrument: Instrument, slippage: Slippage) -> Iterator[Level]:
    """The stated model's levels for a taker of `side`, from a best price on."""
    gap = EXACT.multiply(best, EXACT.multiply(slippage.level_bps, _BASIS_POINT))
    step = max(instrument.round_price(gap, Rounding.UP), instrument.tick_size) * side.sign
    price = best
    while price > ZERO:
        shown = instrument.floor_qty(EXACT.divide(slippage.depth_quote, price))
        yield Level(price, max(shown, instrument.step_size))
        price += step


def left_of(levels: Iterator[Level], taken: Decimal) -> Iterator[Level]:
    """The levels without what was taken of them, from the best on."""
    for price, qty in levels:
        if qty is None or taken < qty:
            yield Level(price, None if qty is None else qty - taken)
            taken = ZERO
        else:
            taken -= qty


def merged(market: Iterator[Level], queue: Queue, count: int) -> list[Level]:
    """The `count` best levels of one side of the book, the users' orders among the market's."""
    levels: list[Level] = []
    users = iter(queue)
    user = next(users, None)
    level = next(market, None)
    while len(levels) < count and (user is not None or level is not None):
        ahead = user is not None and user.limit is not None and (
            level is None or (user.limit - level.price) * queue.side.sign >= ZERO
        )
        if ahead and user is not None and user.limit is not None:
            price, qty = user.limit, ZERO
            while user is not None and user.limit == price:
                qty += user.leaves
                user = next(users, None)
            if level is not None and level.price == price:
                levels.append(Level(price, None if level.qty is None else level.qty + qty))
                level = next(market, None)
            else:
                levels.append(Level(price, qty))
        elif level is not None:
            levels.append(level)
            level = next(market, None)
    return levels
