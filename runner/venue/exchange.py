"""The simulated exchange: requests and market data in, domain events out.  Pure, and not of our opinion.

It knows orders, one-way positions and one account, and nothing of plans, groups or brackets.  Instants of the events
are the exchange's own; whoever carries them adds the latency.  Every rule errs against the user.

*Arrival*

A1. Before its first datum a symbol stands at that datum's price.
A2. Refusals carry Binance's code, leave no trace, and are judged in this order: symbol, duplicate client id among
    open orders, parameters, quantity, price, percent band, notional, number of orders, then for a conditional
    order its trigger, for others reduce-only, FOK and GTX, margin.
A3. A conditional order is not judged on margin or position until it triggers; then REJECTED.
A4. -2021 where the trigger is already met by the present price.
A5. A reduce-only order is refused while the account is flat or on the same side; -2022.

*Taking* (MARKET, triggered orders, marketable limits; the taker's fee)

T1. With quotes the opposite best price and what is displayed there, then each next tick with the same quantity again.
T2. Without quotes the last price, for the whole quantity: spread and depth are not simulated.  While a candle is
    underway that is its open.
T3. A triggered order takes at the price that triggered it or the opposite quote, whichever is worse.  A gap through
    a trigger therefore fills at the gap's price, never at the trigger.  A take-profit gains nothing from a gap: without
    quotes it fills at its trigger, or at its limit where that is the worse.
T4. A limit takes from quotes up to its price; without quotes only at better than its price (`touch`: or at it).
T5. What a MARKET or IOC order cannot take at once expires; FOK all or -5021; GTX nothing or -5022 (triggered: EXPIRED).
    A MARKET order takes no price outside the percent band.

*Resting* (the maker's fee)

R1. A resting limit fills when the price trades through it (`touch`: or at it), at its own price, never better.
R2. Against trades it fills by at most the quantity of the trade, shared between our orders by price, then time.
R3. Where there are quotes but no trades, the opposite quote stands for a trade of the displayed quantity.
R4. Points (paths, invented markets) have no quantity and fill it whole.

*Triggers*

C1. The last price, or the mark for MARK_PRICE where there are mark data; with quotes alone the side that the order
    would take.
C2. Of orders that one price triggers, stops go first, then the order of arrival.
C3. A reduce-only order that triggers while the account is flat ends REJECTED, `Reduce Only reject`.
C4. A trailing stop follows the best price since its activation.

*Reduce-only*

O1. It fills up to flat, and what is left then expires; a position is never flipped by it.
O2. When the position shrinks, resting reduce-only orders wholly beyond it expire, worst priced first; when it is flat,
    all of them.
O3. A new reduce-only LIMIT is refused, -2022, while the resting ones of its side already cover the position.

*Candles*

K1. A candle is two data: its open, a price, and its end.  At the open triggers are met by a gap (T3); resting limits
    wait for the end, when the volume is known.
K2. An order that was there for the whole candle is judged on its range: triggers fill at the trigger, limits as in K3.
    What fills in the candle of its own trigger pays the taker's fee.
K3. A resting limit gets at most the share of the volume beyond its price, volume × (P − low) / (high − low) for a
    buy, floored on the step; all of it when the whole candle is through.
K4. An order that came while the candle was underway sees the close alone; a reduce-only stop sees the adverse
    extreme, and then fills at its trigger or the close, whichever is worse.
K5. Openers go first, then reduce-only stops, then what closes at a profit: never what this candle opened, and nothing
    once a stop has made the position flat.
K6. A reduce-only stop that arrives before the next candle's end, where an opening order was filled in the candle just
    ended, is tested against that candle's adverse extreme: if passed, it is accepted and at once triggered, at the
    worst of its trigger, that close and the present price.
K7. A trailing stop is tested at its old level first, then follows the candle's better extreme, then is tested again.
K8. The fill time is the candle's end.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import assert_never

from runner.domain.events import Action, CommandRejected, Event, OrderNotFound, OrderReport
from runner.domain.instrument import Instrument
from runner.domain.orders import OrderRequest, OrderStatus
from runner.domain.positions import Position
from runner.domain.values import ZERO, Side, total
from runner.venue import filters
from runner.venue.account import Account
from runner.venue.book import Book, WorkingOrder
from runner.venue.candles import CandleJudge, hindsight
from runner.venue.execution import Execution, priority, refused_at_once
from runner.venue.market import CandleEnd, CandleOpen, Datum, Mark, Point, Quote, Trade
from runner.venue.settings import VenueSettings

Facts = tuple[Event, ...]


class Exchange:
    """One account on one exchange.  `begin` each symbol, then feed data and requests in the order of time."""

    def __init__(self, instruments: Mapping[str, Instrument], settings: VenueSettings) -> None:
        self.account = Account(settings.balance, settings.leverage, settings.maker_fee, settings.taker_fee)
        self.books = {name: Book(rules, settings.fill_on_touch) for name, rules in instruments.items()}
        self._execution = Execution(self.account, self.books)
        self._initial = {position.symbol: position for position in settings.positions}
        self._orders = 0
        self._kinds: set[type[Datum]] = set()

    def begin(self, first: Datum) -> None:
        """Let a symbol stand at the price of its first datum, with what the account holds of it from the start."""
        book = self.books[first.symbol]
        match first:
            case CandleOpen() | Trade() | Point() | Mark():
                book.last = first.price
            case CandleEnd():
                book.last = first.open
            case Quote():
                book.quote = first
            case _:
                assert_never(first)
        position = self._initial.pop(first.symbol, None)
        if position is not None:
            entry = position.entry_px or book.last_px
            self.account.positions[first.symbol] = position.but(entry_px=entry)

    def place(self, request: OrderRequest, at_ms: int) -> Facts:
        """Take a request: the order's reports and trades, or one `CommandRejected`."""
        book = self.books.get(request.symbol)
        if book is None:
            return (_rejected(request, at_ms, Action.PLACE, filters.UNKNOWN_SYMBOL),)
        self._orders += 1
        order = WorkingOrder(request, f"FAKE-{self._orders}", at_ms, in_book=not request.order_type.conditional)
        backdated = self._hindsight(book, order)
        refusal = self._refusal(book, order, judge_trigger=backdated is None)
        if refusal is not None:
            self._orders -= 1
            return (_rejected(request, at_ms, Action.PLACE, refusal),)
        self._execution.accept(book, order, at_ms)
        if order.in_book:
            self._execution.take(book, order, at_ms)
        elif backdated is not None:
            self._execution.trigger(book, order, at_ms, backdated)
        return self._told()

    def cancel(self, symbol: str, client_order_id: str, at_ms: int) -> Facts:
        """End a working order; -2011 where there is none by that id."""
        book = self.books.get(symbol)
        order = None if book is None else book.orders.get(client_order_id)
        if book is None or order is None:
            refusal = filters.UNKNOWN_SYMBOL if book is None else filters.UNKNOWN_ORDER
            return (CommandRejected(at_ms, symbol, client_order_id, Action.CANCEL, refusal.code, refusal.message),)
        self._execution.end(book, order, OrderStatus.CANCELED, at_ms)
        return self._told()

    def query(self, symbol: str, client_order_id: str, at_ms: int) -> OrderReport | OrderNotFound:
        """The order by its client id, working or ended; the latest one where an id was used again."""
        book = self.books.get(symbol)
        if book is not None and client_order_id in book.orders:
            return book.orders[client_order_id].report(at_ms, book.mark_px)
        if book is not None and client_order_id in book.finished:
            return book.finished[client_order_id].but(at_ms=at_ms)
        return OrderNotFound(at_ms, symbol, client_order_id)

    def position(self, symbol: str) -> Position:
        return self.account.position(symbol)

    def unrealised(self) -> Decimal:
        """Profit of all open positions at the mark, in quote units, before fees."""
        return self._execution.unrealised()

    def open_orders(self, at_ms: int) -> tuple[OrderReport, ...]:
        return tuple(
            order.report(at_ms, book.mark_px) for book in self.books.values() for order in book.orders.values()
        )

    def on_market(self, datum: Datum) -> Facts:
        """Let one market datum act; data of all symbols come in the order of time."""
        book = self.books[datum.symbol]
        self._kinds.add(type(datum))
        match datum:
            case CandleEnd():
                self._candle_end(book, datum)
            case CandleOpen():
                book.last = datum.price
                if not book.quiet(datum.price, datum.price):
                    self._triggers(book, datum.at_ms)
            case Trade():
                self._traded(book, datum.at_ms, datum.price, datum.qty)
            case Point():
                self._traded(book, datum.at_ms, datum.price, None)
            case Quote():
                self._quoted(book, datum)
            case Mark():
                book.mark = datum.price
                self._triggers(book, datum.at_ms)
            case _:
                assert_never(datum)
        return self._told()

    def not_simulated(self) -> tuple[str, ...]:
        """What of a real market was missing in this run, in words, after the data seen so far."""
        missing = ["funding", "liquidation", "queue position"]
        if Quote in self._kinds:
            missing.append("depth beyond the best quote")
        else:
            missing += ["spread", "book depth"]
        if CandleEnd in self._kinds:
            missing.append("the way of the price inside a candle")
        if Point in self._kinds:
            missing.append("traded volume")
        return tuple(missing)

    def _refusal(self, book: Book, order: WorkingOrder, *, judge_trigger: bool) -> filters.Refusal | None:
        request = order.request
        if request.client_order_id in book.orders:
            return filters.DUPLICATE_ID
        best = next(price for price, _ in book.takes(request.side))
        broken = filters.refusal(request, book.instrument, book.mark_px, best) or self._too_many(book, order)
        if broken is not None:
            return broken
        if not order.in_book:
            return self._trigger_refusal(book, order) if judge_trigger else None
        if request.reduce_only and not self._reducible(book, order):
            return filters.REDUCE_ONLY
        refused = refused_at_once(book, order)
        if refused is not None:
            return refused
        return filters.NO_MARGIN if self._execution.lacks_margin(book, request, best) else None

    def _too_many(self, book: Book, order: WorkingOrder) -> filters.Refusal | None:
        if not order.in_book:
            waiting = sum(not other.in_book for each in self.books.values() for other in each.orders.values())
            return filters.TOO_MANY_STOPS if waiting >= filters.MAX_CONDITIONAL else None
        resting = sum(other.in_book for other in book.orders.values())
        return filters.TOO_MANY_ORDERS if resting >= book.instrument.max_num_orders else None

    def _reducible(self, book: Book, order: WorkingOrder) -> bool:
        """Whether there is something to reduce, that resting orders do not reduce already where this one would rest."""
        closable = self.account.closable(book.symbol, order.request.side)
        if order.limit is None:
            return closable > ZERO
        resting = total(
            other.leaves for other in book.orders.values()
            if other.in_book and other.request.reduce_only and other.request.side is order.request.side
        )
        return closable > resting

    def _trigger_refusal(self, book: Book, order: WorkingOrder) -> filters.Refusal | None:
        """-2021, and a trailing stop set to its starting point."""
        present = book.trigger_px(order.request)
        start = order.request.activation_price
        if order.trailing:
            order.follow(present)
            # An activation price that is reached already would be none.
            return filters.WOULD_TRIGGER if start is not None and order.active else None
        return filters.WOULD_TRIGGER if order.met_by(present) else None

    def _hindsight(self, book: Book, order: WorkingOrder) -> Decimal | None:
        request = order.request
        if book.hindsight is None or not request.reduce_only or not request.order_type.stop_like:
            return None
        if book.watches_mark(request) or not self.account.closable(book.symbol, request.side):
            return None
        if order.trailing:
            order.follow(book.trigger_px(request))
        return hindsight(order, book.hindsight, book.last_px)

    def _candle_end(self, book: Book, candle: CandleEnd) -> None:
        if not book.quiet(candle.low, candle.high):
            CandleJudge(self._execution, book, candle).run()
            book.changed()
        book.last = candle.close
        book.hindsight = candle if book.opened_in_candle else None
        book.opened_in_candle = False

    def _traded(self, book: Book, at_ms: int, price: Decimal, qty: Decimal | None) -> None:
        book.last = price
        if not book.quiet(price, price):
            for side in Side:
                self._rest_against(book, at_ms, side, price, qty)
            self._triggers(book, at_ms)

    def _quoted(self, book: Book, quote: Quote) -> None:
        book.quote = quote
        if book.last is None and not book.quiet(quote.bid, quote.ask):
            self._rest_against(book, quote.at_ms, Side.BUY, quote.ask, quote.ask_qty)
            self._rest_against(book, quote.at_ms, Side.SELL, quote.bid, quote.bid_qty)
            self._triggers(book, quote.at_ms)

    def _rest_against(self, book: Book, at_ms: int, side: Side, price: Decimal, qty: Decimal | None) -> None:
        """Fill what rests on `side` by a trade at `price`, by no more than `qty` in all."""
        resting = [order for order in book.orders.values() if order.in_book and order.request.side is side]
        for order in sorted(resting, key=priority):
            if not order.status.closed and book.reached(order, price):
                filled = self._execution.fill_resting(book, order, at_ms, order.leaves if qty is None else qty)
                qty = None if qty is None else qty - filled

    def _triggers(self, book: Book, at_ms: int) -> None:
        """Let the present price act on the conditional orders: stops first."""
        waiting = [order for order in book.orders.values() if not order.in_book]
        for order in sorted(waiting, key=lambda order: not order.request.order_type.stop_like):
            present = book.trigger_px(order.request)
            if order.trailing:
                order.follow(present)
            if not order.status.closed and order.met_by(present):
                # A mark that triggers is no trade: the order then takes what the market offers.
                seen = book.last_px if book.watches_mark(order.request) else present
                self._execution.trigger(book, order, at_ms, seen)
        book.changed()

    def _told(self) -> Facts:
        facts = self._execution.facts
        if not facts:
            return ()
        self._execution.facts = []
        return tuple(facts)


def _rejected(request: OrderRequest, at_ms: int, action: Action, refusal: filters.Refusal) -> CommandRejected:
    return CommandRejected(at_ms, request.symbol, request.client_order_id, action, refusal.code, refusal.message)
