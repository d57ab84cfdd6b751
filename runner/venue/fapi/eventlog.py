"""What has happened on the exchange, numbered, for those who watch it from the control side."""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from runner.venue.facts import Fact
from runner.venue.fapi.door import Audience
from runner.venue.market import Datum

KEPT = 2_000
"""Enough to look back on, and few beside the closed orders that are kept."""


class Happened(NamedTuple):
    number: int
    fact: Fact


class EventLog:
    """An audience that keeps the last facts and passes everything on."""

    def __init__(self, audience: Audience, kept: int = KEPT) -> None:
        self._audience = audience
        self._kept: deque[Happened] = deque(maxlen=kept)
        self._number = 0

    @property
    def last(self) -> int:
        """The number of the last fact, 0 before the first."""
        return self._number

    def publish(self, facts: Sequence[Fact]) -> None:
        for fact in facts:
            self._number += 1
            self._kept.append(Happened(self._number, fact))
        self._audience.publish(facts)

    def on_datum(self, datum: Datum) -> None:
        self._audience.on_datum(datum)

    def after(self, number: int, most: int) -> list[Happened]:
        """At most so many of those that came after that number, the oldest first."""
        missing = self._number - number
        if missing <= 0:
            return []
        start = max(0, len(self._kept) - missing)
        return [self._kept[place] for place in range(start, min(start + most, len(self._kept)))]
