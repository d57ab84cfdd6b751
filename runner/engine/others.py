"""What is known of others on the account: their orders and positions, and what they changed of ours."""

from decimal import Decimal
from typing import NamedTuple

from runner.domain.account import AccountFacts
from runner.domain.reports import OrderReport
from runner.domain.value import Record, fresh


class Stranger(NamedTuple):
    """An order on a symbol of the run that is not the run's, and when it was last told of."""

    report: OrderReport
    told_ms: int


class Difference(NamedTuple):
    """An account position that is not what it should be, and when the read that saw it was begun."""

    qty: Decimal
    begun_ms: int


class Others(Record):
    """`positions`: the part of each symbol's position that is not the run's.  `orders`: live ones by client id, or by
    order id where they have none; `named` are those that have been told of.  `differences` are seen once so far, and
    count when a second read agrees.  `changes`: steps (or "") and what was changed of theirs, not followed yet.
    """

    positions: dict[str, Decimal] = fresh(dict)
    orders: dict[str, Stranger] = fresh(dict)
    named: set[str] = fresh(set)
    differences: dict[str, Difference] = fresh(dict)
    account: AccountFacts | None = None
    changes: list[tuple[str, str]] = fresh(list)
