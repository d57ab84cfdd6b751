"""The account as the user stream has told it, upon the snapshot that was taken when it connected.

What a later look at the exchange shows and the stream has not told is a debt of the stream.  A silent stream looks like
a quiet one; only its debts tell them apart.
"""

from collections.abc import Collection, Hashable
from decimal import Decimal

from runner.domain.orders import OrderStatus
from runner.domain.positions import Position
from runner.domain.reports import OrderReport
from runner.domain.snapshots import VenueSnapshot
from runner.domain.value import Record
from runner.domain.values import ZERO
from runner.gateways.binance.told import Latest

_RANK = {
    OrderStatus.NEW: 0,
    OrderStatus.TRIGGERED: 1,
    OrderStatus.PARTIALLY_FILLED: 2,
}
_ENDED = 3


class _Seen(Record):
    """How far an order has come, and when we heard so."""

    rank: int
    filled_qty: Decimal
    heard_ms: int


class View:
    """`symbols` are those of the run: of others no debts are kept.  Instants are our own, in UTC ms."""

    def __init__(self, symbols: Collection[str], late_ms: int) -> None:
        self._symbols = frozenset(symbols)
        self._late_ms = late_ms
        self._open: dict[tuple[str, str], _Seen] = {}
        self._ended: Latest[tuple[str, str], _Seen] = Latest()
        self._wallets: dict[str, tuple[Decimal, int]] = {}
        self._positions: dict[str, tuple[Position, int]] = {}
        self._debts: dict[tuple[str, Hashable], int] = {}

    # --- what the stream tells

    def order(self, report: OrderReport, heard_ms: int) -> None:
        """An order's state; an older one than was heard before changes nothing, and what has ended stays so."""
        key = report.symbol, report.client_order_id
        rank = _RANK.get(report.status, _ENDED)
        if key in self._ended:
            return
        seen, before = _Seen(rank, report.filled_qty, heard_ms), self._open.pop(key, None)
        if before is not None:
            seen = _Seen(max(rank, before.rank), max(report.filled_qty, before.filled_qty), heard_ms)
        if seen.rank == _ENDED:
            self._ended[key] = seen
        else:
            self._open[key] = seen

    def wallet(self, asset: str, amount: Decimal, heard_ms: int) -> None:
        self._wallets[asset] = amount, heard_ms

    def position(self, position: Position, heard_ms: int) -> None:
        self._positions[position.symbol] = position, heard_ms

    # --- what is known

    def held(self) -> list[Position]:
        """The positions that are not flat."""
        return [position for position, _ in self._positions.values() if position.qty]

    def wallet_of(self, asset: str) -> Decimal | None:
        known = self._wallets.get(asset)
        return None if known is None else known[0]

    # --- what the exchange shows

    def begin(self, snapshot: VenueSnapshot) -> None:
        """A whole snapshot, taken since the stream connected: from now on the stream owes what is not in it."""
        self._debts.clear()
        told = {key: seen for key, seen in self._open.items() if seen.heard_ms >= snapshot.begun_ms}
        self._open = {}
        for report in snapshot.orders:
            self.order(report, snapshot.begun_ms)
        for key, seen in told.items():
            if key not in self._ended:
                self._open[key] = seen
        held = {position.symbol: (position, snapshot.begun_ms) for position in snapshot.positions}
        fresh = {symbol: known for symbol, known in self._positions.items() if known[1] >= snapshot.begun_ms}
        self._positions = held | fresh
        self.read(snapshot)

    def read(self, snapshot: VenueSnapshot) -> None:
        """Take over the balances of a snapshot, where the stream has told nothing newer."""
        for balance in snapshot.balances:
            known = self._wallets.get(balance.asset)
            if known is None or known[1] < snapshot.begun_ms:
                self._wallets[balance.asset] = balance.wallet, snapshot.begun_ms

    def owes(self, snapshot: VenueSnapshot) -> bool:
        """Whether the stream owes for too long what a look shows; young debts are remembered until the next look."""
        owed = self._owed(snapshot)
        covered = [symbol for symbol in self._symbols if snapshot.covers(symbol)]
        kept = {key: since for key, since in self._debts.items() if key[0] not in covered}
        self._debts = kept | {key: self._debts.get(key, snapshot.begun_ms) for key in owed}
        return any(self._debts[key] <= snapshot.begun_ms - self._late_ms for key in owed)

    @property
    def indebted(self) -> bool:
        return bool(self._debts)

    def _owed(self, snapshot: VenueSnapshot) -> list[tuple[str, Hashable]]:
        owed: list[tuple[str, Hashable]] = []
        shown = set()
        for report in snapshot.orders:
            key = report.symbol, report.client_order_id
            shown.add(key)
            seen = self._open.get(key) or self._ended.get(key)
            behind = seen is None or seen.rank < _RANK.get(report.status, _ENDED) or seen.filled_qty < report.filled_qty
            if behind and report.symbol in self._symbols:
                owed.append(key)
        for key, seen in self._open.items():
            gone = seen.heard_ms < snapshot.begun_ms and key not in shown
            if gone and key[0] in self._symbols and snapshot.covers(key[0]):
                owed.append(key)
        held = {position.symbol: position.qty for position in snapshot.positions}
        for symbol in self._symbols:
            if snapshot.covers(symbol):
                position, heard_ms = self._positions.get(symbol, (Position(symbol), 0))
                if position.qty != held.get(symbol, ZERO) and heard_ms < snapshot.begun_ms - self._late_ms:
                    owed.append((symbol, None))
        return owed
