"""The journal's tables, as steps: each brings a file from one schema version to the next."""

import sqlite3
from collections.abc import Callable

APPLICATION_ID = 0x44414B53
"""`DAKS`: SQLite's own mark of whose file it is."""


def m001_runs_and_entries(database: sqlite3.Connection) -> None:
    """One run a file; entries are only ever added.

    `run.head` and `run.entries` are the last entry's hash and how many there are, so that a file that was cut off
    afterwards is noticed; up to version 1 they were set when the run ended.
    """
    database.execute(
        "CREATE TABLE run (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), run_id TEXT NOT NULL, plan TEXT NOT NULL,"
        " mode TEXT NOT NULL, fingerprint TEXT NOT NULL, seed INTEGER NOT NULL, sources TEXT NOT NULL,"
        " started_ms INTEGER NOT NULL, context TEXT NOT NULL, graph TEXT NOT NULL, state TEXT NOT NULL,"
        " summary TEXT NOT NULL, entries INTEGER, head TEXT)"
    )
    database.execute(
        "CREATE TABLE entry (seq INTEGER PRIMARY KEY, kind TEXT NOT NULL CHECK (kind IN ('event', 'command')),"
        " at_ms INTEGER NOT NULL, type TEXT NOT NULL, body TEXT NOT NULL, chain TEXT NOT NULL)"
    )
    for change in ("UPDATE", "DELETE"):
        database.execute(
            f"CREATE TRIGGER no_{change.lower()} BEFORE {change} ON entry"
            " BEGIN SELECT RAISE(ABORT, 'the journal only grows'); END"
        )


def m002_epoch(database: sqlite3.Connection) -> None:
    """`run.epoch` counts the processes that have opened the journal for writing; only the last one may write."""
    database.execute("ALTER TABLE run ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0")


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (m001_runs_and_entries, m002_epoch)
VERSION = len(MIGRATIONS)


def migrate(database: sqlite3.Connection) -> None:
    """Bring an open file to the present version."""
    version: int = database.execute("PRAGMA user_version").fetchone()[0]
    for step in MIGRATIONS[version:]:
        step(database)
    database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    database.execute(f"PRAGMA user_version = {VERSION}")
