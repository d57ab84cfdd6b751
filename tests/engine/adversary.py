"""A machine, an exchange that obeys its own rules and no other, and a network that does what it likes between them.

Every move is one thing that can happen in the world: a request reaches the exchange, an answer reaches us, an order
is triggered, filled or ended, time passes, a timer fires.  Moves take small integers for their choices, so that
whoever drives them (Hypothesis, a seeded loop) needs to know nothing of the state; a move that is not possible
returns False and changes nothing.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

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
    UnwatchPrice,
    WatchPrice,
)
from runner.domain.events import (
    Action,
    CommandRejected,
    CommandUnresolved,
    Event,
    Force,
    ForcedExecution,
    MarketGap,
    Observed,
    OrderNotFound,
    PositionReport,
    PriceTouched,
    RunStarted,
    StopRequested,
    TimerFired,
)
from runner.domain.orders import OrderRequest, OrderStatus
from runner.domain.pace import Pace
from runner.domain.positions import Position
from runner.domain.reports import OrderReport, TradeReport
from runner.domain.values import ZERO, Side
from runner.engine.machine import Machine
from runner.graph.model import ExecutionGraph
from tests.engine.counterparty import Counterparty, Held

START_MS = 1_700_000_000_000
RECV_WINDOW_MS = 5_000
RUN_ID = "d0123456789"
PACE = Pace()

SERVED, REFUSED, ANSWER_LOST, REQUEST_LOST, LATE, TWICE = range(6)
"""What becomes of a request: served and answered; refused; served, the answer lost; lost before it was served;
the answer lost while the request is still on its way; or, of a placement, served twice and answered by the second."""

OPENING_CODES = (-2019, -4045, -4164, -5022)
CONDITIONAL_CODES = (-2021, -4142, -4045)
WHOLE_CODES = (-4509, -4130, -2021, -4136)
REDUCING_CODES = (-2022, -4118, -4045, -1111, -4024)
EVERYTHING = Decimal(1_000_000)
Sent = PlaceOrder | CancelOrder | QueryOrder | ReadPosition | Observe


@dataclass(slots=True)
class Request:
    """A request on its way; `lost`: we have been told that its answer will not come, but it may still arrive.

    One that is older than its own time, and not lost, has waited to be sent until now.
    """

    command: Sent
    sent_ms: int
    lost: bool = False


@dataclass(slots=True)
class Told:
    """An order as far as the machine has been told of it; `reduced`: it is held to less than was asked for."""

    request: OrderRequest
    node_id: str
    revision: int
    confirmed: bool = False
    triggered: bool = False
    ended: bool = False
    refused: bool = False
    filled: Decimal = ZERO
    traded: Decimal = ZERO
    cancelling: bool = False
    querying: int = 0
    terms_ms: int = 0
    reduced: bool = False

    @property
    def leaves(self) -> Decimal:
        """What it covers: a stop of the whole position, however much there is."""
        if self.ended:
            return ZERO
        return EVERYTHING if self.request.close_position else self.request.quantity - self.filled

    def looked_up(self, timers: Collection[str]) -> bool:
        """Whether a query for it is on its way, or a timer for one is set."""
        return self.querying > 0 or f"lookup:{self.request.client_order_id}" in timers

    def held_to(self, quantity: Decimal, price: Decimal | None, at_ms: int) -> None:
        """The newest word on its terms is what counts."""
        if at_ms >= self.terms_ms:
            self.terms_ms = at_ms
            self.reduced = self.reduced or quantity < self.request.quantity
            self.request = self.request.but(quantity=quantity, price=price or self.request.price)

    def learn(self, filled: Decimal) -> None:
        self.filled = max(self.filled, filled)
        self.confirmed = self.confirmed or filled > ZERO
        self.triggered = self.triggered or (filled > ZERO and self.request.order_type.conditional)
        self.ended = self.ended or (self.filled >= self.request.quantity and not self.request.close_position)
        self.cancelling = self.cancelling and not self.ended


@dataclass(slots=True)
class World:
    """`check` is called after every fact that the machine has taken in; `beside` is what others have bought."""

    graph: ExecutionGraph
    positions: Mapping[str, Decimal]
    check: Callable[["World", Event, tuple[Command, ...]], None]
    prompt: bool = True
    machine: Machine = field(init=False)
    exchange: Counterparty = field(init=False)
    now_ms: int = START_MS
    transit: list[Request] = field(default_factory=list)
    outbox: list[Event] = field(default_factory=list)
    timers: dict[str, int] = field(default_factory=dict)
    watches: dict[str, WatchPrice] = field(default_factory=dict)
    told: dict[str, Told] = field(default_factory=dict)
    trades: set[str] = field(default_factory=set)
    history: list[tuple[Event, tuple[Command, ...]]] = field(default_factory=list)
    repeatable: list[Event] = field(default_factory=list)
    forgotten: set[str] = field(default_factory=set)
    bare_since_ms: dict[str, int] = field(default_factory=dict)
    ended_steps: set[str] = field(default_factory=set)
    written_off: bool = False
    forced: int = 0
    beside: dict[str, Decimal] = field(default_factory=dict)
    verdict: str = ""

    def __post_init__(self) -> None:
        self.machine = Machine(self.graph)
        self.exchange = Counterparty(self.positions)
        held = tuple(Position(symbol, qty, Decimal(60_000)) for symbol, qty in self.positions.items())
        self.give(RunStarted(START_MS, RUN_ID, 7, held, pace=PACE))

    # ---- between the machine and the world ------------------------------------------------------------------------

    def give(self, event: Event) -> None:
        """Let the machine take a fact in, send off what it says, and check everything."""
        self._note(event)
        commands = self.machine.advance(event)
        self.history.append((event, commands))
        for command in commands:
            self._send(command)
        self.check(self, event, commands)
        if self.prompt:
            for request in [one for one in self.transit if isinstance(one.command, Observe)]:
                self.transit.remove(request)
                self.give(self._observed(request.command.symbol))

    def _note(self, event: Event) -> None:
        """Keep what the machine has been told, in our own words."""
        told = self.told.get(getattr(event, "client_order_id", ""))
        if told is None:
            return
        match event:
            case OrderReport():
                told.confirmed = True
                told.querying = 0
                told.triggered = told.triggered or event.status is OrderStatus.TRIGGERED
                told.ended = told.ended or event.status.closed
                told.learn(event.filled_qty)
            case TradeReport() if event.trade_id not in self.trades:
                self.trades.add(event.trade_id)
                told.traded += event.qty
                told.learn(told.traded)
            case CommandRejected(action=Action.PLACE, code=code) if not told.confirmed and code != -4116:
                told.ended = told.refused = True
            case CommandRejected(action=Action.CANCEL) | CommandUnresolved(action=Action.CANCEL):
                told.cancelling = False
            case OrderNotFound():
                told.querying = 0
            case _:
                pass

    def _send(self, command: Command) -> None:
        match command:
            case PlaceOrder(request=request):
                client_id = request.client_order_id
                self.told.setdefault(client_id, Told(request, command.node_id, command.revision))
                self.transit.append(Request(command, self.now_ms))
            case CancelOrder():
                self.told[command.client_order_id].cancelling = True
                self.transit.append(Request(command, self.now_ms))
            case QueryOrder():
                self.told[command.client_order_id].querying += 1
                self.transit.append(Request(command, self.now_ms))
            case ReadPosition() | Observe():
                self.transit.append(Request(command, self.now_ms))
            case SetTimer(timer_id, at_ms):
                self.timers.pop(timer_id, None)
                self.timers[timer_id] = at_ms
            case CancelTimer(timer_id):
                self.timers.pop(timer_id, None)
            case WatchPrice(watch_id=watch_id):
                self.watches[watch_id] = command
            case UnwatchPrice(watch_id):
                self.watches.pop(watch_id, None)
            case RunEnded(outcome=outcome):
                assert not self.verdict
                self.verdict = outcome

    # ---- what is where --------------------------------------------------------------------------------------------

    def coming(self, client_id: str) -> list[Request]:
        """Placements of that id that may still arrive."""
        return [
            one for one in self.transit
            if isinstance(one.command, PlaceOrder) and one.command.request.client_order_id == client_id
        ]

    def may_execute(self, client_id: str) -> bool:
        """Whether the exchange holds the order, or may come to hold it."""
        held = self.exchange.orders.get(client_id)
        return (held is not None and held.live) or bool(self.coming(client_id))

    def orders(self, wanted: Callable[[Held], bool]) -> list[Held]:
        return [one for one in self.exchange.orders.values() if wanted(one)]

    def in_flight(self, told: Told) -> bool:
        """Sent, and without an answer that the machine has got."""
        return not told.confirmed and not told.ended

    # ---- moves: requests ------------------------------------------------------------------------------------------

    def reach(self, pick: int, fate: int = SERVED, code: int = 0) -> bool:
        """A request comes to its fate; `code` chooses among the refusals that fit it."""
        waiting = [one for one in self.transit if not one.lost]
        return bool(waiting) and self._reach(waiting[pick % len(waiting)], fate, code)

    def arrive_late(self, pick: int) -> bool:
        """A request whose answer was given up on reaches the exchange after all."""
        late = [one for one in self.transit if one.lost]
        return bool(late) and self._reach(late[pick % len(late)], SERVED, 0)

    def _reach(self, request: Request, fate: int, code: int) -> bool:
        self.transit.remove(request)
        match request.command:
            case PlaceOrder():
                self._reach_place(request, request.command.request, fate, code)
            case CancelOrder():
                self._reach_cancel(request, request.command, fate)
            case QueryOrder():
                self._reach_query(request, request.command, fate)
            case ReadPosition(symbol):
                self.outbox.append(PositionReport(
                    self.now_ms, symbol, self.exchange.positions.get(symbol, ZERO), request.sent_ms,
                ))
            case Observe(symbol):
                self.outbox.append(self._observed(symbol))
        return True

    def _reach_place(self, request: Request, order: OrderRequest, fate: int, code: int) -> None:
        if fate == TWICE and not request.lost:
            self._take_on(order, told=False)
            self._take_on(order, told=True)
            return
        if fate >= ANSWER_LOST and not request.lost:
            self._lose(request, order.symbol, order.client_order_id, Action.PLACE)
            request.lost = True
            if fate == LATE:
                self.transit.append(request)
            elif fate == ANSWER_LOST:
                self._take_on(order, told=False)
            return
        if fate == REFUSED:
            known = self.exchange.orders.get(order.client_order_id)
            if known is None and not request.lost:
                self._reject(order.symbol, order.client_order_id, Action.PLACE, _code(order, code))
                return
        self._take_on(order, told=not request.lost)

    def _take_on(self, order: OrderRequest, *, told: bool) -> None:
        refusal = self.exchange.accept(order)
        if refusal is not None:
            if told:
                self._reject(order.symbol, order.client_order_id, Action.PLACE, refusal)
            return
        if told:
            self._report(self.exchange.orders[order.client_order_id])

    def _reach_cancel(self, request: Request, cancel: CancelOrder, fate: int) -> None:
        fate = SERVED if fate == TWICE else fate
        if fate == REFUSED and self.may_execute(cancel.client_order_id):
            self._reject(cancel.symbol, cancel.client_order_id, Action.CANCEL, -4117)
            return
        if fate >= ANSWER_LOST and not request.lost:
            self._lose(request, cancel.symbol, cancel.client_order_id, Action.CANCEL)
            request.lost = True
            if fate == LATE:
                self.transit.append(request)
                return
            if fate == REQUEST_LOST:
                return
        refusal = self.exchange.cancel(cancel.client_order_id, cancel.conditional)
        if refusal is None:
            self._report(self.exchange.orders[cancel.client_order_id])
        elif not request.lost:
            self._reject(cancel.symbol, cancel.client_order_id, Action.CANCEL, refusal)

    def _reach_query(self, request: Request, query: QueryOrder, fate: int) -> None:
        if fate == REFUSED:
            self._reject(query.symbol, query.client_order_id, Action.QUERY, -1003)
        elif ANSWER_LOST <= fate <= LATE:
            self._lose(request, query.symbol, query.client_order_id, Action.QUERY)
        else:
            held = self.exchange.orders.get(query.client_order_id)
            if held is None or query.client_order_id in self.forgotten:
                self.outbox.append(OrderNotFound(self.now_ms, query.symbol, query.client_order_id))
            else:
                self._report(held)

    def _lose(self, request: Request, symbol: str, client_id: str, action: Action) -> None:
        if self.now_ms >= request.sent_ms + RECV_WINDOW_MS:
            request.sent_ms = self.now_ms
        self.outbox.append(CommandUnresolved(
            self.now_ms, symbol, client_id, action, request.sent_ms + RECV_WINDOW_MS,
        ))

    def _reject(self, symbol: str, client_id: str, action: Action, code: int) -> None:
        self.outbox.append(CommandRejected(self.now_ms, symbol, client_id, action, code, f"refused {code}"))

    def _report(self, held: Held, *, priced: bool = True, marked: bool = True, reason: str = "") -> None:
        self.outbox.append(OrderReport(
            self.now_ms, held.request.symbol, held.request.client_order_id, held.order_id, held.status, held.filled,
            held.avg_px if priced else None, Decimal(60_000) if marked else None, reason,
        ))

    def _report_lapsed(self) -> None:
        while self.exchange.lapsed:
            self._report(self.exchange.lapsed.pop(), reason="6")

    def _push_position(self, symbol: str) -> None:
        self.outbox.append(PositionReport(self.now_ms, symbol, self.exchange.positions.get(symbol, ZERO)))

    def _observed(self, symbol: str) -> Observed:
        price = Decimal(60_000)
        return Observed(self.now_ms, symbol, price, price, price, price, Decimal(10_000), ZERO, Decimal("0.0005"))

    # ---- moves: answers -------------------------------------------------------------------------------------------

    def deliver(self, pick: int) -> bool:
        """One of the facts on their way reaches us."""
        if not self.outbox:
            return False
        event = self.outbox.pop(pick % len(self.outbox))
        match event:
            case OrderReport() | TradeReport() | ForcedExecution() | PositionReport(begun_ms=None):
                self.repeatable.append(event)
            case CommandRejected(action=Action.PLACE, code=code) if code != -4116:  # which only says: look it up
                self.repeatable.append(event)
        self.give(event)
        return True

    def redeliver(self, pick: int) -> bool:
        """A fact that we have already had comes once more."""
        if not self.repeatable:
            return False
        event = self.repeatable[pick % len(self.repeatable)]
        told = self.told.get(getattr(event, "client_order_id", ""))
        looked_up = told is not None and told.looked_up(self.timers)
        place = len(self.history)
        set_before = {SetTimer(timer_id, at_ms) for timer_id, at_ms in self.timers.items()}
        self.give(event)
        commands = self.history[place][1]
        if looked_up:  # it cannot be told from the answer to the query, and may repeat a cancel
            commands = tuple(one for one in commands if not isinstance(one, CancelOrder) and one not in set_before)
        assert not commands, f"{event}, which we had already, brings {commands}"
        return True

    # ---- moves: the market ----------------------------------------------------------------------------------------

    def trigger(self, pick: int) -> bool:
        waiting = self.orders(lambda one: one.waiting)
        if not waiting:
            return False
        order = waiting[pick % len(waiting)]
        self.exchange.trigger(order)
        self._report(order)
        return True

    def execute(self, pick: int, tenths: int = 10, told: int = 3) -> bool:
        """An order is filled, in part or wholly.  `told` bits: 1 the report knows its price, 2 the mark, 4 the
        position is pushed as well."""
        ready = self.orders(lambda one: one.executable)
        if not ready:
            return False
        order = ready[pick % len(ready)]
        steps = int(order.leaves * 1_000)
        part = max(steps * max(tenths, 1) // 10, 1)
        done = self.exchange.execute(order, Decimal(part) / 1_000)
        if done is not None:
            self.outbox.append(TradeReport(
                self.now_ms, order.request.symbol, order.request.client_order_id, order.order_id, done.trade_id,
                done.side, done.qty, done.price, ZERO, "USDT", ZERO, False,
            ))
        self._report(order, priced=bool(told & 1), marked=bool(told & 2))
        self._report_lapsed()
        if told & 4:
            self._push_position(order.request.symbol)
        return True

    def end_unasked(self, pick: int, expired: bool) -> bool:
        """The exchange ends an order that nobody asked it to end."""
        live = self.orders(lambda one: one.live)
        if not live:
            return False
        order = live[pick % len(live)]
        self.exchange.end(order, OrderStatus.EXPIRED if expired else OrderStatus.CANCELED)
        self._report(order, reason="5")
        return True

    def forget(self, pick: int) -> bool:
        """The exchange no longer knows an order that ended without a fill."""
        ended = self.orders(lambda one: not one.live and one.filled == ZERO)
        if not ended:
            return False
        self.forgotten.add(ended[pick % len(ended)].request.client_order_id)
        return True

    def close_by_hand(self, pick: int, tenths: int) -> bool:
        held = sorted(symbol for symbol, qty in self.exchange.positions.items() if qty)
        if not held:
            return False
        symbol = held[pick % len(held)]
        steps = int(abs(self.exchange.positions[symbol]) * 1_000) * max(tenths, 1) // 10
        self.exchange.close_by_hand(symbol, Decimal(max(steps, 1)) / 1_000)
        self._report_lapsed()
        self._push_position(symbol)
        return True

    def force(self, pick: int, tenths: int) -> bool:
        """The exchange closes a position by an order of its own; a liquidation ends our orders of the symbol first."""
        held = sorted(symbol for symbol, qty in self.exchange.positions.items() if qty)
        if not held:
            return False
        symbol = held[pick % len(held)]
        before = self.exchange.positions[symbol]
        steps = int(abs(before) * 1_000) * max(tenths, 1) // 10
        cause = Force.LIQUIDATED if tenths == 10 else Force.DELEVERAGED
        if cause is Force.LIQUIDATED:
            for order in self.orders(lambda one: one.live and one.request.symbol == symbol):
                self.exchange.end(order, OrderStatus.EXPIRED)
                self._report(order, reason="Liquidation")
        self.exchange.close_by_hand(symbol, Decimal(max(steps, 1)) / 1_000)
        self._report_lapsed()
        closed = abs(before - self.exchange.positions[symbol])
        self.forced += 1
        self.outbox.append(ForcedExecution(
            self.now_ms, symbol, cause, "forced", f"f{self.forced}", Side.SELL if before > ZERO else Side.BUY, closed,
            Decimal(57_000), ZERO, "USDT", ZERO,
        ))
        return True

    def touch(self, pick: int) -> bool:
        if not self.watches:
            return False
        watch_id = list(self.watches)[pick % len(self.watches)]
        self.give(PriceTouched(self.now_ms, watch_id, self.watches.pop(watch_id).price))
        return True

    def gap(self) -> bool:
        self.give(MarketGap(self.now_ms, "BTCUSDT"))
        return True

    def stop(self, *, flatten: bool) -> bool:
        self.give(StopRequested(self.now_ms, flatten))
        return True

    # ---- moves: time ----------------------------------------------------------------------------------------------

    def pass_time(self, ms: int) -> bool:
        """Time goes by, and no timer fires yet: they may be late, but come in order."""
        self.now_ms += ms
        self._expire()
        return True

    def fire(self) -> bool:
        """The timer that is due first fires."""
        if not self.timers:
            return False
        timer_id = min(self.timers, key=lambda one: self.timers[one])
        self.now_ms = max(self.now_ms, self.timers.pop(timer_id))
        self._expire()
        self.give(TimerFired(self.now_ms, timer_id))
        return True

    def _expire(self) -> None:
        """Requests with a timestamp are refused once they are older than recvWindow."""
        self.transit = [one for one in self.transit if not one.lost or self.now_ms < one.sent_ms + RECV_WINDOW_MS]

    # ---- the benign end -------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Every fact on its way arrives, and every request but those given up on is served."""
        for _ in range(400):
            if not (self.deliver(0) or self.reach(0)):
                return
        raise AssertionError(f"no rest after 400 moves: {self.outbox} {self.transit}")

    def drain(self, choices: Iterable[int]) -> None:
        """Whatever was left hanging comes to its end in a friendly world: the machine must end."""
        picks = iter(choices)
        for _ in range(1_500):
            self.settle()
            if self.machine.ended:
                return
            soon = any(at_ms <= self.now_ms + 6_000 for at_ms in self.timers.values())
            pick = next(picks, 0)
            if self.execute(pick) or (soon and self.fire()) or self.trigger(pick) or self.fire() or self.touch(pick):
                continue
            raise AssertionError("the machine waits for something that will never come")
        raise AssertionError(f"the machine does not end; timers {self.timers}")


def _code(order: OrderRequest, pick: int) -> int:
    """A code that the exchange has for such an order."""
    if order.close_position:
        return WHOLE_CODES[pick % len(WHOLE_CODES)]
    codes = (REDUCING_CODES if order.reduce_only else OPENING_CODES)
    if order.order_type.conditional:
        codes = CONDITIONAL_CODES + codes
    return codes[pick % len(codes)]


def commands_again(world: World) -> list[tuple[Command, ...]]:
    """What a fresh machine says to the same facts."""
    machine = Machine(world.graph)
    return [machine.advance(event.but()) for event, _ in world.history]
