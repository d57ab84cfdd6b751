"""What the exchange does by itself when its time has come: funding, the end of orders, countdowns.

D1. GTD ends at its date, to the second, which is more than 600 s ahead; GTC ends after a year.
D2. A countdown cancels all orders of an account on a symbol unless it is set anew; conditional ones by a rule.
D3. What is due goes before data and requests of the same instant: the market's levels, funding, orders, countdowns.
"""

from collections import deque
from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple, assert_never

from runner.venue import funding
from runner.venue.account import Account
from runner.venue.book import Book
from runner.venue.deadlines import Deadline, Due
from runner.venue.execution import Execution
from runner.venue.terms import AlgoStatus, Expiry, Status

MOST_FUNDINGS = 10_000


class FundingTime(NamedTuple):
    """A funding time that has been, with the rate that was exchanged at it."""

    symbol: str
    at_ms: int
    rate: Decimal
    mark_px: Decimal


class Clockwork:
    """`rates` are the funding rates of the symbols, None where they are not known; `fundings` are the last times at
    which funding was exchanged at a known rate, oldest first."""

    def __init__(self, execution: Execution, books: Mapping[str, Book], rate: Decimal | None) -> None:
        self.rates: dict[str, Decimal | None] = dict.fromkeys(books, rate)
        self.fundings: deque[FundingTime] = deque(maxlen=MOST_FUNDINGS)
        self._execution = execution
        self._books = books
        self._countdowns: dict[tuple[str, str], Deadline] = {}

    def advance(self, now_ms: int) -> None:
        """Do all that is due up to `now_ms`, each at its own instant."""
        execution = self._execution
        while (due := execution.deadlines.next_ms) is not None and due <= now_ms:
            execution.now_ms = max(execution.now_ms, due)
            self._fall_due(execution.deadlines.pop())
            execution.liquidator.settle(execution.now_ms)
        execution.now_ms = max(execution.now_ms, now_ms)

    def plan_funding(self, book: Book) -> None:
        """Set the symbol's next funding time."""
        at_ms = funding.next_funding_ms(self._execution.now_ms, book.contract.funding_hours)
        self._execution.deadlines.add(Deadline(at_ms, Due.FUNDING, symbol=book.symbol))

    def count_down(self, account: Account, symbol: str, countdown_ms: int) -> None:
        """Cancel all orders of the symbol after `countdown_ms`, unless it is set anew before; 0 calls it off."""
        before = self._countdowns.pop((account.name, symbol), None)
        if before is not None:
            self._execution.deadlines.drop(before)
        if countdown_ms > 0:
            at_ms = self._execution.now_ms + countdown_ms
            deadline = Deadline(at_ms, Due.COUNTDOWN, account=account.name, symbol=symbol)
            self._countdowns[account.name, symbol] = deadline
            self._execution.deadlines.add(deadline)

    def cancel_working(self, account: Account, book: Book) -> int:
        """Cancel the account's orders in the matching engine; how many."""
        orders = tuple(account.open.of(book.symbol).values())
        for order in orders:
            self._execution.end(book, order, Status.CANCELED)
        return len(orders)

    def cancel_waiting(self, account: Account, book: Book) -> int:
        """Cancel the account's conditional orders that wait; how many."""
        waiting = [order for order in account.open.waiting.values() if order.symbol == book.symbol]
        for order in waiting:
            self._execution.end_waiting(book, order, AlgoStatus.CANCELED)
        return len(waiting)

    def _fall_due(self, deadline: Deadline) -> None:
        book = self._books[deadline.symbol]
        match deadline.kind:
            case Due.REFILL:
                book.refill()
            case Due.FUNDING:
                self._fund(book)
            case Due.ORDER:
                self._expire(book, deadline)
            case Due.COUNTDOWN:
                del self._countdowns[deadline.account, deadline.symbol]
                account = self._execution.accounts[deadline.account]
                self.cancel_working(account, book)
                if self._execution.settings.rules.countdown_covers_conditionals:
                    self.cancel_waiting(account, book)
            case _:
                assert_never(deadline.kind)

    def _fund(self, book: Book) -> None:
        execution, symbol = self._execution, book.symbol
        self.plan_funding(book)
        rate = self.rates[symbol]
        if rate is not None:
            self.fundings.append(FundingTime(symbol, execution.now_ms, rate, book.mark_px))
        for name in sorted(book.holders):
            account = execution.accounts[name]
            asset = book.instrument.quote_asset
            for fact in funding.charge(account, symbol, asset, book.mark_px, rate, execution.now_ms):
                execution.tell(fact)
            execution.liquidator.changed(account)

    def _expire(self, book: Book, deadline: Deadline) -> None:
        """An order has lasted its time."""
        order = self._execution.accounts[deadline.account].open.working[deadline.number]
        if self._execution.settings.rules.good_till_cancels:
            self._execution.end(book, order, Status.CANCELED)
        else:
            self._execution.end(book, order, Status.EXPIRED, Expiry.TIME_IN_FORCE)
