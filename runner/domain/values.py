"""The closed sets of words that orders are made of, in Binance's spelling, and exact decimals.

Source of the enums: Binance USDⓈ-M Futures API, "Public Endpoints Info: ENUM definitions".
"""

from collections.abc import Iterable
from decimal import Context, Decimal, InvalidOperation
from enum import StrEnum

ZERO = Decimal(0)
ONE = Decimal(1)
MAX_DIGITS = 40

EXACT = Context(prec=120, traps=[InvalidOperation])
"""Wide enough that sums and products of 40-digit numbers stay exact."""


class Side(StrEnum):
    BUY = "BUY"
    SELL = "SELL"

    @property
    def opposite(self) -> "Side":
        return Side.SELL if self is Side.BUY else Side.BUY

    @property
    def sign(self) -> int:
        """+1 for BUY, -1 for SELL: the direction in which an execution moves a position."""
        return 1 if self is Side.BUY else -1


class OrderType(StrEnum):
    MARKET = "MARKET"
    LIMIT = "LIMIT"
    STOP = "STOP"
    STOP_MARKET = "STOP_MARKET"
    TAKE_PROFIT = "TAKE_PROFIT"
    TAKE_PROFIT_MARKET = "TAKE_PROFIT_MARKET"
    TRAILING_STOP_MARKET = "TRAILING_STOP_MARKET"

    @property
    def conditional(self) -> bool:
        """Whether the order waits for a trigger, and so lives on Binance's Algo service."""
        return self not in (OrderType.MARKET, OrderType.LIMIT)

    @property
    def limited(self) -> bool:
        """Whether the order, once live in the book, has a limit price."""
        return self in (OrderType.LIMIT, OrderType.STOP, OrderType.TAKE_PROFIT)

    @property
    def stop_like(self) -> bool:
        """Whether the trigger lies where the price goes against the position it closes."""
        return self in (OrderType.STOP, OrderType.STOP_MARKET, OrderType.TRAILING_STOP_MARKET)

    @property
    def take_profit_like(self) -> bool:
        return self in (OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_MARKET)


class TimeInForce(StrEnum):
    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
    GTX = "GTX"
    GTD = "GTD"


class WorkingType(StrEnum):
    """Which price triggers a conditional order."""

    CONTRACT_PRICE = "CONTRACT_PRICE"
    MARK_PRICE = "MARK_PRICE"


class Rounding(StrEnum):
    DOWN = "DOWN"
    UP = "UP"


def plain(value: Decimal) -> str:
    """The value in full, without an exponent, keeping its own trailing zeros: `Decimal("1E-5")` is `0.00001`."""
    return format(value, "f")


def trimmed(value: Decimal) -> str:
    """As `plain`, without trailing zeros after the point: `0.00400` is `0.004`, `100` stays `100`."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def base36(number: int) -> str:
    """A number of 0 or more in base 36, as client order ids hold it."""
    text = ""
    while True:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
        if not number:
            return text


def total(values: Iterable[Decimal]) -> Decimal:
    """The sum, as a Decimal also when there is nothing to add."""
    return sum(values, ZERO)
