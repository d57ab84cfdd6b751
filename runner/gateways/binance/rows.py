"""What the REST API shows, as the domain's values: orders of both worlds, executions, positions, balances.

Pure but for `Names`, which remembers whose order an order id is.

Source: Binance USDⓈ-M Futures, "Trade Endpoints" and "Account Endpoints".  An id is never a number here, and what a
source does not say is None.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from runner.domain.orders import OrderStatus
from runner.domain.positions import Position
from runner.domain.reports import OrderReport, TradeReport
from runner.domain.snapshots import Balance
from runner.domain.values import ZERO, Side

Shown = Mapping[str, Any]

STATUS = {
    "NEW": OrderStatus.NEW,
    "PARTIALLY_FILLED": OrderStatus.PARTIALLY_FILLED,
    "FILLED": OrderStatus.FILLED,
    "CANCELED": OrderStatus.CANCELED,
    "REJECTED": OrderStatus.REJECTED,
    "EXPIRED": OrderStatus.EXPIRED,
    "EXPIRED_IN_MATCH": OrderStatus.EXPIRED,
    "NEW_INSURANCE": OrderStatus.NEW,
    "NEW_ADL": OrderStatus.NEW,
}
ALGO_STATUS = {
    "NEW": OrderStatus.NEW,
    "TRIGGERING": OrderStatus.NEW,
    "TRIGGERED": OrderStatus.TRIGGERED,
    "CANCELED": OrderStatus.CANCELED,
    "EXPIRED": OrderStatus.EXPIRED,
    "REJECTED": OrderStatus.REJECTED,
}
"""FINISHED is not among them: it says that the order that was placed is over, not how."""

UNREADABLE = (KeyError, TypeError, ValueError, ArithmeticError, AttributeError)
"""What the reading of a row raises that is not what it should be."""


class Names:
    """Under which client order id an order of the matching engine is told: that of the conditional order that placed it
    where there is one, whatever id the engine gave it."""

    def __init__(self) -> None:
        self._of: dict[tuple[str, str], tuple[str, bool]] = {}

    def learn(self, symbol: str, order_id: str, client_order_id: str, triggered: bool = False) -> None:
        """What a conditional order said of the order that it placed (`triggered`) is not overruled by that order."""
        if triggered or (symbol, order_id) not in self._of:
            self._of[symbol, order_id] = client_order_id, triggered

    def client_of(self, symbol: str, order_id: str, otherwise: str = "") -> str:
        return self._of.get((symbol, order_id), (otherwise, False))[0]

    def triggered(self, symbol: str, order_id: str) -> bool:
        """Whether a conditional order is known to have placed it."""
        return self._of.get((symbol, order_id), ("", False))[1]


def order_report(row: Shown, names: Names) -> OrderReport:
    """An order of the matching engine; one that a conditional order has placed is TRIGGERED, not NEW."""
    symbol, order_id = str(row["symbol"]), str(row["orderId"])
    names.learn(symbol, order_id, str(row["clientOrderId"]))
    status = STATUS[row["status"]]
    if status is OrderStatus.NEW and names.triggered(symbol, order_id):
        status = OrderStatus.TRIGGERED
    filled = Decimal(row["executedQty"])
    return OrderReport(
        int(row["updateTime"]), symbol, names.client_of(symbol, order_id), order_id, status, filled,
        _price(row, "avgPrice") if filled else None, quantity=Decimal(row["origQty"]) or None,
        trigger_px=_price(row, "stopPrice"), limit_px=_price(row, "price"), side=Side(row["side"]),
        reduce_only=bool(row["reduceOnly"]), close_position=bool(row["closePosition"]),
    )


def conditional_report(row: Shown, names: Names) -> OrderReport:
    """A conditional order; from its trigger on it goes by the id of the order that it placed.

    FINISHED counts as filled where its whole quantity was executed, else as ended; one that closes the position has no
    quantity until then.
    """
    symbol, client_id = str(row["symbol"]), str(row["clientAlgoId"])
    placed = str(row.get("actualOrderId") or "")
    if placed:
        names.learn(symbol, placed, client_id, triggered=True)
    quantity = Decimal(row["quantity"])
    filled = Decimal(row.get("actualQty") or 0) if placed else ZERO
    status = ALGO_STATUS.get(row["algoStatus"])
    if status is None:
        status = OrderStatus.FILLED if filled and filled >= quantity else OrderStatus.EXPIRED
    return OrderReport(
        int(row["updateTime"]), symbol, client_id, placed or f"A{row['algoId']}", status, filled,
        _price(row, "actualPrice") if filled else None, quantity=quantity or None,
        trigger_px=_price(row, "triggerPrice"), limit_px=_price(row, "price"), side=Side(row["side"]),
        reduce_only=bool(row["reduceOnly"]), close_position=bool(row["closePosition"]),
    )


def looked_up(order: Shown | None, conditional: Shown | None, names: Names) -> OrderReport | None:
    """What both order worlds know of one client order id, or None where neither does.

    Ids are unique among open orders alone, so that each world may know one: the order that a conditional order has
    placed goes before it, else what is open before what has ended, and the later before the earlier.
    """
    told = None if conditional is None else conditional_report(conditional, names)
    engine = None if order is None else order_report(order, names)
    if engine is None or told is None or conditional is None or order is None:
        return engine or told
    if str(conditional.get("actualOrderId") or "") == engine.order_id:
        return engine.but(
            trigger_px=told.trigger_px, reduce_only=told.reduce_only, close_position=told.close_position,
        )
    first = not engine.status.closed, int(order.get("time") or 0)
    second = not told.status.closed, int(conditional["createTime"])
    return engine if first >= second else told


def trade_report(row: Shown, client_order_id: str) -> TradeReport:
    """One execution, which does not itself say whose client order id it belongs to."""
    return TradeReport(
        int(row["time"]), str(row["symbol"]), client_order_id, str(row["orderId"]), str(row["id"]), Side(row["side"]),
        Decimal(row["qty"]), Decimal(row["price"]), Decimal(row["commission"]), str(row["commissionAsset"]),
        Decimal(row["realizedPnl"]), bool(row["maker"]),
    )


def position(row: Shown) -> Position:
    return Position(str(row["symbol"]), Decimal(row["positionAmt"]), Decimal(row["entryPrice"]))


def balance(row: Shown) -> Balance:
    return Balance(str(row["asset"]), Decimal(row["balance"]), Decimal(row["availableBalance"]))


def _price(row: Shown, field: str) -> Decimal | None:
    """A price, which is absent, empty or zero where there is none."""
    return Decimal(row.get(field) or 0) or None
