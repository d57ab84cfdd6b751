"""The command line, in a process that dies as a power cut has it, at a point that its first argument names.

    python -m tests.app.live.dying WINDOW NODE ARGUMENTS…

The windows are those of the outbox, each for a placement of the graph node NODE.
"""

import os
import signal
import sys
import threading
from typing import Any

from runner.cli.main import main
from runner.domain.orders import OrderRequest
from runner.engine.ids import order_key
from runner.errors import EnvironmentFault
from runner.gateways.binance.rest import Rest
from runner.journal.store import JournalWriter

BEFORE_COMMIT = "before-commit"
AFTER_COMMIT = "after-commit"
AFTER_SEND = "after-send"
BEFORE_ANSWER_COMMIT = "before-answer-commit"
BEFORE_SNAPSHOT = "before-snapshot"
AFTER_CANCEL = "after-cancel"
AFTER_END = "after-end"
DISK_FULL = "disk-full"
"""Does not die: from then on the journal's file cannot grow, which SQLite says in the words of a full disk."""
FULL_BEFORE = "full-before"
"""Does not die either: from the commit on that holds the placement, nothing can be written."""
WINDOWS = (BEFORE_COMMIT, AFTER_COMMIT, AFTER_SEND, BEFORE_ANSWER_COMMIT)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Deadly:
    """Knows the node's client order ids from the journal, and kills when the point is reached."""

    def __init__(self, window: str, node: str) -> None:
        self.window = window
        self.node = node
        self.ids: set[str] = set()
        self.commit = JournalWriter.commit
        self.write = JournalWriter._write
        self.full = False
        self.place = Rest.place
        self.cancel = Rest.cancel
        self.answered = threading.Event()

    def arm(self) -> None:
        deadly = self

        def commit(writer: JournalWriter) -> None:
            rows = writer._waiting
            placed = deadly.placed(rows)
            if deadly.window == BEFORE_COMMIT and placed:
                die()
            if deadly.window == BEFORE_ANSWER_COMMIT and any(
                name == "OrderReport" and any(one in body for one in deadly.ids) for _, _, _, name, body, _ in rows
            ):
                die()
            if deadly.window == AFTER_CANCEL and any(name == "CancelOrder" for _, _, _, name, _, _ in rows):
                deadly.cancelled()
            if deadly.window == DISK_FULL and placed:
                (pages,) = writer._database.execute("PRAGMA page_count").fetchone()
                writer._database.execute(f"PRAGMA max_page_count = {pages}")
            deadly.full = deadly.full or (deadly.window == FULL_BEFORE and placed)
            seen = [name for _, _, _, name, _, _ in rows]
            deadly.commit(writer)
            if deadly.window == AFTER_COMMIT and placed:
                die()
            if deadly.window == BEFORE_SNAPSHOT and "RunResumed" in seen:
                die()
            if deadly.window == AFTER_END and "RunEnded" in seen:
                die()

        async def place(rest: Rest, request: OrderRequest) -> Any:
            answer = await deadly.place(rest, request)
            if deadly.window == AFTER_SEND and request.client_order_id in deadly.ids:
                die()
            return answer

        async def cancel(rest: Rest, symbol: str, client_order_id: str, *, conditional: bool) -> Any:
            answer = await deadly.cancel(rest, symbol, client_order_id, conditional=conditional)
            deadly.answered.set()
            return answer

        def write(writer: JournalWriter, more: str, *values: str) -> None:
            if deadly.full:
                raise EnvironmentFault("the journal cannot be written: database or disk is full")
            deadly.write(writer, more, *values)

        JournalWriter._write = write  # type: ignore[method-assign]
        Rest.cancel = cancel  # type: ignore[method-assign]
        JournalWriter.commit = commit  # type: ignore[method-assign]
        Rest.place = place  # type: ignore[method-assign]

    def placed(self, rows: list[Any]) -> bool:
        found = [body for _, _, _, name, body, _ in rows if name == "PlaceOrder" and f'"{self.node}"' in body]
        for body in found:
            client_id = body.partition('"client_order_id":"')[2].partition('"')[0]
            if order_key(client_id) is not None:
                self.ids.add(client_id)
        return bool(found)

    def cancelled(self) -> None:
        """Die once the cancel, which does not wait for the disk, has been answered."""
        self.answered.wait(10)
        die()


if __name__ == "__main__":
    Deadly(sys.argv[1], sys.argv[2]).arm()
    main(sys.argv[3:])
