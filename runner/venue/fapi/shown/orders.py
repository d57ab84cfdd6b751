"""Orders of the matching engine and their executions as the REST API shows them.

Source: Binance USDⓈ-M "Trade Endpoints".  Since July 2026 the answer to a placement, a change or a cancellation has
neither `avgPrice` nor `cumQuote`; a query has both.
"""

from runner.domain.instrument import Instrument
from runner.domain.values import EXACT, ZERO, OrderType, TimeInForce, trimmed
from runner.venue.facts import Fill, OrderState
from runner.venue.fapi.shown.numerals import money, padded, places, qty
from runner.venue.terms import Status

Shown = dict[str, object]
_AT_ONCE = (TimeInForce.IOC, TimeInForce.FOK)


def answered(order: OrderState, instrument: Instrument) -> Shown:
    """The order as it is, in answer to a change or a cancellation."""
    filled = qty(instrument, order.filled_qty)
    return {**_head(order, instrument), "executedQty": filled, "cumQty": filled, **_tail(order, instrument)}


def placed(order: OrderState, instrument: Instrument, *, result: bool) -> Shown:
    """In answer to its placement.

    `result` (RESULT) tells what became of it where that is known at once: of MARKET, IOC and FOK.  Otherwise (ACK) it
    is told as accepted, whatever it has done since.
    """
    request = order.request
    if not result or (request.order_type is not OrderType.MARKET and request.time_in_force not in _AT_ONCE):
        order = order.but(status=Status.NEW, filled_qty=ZERO, cost=ZERO, updated_ms=order.created_ms)
    return answered(order, instrument)


def queried(order: OrderState, instrument: Instrument) -> Shown:
    """In answer to a query: with its average price and cost."""
    return {
        "avgPrice": padded(order.avg_px, places(instrument.tick_size)),
        **_head(order, instrument),
        "executedQty": qty(instrument, order.filled_qty),
        "cumQuote": trimmed(order.cost),
        "time": order.created_ms,
        **_tail(order, instrument),
    }


def listed(order: OrderState, instrument: Instrument) -> Shown:
    """In the list of all orders."""
    return {**queried(order, instrument), "pair": order.request.symbol, "cumBase": "0"}


def amended(before: OrderState, after: OrderState, instrument: Instrument, at_ms: int, count: int) -> Shown:
    """A change in the list of changes; `count` is the how manieth of its order."""
    digits = places(instrument.tick_size)
    return {
        "symbol": after.request.symbol,
        "pair": after.request.symbol,
        "orderId": after.order_id,
        "clientOrderId": after.request.client_order_id,
        "time": at_ms,
        "amendment": {
            "price": {
                "before": padded(before.request.price or ZERO, digits),
                "after": padded(after.request.price or ZERO, digits),
            },
            "origQty": {
                "before": qty(instrument, before.request.quantity),
                "after": qty(instrument, after.request.quantity),
            },
            "count": count,
        },
    }


def user_trade(fill: Fill, instrument: Instrument) -> Shown:
    return {
        "buyer": fill.side.sign > 0,
        "commission": money(fill.fee),
        "commissionAsset": fill.fee_asset,
        "id": fill.trade_id,
        "maker": fill.maker,
        "orderId": fill.order_id,
        "price": padded(fill.price, places(instrument.tick_size)),
        "qty": qty(instrument, fill.qty),
        "quoteQty": trimmed(EXACT.multiply(fill.price, fill.qty)),
        "baseQty": "0",
        "marginAsset": instrument.quote_asset,
        "realizedPnl": trimmed(fill.realized),
        "side": fill.side.value,
        "positionSide": fill.position_side.value,
        "symbol": fill.symbol,
        "pair": fill.symbol,
        "time": fill.at_ms,
    }


def _head(order: OrderState, instrument: Instrument) -> Shown:
    request = order.request
    return {
        "orderId": order.order_id,
        "symbol": request.symbol,
        "status": order.status.value,
        "clientOrderId": request.client_order_id,
        "price": padded(request.price or ZERO, places(instrument.tick_size)),
        "origQty": qty(instrument, request.quantity),
    }


def _tail(order: OrderState, instrument: Instrument) -> Shown:
    request = order.request
    return {
        "timeInForce": request.time_in_force.value,
        "type": request.order_type.value,
        "origType": request.order_type.value,
        "reduceOnly": request.reduce_only,
        "closePosition": request.close_position,
        "side": request.side.value,
        "positionSide": request.position_side.value,
        "stopPrice": padded(request.trigger_price or ZERO, places(instrument.tick_size)),
        "workingType": request.working_type.value,
        "priceProtect": request.price_protect,
        "priceMatch": request.price_match.value,
        "selfTradePreventionMode": request.self_trade.value,
        "goodTillDate": request.good_till_ms,
        "updateTime": order.updated_ms,
    }
