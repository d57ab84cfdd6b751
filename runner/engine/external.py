"""What others do on the account.  Their orders and positions are named once and never touched; what they change of
ours is named, and either taken over or answered by opening nothing any more.

A position that differs from what our fills say counts when two snapshots agree on it, begun long enough after our last
fill and apart from each other, while nothing is uncertain about our own orders.
Source: plan language, *Others*, *Sizes and the position*; Binance USDⓈ-M Futures, "Event: Order Update": CANCELED is
the end of an order on somebody's request, EXPIRED is the exchange's doing.
"""

from collections.abc import Iterable
from decimal import Decimal

from runner.domain.account import AccountFacts
from runner.domain.commands import CancelOrder, Remark
from runner.domain.orders import Order, OrderRequest, OrderStatus
from runner.domain.positions import Position
from runner.domain.reports import OrderReport, TradeReport
from runner.domain.values import ZERO, OrderType, trimmed
from runner.engine import orders
from runner.engine.closing import gone
from runner.engine.flow import stop
from runner.engine.ids import OrderKey, order_key
from runner.engine.others import Difference, Stranger
from runner.engine.state import GroupState, Leg, Purpose, Revision, Run
from runner.graph.model import DueTarget, Outcome, Role

SYSTEM_ORDERS = ("autoclose-", "adl_autoclose", "settlement_autoclose-")
"""How the client ids of the exchange's own orders begin (Binance USDⓈ-M Futures, "Event: Order Update")."""


def follow(run: Run) -> None:
    """Say what was changed, and open nothing any more unless the plan takes such changes over."""
    changes, run.others.changes = run.others.changes, []
    for step_id, text in changes:
        if text:
            run.emit(Remark(step_id, "external_change", text))
    if run.graph.adopt_external_changes:
        return
    if any(text for _, text in changes):
        run.forced = run.forced or "external_change"
    stop(run, "failed")


def see_account(run: Run, facts: AccountFacts) -> None:
    """Compare what the account is set to with what the plan asks for, and with what it was."""
    before, run.others.account = run.others.account, facts
    wish = run.graph.account
    found: list[str] = []
    for symbol in run.instruments:
        now = facts.setting(symbol)
        then = before.setting(symbol) if before else None
        if now is None:
            continue
        leverage = then.leverage if then else wish.leverage
        margin_type = then.margin_type if then else wish.margin_type
        if leverage is not None and now.leverage != leverage:
            found.append(f"leverage of {symbol}: {now.leverage}, it was to be {leverage}")
        if margin_type is not None and now.margin_type != margin_type:
            found.append(f"margin type of {symbol}: {now.margin_type}, it was to be {margin_type}")
    if before is not None and before.hedge_mode != facts.hedge_mode:
        found.append("the position mode was switched")
    if before is not None and before.multi_assets != facts.multi_assets:
        found.append("the multi-assets mode was switched")
    if before is not None and before.can_trade and not facts.can_trade:
        found.append("the account may not trade any more")
    run.others.changes.extend(("", f"the account was changed: {one}") for one in found)


# ---- orders -------------------------------------------------------------------------------------------------------


def see_stranger(run: Run, report: OrderReport) -> None:
    """An order that is not the run's, on one of its symbols."""
    if report.symbol not in run.instruments or report.client_order_id.startswith(SYSTEM_ORDERS):
        return
    known = run.others
    name = name_of(report)
    if report.status.closed:
        known.orders.pop(name, None)
        return
    known.orders[name] = Stranger(report, run.now_ms)
    if name not in known.named:
        known.named.add(name)
        words = [
            report.side.value if report.side else "", trimmed(report.quantity) if report.quantity else "",
            report.symbol, f"@{trimmed(report.limit_px)}" if report.limit_px else "",
            f"from {trimmed(report.trigger_px)} on" if report.trigger_px else "", f"({name})",
        ]
        text = " ".join(word for word in words if word)
        run.emit(Remark("", "foreign_order", f"an order that is not of this run, left alone: {text}"))


def name_of(report: OrderReport) -> str:
    return report.client_order_id or report.order_id


def recognised(run: Run, report: OrderReport) -> tuple[Leg, Revision] | None:
    """An order under an id of this run that we do not know of is taken on as the exchange has it."""
    found = _named(run, report.client_order_id, report.symbol)
    if found is None:
        return None
    key, leg = found
    request = _as_asked(run, leg, report)
    purpose = Purpose.WORK
    if request.reduce_only and request.order_type is not leg.node.order_type:
        purpose = Purpose.REST if request.order_type is OrderType.LIMIT else Purpose.CLOSE
    revision = Revision(Order(request), key.revision, key.attempt, purpose, run.now_ms)
    leg.revisions = sorted([*leg.live(), revision], key=lambda one: one.number)
    if key.revision >= leg.next_revision:
        leg.next_revision, leg.next_attempt = key.revision + 1, 0
    run.orders[report.client_order_id] = (leg, revision)
    run.emit(Remark(
        leg.node.step_id, "adopted", f"{leg.node_id}: the exchange knows {report.client_order_id},"
        f" {request.order_type} {request.side} {trimmed(request.quantity)}, which was not remembered; it counts",
    ))
    group = run.group_of(leg)
    if leg.outcome is None:
        group.working[leg.node_id] = leg
    if not request.reduce_only:
        if leg.outcome is not None or run.stopping or run.steps[leg.node.step_id].cancelled:
            revision.ours_to_cancel = True
        run.opening.setdefault(leg.node.symbol, {})[leg.node_id] = leg
    run.touch(group.spec.group_id)
    return leg, revision


def _named(run: Run, client_id: str, symbol: str) -> tuple[OrderKey, Leg] | None:
    """What an id of this run stands for."""
    key = order_key(client_id)
    if key is None or key.run_id != run.run_id or key.node >= len(run.graph.nodes):
        return None
    leg = run.legs.get(run.graph.nodes[key.node].node_id)
    return None if leg is None or leg.node.symbol != symbol else (key, leg)


def unremembered(run: Run, trades: Iterable[TradeReport]) -> list[OrderReport]:
    """Orders under ids of this run that we do not know of, and that were executed: sent when nothing could be kept any
    more.  They are taken for what their legs ask for, to the quantity that was executed."""
    totals: dict[str, Decimal] = {}
    last: dict[str, tuple[Leg, TradeReport]] = {}
    for trade in trades:
        client_id = trade.client_order_id
        found = None if client_id in run.orders else _named(run, client_id, trade.symbol)
        if found is not None:
            totals[client_id] = totals.get(client_id, ZERO) + trade.qty
            last[client_id] = found[1], trade
    return [
        OrderReport(
            trade.at_ms, trade.symbol, client_id, trade.order_id, OrderStatus.FILLED, totals[client_id],
            side=trade.side, trigger_px=trade.price if leg.node.order_type.conditional else None,
            limit_px=trade.price if leg.node.order_type.limited else None,
        )
        for client_id, (leg, trade) in last.items()
    ]


def _as_asked(run: Run, leg: Leg, report: OrderReport) -> OrderRequest:
    """The request that the exchange's own figures of an order amount to."""
    node = leg.node
    entry_side = run.group_of(leg).spec.entry_side
    side = report.side or (entry_side.opposite if node.reduce_only else node.side)
    whole = bool(report.close_position)
    order_type = OrderType.MARKET
    if report.trigger_px or whole:
        order_type = node.order_type if node.order_type.conditional else OrderType.STOP_MARKET
    elif report.limit_px:
        order_type = OrderType.LIMIT
    quantity = run.group_of(leg).exit_qty if whole else report.quantity or report.filled_qty
    return OrderRequest(
        report.client_order_id, report.symbol, side, order_type, quantity, report.limit_px or None,
        report.trigger_px or None, time_in_force=node.time_in_force, working_type=node.working_type,
        reduce_only=whole or (side is not entry_side if report.reduce_only is None else report.reduce_only),
        close_position=whole,
    )


def compare_terms(run: Run, leg: Leg, revision: Revision, report: OrderReport) -> None:
    """What the exchange holds an order of ours to, where that is not what we asked for, is what counts."""
    asked = revision.order.request
    if not revision.order.confirmed and report.side not in (None, asked.side):
        _mistaken(run, leg, revision, report)
        return
    terms = terms_of(asked, report)
    if terms == asked or report.at_ms < revision.terms_ms:
        return
    found = not revision.order.confirmed
    revision.order = revision.order.but(request=terms)
    revision.terms_ms = report.at_ms
    text = f"{leg.node_id}: the exchange holds it to {_terms(terms)}, {_terms(asked)} were asked for"
    if found:
        run.emit(Remark(leg.node.step_id, "differs", text))
    else:
        run.others.changes.append((leg.node.step_id, text))
    run.touch(leg.node.group_id)
    if asked.reduce_only:
        return
    more = terms.quantity - asked.quantity
    leg.target += more
    step = run.steps[leg.node.step_id]
    if not isinstance(leg.node.target, DueTarget):
        step.qty += more


def _mistaken(run: Run, leg: Leg, revision: Revision, report: OrderReport) -> None:
    """Under our id the exchange has an order of the other side: that is none that we know, so it is taken back."""
    orders.rejected(run, leg, revision)
    leg.next_revision, leg.next_attempt = max(leg.next_revision, revision.number + 1), 0
    conditional = bool(report.trigger_px)
    run.emit(CancelOrder(report.symbol, report.client_order_id, conditional, leg.node_id, "a mistaken side"))
    run.others.changes.append((
        leg.node.step_id, f"{leg.node_id}: under the id {report.client_order_id} stands a {report.side}, not ours",
    ))


def terms_of(asked: OrderRequest, report: OrderReport) -> OrderRequest:
    """The request with the exchange's own quantity and prices, where the report tells of them."""
    quantity, price, trigger = asked.quantity, asked.price, asked.trigger_price
    if report.quantity and not asked.close_position:
        quantity = report.quantity
    if report.limit_px and price is not None:
        price = report.limit_px
    if report.trigger_px and trigger is not None:
        trigger = report.trigger_px
    if (quantity, price, trigger) == (asked.quantity, asked.price, asked.trigger_price):
        return asked
    return asked.but(quantity=quantity, price=price, trigger_price=trigger)


def _terms(request: OrderRequest) -> str:
    prices = (f"@{trimmed(price)}" for price in (request.trigger_price, request.price) if price is not None)
    return " ".join((trimmed(request.quantity), *prices))


def cancelled(run: Run, leg: Leg, revision: Revision, reason: str) -> None:
    """An order of ours has been cancelled; where nobody here asked for it and the exchange gives no reason of its own,
    somebody else did."""
    group = run.group_of(leg)
    ours = revision.ours_to_cancel or revision.cancel_asked
    idle = revision.order.request.reduce_only and group.exit_qty == ZERO
    own = run.forced_until_ms or reason.strip("0") or orders.lapsed(run, revision)
    if revision.order.status is not OrderStatus.CANCELED or ours or idle or own:
        return
    text = f"{leg.node_id}: {revision.client_order_id} was cancelled, and not by this run"
    if revision.inherited:
        run.emit(Remark(leg.node.step_id, "cancelled_meanwhile", f"{text} since it was resumed"))
        return
    run.others.changes.append((leg.node.step_id, text))
    if not run.graph.adopt_external_changes:
        return
    if leg.node.role is Role.OPENER and not isinstance(leg.node.target, DueTarget):
        step = run.steps[leg.node.step_id]
        step.cancelled = step.cancelled or "external_change"
    elif leg.node.role is Role.TAKE_PROFIT and any(stop.active for stop in group.role(Role.STOP)):
        run.end_leg(leg, Outcome.CANCELLED)


# ---- positions ----------------------------------------------------------------------------------------------------


def begin(run: Run, foreign: tuple[Position, ...]) -> None:
    """What the account holds beside the run's own at its start."""
    for position in foreign:
        if position.qty and position.symbol in run.instruments:
            run.others.positions[position.symbol] = position.qty
            _name_position(run, position.symbol, ZERO)


def unexplained(run: Run, symbol: str, qty: Decimal) -> Decimal:
    """What of the account's position is neither the run's nor known to be others'."""
    return qty - run.held.get(symbol, ZERO) - run.others.positions.get(symbol, ZERO)


def trusted(run: Run, symbol: str, begun_ms: int) -> bool:
    """Whether a read begun then is provably newer than our last fill."""
    filled_ms = run.filled_ms.get(symbol)
    return filled_ms is None or begun_ms >= filled_ms + run.pace.trust_after_ms


def compare_position(run: Run, symbol: str, qty: Decimal, begun_ms: int) -> None:
    """Take in the account's position as a snapshot saw it, while nothing about our own orders is uncertain."""
    if not trusted(run, symbol, begun_ms):
        return
    seen = run.others.differences.pop(symbol, None)
    if unexplained(run, symbol, qty) == ZERO:
        return
    agrees = seen is not None and seen.qty == qty and trusted(run, symbol, seen.begun_ms)
    if agrees and seen is not None and begun_ms >= seen.begun_ms + run.pace.agree_after_ms:
        _changed(run, symbol, qty)
    else:
        run.others.differences[symbol] = seen if agrees and seen is not None else Difference(qty, begun_ms)


def _changed(run: Run, symbol: str, qty: Decimal) -> None:
    """The position was changed by somebody else: what went is taken from their part first, what came is theirs."""
    others, held = run.others.positions, run.held.get(symbol, ZERO)
    theirs = others.get(symbol, ZERO)
    difference = unexplained(run, symbol, qty)
    back = _against(difference, theirs)
    lost = _against(difference - back, held)
    others[symbol] = theirs + difference - lost
    if lost:
        _write_off(run, symbol, -lost)
    if others[symbol] != theirs:
        _name_position(run, symbol, theirs)
    if lost or (held and not _tolerated(run, symbol)):
        expected = f"{trimmed(held + theirs)} was expected, {trimmed(held)} of it of this run"
        text = f"the position on {symbol} was changed by hand: {trimmed(qty)} is held, {expected}"
        run.others.changes.append(("", text))


def _against(difference: Decimal, part: Decimal) -> Decimal:
    """How much of a difference takes away from a part, signed as the difference."""
    if difference == ZERO or part == ZERO or (difference > ZERO) is (part > ZERO):
        return ZERO
    return max(difference, -part) if difference < ZERO else min(difference, -part)


def _tolerated(run: Run, symbol: str) -> bool:
    return any(step.policy.existing_position_allowed for step in run.steps.values() if step.policy.symbol == symbol)


def _write_off(run: Run, symbol: str, lost: Decimal) -> None:
    """What was taken of the run's own position goes out of the part that no group holds, then out of the groups in
    file order.  `lost` is signed like the position."""
    sign = 1 if lost > ZERO else -1
    left = abs(lost)
    free = min(max(run.free.get(symbol, ZERO) * sign, ZERO), left)
    if free:
        run.free[symbol] -= free * sign
        run.held[symbol] -= free * sign
        left -= free
    for group in sorted(run.holders.get(symbol, {}).values(), key=lambda group: group.order):
        if group.spec.entry_side.sign == sign and left > ZERO:
            left -= _take_from(run, group, min(left, group.open))


def _take_from(run: Run, group: GroupState, part: Decimal) -> Decimal:
    if part == group.open:
        gone(run, group)
        return part
    group.charged += part
    group.real = None
    symbol = group.spec.symbol
    run.held[symbol] = run.held.get(symbol, ZERO) - part * group.spec.entry_side.sign
    run.note_ledger(group)
    return part


def _name_position(run: Run, symbol: str, before: Decimal) -> None:
    now = run.others.positions[symbol]
    was = f", it was {trimmed(before)}" if before else ""
    run.emit(Remark("", "foreign_position", f"{trimmed(now)} {symbol} are not of this run, left alone{was}"))


def forget_strangers(run: Run, shown: set[str], begun_ms: int, symbols: set[str]) -> None:
    """Orders of others that a snapshot should show and does not are no longer open."""
    for name in absent_strangers(run, shown, begun_ms, symbols):
        del run.others.orders[name]


def absent_strangers(run: Run, shown: set[str], begun_ms: int, symbols: set[str]) -> list[str]:
    return [
        name for name, one in run.others.orders.items()
        if name not in shown and one.told_ms < begun_ms and one.report.symbol in symbols
    ]

