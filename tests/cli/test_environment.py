from pathlib import Path

import pytest

from runner.cli import environment
from runner.errors import Refused, UsageError


def test_a_dotenv_file_sets_what_the_environment_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.environ", {"MODE": "dryrun"})
    (tmp_path / ".env").write_text("MODE=live\nDEFAULT_SYMBOL=ETHUSDT\nPATH=/nowhere\nDAKSH_STATE_DIR=\n")
    environment.load()
    environment.require_dry_run(None)
    assert environment.default_symbol() == "ETHUSDT"
    assert environment.state_dir(None) == Path(".daksh")
    assert "PATH" not in environment.os.environ


@pytest.mark.parametrize("mode", ["live", "demo"])
def test_a_mode_that_is_not_built_is_refused(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Refused, match="nothing was sent"):
        environment.require_dry_run(mode)
    monkeypatch.setenv("MODE", mode)
    with pytest.raises(Refused):
        environment.require_dry_run(None)
    environment.require_dry_run("dryrun")


def test_an_unknown_mode_in_the_environment_is_wrong_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODE", "LIVE!")
    with pytest.raises(UsageError, match="MODE='LIVE!'"):
        environment.require_dry_run(None)


def test_the_state_folder_is_the_option_then_the_variable_then_where_one_stands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert environment.state_dir(None) == Path(".daksh")
    monkeypatch.setenv("DAKSH_STATE_DIR", "there")
    assert environment.state_dir(None) == Path("there")
    assert environment.state_dir(Path("here")) == Path("here")
