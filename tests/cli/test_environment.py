import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.cli import environment
from runner.errors import UsageError


@pytest.fixture(autouse=True)
def _no_file() -> Iterator[None]:
    """What one test's `.env` says is nothing to the next."""
    yield
    environment._of_file.clear()


def test_a_dotenv_file_sets_what_the_environment_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MODE", "dryrun")
    (tmp_path / ".env").write_text("MODE=live\nDEFAULT_SYMBOL=ETHUSDT\nPATH=/nowhere\nDAKSH_STATE_DIR=\n")
    environment.load()
    assert environment.mode(None) == "dryrun"
    assert environment.default_symbol() == "ETHUSDT"
    assert environment.state_dir(None) == Path(".daksh")
    assert environment.variable("PATH") == os.environ["PATH"]


def test_what_a_dotenv_file_says_is_not_inherited_by_other_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("BINANCE_API_KEY=key\nBINANCE_API_SECRET=hidden\n")
    environment.load()
    assert environment.variable("BINANCE_API_SECRET") == "hidden"
    assert "hidden" not in os.environ.values()


def test_the_mode_is_the_option_then_the_variable_then_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert environment.mode(None) == "dryrun"
    assert environment.mode(None, "demo") == "demo"
    monkeypatch.setenv("MODE", "live")
    assert environment.mode(None) == "live"
    assert environment.mode("demo") == "demo"


def test_an_unknown_mode_in_the_environment_is_wrong_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODE", "LIVE!")
    with pytest.raises(UsageError, match="MODE='LIVE!'"):
        environment.mode(None)


def test_live_state_is_below_the_users_state_folder_whatever_folder_one_stands_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert environment.state_home() == tmp_path / ".local" / "state" / "daksh-run"
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    assert environment.state_home() == tmp_path / ".local" / "state" / "daksh-run"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert environment.state_home() == tmp_path / "state" / "daksh-run"


def test_the_state_folder_is_the_option_then_the_variable_then_where_one_stands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert environment.state_dir(None) == Path(".daksh")
    monkeypatch.setenv("DAKSH_STATE_DIR", "there")
    assert environment.state_dir(None) == Path("there")
    assert environment.state_dir(Path("here")) == Path("here")
