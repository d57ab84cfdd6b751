"""What follows when the exchange says no, or ends an order that we did not ask to end.

Source: plan language, *Levels already passed*, *The bound*, *Sizes and the position*.
"""

from runner.domain.commands import Remark
from runner.domain.events import Action, CommandRejected
from runner.domain.orders import OrderStatus
from runner.domain.values import ZERO, OrderType
from runner.engine import orders
from runner.engine.answers import Refusal, refusal
from runner.engine.closing import doubt_position, hold_close, start_closing
from runner.engine.exits import ended_unasked, hold, hold_whole
from runner.engine.openers import send_market
from runner.engine.state import Leg, Purpose, Revision, Run
from runner.graph.model import DueTarget, Outcome, Role


def refused(run: Run, event: CommandRejected) -> None:
    """Take in a definite no to one request."""
    found = run.orders.get(event.client_order_id)
    if found is None:
        return
    leg, revision = found
    match event.action:
        case Action.PLACE:
            if revision.asked:
                _place_refused(run, leg, revision, event)
        case Action.CANCEL:
            _cancel_refused(run, leg, revision, event)
        case Action.QUERY:
            if revision.live:
                orders.look_up_later(run, revision, run.pace.cancel_retry_ms)


def ended(run: Run, leg: Leg, revision: Revision) -> None:
    """An order has just closed.  An exit that ended short without our asking is acted on at once."""
    if revision.order.request.close_position:
        _whole_ended(run, leg, revision)
        return
    if revision.ours_to_cancel or revision.order.status is OrderStatus.FILLED or not revision.order.request.reduce_only:
        return
    group = run.group_of(leg)
    doubt_position(run, group)
    if revision.purpose is Purpose.CLOSE:
        hold_close(run, group)
        return
    ended_unasked(run, leg)
    if revision.order.triggered and leg.node.order_type.stop_like:
        start_closing(run, group, "the triggered stop ended short of its quantity")
    elif revision.order.request.order_type is OrderType.MARKET:
        hold(run, leg)


def _place_refused(run: Run, leg: Leg, revision: Revision, event: CommandRejected) -> None:
    kind = refusal(event.code)
    if kind is Refusal.DUPLICATE:
        orders.look_for_twin(run, leg, revision)
        return
    if kind is Refusal.EXISTS and revision.order.request.close_position:
        _whole_exists(run, leg, revision)
        return
    orders.rejected(run, leg, revision)
    if not revision.order.request.reduce_only:
        _opener_refused(run, leg, event, kind)
        return
    if revision is leg.revisions[-1] and kind is not Refusal.WOULD_TRIGGER:
        leg.next_revision, leg.next_attempt = revision.number, revision.attempt + 1
    group = run.group_of(leg)
    if kind is Refusal.WOULD_TRIGGER:
        run.record(leg.node_id, Outcome.WOULD_TRIGGER)
        if leg.node.order_type.take_profit_like:
            leg.passed = True
            run.touch(group.spec.group_id)
        else:
            group.passed = True
            start_closing(run, group, "the stop's level is passed already")
    elif revision.order.request.close_position and not event.passing:
        _whole_refused(run, leg, event, kind)
    elif kind is Refusal.POSITION:
        doubt_position(run, group)
        _pause(run, leg, revision)
    elif kind is Refusal.OUT_OF_BAND and revision.purpose is Purpose.REST:
        leg.far = True
        run.touch(group.spec.group_id)
    elif event.passing or leg.node.role is Role.STOP or revision.purpose is Purpose.CLOSE or leg.live():
        leg.again = isinstance(leg.node.target, DueTarget)
        _pause(run, leg, revision)
        _say(run, leg, event, "trying again")
    else:
        leg.refused = event.code
        _say(run, leg, event, "the exchange will not take it")
        if not isinstance(leg.node.target, DueTarget):
            run.end_leg(leg, Outcome.REJECTED)


def _whole_refused(run: Run, leg: Leg, event: CommandRejected, kind: Refusal) -> None:
    """The exchange does not take a stop of the whole position: now, because it sees no position, or not at all."""
    if kind in (Refusal.NOT_SEEN, Refusal.POSITION):
        doubt_position(run, run.group_of(leg))
        hold_whole(run, leg)
        return
    leg.whole_after_ms = None
    run.touch(leg.node.group_id)
    _say(run, leg, event, "a stop for the open quantity stands in for one of the whole position")


def _whole_exists(run: Run, leg: Leg, revision: Revision) -> None:
    """A stop of the whole position is there already.  Whichever of ours it may be is looked up, and kept if found."""
    if revision.ours_to_cancel:
        return  # told before
    leg.whole_after_ms = None
    sent = [
        one for other, one in run.orders.values() if other is leg and one.order.request.close_position
        and (one.live or one.order.status is OrderStatus.CANCELED) and not one.order.triggered
    ]
    for one in sent:
        one.order = one.order.but(status=OrderStatus.UNKNOWN, cancel_in_flight=False)
        one.ours_to_cancel, one.misses, one.lookups = True, 0, 0
        one.expires_ms = run.now_ms - run.pace.expiry_margin_ms  # what was to be accepted has been
        orders.look_up(run, leg, one)
    leg.revisions = [*(one for one in sent if one not in leg.revisions), *leg.revisions]
    run.touch(leg.node.group_id)
    run.emit(Remark(
        leg.node.step_id, "close_position", f"{leg.node_id}: a stop of the whole position stands on"
        f" {leg.node.symbol} already; unless it is found to be ours, a stop for the open quantity takes its place",
    ))


def _whole_ended(run: Run, leg: Leg, revision: Revision) -> None:
    """A stop of the whole position has ended: with the position, or it left something open."""
    group = run.group_of(leg)
    executing = revision.order.triggered or revision.order.filled_qty
    if group.open == ZERO or (revision.ours_to_cancel and not executing):
        return
    doubt_position(run, group)
    if executing:
        start_closing(run, group, "the triggered stop ended and left a part open")
    elif revision.order.status is OrderStatus.EXPIRED:
        hold(run, leg)  # with its position, as far as the exchange knows: another would be refused
    else:
        ended_unasked(run, leg)


def _pause(run: Run, leg: Leg, revision: Revision) -> None:
    if revision.purpose is Purpose.CLOSE:
        hold_close(run, run.group_of(leg))
    else:
        hold(run, leg)


def _opener_refused(run: Run, leg: Leg, event: CommandRejected, kind: Refusal) -> None:
    step = run.steps[leg.node.step_id]
    leg.refused = event.code
    if kind is Refusal.WOULD_TRIGGER:
        run.record(leg.node_id, Outcome.WOULD_TRIGGER)
        if leg.node.market_if_triggered and not step.cancelled and not run.stopping:
            leg.refused = None
            send_market(run, leg)
            return
    _say(run, leg, event, "")


def _cancel_refused(run: Run, leg: Leg, revision: Revision, event: CommandRejected) -> None:
    if not revision.live:
        return
    revision.order = orders.without_cancel(revision.order)
    if refusal(event.code) is Refusal.GONE and not revision.gone:
        revision.gone = True
        orders.look_up(run, leg, revision)
    else:  # also where it was said to be gone, and was found: that is not asked again without a pause
        orders.look_up_later(run, revision, run.pace.cancel_retry_ms)


def _say(run: Run, leg: Leg, event: CommandRejected, then: str) -> None:
    text = f"{leg.node_id}: {event.message} ({event.code})"
    run.emit(Remark(leg.node.step_id, "rejected", f"{text}; {then}" if then else text))
