import errno
import os
import re
from pathlib import Path

import click
import pytest

from runner import errors
from runner.cli import console, exits
from runner.cli.exits import Exit
from tests.conftest import ROOT


def test_every_error_of_the_tree_has_an_exit_code_of_its_own() -> None:
    kinds = errors.DakshError.__subclasses__()
    assert set(kinds) == set(exits._OF_ERROR)
    assert exits.of_error(errors.InternalError("x")) is Exit.BUG


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.UsageError("x"), 2),
        (errors.PlanInvalid("x"), 3),
        (errors.EnvironmentFault("x"), 4),
        (errors.JournalError("x"), 4),
        (errors.OutcomeUnknown("x"), 5),
        (errors.LockedElsewhere("x"), 6),
        (errors.Refused("x"), 7),
        (errors.InternalError("x"), 70),
        (errors.DakshError("x"), 70),
        (click.UsageError("x"), 2),
        (click.BadParameter("x"), 2),
        (click.Abort(), 130),
        (KeyboardInterrupt(), 130),
        (exits.Terminated(), 143),
        (PermissionError(errno.EACCES, "Permission denied", "plan.yaml"), 4),
        (OSError(errno.ENOSPC, "No space left on device"), 4),
        (OSError("no number"), 70),
        (ZeroDivisionError(), 70),
        (ModuleNotFoundError(name="binance.ws"), 4),
        (ModuleNotFoundError(name="runner.of_ours"), 70),
        (MemoryError(), 70),
        (RecursionError(), 70),
    ],
)
def test_each_end_has_its_code(error: BaseException, code: int) -> None:
    assert exits.of_error(error) == code


def test_of_several_files_the_gravest_code_wins_in_the_order_of_the_design() -> None:
    order = [70, 5, 143, 130, 1, 7, 6, 4, 3, 2, 0]
    for place, code in enumerate(order):
        assert exits.gravest(order[place:]) == code
        assert exits.gravest(reversed(order[place:])) == code
    assert exits.gravest([]) is Exit.OK


def test_a_run_whose_data_ended_fails_only_where_an_end_is_required() -> None:
    assert exits.of_run("open") is Exit.OK
    assert exits.of_run("open", require_end=True) is Exit.FAILED
    assert exits.of_run("succeeded", require_end=True) is Exit.OK
    assert exits.of_run("failed") is Exit.FAILED


def test_the_readme_lists_every_code() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    listed = {int(code) for row in re.findall(r"^\| ([\d, ]+) \|", readme, re.MULTILINE) for code in row.split(",")}
    assert listed == {int(code) for code in Exit}


def test_a_package_that_only_trading_needs_is_asked_for_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    console.prepare()
    assert exits.report(ModuleNotFoundError("No module named 'aiohttp'", name="aiohttp"), []) == 4
    assert capsys.readouterr().err == (
        "error: demo and live runs need the package aiohttp, which is not installed\n"
        "  pip install 'daksh-run[live]'\n"
    )


def test_a_bug_is_one_line_and_a_report_in_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    console.prepare()
    try:
        raise ZeroDivisionError("of our own")
    except ZeroDivisionError as error:
        assert exits.report(error, ["run", "plan.yaml"]) == 70
    said = capsys.readouterr().err
    assert said.splitlines()[0] == "error: a bug in daksh-run (ZeroDivisionError: of our own)"
    assert "Traceback" not in said
    (report,) = tmp_path.glob("daksh-run-crash-*.txt")
    assert str(report) in said
    text = report.read_text(encoding="utf-8")
    assert "ZeroDivisionError: of our own" in text and "'plan.yaml'" in text


def test_no_key_is_in_what_a_bug_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("BINANCE_API_KEY", "key-hush")
    monkeypatch.setenv("BINANCE_API_SECRET", "secret-hush")
    console.prepare()
    console.active.verbosity = 1
    assert exits.report(ValueError("signed with secret-hush by key-hush"), ["run"]) == 70
    (report,) = tmp_path.iterdir()
    assert "hush" not in capsys.readouterr().err + report.read_text(encoding="utf-8")


def test_a_bug_shows_its_traceback_to_those_who_ask_for_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    console.prepare()
    console.active.verbosity = 1
    assert exits.report(ZeroDivisionError("x"), []) == 70
    assert "ZeroDivisionError: x" in capsys.readouterr().err.splitlines()[-2]


def test_an_os_error_names_the_file_and_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    console.prepare()
    assert exits.report(PermissionError(errno.EACCES, os.strerror(errno.EACCES), "plan.yaml"), []) == 4
    assert capsys.readouterr().err == "error: plan.yaml: permission denied\n"


def test_an_error_in_json_is_one_document_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    import json

    console.prepare()
    console.active.json = True
    assert exits.report(errors.Refused("no", hint="do that"), []) == 7
    captured = capsys.readouterr()
    assert json.loads(captured.out) == {"error": {"message": "no", "hint": "do that", "exit_code": 7}}
    assert captured.err == "error: no\n  do that\n"
