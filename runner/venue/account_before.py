"""The simulated account: wallet, one-way positions, fees, and what of the wallet is bound as initial margin.

Fees and realised profit are kept to 8 decimals as Binance books them, rounded against the account, so that the
wallet is exactly the start plus all that the trade reports say.
"""

from collections.abc import Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import NamedTuple

from runner.domain.positions import Position
from runner.domain.values import EXACT, ZERO, Side

_BOOKED = Decimal("0.00000001")


class Booking(NamedTuple):
    """What one execution did to the wallet, in quote units; `grew` where it opened or increased a position."""

    fee: Decimal
    realized: Decimal
    grew: bool


class Account:
    def __init__(self, balance: Decimal, leverage: int, maker_fee: Decimal, taker_fee: Decimal) -> None:
        self.wallet = balance
        self.leverage = Decimal(leverage)
        self.maker_fee = maker_fee
        self.taker_fee = taker_fee
        self.positions: dict[str, Position] = {}

    def position(self, symbol: str) -> Position:
        return self.positions.get(symbol) or Position(symbol)

    def book(self, symbol: str, side: Side, qty: Decimal, price: Decimal, maker: bool) -> Booking:
        """Take one execution into the position and the wallet."""
        before = self.position(symbol)
        after, realized = before.after(side, qty, price)
        rate = self.maker_fee if maker else self.taker_fee
        fee = booked(EXACT.multiply(EXACT.multiply(price, qty), rate), ROUND_CEILING)
        realized = booked(realized, ROUND_FLOOR)
        self.positions[symbol] = after
        self.wallet = EXACT.subtract(EXACT.add(self.wallet, realized), fee)
        flipped = (before.qty > ZERO) != (after.qty > ZERO) and after.qty != ZERO
        return Booking(fee, realized, abs(after.qty) > abs(before.qty) or flipped)

    def unrealised(self, marks: Mapping[str, Decimal]) -> Decimal:
        """Profit of all open positions at the mark, before fees; every open position's symbol is in `marks`."""
        result = ZERO
        for symbol, position in self.positions.items():
            if position.qty:
                result = EXACT.add(result, position.unrealised(marks[symbol]))
        return result

    def closable(self, symbol: str, side: Side) -> Decimal:
        """How much an order of `side` can close: nothing when flat or on the same side."""
        qty = self.position(symbol).qty * -side.sign
        return max(qty, ZERO)


class Claim(NamedTuple):
    """What an order that can open may still execute, and the price its margin is reckoned at."""

    side: Side
    qty: Decimal
    price: Decimal


def initial_margin(position: Decimal, mark: Decimal, claims: list[Claim], leverage: Decimal) -> Decimal:
    """The margin that a position (signed) and its working opening orders bind together, in quote units.

    Each side is taken at its worst: all buys execute, or all sells; orders that only reduce bind nothing.  An order
    that would lose at once against the mark binds that loss too.  Source: reference of the exchange, initial margin
    (open-order margin of one-way mode is not published; this is the larger of the two sides).
    """
    long = short = EXACT.multiply(position, mark)
    short = -short
    loss = ZERO
    for side, qty, price in claims:
        cost = EXACT.multiply(qty, price)
        if side is Side.BUY:
            long = EXACT.add(long, cost)
        else:
            short = EXACT.add(short, cost)
        loss = EXACT.add(loss, EXACT.multiply(qty, max(ZERO, (price - mark) * side.sign)))
    return EXACT.add(EXACT.divide(max(long, short), leverage), loss)


def booked(value: Decimal, rounding: str) -> Decimal:
    """The value to the 8 decimals that the exchange keeps; as it is where it has no more than those."""
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent >= -8:
        return value
    return value.quantize(_BOOKED, rounding=rounding, context=EXACT)
