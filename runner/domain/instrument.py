"""An instrument's trading rules, and the only place that rounds a price or a quantity to them.

Source: Binance USDⓈ-M `GET /fapi/v1/exchangeInfo`, filters PRICE_FILTER, LOT_SIZE, MARKET_LOT_SIZE,
MIN_NOTIONAL, PERCENT_PRICE, MAX_NUM_ORDERS.
"""

from collections.abc import Sequence
from decimal import Decimal

from runner.domain.value import Value
from runner.domain.values import EXACT, ZERO, Rounding


class Instrument(Value, frozen=True):
    """One symbol's filters; prices in quote per base unit, quantities in base units, `min_notional` in quote."""

    symbol: str
    base_asset: str
    quote_asset: str
    tick_size: Decimal
    min_price: Decimal
    max_price: Decimal
    step_size: Decimal
    min_qty: Decimal
    max_qty: Decimal
    market_step_size: Decimal
    market_min_qty: Decimal
    market_max_qty: Decimal
    min_notional: Decimal
    multiplier_up: Decimal
    multiplier_down: Decimal
    max_num_orders: int = 200
    status: str = "TRADING"

    @property
    def tradable(self) -> bool:
        """Only symbols of this one status take orders."""
        return self.status == "TRADING"

    def on_tick(self, price: Decimal) -> bool:
        return _multiple(price, self.tick_size)

    def on_step(self, qty: Decimal, *, market: bool = False) -> bool:
        return _multiple(qty, self.market_step_size if market else self.step_size)

    def round_price(self, price: Decimal, rounding: Rounding) -> Decimal:
        """The nearest price on the tick that is not above (DOWN) or not below (UP) `price`."""
        return _to_grid(price, self.tick_size, rounding)

    def floor_qty(self, qty: Decimal) -> Decimal:
        """The largest quantity on the step that is not above `qty`."""
        return _to_grid(qty, self.step_size, Rounding.DOWN)

    def ceil_qty(self, qty: Decimal) -> Decimal:
        """The smallest quantity on the step that is not below `qty`."""
        return _to_grid(qty, self.step_size, Rounding.UP)

    def neighbours(self, qty: Decimal) -> tuple[Decimal, Decimal]:
        """The nearest quantities on the step below and above."""
        return self.floor_qty(qty), self.ceil_qty(qty)

    def price_neighbours(self, price: Decimal) -> tuple[Decimal, Decimal]:
        """The nearest prices on the tick below and above."""
        return _to_grid(price, self.tick_size, Rounding.DOWN), _to_grid(price, self.tick_size, Rounding.UP)

    def split(self, qty: Decimal, parts: int) -> tuple[Decimal, ...]:
        """`parts` quantities on the step that sum exactly to `qty`; what does not divide goes to the last."""
        each = self.floor_qty(EXACT.divide(qty, Decimal(parts)))
        return (each,) * (parts - 1) + (qty - each * (parts - 1),)

    def market_parts(self, qty: Decimal) -> tuple[Decimal, ...]:
        """`qty` cut so that no part is above MARKET_LOT_SIZE's maximum."""
        if self.market_max_qty <= ZERO or qty <= self.market_max_qty:
            return (qty,)
        full, rest = divmod(qty, self.market_max_qty)
        return (self.market_max_qty,) * int(full) + ((rest,) if rest else ())

    def notional(self, qty: Decimal, price: Decimal) -> Decimal:
        return EXACT.multiply(qty, price)


def shares(qty: Decimal, weights: Sequence[Decimal], instrument: Instrument) -> tuple[Decimal, ...]:
    """`qty` divided by weights that sum to 1, on the step: floor(qty × cumulative weight), the rest to the last."""
    bounds = [ZERO]
    cumulative = ZERO
    for weight in weights[:-1]:
        cumulative += weight
        bounds.append(instrument.floor_qty(EXACT.multiply(qty, cumulative)))
    bounds.append(qty)
    return tuple(upper - lower for lower, upper in zip(bounds, bounds[1:]))


def _multiple(value: Decimal, grid: Decimal) -> bool:
    return grid == ZERO or EXACT.remainder(value, grid) == ZERO


def _to_grid(value: Decimal, grid: Decimal, rounding: Rounding) -> Decimal:
    if grid == ZERO:
        return value
    below = EXACT.multiply(EXACT.divide_int(value, grid), grid)
    if rounding is Rounding.UP and below < value:
        below = EXACT.add(below, grid)
    return below.quantize(grid, context=EXACT)
