"""One process's share of a live run: connected, it takes every fact to the machine until the run ends or is left."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

from runner.app.executor import Executor, World
from runner.app.live.clock import LiveClock
from runner.app.live.control import StopRequests
from runner.app.live.executions import Executions
from runner.app.live.options import LiveOptions
from runner.app.live.outbox import LiveOutbox
from runner.app.live.telling import Entry
from runner.app.live.wiring import LiveExchange, live_exchange
from runner.domain.account import AccountFacts
from runner.domain.commands import CancelOrder, Command, PlaceOrder, QueryOrder, RunEnded, SetTimer, WatchPrice
from runner.domain.events import Action, CommandRejected, Event, StopRequested, StreamGap, TimerFired
from runner.domain.orders import OrderStatus
from runner.domain.reports import OrderReport, TradeReport
from runner.domain.snapshots import VenueSnapshot
from runner.engine.machine import Machine
from runner.errors import InternalError, LockedElsewhere
from runner.journal.store import JournalWriter

_CLOSING_S = 5
_HELD = frozenset(OrderStatus) - {OrderStatus.PENDING_NEW, OrderStatus.UNKNOWN, OrderStatus.REJECTED}
_TRADES_S = 2.0
_REST_S = 15.0
"""How long exits are still brought to where they should be once nothing can be kept any more."""
_LOOK_S = 0.2
"""Between two looks for a request of another process, which is to be seen within 250 ms."""


class Connection(NamedTuple):
    """An exchange whose events are followed; `snapshot` is what it held when they began."""

    exchange: LiveExchange
    account: AccountFacts
    snapshot: VenueSnapshot


class Opening(NamedTuple):
    """What the session begins with: timers and watches that are set, and events."""

    events: tuple[Event, ...]
    timers: Mapping[str, int] = {}
    watches: Iterable[WatchPrice] = ()


@asynccontextmanager
async def connect(live: LiveOptions, symbols: Iterable[str], run_id: str = "") -> AsyncIterator[Connection]:
    """Be connected for a while.

    Raises:
        EnvironmentFault: the exchange cannot be reached, or does not take the key; nothing was sent.
    """
    symbols = tuple(symbols)
    exchange = live_exchange(live, symbols, run_id)
    try:
        snapshot = await exchange.open()
        yield Connection(exchange, await exchange.account(symbols), snapshot)
    finally:
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSING_S):
                await exchange.close()


class Session:
    """Drives a machine; made and used in the event loop.

    `tell` is given what was kept, `executions` has seen what came before.  `legs` is how many legs the run waits to be
    accepted before it may end with its orders left as they are, None where it goes on to its own end.
    """

    def __init__(
        self, machine: Machine, exchange: LiveExchange, journal: JournalWriter, tell: Callable[[list[Entry]], None],
        requests: StopRequests, executions: Executions, legs: int | None,
    ) -> None:
        self._machine = machine
        self._exchange = exchange
        self._clock = LiveClock(exchange.now_ms, exchange.post, self._overslept)
        world = World(exchange, self._clock, exchange, frozenset())
        self._outbox = LiveOutbox(world, journal, tell, self._break, self._unsent)
        self._executor = Executor(machine, self._clock, self._outbox)
        self._requests = requests
        self._executions = executions
        self._acceptance = _Acceptance(legs)
        self._accepted = False
        self._trusted_ms = 0
        self._behind = False
        self._attended: tuple[str, ...] = ()
        self._leaving = asyncio.Event()
        self._broken: Exception | None = None

    @property
    def sent(self) -> bool:
        """Whether any placement went out."""
        return self._outbox.sent

    @property
    def ended(self) -> bool:
        """Whether the run has come to its end, and was not left before."""
        return self._machine.ended or self._accepted

    def ask_to_stop(self, *, flatten: bool = False) -> None:
        self._exchange.post(StopRequested(self._exchange.now_ms(), flatten))

    def leave(self) -> None:
        """Go at once, with everything on the exchange left as it is."""
        self._outbox.halt()
        self._leaving.set()

    async def conduct(self, opening: Opening) -> None:
        """From the opening to the end of the run, or until it is left.

        Raises:
            EnvironmentFault, LockedElsewhere, JournalError: the journal takes nothing any more, or the exchange is gone
                for good.
            InternalError: a bug.
        """
        following = asyncio.create_task(self._follow(opening))
        tasks = {following, asyncio.create_task(self._leaving.wait()), asyncio.create_task(self._look_for_requests())}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._outbox.halt()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._clock.close()
            self._outbox.close()
            await asyncio.sleep(0)  # what was just kept is told
        if self._broken is not None:
            raise self._broken
        for task in tasks:
            if not task.cancelled():
                task.result()

    async def _follow(self, opening: Opening) -> None:
        for timer_id, at_ms in opening.timers.items():
            self._clock.schedule(SetTimer(timer_id, at_ms))
        for watch in opening.watches:
            self._exchange.watch(watch)
        for event in opening.events:
            self._take(event)
        self._clock.release()
        events = self._exchange.events()
        while not self._over():
            try:
                event = await anext(events)
            except StopAsyncIteration:
                raise InternalError("the exchange's events ended before the run did") from None
            if self._is_news(event) and self._take(event):
                # The queue gives the rest of a burst without a pause: the task that sends a cancel, and the one that
                # writes it to the socket, go first.
                await asyncio.sleep(0)
                await asyncio.sleep(0)
            if isinstance(event, VenueSnapshot) and not event.symbols and event.begun_ms >= self._trusted_ms:
                self._clock.release()
        if self._machine.ended:
            await self._read_on()
        await self._outbox.settle()

    async def _read_on(self) -> None:
        """The run is over; what is known of its last executions in figures alone may still get its prices and fees.

        They are told of, and are nothing to the machine any more.  First they are waited for, then asked for.
        """
        for patience_s in (_TRADES_S / 4, _TRADES_S):
            with suppress(TimeoutError):
                async with asyncio.timeout(patience_s):
                    events = self._exchange.events()
                    while any(self._executions.unpriced()):
                        event = await anext(events)
                        if isinstance(event, OrderReport | TradeReport):
                            self._executions.see(event)
                            self._outbox.note(self._exchange.now_ms(), event)
            for symbol, client_id in self._executions.unpriced():
                self._exchange.submit(QueryOrder(symbol, client_id))

    def _is_news(self, event: Event) -> bool:
        match event:
            case TimerFired():
                return self._clock.stands(event)
            case StreamGap():
                self._behind = True
                return True
            case VenueSnapshot(symbols=()) if self._behind:  # people wait to hear that it is over
                self._behind = False
                return True
            case VenueSnapshot():
                return not self._machine.agrees(event)
            case _:
                return True

    def _take(self, event: Event) -> bool:
        """Whether a cancel went out for it."""
        commands = self._executor.take(event)
        for value in (event, *commands):
            self._executions.see(value)
            self._acceptance.see(value)
        symbols = self._machine.live_symbols()
        if symbols != self._attended:
            self._attended = symbols
            self._exchange.attend(symbols)
        return any(isinstance(command, CancelOrder) for command in commands)

    def _over(self) -> bool:
        if not self._machine.ended and self._acceptance.complete:
            self._accepted = True
            self._outbox.note(self._exchange.now_ms(), RunEnded("succeeded", "accepted"))
        return self.ended

    def _overslept(self) -> None:
        """What happened meanwhile is read before anything that was due meanwhile is done."""
        self._trusted_ms = self._exchange.now_ms()
        self._exchange.distrust()

    def _break(self, error: Exception) -> None:
        """The journal takes nothing any more: come to rest, with what is open protected, and end; at once where another
        process has the run now."""
        self._broken = error
        if isinstance(error, LockedElsewhere):
            self._leaving.set()
        else:
            self.ask_to_stop()
            asyncio.get_running_loop().call_later(_REST_S, self._leaving.set)

    def _unsent(self, command: PlaceOrder, why: str) -> None:
        request = command.request
        self._exchange.post(CommandRejected(
            self._exchange.now_ms(), request.symbol, request.client_order_id, Action.PLACE, 0,
            f"not sent, since {why}", passing=True,
        ))

    async def _look_for_requests(self) -> None:
        while True:
            flatten = self._requests.take()
            if flatten is not None:
                self.ask_to_stop(flatten=flatten)
            await asyncio.sleep(_LOOK_S)


class _Acceptance:
    """Which legs the exchange has accepted, of as many as are waited for."""

    def __init__(self, legs: int | None) -> None:
        self._legs = legs
        self._placed: dict[str, str] = {}
        self._accepted: set[str] = set()

    @property
    def complete(self) -> bool:
        return self._legs is not None and len(self._accepted) >= self._legs

    def see(self, value: Event | Command) -> None:
        match value:
            case PlaceOrder(request=request, node_id=node_id):
                self._placed[request.client_order_id] = node_id
            case OrderReport(client_order_id=client_id, status=status):
                if client_id in self._placed and status in _HELD:
                    self._accepted.add(self._placed[client_id])
            case VenueSnapshot(orders=orders):
                for order in orders:
                    self.see(order)
            case _:
                pass
