"""Closing a group at market, and learning that its position is gone.

Source: plan language, `flatten` (steps 1 to 5), *The bound*, *Sizes and the position*.
"""

from decimal import Decimal

from runner.domain.commands import GroupProtected, ReadPosition, Remark
from runner.domain.events import PositionReport
from runner.domain.values import ZERO, OrderType, trimmed
from runner.engine import orders
from runner.engine.ledger import covered, leaves
from runner.engine.state import GroupState, Leg, Purpose, Revision, Run
from runner.graph.model import Outcome, Role


def start_closing(run: Run, group: GroupState, reason: str, *, until_protected: bool = False) -> None:
    """From here on the group is closed at market, or until a stop stands; what can still open in it is cancelled."""
    cancel_openers(run, group, "flattened" if group.flattened else "stopped")
    group.until_protected = until_protected and (group.until_protected or not group.closing)
    if not group.closing and not group.ended:
        group.closing = reason
        group.closing_since_ms = run.now_ms
        run.emit(Remark(group.spec.group_id, "closing", f"closing {group.spec.group_id} at market: {reason}"))
    run.touch(group.spec.group_id)


def flatten(run: Run, group: GroupState) -> None:
    group.flattened = True
    start_closing(run, group, "flatten")


def cancel_openers(run: Run, group: GroupState, why: str) -> None:
    """Take back whatever of the group can still open; orders on the exchange end when it confirms."""
    for leg in group.role(Role.OPENER):
        cancel_opener(run, leg, why)


def cancel_opener(run: Run, leg: Leg, why: str) -> None:
    if leg.outcome is not None:
        return
    step = run.steps[leg.node.step_id]
    step.cancelled = step.cancelled or why
    live = [one for one in leg.live() if not one.order.request.reduce_only]
    for one in live:
        orders.cancel(run, leg, one, why)
    if not live:
        run.observing.pop(leg.node_id, None)
        run.end_leg(leg, Outcome.CANCELLED)


def settle_close(run: Run, group: GroupState) -> None:
    """Send what the close still needs: LIMIT exits away first, then MARKET for what is open and not in flight."""
    blocked = False
    for leg in group.legs:
        for one in leg.live():
            request = one.order.request
            if not request.reduce_only or request.order_type is OrderType.MARKET:
                continue
            in_book = request.order_type is OrderType.LIMIT or (one.order.triggered and request.order_type.limited)
            if in_book or leg.node.role in (Role.TAKE_PROFIT, Role.EXIT):
                orders.cancel(run, leg, one, "closing at market")
                blocked = blocked or in_book
    if blocked and run.now_ms - group.closing_since_ms < run.pace.limit_wait_ms:
        run.timer(f"close:{group.spec.group_id}", group.closing_since_ms + run.pace.limit_wait_ms)
        return
    closer = closer_of(group)
    live = (one for leg in group.legs for one in leg.live())
    coming = sum((leaves(group, one) for one in live if _executing(run, group, one)), ZERO)
    needed = group.exit_qty - coming
    if needed <= ZERO or run.now_ms < group.close_held_until_ms:
        return
    for part in run.instruments[group.spec.symbol].market_parts(needed):
        orders.place(
            run, closer, part, OrderType.MARKET, purpose=Purpose.CLOSE, reason=group.closing, reduce_only=True,
        )


def hold_close(run: Run, group: GroupState) -> None:
    """No new close of the group for the retry pause; its stop has a pause of its own."""
    group.close_held_until_ms = run.now_ms + run.pace.retry_pause_ms
    run.timer(f"pause:{group.spec.group_id}", group.close_held_until_ms)


def _executing(run: Run, group: GroupState, one: Revision) -> bool:
    """Whether an order is already closing what it covers: a market exit, a triggered market stop, or a standing stop
    whose level is known to be passed, until it has had `trigger_timeout` to show it."""
    request = one.order.request
    if request.reduce_only and request.order_type is OrderType.MARKET:
        return True
    if not request.reduce_only or one.ours_to_cancel or not request.order_type.stop_like:
        return False
    if one.order.triggered:
        return not request.order_type.limited
    if not (group.passed and one.order.confirmed):
        return False
    until_ms = group.closing_since_ms + group.spec.trigger_timeout_ms
    if run.now_ms < until_ms:
        run.timer(f"close:{group.spec.group_id}", until_ms)
    return run.now_ms < until_ms


def closer_of(group: GroupState) -> Leg:
    """The leg whose next revisions close the group: its stop, else another exit, else its opener."""
    return next(iter((*group.role(Role.STOP), *group.role(Role.TAKE_PROFIT, Role.EXIT), *group.legs)))


def watch_protection(run: Run, group: GroupState) -> None:
    """Start, stop and report the clock of *unprotected*: open quantity beyond the confirmed stops."""
    if not group.spec.protected:
        return
    armed = any(leg.active for leg in group.role(Role.STOP))
    bare = armed and group.exit_qty > covered(group)
    group_id = group.spec.group_id
    if bare and group.unprotected_since_ms is None:
        group.unprotected_since_ms = run.now_ms
        run.timer(f"bound:{group_id}", run.now_ms + group.spec.protected_within_ms)
    elif not bare and group.unprotected_since_ms is not None:
        run.emit(GroupProtected(group_id, run.now_ms - group.unprotected_since_ms))
        run.drop_timer(f"bound:{group_id}")
        group.unprotected_since_ms = None
        if group.until_protected and group.open > ZERO:
            group.closing, group.until_protected = "", False


def bound_reached(run: Run, group: GroupState) -> None:
    """No stop stood within `protected_within`: a market close goes out too, and the step will fail."""
    if group.unprotected_since_ms is None or group.ended:
        return
    group.failure = group.failure or "unprotected"
    start_closing(run, group, f"no stop within {group.spec.protected_within_ms} ms", until_protected=True)


# ---- is the position still there? ---------------------------------------------------------------------------------


def doubt_position(run: Run, group: GroupState) -> None:
    """The exchange refused a reduce-only order: read the position, once it can be newer than our last fill."""
    if group.reading or group.ended:
        return
    group.reading = True
    run.timer(f"read:{group.spec.group_id}", max(run.now_ms, group.last_fill_ms + run.pace.trust_after_ms))


def read_position(run: Run, group: GroupState) -> None:
    if group.reading:
        run.emit(ReadPosition(group.spec.symbol))


def fold_position(run: Run, report: PositionReport) -> None:
    """Take in a position figure where it is provably newer than our last fill: pushed later, or read long after it."""
    for group in list(run.groups.values()):
        if group.spec.symbol != report.symbol or group.ended:
            continue
        if report.begun_ms is None:
            if report.at_ms <= group.last_fill_ms:
                continue
        elif report.begun_ms < group.last_fill_ms + run.pace.trust_after_ms:
            if group.reading:
                run.timer(f"read:{group.spec.group_id}", group.last_fill_ms + run.pace.trust_after_ms)
            continue
        pushed = report.begun_ms is None
        if report.at_ms < group.position_ms or (pushed and report.at_ms == group.position_ms):
            if group.reading and not pushed:
                run.timer(f"read:{group.spec.group_id}", run.now_ms + run.pace.agree_after_ms)
            continue
        group.position_ms = report.at_ms
        on_side = max(report.qty * group.spec.entry_side.sign, ZERO)
        if on_side > ZERO or group.open == ZERO:
            group.reading, group.empty_read_ms = False, None
            real = on_side if on_side < group.open and run.sole_holder(group) else None
            if real != group.real:
                group.real = real
                run.touch(group.spec.group_id)
        else:
            _doubly_empty(run, group, report.begun_ms)


def _doubly_empty(run: Run, group: GroupState, begun_ms: int | None) -> None:
    """Two reads must agree that the position is gone; a pushed figure only raises the doubt.

    It may be one of our own exits that closed it, whose fill we have not heard of: they are asked first.
    """
    if not group.reading:
        doubt_position(run, group)
    elif begun_ms is None:
        return
    elif group.empty_read_ms is None:
        group.empty_read_ms = begun_ms
        for leg, one in _exits_of(group):
            if one.order.confirmed and not one.looking:
                orders.look_up(run, leg, one)
        run.timer(f"read:{group.spec.group_id}", run.now_ms + run.pace.agree_after_ms)
    elif any(one.looking or one.asked for _, one in _exits_of(group)):
        run.timer(f"read:{group.spec.group_id}", run.now_ms + run.pace.agree_after_ms)
    elif begun_ms >= group.empty_read_ms + run.pace.agree_after_ms:
        gone(run, group)


def _exits_of(group: GroupState) -> list[tuple[Leg, Revision]]:
    """The orders that may be closing the group now."""
    return [(leg, one) for leg in group.legs for one in leg.live() if one.order.request.reduce_only]


def gone(run: Run, group: GroupState) -> None:
    """By hand, by liquidation or by ADL: what the ledger holds is written off, and nothing is sent in a loop.

    So is what no group holds on that side: there is no position at all.
    """
    lost: Decimal = group.open
    group.reading = False
    group.failure = group.failure or "position_gone"
    group.charged += lost
    symbol, sign = group.spec.symbol, group.spec.entry_side.sign
    free = max(run.free.get(symbol, ZERO) * sign, ZERO)
    if free:
        del run.free[symbol]
    run.held[symbol] = run.held.get(symbol, ZERO) - (lost + free) * sign
    cancel_openers(run, group, "stopped")
    run.note_ledger(group)
    run.emit(Remark(
        group.spec.group_id, "position_gone",
        f"the position of {group.spec.group_id}, {trimmed(lost)} {symbol}, is no longer on the exchange",
    ))
    run.others.changes.append((group.spec.group_id, ""))
