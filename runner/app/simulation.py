"""The loop of a dry run: up to the end of the run, of the data, or to the stop that someone asked for."""

from collections.abc import Callable
from typing import Protocol

from runner.app.executor import Executor, Outbox, World
from runner.domain.commands import Command, Observe, RunEnded
from runner.domain.events import DataEnded, Event, Observed, RunStarted, StopRequested
from runner.engine.machine import Machine


class Record(Outbox, Protocol):
    """What has been kept, where the loop must ask for it or add to it."""

    def note(self, at_ms: int, value: Event | Command) -> None:
        """Keep what is not the machine's."""

    def exposed(self) -> tuple[str, ...]:
        """The symbols that the run holds a position on."""

    def enough(self) -> bool:
        """Whether the run may end here, with its orders left as they are."""


async def simulate(
    machine: Machine, world: World, record: Record, stop_wanted: Callable[[], bool], run_id: str, seed: int,
) -> None:
    """Run the machine in a simulated world, and close that world."""
    executor = Executor(machine, world.clock, record)
    snapshot = await world.gateway.open()
    try:
        own = tuple(position for position in snapshot.positions if position.symbol in world.adopts)
        executor.take(RunStarted(world.clock.now_ms(), run_id, seed, own))
        if not machine.ended:
            await _follow(executor, machine, world, record, stop_wanted)
        await _look_at_prices(world, record)
    finally:
        await world.gateway.close()


async def _follow(
    executor: Executor, machine: Machine, world: World, record: Record, stop_wanted: Callable[[], bool],
) -> None:
    stopping = False
    async for event in world.gateway.events():
        executor.take(event)
        if not machine.ended and stop_wanted() and not stopping:
            stopping = True
            executor.take(StopRequested(world.clock.now_ms()))
        if machine.ended:
            return
        if record.enough():
            record.note(world.clock.now_ms(), RunEnded("succeeded", "accepted"))
            return


async def _look_at_prices(world: World, record: Record) -> None:
    """Ask for the prices of what is still held, so that the summary can value it."""
    awaited = set(record.exposed())
    for symbol in sorted(awaited):
        world.gateway.submit(Observe(symbol))
    if awaited:
        async for event in world.gateway.events():
            if isinstance(event, Observed):
                awaited.discard(event.symbol)
            if not isinstance(event, DataEnded):
                record.note(world.clock.now_ms(), event)
            if not awaited:
                return
