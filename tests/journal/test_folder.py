"""The state folder: numbers are given once, lines are never lost, and faults say what to do."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from runner.errors import EnvironmentFault, LockedElsewhere
from runner.journal import folder
from runner.journal.folder import RunFile, StateFolder


def test_runs_are_numbered_from_one(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / "state")
    assert state.runs() == []
    first, second = state.new_run("da"), state.new_run("da")
    assert (first.number, second.number) == (1, 2)
    assert first.path.name == "000001-da.sqlite"
    assert state.runs() == [first, second]


def test_other_files_are_no_runs(tmp_path: Path) -> None:
    state = StateFolder(tmp_path)
    (tmp_path / "runs").mkdir()
    for name in ("notes.txt", "7.sqlite", "000007-d1.sqlite-journal", "x-d1.sqlite"):
        (tmp_path / "runs" / name).touch()
    (tmp_path / "runs" / "000009-d1.sqlite").touch()
    assert state.runs() == [RunFile(9, "d1", tmp_path / "runs" / "000009-d1.sqlite")]
    assert state.new_run("d2").number == 10


def test_a_head_is_written_once(tmp_path: Path) -> None:
    state = StateFolder(tmp_path)
    state.append(state.trades, "1\n", head="a\n")
    state.append(state.trades, "2\n", head="a\n")
    assert state.trades.read_text() == "a\n1\n2\n"
    state.replace(state.trades, "a\n3\n")
    assert state.trades.read_text() == "a\n3\n"


def test_processes_side_by_side_lose_nothing(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from runner.journal.folder import StateFolder\n"
        "state = StateFolder(Path(sys.argv[1]))\n"
        "for n in range(40):\n"
        "    number = state.new_run(sys.argv[2]).number\n"
        "    state.append(state.trades, f'{sys.argv[2]},{number}\\n' * 50, head='who,number\\n')\n"
    )
    runs = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path), name]) for name in ("da", "db")]
    assert [run.wait() for run in runs] == [0, 0]
    head, *lines = StateFolder(tmp_path).trades.read_text().splitlines()
    assert head == "who,number"
    assert len(lines) == 2 * 40 * 50
    assert all(len(set(lines[start : start + 50])) == 1 for start in range(0, len(lines), 50))
    numbers = [int(line.split(",")[1]) for line in lines[::50]]
    assert sorted(numbers) == list(range(1, 81))
    assert sorted(run.number for run in StateFolder(tmp_path).runs()) == list(range(1, 81))


def test_a_file_in_the_folders_place_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    with pytest.raises(EnvironmentFault, match="state") as fault:
        StateFolder(tmp_path / "state").new_run("d1")
    assert "--state-dir" in fault.value.hint


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_a_fault(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(EnvironmentFault, match="cannot be written"):
            StateFolder(tmp_path).new_run("d1")
    finally:
        tmp_path.chmod(0o700)


def test_a_folder_that_another_process_holds_is_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "LOCK_SECONDS", 0)
    holder = sqlite3.connect(tmp_path / ".lock", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(LockedElsewhere, match="lock"):
        StateFolder(tmp_path).new_run("d1")
    holder.close()
    assert StateFolder(tmp_path).new_run("d1").number == 1


def test_the_lock_goes_with_the_process_that_held_it(tmp_path: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path; from runner.journal.folder import StateFolder\n"
        "with StateFolder(Path(sys.argv[1]))._locked(): os._exit(9)\n"
    )
    assert subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False).returncode == 9
    assert StateFolder(tmp_path).new_run("d1").number == 1


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_a_full_disk_is_a_fault(tmp_path: Path) -> None:
    state = StateFolder(tmp_path)
    state.trades.symlink_to("/dev/full")
    with pytest.raises(EnvironmentFault, match="space"):
        state.append(state.trades, "1\n")


def test_a_name_that_is_no_text_is_written_all_the_same(tmp_path: Path) -> None:
    state = StateFolder(tmp_path)
    state.append(state.log, "data-\udcff.csv\n")
    assert state.log.read_text() == "data-\\udcff.csv\n"
