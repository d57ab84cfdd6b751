"""Tells people of a live run, in a thread of its own: a terminal that takes no more text, or a full disk under the log,
holds up nothing of the run.
"""

import logging
import threading
from collections.abc import Callable
from functools import partial
from queue import Empty, SimpleQueue
from typing import NamedTuple, Protocol

from runner.app.live.logging import RunLog
from runner.app.run import Observer
from runner.domain.commands import Command
from runner.domain.events import Event
from runner.report.report import Report

_LOG = logging.getLogger(__name__)
_LOOK_S = 0.25


class Entry(NamedTuple):
    """An event with the commands that answer it, or a part of that; all of one instant."""

    at_ms: int
    values: tuple[Event | Command, ...]


class LiveObserver(Observer, Protocol):
    """Who watches a live run."""

    def looked(self, report: Report, now_ms: int) -> None:
        """Called four times a second, and once at the end."""


class Telling:
    """Feeds the report, the log and the observer with what was kept.  `report` belongs to it until `close`.

    `begin` is called first.
    """

    def __init__(
        self, report: Report, log: RunLog, observer: LiveObserver, now_ms: Callable[[], int],
        begin: Callable[[], None],
    ) -> None:
        self.report = report
        self._begin = begin
        self._log = log
        self._observer = observer
        self._now_ms = now_ms
        self._entries: SimpleQueue[Entry | None] = SimpleQueue()
        self._deaf = self._complete = False
        self._thread = threading.Thread(target=self._tell_all, name="daksh-tell", daemon=True)
        self._thread.start()

    def tell(self, entries: list[Entry]) -> None:
        for entry in entries:
            self._entries.put(entry)

    def close(self, patience_s: float) -> bool:
        """Whether the report holds everything; an observer that does not take more is not waited for."""
        self._entries.put(None)
        self._thread.join(patience_s)
        return self._complete

    def _tell_all(self) -> None:
        try:
            self._tell_each()
            self._complete = True
        except Exception:
            _LOG.exception("the run goes on, but nothing more is told of it")

    def _tell_each(self) -> None:
        self._show(self._begin)
        going = True
        while going:
            try:
                entry = self._entries.get(timeout=_LOOK_S)
            except Empty:
                self._show(lambda: self._observer.looked(self.report, self._now_ms()))
                continue
            if entry is not None:
                self._see(entry)
            going = entry is not None
        self._show(lambda: self._observer.looked(self.report, self._now_ms()))

    def _see(self, entry: Entry) -> None:
        for value in entry.values:
            for line in self.report.see(entry.at_ms, value):
                self._show(partial(self._observer.told, line))
        if text := self.report.take_log():
            self._log.write(text)

    def _show(self, show: Callable[[], None]) -> None:
        """Show something, as long as somebody looks: a terminal that was closed ends no run."""
        if not self._deaf:
            try:
                show()
            except OSError:
                self._deaf = True
