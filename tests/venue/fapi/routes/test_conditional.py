"""Conditional orders over the routes."""

import json

import pytest

from tests.venue.fapi.routes.counter import Counter
from tests.venue.fapi.routes.test_orders import shape, without
from tests.venue.fapi.wire import SYMBOL

STOP = {"algoType": "CONDITIONAL", "symbol": SYMBOL, "side": "SELL", "type": "STOP_MARKET", "quantity": "0.010",
        "triggerPrice": "59000", "reduceOnly": "true", "clientAlgoId": "sl"}
TRAILING = {**without(STOP, "triggerPrice"), "type": "TRAILING_STOP_MARKET", "callbackRate": "1"}
PLACED = json.loads(
    """{"algoId":1000000181546843,"clientAlgoId":"st-a1-sl-0001","algoType":"CONDITIONAL","orderType":"STOP_MARKET",
    "symbol":"BTCUSDT","side":"SELL","positionSide":"BOTH","timeInForce":"GTC","quantity":"0.010","algoStatus":"NEW",
    "triggerPrice":"58000.00","price":"0.00","icebergQuantity":null,"selfTradePreventionMode":"EXPIRE_MAKER",
    "workingType":"MARK_PRICE","priceMatch":"NONE","closePosition":false,"priceProtect":false,"reduceOnly":true,
    "activatePrice":"","callbackRate":"","createTime":1790000000456,"updateTime":1790000000456,"triggerTime":0,
    "goodTillDate":0}"""
)
QUERIED = json.loads(
    """{"algoId":1000000181546843,"clientAlgoId":"st-a1-sl-0001","algoType":"CONDITIONAL","orderType":"STOP_MARKET",
    "symbol":"BTCUSDT","side":"SELL","positionSide":"BOTH","timeInForce":"GTC","quantity":"0.010",
    "algoStatus":"FINISHED","actualOrderId":"8389765519777","actualPrice":"57998.50","actualType":"MARKET",
    "actualQty":"0.010","triggerPrice":"58000.00","price":"0.00","icebergQuantity":null,"tpOrderType":"",
    "selfTradePreventionMode":"EXPIRE_MAKER","workingType":"MARK_PRICE","priceMatch":"NONE","closePosition":false,
    "priceProtect":false,"reduceOnly":true,"createTime":1790000000456,"updateTime":1790000100030,
    "triggerTime":1790000100012,"goodTillDate":0}"""
)


def test_a_placed_and_a_queried_one_have_the_documented_shapes() -> None:
    counter = Counter()
    counter.buy()
    assert shape(counter.ask("POST v1/algoOrder", **STOP)) == shape(PLACED)
    waiting = counter.ask("GET v1/algoOrder", clientAlgoId="sl")
    assert shape(waiting) == shape(QUERIED) and waiting["actualOrderId"] == ""
    counter.trade("58900")
    done = counter.ask("GET v1/algoOrder", clientAlgoId="sl")
    assert shape(done) == shape(QUERIED)
    assert (done["algoStatus"], done["actualType"], done["actualQty"]) == ("FINISHED", "MARKET", "0.010")
    order = counter.ask("GET v1/order", symbol=SYMBOL, orderId=done["actualOrderId"])
    assert (order["status"], order["clientOrderId"], order["avgPrice"]) == ("FILLED", "sl", done["actualPrice"] + "0")


def test_a_trailing_stop_shows_what_only_it_has() -> None:
    counter = Counter()
    placed = counter.ask("POST v1/algoOrder", **TRAILING, activatePrice="60500")
    assert (placed["callbackRate"], placed["activatePrice"], placed["triggerPrice"]) == ("1", "60500", "0.00")
    assert counter.ask("GET v1/algoOrder", clientAlgoId="sl")["callbackRate"] == "1"


def test_one_that_closes_a_position_is_tied_to_it() -> None:
    counter = Counter()
    params = {**without(without(STOP, "quantity"), "reduceOnly"), "closePosition": "true"}
    assert counter.ask("POST v1/algoOrder", **params) == -4509
    counter.buy()
    placed = counter.ask("POST v1/algoOrder", **params)
    assert (placed["timeInForce"], placed["closePosition"], placed["reduceOnly"]) == ("GTE_GTC", True, True)
    assert counter.ask("POST v1/algoOrder", **{**params, "clientAlgoId": "b"}) == -4130


@pytest.mark.parametrize(
    ("params", "code"),
    [
        (without(STOP, "algoType"), -1102),
        ({**STOP, "algoType": "TWAP"}, -4500),
        ({**STOP, "type": "LIMIT"}, -1116),
        (without(STOP, "triggerPrice"), -1102),
        (without(STOP, "quantity"), -1102),
        ({**STOP, "type": "STOP"}, -1102),
        (without(TRAILING, "callbackRate"), -1102),
        ({**TRAILING, "triggerPrice": "1"}, -1106),
        ({**STOP, "triggerPrice": "61000"}, -2021),
        ({**STOP, "workingType": "INDEX"}, -1130),
        ({**STOP, "timeInForce": "DAY"}, -1115),
        ({**STOP, "clientAlgoId": "a" * 37}, -4015),
        ({**STOP, "closePosition": "true"}, -1106),
        ({**without(STOP, "reduceOnly"), "closePosition": "true"}, -4137),
    ],
)
def test_a_bad_one_is_refused(params: dict[str, str], code: int) -> None:
    counter = Counter()
    counter.buy()
    assert counter.ask("POST v1/algoOrder", **params) == code


def test_it_is_cancelled_by_either_id_and_its_code_is_a_text() -> None:
    counter = Counter()
    algo_id = counter.ask("POST v1/algoOrder", **STOP)["algoId"]
    assert counter.ask("POST v1/algoOrder", **STOP) == -4116
    assert counter.ask("DELETE v1/algoOrder", algoId=str(algo_id)) == {
        "algoId": algo_id, "clientAlgoId": "sl", "code": "200", "msg": "success",
    }
    assert counter.ask("DELETE v1/algoOrder", clientAlgoId="sl") == -2011
    assert counter.ask("DELETE v1/algoOrder") == -1102


def test_lists_hold_the_open_ones_and_all() -> None:
    counter = Counter()
    counter.ask("POST v1/algoOrder", **STOP)
    counter.ask("POST v1/algoOrder", **{**STOP, "clientAlgoId": "b"})
    (first, _) = counter.ask("GET v1/openAlgoOrders")
    nulls = dict.fromkeys(("tpTriggerPrice", "tpPrice", "slTriggerPrice", "slPrice"), type(None))
    assert shape(first) == {**shape(QUERIED), **nulls}
    assert counter.ask("GET v1/openOrders") == []
    assert counter.ask("DELETE v1/algoOpenOrders", symbol=SYMBOL)["code"] == 200
    assert counter.ask("GET v1/openAlgoOrders", symbol=SYMBOL) == []
    listed = counter.ask("GET v1/allAlgoOrders", symbol=SYMBOL)
    assert [row["algoStatus"] for row in listed] == ["CANCELED", "CANCELED"]
    assert counter.ask("GET v1/openAlgoOrders", algoType="VP") == -4500


def test_an_order_that_has_triggered_and_rests_is_among_all_of_them() -> None:
    counter = Counter()
    counter.buy()
    counter.ask(
        "POST v1/algoOrder", algoType="CONDITIONAL", symbol=SYMBOL, side="SELL", type="STOP", quantity="0.010",
        triggerPrice="59000", price="59500", clientAlgoId="stop", reduceOnly="true",
    )
    counter.trade("58990")
    assert counter.ask("GET v1/openAlgoOrders", symbol=SYMBOL) == []
    (row,) = counter.ask("GET v1/allAlgoOrders", symbol=SYMBOL)
    assert (row["clientAlgoId"], row["algoStatus"]) == ("stop", "TRIGGERED")
    assert counter.ask("GET v1/allAlgoOrders", symbol=SYMBOL, algoId=str(row["algoId"] + 1)) == []
