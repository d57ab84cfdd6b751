"""A plan's text from one order typed on the command line, as a person would write it.  Pure: values in, text out."""

from dataclasses import dataclass, field
from decimal import Decimal

from runner.domain.values import Side, plain

SECOND_MS = 1_000


@dataclass(frozen=True, slots=True)
class Typed:
    """What every `order` command is given: the symbol, the side of the order, and its quantity in base units."""

    symbol: str
    side: Side
    qty: Decimal


@dataclass(frozen=True, slots=True)
class Single:
    """One order; `prices` are its price keys in the plan's words."""

    typed: Typed
    order_type: str
    prices: dict[str, Decimal] = field(default_factory=dict)
    time_in_force: str | None = None
    reduce_only: bool = False
    unprotected: bool = False

    @property
    def name(self) -> str:
        return {"MARKET": "market", "LIMIT": "limit", "STOP": "stop-limit"}[self.order_type]

    @property
    def step(self) -> list[str]:
        prices = "".join(f", {key}: {plain(price)}" for key, price in self.prices.items())
        kind = "exit" if self.reduce_only else "entry"
        typed = self.typed
        lines = [f"    {kind}: {{side: {typed.side}, type: {self.order_type}{prices}, quantity: {plain(typed.qty)}}}"]
        if self.time_in_force and not self.reduce_only:
            lines.append(f"    time_in_force: {self.time_in_force}")
        if self.unprotected and not self.reduce_only:
            lines.append("    unprotected: allow")
        return lines


@dataclass(frozen=True, slots=True)
class Exits:
    """A take-profit and a stop-loss; with `stop_limit` the stop is a stop-limit."""

    take_profit: Decimal | None
    stop: Decimal
    stop_limit: Decimal | None

    @property
    def lines(self) -> list[str]:
        limit = "" if self.stop_limit is None else f", limit_price: {plain(self.stop_limit)}"
        target = [] if self.take_profit is None else [f"      take_profit: {{price: {plain(self.take_profit)}}}"]
        return [*target, f"      stop_loss: {{stop_price: {plain(self.stop)}{limit}}}"]


@dataclass(frozen=True, slots=True)
class Oco:
    typed: Typed
    exits: Exits
    name: str = "oco"

    @property
    def step(self) -> list[str]:
        return ["    oco:", *_size(self.typed), *self.exits.lines]


@dataclass(frozen=True, slots=True)
class Bracket:
    """`price` is the limit of a LIMIT entry, None for MARKET."""

    typed: Typed
    price: Decimal | None
    exits: Exits
    name: str = "bracket"

    @property
    def step(self) -> list[str]:
        entry = "{type: MARKET}" if self.price is None else f"{{type: LIMIT, price: {plain(self.price)}}}"
        return ["    bracket:", *_size(self.typed), f"      entry: {entry}", *self.exits.lines]


@dataclass(frozen=True, slots=True)
class Twap:
    typed: Typed
    slices: int
    every_ms: int
    price: Decimal | None = None
    reduce_only: bool = False
    unprotected: bool = False
    name: str = "twap"

    @property
    def step(self) -> list[str]:
        seconds, rest = divmod(self.every_ms, SECOND_MS)
        every = f"{seconds}s" if seconds and not rest else f"{self.every_ms}ms"
        lines = ["    twap:", *_size(self.typed), f"      slices: {self.slices}", f"      every: {every}"]
        if self.price is not None:
            lines += ["      type: LIMIT", f"      price: {plain(self.price)}"]
        if self.reduce_only:
            lines.append("      reduce_only: true")
        if self.unprotected and not self.reduce_only:
            lines.append("    unprotected: allow")
        return lines


Order = Single | Oco | Bracket | Twap


def exits_only(order: Order) -> bool:
    """Whether the order closes what must be there already."""
    match order:
        case Oco():
            return True
        case Single() | Twap():
            return order.reduce_only
        case Bracket():
            return False


def plan_text(order: Order, held_at: Decimal | None, market: list[str] | None = None) -> str:
    """The plan that sends `order`.

    An order that only closes is given the position that it needs, entered at `held_at`; `market` are further lines of
    the `dryrun` block.
    """
    typed = order.typed
    lines = ["version: 1", f"name: order-{order.name}"]
    dryrun = list(market or [])
    if exits_only(order) and held_at is not None:
        held = typed.qty if typed.side is Side.SELL else -typed.qty
        dryrun += [
            "  positions:",
            f"    {typed.symbol}: {{quantity: {plain(held)}, entry_price: {plain(held_at)}}}",
        ]
    if dryrun:
        lines += ["dryrun:", *dryrun]
    lines += ["steps:", f"  - id: {order.name}", f"    symbol: {typed.symbol}", *order.step]
    return "\n".join(lines) + "\n"


def _size(typed: Typed) -> list[str]:
    return [f"      side: {typed.side}", f"      quantity: {plain(typed.qty)}"]
