"""What has been traded and quoted lately, as the market-data routes tell it."""

from runner.venue.market import Datum


class Tape:
    """Fed with every datum, after the exchange has taken it."""

    def __init__(self) -> None:
        self._updates: dict[str, int] = {}

    def next_update_id(self, symbol: str) -> int:
        """One more than the last: what a view of the book is numbered with."""
        number = self._updates.get(symbol, 0) + 1
        self._updates[symbol] = number
        return number

    def record(self, datum: Datum) -> None:
        del datum
