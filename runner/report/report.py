"""A run's whole report, fed entry by entry: what is live, and what is read again from a journal, come out the same.

A run that is resumed feeds its journal first, and goes on with the same report.
"""

from collections.abc import Iterator

from runner.domain.commands import Command
from runner.domain.events import Event
from runner.domain.positions import Position
from runner.domain.snapshots import VenueSnapshot
from runner.report.board import Board, StepRow
from runner.report.contact import Contact
from runner.report.context import RunContext
from runner.report.lines import Line, LineWriter
from runner.report.log import LogFormatter
from runner.report.orders import KnownOrder, Orders, parts
from runner.report.summary import RunSummary
from runner.report.tally import Tally
from runner.report.trades import Row, TradeJournal


class Report:
    """Feeds each entry to the orders once, and then to everyone who tells of them."""

    def __init__(self, context: RunContext) -> None:
        self.context = context
        self._orders = Orders()
        self._contact = Contact(context, self._orders)
        self._lines = LineWriter(context)
        self._log = LogFormatter(context, self._orders)
        self._trades = TradeJournal(context, self._orders)
        self._tally = Tally(context, self._orders)
        self._board = Board(context, self._orders)
        self._log_lines: list[str] = []

    def see(self, at_ms: int, value: Event | Command) -> tuple[Line, ...]:
        """Take an entry in; the lines for people that it gives.

        What a snapshot tells of our orders is taken in as if it had been told one by one.
        """
        lines: tuple[Line, ...] = ()
        if isinstance(value, VenueSnapshot):
            for part in parts(value):
                lines += self._see(at_ms, value=part, told_ms=min(at_ms, part.at_ms))
        return lines + self._see(at_ms, value, at_ms)

    def _see(self, at_ms: int, value: Event | Command, told_ms: int) -> tuple[Line, ...]:
        """`told_ms`: since when what the entry tells has been so, where that is before it was learnt."""
        change = self._orders.see(at_ms, value)
        notes = self._contact.see(at_ms, value)
        self._log_lines += self._log.of(at_ms, value, change, notes)
        self._trades.see(at_ms, value)
        self._tally.see(told_ms, value, change)
        self._board.see(value, change)
        return self._lines.of(at_ms, value, change, notes, told_ms)

    def orders(self) -> Iterator[KnownOrder]:
        """Every order, in the order they were sent."""
        return iter(self._orders)

    def positions(self) -> Iterator[Position]:
        """What is held now."""
        return self._tally.positions()

    def board(self) -> tuple[StepRow, ...]:
        """How each step stands now."""
        return self._board.rows()

    def lost_ms(self) -> int | None:
        """Since when the account's events are missing, None while they are there."""
        return self._contact.lost_ms

    def log_text(self) -> str:
        """What `bot.log` says of the run so far, from where `take_log` left off."""
        return "".join(self._log_lines)

    def take_log(self) -> str:
        """The lines of `bot.log` since the last call, each ending with a newline."""
        text = self.log_text()
        self._log_lines.clear()
        return text

    def order_rows(self) -> list[Row]:
        return self._trades.order_rows()

    def fill_rows(self) -> list[Row]:
        return self._trades.fill_rows()

    def summary(self, not_simulated: tuple[str, ...] = (), assumed: tuple[str, ...] = ()) -> RunSummary:
        """What the run came to; `not_simulated` names what the exchange of this run did not have, `assumed` what it
        took for granted."""
        return self._tally.summary(not_simulated, assumed)
