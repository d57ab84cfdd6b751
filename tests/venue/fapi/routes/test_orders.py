"""Orders over the routes: their shapes are the documented ones, their refusals Binance's."""

import json

import pytest

from tests.venue.fapi.routes.counter import Counter
from tests.venue.fapi.wire import SYMBOL

LIMIT = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.010", "price": "59000"}
MARKET = {"symbol": SYMBOL, "side": "BUY", "type": "MARKET", "quantity": "0.010"}
PLACED = json.loads(
    """{"orderId":8389765519001,"symbol":"BTCUSDT","status":"NEW","clientOrderId":"st-a1-e1-0001","price":"60000.00",
    "origQty":"0.010","executedQty":"0.000","cumQty":"0.000","timeInForce":"GTC","type":"LIMIT","origType":"LIMIT",
    "reduceOnly":false,"closePosition":false,"side":"BUY","positionSide":"BOTH","stopPrice":"0.00",
    "workingType":"CONTRACT_PRICE","priceProtect":false,"priceMatch":"NONE","selfTradePreventionMode":"EXPIRE_MAKER",
    "goodTillDate":0,"updateTime":1790000000123}"""
)
TRADED = json.loads(
    """{"buyer":true,"commission":"0.01200000","commissionAsset":"USDT","id":536962673,"maker":false,
    "orderId":8389765519001,"price":"60000.00","qty":"0.010","quoteQty":"600.00","baseQty":"0","marginAsset":"USDT",
    "realizedPnl":"0","side":"BUY","positionSide":"BOTH","symbol":"BTCUSDT","pair":"BTCUSDT","time":1790000000123}"""
)


def shape(row: dict[str, object]) -> dict[str, type]:
    return {name: type(value) for name, value in row.items()}


def without(params: dict[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in params.items() if key != name}


def test_a_placed_order_has_the_documented_shape() -> None:
    assert shape(Counter().ask("POST v1/order", **LIMIT)) == shape(PLACED)


def test_a_query_adds_average_price_cost_and_time() -> None:
    counter = Counter()
    order_id = str(counter.ask("POST v1/order", **LIMIT)["orderId"])
    queried = shape(counter.ask("GET v1/order", symbol=SYMBOL, orderId=order_id))
    assert queried == {**shape(without(PLACED, "cumQty")), "avgPrice": str, "cumQuote": str, "time": int}
    listed = shape(counter.ask("GET v1/allOrders", symbol=SYMBOL)[0])
    assert listed == {**queried, "pair": str, "cumBase": str}


def test_an_ack_tells_nothing_of_fills_and_a_result_all() -> None:
    counter = Counter()
    ack = counter.ask("POST v1/order", **MARKET)
    assert (ack["status"], ack["executedQty"]) == ("NEW", "0.000")
    result = counter.ask("POST v1/order", **MARKET, newOrderRespType="RESULT")
    assert (result["status"], result["executedQty"], result["cumQty"]) == ("FILLED", "0.010", "0.010")
    asked = counter.ask("GET v1/order", symbol=SYMBOL, orderId=str(ack["orderId"]))
    assert (asked["status"], asked["avgPrice"], asked["cumQuote"]) == ("FILLED", "60000.10", "600.001")


def test_a_trade_of_the_account_has_the_documented_shape() -> None:
    counter = Counter()
    counter.buy()
    (row,) = counter.ask("GET v1/userTrades", symbol=SYMBOL)
    assert shape(row) == shape(TRADED)
    assert (row["price"], row["qty"], row["quoteQty"], row["commission"]) == (
        "60000.10", "0.010", "600.001", "0.30000050",
    )


@pytest.mark.parametrize(
    ("params", "code"),
    [
        (without(LIMIT, "symbol"), -1102),
        ({**LIMIT, "symbol": "NOPE"}, -1121),
        (without(LIMIT, "side"), -1102),
        ({**LIMIT, "side": "UP"}, -1117),
        ({**LIMIT, "type": "ICEBERG"}, -1116),
        ({**LIMIT, "type": "STOP_MARKET"}, -4120),
        ({**LIMIT, "timeInForce": "GTD2"}, -1115),
        (without(LIMIT, "timeInForce"), -1102),
        ({**MARKET, "timeInForce": "GTC"}, -1106),
        (without(LIMIT, "price"), -1102),
        (without(LIMIT, "quantity"), -1102),
        ({**LIMIT, "quantity": "1E-2"}, -1100),
        ({**LIMIT, "quantity": ""}, -1102),
        ({**LIMIT, "price": ""}, -1105),
        ({**LIMIT, "newClientOrderId": "a" * 37}, -4015),
        ({**LIMIT, "positionSide": "UP"}, -4060),
        ({**LIMIT, "positionSide": "LONG"}, -4061),
        ({**LIMIT, "newOrderRespType": "FULL"}, -1130),
        ({**LIMIT, "timeInForce": "GTD"}, -1102),
        ({**LIMIT, "goodTillDate": "1790001000000"}, -1106),
        ({**MARKET, "closePosition": "true"}, -4136),
        ({**MARKET, "stopPrice": "1"}, -1106),
        ({**MARKET, "reduceOnly": "true"}, -2022),
        ({**LIMIT, "quantity": "0.0005"}, -4004),
        ({**LIMIT, "quantity": "0"}, -4003),
    ],
)
def test_a_bad_order_is_refused(params: dict[str, str], code: int) -> None:
    assert Counter().ask("POST v1/order", **params) == code
    assert Counter().ask("POST v1/order/test", **params) == code


def test_in_hedge_mode_reduce_only_may_not_be_sent_and_a_side_must_be() -> None:
    counter = Counter()
    assert counter.ask("POST v1/positionSide/dual", dualSidePosition="true") == {"code": 200, "msg": "success"}
    assert counter.ask("POST v1/order", **LIMIT, positionSide="LONG", reduceOnly="false") == -1106
    assert counter.ask("POST v1/order", **LIMIT) == -4061
    assert counter.ask("POST v1/order", **LIMIT, positionSide="LONG")["positionSide"] == "LONG"


def test_a_tested_order_leaves_no_trace() -> None:
    counter = Counter()
    tested = counter.ask("POST v1/order/test", **LIMIT)
    assert shape(tested) == shape(PLACED) and tested["orderId"] == 0
    assert counter.ask("GET v1/openOrders") == []


def test_an_order_is_changed_and_the_change_remembered() -> None:
    counter = Counter()
    placed = counter.ask("POST v1/order", **LIMIT, newClientOrderId="a")
    change = {"symbol": SYMBOL, "side": "BUY", "quantity": "0.020", "price": "59000.1", "modifyId": "7"}
    changed = counter.ask("PUT v1/order", **change, origClientOrderId="a")
    assert (changed["price"], changed["origQty"], changed["modifyId"]) == ("59000.10", "0.020", 7)
    assert counter.ask("PUT v1/order", **change, orderId=str(placed["orderId"])) == -5027
    (row,) = counter.ask("GET v1/orderAmendment", symbol=SYMBOL)
    assert row["amendment"] == {
        "price": {"before": "59000.00", "after": "59000.10"}, "origQty": {"before": "0.010", "after": "0.020"},
        "count": 1,
    }
    assert counter.ask("PUT v1/order", **without(change, "price"), origClientOrderId="a") == -1102


def test_an_order_is_cancelled_once() -> None:
    counter = Counter()
    counter.ask("POST v1/order", **LIMIT, newClientOrderId="a")
    assert counter.ask("DELETE v1/order", symbol=SYMBOL, origClientOrderId="a")["status"] == "CANCELED"
    assert counter.ask("DELETE v1/order", symbol=SYMBOL, origClientOrderId="a") == -2011
    assert counter.ask("GET v1/openOrder", symbol=SYMBOL, origClientOrderId="a") == -2013
    assert counter.ask("GET v1/order", symbol=SYMBOL, origClientOrderId="a")["status"] == "CANCELED"
    assert counter.ask("DELETE v1/order", symbol=SYMBOL) == -1102


def test_each_row_of_a_batch_is_answered_by_itself() -> None:
    counter = Counter()
    rows = [LIMIT, {**LIMIT, "price": 58000.5}, {**LIMIT, "type": "STOP"}, 3]
    first, second, *refused = counter.ask("POST v1/batchOrders", batchOrders=json.dumps(rows))
    assert shape(first) == shape(PLACED) and second["price"] == "58000.50"
    assert [row["code"] for row in refused] == [-4120, -1102]
    assert counter.ask("POST v1/batchOrders", batchOrders=json.dumps([LIMIT] * 6)) == -4082
    assert counter.ask("POST v1/batchOrders", batchOrders="{}") == -1102
    keys = json.dumps([first["orderId"], 99])
    cancelled, unknown = counter.ask("DELETE v1/batchOrders", symbol=SYMBOL, orderIdList=keys)
    assert (cancelled["status"], unknown["code"]) == ("CANCELED", -2011)
    small = counter.ask("DELETE v1/batchOrders", symbol=SYMBOL, origclientorderidlist=json.dumps(["x"]))
    assert small[0]["code"] == -2011
    assert counter.ask("DELETE v1/batchOrders", symbol=SYMBOL, orderIdList='["1"]') == -1130


def test_all_orders_of_a_symbol_are_cancelled_at_once_or_by_a_countdown() -> None:
    counter = Counter()
    counter.ask("POST v1/order", **LIMIT)
    assert counter.ask("DELETE v1/allOpenOrders", symbol=SYMBOL)["code"] == 200
    assert counter.ask("GET v1/openOrders", symbol=SYMBOL) == []
    counter.ask("POST v1/order", **LIMIT)
    answer = counter.ask("POST v1/countdownCancelAll", symbol=SYMBOL, countdownTime="120000")
    assert answer == {"symbol": SYMBOL, "countdownTime": "120000"}
    counter.door.clock.set(counter.door.at_ms() + 120_001)
    counter.exchange.advance(counter.door.at_ms())
    assert counter.ask("GET v1/openOrders", symbol=SYMBOL) == []
    assert counter.ask("POST v1/countdownCancelAll", symbol=SYMBOL, countdownTime="-1") == -1130


def test_lists_are_cut_by_ids_windows_and_limits() -> None:
    counter = Counter()
    ids = [str(counter.ask("POST v1/order", **LIMIT)["orderId"]) for _ in range(4)]
    counter.ask("DELETE v1/order", symbol=SYMBOL, orderId=ids[1])

    def listed(**params: str) -> list[str]:
        return [str(row["orderId"]) for row in counter.ask("GET v1/allOrders", symbol=SYMBOL, **params)]

    assert listed() == ids
    assert listed(limit="2") == ids[2:]
    assert listed(orderId=ids[1], limit="2") == ids[1:3]
    assert listed(endTime=str(counter.door.at_ms() - 1)) == []
    now = counter.door.at_ms()
    eight_days = 8 * 86_400_000
    assert counter.ask("GET v1/allOrders", symbol=SYMBOL, startTime=str(now - eight_days), endTime=str(now)) == -4166
    assert counter.ask("GET v1/allOrders", symbol=SYMBOL, startTime="2", endTime="1") == -1023
    assert counter.ask("GET v1/userTrades", symbol=SYMBOL, fromId="1", startTime="1") == -1128
