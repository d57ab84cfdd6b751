"""Rows that the API shows of an account's past and the exchange itself does not keep: the latest thousand of each."""

from collections import defaultdict, deque
from typing import Any

_KEPT = 1000


class Remembered:
    """Rows by account, the oldest first, each with a number of its own under `number`, if a name is given."""

    def __init__(self, number: str = "") -> None:
        self._rows: dict[str, deque[dict[str, Any]]] = defaultdict(lambda: deque(maxlen=_KEPT))
        self._number = number
        self._added = 0

    def add(self, account: str, row: dict[str, Any]) -> None:
        self._added += 1
        self._rows[account].append({self._number: self._added, **row} if self._number else row)

    def of(self, account: str) -> list[dict[str, Any]]:
        return list(self._rows[account])
