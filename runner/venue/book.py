"""One symbol on the simulated exchange: its prices, its working orders, and the candle that is underway."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal

from runner.domain.events import OrderReport
from runner.domain.instrument import Instrument
from runner.domain.orders import OrderRequest, OrderStatus
from runner.domain.values import EXACT, ONE, ZERO, OrderType, Rounding, Side, WorkingType
from runner.venue.account import booked
from runner.venue.market import CandleEnd, Quote

_LOWEST = Decimal("-Infinity")
_HIGHEST = Decimal("Infinity")
_PERCENT = Decimal(100)


@dataclass(slots=True)
class WorkingOrder:
    """An order that the exchange has accepted and not ended.

    `in_book` is whether it lies in the matching engine: a LIMIT, or a conditional order that has triggered.
    `extreme` and `active` belong to trailing stops: the best price since activation, and whether it is activated.
    """

    request: OrderRequest
    order_id: str
    since_ms: int
    in_book: bool
    status: OrderStatus = OrderStatus.NEW
    filled_qty: Decimal = ZERO
    cost: Decimal = ZERO
    active: bool = False
    extreme: Decimal = ZERO

    @property
    def leaves(self) -> Decimal:
        return self.request.quantity - self.filled_qty

    @property
    def limit(self) -> Decimal | None:
        return self.request.price if self.request.order_type.limited else None

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
        """Whether a conditional order is triggered by this price."""
        level = self.level
        return level is not None and (price <= level if self.falls else price >= level)

    def follow(self, price: Decimal) -> None:
        """Let a trailing stop see a price: activate it, or carry its extreme along."""
        start = self.request.activation_price
        if not self.active:
            reached = start is None or (price >= start if self.falls else price <= start)
            if reached:
                self.active, self.extreme = True, price
        else:
            self.extreme = max(self.extreme, price) if self.falls else min(self.extreme, price)

    def report(self, at_ms: int, mark: Decimal | None = None, reason: str = "") -> OrderReport:
        average = None
        if self.filled_qty > ZERO:
            average = booked(EXACT.divide(self.cost, self.filled_qty), ROUND_HALF_EVEN)
        return OrderReport(
            at_ms, self.request.symbol, self.request.client_order_id, self.order_id, self.status, self.filled_qty,
            average, mark, reason,
        )


@dataclass(slots=True)
class Book:
    """State of one symbol.  `finished` keeps the last report of each ended order, by client order id.

    `hindsight` is the candle that ended last, if an order that opens was filled in it; `opened_in_candle` says so of
    the candle underway, which began at `candle_ms`.
    """

    instrument: Instrument
    touch: bool
    last: Decimal | None = None
    mark: Decimal | None = None
    quote: Quote | None = None
    orders: dict[str, WorkingOrder] = field(default_factory=dict)
    finished: dict[str, OrderReport] = field(default_factory=dict)
    opened_in_candle: bool = False
    hindsight: CandleEnd | None = None
    _band: tuple[Decimal, Decimal] | None = None

    @property
    def symbol(self) -> str:
        return self.instrument.symbol

    @property
    def last_px(self) -> Decimal:
        """The last price, or midway in the quote where there are no trades."""
        if self.last is not None:
            return self.last
        quote = self.quoted
        return self.instrument.round_price((quote.bid + quote.ask) / 2, Rounding.DOWN)

    @property
    def mark_px(self) -> Decimal:
        return self.mark if self.mark is not None else self.last_px

    @property
    def quoted(self) -> Quote:
        """The quote; only where there is one, which is wherever there is no last price."""
        if self.quote is None:
            raise ValueError(f"no price of {self.symbol} is known yet; begin the exchange with its first datum")
        return self.quote

    def bid_ask(self) -> tuple[Decimal, Decimal]:
        if self.quote is not None:
            return self.quote.bid, self.quote.ask
        return self.last_px, self.last_px

    def watches_mark(self, request: OrderRequest) -> bool:
        """Whether the order is triggered by mark data; without such data the last price stands in."""
        return request.working_type is WorkingType.MARK_PRICE and self.mark is not None

    def trigger_px(self, request: OrderRequest) -> Decimal:
        """The price that the order's trigger looks at: mark, last, or, with quotes alone, the side it would take."""
        if self.watches_mark(request):
            return self.mark_px
        if self.last is not None:
            return self.last
        return self.quoted.bid if request.side is Side.SELL else self.quoted.ask

    def takes(self, side: Side, seen: Decimal | None = None) -> Iterator[tuple[Decimal, Decimal | None]]:
        """The prices a taker pays and how much of it, from the best on; None is without bound.

        `seen` is a price that is known to have traded (a trigger); the taker gets the worse of it and the quote.
        """
        quote = self.quote
        depth = ZERO if quote is None else quote.ask_qty if side is Side.BUY else quote.bid_qty
        if quote is None or depth <= ZERO:
            yield (self.last_px if seen is None else seen), None
            return
        price = quote.ask if side is Side.BUY else quote.bid
        if seen is not None:
            price = max(price, seen) if side is Side.BUY else min(price, seen)
        step = self.instrument.tick_size * side.sign
        while price > ZERO:
            yield price, depth
            price += step

    def within(self, order: WorkingOrder, price: Decimal) -> bool:
        """Whether the order takes at `price`: against a quote at its limit or better; against trades alone, whose
        spread is not known, only at better than its limit (or at it, by `touch`)."""
        limit = order.limit
        if limit is None:
            up, down = self.instrument.multiplier_up, self.instrument.multiplier_down
            return price <= self.mark_px * up if order.request.side is Side.BUY else price >= self.mark_px * down
        if order.request.side is Side.BUY:
            return price < limit or (price == limit and (self.touch or self.quote is not None))
        return price > limit or (price == limit and (self.touch or self.quote is not None))

    def takeable(self, order: WorkingOrder, seen: Decimal | None = None) -> Decimal:
        """How much of what the order leaves it could take at once."""
        taken = ZERO
        for price, depth in self.takes(order.request.side, seen):
            if taken >= order.leaves or not self.within(order, price):
                break
            taken = order.leaves if depth is None else min(order.leaves, taken + depth)
        return taken

    def reached(self, order: WorkingOrder, price: Decimal) -> bool:
        """Whether a trade at `price` fills a resting limit: through it, or at it by `touch`."""
        limit = order.limit
        if limit is None:
            return False
        if price == limit:
            return self.touch
        return price < limit if order.request.side is Side.BUY else price > limit

    def changed(self) -> None:
        """The set of orders, or one of their levels, is another now: `quiet` has to look again."""
        self._band = None

    def quiet(self, low: Decimal, high: Decimal) -> bool:
        """Whether no order can be touched by prices from `low` to `high`."""
        band = self._band
        if band is None:
            band = self._band = self._levels()
        return band[0] < low and high < band[1]

    def _levels(self) -> tuple[Decimal, Decimal]:
        """The highest level that a fall, and the lowest that a rise, does something at."""
        floor, ceiling = _LOWEST, _HIGHEST
        for order in self.orders.values():
            below, above = _reach(order)
            floor = floor if below is None else max(floor, below)
            ceiling = ceiling if above is None else min(ceiling, above)
        return floor, ceiling


def _reach(order: WorkingOrder) -> tuple[Decimal | None, Decimal | None]:
    """The levels at which an order reacts to a fall and to a rise; a trailing stop also follows its extreme."""
    if order.in_book:
        level, other, falls = order.limit, None, order.request.side is Side.BUY
    elif order.trailing and not order.active:
        level, other, falls = None, order.request.activation_price, order.falls
    else:
        level, other, falls = order.level, order.extreme if order.trailing else None, order.falls
    return (level, other) if falls else (other, level)
