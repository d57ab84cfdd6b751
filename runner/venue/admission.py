"""Whether the exchange takes an order: every judgement on a new request, in the order that rule A2 names."""

from collections.abc import Mapping
from decimal import Decimal

from runner.domain.values import ZERO, Side
from runner.venue import filters, refusals
from runner.venue.account import Account
from runner.venue.algo import AlgoService
from runner.venue.book import Book
from runner.venue.candles import hindsight
from runner.venue.execution import Execution, closes_only, unfillable
from runner.venue.orders import WaitingOrder, WorkingOrder
from runner.venue.refusals import Refusal
from runner.venue.requests import NewOrder
from runner.venue.terms import PriceMatch


class Admission:
    """Judges requests against the books and the accounts; nothing here changes any of them."""

    def __init__(self, execution: Execution, algo: AlgoService, books: Mapping[str, Book]) -> None:
        self._execution = execution
        self._algo = algo
        self._books = books

    def book(self, symbol: str) -> Book:
        book = self._books.get(symbol)
        if book is None:
            raise Refusal(*refusals.UNKNOWN_SYMBOL)
        return book

    def order(self, account: Account, request: NewOrder) -> tuple[Book, WorkingOrder, bool]:
        """An order for the matching engine, with its book and whether it is to be EXPIRED as soon as it has entered."""
        book = self.book(request.symbol)
        if request.order_type.conditional:
            raise Refusal(*refusals.USE_ALGO)
        if account.open.order(request.client_order_id) is not None:
            raise Refusal(*refusals.DUPLICATE_ID)
        if request.trigger_price is not None or request.close_position:
            raise refusals.unwanted("closePosition" if request.close_position else "triggerPrice")
        filters.check_parameters(request, account.hedge, self._execution.now_ms)
        exits = closes_only(request)
        filters.check_status(book.instrument, exits)
        if request.price_match is not PriceMatch.NONE:
            request = request.but(price=book.matched_px(request.side, request.price_match))
        self._check_filters(book, request, exits)
        if len(account.open.of(book.symbol)) >= book.instrument.max_num_orders:
            raise Refusal(*refusals.TOO_MANY_ORDERS)
        order = self._execution.working(account, request)
        if exits:
            self._check_exit(account, order)
        refused = unfillable(book, order)
        if refused is not None and self._execution.settings.rules.unfillable_is_refused:
            raise Refusal(*refused)
        self._execution.check_margin(book, account, order)
        return book, order, refused is not None

    def conditional(self, account: Account, request: NewOrder) -> tuple[Book, WaitingOrder, Decimal | None]:
        """A conditional order, with its book and the price at which it is triggered at once by rule K6, if it is."""
        book = self.book(request.symbol)
        if not request.order_type.conditional:
            raise Refusal(*refusals.CLOSE_POSITION_TYPE)
        if account.open.conditional(request.client_order_id) is not None:
            raise Refusal(*refusals.DUPLICATE_ID)
        filters.check_parameters(request, account.hedge, self._execution.now_ms)
        order = self._algo.hold(account, request)
        filters.check_status(book.instrument, order.exits)
        self._check_filters(book, request, order.exits)
        if len(account.open.waiting) >= filters.MAX_CONDITIONAL:
            raise Refusal(*refusals.TOO_MANY_STOPS)
        self._check_position(account, order)
        seen = self._hindsight(book, account, order)
        if seen is None:
            check_trigger(book, order)
        return book, order, seen

    def _check_filters(self, book: Book, request: NewOrder, exits: bool) -> None:
        best = book.bid_ask()[request.side is Side.BUY]
        filters.check_filters(request, book.instrument, book.mark_px, best, exits)

    def _check_exit(self, account: Account, order: WorkingOrder) -> None:
        """Whether there is something to reduce, that resting orders do not reduce already where this one would rest."""
        closable = account.closable(order.symbol, order.position_side, order.side)
        covered = ZERO
        if order.limit is not None:
            covered = account.open.lane(order.symbol, order.position_side, order.side).covered()
        if closable <= covered:
            raise Refusal(*refusals.REDUCE_ONLY)
        self._execution.check_conflict(account, order)

    def _check_position(self, account: Account, order: WaitingOrder) -> None:
        """What a conditional order needs to find at its arrival."""
        request = order.request
        closable = account.closable(order.symbol, request.position_side, order.side)
        if request.close_position:
            if not closable:
                raise Refusal(*refusals.NO_POSITION)
            for other in account.open.closers(order.symbol).values():
                same_family = other.request.order_type is request.order_type
                if same_family and other.side is order.side and other.request.position_side is request.position_side:
                    raise Refusal(*refusals.CLOSER_EXISTS)
        elif request.reduce_only and not closable and self._execution.settings.rules.conditional_exit_needs_position:
            raise Refusal(*refusals.REDUCE_ONLY)

    def _hindsight(self, book: Book, account: Account, order: WaitingOrder) -> Decimal | None:
        request = order.request
        if book.hindsight is None or not order.exits or not request.order_type.stop_like:
            return None
        candle, opened = book.hindsight
        if account.name not in opened or book.watches_mark(request):
            return None
        if not account.closable(book.symbol, request.position_side, order.side):
            return None
        if order.trailing:
            order.follow(book.trigger_px(request))
        return hindsight(order, candle, book.last_px)


def check_trigger(book: Book, order: WaitingOrder) -> None:
    """Refuse a trigger that is met already; a trailing stop is set to its starting point."""
    present = book.trigger_px(order.request)
    if order.trailing:
        order.follow(present)
        # An activation price that is reached already would be none.
        if order.request.activation_price is not None and order.active:
            raise Refusal(*refusals.WOULD_TRIGGER)
    elif order.met_by(present):
        raise Refusal(*refusals.WOULD_TRIGGER)
