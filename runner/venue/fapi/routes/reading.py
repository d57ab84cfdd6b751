"""Reads orders out of parameters: regular ones, conditional ones, changes, and what names an order.

Source: Binance USDⓈ-M "Trade Endpoints".  What depends on the instrument, the market or the account is left to
the exchange; here is judged what is there at all, and whether its words are known.
"""

from decimal import Decimal

from runner.domain.values import ZERO, OrderType, Side, TimeInForce, WorkingType
from runner.venue.account import Account
from runner.venue.fapi.errors import not_valid
from runner.venue.fapi.params import Params
from runner.venue.refusals import (
    CLOSE_POSITION_TYPE,
    ILLEGAL_TIME_IN_FORCE,
    USE_ALGO,
    No,
    Refusal,
    missing,
    unwanted,
)
from runner.venue.requests import Amendment, NewOrder, OrderKey
from runner.venue.terms import PositionSide, PriceMatch, SelfTrade

DAY_MS = 86_400_000
_BAD_SIDE = No(-1117, "Invalid side.")
_BAD_TYPE = No(-1116, "Invalid orderType.")
_BAD_POSITION_SIDE = No(-4060, "Invalid position side.")
_RESPONSES = ("ACK", "RESULT")


def new_order(params: Params, account: Account, self_trade: SelfTrade = SelfTrade.EXPIRE_MAKER) -> NewOrder:
    """A LIMIT or MARKET order; -4120 for the conditional types.  `self_trade` where none is asked for."""
    symbol = params.symbol()
    side = _side(params)
    order_type = params.word("type", OrderType, _BAD_TYPE)
    if order_type.conditional:
        raise Refusal(*USE_ALGO)
    if params.flag("closePosition"):
        raise Refusal(*CLOSE_POSITION_TYPE)
    if "stopPrice" in params:
        raise unwanted("stopPrice")
    limited = order_type is OrderType.LIMIT
    if not limited and "timeInForce" in params:
        raise unwanted("timeInForce")
    force = _time_in_force(params.text("timeInForce")) if limited else TimeInForce.GTC
    price_match = _price_match(params)
    price = params.maybe_decimal("price")
    if limited and price is None and price_match is PriceMatch.NONE:
        raise missing("price")
    return NewOrder(
        symbol, side, order_type,
        quantity=params.decimal("quantity"),
        client_order_id=params.maybe_text("newClientOrderId") or "",
        position_side=position_side(params),
        price=price,
        price_match=price_match,
        time_in_force=force,
        good_till_ms=_good_till(params, force),
        reduce_only=_reduce_only(params, account),
        self_trade=params.maybe_word("selfTradePreventionMode", SelfTrade) or self_trade,
    )


def new_conditional(params: Params, account: Account) -> NewOrder:
    """An order for the Algo service; -4500 where `algoType` is another, -1116 for LIMIT and MARKET."""
    if params.text("algoType") != "CONDITIONAL":
        raise Refusal(-4500, "Invalid algoType.")
    symbol = params.symbol()
    side = _side(params)
    order_type = params.word("type", OrderType, _BAD_TYPE)
    if not order_type.conditional:
        raise Refusal(*_BAD_TYPE)
    closes = params.flag("closePosition")
    quantity = params.maybe_decimal("quantity")
    if quantity is None and not closes:
        raise missing("quantity")
    force = _time_in_force(params.maybe_text("timeInForce") or "GTC")
    price_match = _price_match(params)
    price = params.maybe_decimal("price")
    if order_type.limited and price is None and price_match is PriceMatch.NONE:
        raise missing("price")
    trailing = order_type is OrderType.TRAILING_STOP_MARKET
    return NewOrder(
        symbol, side, order_type,
        quantity=ZERO if quantity is None else quantity,
        client_order_id=params.maybe_text("clientAlgoId") or "",
        position_side=position_side(params),
        price=price,
        price_match=price_match,
        time_in_force=force,
        good_till_ms=_good_till(params, force),
        reduce_only=_reduce_only(params, account),
        close_position=closes,
        trigger_price=params.maybe_decimal("triggerPrice") if trailing else params.decimal("triggerPrice"),
        working_type=params.maybe_word("workingType", WorkingType) or WorkingType.CONTRACT_PRICE,
        price_protect=params.flag("priceProtect"),
        callback_rate=params.decimal("callbackRate") if trailing else None,
        activation_price=params.maybe_decimal("activatePrice") if trailing else None,
        self_trade=params.maybe_word("selfTradePreventionMode", SelfTrade) or SelfTrade.EXPIRE_MAKER,
    )


def amendment(params: Params) -> Amendment:
    """A change of a resting LIMIT order; price and quantity are both needed."""
    symbol = params.symbol()
    key = order_key(params)
    price_match = _price_match(params)
    price: Decimal | None = params.maybe_decimal("price")
    if price is None and price_match is PriceMatch.NONE:
        raise missing("price")
    return Amendment(
        symbol, key, _side(params),
        quantity=params.decimal("quantity"),
        price=price,
        price_match=price_match,
        reduce_only=params.maybe_flag("reduceOnly"),
        modify_id=params.maybe_integer("modifyId"),
    )


def order_key(params: Params) -> OrderKey:
    """`orderId`, or else `origClientOrderId`; -1102 without either."""
    return _key(params, "orderId", "origClientOrderId")


def algo_key(params: Params) -> OrderKey:
    """`algoId`, or else `clientAlgoId`; -1102 without either."""
    return _key(params, "algoId", "clientAlgoId")


def wants_result(params: Params) -> bool:
    """Whether `newOrderRespType` is RESULT; ACK where it was not sent."""
    word = params.maybe_text("newOrderRespType") or "ACK"
    if word not in _RESPONSES:
        raise not_valid("newOrderRespType")
    return word == "RESULT"


def position_side(params: Params) -> PositionSide:
    return params.maybe_word("positionSide", PositionSide, _BAD_POSITION_SIDE) or PositionSide.BOTH


def window(params: Params, now_ms: int) -> tuple[int, int] | None:
    """`startTime` and `endTime` (UTC ms, both included), at most 7 days apart; None where neither was sent.

    With only one of them the other lies 7 days away, or now.  -1023 where the start is after the end, -4166 where they
    are too far apart.
    """
    start, end = params.maybe_integer("startTime"), params.maybe_integer("endTime")
    if start is None and end is None:
        return None
    if end is None:
        end = now_ms if start is None else min(start + 7 * DAY_MS, max(now_ms, start))
    if start is None:
        start = end - 7 * DAY_MS
    if start > end:
        raise Refusal(-1023, "Start time is greater than end time.")
    if end - start > 7 * DAY_MS:
        raise Refusal(-4166, "Search window is restricted to recent 7 days only.")
    return start, end


def _key(params: Params, number: str, text: str) -> OrderKey:
    by_number = params.maybe_integer(number)
    if by_number is not None:
        return by_number
    by_text = params.maybe_text(text)
    if by_text is None:
        raise Refusal(-1102, f"Param '{text}' or '{number}' must be sent, but both were empty/null!")
    return by_text


def _side(params: Params) -> Side:
    return params.word("side", Side, _BAD_SIDE)


def _time_in_force(text: str) -> TimeInForce:
    try:
        return TimeInForce(text)
    except ValueError:
        raise Refusal(*ILLEGAL_TIME_IN_FORCE) from None


def _price_match(params: Params) -> PriceMatch:
    return params.maybe_word("priceMatch", PriceMatch) or PriceMatch.NONE


def _good_till(params: Params, force: TimeInForce) -> int:
    """To the second, as the exchange keeps it."""
    if force is TimeInForce.GTD:
        return params.integer("goodTillDate") // 1000 * 1000
    if params.maybe_integer("goodTillDate"):
        raise unwanted("goodTillDate")
    return 0


def _reduce_only(params: Params, account: Account) -> bool:
    """In hedge mode it may not be sent at all: there the side and the position say it."""
    if account.hedge and "reduceOnly" in params:
        raise unwanted("reduceonly")
    return params.flag("reduceOnly")
