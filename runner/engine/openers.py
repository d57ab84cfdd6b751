"""Sending what may open: observed first, priced, judged by the gate, then sent; and the slices of a schedule."""

from decimal import Decimal

from runner.domain.commands import Observe, OrderDenied, Remark
from runner.domain.events import Observed
from runner.domain.orders import OrderStatus
from runner.domain.values import ZERO, OrderType, trimmed
from runner.engine import gate, orders
from runner.engine.ledger import unsold
from runner.engine.prices import resolve
from runner.engine.purse import Quote
from runner.engine.schedule import due_offset_ms, slice_quantity
from runner.engine.state import GroupState, Leg, Revision, Run, StepState
from runner.graph.model import DueTarget, Outcome, Role


def want(run: Run, waiter: str, symbols: set[str]) -> None:
    """Observe the symbols for `waiter`; one request a symbol serves all that wait for it."""
    run.observing[waiter] = set(symbols)
    for symbol in sorted(symbols):
        queue = run.waiting.setdefault(symbol, {})
        if not queue:
            run.emit(Observe(symbol))
        queue[waiter] = None


def observed(run: Run, event: Observed) -> list[str]:
    """Keep the quote; returns who has everything now that it waited for, in the order of their asking."""
    run.quotes[event.symbol] = Quote(
        event.mark_px, event.bid_px, event.ask_px, event.wallet + event.unrealised, event.taker_fee,
    )
    ready = []
    for waiter in run.waiting.pop(event.symbol, {}):
        missing = run.observing.get(waiter)
        if missing is None:
            continue
        missing.discard(event.symbol)
        if not missing:
            del run.observing[waiter]
            ready.append(waiter)
    return ready


def request(run: Run, leg: Leg) -> None:
    """Bring an opener, or a slice, on its way: what it needs to know is asked first."""
    symbols = {leg.node.symbol}
    if run.graph.limits.max_daily_loss is not None:
        symbols.update(gate.exposed_symbols(run))
    want(run, leg.node_id, symbols)


def send(run: Run, leg: Leg) -> None:
    """Send an opener whose symbol has just been observed."""
    step = run.steps[leg.node.step_id]
    if leg.outcome is not None:
        return
    absent = next((one for one in leg.live() if one.absent), None)
    if absent is not None:
        _send_again(run, leg, absent)
        return
    if step.finishing:
        _send_rest(run, step, leg)
        return
    if isinstance(leg.node.target, DueTarget):
        _send_slice(run, step, leg, leg.node.target.index)
        return
    leg.target = step.qty
    rest = step.qty - leg.filled - leg.leaves  # an order that was found may stand for it already
    if rest > ZERO:
        _send(run, leg, rest, leg.node.order_type)


def _ask_again(run: Run, leg: Leg, absent: Revision) -> None:
    """An order that was never executed goes out again once its symbol is observed, unless it was taken back."""
    if absent.ours_to_cancel:
        run.observing.pop(leg.node_id, None)
        orders.forgotten(run, leg, absent)
    elif leg.node_id not in run.observing:
        request(run, leg)


def _send_again(run: Run, leg: Leg, absent: Revision) -> None:
    if leg.node.role is Role.OPENER:
        asked = absent.order.request
        denial = gate.judge(run, leg, asked.quantity, absent.worst_px, asked.price or asked.trigger_price, absent)
        if denial is not None:
            run.emit(OrderDenied(leg.node_id, denial.code, denial.detail))
            absent.ours_to_cancel = True
            orders.forgotten(run, leg, absent)
            run.end_leg(leg, Outcome.DENIED)
            return
    orders.send_again(run, leg, absent)


def _tries_again(run: Run, leg: Leg) -> bool:
    """Whether a slice that closes, and was refused for a reason that passes, is to be sent once more."""
    if leg.again and run.now_ms >= leg.held_until_ms:
        leg.again = False
        request(run, leg)
        return True
    return leg.again


def send_market(run: Run, leg: Leg) -> None:
    """The level of a conditional opener is passed already, and the plan says to go at market then."""
    _send(run, leg, leg.target - leg.filled, OrderType.MARKET)


def _send(run: Run, leg: Leg, quantity: Decimal, order_type: OrderType) -> None:
    node = leg.node
    market = order_type is OrderType.MARKET
    price = resolve(run, node.symbol, node.price) if node.price and not market else None
    trigger = resolve(run, node.symbol, node.trigger) if node.trigger and not market else None
    activation = resolve(run, node.symbol, node.activation) if node.activation and not market else None
    worst = ZERO
    if node.role is Role.OPENER:
        level = price or trigger
        worst = gate.worst_price(
            leg, price.price if price else None, trigger.price if trigger else None, run.quotes[node.symbol],
        )
        denial = gate.judge(run, leg, quantity, worst, level.price if level else None)
        if denial is not None:
            run.emit(OrderDenied(node.node_id, denial.code, denial.detail))
            run.end_leg(leg, Outcome.DENIED)
            return
        run.opening.setdefault(node.symbol, {})[node.node_id] = leg
    revision = orders.place(
        run, leg, quantity, order_type,
        price=price.price if price else None,
        trigger=trigger.price if trigger else None,
        activation=activation.price if activation else None,
    )
    revision.worst_px = worst


# ---- slices -------------------------------------------------------------------------------------------------------


def slice_due(run: Run, leg: Leg) -> None:
    """A slice's time has come: a resting slice before it is cancelled first, and the cancel confirmed.

    Where the next one is due too, or one before it was not sent yet, only the newest goes and carries the others: a
    machine that was asleep sends no burst.
    """
    step = run.steps[leg.node.step_id]
    if _overtaken(run, step, leg):
        run.end_leg(leg, Outcome.SKIPPED)
        return
    for other in step.legs:
        if other is leg:
            break
        if other.active and other.outcome is None and (other.again or not other.revisions):
            run.observing.pop(other.node_id, None)
            run.end_leg(other, Outcome.SKIPPED)
    if not _earlier_resting(run, step, leg, cancel=True):
        request(run, leg)


def _overtaken(run: Run, step: StepState, leg: Leg) -> bool:
    schedule, target = step.policy.schedule, leg.node.target
    if schedule is None or not isinstance(target, DueTarget) or target.index == schedule.slices - 1:
        return False
    next_ms = due_offset_ms(schedule, target.index + 1, run.seed, step.policy.step_id)
    return run.now_ms >= step.started_ms + next_ms


def resume_slices(run: Run, step: StepState) -> None:
    """Send the newest due slice whose way is free now; older ones that were overtaken are carried by it."""
    due = [leg for leg in step.legs if leg.active and leg.outcome is None and not leg.revisions]
    if not due:
        return
    for leg in due[:-1]:
        run.observing.pop(leg.node_id, None)
        run.end_leg(leg, Outcome.SKIPPED)
    newest = due[-1]
    if newest.node_id not in run.observing and not _earlier_resting(run, step, newest, cancel=False):
        request(run, newest)


def executed(step: StepState) -> Decimal:
    """What all slices of the step have filled."""
    return sum((leg.filled for leg in step.legs), ZERO)


def cancel_last_slice(run: Run, step: StepState) -> None:
    """The time of the last slice is over: what still rests of it is taken back."""
    for leg in step.legs:
        for revision in leg.live():
            if revision.order.request.order_type is OrderType.LIMIT:
                orders.cancel(run, leg, revision, "the last slice's time is over")


def _earlier_resting(run: Run, step: StepState, leg: Leg, *, cancel: bool) -> bool:
    resting = False
    for other in step.legs:
        if other is leg:
            break
        if other.outcome is not None:
            continue
        for revision in other.live():
            if revision.order.request.order_type is OrderType.LIMIT:
                resting = True
                if cancel:
                    orders.cancel(run, other, revision, "the next slice is due")
    return resting


def _send_slice(run: Run, step: StepState, leg: Leg, index: int) -> None:
    schedule = step.policy.schedule
    instrument = run.instruments[leg.node.symbol]
    if schedule is None:
        return
    in_flight = sum((other.leaves for other in step.legs), ZERO)
    quantity = slice_quantity(schedule, step.plan, index, executed(step) + in_flight, instrument)
    group = run.group_of(leg)
    if leg.node.reduce_only:
        quantity = min(quantity, unsold(group))
    last = index == len(step.plan) - 1
    if quantity <= ZERO or (not last and _too_small(run, leg, quantity)):
        run.end_leg(leg, Outcome.SKIPPED)
        return
    leg.target = quantity
    if last and leg.node.order_type is OrderType.LIMIT:
        run.timer(f"end:{step.policy.step_id}", step.started_ms + len(step.plan) * schedule.every_ms)
    _send(run, leg, quantity, leg.node.order_type)


def _too_small(run: Run, leg: Leg, quantity: Decimal) -> bool:
    """Whether the exchange would not take a slice of that quantity; the next one carries it then."""
    node, instrument = leg.node, run.instruments[leg.node.symbol]
    price = resolve(run, node.symbol, node.price) if node.price else None
    worth = gate.worth(run, leg, quantity, price.price if price else None)
    return quantity < instrument.min_qty or (not node.reduce_only and worth < instrument.min_notional)


def _finishes(run: Run, leg: Leg) -> bool:
    """With `finish: MARKET`, what is left when the last slice is over goes out through it, once."""
    step = run.steps[leg.node.step_id]
    schedule = step.policy.schedule
    if schedule is None or not schedule.finish_market or step.finishing or step.cancelled or run.stopping:
        return False
    if executed(step) >= step.qty or any(other.outcome is None for other in step.legs if other is not leg):
        return False
    step.finishing = True
    request(run, leg)
    return True


def _send_rest(run: Run, step: StepState, leg: Leg) -> None:
    quantity = step.qty - executed(step)
    if leg.node.reduce_only:
        quantity = min(quantity, unsold(run.group_of(leg)))
    if quantity <= ZERO:
        run.touch(leg.node.group_id)
        return
    text = f"{trimmed(quantity)} were left after the last slice; sent at market"
    run.emit(Remark(step.policy.step_id, "finish", text))
    leg.target = leg.filled + quantity
    _send(run, leg, quantity, OrderType.MARKET)


def settle_openers(run: Run, group: GroupState) -> None:
    """End the legs whose order has ended."""
    for leg in list(group.working.values()):
        if leg.node.role is not Role.OPENER and not isinstance(leg.node.target, DueTarget):
            continue
        for absent in [one for one in leg.live() if one.absent]:
            _ask_again(run, leg, absent)
        if not leg.revisions or leg.live() or leg.node_id in run.observing or _tries_again(run, leg):
            continue
        if _finishes(run, leg):
            continue
        if leg.filled >= leg.target:
            run.end_leg(leg, Outcome.FILLED)
        else:
            last = leg.revisions[-1]
            outcome = _ENDS.get(last.order.status, Outcome.CANCELLED)
            dated = outcome is Outcome.CANCELLED and not last.ours_to_cancel and orders.lapsed(run, last)
            run.end_leg(leg, Outcome.EXPIRED if dated else outcome)
        if isinstance(leg.node.target, DueTarget):
            resume_slices(run, run.steps[leg.node.step_id])


_ENDS = {
    OrderStatus.REJECTED: Outcome.REJECTED,
    OrderStatus.EXPIRED: Outcome.EXPIRED,
    OrderStatus.CANCELED: Outcome.CANCELLED,
}
