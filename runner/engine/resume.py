"""Another process takes a run on: whatever was asked and not answered has no answer to come.

Orders that were asked for are unknown until they are looked up under the id that they have; requests that were under
way are made again.  Nothing else happens before a whole snapshot has been read.
Source: architecture, *Durability and exactly-once*.
"""

from runner.domain.commands import Observe, ReadPosition
from runner.domain.events import RunResumed
from runner.domain.orders import OrderStatus
from runner.engine import orders
from runner.engine.state import Leg, Revision, Run


def take_on(run: Run, event: RunResumed) -> None:
    """Begin to go on with the run; one that was stopped is brought to its end without opening anything."""
    run.ended = False
    run.managing = True
    run.resumed_ms = run.now_ms
    run.deferred = run.deferred or []
    for leg, revision in run.orders.values():
        if revision.live:
            _question(run, leg, revision, event.expires_ms)
    for symbol, waiting in run.waiting.items():
        if waiting:
            run.emit(Observe(symbol))
    reading = {group.spec.symbol for group in run.groups.values() if group.reading and not group.ended}
    for symbol in sorted(reading):
        run.emit(ReadPosition(symbol))


def _question(run: Run, leg: Leg, revision: Revision, expires_ms: int) -> None:
    """What is known of a live order is what was told of it; a cancel without an answer may be asked again."""
    asked = revision.asked
    if asked:
        revision.order = revision.order.after(OrderStatus.UNKNOWN)
        revision.expires_ms = max(expires_ms, revision.expires_ms or 0)
        revision.sent_ms, revision.misses, revision.lookups = run.now_ms, 0, 0
        if revision.protective:
            run.timer(f"twin:{leg.node_id}", run.now_ms + run.pace.twin_after_ms)
    revision.order = orders.without_cancel(revision.order)
    if asked or revision.looking:
        orders.look_up(run, leg, revision)
