"""What the README says is true: its commands exist and work, its plan is valid, its files are there."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from runner.cli.main import COMMANDS
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
FENCES = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
LINES = [line for language, text in FENCES if language != "yaml" for line in text.splitlines()]


def _run(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "runner", *arguments], cwd=folder, capture_output=True, text=True, timeout=60,
        stdin=subprocess.DEVNULL, check=False,
    )


def test_the_first_two_commands_are_the_ones_that_ci_runs() -> None:
    setup, tests = [line for line in LINES if re.match(r"python3 -m venv|\.venv/bin/pip", line)]
    assert setup == (
        "python3 -m venv .venv && .venv/bin/pip install -q . && .venv/bin/daksh-run examples/bracket.yaml"
    )
    assert "pip install" in tests and "-m pytest" in tests
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "readme_command 1" in script and "readme_command 2" in script


def test_the_first_plan_is_valid_and_runs(tmp_path: Path) -> None:
    (plan,) = [text for language, text in FENCES if language == "yaml"]
    (tmp_path / "first.yaml").write_text(plan, encoding="utf-8")
    assert _run(["validate", "first.yaml"], tmp_path).returncode == 0
    found = _run(["first.yaml"], tmp_path)
    assert found.returncode == 0, found.stderr


@pytest.mark.parametrize("line", [line for line in LINES if line.startswith("daksh-run order")])
def test_an_order_of_the_readme_runs_as_typed(line: str, tmp_path: Path) -> None:
    found = _run(shlex.split(line)[1:], tmp_path)
    assert found.returncode == 0, found.stderr
    assert found.stdout.splitlines()[-1].startswith("OK: ")


def test_the_command_on_real_data_runs_as_typed(tmp_path: Path, shared_data: Path) -> None:
    (line,) = [line for line in LINES if "--data" in line]
    words = shlex.split(line)[1:]
    words[0] = str(ROOT / words[0])
    name = words[words.index("--data") + 1]
    words[words.index("--data") + 1] = str(shared_data / name)
    found = _run(words, tmp_path)
    assert found.returncode == 0, found.stderr
    assert name in found.stdout


def test_every_command_is_named() -> None:
    assert {name for name in COMMANDS if f"`daksh-run {name}" not in README and name != "run"} == set()
    assert "`daksh-run run PLAN`" in README


def test_every_file_and_link_that_it_names_is_there() -> None:
    named = set(re.findall(r"\]\(([^)#]+)\)", README))
    named |= set(re.findall(r"`((?:docs|benchmarks|examples)/[^`]*)`", README))
    for name in named:
        if "://" not in name:
            assert (ROOT / name).exists(), name


def test_every_example_is_named() -> None:
    for example in (ROOT / "examples").glob("*.yaml"):
        assert f"examples/{example.name}" in README
