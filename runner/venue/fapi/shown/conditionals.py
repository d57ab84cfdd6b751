"""Conditional orders (Algo service) as the REST API shows them.

Source: Binance USDⓈ-M "Query Algo Order".  Orders with `closePosition` have the time in force GTE_GTC, no quantity,
and only reduce.
"""

from runner.domain.instrument import Instrument
from runner.domain.values import ZERO, OrderType, plain, trimmed
from runner.venue.facts import AlgoState
from runner.venue.fapi.shown.events import algo_average, algo_time_in_force
from runner.venue.fapi.shown.numerals import padded, places, qty

Shown = dict[str, object]


def placed(order: AlgoState, instrument: Instrument) -> Shown:
    """In answer to its placement; what only trailing stops have is empty for others."""
    return {
        **_head(order, instrument), **_prices(order, instrument), **_flags(order), **_trailing(order), **_times(order),
    }


def queried(order: AlgoState, instrument: Instrument) -> Shown:
    """In answer to a query: with the order that it has placed, whose id is a text, empty before the trigger."""
    return {
        **_head(order, instrument),
        "actualOrderId": str(order.order_id) if order.order_id else "",
        "actualPrice": algo_average(order),
        "actualType": "" if order.actual_type is None else order.actual_type.value,
        "actualQty": qty(instrument, order.filled_qty),
        **_prices(order, instrument),
        "tpOrderType": "",
        **_flags(order),
        **(_trailing(order) if order.request.order_type is OrderType.TRAILING_STOP_MARKET else {}),
        **_times(order),
    }


def listed(order: AlgoState, instrument: Instrument) -> Shown:
    """In a list; the prices of attached orders, which these never have, are null."""
    return {
        **queried(order, instrument), "tpTriggerPrice": None, "tpPrice": None, "slTriggerPrice": None, "slPrice": None,
    }


def _head(order: AlgoState, instrument: Instrument) -> Shown:
    request = order.request
    return {
        "algoId": order.algo_id,
        "clientAlgoId": request.client_order_id,
        "algoType": "CONDITIONAL",
        "orderType": request.order_type.value,
        "symbol": request.symbol,
        "side": request.side.value,
        "positionSide": request.position_side.value,
        "timeInForce": algo_time_in_force(request),
        "quantity": qty(instrument, request.quantity),
        "algoStatus": order.status.value,
    }


def _prices(order: AlgoState, instrument: Instrument) -> Shown:
    request = order.request
    digits = places(instrument.tick_size)
    return {
        "triggerPrice": padded(request.trigger_price or ZERO, digits),
        "price": padded(request.price or ZERO, digits),
        "icebergQuantity": None,
    }


def _flags(order: AlgoState) -> Shown:
    request = order.request
    return {
        "selfTradePreventionMode": request.self_trade.value,
        "workingType": request.working_type.value,
        "priceMatch": request.price_match.value,
        "closePosition": request.close_position,
        "priceProtect": request.price_protect,
        "reduceOnly": request.reduce_only or request.close_position,
    }


def _trailing(order: AlgoState) -> Shown:
    request = order.request
    return {
        "activatePrice": "" if request.activation_price is None else plain(request.activation_price),
        "callbackRate": "" if request.callback_rate is None else trimmed(request.callback_rate),
    }


def _times(order: AlgoState) -> Shown:
    return {
        "createTime": order.created_ms,
        "updateTime": order.updated_ms,
        "triggerTime": order.triggered_ms,
        "goodTillDate": order.request.good_till_ms,
    }
