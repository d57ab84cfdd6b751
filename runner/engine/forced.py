"""What the exchange does to the account by itself: it closes positions by force, and moves money.

A forced execution is a fact with an id, unlike a position that is merely not seen any more; so no reads are awaited.
It is taken first from what no group holds, then from the groups in file order.  Their steps fail with its cause.
"""

from decimal import Decimal

from runner.domain.commands import Remark
from runner.domain.events import ForcedExecution, FundingExchanged, InsuranceCleared
from runner.domain.positions import Position
from runner.domain.values import ZERO, trimmed
from runner.engine.closing import cancel_openers
from runner.engine.flow import stop
from runner.engine.state import GroupState, Phase, Run


def execute(run: Run, event: ForcedExecution) -> None:
    """Take what the exchange closed out of the ledgers that it was in, and its money into the day's."""
    key = (event.symbol, event.order_id, event.trade_id)
    if key in run.trades:
        return
    run.trades.add(key)
    sign = -event.side.sign
    held = max(run.held.get(event.symbol, ZERO) * sign, ZERO)
    taken = min(event.qty, held)
    if taken == ZERO:
        return
    position = run.book.get(event.symbol, Position(event.symbol))
    run.book[event.symbol], realised = position.after(event.side, taken, event.price)
    run.day.realised += realised
    run.day.fees += event.fee
    run.held[event.symbol] = run.held[event.symbol] - taken * sign
    run.filled_ms[event.symbol] = run.now_ms
    run.forced = run.forced or event.cause.value
    run.forced_until_ms = run.now_ms + run.pace.settled_after_ms
    run.timer("forced:", run.forced_until_ms)
    left = taken - _from_nobody(run, event.symbol, sign, taken)
    managed = False
    for group in sorted(run.holders.get(event.symbol, {}).values(), key=lambda group: group.order):
        part = min(left, group.open)
        if part > ZERO and group.spec.entry_side.sign == sign:
            _charge(run, group, part, event)
            left -= part
            managed = managed or any(
                step.phase is Phase.RUNNING and (step.policy.group_id or step.policy.step_id) == group.spec.group_id
                for step in run.steps.values()
            )
    if not managed:
        stop(run, "failed")


def move_money(run: Run, event: FundingExchanged | InsuranceCleared) -> None:
    """What is exchanged beside profit and fees is the day's loss or gain like those."""
    run.day.exchanged += event.amount


def _from_nobody(run: Run, symbol: str, sign: int, most: Decimal) -> Decimal:
    """Take from the position that no group holds; returns how much."""
    free = min(max(run.free.get(symbol, ZERO) * sign, ZERO), most)
    if free:
        run.free[symbol] -= free * sign
    return free


def _charge(run: Run, group: GroupState, part: Decimal, event: ForcedExecution) -> None:
    cause = event.cause.value
    group.charged += part
    group.real = None
    group.failure = group.failure or cause
    cancel_openers(run, group, cause)
    run.note_ledger(group)
    run.emit(Remark(
        group.spec.group_id, cause,
        f"{trimmed(part)} {event.symbol} of {group.spec.group_id} were {cause} at {trimmed(event.price)}",
    ))
