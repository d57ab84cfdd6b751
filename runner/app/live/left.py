"""What a run leaves on the exchange, in words: it is read from the run's report, so a journal tells it as well."""

from collections.abc import Iterator

from runner.domain.values import ZERO, trimmed
from runner.report.orders import KnownOrder
from runner.report.report import Report


def left_on_exchange(report: Report) -> tuple[str, ...]:
    """A line for each order that the exchange holds or may hold, and for each position of the run."""
    return (*_orders(report), *_positions(report))


def _orders(report: Report) -> Iterator[str]:
    for known in report.orders():
        if not (known.gone or known.refusal or known.order.status.closed):
            yield _order(known)


def _order(known: KnownOrder) -> str:
    request = known.placed.request
    named = (("trigger", request.trigger_price), ("at", request.price))
    prices = [f"{word} {trimmed(price)}" for word, price in named if price is not None]
    size = "the whole position" if request.close_position else trimmed(request.quantity)
    words = " ".join((
        known.placed.node_id, request.order_type.value, request.side.value, size, request.symbol, *prices,
    ))
    filled = f", {trimmed(known.filled_qty)} filled" if known.filled_qty else ""
    sure = "" if known.order.confirmed else "; whether the exchange has it is not known"
    return f"{words}{filled} ({request.client_order_id}){sure}"


def _positions(report: Report) -> Iterator[str]:
    for position in report.positions():
        if position.qty != ZERO:
            side = "long" if position.qty > ZERO else "short"
            yield f"position: {side} {trimmed(abs(position.qty))} {position.symbol} from {trimmed(position.entry_px)}"
