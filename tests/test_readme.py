"""What the README says is true: its commands exist and work, its plan is valid, its files are there."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from runner.cli.main import COMMANDS
from tests.cli.session import Session, bare_environment
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


def test_the_session_of_a_demo_run_works_as_typed(tmp_path: Path) -> None:
    """Both terminals of the section on trading, but for the port."""
    serve, typed = _trading()
    with exchange(tmp_path, serve) as rest:
        session = Session(tmp_path, _exported(typed, rest) | {"XDG_STATE_HOME": str(tmp_path / "state")})
        ended = [session(*words) for words in _commands(typed)]
        assert [one.code for one in ended] == [0, 0, 7], [one.err for one in ended]
        approve = re.search(r"--approve (\w+)", ended[-1].err)
        assert approve is not None and "nothing was sent" in ended[-1].err
        arguments = [*_commands(typed)[-1], "--approve", approve[1]]
        running = subprocess.Popen(
            [sys.executable, "-m", "runner", *arguments], cwd=tmp_path, env=bare_environment() | session.env,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        assert running.stdout is not None
        with running.stdout as said:
            for wanted, price in (
                ("accepted", "59900"), ("long.take_profit.2", "61200"), ("CANCELED, replaced", "62300"),
            ):
                assert any(wanted in line for line in said), wanted
                _move(rest, price)
            rest_of_it = said.read()
        assert running.wait(30) == 0, rest_of_it
        assert "done: " in rest_of_it


def _trading() -> tuple[str, list[str]]:
    """The line of the first terminal, and those of the second."""
    section = README.partition("## Trading")[2].partition("\n## ")[0]
    first, second = re.findall(r"^```\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    return first.splitlines()[-1], second.splitlines()


def _exported(typed: list[str], rest: str) -> dict[str, str]:
    pairs = [word.partition("=") for line in typed if line.startswith("export") for word in line.split()[1:]]
    own = re.escape("127.0.0.1:9001")
    place = rest.partition("://")[2]
    return {name: re.sub(own, place, value) for name, _, value in pairs} | {"NO_PROXY": "*"}


def _commands(typed: list[str]) -> list[list[str]]:
    words = [shlex.split(line)[1:] for line in typed if line.startswith("daksh-run")]
    return [[str(ROOT / word) if word.startswith("examples/") else word for word in line] for line in words]


@contextmanager
def exchange(folder: Path, line: str) -> Iterator[str]:
    """The README's exchange on a free port, until the end of the block."""
    words = [word if word != "9001" else "0" for word in shlex.split(line)[1:]]
    process = subprocess.Popen(
        [sys.executable, "-m", "runner", *words], cwd=folder, stdout=subprocess.PIPE, text=True, env=bare_environment(),
    )
    assert process.stdout is not None
    with process.stdout as said:
        try:
            yield next(found.group() for one in said if (found := re.search(r"http://[\d.:]+", one)))
        finally:
            process.terminate()
            process.wait(30)


def _move(rest: str, price: str) -> None:
    body = json.dumps({"symbol": "BTCUSDT", "price": price}).encode()
    request = Request(f"{rest}/sim/price", body, {"Content-Type": "application/json"}, method="POST")
    with urlopen(request, timeout=10) as answer:
        assert answer.status == 200
