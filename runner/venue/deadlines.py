"""What the exchange does by itself at a certain instant, in the order of time."""

from bisect import bisect_left, insort
from enum import IntEnum
from typing import NamedTuple


class Due(IntEnum):
    """What falls due; at equal instants in this order."""

    REFILL = 0  # what takers took of the market's levels is there again
    FUNDING = 1
    ORDER = 2  # GTD at its date, GTC after a year
    COUNTDOWN = 3


class Deadline(NamedTuple):
    """`number` is the order's id; `account` and `symbol` say whose countdown or which funding it is."""

    at_ms: int
    kind: Due
    number: int = 0
    account: str = ""
    symbol: str = ""


class Deadlines:
    """A sorted list, so that what is called off leaves nothing behind."""

    __slots__ = ("_sorted",)

    def __init__(self) -> None:
        self._sorted: list[Deadline] = []

    @property
    def next_ms(self) -> int | None:
        return self._sorted[0].at_ms if self._sorted else None

    def add(self, deadline: Deadline) -> None:
        insort(self._sorted, deadline)

    def drop(self, deadline: Deadline) -> None:
        """Call one off; nothing happens where there is none."""
        place = bisect_left(self._sorted, deadline)
        if place < len(self._sorted) and self._sorted[place] == deadline:
            del self._sorted[place]

    def pop(self) -> Deadline:
        """Take the first one out."""
        return self._sorted.pop(0)
