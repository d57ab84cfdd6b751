"""Why a run would be refused before anything is sent: what the account is set to, and what it holds of others.

Sources: plan language, *Others* and *A plan at a glance* (`account` is checked, never set silently); version 1 plans
are for one-way position mode.
"""

from collections.abc import Iterator

from runner.domain.account import AccountFacts
from runner.domain.reports import OrderReport
from runner.domain.snapshots import VenueSnapshot
from runner.domain.values import ZERO, Side, trimmed
from runner.engine.ids import order_key
from runner.graph.checks.policy import stale_dates
from runner.graph.model import ExecutionGraph, StepPolicy


def refusals(graph: ExecutionGraph, account: AccountFacts, snapshot: VenueSnapshot) -> tuple[str, ...]:
    """Each reason as a sentence without its point; none where the run may begin."""
    return (*_account(graph, account), *_others(graph, snapshot), *stale_dates(graph, snapshot.at_ms))


def _account(graph: ExecutionGraph, account: AccountFacts) -> Iterator[str]:
    if not account.can_trade:
        yield "the account may not trade futures"
    if account.hedge_mode:
        yield "the account is in hedge mode, and plans are for one-way mode: change it under Preferences, Position Mode"
    if account.multi_assets:
        yield (
            "the account is in multi-assets mode, and margins are counted for single-asset mode: change it under "
            "Preferences, Asset Mode"
        )
    wish = graph.account
    for symbol in _opened(graph):
        setting = account.setting(symbol)
        if wish.leverage is not None and (setting is None or setting.leverage != wish.leverage):
            yield (
                f"{symbol}: the plan wants leverage {wish.leverage}, the account has "
                f"{setting.leverage if setting else 'none that is known'}"
            )
        if wish.margin_type is not None and (setting is None or setting.margin_type != wish.margin_type):
            yield (
                f"{symbol}: the plan wants {wish.margin_type} margin, the account has "
                f"{setting.margin_type if setting else 'none that is known'}"
            )


def _others(graph: ExecutionGraph, snapshot: VenueSnapshot) -> Iterator[str]:
    """A run has nothing on the exchange before it begins, so that all there is belongs to others."""
    held = {position.symbol: position for position in snapshot.positions}
    for symbol, steps in _opened(graph).items():
        position = held.get(symbol)
        if position is not None and position.qty != ZERO:
            side = Side.BUY if position.qty > ZERO else Side.SELL
            for step in steps:
                if not step.existing_position_allowed:
                    yield (
                        f"{symbol}: the account has a position of {trimmed(position.qty)} that is not this run's; "
                        f"step {step.step_id} may open beside it only with existing_position: allow"
                    )
                elif step.side is not side:
                    yield (
                        f"{symbol}: the account has a position of {trimmed(position.qty)} that is not this run's, "
                        f"and step {step.step_id} opens on the other side"
                    )
        by_run: dict[str, list[OrderReport]] = {}
        for order in snapshot.orders:
            if order.symbol == symbol and not all(_may_stay(order, step) for step in steps):
                by_run.setdefault(_run_of(order), []).append(order)
        for run_id, orders in by_run.items():
            what = "an open order that is" if len(orders) == 1 else "open orders that are"
            whose = f", of the run {run_id}: see daksh-run show {run_id}" if run_id else ""
            yield f"{symbol}: the account has {what} not this run's: {'; '.join(map(_named, orders))}{whose}"


def _may_stay(order: OrderReport, step: StepPolicy) -> bool:
    """Whether the step may open beside an order of others: one that closes, or opens on the same side."""
    closes = bool(order.reduce_only or order.close_position)
    return step.existing_position_allowed and (closes or order.side is step.side)


def _named(order: OrderReport) -> str:
    side = f"{order.side.value} " if order.side else ""
    size = trimmed(order.quantity) if order.quantity else "the position"
    return f"{side}{size}, order {order.order_id}"


def _run_of(order: OrderReport) -> str:
    """The live run whose id the order has; empty where it is somebody else's."""
    key = order_key(order.client_order_id)
    return key.run_id if key and key.run_id.startswith("r") else ""


def _opened(graph: ExecutionGraph) -> dict[str, list[StepPolicy]]:
    """The steps that open, by symbol, in the order of the graph."""
    found: dict[str, list[StepPolicy]] = {}
    for step in graph.steps:
        if step.opens:
            found.setdefault(step.symbol, []).append(step)
    return found
