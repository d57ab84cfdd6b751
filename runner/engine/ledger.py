"""What each exit of a group should cover, from the group's ledger.  Source: plan language, *Groups*."""

from decimal import Decimal

from runner.domain.instrument import shares
from runner.domain.values import ZERO, OrderType
from runner.engine.state import GroupState, Leg, Revision, Run
from runner.graph.model import Role, ShareTarget


def take_profit_targets(run: Run, group: GroupState) -> dict[str, Decimal]:
    """What each take-profit leg still has to fill, by node id.

    Leg i gets its share of what was entered, less what it has filled itself; where the legs together exceed what is
    open, they are cut from the last backwards.
    """
    targets: dict[str, Decimal] = {}
    left = group.exit_qty
    for leg in group.role(Role.TAKE_PROFIT):
        if leg.active and leg.outcome is None:
            targets[leg.node_id] = min(max(share(run, group, leg) - leg.filled, ZERO), left)
            left -= targets[leg.node_id]
    return targets


def share(run: Run, group: GroupState, leg: Leg) -> Decimal:
    """The leg's part of everything that was entered (and not taken away by another group's exits)."""
    target = leg.node.target
    entered = group.entered - group.charged
    if not isinstance(target, ShareTarget):
        return entered
    return shares(entered, target.weights, run.instruments[leg.node.symbol])[target.index]


def leaves(group: GroupState, revision: Revision) -> Decimal:
    """What an exit still closes; one with `close_position`, all that is open, however much that is."""
    order = revision.order
    return group.exit_qty if order.request.close_position and revision.live else order.leaves_qty


def covered(group: GroupState) -> Decimal:
    """What confirmed stops of the group would close."""
    return sum(
        (
            leaves(group, revision)
            for leg in group.role(Role.STOP) for revision in leg.revisions
            if revision.order.confirmed and revision.order.request.order_type.conditional
        ),
        ZERO,
    )


def unsold(group: GroupState, besides: Revision | None = None) -> Decimal:
    """What is open and not being sold at market already, by another order than `besides`.

    A position known to be smaller may be so because of those orders: it bounds the rest, and is not lessened by them.
    """
    selling = (
        revision.order.leaves_qty for leg in group.legs for revision in leg.live()
        if revision.order.request.reduce_only and revision.order.request.order_type is OrderType.MARKET
        and revision is not besides
    )
    return max(min(group.open - sum(selling, ZERO), group.exit_qty), ZERO)
