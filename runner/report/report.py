"""A run's whole report, fed entry by entry: what is live, and what is read again from a journal, come out the same."""

from collections.abc import Iterator

from runner.domain.commands import Command
from runner.domain.events import Event
from runner.domain.positions import Position
from runner.report.context import RunContext
from runner.report.lines import Line, LineWriter
from runner.report.log import LogFormatter
from runner.report.orders import KnownOrder, Orders
from runner.report.summary import RunSummary
from runner.report.tally import Tally
from runner.report.trades import Row, TradeJournal


class Report:
    """Feeds each entry to the orders once, and then to everyone who tells of them."""

    def __init__(self, context: RunContext) -> None:
        self.context = context
        self._orders = Orders()
        self._lines = LineWriter(context)
        self._log = LogFormatter(context, self._orders)
        self._trades = TradeJournal(context, self._orders)
        self._tally = Tally(context, self._orders)
        self._log_lines: list[str] = []

    def see(self, at_ms: int, value: Event | Command) -> tuple[Line, ...]:
        """Take an entry in; the lines for people that it gives."""
        change = self._orders.see(at_ms, value)
        self._log_lines += self._log.of(at_ms, value, change)
        self._trades.see(at_ms, value)
        self._tally.see(at_ms, value, change)
        return self._lines.of(at_ms, value, change)

    def orders(self) -> Iterator[KnownOrder]:
        """Every order, in the order they were sent."""
        return iter(self._orders)

    def positions(self) -> Iterator[Position]:
        """What is held now."""
        return self._tally.positions()

    def log_text(self) -> str:
        """What `bot.log` says of the run so far."""
        return "".join(self._log_lines)

    def order_rows(self) -> list[Row]:
        return self._trades.order_rows()

    def fill_rows(self) -> list[Row]:
        return self._trades.fill_rows()

    def summary(self, not_simulated: tuple[str, ...] = (), assumed: tuple[str, ...] = ()) -> RunSummary:
        """What the run came to; `not_simulated` names what the exchange of this run did not have, `assumed` what it
        took for granted."""
        return self._tally.summary(not_simulated, assumed)
