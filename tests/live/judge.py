"""Judges a live run by the exchange's own truth: its orders, its executions, its events.

What must hold whatever went wrong: no order twice, none forgotten, no orphan after the end, no naked position beyond
what was allowed, keys nowhere.  Each finding is a sentence; a clean run has none.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from runner.domain.commands import PlaceOrder
from runner.engine.ids import order_key
from runner.errors import JournalError
from runner.journal.store import JournalReader
from tests.live.stage import Trader

ZERO = Decimal(0)
_OVER = ("CANCELED", "EXPIRED", "EXPIRED_IN_MATCH", "REJECTED", "FILLED", "FINISHED")
_STOPS = ("STOP", "STOP_MARKET")


@dataclass(frozen=True, slots=True)
class Held:
    """One order as the exchange has it.  `number` is `A<algoId>` for a conditional order; `behind` the number of the
    conditional order whose trigger placed this one; `closes`: it is for the whole position, however large."""

    client_id: str
    number: str
    symbol: str
    side: str
    kind: str
    status: str
    qty: Decimal
    filled: Decimal
    reduces: bool
    price: str
    trigger: str
    behind: str = ""
    closes: bool = False

    @property
    def live(self) -> bool:
        return self.status not in _OVER

    @property
    def ours(self) -> bool:
        return order_key(self.client_id) is not None


@dataclass(slots=True)
class Uncovered:
    """A time in which the position was larger than the stops and closes that worked for it."""

    from_ms: int
    until_ms: int
    qty: Decimal

    @property
    def ms(self) -> int:
        return self.until_ms - self.from_ms


@dataclass(slots=True)
class Truth:
    """All that the exchange knows of an account on some symbols."""

    held: list[Held]
    position: dict[str, Decimal]
    events: list[dict[str, Any]]

    @property
    def live(self) -> list[Held]:
        return [order for order in self.held if order.live]

    def ours(self) -> list[Held]:
        return [order for order in self.held if order.ours]

    def filled(self, *, reduces: bool) -> Decimal:
        """What our orders have executed: those that open, or those that close."""
        fills = (order.filled for order in self.ours() if order.reduces is reduces and not order.number.startswith("A"))
        return sum(fills, ZERO)

    def by_others(self, *, reduces: bool) -> Decimal:
        """What the owner's hand, or the exchange, has opened or closed."""
        fills = (order.filled for order in self.held if not order.ours and order.reduces is reduces)
        return sum(fills, ZERO)


def truth(trader: Trader, symbols: Sequence[str] = ("BTCUSDT",)) -> Truth:
    held: list[Held] = []
    for symbol in symbols:
        rows = trader.orders(symbol)
        held += list(_read(rows))
    position = {symbol: Decimal(trader.held(symbol)) for symbol in symbols}
    return Truth(held, position, trader.events())


def _read(rows: dict[str, list[dict[str, Any]]]) -> Iterator[Held]:
    behind: dict[str, str] = {}
    for row in rows["conditionals"]:
        number = f"A{row['algoId']}"
        if row["actualOrderId"]:
            behind[str(row["actualOrderId"])] = number
        yield Held(
            row["clientAlgoId"], number, row["symbol"], row["side"], row["orderType"], row["algoStatus"],
            Decimal(row["quantity"]), Decimal(row["actualQty"] or 0), row["reduceOnly"], row["price"],
            row["triggerPrice"], closes=row["closePosition"],
        )
    for row in rows["orders"]:
        number = str(row["orderId"])
        yield Held(
            row["clientOrderId"], number, row["symbol"], row["side"], row["type"], row["status"],
            Decimal(row["origQty"]), Decimal(row["executedQty"]), row["reduceOnly"], row["price"], "",
            behind.get(number, ""),
        )


@dataclass(slots=True)
class Verdict:
    """`findings` are what must not be; `uncovered` the times without protection, for the test to judge."""

    findings: list[str] = field(default_factory=list)
    uncovered: list[Uncovered] = field(default_factory=list)

    @property
    def longest_ms(self) -> int:
        return max((span.ms for span in self.uncovered), default=0)


def judge(trader: Trader, symbols: Sequence[str] = ("BTCUSDT",), *, over: bool = True) -> Verdict:
    """The verdict on all that the trader's runs have done.  `over`: the run has ended with nothing left to do."""
    known = truth(trader, symbols)
    verdict = Verdict()
    say = verdict.findings.append
    for sentence in (*_twice(known), *_forgotten(trader, known), *_flipped(known), *_keys(trader)):
        say(sentence)
    if over:
        for order in known.live:
            if order.ours:
                say(f"orphan: {order.client_id} {order.kind} {order.side} {order.qty} is {order.status} after the end")
        for symbol, qty in known.position.items():
            if qty:
                say(f"left: {qty} {symbol} after the end")
        opened = known.filled(reduces=False) + known.by_others(reduces=False)
        closed = known.filled(reduces=True) + known.by_others(reduces=True)
        if opened != closed and not any(known.position.values()):
            say(f"executed: opened {opened}, closed {closed}")
    verdict.uncovered = list(uncovered(known.events))
    return verdict


# --- no order twice

def _twice(known: Truth) -> Iterator[str]:
    """Per client id, and per node and revision: a second attempt is only for a revision that was refused for good."""
    placed = [order for order in known.ours() if not order.behind]
    for client_id, times in Counter(order.client_id for order in placed).items():
        if times > 1:
            yield f"twice: {client_id} stands {times} times on the exchange"
    revisions: dict[tuple[object, ...], list[Held]] = defaultdict(list)
    for order in placed:
        key = order_key(order.client_id)
        assert key is not None
        revisions[key[:4]].append(order)
    for key, orders in revisions.items():
        if len(orders) > 1:
            yield f"twice: node {key[1]} revision {key[3]} was accepted as {[order.client_id for order in orders]}"


def _flipped(known: Truth) -> Iterator[str]:
    """An exit that opens, or a position on the other side than the openers'."""
    sides = {order.side for order in known.ours() if not order.reduces and order.filled}
    for symbol, qty in known.position.items():
        if (sides == {"BUY"} and qty < 0) or (sides == {"SELL"} and qty > 0):
            yield f"flipped: {qty} {symbol}"


# --- none forgotten

def _forgotten(trader: Trader, known: Truth) -> Iterator[str]:
    """What the exchange holds of ours stands in the journal, and the journal is that of one run after another."""
    journaled: set[str] = set()
    for path in trader.journals():
        for value in journal(path):
            if isinstance(value, PlaceOrder):
                journaled.add(value.request.client_order_id)
    for order in known.ours():
        if order.client_id not in journaled:
            yield f"forgotten: {order.client_id} is on the exchange and in no journal"


def journal(path: Path) -> list[Any]:
    """Every event and command of a run, in order; none where the process died while it made the file."""
    try:
        with closing(JournalReader(path)) as reader:
            return [entry.value for entry in reader.entries()]
    except JournalError as error:
        if "is not a journal" not in error.message:
            raise
        return []


# --- no naked position

def uncovered(events: Sequence[dict[str, Any]]) -> Iterator[Uncovered]:
    """The times in which the absolute position exceeds the working stops on it, by the exchange's own clock.

    A stop counts from its acceptance until it is over, the order of its trigger included.  What is still uncovered
    after the last event counts up to that event.
    """
    position: dict[str, Decimal] = defaultdict(Decimal)
    stops: dict[str, dict[str, tuple[str, Decimal]]] = defaultdict(dict)
    open_since: dict[str, Uncovered] = {}
    at_ms = 0
    for event in events:
        at_ms = event.get("T", at_ms)
        touched = set(_take(event, position, stops))
        for symbol in touched:
            naked = _naked(position[symbol], stops[symbol].values())
            span = open_since.get(symbol)
            if span is not None and naked <= ZERO:
                span.until_ms = at_ms
                del open_since[symbol]
                if span.ms:
                    yield span
            elif span is None and naked > ZERO:
                open_since[symbol] = Uncovered(at_ms, at_ms, naked)
            elif span is not None:
                span.qty = max(span.qty, naked)
    for span in open_since.values():
        span.until_ms = at_ms
        yield span


def _take(
    event: dict[str, Any], position: dict[str, Decimal], stops: dict[str, dict[str, tuple[str, Decimal]]],
) -> Iterator[str]:
    match event["e"]:
        case "ACCOUNT_UPDATE":
            for row in event["a"]["P"]:
                position[row["s"]] = Decimal(row["pa"])
                yield row["s"]
        case "ALGO_UPDATE":
            order = event["o"]
            if order["o"] in _STOPS and order["R"]:
                working = order["X"] not in _OVER
                everything = Decimal("Infinity") if order["cp"] else Decimal(order["q"])
                if working:
                    stops[order["s"]][order["caid"]] = (order["S"], everything)
                else:
                    stops[order["s"]].pop(order["caid"], None)
                yield order["s"]


def _naked(position: Decimal, stops: Any) -> Decimal:
    side = "SELL" if position > 0 else "BUY"
    return abs(position) - sum((qty for each, qty in stops if each == side), ZERO)


# --- keys nowhere

def _keys(trader: Trader) -> Iterator[str]:
    """In no output, no process list, and no file that the runs have left, in whole or by their first half."""
    words = [word for secret in (trader.key, trader.secret) for word in (secret.encode(), secret.encode()[:24])]
    for running in trader.running:
        if any(word in running.cmdline.encode() for word in words):
            yield f"key: in the process list, {running.cmdline[:40]}…"
    for path in {*trader.folder.rglob("*"), *trader.home.rglob("*")}:
        if path.is_file() and any(word in path.read_bytes() for word in words):
            yield f"key: in {path.name}"
