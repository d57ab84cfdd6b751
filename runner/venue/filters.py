"""What the exchange refuses before it takes an order: malformed requests and the symbol's filters.

Each refusal has Binance's own code.  Source: USDⓈ-M error codes, and the filters of `GET /fapi/v1/exchangeInfo`.
"""

import re
from decimal import Decimal
from typing import NamedTuple

from runner.domain.instrument import Instrument
from runner.domain.orders import OrderRequest
from runner.domain.values import EXACT, ZERO, OrderType, Side

_CLIENT_ID = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}")
MIN_CALLBACK = Decimal("0.1")
MAX_CALLBACK = Decimal(20)
MAX_CONDITIONAL = 200
"""Open conditional orders an account may have; the reference's section 3.4."""


class Refusal(NamedTuple):
    code: int
    message: str


UNKNOWN_SYMBOL = Refusal(-1121, "Invalid symbol.")
UNKNOWN_ORDER = Refusal(-2011, "Unknown order sent.")
NO_MARGIN = Refusal(-2019, "Margin is insufficient.")
WOULD_TRIGGER = Refusal(-2021, "Order would immediately trigger.")
REDUCE_ONLY = Refusal(-2022, "ReduceOnly Order is rejected.")
TOO_MANY_ORDERS = Refusal(-2025, "Reach max open order limit.")
TOO_MANY_STOPS = Refusal(-4045, "Reach max stop order limit.")
DUPLICATE_ID = Refusal(-4116, "ClientOrderId is duplicated.")
NO_FILL_OR_KILL = Refusal(-5021, "Due to the order could not be filled immediately, the FOK order has been rejected.")
WOULD_TAKE = Refusal(-5022, "Due to the order could not be executed as maker, the Post Only order will be rejected.")


def refusal(request: OrderRequest, instrument: Instrument, mark: Decimal, best: Decimal) -> Refusal | None:
    """The first rule that the request breaks, or None.  `best` is the price that a taker of its side would pay."""
    return (
        _malformed(request)
        or _quantity(request, instrument)
        or _prices(request, instrument)
        or _band(request, instrument, mark, best)
        or _notional(request, instrument, mark)
    )


def _malformed(request: OrderRequest) -> Refusal | None:
    if not _CLIENT_ID.fullmatch(request.client_order_id):
        return Refusal(-4015, "Client order id is not valid.")
    kind = request.order_type
    trailing = kind is OrderType.TRAILING_STOP_MARKET
    needed = {
        "price": (kind.limited, request.price),
        "triggerPrice": (kind.conditional and not trailing, request.trigger_price),
        "callbackRate": (trailing, request.callback_rate),
    }
    for name, (wanted, value) in needed.items():
        if wanted and value is None:
            return Refusal(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")
        if not wanted and value is not None:
            return Refusal(-1106, f"Parameter '{name}' sent when not required.")
    if request.callback_rate is not None and not MIN_CALLBACK <= request.callback_rate <= MAX_CALLBACK:
        return Refusal(-1130, "Data sent for parameter 'callbackRate' is not valid.")
    return None


def _quantity(request: OrderRequest, instrument: Instrument) -> Refusal | None:
    qty = request.quantity
    if qty <= ZERO:
        return Refusal(-4003, "Quantity less than or equal to zero.")
    market = not request.order_type.limited
    low = instrument.market_min_qty if market else instrument.min_qty
    high = instrument.market_max_qty if market else instrument.max_qty
    step = instrument.market_step_size if market else instrument.step_size
    if qty < low:
        return Refusal(-4004, f"Quantity less than min quantity {low}.")
    if ZERO < high < qty:
        return Refusal(-4005, f"Quantity greater than max quantity {high}.")
    if not instrument.on_step(qty, market=market):
        return _too_fine(qty, step) or Refusal(-4023, "Qty not increased by step size.")
    return None


def _prices(request: OrderRequest, instrument: Instrument) -> Refusal | None:
    for price in (request.price, request.trigger_price, request.activation_price):
        if price is None:
            continue
        if price <= ZERO:
            return Refusal(-4001, "Price less than or equal to zero.")
        if price < instrument.min_price:
            return Refusal(-4013, f"Price less than min price {instrument.min_price}.")
        if ZERO < instrument.max_price < price:
            return Refusal(-4002, f"Price greater than max price {instrument.max_price}.")
    # Triggers are not held to the tick: 74960.75 was accepted on a tick of 0.10.
    if request.price is not None and not instrument.on_tick(request.price):
        too_fine = _too_fine(request.price, instrument.tick_size)
        return too_fine or Refusal(-4014, "Price not increased by tick size.")
    return None


def _band(request: OrderRequest, instrument: Instrument, mark: Decimal, best: Decimal) -> Refusal | None:
    buys = request.side is Side.BUY
    if request.price is not None:
        # A stop's limit is held to its own trigger, since the mark will be there when it matters.
        stop = request.trigger_price
        anchor = mark if stop is None else stop
        bound = anchor * (instrument.multiplier_up if buys else instrument.multiplier_down)
        if buys and request.price > bound:
            code = -4016 if stop is None else -4183
            return Refusal(code, f"Limit price can't be higher than {bound}.")
        if not buys and request.price < bound:
            code = -4024 if stop is None else -4184
            return Refusal(code, f"Limit price can't be lower than {bound}.")
    elif request.order_type is OrderType.MARKET:
        bound = mark * (instrument.multiplier_up if buys else instrument.multiplier_down)
        if best > bound if buys else best < bound:
            return Refusal(-4131, "The counterparty's best price does not meet the PERCENT_PRICE filter limit.")
    return None


def _notional(request: OrderRequest, instrument: Instrument, mark: Decimal) -> Refusal | None:
    if request.reduce_only:
        return None
    price = mark if request.price is None else request.price
    if EXACT.multiply(request.quantity, price) < instrument.min_notional:
        least = instrument.min_notional
        return Refusal(-4164, f"Order's notional must be no smaller than {least} (unless you choose reduce only).")
    return None


def _too_fine(value: Decimal, grid: Decimal) -> Refusal | None:
    """-1111 for more decimals than the grid is written with; a mere non-multiple has a code of its own."""
    if _decimals(value.normalize()) > _decimals(grid):
        return Refusal(-1111, "Precision is over the maximum defined for this asset.")
    return None


def _decimals(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
