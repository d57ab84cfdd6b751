"""The closed sets of words that only the exchange uses, in Binance's spelling.

Source: Binance USDⓈ-M Futures API, "Public Endpoints Info: ENUM definitions", and the user data stream's events.
"""

from enum import IntEnum, StrEnum


class PositionSide(StrEnum):
    """BOTH is the one position of one-way mode; LONG and SHORT are the two of hedge mode."""

    BOTH = "BOTH"
    LONG = "LONG"
    SHORT = "SHORT"


class MarginType(StrEnum):
    CROSSED = "CROSSED"
    ISOLATED = "ISOLATED"


class PriceMatch(StrEnum):
    """Which price of the book a limit order takes as its own: the other side's n-th best, or its own side's."""

    NONE = "NONE"
    OPPONENT = "OPPONENT"
    OPPONENT_5 = "OPPONENT_5"
    OPPONENT_10 = "OPPONENT_10"
    OPPONENT_20 = "OPPONENT_20"
    QUEUE = "QUEUE"
    QUEUE_5 = "QUEUE_5"
    QUEUE_10 = "QUEUE_10"
    QUEUE_20 = "QUEUE_20"

    @property
    def level(self) -> int:
        """Which level of the book, the best being 1."""
        return int(self.value.partition("_")[2] or 1)


class SelfTrade(StrEnum):
    """`selfTradePreventionMode`: which of two orders of one account that would meet ends as EXPIRED_IN_MATCH."""

    NONE = "NONE"
    EXPIRE_TAKER = "EXPIRE_TAKER"
    EXPIRE_MAKER = "EXPIRE_MAKER"
    EXPIRE_BOTH = "EXPIRE_BOTH"


class Status(StrEnum):
    """Of an order in the matching engine."""

    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    EXPIRED_IN_MATCH = "EXPIRED_IN_MATCH"

    @property
    def closed(self) -> bool:
        return self not in (Status.NEW, Status.PARTIALLY_FILLED)


class AlgoStatus(StrEnum):
    """Of a conditional order on the Algo service.  FINISHED: the order that it placed is over, filled or not."""

    NEW = "NEW"
    TRIGGERING = "TRIGGERING"
    TRIGGERED = "TRIGGERED"
    FINISHED = "FINISHED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"

    @property
    def closed(self) -> bool:
        return self in (AlgoStatus.FINISHED, AlgoStatus.CANCELED, AlgoStatus.EXPIRED, AlgoStatus.REJECTED)


class ExecutionType(StrEnum):
    """`x` of ORDER_TRADE_UPDATE: what has just happened to the order."""

    NEW = "NEW"
    TRADE = "TRADE"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    AMENDMENT = "AMENDMENT"
    CALCULATED = "CALCULATED"  # liquidation and ADL


class Expiry(IntEnum):
    """`er` of ORDER_TRADE_UPDATE: why the exchange ended an order by itself."""

    NONE = 0
    SELF_TRADE = 1
    TIME_IN_FORCE = 2
    TIME_IN_FORCE_BY_SELF_TRADE = 3
    REDUCE_ONLY = 4
    LIQUIDATION = 5
    NO_POSITION = 6  # a closePosition order whose position is gone
    DELISTED = 7
    UNFILLED_MARKET = 9


class Reason(StrEnum):
    """`m` of ACCOUNT_UPDATE: what changed balances or positions."""

    ORDER = "ORDER"
    FUNDING_FEE = "FUNDING_FEE"
    DEPOSIT = "DEPOSIT"
    WITHDRAW = "WITHDRAW"
    MARGIN_TRANSFER = "MARGIN_TRANSFER"
    MARGIN_TYPE_CHANGE = "MARGIN_TYPE_CHANGE"
    INSURANCE_CLEAR = "INSURANCE_CLEAR"
    ADJUSTMENT = "ADJUSTMENT"


class IncomeType(StrEnum):
    """What a row of the account's income history is about."""

    TRANSFER = "TRANSFER"
    REALIZED_PNL = "REALIZED_PNL"
    COMMISSION = "COMMISSION"
    FUNDING_FEE = "FUNDING_FEE"
    INSURANCE_CLEAR = "INSURANCE_CLEAR"
