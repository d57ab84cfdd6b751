"""From a run's journal back to its machine: each event is taken in again, and the machine must say the same again."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, get_args

from runner.domain.commands import Command, WatchPrice
from runner.domain.events import Event, RunStarted
from runner.engine.machine import Machine
from runner.errors import JournalError
from runner.graph.model import ExecutionGraph

_EVENTS = get_args(Event)


class Replayed(NamedTuple):
    """A machine as it was after the last entry; `timers` (by id, when each is due) and `watches` are set in it, and
    want to be set in the world."""

    machine: Machine
    timers: dict[str, int]
    watches: dict[str, WatchPrice]
    started: RunStarted


def replay(graph: ExecutionGraph, entries: Iterable[Event | Command]) -> Replayed:
    """The machine that has seen these entries, in their order.

    What the machine says to the last event and the journal does not hold was never sent; it counts as asked.

    Raises:
        JournalError: the journal holds other commands than the machine gives, or begins with no start.
    """
    machine = Machine(graph)
    started: RunStarted | None = None
    due: Iterator[Command] = iter(())
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, _EVENTS):
            said = next(due, None)
            if said != entry:
                raise JournalError(_differs(number, entry, said))
            continue
        left = next(due, None)
        if left is not None:
            raise JournalError(_differs(number, entry, left))
        if started is None:
            if not isinstance(entry, RunStarted):
                raise JournalError(f"entry {number} of the journal is {_shown(entry)}, not the start of a run")
            started = entry
        due = iter(machine.advance(entry))
    if started is None:
        raise JournalError("the journal does not hold the start of a run")
    return Replayed(machine, dict(machine.timers), dict(machine.watches), started)


def _differs(number: int, entry: Event | Command, said: Command | None) -> str:
    instead = _shown(said) if said is not None else "nothing more"
    return f"entry {number} of the journal is {_shown(entry)}, where the run as it is replayed has {instead}"


def _shown(value: Event | Command) -> str:
    return f"{value!r:.160}"
