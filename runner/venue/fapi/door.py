"""What every part of the served exchange shares."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from runner.venue.exchange import Exchange
from runner.venue.facts import Fact
from runner.venue.fapi.clock import FrontClock, VenueClock
from runner.venue.fapi.disturbing import Disturber, Undisturbed
from runner.venue.fapi.keys import KeyRing
from runner.venue.fapi.ladders import Ladders
from runner.venue.fapi.limits import Limits
from runner.venue.fapi.listening import ListenKeys
from runner.venue.fapi.remembered import Remembered
from runner.venue.fapi.requestlog import RequestLog
from runner.venue.fapi.tape import Tape
from runner.venue.market import Datum


class Audience(Protocol):
    """Who is told what happens: the hub of the WebSocket streams."""

    def publish(self, facts: Sequence[Fact]) -> None:
        """Facts in the exchange's order; must not block or raise."""

    def on_datum(self, datum: Datum) -> None:
        """One datum, after the exchange and the tape have taken it."""


class Nobody:
    """An audience of no one."""

    def publish(self, facts: Sequence[Fact]) -> None:
        pass

    def on_datum(self, datum: Datum) -> None:
        pass


@dataclass(slots=True)
class Door:
    """The exchange with its clocks, keys, limits, listeners and faults."""

    exchange: Exchange
    front: FrontClock
    clock: VenueClock
    keys: KeyRing = field(default_factory=KeyRing)
    limits: Limits = field(default_factory=Limits)
    listen_keys: ListenKeys = field(default_factory=ListenKeys)
    tape: Tape = field(default_factory=Tape)
    audience: Audience = field(default_factory=Nobody)
    disturber: Disturber = field(default_factory=Undisturbed)
    amendments: Remembered = field(default_factory=lambda: Remembered("amendmentId"))
    margin_moves: Remembered = field(default_factory=Remembered)
    requests: RequestLog = field(default_factory=RequestLog)
    ladders: Ladders = field(init=False)

    def __post_init__(self) -> None:
        self.ladders = Ladders(self.exchange.books, self.tape.next_update_id)

    def at_ms(self) -> int:
        """The exchange's present instant; never before what it has seen."""
        return max(self.clock.now_ms(), self.exchange.now_ms)

    def publish(self) -> None:
        """Tell the audience what has happened; called after everything that touches the exchange."""
        facts = self.exchange.drain()
        if facts:
            self.audience.publish(facts)

    def feed(self, datum: Datum) -> None:
        """Let one market datum act, be recorded, and be told."""
        self.exchange.on_market(datum)
        self.tape.record(datum)
        self.audience.on_datum(datum)
        self.publish()
