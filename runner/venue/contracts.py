"""What the exchange knows of a contract beyond its filters: leverage brackets, liquidation, protection, funding.

Source: Binance USDⓈ-M `GET /fapi/v1/leverageBracket` and `exchangeInfo`, September 2026.  The brackets of BTCUSDT,
ETHUSDT and DOGEUSDT are Binance's up to the fifth row, the larger ones assumed; every other symbol gets DOGEUSDT's,
which are stricter.
"""

from decimal import Decimal

from runner.domain.value import Value
from runner.domain.values import EXACT, ZERO


class Bracket(Value, frozen=True):
    """One step of the maintenance table: of a position worth `floor` (not included) up to `cap` in quote units.

    `cum` is subtracted from notional × `rate`, so that the margin grows without a jump from one bracket to the next.
    """

    number: int
    max_leverage: int
    floor: Decimal
    cap: Decimal
    rate: Decimal
    cum: Decimal


class Contract(Value, frozen=True):
    """`liquidation_fee`, `trigger_protect` and `take_bound` are fractions: of the liquidated notional, of the mark
    (how far the last price may be from it for a protected trigger), of the mark (how far a MARKET order may trade)."""

    brackets: tuple[Bracket, ...]
    liquidation_fee: Decimal = Decimal("0.0125")
    trigger_protect: Decimal = Decimal("0.05")
    take_bound: Decimal = Decimal("0.05")
    funding_hours: int = 8

    @property
    def max_leverage(self) -> int:
        return self.brackets[0].max_leverage

    def bracket(self, notional: Decimal) -> Bracket:
        """The bracket of a position worth `notional` (0 or more); the last one for all beyond."""
        return next((bracket for bracket in self.brackets if notional <= bracket.cap), self.brackets[-1])

    def max_notional(self, leverage: int) -> Decimal:
        """The largest position that this leverage may hold; quote units."""
        return max((bracket.cap for bracket in self.brackets if bracket.max_leverage >= leverage), default=ZERO)

    def maintenance(self, notional: Decimal) -> Decimal:
        """The maintenance margin of a position worth `notional`; quote units."""
        bracket = self.bracket(notional)
        return EXACT.subtract(EXACT.multiply(notional, bracket.rate), bracket.cum)


def brackets(*rows: tuple[int, int, str]) -> tuple[Bracket, ...]:
    """Brackets from rows of (leverage, cap, rate); each floor is the cap before it, `cum` follows from the rates."""
    built: list[Bracket] = []
    floor = cum = before = ZERO
    for number, (leverage, cap, rate) in enumerate(rows, 1):
        fraction = Decimal(rate)
        cum += floor * (fraction - before)
        built.append(Bracket(number, leverage, floor, Decimal(cap), fraction, cum))
        floor, before = Decimal(cap), fraction
    return tuple(built)


_MAJOR = brackets(
    (150, 300_000, "0.004"), (100, 800_000, "0.005"), (75, 3_000_000, "0.0065"), (50, 12_000_000, "0.01"),
    (25, 70_000_000, "0.02"), (20, 100_000_000, "0.025"), (10, 230_000_000, "0.05"), (5, 480_000_000, "0.1"),
    (4, 600_000_000, "0.125"), (3, 800_000_000, "0.15"), (2, 1_200_000_000, "0.25"), (1, 1_800_000_000, "0.5"),
)
_MINOR = brackets(
    (75, 80_000, "0.0065"), (50, 150_000, "0.01"), (40, 750_000, "0.0125"), (25, 2_000_000, "0.02"),
    (20, 4_000_000, "0.025"), (10, 20_000_000, "0.05"), (5, 40_000_000, "0.1"), (4, 50_000_000, "0.125"),
    (2, 100_000_000, "0.25"), (1, 200_000_000, "0.5"),
)
_SHIPPED = {"BTCUSDT": Contract(_MAJOR), "ETHUSDT": Contract(_MAJOR)}
_OTHERS = Contract(_MINOR)
KNOWN = frozenset({"BTCUSDT", "ETHUSDT", "DOGEUSDT"})
"""The symbols whose brackets are Binance's own up to the fifth."""


def shipped_contract(symbol: str) -> Contract:
    """What is known of a symbol's contract without asking the exchange."""
    return _SHIPPED.get(symbol, _OTHERS)
