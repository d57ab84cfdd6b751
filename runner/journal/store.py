"""One run's journal: a SQLite file that only grows.

Each entry carries the SHA-256 of the entry before it and of itself, beginning with that of the run's own facts; so a
changed, missing or swapped entry is found by `JournalReader.verify`.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, Self

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
    """How a journal is written: SQLite's `synchronous`, and how many entries one commit may hold.

    `OFF` leaves the writing to the system.  `FULL` has each commit on the disk, in a write-ahead log, which nobody who
    reads meanwhile can delay.
    """

    synchronous: str
    batch: int


class JournalWriter:
    """Adds entries to a journal, in whatever thread, but in one at a time.

    A file is written by the process that opened it last: whoever opened it before gets `LockedElsewhere`.
    """

    def __init__(self, path: Path, durability: Durability) -> None:
        self._path = path
        self._durability = durability
        self._waiting: list[tuple[int, str, int, str, str, str]] = []
        self._seq = self._epoch = 0
        self._head = ""
        with explained(path, "written"):
            self._database = sqlite3.connect(
                _uri(path, "rw"), uri=True, isolation_level=None, check_same_thread=False,
            )

    @classmethod
    def begin(cls, path: Path, facts: RunFacts, durability: Durability) -> Self:
        """A new journal; the file must exist already, and be empty."""
        writer = cls(path, durability)
        writer._head = _genesis(facts)
        marks = ", ".join("?" * len(facts))
        with writer._opening(0) as database:
            database.execute(
                f"INSERT INTO run (only_row, {_FACTS}, state, summary, entries, head)"
                f" VALUES (1, {marks}, ?, '', 0, ?)", (*facts, RUNNING, writer._head),
            )
        return writer

    @classmethod
    def reopen(cls, path: Path, durability: Durability) -> Self:
        """A journal to go on with.  Nobody else can write to it from now on; whether it is whole, `verify` says."""
        writer = cls(path, durability)
        with writer._opening(APPLICATION_ID) as database:
            facts = database.execute(f"SELECT {_FACTS} FROM run").fetchone()
            if facts is None:
                raise JournalError(f"{path} has lost its run")
            last = database.execute("SELECT seq, chain FROM entry ORDER BY seq DESC LIMIT 1").fetchone()
            writer._seq, writer._head = last or (0, _genesis(RunFacts(*facts)))
        return writer

    @contextmanager
    def _opening(self, owner: int) -> Iterator[sqlite3.Connection]:
        """The first transaction, which makes this process the one that writes; where it fails the file is let go.

        `owner` is the mark that the file must have: ours, or none.
        """
        database, synchronous = self._database, self._durability.synchronous
        try:
            with explained(self._path, "written"):
                if database.execute("PRAGMA application_id").fetchone()[0] != owner:
                    raise JournalError(f"{self._path} is {'not ' if owner else 'already '}a journal of daksh-run")
                database.execute(f"PRAGMA synchronous = {synchronous}")
                if synchronous == "OFF":
                    database.execute("PRAGMA journal_mode = MEMORY")
                with _transaction(database):
                    migrate(database)
                    yield database
                    database.execute("UPDATE run SET epoch = epoch + 1")
                    self._epoch = database.execute("SELECT epoch FROM run").fetchone()[0]
                if synchronous == "FULL":  # only now: a process that dies before leaves an empty file, or a journal
                    database.execute("PRAGMA journal_mode = WAL")
        except BaseException:
            self.close()
            raise

    def append(self, at_ms: int, value: Event | Command) -> None:
        """Add one entry; it is durable once `commit` has returned, or a whole batch has come together."""
        name, body = encode(value)
        kind = "event" if name in EVENTS else "command"
        self._seq += 1
        self._head = _link(self._head, self._seq, kind, at_ms, name, body)
        self._waiting.append((self._seq, kind, at_ms, name, body, self._head))
        if len(self._waiting) >= self._durability.batch:
            self.commit()

    def commit(self) -> None:
        if self._waiting:
            self._write("")

    def mark(self, state: str, summary: str = "") -> None:
        """Write how far the run has come, with what was added before."""
        self._write(", state = ?, summary = ?", state, summary)

    def _write(self, more: str, *values: str) -> None:
        with explained(self._path, "written"), _transaction(self._database):
            self._database.executemany("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?)", self._waiting)
            changed = self._database.execute(
                f"UPDATE run SET entries = ?, head = ?{more} WHERE epoch = ?",
                (self._seq, self._head, *values, self._epoch),
            )
            if changed.rowcount != 1:
                raise LockedElsewhere(f"another process has taken the run of {self._path.name} over")
        self._waiting.clear()

    def close(self) -> None:
        """Let go of the file; one file is left, which can be read by itself."""
        if self._epoch and self._durability.synchronous == "FULL":
            with suppress(sqlite3.Error):  # somebody reads it just now, or the disk is full: its log stays beside it
                self._database.execute("PRAGMA journal_mode = DELETE")
        self._database.close()


class JournalReader:
    """Reads a journal, and changes nothing in it; waits `patience_s` for a process that is writing to it.

    Raises:
        EnvironmentFault: the file is missing or cannot be read.
        LockedElsewhere: another process is writing to it just now.
        JournalError: it is no journal, one of a newer daksh-run, or damaged.
    """

    def __init__(self, path: Path, *, patience_s: float = 5.0) -> None:
        self._path = path
        if not path.is_file():
            raise EnvironmentFault(f"there is no journal {path}")
        # What a process that was killed left in the log beside the file is taken in by the next one that opens both,
        # which must be able to write for that.
        mode = "rw" if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK) else "ro"
        with explained(path, "read"):
            self._database = sqlite3.connect(
                _uri(path, mode), uri=True, isolation_level=None, timeout=patience_s,
            )
            self._database.execute("PRAGMA query_only = ON")
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
        with explained(self._path, "read"), self._at_one_instant():
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

    @contextmanager
    def _at_one_instant(self) -> Iterator[None]:
        """What is read is from one state of the file, whoever goes on writing to it."""
        self._database.execute("BEGIN")
        try:
            yield
        finally:
            self._database.execute("ROLLBACK")

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
