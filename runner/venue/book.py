"""One symbol on the simulated exchange: its prices, what lies in its book, and what waits for its prices."""

from collections.abc import Iterator
from decimal import Decimal

from runner.domain.instrument import Instrument
from runner.domain.values import ZERO, Rounding, Side, WorkingType
from runner.venue import refusals
from runner.venue.contracts import Contract
from runner.venue.depth import Level, Queue, left_of, merged, quoted_levels, slipping_levels
from runner.venue.market import CandleEnd, Quote
from runner.venue.orders import WaitingOrder, WorkingOrder
from runner.venue.refusals import Refusal
from runner.venue.requests import NewOrder
from runner.venue.settings import Slippage
from runner.venue.terms import PriceMatch
from runner.venue.triggers import Band, Triggers

_LAST_ALONE = (WorkingType.CONTRACT_PRICE,)
_MARK_ALONE = (WorkingType.MARK_PRICE,)
_BOTH = (WorkingType.CONTRACT_PRICE, WorkingType.MARK_PRICE)


class Book:
    """State of one symbol.

    `bid` and `ask` are where the last known sellers and buyers took, where the data have no quotes.  `holders` are the
    accounts that hold a position.  `hindsight` is the candle that ended last, with the accounts that opened something
    in it; `opened` are those of the candle underway.
    """

    __slots__ = (
        "_band", "_dented", "_taken", "ask", "asks", "bid", "bids", "contract", "hindsight", "holders", "instrument",
        "last", "mark", "opened", "quote", "slippage", "touch", "waiting",
    )

    def __init__(
        self, instrument: Instrument, contract: Contract, touch: bool = False, slippage: Slippage | None = None,
    ) -> None:
        self.instrument = instrument
        self.contract = contract
        self.touch = touch
        self.slippage = slippage
        self.last: Decimal | None = None
        self.mark: Decimal | None = None
        self.quote: Quote | None = None
        self.bid: Decimal | None = None
        self.ask: Decimal | None = None
        self.bids = Queue(Side.BUY)
        self.asks = Queue(Side.SELL)
        self.waiting = Triggers()
        self.holders: set[str] = set()
        self.opened: set[str] = set()
        self.hindsight: tuple[CandleEnd, set[str]] | None = None
        self._band: Band | None = None
        self._taken = dict.fromkeys(Side, ZERO)
        self._dented = False

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

    @property
    def real_spread(self) -> bool:
        """Whether the data say where both sides of the market are."""
        return self.quote is not None or self.bid is not None

    @property
    def spread_known(self) -> bool:
        """Whether there is a bid and an ask, be it by the stated model."""
        return self.quote is not None or self.bid is not None or self.slippage is not None

    def queue(self, side: Side) -> Queue:
        """The users' resting orders of one side."""
        return self.bids if side is Side.BUY else self.asks

    def traded(self, price: Decimal, buyer_maker: bool | None) -> None:
        """A public trade, and where it was known which side took, what it says of bid and ask."""
        self.last = price
        tick = self.instrument.tick_size
        if buyer_maker is None:
            if self.bid is not None and self.ask is not None and not self.bid <= price <= self.ask:
                self.bid = self.ask = None
        elif buyer_maker:
            self.bid = price
            self.ask = price + tick if self.ask is None or self.ask <= price else self.ask
        else:
            self.ask = price
            self.bid = price - tick if self.bid is None or self.bid >= price else self.bid

    def marked(self, price: Decimal) -> None:
        """A mark price; from the first one on the last price no longer stands in for it."""
        if self.mark is None:
            self._band = None
        self.mark = price

    def bid_ask(self) -> tuple[Decimal, Decimal]:
        """The best prices of the market, without the users' orders."""
        if self.quote is not None:
            return self.quote.bid, self.quote.ask
        if not self.spread_known:
            return self.last_px, self.last_px
        return self._best(Side.SELL, None), self._best(Side.BUY, None)

    def watches_mark(self, request: NewOrder) -> bool:
        """Whether the order is triggered by mark data; without such data the last price stands in."""
        return request.working_type is WorkingType.MARK_PRICE and self.mark is not None

    def trigger_px(self, request: NewOrder) -> Decimal:
        """The price that the order's trigger looks at: mark, last, or, with quotes alone, the side it would take."""
        if self.watches_mark(request):
            return self.mark_px
        if self.last is not None:
            return self.last
        return self.quoted.bid if request.side is Side.SELL else self.quoted.ask

    def takes(self, side: Side, seen: Decimal | None = None) -> Iterator[Level]:
        """What the market offers a taker, from the best price on, without the users' orders.

        `seen` is a price that is known to have traded (a trigger).  Against quotes or the sides of trades the taker
        gets the worse of it and the best price; elsewhere it is the price that the rest is reckoned from.
        """
        quote = self.quote
        depth = ZERO if quote is None else quote.ask_qty if side is Side.BUY else quote.bid_qty
        if depth > ZERO:
            levels = quoted_levels(self._best(side, seen), depth, side, self.instrument.tick_size)
        else:
            best = self._best(side, seen, quoted=False)
            if self.slippage is None:
                return iter((Level(best, None),))
            levels = slipping_levels(best, side, self.instrument, self.slippage)
        return left_of(levels, self._taken[side]) if self._taken[side] else levels

    def took(self, side: Side, qty: Decimal) -> bool:
        """A taker of `side` has used up so much of the market's levels; whether it is the first to do so."""
        first, self._dented = not self._dented, True
        self._taken[side] += qty
        return first

    def refill(self) -> None:
        """Let the market's levels be whole again."""
        if self._dented:
            self._dented = False
            self._taken = dict.fromkeys(Side, ZERO)

    def levels(self, side: Side, count: int) -> list[Level]:
        """The `count` best levels of the bids (BUY) or asks (SELL), users' orders among them; a quantity of None is
        without bound, which only a market without quotes and without a slippage model has."""
        return merged(self.takes(side.opposite), self.queue(side), count)

    def matched_px(self, side: Side, match: PriceMatch) -> Decimal:
        """The price that `match` stands for in an order of `side`; users' orders count as levels.

        Raises:
            Refusal: -5041 where the book has not so many levels.
        """
        opponent = match.value.startswith("OPPONENT")
        levels = self.levels(side.opposite if opponent else side, match.level)
        if len(levels) < match.level:
            raise Refusal(*refusals.NO_DEPTH)
        return levels[-1].price

    def within(self, order: WorkingOrder, price: Decimal, seen: Decimal | None = None) -> bool:
        """Whether the order takes from the market at `price`: where the spread is known at its limit or better; else
        only at better than its limit (or at it, by `touch`).  At market: inside the bound around the mark."""
        limit = order.limit
        if limit is None:
            return self.bounded(order.side, price, seen)
        if order.side is Side.BUY:
            return price < limit or (price == limit and (self.touch or self.spread_known))
        return price > limit or (price == limit and (self.touch or self.spread_known))

    def bounded(self, side: Side, price: Decimal, seen: Decimal | None) -> bool:
        """Whether an order at market may trade at `price`; without mark data the price seen stands for the mark."""
        mark = seen if seen is not None and self.mark is None else self.mark_px
        away = mark * self.contract.take_bound * side.sign
        return (mark + away - price) * side.sign >= ZERO

    def meets(self, order: WorkingOrder, rival: WorkingOrder, seen: Decimal | None = None) -> bool:
        """Whether the order may take at a user's limit."""
        price = rival.limit
        if price is None:
            return False
        if order.limit is None:
            return self.bounded(order.side, price, seen)
        return (order.limit - price) * order.side.sign >= ZERO

    def reached(self, order: WorkingOrder, price: Decimal) -> bool:
        """Whether a trade at `price` fills a resting limit: through it, or at it by `touch`."""
        limit = order.limit
        if limit is None:
            return False
        if price == limit:
            return self.touch
        return price < limit if order.side is Side.BUY else price > limit

    def rest(self, order: WorkingOrder) -> None:
        self.queue(order.side).add(order)
        self._band = None

    def leave(self, order: WorkingOrder) -> None:
        self.queue(order.side).remove(order)
        self._band = None

    def wait(self, order: WaitingOrder) -> None:
        self.waiting.add(order)
        self._band = None

    def unwait(self, order: WaitingOrder) -> None:
        self.waiting.remove(order)
        self._band = None

    def changed(self) -> None:
        """A level is another now: `quiet` has to look again."""
        self._band = None

    def quiet(self, low: Decimal, high: Decimal) -> bool:
        """Whether no order can be touched by last prices from `low` to `high`."""
        band = self._band
        if band is None:
            band = self._band = self._levels()
        return band[0] < low and high < band[1]

    def touched(self, low: Decimal, high: Decimal) -> list[WaitingOrder]:
        """The conditional orders that last prices from `low` to `high` may trigger."""
        return self.waiting.touched(low, high, self._last_kinds) if self.waiting else []

    def touched_by_mark(self, mark: Decimal) -> list[WaitingOrder]:
        """The conditional orders that this mark may trigger."""
        return self.waiting.touched(mark, mark, _MARK_ALONE) if self.waiting else []

    @property
    def _last_kinds(self) -> tuple[WorkingType, ...]:
        return _BOTH if self.mark is None else _LAST_ALONE

    def _levels(self) -> Band:
        """The highest level that a fall, and the lowest that a rise, does something at."""
        floor, ceiling = self.waiting.band(self._last_kinds)
        bid, ask = self.bids.best, self.asks.best
        if bid is not None and bid.limit is not None:
            floor = max(floor, bid.limit)
        if ask is not None and ask.limit is not None:
            ceiling = min(ceiling, ask.limit)
        return floor, ceiling

    def _best(self, side: Side, seen: Decimal | None, *, quoted: bool = True) -> Decimal:
        """The market's best price for a taker of `side`; `quoted=False` passes over a quote that shows nothing."""
        quote = self.quote
        tick = self.instrument.tick_size
        if quote is not None and quoted:
            best = quote.ask if side is Side.BUY else quote.bid
        elif self.bid is not None and self.ask is not None:
            best = self.ask if side is Side.BUY else self.bid
        else:
            anchor = self.last_px if seen is None else seen
            if self.slippage is None:
                return anchor
            rounded = self.instrument.round_price(anchor, Rounding.UP if side is Side.BUY else Rounding.DOWN)
            return max(rounded + side.sign * self.slippage.half_spread_ticks * tick, tick)
        if seen is None:
            return best
        return max(best, seen) if side is Side.BUY else min(best, seen)
