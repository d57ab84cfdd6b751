"""The outbox of a live run: what happened is on the disk before a placement that follows from it goes out.

Cancels, queries, timers and watches go out at once; a thread writes, and what came together meanwhile is one commit.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue

from runner.app.executor import World, dispatch
from runner.app.live.telling import Entry
from runner.domain.commands import CancelOrder, Command, PlaceOrder
from runner.domain.events import Event
from runner.errors import LockedElsewhere
from runner.journal.store import JournalWriter

_LATE_MS = 5_000


class LiveOutbox:
    """Implements `Outbox`; made, used and closed in the event loop.

    `tell` is given what was kept, after the placements have gone out.  `sent` says whether any placement went out.

    `broken` is called when the journal takes nothing any more.  Where another process has taken the run over, nothing
    is carried out from then on.  Else, as on a full disk, what closes goes out all the same, since what is open needs
    its stop more than its journal (a resume takes such orders on as the exchange has them); what opens does not.

    Nor does what opens go out that was long on its way to the disk: the market it was meant for is another by then.
    `unsent` is told of such placements, and why.
    """

    def __init__(
        self, world: World, journal: JournalWriter, tell: Callable[[list[Entry]], None],
        broken: Callable[[Exception], None], unsent: Callable[[PlaceOrder, str], None],
    ) -> None:
        self._world = world
        self._journal = journal
        self._tell = tell
        self._broken = broken
        self._unsent = unsent
        self._loop = asyncio.get_running_loop()
        self._entries: SimpleQueue[Entry | None] = SimpleQueue()
        self._fresh: list[Entry] = []
        self._taken = self._kept = 0
        self._settled = asyncio.Event()
        self._halted = self._full = False
        self.sent = False
        self._thread = threading.Thread(target=self._write, name="daksh-journal", daemon=True)
        self._thread.start()

    def take(self, at_ms: int, event: Event, commands: tuple[Command, ...]) -> None:
        if self._halted:
            return
        for command in commands:
            if isinstance(command, CancelOrder):
                dispatch(self._world, command)
        for command in commands:
            if not isinstance(command, CancelOrder | PlaceOrder):
                dispatch(self._world, command)
        self._add(Entry(at_ms, (event, *commands)))
        if any(isinstance(command, CancelOrder) for command in commands):
            # The thread that writes would take the interpreter from the task that sends the cancel, and from the one
            # that writes it to the socket.
            self._loop.call_soon(self._loop.call_soon, self._hand_over)
        else:
            self._hand_over()

    def note(self, at_ms: int, value: Event | Command) -> None:
        """Keep what is not the machine's."""
        self._add(Entry(at_ms, (value,)))
        self._hand_over()

    def _add(self, entry: Entry) -> None:
        if self._full:
            self._pass_on([entry])
            return
        self._taken += 1
        self._settled.clear()
        self._fresh.append(entry)

    def _hand_over(self) -> None:
        for entry in self._fresh:
            self._entries.put(entry)
        self._fresh.clear()

    async def settle(self) -> None:
        """Return when all that was taken is kept, or nothing is kept any more."""
        if self._kept < self._taken and not (self._halted or self._full):
            await self._settled.wait()

    def halt(self) -> None:
        """Carry nothing out any more; what was taken is kept all the same."""
        self._halted = True

    def close(self) -> None:
        """Return when all that was taken is kept, or cannot be."""
        self._hand_over()
        self._entries.put(None)
        self._thread.join()

    def _write(self) -> None:
        going = True
        while going:
            batch = [self._entries.get()]
            try:
                while True:
                    batch.append(self._entries.get_nowait())
            except Empty:
                pass
            entries = [entry for entry in batch if entry is not None]
            going = len(entries) == len(batch)
            try:
                for entry in entries:
                    for value in entry.values:
                        self._journal.append(entry.at_ms, value)
                self._journal.commit()
            except Exception as error:
                self._loop.call_soon_threadsafe(self._fail, error, entries)
                return
            self._loop.call_soon_threadsafe(self._pass_on, entries)

    def _pass_on(self, entries: list[Entry]) -> None:
        for entry in entries:
            for value in entry.values:
                if isinstance(value, PlaceOrder) and not self._halted:
                    self._place(entry.at_ms, value)
        self._tell(entries)
        if not self._full:
            self._kept += len(entries)
        if self._kept == self._taken:
            self._settled.set()

    def _place(self, at_ms: int, command: PlaceOrder) -> None:
        if not command.request.reduce_only:
            late = self._world.clock.now_ms() - at_ms > _LATE_MS
            if self._full or late:
                self._unsent(command, "it came to the disk too late" if late else "it could not be kept")
                return
        self.sent = True
        dispatch(self._world, command)

    def _fail(self, error: Exception, entries: list[Entry]) -> None:
        """Nothing is kept any more, these entries neither."""
        self._halted = self._halted or isinstance(error, LockedElsewhere)
        self._hand_over()
        with suppress(Empty):
            while True:
                entry = self._entries.get_nowait()
                if entry is not None:
                    entries.append(entry)
        self._full = True
        self._settled.set()
        self._broken(error)
        if not self._halted:
            self._pass_on(entries)
