"""The trade journal: a row for each order placed or denied, or a row for each execution."""

import csv
import io
import json
from collections.abc import Iterable
from decimal import Decimal

from runner.domain.commands import Command, OrderDenied, PlaceOrder
from runner.domain.events import Event, ForcedExecution
from runner.domain.reports import TradeReport
from runner.domain.times import rfc3339
from runner.domain.values import OrderType, trimmed
from runner.report.context import RunContext
from runner.report.legs import Legs
from runner.report.orders import KnownOrder, Orders

ORDER_COLUMNS = (
    "ts", "action", "type", "symbol", "side", "qty", "price", "stopPrice", "limitPrice", "tif", "orderId", "linkId",
    "result", "sliceIndex", "totalSlices",
)
FILL_COLUMNS = (
    "ts", "symbol", "side", "qty", "price", "fee", "feeAsset", "realizedPnl", "maker", "tradeId", "orderId", "linkId",
    "stepId", "runId",
)
Row = dict[str, str]
"""A row by column; what does not apply is an empty text."""


class TradeJournal:
    """Collects the rows of one run.  `orders` is the run's, kept up to date by whoever calls."""

    def __init__(self, context: RunContext, orders: Orders) -> None:
        self._run_id = context.run_id
        self._legs = Legs(context)
        self._orders = orders
        self._rows: list[KnownOrder | Row] = []
        self._sent: set[str] = set()
        self._forced: dict[tuple[str, str], ForcedExecution] = {}

    def see(self, at_ms: int, value: Event | Command) -> None:
        match value:
            case PlaceOrder(request=request) if request.client_order_id not in self._sent:
                self._sent.add(request.client_order_id)
                known = self._orders.get(request.client_order_id)
                self._rows += [known] if known else []
            case OrderDenied():
                self._rows.append(self._denied(at_ms, value))
            case ForcedExecution():
                self._forced[value.order_id, value.trade_id] = value
            case _:
                pass

    def order_rows(self) -> list[Row]:
        """A row for each order in the order they were sent, with the state it was last known in."""
        return [self._order(row) if isinstance(row, KnownOrder) else row for row in self._rows]

    def fill_rows(self) -> list[Row]:
        """A row for each execution, by time; at equal times by the order they were reported in an order.

        What the exchange executed by force belongs to no step.
        """
        trades: list[tuple[TradeReport | ForcedExecution, KnownOrder | None]] = [
            (trade, known) for known in self._orders for trade in known.trades
        ]
        trades += [(forced, None) for forced in self._forced.values()]
        trades.sort(key=lambda pair: pair[0].at_ms)
        return [
            {
                "ts": rfc3339(trade.at_ms), "symbol": trade.symbol, "side": trade.side.value,
                "qty": trimmed(trade.qty), "price": trimmed(trade.price), "fee": trimmed(trade.fee),
                "feeAsset": trade.fee_asset, "realizedPnl": trimmed(trade.realized_pnl),
                "maker": "true" if isinstance(trade, TradeReport) and trade.maker else "false",
                "tradeId": trade.trade_id, "orderId": trade.order_id, "linkId": self._link(known) if known else "",
                "stepId": self._legs.leg(known.placed.node_id).step_id if known else "", "runId": self._run_id,
            }
            for trade, known in trades
        ]

    def _order(self, known: KnownOrder) -> Row:
        request = known.placed.request
        action = self._legs.action(known.placed)
        leg = self._legs.leg(known.placed.node_id)
        sliced = action == "twap_slice"
        resting = request.order_type is OrderType.LIMIT
        return {
            "ts": rfc3339(known.sent_ms), "action": action, "type": request.order_type.value,
            "symbol": request.symbol, "side": request.side.value, "qty": trimmed(request.quantity),
            "price": _text(request.price) if resting else "",
            "stopPrice": _text(request.trigger_price or request.activation_price),
            "limitPrice": "" if resting else _text(request.price),
            "tif": request.time_in_force.value if request.order_type.limited else "",
            "orderId": known.order.order_id, "linkId": self._link(known), "result": known.result,
            "sliceIndex": str(leg.slice_index) if sliced else "",
            "totalSlices": str(self._legs.step(leg.step_id).slices) if sliced else "",
        }

    def _denied(self, at_ms: int, denied: OrderDenied) -> Row:
        leg = self._legs.leg(denied.node_id)
        step = self._legs.step(leg.step_id)
        return dict.fromkeys(ORDER_COLUMNS, "") | {
            "ts": rfc3339(at_ms), "action": "risk_denied", "type": leg.order_type.value, "symbol": leg.symbol,
            "side": leg.side.value if leg.side else "", "linkId": step.link_id, "result": f"DENIED {denied.code}",
            "sliceIndex": str(leg.slice_index or ""), "totalSlices": str(step.slices or ""),
        }

    def _link(self, known: KnownOrder) -> str:
        return self._legs.step(self._legs.leg(known.placed.node_id).step_id).link_id


def as_csv(columns: tuple[str, ...], rows: Iterable[Row], *, head: bool = True) -> str:
    """The rows as CSV with `\\n` line ends, so that the bytes are the same on every system."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    if head:
        writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def as_json(rows: Iterable[Row]) -> str:
    """The rows as a JSON list of objects, numbers as strings."""
    return json.dumps(list(rows), indent=2, ensure_ascii=False) + "\n"


def _text(value: Decimal | None) -> str:
    return "" if value is None else trimmed(value)
