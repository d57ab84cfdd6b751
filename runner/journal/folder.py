"""The state folder: `runs/<number>-<run id>.sqlite`, `trades.csv` and `bot.log`.

Several processes may use it side by side; they wait for each other only while one takes a number or adds lines.
"""

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from runner.domain.values import base36
from runner.errors import EnvironmentFault
from runner.journal.store import explained

LOCK_SECONDS = 10
"""Far longer than anyone holds the lock; a process that dies lets go of it."""

_RUN_FILE = re.compile(r"(\d{1,9})-([A-Za-z0-9_-]+)\.sqlite")


class RunFile(NamedTuple):
    """One run's journal in the folder.  Numbers count the runs of this folder from 1."""

    number: int
    run_id: str
    path: Path

    @property
    def lock(self) -> Path:
        """What the process that runs it holds, where others might take it on: a run on a real exchange."""
        return self.path.with_suffix(".lock")

    @property
    def request(self) -> Path:
        """Where another process asks it to stop."""
        return self.path.with_suffix(".stop")


class StateFolder:
    """A state folder at `path`, which need not exist before the first run.

    Raises:
        EnvironmentFault: it cannot be made, read or written.
        LockedElsewhere: another process did not let go of the folder's lock.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def trades(self) -> Path:
        return self.path / "trades.csv"

    @property
    def log(self) -> Path:
        return self.path / "bot.log"

    def runs(self) -> list[RunFile]:
        """Every run, oldest first."""
        with self._explained("read"):
            try:
                names = os.listdir(self.path / "runs")
            except FileNotFoundError:
                return []
        matches = (_RUN_FILE.fullmatch(name) for name in names)
        found = [RunFile(int(match[1]), match[2], self.path / "runs" / match[0]) for match in matches if match]
        return sorted(found, key=lambda run: run.number)

    def new_run(self, run_id: str, *, numbered: bool = False) -> RunFile:
        """Take the next number, and make an empty file under it; `numbered` adds it to the id too, which is then the
        only one of its kind in this folder."""
        with self._explained("written"):
            (self.path / "runs").mkdir(parents=True, exist_ok=True)
        with self._locked():
            taken = self.runs()
            number = taken[-1].number + 1 if taken else 1
            run_id += base36(number) if numbered else ""
            path = self.path / "runs" / f"{number:06d}-{run_id}.sqlite"
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        return RunFile(number, run_id, path)

    def append(self, path: Path, text: str, *, head: str = "") -> None:
        """Add `text` to a file of the folder in one write; `head` goes before it into a new file."""
        with self._locked():
            target = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o666)
            try:
                before = os.fstat(target).st_size
                body = _bytes(text if before else head + text)
                if os.write(target, body) != len(body):
                    os.ftruncate(target, before)
                    raise OSError(None, "the disk is full")
            finally:
                os.close(target)

    def replace(self, path: Path, text: str) -> None:
        """Write a file of the folder anew; a reader sees the old text or the new one, never a part."""
        with self._locked():
            fresh = path.with_name(path.name + ".new")
            fresh.write_bytes(_bytes(text))
            os.replace(fresh, path)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the folder alone.

        The lock is SQLite's, on an empty file: the kernel's own, on every system, gone with its process; and a lock
        library would double what opening the folder costs.
        """
        path = self.path / ".lock"
        with (
            self._explained("written"), explained(path, "locked"),
            closing(sqlite3.connect(path, timeout=LOCK_SECONDS, isolation_level=None)) as lock,
        ):
            lock.execute("BEGIN EXCLUSIVE")
            yield

    @contextmanager
    def _explained(self, done: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            raise EnvironmentFault(
                f"the state folder {self.path} cannot be {done}: {where}{error.strerror or error}",
                hint="make it writable, or name another with --state-dir or DAKSH_STATE_DIR",
            ) from error


def _bytes(text: str) -> bytes:
    """UTF-8, also of a file name that is none."""
    return text.encode(errors="backslashreplace")
