"""A lock keeps every other process out, and is gone with the one that held it."""

import subprocess
import sys
from pathlib import Path

import pytest

from runner.errors import EnvironmentFault, LockedElsewhere
from runner.journal.locks import held, is_held

BUSY = LockedElsewhere("another live run trades BTCUSDT on this account")
HOLDER = """\
import sys
from pathlib import Path
from runner.errors import LockedElsewhere
from runner.journal.locks import held
with held(Path(sys.argv[1]), LockedElsewhere("busy")):
    print("held", flush=True)
    sys.stdin.read()
"""


def holder(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_lock_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "locks" / "BTCUSDT.lock"
    assert not is_held(path)
    with held(path, BUSY):
        assert is_held(path)
        with pytest.raises(LockedElsewhere, match="trades BTCUSDT"), held(path, BUSY):
            pass
        assert is_held(path)
    assert not is_held(path)
    with held(path, BUSY):
        pass


def test_a_lock_of_a_process_that_was_killed_is_free(tmp_path: Path) -> None:
    path = tmp_path / "run.lock"
    with holder(path) as process:
        assert is_held(path)
        with pytest.raises(LockedElsewhere), held(path, BUSY):
            pass
        process.kill()
        process.wait()
        assert not is_held(path)
        with held(path, BUSY):
            pass


def test_a_place_that_cannot_be_locked_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "run.lock"
    with pytest.raises(EnvironmentFault, match=r"run\.lock cannot be locked"), held(path, BUSY):
        pass
