"""The Algo service: conditional orders from their arrival to the moment their order is in the matching engine.

C1. The last price, or the mark for MARK_PRICE where there are mark data; with quotes alone the side that the order
    would take.
C2. Of orders that one price triggers, stops go first, then the order of arrival.
C3. A reduce-only order that triggers while the account is flat ends REJECTED, `Reduce Only reject`.
C4. A trailing stop follows the best price since its activation, which a second NEW tells.
C5. A protected trigger does not fire while the last price is too far from the mark (or ends REJECTED, by a rule).
C6. `closePosition` needs a position (-4509), is alone in its family and direction (-4130), takes the position's size at
    its trigger, and ends EXPIRED with the position.
C7. At the trigger a new order with an id of its own and the same client id enters; the conditional one is FINISHED when
    that order is over.  Where an order of that client id works already, it is REJECTED.

Source: Binance USDⓈ-M, `POST /fapi/v1/algoOrder` and the event ALGO_UPDATE.
"""

from collections.abc import Callable
from decimal import Decimal

from runner.domain.values import OrderType, Rounding, Side
from runner.venue import refusals
from runner.venue.account import Account
from runner.venue.book import Book
from runner.venue.execution import Execution, closes_only, unfillable
from runner.venue.facts import AlgoState
from runner.venue.orders import WaitingOrder, WorkingOrder
from runner.venue.refusals import Refusal
from runner.venue.requests import NewOrder
from runner.venue.terms import AlgoStatus, Expiry, PriceMatch, Status


class AlgoService:
    """Holds conditional orders and places what they stand for when their trigger is met.

    `veto` may give a reason why an order must fail at its trigger; an empty text lets it be.
    """

    def __init__(self, execution: Execution) -> None:
        self._execution = execution
        self._ids = execution.settings.first_algo_id
        self.veto: Callable[[Account, AlgoState], str] | None = None

    def hold(self, account: Account, request: NewOrder) -> WaitingOrder:
        """A conditional order as it would wait; it has no id before `wait`."""
        now = self._execution.now_ms
        return WaitingOrder(account.name, request, 0, now, now, 0, closes_only(request))

    def wait(self, book: Book, order: WaitingOrder) -> None:
        """Take a conditional order into the Algo service."""
        order.algo_id = self._ids
        self._ids += 1
        order.place = self._execution.next_place()
        opened = self._execution.accounts[order.account].open
        if not order.request.client_order_id:
            order.request = order.request.but(client_order_id=opened.spare_id(order.algo_id))
        opened.add_waiting(order)
        book.wait(order)
        self._execution.tell_waiting(order)

    def follow(self, book: Book, order: WaitingOrder, price: Decimal) -> None:
        """Let a trailing stop that is accepted see a price."""
        if order.follow(price):
            order.updated_ms = self._execution.now_ms
            self._execution.tell_waiting(order)
        book.changed()

    def trigger(self, book: Book, waiting: WaitingOrder, seen: Decimal) -> WorkingOrder | None:
        """The trigger is met at a price of `seen`: the order enters the matching engine, or is refused by it."""
        execution = self._execution
        account, now = execution.accounts[waiting.account], execution.now_ms
        account.open.remove_waiting(waiting)
        book.unwait(waiting)
        waiting.status, waiting.triggered_ms, waiting.updated_ms = AlgoStatus.TRIGGERING, now, now
        execution.tell_waiting(waiting)
        worse, rounding = (max, Rounding.UP) if waiting.side is Side.BUY else (min, Rounding.DOWN)
        seen = book.instrument.round_price(seen, rounding)
        try:
            order = self._child(book, account, waiting)
            self._check(book, account, waiting, order, seen)
        except Refusal as refusal:
            execution.finish(account, waiting, AlgoStatus.REJECTED, refusal.message)
            return None
        waiting.order, waiting.status = order, AlgoStatus.TRIGGERED
        order.order_id = execution.next_order_id()
        execution.tell_waiting(waiting)
        account.open.triggered[waiting.algo_id] = waiting
        execution.enter(order)
        if unfillable(book, order, seen) is not None:
            execution.end(book, order, Status.EXPIRED, Expiry.TIME_IN_FORCE)
            return order
        level = waiting.request.trigger_price
        if level is None or book.real_spread or not waiting.request.order_type.take_profit_like:
            execution.take(book, order, seen)
            return order
        # Triggered by the mark, it finds the last price where that is, which may be short of the level.
        execution.take(book, order, worse(seen, book.instrument.round_price(level, rounding)))
        if not order.status.closed and book.reached(order, seen):
            execution.fill_resting(book, order, maker=False)
        return order

    def held_back(self, book: Book, order: WaitingOrder) -> bool:
        """Whether price protection keeps a trigger from firing for now."""
        return self._execution.settings.rules.protected_trigger_waits and _strays(book, order)

    def _child(self, book: Book, account: Account, waiting: WaitingOrder) -> WorkingOrder:
        """The order that a conditional one places in the matching engine."""
        request = waiting.request
        if request.price_match is not PriceMatch.NONE:
            request = request.but(price=book.matched_px(request.side, request.price_match))
        if request.close_position:
            request = request.but(quantity=account.closable(book.symbol, request.position_side, request.side))
        kind = OrderType.LIMIT if request.order_type.limited else OrderType.MARKET
        return self._execution.working(account, request.but(order_type=kind), algo_id=waiting.algo_id)

    def _check(
        self, book: Book, account: Account, waiting: WaitingOrder, order: WorkingOrder, seen: Decimal,
    ) -> None:
        """What the matching engine judges at the trigger.

        Raises:
            Refusal: its message is the reason of the rejection.
        """
        execution = self._execution
        reason = "" if self.veto is None else self.veto(account, waiting.state())
        if reason:
            raise Refusal(refusals.REJECTED, reason)
        if _strays(book, waiting):
            raise Refusal(*refusals.PROTECTED)
        if account.open.order(order.request.client_order_id) is not None:
            raise Refusal(*refusals.DUPLICATE_ID)
        if order.exits:
            if not execution.closable(order):
                raise Refusal(*refusals.REDUCE_ONLY_AT_TRIGGER)
            execution.check_conflict(account, order)
        execution.check_margin(book, account, order, seen)


def _strays(book: Book, order: WaitingOrder) -> bool:
    """Whether the last price is too far from the mark for a protected trigger."""
    mark = book.mark_px
    return order.request.price_protect and abs(mark - book.last_px) > mark * book.contract.trigger_protect
