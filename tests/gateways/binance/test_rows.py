"""Rows of the REST API as the domain's values: Binance's own examples, and what a source leaves out."""

from decimal import Decimal
from typing import Any

import pytest

from runner.domain.orders import OrderStatus
from runner.domain.positions import Position
from runner.domain.values import Side
from runner.gateways.binance import rows
from runner.gateways.binance.rows import ALGO_STATUS, STATUS, UNREADABLE, Names

D = Decimal
ORDER: dict[str, Any] = {
    "orderId": 8389765519001, "symbol": "BTCUSDT", "status": "NEW", "clientOrderId": "st-a1-e1-0001",
    "price": "60000.00", "origQty": "0.010", "executedQty": "0.000", "cumQty": "0.000", "timeInForce": "GTC",
    "type": "LIMIT", "origType": "LIMIT", "reduceOnly": False, "closePosition": False, "side": "BUY",
    "positionSide": "BOTH", "stopPrice": "0.00", "updateTime": 1790000000123, "time": 1790000000100,
}
CONDITIONAL: dict[str, Any] = {
    "algoId": 1000000181546843, "clientAlgoId": "st-a1-sl-0001", "algoType": "CONDITIONAL",
    "orderType": "STOP_MARKET", "symbol": "BTCUSDT", "side": "SELL", "positionSide": "BOTH", "timeInForce": "GTC",
    "quantity": "0.010", "algoStatus": "NEW", "triggerPrice": "58000.00", "price": "0.00", "closePosition": False,
    "reduceOnly": True, "createTime": 1790000000456, "updateTime": 1790000000456, "triggerTime": 0,
}
TRIGGERED = CONDITIONAL | {
    "algoStatus": "FINISHED", "actualOrderId": "8389765519777", "actualPrice": "57998.50", "actualQty": "0.010",
    "updateTime": 1790000100030,
}


def test_an_order_is_told_with_all_that_the_exchange_holds_it_to() -> None:
    report = rows.order_report(ORDER, Names())
    assert (report.at_ms, report.order_id, report.client_order_id) == (1790000000123, "8389765519001", "st-a1-e1-0001")
    assert (report.status, report.filled_qty, report.avg_px) == (OrderStatus.NEW, D(0), None)
    assert (report.quantity, report.limit_px, report.trigger_px) == (D("0.010"), D(60000), None)
    assert (report.side, report.reduce_only, report.close_position) == (Side.BUY, False, False)


@pytest.mark.parametrize("status", ["NEW", "PARTIALLY_FILLED", "FILLED", "CANCELED", "REJECTED", "EXPIRED",
                                    "EXPIRED_IN_MATCH"])
def test_every_status_of_the_matching_engine_is_known(status: str) -> None:
    assert rows.order_report(ORDER | {"status": status}, Names()).status is STATUS[status]


def test_a_fill_has_its_average_price_where_the_source_says_so() -> None:
    filled = ORDER | {"status": "FILLED", "executedQty": "0.010"}
    assert rows.order_report(filled, Names()).avg_px is None
    assert rows.order_report(filled | {"avgPrice": "60000.10"}, Names()).avg_px == D("60000.10")


def test_a_conditional_order_goes_by_its_own_number_until_it_has_placed_one() -> None:
    report = rows.conditional_report(CONDITIONAL, Names())
    assert (report.order_id, report.status) == ("A1000000181546843", OrderStatus.NEW)
    assert (report.quantity, report.trigger_px, report.limit_px) == (D("0.010"), D(58000), None)
    names = Names()
    report = rows.conditional_report(TRIGGERED, names)
    assert (report.order_id, report.status, report.filled_qty) == ("8389765519777", OrderStatus.FILLED, D("0.010"))
    assert names.triggered("BTCUSDT", "8389765519777")


@pytest.mark.parametrize("status", list(ALGO_STATUS))
def test_every_status_of_the_algo_service_is_known(status: str) -> None:
    assert rows.conditional_report(CONDITIONAL | {"algoStatus": status}, Names()).status is ALGO_STATUS[status]


def test_one_that_finished_short_of_its_quantity_has_ended() -> None:
    short = TRIGGERED | {"actualQty": "0.004"}
    report = rows.conditional_report(short, Names())
    assert (report.status, report.filled_qty) == (OrderStatus.EXPIRED, D("0.004"))
    assert rows.conditional_report(TRIGGERED | {"actualQty": "0"}, Names()).status is OrderStatus.EXPIRED


def test_one_that_closes_the_position_has_no_quantity() -> None:
    whole = CONDITIONAL | {"quantity": "0", "closePosition": True, "timeInForce": "GTE_GTC"}
    report = rows.conditional_report(whole, Names())
    assert (report.quantity, report.close_position) == (None, True)
    filled = rows.conditional_report(TRIGGERED | {"quantity": "0", "closePosition": True}, Names())
    assert (filled.status, filled.filled_qty) == (OrderStatus.FILLED, D("0.010"))


def test_the_order_that_a_conditional_order_placed_is_told_under_its_id_and_as_triggered() -> None:
    names = Names()
    rows.conditional_report(TRIGGERED, names)
    engine = ORDER | {"orderId": 8389765519777, "clientOrderId": "of-the-engine"}
    report = rows.order_report(engine, names)
    assert (report.client_order_id, report.status) == ("st-a1-sl-0001", OrderStatus.TRIGGERED)
    names = Names()
    rows.order_report(engine, names)
    rows.conditional_report(TRIGGERED, names)
    assert rows.order_report(engine, names).client_order_id == "st-a1-sl-0001"


def test_what_both_worlds_know_is_told_once() -> None:
    engine = ORDER | {"orderId": 8389765519777, "status": "CANCELED", "clientOrderId": "st-a1-sl-0001", "side": "SELL"}
    names = Names()
    assert rows.looked_up(None, None, names) is None
    found = rows.looked_up(engine, TRIGGERED, names)
    assert found is not None
    assert (found.status, found.order_id, found.trigger_px) == (OrderStatus.CANCELED, "8389765519777", D(58000))
    one, other = rows.looked_up(ORDER, None, Names()), rows.looked_up(None, CONDITIONAL, Names())
    assert one is not None and one.order_id == "8389765519001"
    assert other is not None and other.order_id == "A1000000181546843"


@pytest.mark.parametrize(("order", "conditional", "found"), [
    ({"status": "NEW"}, {"algoStatus": "CANCELED"}, "8389765519001"),
    ({"status": "FILLED"}, {"algoStatus": "NEW"}, "A1000000181546843"),
    ({"status": "FILLED", "time": 1}, {"algoStatus": "CANCELED", "createTime": 2}, "A1000000181546843"),
    ({"status": "FILLED", "time": 3}, {"algoStatus": "CANCELED", "createTime": 2}, "8389765519001"),
])
def test_of_two_orders_under_one_id_the_open_then_the_later_counts(
    order: dict[str, Any], conditional: dict[str, Any], found: str,
) -> None:
    report = rows.looked_up(ORDER | order, CONDITIONAL | conditional, Names())
    assert report is not None and report.order_id == found


def test_executions_positions_and_balances() -> None:
    trade = rows.trade_report({
        "buyer": True, "commission": "0.01200000", "commissionAsset": "USDT", "id": 536962673, "maker": False,
        "orderId": 8389765519001, "price": "60000.00", "qty": "0.010", "quoteQty": "600.00", "realizedPnl": "-1.5",
        "side": "BUY", "positionSide": "BOTH", "symbol": "BTCUSDT", "time": 1790000000123,
    }, "st-a1-e1-0001")
    assert (trade.order_id, trade.trade_id, trade.fee, trade.realized_pnl) == (
        "8389765519001", "536962673", D("0.012"), D("-1.5"),
    )
    assert rows.position({"symbol": "BTCUSDT", "positionAmt": "-0.010", "entryPrice": "60000.1"}) == Position(
        "BTCUSDT", D("-0.010"), D("60000.1"),
    )
    held = rows.balance({"asset": "USDT", "balance": "10000.0", "availableBalance": "9990.0"})
    assert (held.asset, held.wallet, held.available) == ("USDT", D(10000), D(9990))


@pytest.mark.parametrize("row", [{}, ORDER | {"status": "STRANGE"}, ORDER | {"executedQty": "x"}, [], None, "x",
                                 ORDER | {"side": None}, ORDER | {"updateTime": {}}])
def test_what_is_no_order_is_unreadable(row: Any) -> None:
    with pytest.raises(UNREADABLE):
        rows.order_report(row, Names())
