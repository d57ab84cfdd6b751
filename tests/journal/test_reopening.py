"""A journal goes on in the same file, and only for the process that opened it last."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from runner.domain.events import DataEnded, RunStarted, TimerFired
from runner.errors import EnvironmentFault, JournalError, LockedElsewhere
from runner.journal.migrations import APPLICATION_ID, m001_runs_and_entries
from runner.journal.store import Durability, JournalReader, JournalWriter, RunFacts

FACTS = RunFacts("r1", "breakout", "demo", "9f31c2", 7, "none", 1_700_000_000_000, "{}", "{}")
LIVE = Durability("FULL", 1000)


def begun(path: Path) -> JournalWriter:
    path.touch()
    writer = JournalWriter.begin(path, FACTS, LIVE)
    writer.append(10, RunStarted(10, "r1", 7))
    writer.commit()
    return writer


def read(path: Path) -> tuple[str, list[object], int]:
    with closing(JournalReader(path)) as reader:
        return reader.run().state, [entry.value for entry in reader.entries()], reader.verify()


def test_a_journal_goes_on_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    first = begun(path)
    first.mark("interrupted", "{}")
    first.close()
    again = JournalWriter.reopen(path, LIVE)
    assert read(path)[0] == "interrupted"
    again.append(20, TimerFired(20, "t"))
    again.mark("running")
    assert read(path) == ("running", [RunStarted(10, "r1", 7), TimerFired(20, "t")], 2)
    again.append(30, DataEnded(30))
    again.mark("succeeded", "{}")
    again.close()
    assert read(path)[::2] == ("succeeded", 3)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["run.sqlite"]


def test_a_journal_without_entries_goes_on_too(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    path.touch()
    JournalWriter.begin(path, FACTS, LIVE).close()
    again = JournalWriter.reopen(path, LIVE)
    again.append(10, RunStarted(10, "r1", 7))
    again.commit()
    again.close()
    assert read(path) == ("running", [RunStarted(10, "r1", 7)], 1)


def test_who_opened_it_before_can_add_nothing_any_more(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    stale = begun(path)
    again = JournalWriter.reopen(path, LIVE)
    stale.append(20, TimerFired(20, "stale"))
    for write in (stale.commit, lambda: stale.mark("succeeded")):
        with pytest.raises(LockedElsewhere, match="taken the run"):
            write()
    stale.close()
    again.append(20, TimerFired(20, "fresh"))
    again.commit()
    again.close()
    assert read(path)[1:] == ([RunStarted(10, "r1", 7), TimerFired(20, "fresh")], 2)


def test_a_file_cut_off_while_the_run_goes_on_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    writer = begun(path)
    writer.append(20, TimerFired(20, "t"))
    writer.commit()
    writer.close()
    with closing(sqlite3.connect(path)) as database:
        database.execute("DROP TRIGGER no_delete")
        database.execute("DELETE FROM entry WHERE seq = 2")
        database.commit()
    with pytest.raises(JournalError, match="1 entries are left of 2"):
        read(path)


def test_a_file_of_version_1_is_read_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        m001_runs_and_entries(database)
        database.execute(
            f"INSERT INTO run VALUES (1, {', '.join('?' * len(FACTS))}, 'running', '', NULL, NULL)", FACTS,
        )
        database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        database.execute("PRAGMA user_version = 1")
    assert read(path) == ("running", [], 0)
    again = JournalWriter.reopen(path, LIVE)
    again.append(10, RunStarted(10, "r1", 7))
    again.commit()
    again.close()
    assert read(path) == ("running", [RunStarted(10, "r1", 7)], 1)


@pytest.mark.parametrize("content", [b"", b"not a database at all, but long enough to be looked at" * 40])
def test_what_is_no_journal_is_not_gone_on_with(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "run.sqlite"
    path.write_bytes(content)
    with pytest.raises(JournalError):
        JournalWriter.reopen(path, LIVE)
    assert path.read_bytes() == content
    with pytest.raises(EnvironmentFault, match="written"):
        JournalWriter.reopen(tmp_path / "none.sqlite", LIVE)


def test_who_reads_a_long_journal_does_not_hold_up_its_writer(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    writer = begun(path)
    for number in range(2, 300):
        writer.append(number, TimerFired(number, "t"))
    writer.commit()
    with closing(JournalReader(path)) as reader:
        entries = reader.entries()
        next(entries)
        writer.append(300, DataEnded(300))
        writer.commit()
        assert len(list(entries)) == 298
    writer.close()
    assert read(path)[2] == 300


def test_what_was_committed_outlives_the_process(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    program = (
        "import os, signal\n"
        "from pathlib import Path\n"
        "from tests.journal.test_reopening import begun\n"
        "from runner.domain.events import DataEnded\n"
        f"writer = begun(Path({str(path)!r}))\n"
        "writer.append(20, DataEnded(20))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    died = subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[2], timeout=60, check=False)
    assert died.returncode == -signal.SIGKILL
    for lost in tmp_path.glob("*-shm"):  # the index of the log, which no restart of the machine leaves there
        lost.unlink()
    assert read(path) == ("running", [RunStarted(10, "r1", 7)], 1)
    JournalWriter.reopen(path, LIVE).close()
    assert read(path) == ("running", [RunStarted(10, "r1", 7)], 1)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_journal_that_may_not_be_written_says_so(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    begun(path).close()
    path.chmod(0o400)
    with pytest.raises(EnvironmentFault, match="written"):
        JournalWriter.reopen(path, LIVE)
