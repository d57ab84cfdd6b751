"""The exchange's no: Binance's code and message.

Source: USDⓈ-M error codes.  A refusal leaves no trace on the exchange.
"""

from typing import NamedTuple


class Refusal(Exception):
    """A request was refused; nothing of it was done."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message


class No(NamedTuple):
    """The words of a refusal; `raise Refusal(*NO)`."""

    code: int
    message: str


REJECTED = -2010
"""The code of a rejection that has only words."""
ILLEGAL_TIME_IN_FORCE = No(-1115, "Invalid timeInForce.")
UNKNOWN_SYMBOL = No(-1121, "Invalid symbol.")
BAD_STATUS = No(-1122, "Invalid symbol status.")
UNKNOWN_ORDER = No(-2011, "Unknown order sent.")
NO_SUCH_ORDER = No(-2013, "Order does not exist.")
NO_MARGIN = No(-2019, "Margin is insufficient.")
WOULD_TRIGGER = No(-2021, "Order would immediately trigger.")
REDUCE_ONLY = No(-2022, "ReduceOnly Order is rejected.")
REDUCE_ONLY_AT_TRIGGER = No(-2022, "Reduce Only reject")
PROTECTED = No(REJECTED, "Price protect reject")
TOO_MANY_ORDERS = No(-2025, "Reach max open order limit.")
QTY_TOO_SMALL = No(-4003, "Quantity less than or equal to zero.")
BAD_CLIENT_ID = No(-4015, "Client order id is not valid.")
TOO_MANY_STOPS = No(-4045, "Reach max stop order limit.")
WRONG_POSITION_SIDE = No(-4061, "Order's position side does not match user's setting.")
DUPLICATE_ID = No(-4116, "ClientOrderId is duplicated.")
TRIGGERING = No(-4117, "Stop order is triggering.")
REDUCE_ONLY_MARGIN = No(-4118, "ReduceOnly Order Failed. Please check your existing position and open orders.")
USE_ALGO = No(-4120, "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead.")
CLOSER_EXISTS = No(
    -4130, "An open stop or take profit order with GTE and closePosition in the direction is existing.",
)
NO_BEST_PRICE = No(-4131, "The counterparty's best price does not meet the PERCENT_PRICE filter limit.")
CLOSE_POSITION_TYPE = No(-4136, "Target strategy invalid for this orderType with closePosition.")
CLOSE_POSITION_QTY = No(-4137, "Quantity must be zero with closePosition equals true.")
CLOSE_POSITION_REDUCES = No(-4138, "Reduce only must be true with closePosition equals true.")
NO_OPENING = No(-4140, "Invalid symbol status for opening position.")
SYMBOL_CLOSED = No(-4141, "Symbol is closed.")
NO_POSITION = No(-4509, "Time in Force (TIF) GTE can only be used with open positions.")
NO_FILL_OR_KILL = No(-5021, "Due to the order could not be filled immediately, the FOK order has been rejected.")
WOULD_TAKE = No(-5022, "Due to the order could not be executed as maker, the Post Only order will be rejected.")
AMENDED_SIDE = No(-1117, "Invalid side.")
AMENDED_STATUS = No(-5024, "Symbol is not in trading status. Order amendment is not permitted.")
LIMIT_ONLY = No(-5025, "Only limit order is supported.")
TOO_MANY_AMENDMENTS = No(-5026, "Exceed maximum modify order limit.")
SAME_ORDER = No(-5027, "No need to modify the order.")
BAD_PRICE_MATCH = No(-5037, "Invalid price match.")
PRICE_MATCH_TYPE = No(-5038, "Price match only supports order type: LIMIT, STOP AND TAKE_PROFIT.")
BAD_GOOD_TILL = No(
    -5040, "The goodTillDate timestamp must be greater than the current time plus 600 seconds and smaller than "
    "253402300799000.",
)
NO_DEPTH = No(-5041, "No depth matches this BBO order.")
AMENDED_REDUCE_ONLY = No(-5047, "The reduceOnly of the modification does not match the order's.")


def missing(parameter: str) -> Refusal:
    return Refusal(-1102, f"Mandatory parameter '{parameter}' was not sent, was empty/null, or malformed.")


def unwanted(parameter: str) -> Refusal:
    return Refusal(-1106, f"Parameter '{parameter}' sent when not required.")
