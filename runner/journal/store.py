"""One run's journal: a SQLite file that only grows.

Each entry carries the SHA-256 of the entry before it and of itself, beginning with that of the run's own facts; so a
changed, missing or swapped entry is found by `JournalReader.verify`.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from runner.domain.commands import Command
from runner.domain.events import Event
from runner.errors import DakshError, EnvironmentFault, JournalError, LockedElsewhere
from runner.journal.codec import EVENTS, canonical, decode, encode
from runner.journal.migrations import APPLICATION_ID, VERSION, migrate

RUNNING = "running"


class RunFacts(NamedTuple):
    """What is known of a run before its first event.

    `sources` identifies the market data, `started_ms` is the wall clock, `context` what the reports need to know of
    the plan, `graph` the graph's canonical JSON: a run keeps the graph that it was compiled to.
    """

    run_id: str
    plan: str
    mode: str
    fingerprint: str
    seed: int
    sources: str
    started_ms: int
    context: str
    graph: str


_FACTS = ", ".join(RunFacts._fields)


class RunRow(NamedTuple):
    """The facts, and how far the run has come: `state` is `running` until its end, `summary` empty."""

    facts: RunFacts
    state: str
    summary: str


class Entry(NamedTuple):
    """`at_ms` is the instant of the event, or of the event that a command answers."""

    seq: int
    at_ms: int
    value: Event | Command


class Durability(NamedTuple):
    """How a journal is written: SQLite's `synchronous`, and how many entries one commit may hold."""

    synchronous: str
    batch: int


class JournalWriter:
    """Adds entries to a new journal; the file must exist already, and be empty."""

    def __init__(self, path: Path, facts: RunFacts, durability: Durability) -> None:
        self._path = path
        self._batch = durability.batch
        self._waiting: list[tuple[int, str, int, str, str, str]] = []
        self._seq = 0
        self._head = _genesis(facts)
        with explained(path, "written"):
            self._database = sqlite3.connect(_uri(path, "rw"), uri=True, isolation_level=None)
            try:
                self._begin(facts, durability.synchronous)
            except sqlite3.Error:
                self.close()
                raise

    def _begin(self, facts: RunFacts, synchronous: str) -> None:
        self._database.execute(f"PRAGMA synchronous = {synchronous}")
        if synchronous == "OFF":
            self._database.execute("PRAGMA journal_mode = MEMORY")
        with _transaction(self._database):
            migrate(self._database)
            marks = ", ".join("?" * len(facts))
            self._database.execute(
                f"INSERT INTO run (only_row, {_FACTS}, state, summary) VALUES (1, {marks}, ?, '')", (*facts, RUNNING),
            )

    def append(self, at_ms: int, value: Event | Command) -> None:
        """Add one entry; it is durable once `commit` has returned, or a whole batch has come together."""
        name, body = encode(value)
        kind = "event" if name in EVENTS else "command"
        self._seq += 1
        self._head = _link(self._head, self._seq, kind, at_ms, name, body)
        self._waiting.append((self._seq, kind, at_ms, name, body, self._head))
        if len(self._waiting) >= self._batch:
            self.commit()

    def commit(self) -> None:
        if self._waiting:
            with explained(self._path, "written"), _transaction(self._database):
                self._database.executemany("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?)", self._waiting)
            self._waiting.clear()

    def finish(self, state: str, summary: str) -> None:
        """Write the run's end, with how many entries there are and the last one's hash."""
        self.commit()
        with explained(self._path, "written"), _transaction(self._database):
            self._database.execute(
                "UPDATE run SET state = ?, summary = ?, entries = ?, head = ?",
                (state, summary, self._seq, self._head),
            )

    def close(self) -> None:
        self._database.close()


class JournalReader:
    """Reads a journal, and changes nothing; waits `patience_s` for a process that is writing to it.

    Raises:
        EnvironmentFault: the file is missing or cannot be read.
        LockedElsewhere: another process is writing to it just now.
        JournalError: it is no journal, one of a newer daksh-run, or damaged.
    """

    def __init__(self, path: Path, *, patience_s: float = 5.0) -> None:
        self._path = path
        if not path.is_file():
            raise EnvironmentFault(f"there is no journal {path}")
        with explained(path, "read"):
            self._database = sqlite3.connect(
                _uri(path, "ro"), uri=True, isolation_level=None, timeout=patience_s,
            )
        try:
            with explained(path, "read"):
                owner = self._database.execute("PRAGMA application_id").fetchone()[0]
                version = self._database.execute("PRAGMA user_version").fetchone()[0]
            if owner != APPLICATION_ID:
                raise JournalError(f"{path} is not a journal of daksh-run", hint="was the run stopped at its start?")
            if version > VERSION:
                raise JournalError(
                    f"{path} is of journal version {version}; this daksh-run reads up to {VERSION}",
                    hint="use the daksh-run that wrote it, or a newer one",
                )
        except DakshError:
            self._database.close()
            raise

    def run(self) -> RunRow:
        with explained(self._path, "read"):
            row = self._database.execute(f"SELECT {_FACTS}, state, summary FROM run").fetchone()
        if row is None:
            raise JournalError(f"{self._path} has lost its run")
        return RunRow(RunFacts(*row[:-2]), *row[-2:])

    def entries(self) -> Iterator[Entry]:
        with explained(self._path, "read"):
            for seq, at_ms, name, body in self._database.execute(
                "SELECT seq, at_ms, type, body FROM entry ORDER BY seq"
            ):
                yield Entry(seq, at_ms, decode(name, body))

    def verify(self) -> int:
        """How many entries there are, if every one is as it was written.

        Raises:
            JournalError: an entry was changed, removed, added or moved.
        """
        with explained(self._path, "read"):
            head = _genesis(self.run().facts)
            count = 0
            for seq, kind, at_ms, name, body, chain in self._database.execute(
                "SELECT seq, kind, at_ms, type, body, chain FROM entry ORDER BY seq"
            ):
                count += 1
                head = _link(head, count, kind, at_ms, name, body)
                if seq != count or chain != head:
                    raise JournalError(f"{self._path}: entry {seq} is not as it was written")
            entries, last = self._database.execute("SELECT entries, head FROM run").fetchone()
        if entries is not None and (entries, last) != (count, head):
            raise JournalError(f"{self._path}: {count} entries are left of {entries}")
        return count

    def close(self) -> None:
        self._database.close()


def _genesis(facts: RunFacts) -> str:
    return _digest(canonical(facts))


def _link(head: str, seq: int, kind: str, at_ms: int, name: str, body: str) -> str:
    return _digest(f"{head}\n{seq}\n{kind}\n{at_ms}\n{name}\n{body}")


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _uri(path: Path, mode: str) -> str:
    return f"{path.absolute().as_uri()}?mode={mode}"


@contextmanager
def _transaction(database: sqlite3.Connection) -> Iterator[None]:
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")


@contextmanager
def explained(path: Path, done: str) -> Iterator[None]:
    """Say what SQLite's errors mean for the journal at `path`."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise LockedElsewhere(f"another process holds {path}", hint="try again when it has finished") from error
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_ERROR:
            raise JournalError(f"{path} is damaged: {error}") from error
        raise EnvironmentFault(
            f"{path} cannot be {done}: {error}", hint="check the disk's space and permissions, or choose --state-dir",
        ) from error
    except sqlite3.DatabaseError as error:
        raise JournalError(f"{path} is damaged: {error}") from error
