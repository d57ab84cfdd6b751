"""A one-way position of a linear contract, and what each execution does to it.

Source of the arithmetic: Binance USDⓈ-M, entry price is the weighted average while the position grows and stays
while it shrinks; realised PnL is (exit − entry) × closed quantity × direction, before fees.
"""

from decimal import Decimal

from runner.domain.value import Value
from runner.domain.values import EXACT, ZERO, Side


class Position(Value, frozen=True):
    """`qty` is signed base units, `entry_px` the average entry price (zero when flat)."""

    symbol: str
    qty: Decimal = ZERO
    entry_px: Decimal = ZERO

    def unrealised(self, price: Decimal) -> Decimal:
        """Profit in quote units if closed at `price`, before fees."""
        return EXACT.multiply(self.qty, price - self.entry_px)

    def after(self, side: Side, qty: Decimal, price: Decimal) -> tuple["Position", Decimal]:
        """The position after an execution, and the profit it realised (quote units, before fees)."""
        signed = qty * side.sign
        new_qty = self.qty + signed
        if self.qty == ZERO or (self.qty > ZERO) == (signed > ZERO):
            cost = EXACT.add(EXACT.multiply(self.entry_px, abs(self.qty)), EXACT.multiply(price, qty))
            return Position(self.symbol, new_qty, EXACT.divide(cost, abs(new_qty))), ZERO
        closed = min(qty, abs(self.qty))
        direction = 1 if self.qty > ZERO else -1
        realised = EXACT.multiply(price - self.entry_px, closed * direction)
        if new_qty == ZERO:
            return Position(self.symbol), realised
        flipped = (new_qty > ZERO) != (self.qty > ZERO)
        return Position(self.symbol, new_qty, price if flipped else self.entry_px), realised
