"""Amending a resting limit order: another quantity, another price, and the end of the queue.

E1. Only quantity and price of a LIMIT order; it loses its place, and takes where it is marketable.
E2. It is cancelled where the new quantity is filled already, or where a GTX would take; every other breach of a rule is
    refused with the order as it was.

Source: Binance USDⓈ-M `PUT /fapi/v1/order`.  A refusal leaves the order as it was.
"""

from runner.domain.values import Side
from runner.venue import filters, refusals
from runner.venue.account import Account
from runner.venue.book import Book
from runner.venue.execution import Execution, unfillable
from runner.venue.facts import OrderUpdate
from runner.venue.orders import WorkingOrder
from runner.venue.refusals import Refusal
from runner.venue.requests import Amendment, NewOrder
from runner.venue.terms import ExecutionType, PriceMatch, Status

MAX_AMENDMENTS = 10_000


def amended(execution: Execution, account: Account, book: Book, change: Amendment) -> WorkingOrder:
    """Amend the order, or cancel it: where it has filled all of the new quantity already, or where a GTX would take.

    Raises:
        Refusal: with the order unchanged.
    """
    order = account.open.order(change.key)
    if order is None or order.symbol != book.symbol:
        raise Refusal(*refusals.NO_SUCH_ORDER)
    request = _requested(book, order, change)
    _check(execution, account, book, order, request)
    if request.quantity <= order.filled_qty:
        execution.end(book, order, Status.CANCELED)
        return order
    changed = execution.working(account, request)
    changed.filled_qty = order.filled_qty
    changed.read()
    if unfillable(book, changed) is not None:
        execution.end(book, order, Status.CANCELED)
        return order
    execution.check_margin(book, account, changed, replaced=order)
    execution.replace(book, order, request)
    execution.tell(OrderUpdate(
        account.name, execution.now_ms, ExecutionType.AMENDMENT, order.state(), modify_id=change.modify_id,
    ))
    execution.take(book, order)
    return order


def _requested(book: Book, order: WorkingOrder, change: Amendment) -> NewOrder:
    """The order's request with the change in it."""
    if order.limit is None:
        raise Refusal(*refusals.LIMIT_ONLY)
    if change.side is not order.side:
        raise Refusal(*refusals.AMENDED_SIDE)
    if change.reduce_only is not None and change.reduce_only is not order.request.reduce_only:
        raise Refusal(*refusals.AMENDED_REDUCE_ONLY)
    if change.price_match is PriceMatch.NONE and change.price is None:
        raise refusals.missing("price")
    if change.price_match is not PriceMatch.NONE and change.price is not None:
        raise refusals.unwanted("price")
    request = order.request.but(quantity=change.quantity, price=change.price, price_match=change.price_match)
    filters.check_price_match(request)
    if request.price_match is not PriceMatch.NONE:
        request = request.but(price=book.matched_px(request.side, request.price_match))
    return request


def _check(execution: Execution, account: Account, book: Book, order: WorkingOrder, request: NewOrder) -> None:
    """Refuse what is no change, what is one too many, and what breaks a filter."""
    if (request.quantity, request.price) == (order.request.quantity, order.limit):
        raise Refusal(*refusals.SAME_ORDER)
    if order.amendments >= MAX_AMENDMENTS:
        raise Refusal(*refusals.TOO_MANY_AMENDMENTS)
    instrument = book.instrument
    if not instrument.tradable:
        raise Refusal(*refusals.AMENDED_STATUS)
    filters.check_quantity(request, instrument)
    filters.check_prices(request, instrument)
    best = book.bid_ask()[order.side is Side.BUY]
    filters.check_band(request.but(trigger_price=None), instrument, book.mark_px, best)
    if not order.exits and filters.short_of_notional(request, instrument, book.mark_px):
        raise Refusal(-5029, f"Order's notional must be no smaller than {instrument.min_notional} "
                             "(unless you choose reduce only).")
    if order.exits:
        lane = account.open.lane(order.symbol, order.position_side, order.side)
        others = lane.covered() - order.leaves
        if account.closable(order.symbol, order.position_side, order.side) <= others:
            raise Refusal(*refusals.REDUCE_ONLY)
