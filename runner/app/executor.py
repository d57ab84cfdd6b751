"""The one loop: a fact comes from the gateway, the machine answers with intents; both are journaled and carried out.

What is to be sent is journaled before it is sent; only a cancel, which may be repeated without harm, goes out first.
"""

from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple, Protocol, TypeVar, assert_never

from runner.domain.commands import (
    CancelOrder,
    CancelTimer,
    Command,
    GroupProtected,
    Observe,
    OrderDenied,
    PlaceOrder,
    QueryOrder,
    ReadPosition,
    Remark,
    RunEnded,
    SetTimer,
    StepEnded,
    StepStarted,
    UnwatchPrice,
    WatchPrice,
)
from runner.domain.events import DataEnded, Event, Observed, RunStarted, StopRequested
from runner.engine.machine import Machine
from runner.errors import InternalError
from runner.ports import Clock, Gateway, Prices

T = TypeVar("T")


class World(NamedTuple):
    """Everything outside the machine.  `adopts`: the symbols whose position at the start the run may call its own."""

    gateway: Gateway
    clock: Clock
    prices: Prices
    adopts: frozenset[str]


class Recorder(Protocol):
    """Keeps the run's entries; whatever it is given is kept before it returns."""

    def record(self, at_ms: int, value: Event | Command) -> None: ...

    def exposed(self) -> tuple[str, ...]:
        """The symbols that the run holds a position on."""

    def enough(self) -> bool:
        """Whether the run may end here, with its orders left as they are."""


class Executor:
    """Drives one machine through one world."""

    def __init__(self, machine: Machine, world: World, recorder: Recorder, stop_wanted: Callable[[], bool]) -> None:
        self._machine = machine
        self._world = world
        self._recorder = recorder
        self._stop_wanted = stop_wanted
        self._stopping = False

    async def run(self, run_id: str, seed: int) -> None:
        """From the first event to the end of the run, of the data, or to the stop that someone asked for."""
        world = self._world
        snapshot = await world.gateway.open()
        try:
            own = tuple(position for position in snapshot.positions if position.symbol in world.adopts)
            self._take(RunStarted(world.clock.now_ms(), run_id, seed, own))
            if not self._machine.ended:
                await self._follow()
            await self._look_at_prices()
        finally:
            await world.gateway.close()

    async def _follow(self) -> None:
        async for event in self._world.gateway.events():
            self._take(event)
            if not self._machine.ended and self._stop_wanted() and not self._stopping:
                self._stopping = True
                self._take(StopRequested(self._world.clock.now_ms()))
            if self._machine.ended:
                return
            if self._recorder.enough():
                self._recorder.record(self._world.clock.now_ms(), RunEnded("succeeded", "accepted"))
                return

    async def _look_at_prices(self) -> None:
        """Ask for the prices of what is still held, so that the summary can value it."""
        awaited = set(self._recorder.exposed())
        for symbol in sorted(awaited):
            self._world.gateway.submit(Observe(symbol))
        if awaited:
            async for event in self._world.gateway.events():
                if isinstance(event, Observed):
                    awaited.discard(event.symbol)
                if not isinstance(event, DataEnded):
                    self._recorder.record(self._world.clock.now_ms(), event)
                if not awaited:
                    return

    def _take(self, event: Event) -> None:
        now_ms = self._world.clock.now_ms()
        self._recorder.record(now_ms, event)
        for command in self._machine.advance(event):
            if isinstance(command, CancelOrder):
                self._dispatch(command)
                self._recorder.record(now_ms, command)
            else:
                self._recorder.record(now_ms, command)
                self._dispatch(command)

    def _dispatch(self, command: Command) -> None:
        match command:
            case PlaceOrder() | CancelOrder() | QueryOrder() | ReadPosition() | Observe():
                self._world.gateway.submit(command)
            case SetTimer() | CancelTimer():
                self._world.clock.schedule(command)
            case WatchPrice() | UnwatchPrice():
                self._world.prices.watch(command)
            case StepStarted() | StepEnded() | OrderDenied() | Remark() | GroupProtected() | RunEnded():
                pass
            case _:
                assert_never(command)


def drive(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never waits to its end, without an event loop.

    Raises:
        InternalError: it waited for something.
    """
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    coroutine.close()
    raise InternalError("a dry run waited for something outside itself")
