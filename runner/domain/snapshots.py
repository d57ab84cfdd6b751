"""What an exchange holds for the account at one instant, read as a whole."""

from decimal import Decimal

from runner.domain.positions import Position
from runner.domain.reports import OrderReport, TradeReport
from runner.domain.value import Value


class Balance(Value, frozen=True):
    """One margin asset of the account: `wallet` is all that is owned without unrealised profit, `available` what is
    free for new positions."""

    asset: str
    wallet: Decimal
    available: Decimal


class VenueSnapshot(Value, frozen=True):
    """What was read between `begun_ms` and `at_ms`; it is an event too, after a gap and on a period.

    `orders` are those that are open, of both order worlds, each with its quantity and its trigger, whoever placed them.
    `trades` are recent executions, the oldest first: those that the events before the snapshot may have missed are
    among them, unless `symbols` says that it is a mere look at some symbols.  `symbols`: what the snapshot covers, all
    of the account where empty; an order or a position of those that is not in it was not open at `begun_ms` or later
    ended.
    """

    at_ms: int
    balances: tuple[Balance, ...]
    positions: tuple[Position, ...]
    orders: tuple[OrderReport, ...]
    trades: tuple[TradeReport, ...] = ()
    begun_ms: int = 0
    symbols: tuple[str, ...] = ()

    def covers(self, symbol: str) -> bool:
        return not self.symbols or symbol in self.symbols
