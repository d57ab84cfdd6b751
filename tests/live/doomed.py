"""Runs the command in a process that dies at a named moment of its journal: `python -m tests.live.doomed MOMENT ARGS…`.

It is the installed command but for one thing: the journal's commit kills the process, before or after it, as SIGKILL
does, the first time that what it commits holds what the moment waits for.  The moment `a-bug` is another: the machine
fails over the first report of an order.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from runner.cli.main import main
from runner.domain.commands import PlaceOrder
from runner.domain.events import OrderReport, StreamGap
from runner.domain.orders import OrderStatus
from runner.engine.machine import Machine
from runner.journal.store import JournalWriter

Holds = Callable[[object], bool]


def _fill(value: object) -> bool:
    return isinstance(value, OrderReport) and value.filled_qty > 0


def _stop(value: object) -> bool:
    return isinstance(value, PlaceOrder) and value.protective


def _accepted(value: object) -> bool:
    return isinstance(value, OrderReport) and value.order_id.startswith("A") and value.status is OrderStatus.NEW


MOMENTS: dict[str, tuple[Holds, bool]] = {
    "before-the-fill-is-kept": (_fill, False),
    "after-the-stop-is-kept": (_stop, True),
    "before-the-answer-is-kept": (_accepted, False),
    "after-the-gap-is-kept": (lambda value: isinstance(value, StreamGap), True),
}


def doom(moment: str) -> None:
    """Let this process die then."""
    holds, after = MOMENTS[moment]
    append, commit = JournalWriter.append, JournalWriter.commit
    pending: list[object] = []

    def appended(self: JournalWriter, at_ms: int, value: Any) -> None:
        append(self, at_ms, value)
        pending.append(value)

    def committed(self: JournalWriter) -> None:
        doomed = any(map(holds, pending))
        pending.clear()
        if doomed and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        commit(self)
        if doomed:
            os.kill(os.getpid(), signal.SIGKILL)

    JournalWriter.append = appended  # type: ignore[method-assign]
    JournalWriter.commit = committed  # type: ignore[method-assign]


def bug() -> None:
    """Let the machine fail at an order's report."""
    advance = Machine.advance

    def failing(self: Machine, event: Any) -> Any:
        if isinstance(event, OrderReport):
            raise ZeroDivisionError("a bug, for once")
        return advance(self, event)

    Machine.advance = failing  # type: ignore[method-assign]


if __name__ == "__main__":
    moment = sys.argv.pop(1)
    if moment == "a-bug":
        bug()
    else:
        doom(moment)
    main()
