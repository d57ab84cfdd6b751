"""A journal keeps what it was given, notices every change, and says plainly what is wrong with a file."""

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.domain.commands import Command, SetTimer, StepStarted
from runner.domain.events import DataEnded, Event, RunStarted, TimerFired
from runner.errors import EnvironmentFault, JournalError, LockedElsewhere
from runner.journal.store import Durability, Entry, JournalReader, JournalWriter, RunFacts, RunRow

FACTS = RunFacts("d1", "breakout", "dryrun", "9f31c2", 7, "none", 1_700_000_000_000, "{}", "{}")
DRY = Durability("OFF", 1000)
ENTRIES: list[tuple[int, Event | Command]] = [
    (10, RunStarted(10, "d1", 7)), (10, StepStarted("a")), (10, SetTimer("t", 20)), (20, TimerFired(20, "t")),
    (30, DataEnded(30)),
]


def written(path: Path, *, durability: Durability = DRY, end: bool = True) -> Path:
    path.touch()
    writer = JournalWriter.begin(path, FACTS, durability)
    for at_ms, value in ENTRIES:
        writer.append(at_ms, value)
    if end:
        writer.mark("open", '{"orders":0}')
    writer.close()
    return path


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return written(tmp_path / "run.sqlite")


@pytest.fixture
def reader(journal: Path) -> Iterator[JournalReader]:
    reader = JournalReader(journal)
    yield reader
    reader.close()


def spoil(journal: Path, *changes: str) -> None:
    database = sqlite3.connect(journal)
    database.execute("DROP TRIGGER no_update")
    database.execute("DROP TRIGGER no_delete")
    for change in changes:
        database.execute(change)
    database.commit()
    database.close()


def test_what_is_written_is_read_back(reader: JournalReader) -> None:
    assert reader.run() == RunRow(FACTS, "open", '{"orders":0}')
    assert list(reader.entries()) == [Entry(n, at_ms, value) for n, (at_ms, value) in enumerate(ENTRIES, 1)]
    assert reader.verify() == len(ENTRIES)


def test_a_run_that_has_not_ended_can_be_read(tmp_path: Path) -> None:
    reader = JournalReader(written(tmp_path / "run.sqlite", durability=Durability("FULL", 1), end=False))
    assert reader.run().state == "running"
    assert reader.verify() == len(ENTRIES)
    reader.close()


def test_a_batch_is_on_disk_as_soon_as_it_is_full(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    path.touch()
    writer = JournalWriter.begin(path, FACTS, Durability("OFF", 2))
    for at_ms, value in ENTRIES[:3]:
        writer.append(at_ms, value)
    reader = JournalReader(path)
    assert len(list(reader.entries())) == 2
    writer.commit()
    assert len(list(reader.entries())) == 3
    reader.close()
    writer.close()


def test_entries_cannot_be_changed_by_the_way(journal: Path) -> None:
    database = sqlite3.connect(journal)
    for change in ("UPDATE entry SET at_ms = 0", "DELETE FROM entry"):
        with pytest.raises(sqlite3.IntegrityError, match="only grows"):
            database.execute(change)
    database.close()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE entry SET body = '{\"at_ms\":21,\"timer_id\":\"t\"}' WHERE seq = 4",
        "UPDATE entry SET type = 'DataEnded' WHERE seq = 4",
        "UPDATE entry SET at_ms = 21 WHERE seq = 4",
        "UPDATE entry SET kind = 'command' WHERE seq = 4",
        "DELETE FROM entry WHERE seq = 3",
        "DELETE FROM entry WHERE seq = 5",
        "UPDATE entry SET seq = 6 WHERE seq = 5",
        "UPDATE run SET seed = 8",
        "UPDATE run SET entries = 4",
    ],
)
def test_every_change_breaks_the_chain(journal: Path, change: str) -> None:
    spoil(journal, change)
    reader = JournalReader(journal)
    with pytest.raises(JournalError, match=r"not as it was written|are left of"):
        reader.verify()
    reader.close()


def test_a_missing_journal_is_named(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match="no journal"):
        JournalReader(tmp_path / "none.sqlite")


@pytest.mark.parametrize("content", [b"", b"not a database at all, but long enough to be looked at" * 40])
def test_a_foreign_file_is_no_journal(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "run.sqlite"
    path.write_bytes(content)
    with pytest.raises(JournalError):
        JournalReader(path)


def test_another_programs_database_is_no_journal(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE run (name TEXT)")
    database.close()
    with pytest.raises(JournalError, match="not a journal"):
        JournalReader(path)


def test_a_newer_journal_is_left_alone(journal: Path) -> None:
    database = sqlite3.connect(journal)
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(JournalError, match="version 99"):
        JournalReader(journal)


def test_a_journal_that_was_cut_off_says_so(journal: Path) -> None:
    content = journal.read_bytes()
    journal.write_bytes(content[: len(content) // 2])
    with pytest.raises(JournalError, match="damaged"):
        reader = JournalReader(journal)
        try:
            reader.verify()
        finally:
            reader.close()


def test_a_journal_without_its_tables_or_its_row_is_damaged(tmp_path: Path) -> None:
    first, second = written(tmp_path / "a.sqlite"), written(tmp_path / "b.sqlite")
    spoil(first, "DROP TABLE run")
    spoil(second, "DELETE FROM run")
    for path in (first, second):
        reader = JournalReader(path)
        with pytest.raises(JournalError):
            reader.run()
        reader.close()


def test_a_text_that_is_no_entry_is_damage(journal: Path) -> None:
    spoil(journal, "UPDATE entry SET body = '{}' WHERE seq = 4")
    reader = JournalReader(journal)
    with pytest.raises(JournalError, match="TimerFired"):
        list(reader.entries())
    reader.close()


def test_a_journal_that_another_process_holds_is_locked(journal: Path) -> None:
    holder = sqlite3.connect(journal, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(LockedElsewhere):
        JournalReader(journal, patience_s=0.0).run()
    holder.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_journal_that_may_not_be_read_says_so(journal: Path) -> None:
    journal.chmod(0)
    with pytest.raises(EnvironmentFault, match="read"):
        JournalReader(journal)


def test_a_failed_write_leaves_the_journal_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    path.touch()
    writer = JournalWriter.begin(path, FACTS, DRY)
    writer.append(10, RunStarted(10, "d1", 7))
    writer.commit()
    limiter = sqlite3.connect(path)
    limiter.execute("INSERT INTO entry VALUES (2, 'event', 1, 'DataEnded', '{}', '')")
    limiter.commit()
    limiter.close()
    writer.append(20, DataEnded(20))
    with pytest.raises(JournalError):
        writer.commit()
    writer.close()


def test_a_file_that_is_no_empty_one_is_not_written_to(journal: Path, tmp_path: Path) -> None:
    before = journal.read_bytes()
    with pytest.raises(JournalError):
        JournalWriter.begin(journal, FACTS, DRY)
    assert journal.read_bytes() == before
    with pytest.raises(EnvironmentFault, match="written"):
        JournalWriter.begin(tmp_path / "none.sqlite", FACTS, DRY)
