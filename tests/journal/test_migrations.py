"""An old file becomes a present one, step by step, and only once."""

import sqlite3

from runner.journal.migrations import APPLICATION_ID, MIGRATIONS, VERSION, migrate


def test_an_empty_file_becomes_a_journal_and_stays_one() -> None:
    database = sqlite3.connect(":memory:")
    for _ in range(2):
        migrate(database)
        assert database.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        assert database.execute("PRAGMA user_version").fetchone() == (VERSION,)
    tables = {name for name, in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert tables == {"run", "entry"}
    database.close()


def test_the_version_counts_the_steps() -> None:
    assert len(MIGRATIONS) == VERSION
    assert [step.__name__[:4] for step in MIGRATIONS] == [f"m{number:03d}" for number in range(1, VERSION + 1)]
