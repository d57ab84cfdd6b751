"""Bringing a group's exits to what its ledger asks for, one change in flight a leg.

A stop grows or shrinks by placing the new one first; the old one is cancelled once the exchange has accepted it.
Where the symbol's position is shared it grows by an additional order.  A take-profit goes the other way: cancel,
confirm, place.  Source: plan language, *Resizing*, *Levels already passed*.
"""

from decimal import Decimal

from runner.domain.values import ZERO, OrderType
from runner.engine import orders
from runner.engine.ledger import leaves, take_profit_targets
from runner.engine.prices import Resolved, resolve
from runner.engine.state import GroupState, Leg, Purpose, Revision, Run
from runner.graph.model import DueTarget, OrderNode, Role


def settle_exits(run: Run, group: GroupState) -> None:
    """Place, replace and cancel until every exit leg stands at its target or has its change in flight."""
    for leg in group.role(Role.STOP):
        if leg.active:
            settle_stop(run, group, leg, group.exit_qty)
    if group.closing:
        return
    targets = take_profit_targets(run, group)
    for leg in group.role(Role.TAKE_PROFIT):
        if leg.node_id in targets:
            settle_by_cancel(run, group, leg, targets[leg.node_id])
    for leg in group.role(Role.EXIT):
        if not leg.active or leg.outcome is not None or isinstance(leg.node.target, DueTarget):
            continue
        settle = settle_stop if leg.node.order_type.stop_like else settle_by_cancel
        settle(run, group, leg, group.exit_qty)


def settle_stop(run: Run, group: GroupState, leg: Leg, wanted: Decimal) -> None:
    """New first, then the old: `wanted` less what is triggered already must stand, at the leg's price."""
    triggered = sum((leaves(group, one) for one in leg.revisions if _executing(one)), ZERO)
    wanted = max(wanted - triggered, ZERO)
    waiting = [one for one in leg.revisions if one.asked and not one.ours_to_cancel and one.purpose is Purpose.WORK]
    standing = [one for one in leg.revisions if one.standing and one.purpose is Purpose.WORK]
    if wanted == ZERO:
        for one in (*standing, *waiting):
            orders.cancel(run, leg, one)
        return
    price = resolve(run, leg.node.symbol, leg.node.trigger) if leg.node.trigger else Resolved(ZERO)
    if price is not None and leg.node.close_position:
        if _whole_covers(run, group, leg, price.price, wanted):
            return
        waiting, standing = _sized(waiting), _sized(standing)
    if price is None or (waiting and not _overdue(run, group, waiting)):
        return
    fitting = [one for one in standing if _at(one, price.price, leg.node)]
    for kept in (_newest(fitting), fitting):
        if _leaves(kept) == wanted:
            _drop_others(run, leg, standing, kept)
            return
    if fitting and _leaves(_newest(fitting)) >= wanted:
        _drop_others(run, leg, standing, _newest(fitting))
    if (leg.refused is not None and leg.node.role is Role.EXIT) or _held(run, leg):
        return
    if _winding_up(group):
        return
    adds = bool(fitting) and wanted > _leaves(fitting) and not run.sole_holder(group)
    reason = "" if not leg.revisions else "the open quantity changed" if standing else "no stop stands"
    placed = _place(run, leg, wanted - _leaves(fitting) if adds else wanted, price.price, reason)
    placed.adds = adds


def _whole_covers(run: Run, group: GroupState, leg: Leg, price: Decimal, wanted: Decimal) -> bool:
    """Keep one stop of the whole position; false where a sized one has to stand in for it.

    The exchange takes one at a time, and only once it sees the position; so none is sent while another may be there,
    and a sized stop goes out as soon as one was refused, or is without an answer for too long.
    """
    live = [one for one in leg.live() if one.order.request.close_position]
    sized = _sized(leg.live())
    if any(one.standing for one in live):
        leg.whole_after_ms = 0
        for one in sized:
            if not one.order.triggered:
                orders.cancel(run, leg, one, "the exchange covers the whole position")
        return True
    if live:
        return not sized and leg.whole_after_ms == 0 and not any(_in_doubt(run, one) for one in live)
    due = leg.whole_after_ms is not None and run.now_ms >= leg.whole_after_ms
    if due and run.sole_holder(group) and not _held(run, leg) and not _winding_up(group):
        reason = "" if not leg.revisions else "the exchange did not take it before" if sized else "no stop stands"
        _place(run, leg, wanted, price, reason, close_position=True)
        return not sized and leg.whole_after_ms == 0
    return False


def _in_doubt(run: Run, one: Revision) -> bool:
    """Whether an order is being cancelled, or has been without an answer for too long."""
    return one.ours_to_cancel or (one.asked and run.now_ms - one.sent_ms >= run.pace.twin_after_ms)


def _winding_up(group: GroupState) -> bool:
    """Whether the group is closed at market for another reason than that no stop stands."""
    return bool(group.closing) and group.failure != "unprotected"


def _sized(revisions: list[Revision]) -> list[Revision]:
    return [one for one in revisions if one.purpose is Purpose.WORK and not one.order.request.close_position]


def settle_by_cancel(run: Run, group: GroupState, leg: Leg, wanted: Decimal) -> None:
    """Cancel, confirm, place: never two orders of the leg at once."""
    live = leg.live()
    if live:
        current = live[-1]
        leaves = current.order.leaves_qty
        too_large = leaves > wanted
        too_small = leaves < wanted and not current.order.triggered and current.purpose is Purpose.WORK
        if current.order.request.order_type is OrderType.MARKET:
            return
        if (too_large or too_small) and current.order.confirmed and not current.ours_to_cancel:
            orders.cancel(run, leg, current, "the open quantity changed" if wanted else "nothing is left to close")
        return
    if wanted == ZERO or leg.refused is not None or _held(run, leg):
        return
    rule = leg.node.trigger or leg.node.price
    price = resolve(run, leg.node.symbol, rule) if rule else Resolved(ZERO)
    if price is None or price.provisional:
        return
    reason = "the open quantity changed" if leg.revisions else ""
    if leg.passed and leg.far:
        # Only a market that is better than the level by more than the price band is wide refuses a limit there.
        orders.place(run, leg, wanted, OrderType.MARKET, reason="its level is passed by far")
        return
    if leg.passed:
        limit = resolve(run, leg.node.symbol, leg.node.price) if leg.node.price else price
        if limit is None:
            return
        orders.place(
            run, leg, wanted, OrderType.LIMIT, price=limit.price, purpose=Purpose.REST,
            reason="its level is passed already",
        )
        run.timer(f"trigger:{leg.node_id}", run.now_ms + group.spec.trigger_timeout_ms)
        return
    _place(run, leg, wanted, price.price, reason)


def trigger_timeout(run: Run, leg: Leg) -> str:
    """A limit exit has worked for its `trigger_timeout`: what is left goes back, or, for a stop, to market.

    Returns the reason to close the group at market, or an empty text.
    """
    resting = [
        one for one in leg.live()
        if one.purpose is Purpose.REST or (one.order.triggered and one.order.request.order_type.limited)
    ]
    if not resting:
        return ""
    if leg.node.order_type.stop_like:
        return "the triggered stop did not fill in time"
    leg.passed = leg.far = False
    for one in resting:
        orders.cancel(run, leg, one, "not filled within trigger_timeout")
    return ""


def hold(run: Run, leg: Leg) -> None:
    """No new order of the leg for the retry pause."""
    leg.held_until_ms = run.now_ms + run.pace.retry_pause_ms
    run.timer(f"retry:{leg.node_id}", leg.held_until_ms)


def hold_whole(run: Run, leg: Leg) -> None:
    """A stop of the whole position was refused: until it is taken a sized one stands in for it."""
    leg.whole_after_ms = run.now_ms + run.pace.retry_pause_ms
    run.timer(f"whole:{leg.node_id}", leg.whole_after_ms)
    run.touch(leg.node.group_id)


def ended_unasked(run: Run, leg: Leg) -> None:
    """An exit order ended without our asking: the next one goes out at once, but not more than one a pause."""
    if run.now_ms - leg.replaced_ms < run.pace.retry_pause_ms:
        hold(run, leg)
    leg.replaced_ms = max(run.now_ms, leg.held_until_ms)


def _held(run: Run, leg: Leg) -> bool:
    return run.now_ms < leg.held_until_ms


def _executing(revision: Revision) -> bool:
    """Whether a triggered stop closes its quantity for sure: one with a limit may still lose to our cancel."""
    order = revision.order
    return order.triggered and not (revision.ours_to_cancel and order.request.order_type.limited)


def _overdue(run: Run, group: GroupState, waiting: list[Revision]) -> bool:
    """Whether a stop without an answer may be joined by a second one (plan language, *Unknown outcomes*): one that is
    unresolved, and, while nothing protects what is open, one whose request merely hangs."""
    hangs = waiting[0].expires_ms is not None or group.unprotected_since_ms is not None
    late = run.now_ms - waiting[0].sent_ms >= run.pace.twin_after_ms
    return len(waiting) == 1 and hangs and late and run.sole_holder(group)


def _at(revision: Revision, price: Decimal, node: OrderNode) -> bool:
    return node.trigger is None or revision.order.request.trigger_price == price


def _newest(fitting: list[Revision]) -> list[Revision]:
    """The last stop that replaced all before it, and what was added to it since."""
    start = max((index for index, one in enumerate(fitting) if not one.adds), default=0)
    return fitting[start:]


def _leaves(revisions: list[Revision]) -> Decimal:
    return sum((one.order.leaves_qty for one in revisions), ZERO)


def _drop_others(run: Run, leg: Leg, standing: list[Revision], kept: list[Revision]) -> None:
    for one in standing:
        if one not in kept:
            orders.cancel(run, leg, one, "replaced")


def _place(
    run: Run, leg: Leg, quantity: Decimal, price: Decimal, reason: str, *, close_position: bool = False,
) -> Revision:
    node = leg.node
    limit = resolve(run, node.symbol, node.price) if node.price else None
    activation = resolve(run, node.symbol, node.activation) if node.activation else None
    return orders.place(
        run, leg, quantity, node.order_type,
        price=limit.price if limit else None,
        trigger=price if node.trigger else None,
        activation=activation.price if activation else None,
        reason=reason,
        close_position=close_position,
    )
