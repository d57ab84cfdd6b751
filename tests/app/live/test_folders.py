"""Where live runs are kept, what they are called, and which one is meant."""

from pathlib import Path

import pytest

from runner.app.live.folders import account_folder, find_live, live_run_id, live_state_dirs
from runner.domain.values import base36
from runner.engine.ids import MAX_LENGTH, OrderKey, client_order_id, order_key
from runner.errors import EnvironmentFault, UsageError
from runner.journal.folder import StateFolder


def made(home: Path, mode: str, tag: str, *run_ids: str) -> None:
    folder = StateFolder(account_folder(home, mode, tag))
    for run_id in run_ids:
        folder.new_run(run_id, numbered=True)


def test_each_mode_and_account_has_a_folder(tmp_path: Path) -> None:
    assert live_state_dirs(tmp_path / "none") == []
    made(tmp_path, "live", "SgsR", "rsgsr1")
    made(tmp_path, "demo", "Xy-/9", "rxy1")
    (tmp_path / "notes").mkdir()
    assert [path.name for path in live_state_dirs(tmp_path)] == ["demo-Xy9", "live-SgsR"]


def test_an_account_without_a_name_has_none(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFault, match="names nothing"):
        account_folder(tmp_path, "demo", "//")


def test_client_order_ids_of_the_largest_plans_fit_and_are_read_back() -> None:
    run_id = live_run_id("SgsRoCAuFzSgSgTi", 2_800_000_000_000) + base36(999_999)
    key = OrderKey(run_id, 20_000 * 100, 0, 46_655, 3)
    text = client_order_id(key)
    assert len(text) <= MAX_LENGTH
    assert order_key(text) == key


def test_a_run_is_found_by_its_number_its_id_or_the_beginning_of_its_id(tmp_path: Path) -> None:
    made(tmp_path, "demo", "abcd", "rabcdx")
    made(tmp_path, "live", "efgh", "refghx", "refghy")
    for run in ("rabcdx1", "rab"):
        assert find_live(tmp_path, run).mode == "demo"
    found = find_live(tmp_path, "2")
    assert (found.mode, found.folder.name, found.file.run_id) == ("live", "live-efgh", "refghy2")


@pytest.mark.parametrize("run", ["1", "refgh", "r"])
def test_what_may_mean_several_runs_is_asked_about(tmp_path: Path, run: str) -> None:
    made(tmp_path, "demo", "abcd", "rabcdx")
    made(tmp_path, "live", "efgh", "refghx", "refghy")
    with pytest.raises(UsageError, match="may be any of") as caught:
        find_live(tmp_path, run)
    assert "more of the id" in caught.value.hint


@pytest.mark.parametrize("run", ["", "7", "dabc"])
def test_a_run_that_is_not_there_is_named(tmp_path: Path, run: str) -> None:
    made(tmp_path, "demo", "abcd", "rabcdx")
    with pytest.raises(UsageError, match="there is no live run"):
        find_live(tmp_path, run)
