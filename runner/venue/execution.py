"""What can happen to an order inside the exchange: taking, filling, triggering, ending.

Rules of matching are listed in `runner.venue.exchange`.  Every change is told as a domain event in `facts`.
"""

from collections.abc import Mapping
from decimal import Decimal

from runner.domain.events import Event, TradeReport
from runner.domain.orders import OrderRequest, OrderStatus
from runner.domain.values import EXACT, ZERO, Rounding, Side, TimeInForce
from runner.venue.account import Account, Claim, initial_margin
from runner.venue.book import Book, WorkingOrder
from runner.venue.filters import NO_FILL_OR_KILL, WOULD_TAKE, Refusal

BY_SYSTEM = "Reduce Only expired"
REDUCE_ONLY_REJECT = "Reduce Only reject"
NO_MARGIN_REJECT = "Margin is insufficient."
NOT_FILLABLE = "Unfilled rest expired"
_AT_ONCE = (TimeInForce.IOC, TimeInForce.FOK)


class Execution:
    """Executes orders against one account and its books; collects what happened in `facts`."""

    def __init__(self, account: Account, books: Mapping[str, Book]) -> None:
        self.account = account
        self.books = books
        self.facts: list[Event] = []
        self._trades = 0

    def tell(self, book: Book, order: WorkingOrder, at_ms: int, reason: str = "") -> None:
        self.facts.append(order.report(at_ms, book.mark_px, reason))

    def accept(self, book: Book, order: WorkingOrder, at_ms: int) -> None:
        book.orders[order.request.client_order_id] = order
        book.changed()
        self.tell(book, order, at_ms)

    def end(self, book: Book, order: WorkingOrder, status: OrderStatus, at_ms: int, reason: str = "") -> None:
        """The order is over: told, remembered for queries, and no longer working."""
        order.status = status
        self._forget(book, order, at_ms, reason)
        self.tell(book, order, at_ms, reason)

    def fill(self, book: Book, order: WorkingOrder, price: Decimal, qty: Decimal, at_ms: int, *, maker: bool) -> None:
        """One execution; what reduce-only leaves beyond the position is ended by `settle`, once a sweep is over."""
        request = order.request
        booking = self.account.book(book.symbol, request.side, qty, price, maker)
        book.opened_in_candle = book.opened_in_candle or booking.grew
        order.filled_qty += qty
        order.cost = EXACT.add(order.cost, EXACT.multiply(price, qty))
        order.status = OrderStatus.PARTIALLY_FILLED if order.leaves else OrderStatus.FILLED
        self._trades += 1
        self.facts.append(TradeReport(
            at_ms, book.symbol, request.client_order_id, order.order_id, str(self._trades), request.side, qty, price,
            booking.fee, book.instrument.quote_asset, booking.realized, maker,
        ))
        if order.status.closed:
            self._forget(book, order, at_ms, "")
        self.tell(book, order, at_ms)

    def take(self, book: Book, order: WorkingOrder, at_ms: int, seen: Decimal | None = None) -> None:
        """Execute at once what the order can take; `seen` as in `Book.takes`.  What is left rests or expires."""
        request = order.request
        wanted = order.leaves
        if request.reduce_only:
            wanted = min(wanted, self.account.closable(book.symbol, request.side))
        for price, depth in book.takes(request.side, seen):
            if wanted <= ZERO or not book.within(order, price):
                break
            qty = wanted if depth is None else min(wanted, depth)
            self.fill(book, order, price, qty, at_ms, maker=False)
            wanted -= qty
        self.settle(book, at_ms)
        if not order.status.closed and (order.limit is None or request.time_in_force in _AT_ONCE):
            self.end(book, order, OrderStatus.EXPIRED, at_ms, NOT_FILLABLE)

    def trigger(self, book: Book, order: WorkingOrder, at_ms: int, seen: Decimal) -> None:
        """The trigger of a conditional order is met at a price of `seen`: it enters the matching engine, or not."""
        request = order.request
        if request.reduce_only and not self.account.closable(book.symbol, request.side):
            self.end(book, order, OrderStatus.REJECTED, at_ms, REDUCE_ONLY_REJECT)
            return
        seen = book.instrument.round_price(seen, Rounding.UP if request.side is Side.BUY else Rounding.DOWN)
        if self.lacks_margin(book, request, seen):
            self.end(book, order, OrderStatus.REJECTED, at_ms, NO_MARGIN_REJECT)
            return
        order.in_book = True
        order.status = OrderStatus.TRIGGERED
        self.tell(book, order, at_ms)
        if refused_at_once(book, order, seen) is not None:
            self.end(book, order, OrderStatus.EXPIRED, at_ms, NOT_FILLABLE)
            return
        level = request.trigger_price
        if level is None or book.quote is not None or not request.order_type.take_profit_like:
            self.take(book, order, at_ms, seen)
            return
        self.take(book, order, at_ms, level)
        if not order.status.closed and book.reached(order, seen):
            self.fill_resting(book, order, at_ms, order.leaves, maker=False)

    def fill_resting(
        self, book: Book, order: WorkingOrder, at_ms: int, most: Decimal, *, maker: bool = True,
    ) -> Decimal:
        """Fill a resting limit at its own price with at most `most`; returns what was filled."""
        limit = order.limit
        qty = min(order.leaves, most)
        if order.request.reduce_only:
            qty = min(qty, self.account.closable(book.symbol, order.request.side))
        if limit is None or qty <= ZERO:
            return ZERO
        self.fill(book, order, limit, qty, at_ms, maker=maker)
        self.settle(book, at_ms)
        return qty

    def settle(self, book: Book, at_ms: int) -> None:
        """End reduce-only orders in the book that lie wholly beyond what is left of the position, the worst priced."""
        for side in Side:
            resting = [order for order in book.orders.values() if order.in_book and order.request.side is side]
            covered, position = ZERO, self.account.closable(book.symbol, side)
            for order in sorted((order for order in resting if order.request.reduce_only), key=priority):
                if covered >= position:
                    self.end(book, order, OrderStatus.EXPIRED, at_ms, BY_SYSTEM)
                covered += order.leaves

    def lacks_margin(self, book: Book, request: OrderRequest, price: Decimal) -> bool:
        """Whether the order would bind more initial margin than the account has; what only reduces never does."""
        if request.reduce_only:
            return False
        asked = Claim(request.side, request.quantity, request.price if request.price is not None else price)
        others, own = self._bound(book.symbol)
        before = self._margin(book, own)
        after = self._margin(book, [*own, asked])
        return after > before and EXACT.add(others, after) > self.equity()

    def equity(self) -> Decimal:
        return EXACT.add(self.account.wallet, self.unrealised())

    def unrealised(self) -> Decimal:
        open_symbols = [symbol for symbol, position in self.account.positions.items() if position.qty]
        return self.account.unrealised({symbol: self.books[symbol].mark_px for symbol in open_symbols})

    def _bound(self, symbol: str) -> tuple[Decimal, list[Claim]]:
        """Margin that the other symbols bind, and this one's claims."""
        others = ZERO
        for name, book in self.books.items():
            if name != symbol and (book.orders or self.account.position(name).qty):
                others = EXACT.add(others, self._margin(book, _claims(book)))
        return others, _claims(self.books[symbol])

    def _margin(self, book: Book, claims: list[Claim]) -> Decimal:
        return initial_margin(self.account.position(book.symbol).qty, book.mark_px, claims, self.account.leverage)

    def _forget(self, book: Book, order: WorkingOrder, at_ms: int, reason: str) -> None:
        client_id = order.request.client_order_id
        book.orders.pop(client_id, None)
        book.finished[client_id] = order.report(at_ms, book.mark_px, reason)
        book.changed()


def refused_at_once(book: Book, order: WorkingOrder, seen: Decimal | None = None) -> Refusal | None:
    """Why a FOK cannot be filled whole, or a GTX would take; None for all others."""
    if order.limit is None:
        return None
    match order.request.time_in_force:
        case TimeInForce.FOK if book.takeable(order, seen) < order.leaves:
            return NO_FILL_OR_KILL
        case TimeInForce.GTX if book.takeable(order, seen) > ZERO:
            return WOULD_TAKE
        case _:
            return None


def _claims(book: Book) -> list[Claim]:
    return [
        Claim(order.request.side, order.leaves, order.limit)
        for order in book.orders.values()
        if order.in_book and not order.request.reduce_only and order.limit is not None
    ]


def priority(order: WorkingOrder) -> tuple[Decimal, int]:
    """Price, then time: what the matching engine would execute first."""
    return (order.limit or ZERO) * -order.request.side.sign, order.since_ms


