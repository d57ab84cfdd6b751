"""The one step of every run: a fact comes, the machine answers with intents; both are kept, and carried out.

What is to be placed is journaled before it is sent.  Everything else may go out before: a cancel may be repeated
without harm, and the rest only asks, or waits.
"""

from collections.abc import Coroutine
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
from runner.domain.events import Event
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


class Outbox(Protocol):
    """Keeps what happened in its order, and carries out the commands; a placement never before it is kept."""

    def take(self, at_ms: int, event: Event, commands: tuple[Command, ...]) -> None: ...


class Executor:
    """Drives one machine through one world, an event at a time."""

    def __init__(self, machine: Machine, clock: Clock, outbox: Outbox) -> None:
        self._machine = machine
        self._clock = clock
        self._outbox = outbox

    def take(self, event: Event) -> tuple[Command, ...]:
        """The machine's answer to an event.  One that it fails over is kept all the same, before the error goes on."""
        now_ms = self._clock.now_ms()
        try:
            commands = self._machine.advance(event)
        except Exception:
            self._outbox.take(now_ms, event, ())
            raise
        self._outbox.take(now_ms, event, commands)
        return commands


def dispatch(world: World, command: Command) -> None:
    """Give a command to whom it is for; what is only told is for nobody here."""
    match command:
        case PlaceOrder() | CancelOrder() | QueryOrder() | ReadPosition() | Observe():
            world.gateway.submit(command)
        case SetTimer() | CancelTimer():
            world.clock.schedule(command)
        case WatchPrice() | UnwatchPrice():
            world.prices.watch(command)
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
