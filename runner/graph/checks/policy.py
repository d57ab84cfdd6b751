"""What a mode asks of a plan beyond what makes it valid: values, so that no later stage asks for the mode."""

from runner.domain.times import rfc3339
from runner.domain.value import Value
from runner.graph.model import ExecutionGraph, OrderNode

GOOD_TILL_AHEAD_MS = 600_000
"""How far ahead the date of a GTD order must lie at least.  Source: Binance USDⓈ-M Futures, "New Order"."""


class Policy(Value, frozen=True):
    """`require_protection`: a step that may open without a stop is invalid unless it says `unprotected: allow`."""

    require_protection: bool = False


LENIENT = Policy()


def stale_dates(graph: ExecutionGraph, now_ms: int) -> tuple[str, ...]:
    """A sentence for each order whose `good_till` the exchange would refuse already now."""
    return tuple(
        f"{node.node_id}: its good_till {rfc3339(node.good_till_ms)} is not more than"
        f" {GOOD_TILL_AHEAD_MS // 1000} seconds ahead: give a later time"
        for node in graph.nodes
        if isinstance(node, OrderNode) and node.good_till_ms is not None
        and node.good_till_ms <= now_ms + GOOD_TILL_AHEAD_MS
    )
