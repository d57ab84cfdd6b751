"""What is wrong with a request by itself: its parameters, and the symbol's filters.  The first breach is raised.

Source: Binance USDⓈ-M error codes, the parameters of `POST /fapi/v1/order` and `POST /fapi/v1/algoOrder`, and the
filters of `GET /fapi/v1/exchangeInfo`.
"""

import re
from decimal import Decimal

from runner.domain.instrument import Instrument
from runner.domain.values import EXACT, ZERO, OrderType, Side, TimeInForce
from runner.venue import refusals
from runner.venue.refusals import Refusal, missing, unwanted
from runner.venue.requests import NewOrder
from runner.venue.terms import PositionSide, PriceMatch

_CLIENT_ID = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}")
_CLOSERS = (OrderType.STOP_MARKET, OrderType.TAKE_PROFIT_MARKET)
_SUSPENDED = (PriceMatch.OPPONENT_10, PriceMatch.OPPONENT_20)
MIN_CALLBACK = Decimal("0.1")
MAX_CALLBACK = Decimal(20)
MAX_CONDITIONAL = 200
"""Open conditional orders an account may have, over all symbols."""
GOOD_TILL_AHEAD_MS = 600_000
GOOD_TILL_BEFORE_MS = 253_402_300_799_000


def check_parameters(request: NewOrder, hedge: bool, now_ms: int) -> None:
    """Refuse what does not fit together, whatever the symbol."""
    if request.client_order_id and not _CLIENT_ID.fullmatch(request.client_order_id):
        raise Refusal(*refusals.BAD_CLIENT_ID)
    if hedge is (request.position_side is PositionSide.BOTH):
        raise Refusal(*refusals.WRONG_POSITION_SIDE)
    if request.reduce_only and (hedge or request.close_position):
        raise unwanted("reduceOnly")
    _close_position(request)
    check_price_match(request)
    kind = request.order_type
    trailing = kind is OrderType.TRAILING_STOP_MARKET
    matched = request.price_match is not PriceMatch.NONE
    for name, wanted, value in (
        ("price", kind.limited and not matched, request.price),
        ("triggerPrice", kind.conditional and not trailing, request.trigger_price),
        ("callbackRate", trailing, request.callback_rate),
    ):
        if wanted and value is None:
            raise missing(name)
        if not wanted and value is not None:
            raise unwanted(name)
    if request.activation_price is not None and not trailing:
        raise unwanted("activatePrice")
    if request.callback_rate is not None and not MIN_CALLBACK <= request.callback_rate <= MAX_CALLBACK:
        raise Refusal(-1130, "Data sent for parameter 'callbackRate' is not valid.")
    _time_in_force(request, now_ms)


def check_filters(request: NewOrder, instrument: Instrument, mark: Decimal, best: Decimal, exits: bool) -> None:
    """Refuse what breaks a filter of the symbol.  `best` is the price that a taker of its side would pay."""
    if not request.close_position:
        check_quantity(request, instrument)
    check_prices(request, instrument)
    check_band(request, instrument, mark, best)
    if not exits and short_of_notional(request, instrument, mark):
        raise Refusal(-4164, f"Order's notional must be no smaller than {instrument.min_notional} "
                             "(unless you choose reduce only).")


def check_status(instrument: Instrument, exits: bool) -> None:
    """Refuse orders of a symbol that does not trade; what is about to be delivered may still be closed."""
    match instrument.status:
        case "TRADING":
            return
        case "PRE_SETTLE" | "PRE_DELIVERING":
            if not exits:
                raise Refusal(*refusals.NO_OPENING)
        case "PENDING_TRADING":
            raise Refusal(*refusals.NO_OPENING)
        case "TRADING_HALT" | "TRADING_CANCEL_ONLY":
            raise Refusal(*refusals.BAD_STATUS)
        case _:
            raise Refusal(*refusals.SYMBOL_CLOSED)


def check_quantity(request: NewOrder, instrument: Instrument) -> None:
    qty = request.quantity
    if qty <= ZERO:
        raise Refusal(*refusals.QTY_TOO_SMALL)
    market = not request.order_type.limited
    low = instrument.market_min_qty if market else instrument.min_qty
    high = instrument.market_max_qty if market else instrument.max_qty
    if qty < low:
        raise Refusal(-4004, f"Quantity less than min quantity {low}.")
    if ZERO < high < qty:
        raise Refusal(-4005, f"Quantity greater than max quantity {high}.")
    if not instrument.on_step(qty, market=market):
        _refuse_too_fine(qty, instrument.market_step_size if market else instrument.step_size)
        raise Refusal(-4023, "Qty not increased by step size.")


def check_prices(request: NewOrder, instrument: Instrument) -> None:
    for price in (request.price, request.trigger_price, request.activation_price):
        if price is None:
            continue
        if price <= ZERO:
            raise Refusal(-4001, "Price less than or equal to zero.")
        if price < instrument.min_price:
            raise Refusal(-4013, f"Price less than min price {instrument.min_price}.")
        if ZERO < instrument.max_price < price:
            raise Refusal(-4002, f"Price greater than max price {instrument.max_price}.")
    # Triggers are not held to the tick: 74960.75 was accepted on a tick of 0.10.
    if request.price is not None and not instrument.on_tick(request.price):
        # Binance's pricePrecision is up to one place finer than the tick: of BTCUSDT it is 2, with a tick of 0.10.
        _refuse_too_fine(request.price, instrument.tick_size.normalize().scaleb(-1))
        raise Refusal(-4014, "Price not increased by tick size.")


def check_band(request: NewOrder, instrument: Instrument, mark: Decimal, best: Decimal) -> None:
    buys = request.side is Side.BUY
    factor = instrument.multiplier_up if buys else instrument.multiplier_down
    if request.price is not None:
        # A stop's limit is held to its own trigger, since the mark will be there when it matters.
        stop = request.trigger_price
        bound = (mark if stop is None else stop) * factor
        if buys and request.price > bound:
            raise Refusal(-4016 if stop is None else -4183, f"Limit price can't be higher than {bound}.")
        if not buys and request.price < bound:
            raise Refusal(-4024 if stop is None else -4184, f"Limit price can't be lower than {bound}.")
    elif request.order_type is OrderType.MARKET:
        bound = mark * factor
        if best > bound if buys else best < bound:
            raise Refusal(*refusals.NO_BEST_PRICE)


def short_of_notional(request: NewOrder, instrument: Instrument, mark: Decimal) -> bool:
    """Whether the order is worth too little; at the mark where it has no limit."""
    price = mark if request.price is None else request.price
    return EXACT.multiply(request.quantity, price) < instrument.min_notional


def check_price_match(request: NewOrder) -> None:
    """Refuse a matched price of an order that takes none, and the levels that Binance has suspended."""
    if request.price_match is PriceMatch.NONE:
        return
    if not request.order_type.limited:
        raise Refusal(*refusals.PRICE_MATCH_TYPE)
    if request.price_match in _SUSPENDED:
        raise Refusal(*refusals.BAD_PRICE_MATCH)


def _close_position(request: NewOrder) -> None:
    if not request.close_position:
        return
    if request.order_type not in _CLOSERS:
        raise Refusal(*refusals.CLOSE_POSITION_TYPE)
    if request.quantity != ZERO:
        raise Refusal(*refusals.CLOSE_POSITION_QTY)
    opening = PositionSide.LONG if request.side is Side.BUY else PositionSide.SHORT
    if request.position_side is opening:
        raise Refusal(*refusals.REDUCE_ONLY)


def _time_in_force(request: NewOrder, now_ms: int) -> None:
    in_force = request.time_in_force
    if in_force is not TimeInForce.GTC and not request.order_type.limited:
        raise unwanted("timeInForce")
    if in_force is TimeInForce.GTD:
        if request.order_type.conditional:
            raise Refusal(*refusals.ILLEGAL_TIME_IN_FORCE)
        if not request.good_till_ms:
            raise missing("goodTillDate")
        if not now_ms + GOOD_TILL_AHEAD_MS < request.good_till_ms < GOOD_TILL_BEFORE_MS:
            raise Refusal(*refusals.BAD_GOOD_TILL)
    elif request.good_till_ms:
        raise unwanted("goodTillDate")


def _refuse_too_fine(value: Decimal, grid: Decimal) -> None:
    """-1111 for more decimals than the grid is written with; a mere non-multiple has a code of its own."""
    if _decimals(value.normalize()) > _decimals(grid):
        raise Refusal(-1111, "Precision is over the maximum defined for this asset.")


def _decimals(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
