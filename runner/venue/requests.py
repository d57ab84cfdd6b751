"""What can be asked of the exchange about orders, before it has judged any of it."""

from decimal import Decimal
from typing import Union

from runner.domain.value import Value
from runner.domain.values import ZERO, OrderType, Side, TimeInForce, WorkingType
from runner.venue.terms import PositionSide, PriceMatch, SelfTrade

OrderKey = Union[int, str]
"""An order by its exchange id (a number) or by its client order id (a text)."""


class NewOrder(Value, frozen=True):
    """An order as it is asked for, of either world: LIMIT and MARKET, or one of the conditional types.

    Prices in quote per base unit, `callback_rate` in percent (1 is 1 %).  `client_order_id` may be empty, then the
    exchange makes one.  `quantity` is zero where `close_position` lets the exchange size the order at its trigger.
    `good_till_ms` belongs to GTD, in UTC ms.
    """

    symbol: str
    side: Side
    order_type: OrderType
    quantity: Decimal = ZERO
    client_order_id: str = ""
    position_side: PositionSide = PositionSide.BOTH
    price: Decimal | None = None
    price_match: PriceMatch = PriceMatch.NONE
    time_in_force: TimeInForce = TimeInForce.GTC
    good_till_ms: int = 0
    reduce_only: bool = False
    close_position: bool = False
    trigger_price: Decimal | None = None
    working_type: WorkingType = WorkingType.CONTRACT_PRICE
    price_protect: bool = False
    callback_rate: Decimal | None = None
    activation_price: Decimal | None = None
    self_trade: SelfTrade = SelfTrade.EXPIRE_MAKER


class Amendment(Value, frozen=True):
    """A change of a resting limit order's quantity and price; it loses its place in the queue by it.

    `modify_id` is the caller's number for it, told again in its events.
    """

    symbol: str
    key: OrderKey
    side: Side
    quantity: Decimal
    price: Decimal | None = None
    price_match: PriceMatch = PriceMatch.NONE
    reduce_only: bool | None = None
    modify_id: int | None = None
