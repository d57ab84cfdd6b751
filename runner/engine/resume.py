"""Another process takes a run on: whatever was asked and not answered has no answer to come.

Orders that were asked for are unknown until they are looked up under the id that they have; requests that were under
way are made again.  Nothing else happens before a whole snapshot has been read.
Source: architecture, *Durability and exactly-once*.
"""

from decimal import Decimal

from runner.domain.commands import Observe, ReadPosition, Remark
from runner.domain.events import RunResumed
from runner.domain.orders import OrderStatus
from runner.domain.values import ZERO, trimmed
from runner.engine import orders
from runner.engine.ledger import leaves
from runner.engine.state import GroupState, Leg, Revision, Run
from runner.graph.model import FlattenNode, Role


def take_on(run: Run, event: RunResumed, seen_ms: int) -> None:
    """Begin to go on with the run; one that was stopped is brought to its end without opening anything.

    `seen_ms` is when the former process last took in a fact.
    """
    run.ended = False
    run.managing = True
    run.resumed_ms, run.doubtful_until_ms = run.now_ms, event.expires_ms
    run.deferred = run.deferred or []
    for leg, revision in run.orders.values():
        if revision.live:
            _question(run, leg, revision, event.expires_ms)
    for group_id, group in run.groups.items():
        if group.spec.protected and not group.ended:
            group.unwatched_since_ms = group.unwatched_since_ms or seen_ms
        if group.unprotected_since_ms is not None:  # the bound counts anew once something can be done
            group.unprotected_since_ms = None
            run.drop_timer(f"bound:{group_id}")
            run.touch(group_id)
    for symbol, waiting in run.waiting.items():
        if waiting:
            run.emit(Observe(symbol))
    for symbol in sorted(_symbols_to_read(run)):
        run.emit(ReadPosition(symbol))
    for judge in run.judges.values():
        for symbol in run.instruments:
            judge.gap(symbol, run.now_ms, run.emit)


def _question(run: Run, leg: Leg, revision: Revision, expires_ms: int) -> None:
    """What is known of a live order is what was told of it; a cancel without an answer may be asked again."""
    asked = revision.asked
    revision.inherited = True
    if asked and not revision.absent:
        revision.order = revision.order.after(OrderStatus.UNKNOWN)
        revision.expires_ms = max(expires_ms, revision.expires_ms or 0)
        revision.sent_ms, revision.misses, revision.lookups = run.now_ms, 0, 0
        if revision.protective:
            run.timer(f"twin:{leg.node_id}", run.now_ms + run.pace.twin_after_ms)
    revision.order = orders.without_cancel(revision.order)
    if (asked or revision.looking) and not revision.absent:
        orders.look_up(run, leg, revision)


def _symbols_to_read(run: Run) -> set[str]:
    """The symbols whose position somebody waits for, without a timer that will ask for it."""
    reading = {
        group.spec.symbol for group_id, group in run.groups.items()
        if group.reading and not group.ended and f"read:{group_id}" not in run.timers
    }
    flattening = {
        node.symbol for step_id, node in run.tasks.items()
        if isinstance(node, FlattenNode) and run.steps[step_id].finishing and step_id not in run.groups
        and f"flat:{step_id}" not in run.timers
    }
    return reading | flattening


def name_uncovered(run: Run, group: GroupState) -> None:
    """Once it is known how a group's orders stand: say what of it no stop covered while nobody watched."""
    if group.unwatched_since_ms is None or run.deferred is not None:
        return
    if any(one.order.status is OrderStatus.UNKNOWN or one.looking for leg in group.legs for one in leg.live()):
        return
    since_ms, group.unwatched_since_ms = group.unwatched_since_ms, None
    stops = (one for leg in group.role(Role.STOP) for one in leg.live() if one.order.confirmed)
    stood = (leaves(group, one) for one in stops if one.stood_ms is not None and one.stood_ms <= run.resumed_ms)
    bare: Decimal = group.exit_qty - sum(stood, ZERO)
    if bare > ZERO:
        seconds = trimmed(Decimal(run.now_ms - since_ms) / 1_000)
        run.emit(Remark(
            group.spec.group_id, "uncovered", f"{trimmed(bare)} {group.spec.symbol} of {group.spec.group_id} had no"
            f" stop while nobody watched, for at most {seconds} s",
        ))
