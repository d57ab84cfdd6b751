"""A machine with a person at the other end: every answer of the exchange is given by hand, in the order a test wants.

`Paper.said` returns what the machine has sent since it was last asked, a line an order:

    place long.stop_loss#0 STOP_MARKET SELL 0.004 @59000 reduce-only
    cancel long.stop_loss#0
"""

from decimal import Decimal

from runner.domain.catalog import shipped_instruments
from runner.domain.commands import (
    CancelOrder,
    CancelTimer,
    Command,
    Observe,
    PlaceOrder,
    QueryOrder,
    ReadPosition,
    RunEnded,
    SetTimer,
    StepEnded,
    UnwatchPrice,
    WatchPrice,
)
from runner.domain.events import (
    Action,
    CommandRejected,
    CommandUnresolved,
    Event,
    Observed,
    OrderNotFound,
    PositionReport,
    RunStarted,
    TimerFired,
)
from runner.domain.orders import OrderRequest, OrderStatus
from runner.domain.positions import Position
from runner.domain.reports import OrderReport, TradeReport
from runner.domain.values import ZERO, trimmed
from runner.engine.machine import Machine
from runner.graph.compile import compile_plan
from runner.graph.model import ExecutionGraph
from runner.plan.load import load_plan

START_MS = 1_700_000_000_000


def graph_of(steps: str, head: str = "") -> ExecutionGraph:
    """The graph of a plan whose steps are `steps` (YAML, from the first dash)."""
    text = f"version: 1\nname: trace\ndefaults: {{symbol: BTCUSDT}}\n{head}\nsteps:\n{steps}\n"
    plan = load_plan("trace.yaml", text.encode())
    return compile_plan(plan, shipped_instruments()).graph


class Paper:
    """A run of one plan; prices are observed at `price` until a test changes it."""

    def __init__(self, steps: str, head: str = "", *, price: str = "60000", positions: dict[str, str] | None = None):
        self.graph = graph_of(steps, head)
        self.machine = Machine(self.graph)
        self.now_ms = START_MS
        self.price = Decimal(price)
        self.wallet = Decimal(10_000)
        self.sent: dict[str, OrderRequest] = {}
        self.names: dict[str, str] = {}
        self.filled: dict[str, Decimal] = {}
        self.told: dict[str, OrderStatus] = {}
        self.timers: dict[str, int] = {}
        self.watches: dict[str, WatchPrice] = {}
        self.commands: list[Command] = []
        self.lines: list[str] = []
        self.trade_ids = 0
        held = tuple(Position(s, Decimal(q), self.price) for s, q in (positions or {}).items())
        self.give(RunStarted(START_MS, "d0123456789", 7, held))

    # ---- what the machine said

    def said(self) -> list[str]:
        lines, self.lines = self.lines, []
        return lines

    def give(self, event: Event) -> None:
        for command in self.machine.advance(event):
            self._take(command)

    def ends(self) -> dict[str, str]:
        """Step id to outcome, with the reason where there is one."""
        found = [command for command in self.commands if isinstance(command, StepEnded)]
        return {one.step_id: one.outcome + (f" {one.reason}" if one.reason else "") for one in found}

    def verdict(self) -> str | None:
        return next((one.outcome for one in self.commands if isinstance(one, RunEnded)), None)

    def _take(self, command: Command) -> None:
        self.commands.append(command)
        match command:
            case PlaceOrder(request=request):
                name = f"{command.node_id}#{command.revision}"
                twice = request.client_order_id in self.sent
                self.sent[request.client_order_id] = request
                self.names[name] = request.client_order_id
                prices = [f"@{trimmed(p)}" for p in (request.trigger_price, request.price) if p is not None]
                words = [
                    "again" if twice else "place", name, request.order_type, request.side, trimmed(request.quantity),
                    *prices,
                    *(["close-position"] if request.close_position else ["reduce-only"] if request.reduce_only else []),
                ]
                self.lines.append(" ".join(words))
            case CancelOrder():
                self.lines.append(f"cancel {self._name(command.client_order_id)}")
            case QueryOrder():
                self.lines.append(f"query {self._name(command.client_order_id)}")
            case ReadPosition(symbol):
                self.lines.append(f"read {symbol}")
            case Observe(symbol):
                self.observe(symbol)
            case SetTimer(timer_id, at_ms):
                self.timers[timer_id] = at_ms
            case CancelTimer(timer_id):
                self.timers.pop(timer_id, None)
            case WatchPrice(watch_id=watch_id):
                self.watches[watch_id] = command
            case UnwatchPrice(watch_id):
                self.watches.pop(watch_id, None)

    def _name(self, client_id: str) -> str:
        return next(name for name, one in self.names.items() if one == client_id)

    # ---- what the exchange says

    def observe(self, symbol: str = "BTCUSDT") -> None:
        self.give(Observed(
            self.now_ms, symbol, self.price, self.price, self.price, self.price, self.wallet, ZERO, Decimal("0.0005"),
        ))

    def report(
        self, name: str, status: OrderStatus, *, filled: str | None = None, px: str | None = None, reason: str = "",
    ) -> None:
        client_id = self.names[name]
        self.told[name] = status
        qty = self.filled.get(client_id, ZERO) if filled is None else Decimal(filled)
        self.filled[client_id] = max(qty, self.filled.get(client_id, ZERO))
        self.give(OrderReport(
            self.now_ms, self.sent[client_id].symbol, client_id, f"X-{name}", status, qty,
            Decimal(px) if px else None, self.price, reason,
        ))

    def accept(self, *names: str) -> None:
        for name in names:
            self.report(name, OrderStatus.NEW)

    def fill(self, name: str, qty: str, px: str = "60000", *, wait_ms: int = 10) -> None:
        """A further fill of `qty`, told by its trade and then by the order's report."""
        self.now_ms += wait_ms
        client_id = self.names[name]
        request = self.sent[client_id]
        self.trade_ids += 1
        amount, price = Decimal(qty), Decimal(px)
        total = self.filled.get(client_id, ZERO) + amount
        assert total <= request.quantity
        self.give(TradeReport(
            self.now_ms, request.symbol, client_id, f"X-{name}", str(self.trade_ids), request.side, amount, price,
            price * amount * Decimal("0.0005"), "USDT", ZERO, False,
        ))
        done = total == request.quantity
        self.report(name, OrderStatus.FILLED if done else OrderStatus.PARTIALLY_FILLED, filled=str(total), px=px)

    def trigger(self, name: str) -> None:
        self.report(name, OrderStatus.TRIGGERED)

    def cancelled(self, *names: str) -> None:
        for name in names:
            self.report(name, OrderStatus.CANCELED)

    def reject(self, name: str, code: int, action: Action = Action.PLACE) -> None:
        client_id = self.names[name]
        request = self.sent[client_id]
        self.give(CommandRejected(self.now_ms, request.symbol, client_id, action, code, f"refused {code}"))

    def lose(self, name: str, action: Action = Action.PLACE) -> None:
        """No clear answer; the exchange can accept the request for five more seconds."""
        client_id = self.names[name]
        self.give(CommandUnresolved(self.now_ms, self.sent[client_id].symbol, client_id, action, self.now_ms + 5_000))

    def not_found(self, name: str) -> None:
        client_id = self.names[name]
        self.give(OrderNotFound(self.now_ms, self.sent[client_id].symbol, client_id))

    def position(self, qty: str, symbol: str = "BTCUSDT") -> None:
        """A read; the orders that are looked up because of it stand as they were last told to."""
        before = len(self.lines)
        self.give(PositionReport(self.now_ms, symbol, Decimal(qty), self.now_ms))
        asked = [line for line in self.lines[before:] if line.startswith("query ")]
        self.lines[before:] = [line for line in self.lines[before:] if line not in asked]
        for line in asked:
            name = line.split()[1]
            self.report(name, self.told[name])

    def fire(self, timer_id: str) -> None:
        """Let time pass up to a timer that is set, and fire it."""
        self.now_ms = max(self.now_ms, self.timers.pop(timer_id))
        self.give(TimerFired(self.now_ms, timer_id))
