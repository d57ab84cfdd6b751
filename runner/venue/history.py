"""What an account can ask about its past: closed orders of both worlds, executions, income.

Everything is bounded: the last `keep` closed orders and as many conditional ones, twice as many executions, four times
as many income rows.  A record is kept as bytes, because a closed order is read seldom: an order that was filled once,
with its execution, its income and its places in the indices, takes 1.0 kB, one cancelled without a fill 0.45 kB.

How long Binance finds them ("Query Order", "Query Algo Order"): nothing older than 90 days, and of what was CANCELED or
EXPIRED without a fill nothing older than 3 days.
"""

from collections import deque
from struct import Struct
from typing import Generic, TypeVar

from runner.domain.value import Packing, Value
from runner.domain.values import ZERO
from runner.venue.facts import AlgoState, Fill, Income, OrderState
from runner.venue.requests import OrderKey
from runner.venue.terms import AlgoStatus, IncomeType, Status

FOREVER = 2**63 - 1
_DAY = 86_400_000
_BARE_MS = 3 * _DAY
_KEPT_MS = 90 * _DAY
_KINDS = tuple(IncomeType)
_HEAD = Struct(">qqqHB")
"""Before each record: its number, its instant, what it belongs to, its symbol's number, whether it soon is lost."""

V = TypeVar("V", bound=Value)


class History:
    """The past of one account.  Of a client id that was used again the latest order answers.

    `now_ms` is the exchange's present, which decides what is too old to be found.  A range gives the oldest `limit`
    records where a beginning is named, and the newest otherwise; always in the order of their numbers.
    """

    def __init__(self, keep: int) -> None:
        self._orders = _Shelf(OrderState, keep)
        self._conditionals = _Shelf(AlgoState, keep)
        self._fills = _Shelf(Fill, 2 * keep)
        self._income = _Shelf(Income, 4 * keep)

    def add_order(self, order: OrderState) -> None:
        """Keep an order that has ended in the matching engine."""
        request = order.request
        bare = order.filled_qty == ZERO and order.status in (Status.CANCELED, Status.EXPIRED)
        key = f"{request.symbol} {request.client_order_id}"
        self._orders.add(order, order.order_id, order.created_ms, request.symbol, bare=bare, key=key)

    def add_conditional(self, order: AlgoState) -> None:
        """Keep a conditional order that has ended."""
        request = order.request
        bare = order.filled_qty == ZERO and order.status in (AlgoStatus.CANCELED, AlgoStatus.EXPIRED)
        key = f"{request.symbol} {request.client_order_id}"
        self._conditionals.add(order, order.algo_id, order.created_ms, request.symbol, bare=bare, key=key)

    def add_fill(self, fill: Fill) -> None:
        self._fills.add(fill, fill.trade_id, fill.at_ms, fill.symbol, owner=fill.order_id)

    def add_income(self, income: Income) -> None:
        self._income.add(income, income.number, income.at_ms, income.symbol, owner=_KINDS.index(income.kind))

    def order(self, symbol: str, key: OrderKey, now_ms: int) -> OrderState | None:
        """A closed order of the symbol, by its order id or its client id."""
        return self._orders.get(key if isinstance(key, int) else f"{symbol} {key}", symbol, now_ms)

    def conditional(self, key: OrderKey, now_ms: int, symbol: str = "") -> AlgoState | None:
        """A conditional order that is over, by its algo id or its client id; the latest of all symbols if none is
        named."""
        shelf = self._conditionals
        if isinstance(key, int):
            return shelf.get(key, symbol, now_ms)
        found = (shelf.get(f"{name} {key}", name, now_ms) for name in ([symbol] if symbol else shelf.symbols))
        return max((each for each in found if each is not None), key=lambda each: each.algo_id, default=None)

    def orders(
        self, symbol: str, now_ms: int, *, since_ms: int = 0, until_ms: int = FOREVER, from_id: int = 0,
        limit: int = 500,
    ) -> list[OrderState]:
        """Closed orders created between two instants (both included), by order id; an empty symbol stands for all."""
        return self._orders.range(symbol, now_ms, since_ms, until_ms, from_id, limit)

    def conditionals(
        self, symbol: str, now_ms: int, *, since_ms: int = 0, until_ms: int = FOREVER, from_id: int = 0,
        limit: int = 500,
    ) -> list[AlgoState]:
        """As `orders`, of the conditional ones, by algo id."""
        return self._conditionals.range(symbol, now_ms, since_ms, until_ms, from_id, limit)

    def fills(
        self, symbol: str, now_ms: int, *, since_ms: int = 0, until_ms: int = FOREVER, from_id: int = 0,
        limit: int = 500, order_id: int | None = None,
    ) -> list[Fill]:
        """Executions by trade id, of one order if named."""
        return self._fills.range(symbol, now_ms, since_ms, until_ms, from_id, limit, order_id)

    def income(
        self, now_ms: int, *, symbol: str = "", kind: IncomeType | None = None, since_ms: int = 0,
        until_ms: int = FOREVER, limit: int = 100,
    ) -> list[Income]:
        """Income rows by number, of one kind if named."""
        owner = None if kind is None else _KINDS.index(kind)
        return self._income.range(symbol, now_ms, since_ms, until_ms, 0, limit, owner)


class _Shelf(Generic[V]):
    """The last `keep` records of one kind."""

    def __init__(self, kind: type[V], keep: int) -> None:
        self._packing = Packing(kind)
        self._keep = keep
        self._records: dict[int, bytes] = {}
        self._arrived: deque[int] = deque()
        self._keys: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._symbols: dict[str, int] = {}

    def add(
        self, value: V, number: int, at_ms: int, symbol: str, *, owner: int = 0, bare: bool = False, key: str = "",
    ) -> None:
        index = self._symbols.setdefault(symbol, len(self._symbols))
        self._records[number] = _HEAD.pack(number, at_ms, owner, index, bare) + self._packing.pack(value)
        self._arrived.append(number)
        if key:
            self._keys[key] = number
            self._names[number] = key
        if len(self._arrived) > self._keep:
            self._forget(self._arrived.popleft())

    @property
    def symbols(self) -> list[str]:
        """All that there have been records of."""
        return list(self._symbols)

    def get(self, key: OrderKey, symbol: str, now_ms: int) -> V | None:
        number = key if isinstance(key, int) else self._keys.get(key)
        record = None if number is None else self._records.get(number)
        if record is None or not self._found(record, symbol, now_ms):
            return None
        return self._packing.unpack(record[_HEAD.size:])

    def range(
        self, symbol: str, now_ms: int, since_ms: int, until_ms: int, from_id: int, limit: int,
        owner: int | None = None,
    ) -> list[V]:
        wanted = self._symbols.get(symbol) if symbol else None
        if symbol and wanted is None:
            return []
        found: list[tuple[int, bytes]] = []
        for record in self._records.values():
            number, at_ms, belongs, index, bare = _HEAD.unpack_from(record)
            if (
                number >= from_id and since_ms <= at_ms <= until_ms and (wanted is None or index == wanted)
                and (owner is None or belongs == owner) and not _lost(now_ms - at_ms, bare)
            ):
                found.append((number, record))
        found.sort()
        chosen = found[:limit] if since_ms or from_id else found[-limit:]
        return [self._packing.unpack(record[_HEAD.size:]) for _, record in chosen]

    def _found(self, record: bytes, symbol: str, now_ms: int) -> bool:
        _, at_ms, _, index, bare = _HEAD.unpack_from(record)
        return not _lost(now_ms - at_ms, bare) and (not symbol or self._symbols.get(symbol) == index)

    def _forget(self, number: int) -> None:
        del self._records[number]
        key = self._names.pop(number, "")
        if key and self._keys[key] == number:
            del self._keys[key]


def _lost(age_ms: int, bare: bool) -> bool:
    return age_ms > (_BARE_MS if bare else _KEPT_MS)
