"""What an account holds of one symbol, and how it holds it.

Source of the arithmetic: Binance USDⓈ-M, isolated positions get notional / leverage of the wallet when they grow, and
give back the closed share of it when they shrink.
"""

from collections.abc import Iterable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import NamedTuple

from runner.domain.positions import Position
from runner.domain.value import Record
from runner.domain.values import EXACT, ZERO, Side
from runner.venue.terms import MarginType, PositionSide

_BOOKED = Decimal("0.00000001")


class Booking(NamedTuple):
    """What one execution did to the wallet, in quote units; `grew` where it opened or increased a position."""

    fee: Decimal
    realized: Decimal
    grew: bool


class SymbolConfig(Record):
    """How an account trades one symbol."""

    leverage: int
    margin_type: MarginType = MarginType.CROSSED

    @property
    def isolated(self) -> bool:
        return self.margin_type is MarginType.ISOLATED


class Holding(Record):
    """One position: `qty` is signed base units, `entry_px` the average entry price (zero when flat).

    `isolated_wallet` is the part of the wallet of `asset` that alone stands for it, zero under cross margin.
    `realized` is the profit of its whole life before fees; `owed` what the present position has to earn before it
    breaks even: fees less realised profit since it was opened.
    """

    symbol: str
    side: PositionSide
    asset: str = ""
    qty: Decimal = ZERO
    entry_px: Decimal = ZERO
    isolated_wallet: Decimal = ZERO
    realized: Decimal = ZERO
    owed: Decimal = ZERO
    updated_ms: int = 0

    @property
    def break_even_px(self) -> Decimal:
        """The price at which closing it leaves, before the closing fee, neither profit nor loss; zero when flat."""
        if not self.qty:
            return ZERO
        return EXACT.add(self.entry_px, EXACT.divide(self.owed, self.qty))

    def unrealized(self, mark: Decimal) -> Decimal:
        """Profit in quote units if closed at `mark`, before fees."""
        return EXACT.multiply(self.qty, EXACT.subtract(mark, self.entry_px))

    def notional(self, mark: Decimal) -> Decimal:
        """What it is worth at `mark`, without its sign; quote units."""
        return EXACT.multiply(abs(self.qty), mark)

    def take(self, side: Side, qty: Decimal, price: Decimal, fee_rate: Decimal) -> tuple[Booking, Decimal]:
        """Move the position by one execution; what it did, and how much of `qty` opened or increased it.

        Fee and profit have 8 decimals, rounded against the account.
        """
        before = Position(self.symbol, self.qty, self.entry_px)
        after, profit = before.after(side, qty, price)
        fee = booked(EXACT.multiply(EXACT.multiply(price, qty), fee_rate), ROUND_CEILING)
        realized = booked(profit, ROUND_FLOOR)
        closed = min(qty, abs(before.qty)) if before.qty * side.sign < ZERO else ZERO
        opened = EXACT.subtract(qty, closed)
        self.qty, self.entry_px = after.qty, after.entry_px
        self.realized = EXACT.add(self.realized, realized)
        if opened and (closed or not before.qty):
            self.owed = _share(fee, opened, qty)
        else:
            self.owed = EXACT.subtract(EXACT.add(self.owed, fee), realized) if after.qty else ZERO
        return Booking(fee, realized, bool(opened)), opened

    def isolate(self, booking: Booking, opened: Decimal, qty: Decimal, margin: Decimal, free: Decimal) -> None:
        """Let the isolated wallet follow an execution of `qty` that `take` has just booked.

        `opened` of it grew the position, which takes `margin` out of what is `free` in the cross wallet (less where
        there is less) and pays its fee out of that.  What closed gives its share back, less its own loss and fee; a
        loss beyond the share is taken from what stays.
        """
        fee_opened = _share(booking.fee, opened, qty)
        if opened != qty:
            closed = EXACT.subtract(qty, opened)
            before = EXACT.add(closed, ZERO if opened else abs(self.qty))
            released = booked(EXACT.divide(EXACT.multiply(self.isolated_wallet, closed), before), ROUND_FLOOR)
            left = EXACT.subtract(self.isolated_wallet, released)
            back = EXACT.subtract(EXACT.add(released, booking.realized), EXACT.subtract(booking.fee, fee_opened))
            self.isolated_wallet = max(ZERO, EXACT.add(left, min(back, ZERO)))
            free = EXACT.add(free, back)
        if opened:
            moved = min(margin, max(free, ZERO))
            kept = EXACT.subtract(EXACT.add(self.isolated_wallet, moved), fee_opened)
            self.isolated_wallet = max(ZERO, kept)


def summed(amounts: Iterable[Decimal]) -> Decimal:
    """The sum, without losing a digit."""
    result = ZERO
    for amount in amounts:
        result = EXACT.add(result, amount)
    return result


def booked(value: Decimal, rounding: str) -> Decimal:
    """The value to the 8 decimals that the exchange keeps; as it is where it has no more than those."""
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent >= -8:
        return value
    return value.quantize(_BOOKED, rounding=rounding, context=EXACT)


def _share(amount: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """The part's share of an amount, to 8 decimals; rounded up."""
    if part == whole:
        return amount
    return booked(EXACT.divide(EXACT.multiply(amount, part), whole), ROUND_CEILING)
