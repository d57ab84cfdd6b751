"""Orders as parameters, and as the served exchange understands them."""

from decimal import Decimal
from typing import Any

import pytest

from runner.domain.orders import OrderRequest
from runner.domain.values import OrderType, Side, TimeInForce, WorkingType
from runner.gateways.binance import wire
from runner.gateways.binance.answers import Standing
from runner.gateways.binance.rest import Rest
from tests.gateways.binance.stage import Stage, told


def request(kind: str, **more: Any) -> OrderRequest:
    return OrderRequest("run.entry.1", "BTCUSDT", Side.SELL, OrderType(kind), Decimal("0.010"), **more)


HEAD = {"symbol": "BTCUSDT", "side": "SELL"}
IN_BOOK = {**HEAD, "newClientOrderId": "run.entry.1", "newOrderRespType": "RESULT", "quantity": "0.01"}
WAITING = {**HEAD, "algoType": "CONDITIONAL", "clientAlgoId": "run.entry.1", "workingType": "CONTRACT_PRICE"}
ORDERS: list[tuple[OrderRequest, dict[str, str]]] = [
    (request("MARKET"), IN_BOOK | {"type": "MARKET"}),
    (request("MARKET", reduce_only=True), IN_BOOK | {"type": "MARKET", "reduceOnly": "true"}),
    (request("LIMIT", price=Decimal("60000.10")), IN_BOOK | {
        "type": "LIMIT", "price": "60000.1", "timeInForce": "GTC",
    }),
    (request("LIMIT", price=Decimal("6E+4"), time_in_force=TimeInForce.GTD, good_till_ms=1_800_000_000_000), IN_BOOK | {
        "type": "LIMIT", "price": "60000", "timeInForce": "GTD", "goodTillDate": "1800000000000",
    }),
    (request("STOP_MARKET", trigger_price=Decimal("59000"), reduce_only=True), WAITING | {
        "type": "STOP_MARKET", "triggerPrice": "59000", "quantity": "0.01", "reduceOnly": "true",
    }),
    (request("STOP_MARKET", trigger_price=Decimal("59000"), reduce_only=True, close_position=True), WAITING | {
        "type": "STOP_MARKET", "triggerPrice": "59000", "closePosition": "true",
    }),
    (request("TAKE_PROFIT", trigger_price=Decimal(61000), price=Decimal(61000), working_type=WorkingType.MARK_PRICE), {
        **WAITING,
        "type": "TAKE_PROFIT", "triggerPrice": "61000", "price": "61000", "timeInForce": "GTC", "quantity": "0.01",
        "workingType": "MARK_PRICE",
    }),
    (request("TRAILING_STOP_MARKET", callback_rate=Decimal("1.50"), activation_price=Decimal("61000")), WAITING | {
        "type": "TRAILING_STOP_MARKET", "callbackRate": "1.5", "activatePrice": "61000", "quantity": "0.01",
    }),
]


@pytest.mark.parametrize(("order", "parameters"), ORDERS, ids=lambda one: getattr(one, "order_type", ""))
def test_an_order_is_sent_as_these_parameters(order: OrderRequest, parameters: dict[str, str]) -> None:
    written = wire.new_conditional if order.order_type.conditional else wire.new_order
    assert written(order) == parameters


@pytest.mark.parametrize("value", ["1E-7", "0.00000010", "1E-7000"])
def test_no_number_has_an_exponent(value: str) -> None:
    written = wire.new_order(request("MARKET").but(quantity=Decimal(value)))["quantity"]
    assert "E" not in written.upper() and Decimal(written) == Decimal(value)


@pytest.mark.parametrize("order", [order for order, _ in ORDERS], ids=lambda one: one.order_type)
def test_the_exchange_takes_each_of_them(order: OrderRequest) -> None:
    async def story(stage: Stage, rest: Rest) -> None:
        buys = order.but(side=Side.BUY, order_type=OrderType.MARKET, client_order_id="position", reduce_only=False,
                         trigger_price=None, price=None, close_position=False, callback_rate=None,
                         activation_price=None, time_in_force=TimeInForce.GTC, good_till_ms=None)
        assert (await rest.place(buys)).standing is Standing.DONE
        answer = await rest.place(order)
        assert answer.standing is Standing.DONE, answer
        shown = answer.body
        assert shown.get("clientOrderId", shown.get("clientAlgoId")) == "run.entry.1"
        assert shown["closePosition"] is order.close_position
        assert shown["reduceOnly"] is (order.reduce_only or order.close_position)

    told(story)
