"""An order of ours as the parameters of a request.

Source: Binance USDⓈ-M Futures, "New Order" and "New Algo Order".
"""

from runner.domain.orders import OrderRequest
from runner.domain.values import OrderType, TimeInForce, trimmed

Parameters = dict[str, str]


def new_order(request: OrderRequest) -> Parameters:
    """Of a MARKET or LIMIT order, whose answer is to tell what became of it."""
    said = {**_head(request), "newClientOrderId": request.client_order_id, "newOrderRespType": "RESULT"}
    said["quantity"] = trimmed(request.quantity)
    if request.order_type is OrderType.LIMIT:
        said |= _limit(request)
    return said | _reducing(request)


def new_conditional(request: OrderRequest) -> Parameters:
    """Of an order that waits for its trigger on the Algo service.  One that closes the position has no quantity, and
    reduces without saying so."""
    said = {
        **_head(request), "algoType": "CONDITIONAL", "clientAlgoId": request.client_order_id,
        "workingType": request.working_type.value,
    }
    if request.trigger_price is not None:
        said["triggerPrice"] = trimmed(request.trigger_price)
    if request.activation_price is not None:
        said["activatePrice"] = trimmed(request.activation_price)
    if request.callback_rate is not None:
        said["callbackRate"] = trimmed(request.callback_rate)
    if request.order_type.limited:
        said |= _limit(request)
    if request.close_position:
        return said | {"closePosition": "true"}
    return said | {"quantity": trimmed(request.quantity)} | _reducing(request)


def _head(request: OrderRequest) -> Parameters:
    return {"symbol": request.symbol, "side": request.side.value, "type": request.order_type.value}


def _limit(request: OrderRequest) -> Parameters:
    said = {"timeInForce": request.time_in_force.value}
    if request.price is not None:
        said["price"] = trimmed(request.price)
    if request.time_in_force is TimeInForce.GTD and request.good_till_ms is not None:
        said["goodTillDate"] = str(request.good_till_ms)
    return said


def _reducing(request: OrderRequest) -> Parameters:
    return {"reduceOnly": "true"} if request.reduce_only else {}
