"""The run's own money of a day, and the prices that it was last valued at."""

from decimal import Decimal

from runner.domain.value import Record
from runner.domain.values import ZERO


class Day(Record):
    """The run's own money since 00:00 UTC.  `exchanged` is what was neither profit nor fee (funding), below zero where
    it was paid; `unrealised` the figure at that instant."""

    start_ms: int
    realised: Decimal = ZERO
    fees: Decimal = ZERO
    exchanged: Decimal = ZERO
    unrealised: Decimal = ZERO


class Quote(Record):
    """The prices of the last observation of a symbol."""

    mark_px: Decimal
    bid_px: Decimal
    ask_px: Decimal
    equity: Decimal
    taker_fee: Decimal
