"""Sending and cancelling a leg's orders, and folding in what the exchange says of them.

The same fill may be told by an answer, the stream, a query and its trade; an order's filled quantity is the highest
that any of them named, and everything else follows from the change of that figure.
"""

from decimal import Decimal

from runner.domain.commands import CancelOrder, PlaceOrder, QueryOrder, Remark
from runner.domain.events import Action, CommandUnresolved, OrderNotFound
from runner.domain.orders import Order, OrderRequest, OrderStatus
from runner.domain.positions import Position
from runner.domain.reports import OrderReport, TradeReport
from runner.domain.values import EXACT, ZERO, OrderType, TimeInForce, trimmed
from runner.engine.ids import OrderKey, client_order_id
from runner.engine.ledger import unsold
from runner.engine.state import GroupState, Leg, Purpose, Revision, Run
from runner.graph.model import Outcome, Role

DUPLICATE_CODE = -4116
"""An open order has the id already (Binance USDⓈ-M Futures, "Error Codes")."""


def place(
    run: Run, leg: Leg, quantity: Decimal, order_type: OrderType, *, price: Decimal | None = None,
    trigger: Decimal | None = None, activation: Decimal | None = None, purpose: Purpose = Purpose.WORK,
    reason: str = "", reduce_only: bool | None = None, close_position: bool = False,
) -> Revision:
    """Send the leg's next order; it is in flight from here on."""
    node = leg.node
    closes = node.reduce_only if reduce_only is None else reduce_only
    number, attempt = leg.next_revision, leg.next_attempt
    request = OrderRequest(
        client_order_id=client_order_id(OrderKey(run.run_id, leg.index, 0, number, attempt)),
        symbol=node.symbol,
        side=run.group_of(leg).spec.entry_side.opposite if closes else node.side,
        order_type=order_type,
        quantity=quantity,
        price=price,
        trigger_price=trigger,
        callback_rate=node.callback_rate if order_type is OrderType.TRAILING_STOP_MARKET else None,
        activation_price=activation,
        time_in_force=node.time_in_force if node.role is Role.OPENER and purpose is Purpose.WORK else TimeInForce.GTC,
        reduce_only=closes,
        working_type=node.working_type,
        close_position=close_position,
        good_till_ms=node.good_till_ms if order_type is OrderType.LIMIT else None,
    )
    revision = Revision(Order(request), number, attempt, purpose, run.now_ms)
    leg.revisions = [*leg.live(), revision]
    leg.next_revision, leg.next_attempt = number + 1, 0
    run.orders[request.client_order_id] = (leg, revision)
    protective = node.role is Role.STOP or purpose is Purpose.CLOSE
    run.emit(PlaceOrder(request, leg.node_id, number, protective, reason))
    _expect_answer(run, leg, revision)
    return revision


def _expect_answer(run: Run, leg: Leg, revision: Revision) -> None:
    """While nothing protects what is open, a protective order that hangs is joined by a second one in time."""
    if revision.protective and run.group_of(leg).unprotected_since_ms is not None:
        run.timer(f"twin:{leg.node_id}", revision.sent_ms + run.pace.twin_after_ms)


def cancel(run: Run, leg: Leg, revision: Revision, reason: str = "") -> None:
    """Ask for the end of an order, once; one without an answer yet is cancelled as soon as it has one, and at once
    where it is not even sent.

    A stop without an answer is left alone: when it has one, what is open then decides whether it goes.  One of the
    whole position that is triggered ends by itself.
    """
    order = revision.order
    if revision.asked and revision.protective:
        return
    if order.request.close_position and (order.triggered or order.filled_qty):
        return
    revision.ours_to_cancel = True
    if (revision.order.confirmed or _waits(run, revision)) and not revision.order.cancel_in_flight:
        _send_cancel(run, leg, revision, reason)


def _waits(run: Run, revision: Revision) -> bool:
    """Whether an opener has been without a word for so long that it is not sent yet, but waits until the exchange takes
    requests again: its cancel withdraws it."""
    late = run.now_ms - revision.sent_ms >= run.pace.retry_pause_ms
    return late and revision.order.status is OrderStatus.PENDING_NEW and not revision.order.request.reduce_only


def _send_cancel(run: Run, leg: Leg, revision: Revision, reason: str) -> None:
    revision.order = revision.order.but(cancel_in_flight=True)
    revision.cancel_asked = True
    conditional = revision.order.request.order_type.conditional and not revision.order.triggered
    run.emit(CancelOrder(leg.node.symbol, revision.client_order_id, conditional, leg.node_id, reason))


def cancel_again(run: Run, leg: Leg, revision: Revision) -> None:
    """An order that counts as ended is found live."""
    request = revision.order.request
    conditional = request.order_type.conditional and not revision.order.triggered
    run.emit(CancelOrder(request.symbol, revision.client_order_id, conditional, leg.node_id, "it counts as ended"))


def _repeat_cancel(run: Run, leg: Leg, revision: Revision) -> None:
    """An order that we asked the end of has shown itself: it can be cancelled now; for a stop that is judged anew."""
    if revision.ours_to_cancel and revision.order.confirmed and not revision.order.cancel_in_flight:
        if revision.protective:
            revision.ours_to_cancel = False
            run.touch(leg.node.group_id)
        else:
            _send_cancel(run, leg, revision, "")


def lapsed(run: Run, revision: Revision) -> bool:
    """Whether an order has come to its date, at which the exchange ends it; whether as CANCELED or EXPIRED, it does not
    say."""
    till_ms = revision.order.request.good_till_ms
    return till_ms is not None and run.now_ms >= till_ms


def without_cancel(order: Order) -> Order:
    """The order after its cancel was refused or lost: it may be asked for again."""
    return order.but(cancel_in_flight=False)


def fold_report(run: Run, leg: Leg, revision: Revision, report: OrderReport) -> None:
    """Take in the state of an order."""
    if revision.live:
        revision.told_ms = run.now_ms
    revision.expires_ms, revision.misses, revision.looking = None, 0, False
    before = revision.order
    revision.order = after_report(revision, report)
    revision.absent = revision.duplicate = False
    if revision.stood_ms is None and revision.order.confirmed:
        revision.stood_ms = report.at_ms
    if not report.status.closed and run.now_ms > run.doubtful_until_ms:
        revision.inherited = False
    _follow(run, leg, revision, before, report.avg_px, report.mark_px)
    _repeat_cancel(run, leg, revision)


def after_report(revision: Revision, report: OrderReport) -> Order:
    """The order as it is once the report is known."""
    fresh = report.filled_qty >= max(revision.order.filled_qty, revision.traded_qty)
    return revision.order.after(
        report.status, order_id=report.order_id, filled_qty=max(report.filled_qty, revision.traded_qty),
        avg_px=report.avg_px if fresh else None,
    )


def fold_trade(run: Run, leg: Leg, revision: Revision, trade: TradeReport) -> None:
    """Take in one execution: money from here only, and quantity if no report has told it yet."""
    key = (trade.symbol, trade.order_id, trade.trade_id)
    if key in run.trades:
        return
    run.trades.add(key)
    revision.told_ms = max(revision.told_ms, trade.at_ms)
    revision.traded_qty += trade.qty
    revision.traded_quote += EXACT.multiply(trade.qty, trade.price)
    position = run.book.get(trade.symbol, Position(trade.symbol))
    run.book[trade.symbol], realised = position.after(trade.side, trade.qty, trade.price)
    run.day.realised += realised
    run.day.fees += trade.fee
    before = revision.order
    if revision.traded_qty > before.filled_qty:
        revision.order = before.after(before.status, filled_qty=revision.traded_qty)
    _follow(run, leg, revision, before, EXACT.divide(revision.traded_quote, revision.traded_qty), None)
    _repeat_cancel(run, leg, revision)


def unresolved(run: Run, event: CommandUnresolved) -> None:
    """A request without an answer: look the order up, in both order worlds, before anything else is sent for it."""
    found = run.orders.get(event.client_order_id)
    if found is None:
        return
    leg, revision = found
    if event.action is Action.QUERY:
        if revision.live:
            look_up_later(run, revision, run.pace.lookup_pauses_ms[0])
        return
    if revision.order.status is OrderStatus.PENDING_NEW:
        before = revision.order
        revision.order = before.after(OrderStatus.UNKNOWN)
        revision.expires_ms = event.expires_ms
        if revision.protective:
            run.timer(f"twin:{leg.node_id}", revision.sent_ms + run.pace.twin_after_ms)
    elif revision.order.cancel_in_flight:
        revision.order = without_cancel(revision.order)
    if revision.live:
        look_up(run, leg, revision)


def not_found(run: Run, leg: Leg, revision: Revision, event: OrderNotFound) -> None:
    """The exchange does not know the order now; that is believed only when a second query agrees, and only once what is
    there must be seen: an order that was never seen when its request can no longer be accepted, one that was confirmed
    when that is not just so, since queries may lag behind.
    """
    revision.looking = False
    if not revision.live:
        return
    sure_ms = _sure_from(run, revision)
    revision.misses += sure_ms is not None and event.at_ms >= sure_ms
    if revision.misses >= 2:
        if revision.order.confirmed:
            forgotten(run, leg, revision)
        else:
            _never_executed(run, leg, revision)
        return
    pauses = run.pace.lookup_pauses_ms
    pause = pauses[0] if revision.misses else pauses[min(revision.lookups, len(pauses) - 1)]
    if sure_ms is not None:  # no later than it takes to be sure
        pause = min(pause, max(sure_ms - run.now_ms, pauses[0]))
    revision.lookups += 1
    look_up_later(run, revision, pause)


def _sure_from(run: Run, revision: Revision) -> int | None:
    """From when on a query that does not find the order means that it is not there.

    A stop is not waited for: a second one beside it does less harm than none.
    """
    if revision.order.confirmed:
        return revision.told_ms + (0 if revision.protective else run.pace.lookup_pauses_ms[-1])
    return None if revision.expires_ms is None else revision.expires_ms + run.pace.expiry_margin_ms


def look_for_twin(run: Run, leg: Leg, revision: Revision) -> None:
    """The exchange says that it has the id already: what it has is looked up, and compared when it is found."""
    revision.duplicate = True
    if revision.expires_ms is None:  # the request was answered, so nothing of it can still be accepted
        revision.expires_ms = run.now_ms - run.pace.expiry_margin_ms
    look_up(run, leg, revision)


def look_up(run: Run, leg: Leg, revision: Revision) -> None:
    """Ask the exchange how an order stands; a cancel that was refused or lost is repeated when it answers."""
    revision.looking = True
    run.emit(QueryOrder(leg.node.symbol, revision.client_order_id))


def look_up_later(run: Run, revision: Revision, pause_ms: int) -> None:
    revision.looking = True
    run.timer(f"lookup:{revision.client_order_id}", run.now_ms + pause_ms)


def look_up_again(run: Run, client_id: str) -> None:
    found = run.orders.get(client_id)
    if found is not None and found[1].live:
        look_up(run, *found)


def _never_executed(run: Run, leg: Leg, revision: Revision) -> None:
    """Proved absent: sent again under the same id while it is still wanted, so that a resting twin is refused.

    An order that was refused for a twin which is not there was refused, no more and no less.
    """
    before = revision.order
    if revision.duplicate:
        rejected(run, leg, revision)
        if revision is leg.revisions[-1]:
            leg.next_revision, leg.next_attempt = revision.number, revision.attempt + 1
        if not before.request.reduce_only:
            leg.refused = DUPLICATE_CODE
        return
    wanted = not revision.ours_to_cancel and leg.outcome is None
    if before.request.reduce_only:
        group = run.group_of(leg)
        market = before.request.order_type is OrderType.MARKET
        room = unsold(group, besides=revision) if market else group.exit_qty
        wanted = wanted and (room > ZERO if before.request.close_position else before.request.quantity <= room)
    if leg.node.role is Role.STOP:
        wanted = wanted and not any(other is not revision and other.live for other in leg.revisions)
    if not wanted:
        revision.ours_to_cancel = True
        forgotten(run, leg, revision)
    elif before.request.reduce_only:
        send_again(run, leg, revision)
    else:
        revision.absent = True  # what may open is observed and judged anew first
        run.touch(leg.node.group_id)


def send_again(run: Run, leg: Leg, revision: Revision) -> None:
    """Send an order that was never executed, under the id that it has."""
    revision.order = revision.order.after(OrderStatus.PENDING_NEW)
    revision.misses = revision.lookups = 0
    revision.expires_ms, revision.absent, revision.inherited = None, False, False
    revision.sent_ms = run.now_ms
    protective = leg.node.role is Role.STOP or revision.purpose is Purpose.CLOSE
    run.emit(PlaceOrder(revision.order.request, leg.node_id, revision.number, protective, "it was never executed"))
    _expect_answer(run, leg, revision)


def forgotten(run: Run, leg: Leg, revision: Revision) -> None:
    """It has ended, and the exchange does not know it any more."""
    before = revision.order
    revision.order, revision.told_ms = before.after(OrderStatus.CANCELED), run.now_ms
    _follow(run, leg, revision, before, None, None)


def rejected(run: Run, leg: Leg, revision: Revision) -> None:
    """Close an order that the exchange refused to take."""
    before = revision.order
    revision.order, revision.told_ms = before.after(OrderStatus.REJECTED), run.now_ms
    run.touch(leg.node.group_id)
    run.check[leg.node.step_id] = None


def _follow(
    run: Run, leg: Leg, revision: Revision, before: Order, avg_px: Decimal | None, mark_px: Decimal | None,
) -> None:
    """What a change of an order means to its leg, its group's ledger, and the step."""
    after = revision.order
    gained = after.filled_qty - before.filled_qty
    _learn_price(run, leg, revision, avg_px, mark_px)
    if after == before and not gained:
        return
    group = run.group_of(leg)
    if after.confirmed or gained:
        run.record(leg.node_id, Outcome.PLACED)
    if gained:
        _book(run, group, leg, revision, gained)
    if after.triggered and not before.triggered and after.request.order_type.limited and leg.node.reduce_only:
        run.timer(f"trigger:{leg.node_id}", run.now_ms + group.spec.trigger_timeout_ms)
    run.touch(leg.node.group_id)
    run.check[leg.node.step_id] = None


def _learn_price(
    run: Run, leg: Leg, revision: Revision, avg_px: Decimal | None, mark_px: Decimal | None,
) -> None:
    if leg.anchor_px is not None or revision.order.filled_qty == ZERO:
        return
    if avg_px is not None and avg_px > ZERO:
        leg.anchor_px = avg_px
        run.touch(leg.node.group_id)
    elif leg.node.role is Role.OPENER:
        leg.anchor_mark = leg.anchor_mark or mark_px
        if not leg.price_asked:
            leg.price_asked = True
            look_up(run, leg, revision)
            run.timer(f"price:{leg.node_id}", run.now_ms + run.pace.price_wait_ms)


def _book(run: Run, group: GroupState, leg: Leg, revision: Revision, gained: Decimal) -> None:
    symbol = leg.node.symbol
    side = revision.order.request.side
    run.held[symbol] = run.held.get(symbol, ZERO) + gained * side.sign
    group.last_fill_ms = run.filled_ms[symbol] = run.now_ms
    group.empty_read_ms = None
    group.real = None
    if revision.order.request.reduce_only:
        if leg.node.reduce_only:
            leg.filled += gained
        group.exited += gained
        _charge_excess(run, group, gained)
        if leg.node.order_type.stop_like or revision.purpose is Purpose.CLOSE:
            group.stopped = True
    else:
        leg.filled += gained
        group.entered += gained
        group.first_filled = group.first_filled or leg
    run.note_ledger(group)
    run.record(leg.node_id, Outcome.FIRST_FILL)


def _charge_excess(run: Run, group: GroupState, gained: Decimal) -> None:
    """What our exits closed beyond this ledger was another group's: charge it there, in file order, and say so; or it
    was of the position that no group holds.  What nobody holds stays here, for an entry whose report is late."""
    excess = min(group.exited + group.charged - group.entered, gained)
    if excess <= ZERO:
        return
    symbol, side = group.spec.symbol, group.spec.entry_side
    for other in sorted(run.holders.get(symbol, {}).values(), key=lambda other: other.order):
        part = min(excess, other.open)
        if part == ZERO or other is group or other.spec.entry_side is not side:
            continue
        other.charged += part
        group.exited -= part
        excess -= part
        run.note_ledger(other)
        run.emit(Remark(
            other.spec.group_id, "charged",
            f"{trimmed(part)} {symbol} of {other.spec.group_id} were closed by an exit of {group.spec.group_id}",
        ))
    free = min(max(run.free.get(symbol, ZERO) * side.sign, ZERO), excess)
    if free:
        run.free[symbol] -= free * side.sign
        group.exited -= free
