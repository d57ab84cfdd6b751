"""What the exchange holds, compared with what we hold of it: each fact that a snapshot brings is taken in as if it had
been told by itself, and an order of ours that it should show and does not is looked up.
"""

from runner.domain.events import OrderNotFound, PositionReport
from runner.domain.reports import OrderReport, TradeReport
from runner.domain.snapshots import VenueSnapshot
from runner.domain.values import ZERO
from runner.engine import closing, contingencies, external, flow, orders
from runner.engine.state import GroupState, Leg, Revision, Run


def fold_order(run: Run, event: OrderReport | TradeReport | OrderNotFound) -> None:
    """Take in what is said of one order, from whatever source."""
    found = run.orders.get(event.client_order_id)
    if found is None and isinstance(event, OrderReport):
        found = external.recognised(run, event)
        if found is None:
            external.see_stranger(run, event)
    if found is None:
        return
    leg, revision = found
    was_live, was_held = revision.live, run.held.get(event.symbol)
    match event:
        case OrderReport():
            external.compare_terms(run, leg, revision, event)
            orders.fold_report(run, leg, revision, event)
        case TradeReport():
            orders.fold_trade(run, leg, revision, event)
        case OrderNotFound():
            orders.not_found(run, leg, revision, event)
    if was_live and not revision.live:
        if isinstance(event, OrderReport):
            external.cancelled(run, leg, revision, event.reason)
        contingencies.ended(run, leg, revision)
    if run.held.get(event.symbol) != was_held:
        judge_positions(run, event.symbol)


def judge_positions(run: Run, symbol: str) -> None:
    """The plan's position on the symbol may have changed: some condition may hold now."""
    for node_id, judge in list(run.position_judges.get(symbol, {}).items()):
        if judge.positions(run.now_ms, lambda symbol: run.held.get(symbol, ZERO), run.emit):
            flow.held(run, node_id)


def fold(run: Run, snapshot: VenueSnapshot) -> None:
    """Take a snapshot in."""
    for report in snapshot.orders:
        fold_order(run, report)
    for report in external.unremembered(run, snapshot.trades):
        fold_order(run, report)
    for trade in snapshot.trades:
        fold_order(run, trade)
    for leg, revision in _missing(run, snapshot):
        orders.look_up(run, leg, revision)
    for leg, revision in _risen(run, snapshot):
        orders.cancel_again(run, leg, revision)
    external.forget_strangers(run, *_shown(run, snapshot))
    for position in _positions(run, snapshot):
        closing.fold_position(run, position)
        if _certain(run, snapshot, position.symbol):
            external.compare_position(run, position.symbol, position.qty, snapshot.begun_ms)
        judge_positions(run, position.symbol)


def agrees(run: Run, snapshot: VenueSnapshot) -> bool:
    """Whether to take the snapshot in would change nothing that matters; in doubt it would."""
    return run.deferred is None and not (
        any(_order_is_news(run, report, max(run.now_ms, snapshot.at_ms)) for report in snapshot.orders)
        or any(_trade_is_news(run, trade) for trade in snapshot.trades)
        or external.unremembered(run, snapshot.trades)
        or _missing(run, snapshot) or _risen(run, snapshot)
        or external.absent_strangers(run, *_shown(run, snapshot))
        or any(_position_is_news(run, report) for report in _positions(run, snapshot))
    )


def _missing(run: Run, snapshot: VenueSnapshot) -> list[tuple[Leg, Revision]]:
    """Orders of ours that were open before the snapshot was begun, and that it does not show."""
    shown = {report.client_order_id for report in snapshot.orders}
    return [
        (leg, one) for leg, one in run.orders.values()
        if one.order.confirmed and not one.looking and one.told_ms < snapshot.begun_ms
        and snapshot.covers(leg.node.symbol) and one.client_order_id not in shown
    ]


def _risen(run: Run, snapshot: VenueSnapshot) -> list[tuple[Leg, Revision]]:
    """Orders of ours that count as ended, and that the snapshot shows live long after: they are taken back."""
    live = [report.client_order_id for report in snapshot.orders if not report.status.closed]
    return [
        (leg, one) for leg, one in (run.orders[client_id] for client_id in live if client_id in run.orders)
        if not one.live and snapshot.begun_ms >= one.told_ms + run.pace.trust_after_ms
    ]


def _shown(run: Run, snapshot: VenueSnapshot) -> tuple[set[str], int, set[str]]:
    """The names of the orders that the snapshot shows, when it was begun, and the symbols of the run it covers."""
    names = {external.name_of(report) for report in snapshot.orders}
    return names, snapshot.begun_ms, {symbol for symbol in run.instruments if snapshot.covers(symbol)}


def _certain(run: Run, snapshot: VenueSnapshot, symbol: str) -> bool:
    """Whether the snapshot shows each live order of ours on the symbol, and none of them is being looked up."""
    shown = {report.client_order_id for report in snapshot.orders}
    return not any(
        one.live and (one.asked or one.looking or client_id not in shown)
        for client_id, (leg, one) in run.orders.items() if leg.node.symbol == symbol
    )


def _positions(run: Run, snapshot: VenueSnapshot) -> list[PositionReport]:
    """The position that the snapshot saw on each symbol of the run that it covers; none is zero."""
    held = {position.symbol: position.qty for position in snapshot.positions}
    return [
        PositionReport(snapshot.at_ms, symbol, held.get(symbol, ZERO), snapshot.begun_ms)
        for symbol in run.instruments if snapshot.covers(symbol)
    ]


def _order_is_news(run: Run, report: OrderReport, at_ms: int) -> bool:
    found = run.orders.get(report.client_order_id)
    if found is None:
        return report.symbol in run.instruments and external.name_of(report) not in run.others.orders
    leg, one = found
    if external.terms_of(one.order.request, report) != one.order.request:
        return True
    owed = one.ours_to_cancel and one.order.confirmed and not one.order.cancel_in_flight
    unsettled = one.expires_ms is not None or one.misses > 0 or one.looking or one.absent
    unsettled = unsettled or (one.inherited and at_ms > run.doubtful_until_ms)
    unpriced = leg.anchor_px is None and report.filled_qty > ZERO
    return owed or unsettled or unpriced or orders.after_report(one, report) != one.order


def _trade_is_news(run: Run, trade: TradeReport) -> bool:
    known = (trade.symbol, trade.order_id, trade.trade_id) in run.trades
    return trade.client_order_id in run.orders and not known


def _position_is_news(run: Run, report: PositionReport) -> bool:
    if report.symbol in run.others.differences or external.unexplained(run, report.symbol, report.qty):
        return True
    return any(
        _doubts(run, group, report) for group in run.groups.values()
        if group.spec.symbol == report.symbol and not group.ended
    )


def _doubts(run: Run, group: GroupState, report: PositionReport) -> bool:
    on_side = max(report.qty * group.spec.entry_side.sign, ZERO)
    if group.reading or group.empty_read_ms is not None:
        return True
    real = on_side if on_side < group.open and run.sole_holder(group) else None
    return group.open > ZERO and (on_side == ZERO or real != group.real)
