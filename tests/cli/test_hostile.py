"""Files and pipes that mean harm: one clear line in time, the right exit code, no traceback."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.session import Ended, Session, bare_environment
from tests.conftest import ROOT

SECONDS = 2.0
HEAD = b"version: 1\nname: hostile\n"
MARKET = HEAD + b"steps:\n  - {id: a, symbol: BTCUSDT, entry: {side: BUY, type: MARKET, quantity: "


def _huge(path: Path) -> None:
    with path.open("wb") as file:
        for _ in range(100):
            file.write(b"# filling, filling, filling, fil\n" * 32_768)


def _laughs(path: Path) -> None:
    lines = ["a0: &a0 [lol]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    path.write_text("\n".join(lines))


FILES: dict[str, Callable[[Path], object]] = {
    "100 MB": _huge,
    "depth 10,000, flow": lambda path: path.write_bytes(HEAD + b"steps: " + b"[" * 10_000),
    "depth 10,000, flow maps": lambda path: path.write_bytes(HEAD + b"steps: " + b"{a: " * 10_000),
    "depth 10,000, blocks": lambda path: path.write_bytes(
        HEAD + b"steps:\n" + b"".join(b" " * n + b"a:\n" for n in range(1, 3_000)),
    ),
    "a billion laughs": _laughs,
    "binary": lambda path: path.write_bytes(bytes(range(256)) * 4_096),
    "zeros": lambda path: path.write_bytes(bytes(1_000_000)),
    "UTF-16": lambda path: path.write_bytes("version: 1\nname: ä\n".encode("utf-16")),
    "a 5,000-digit number": lambda path: path.write_bytes(
        MARKET + b"9" * 5_000 + b"}}\n",
    ),
    "a 5,000-digit exponent": lambda path: path.write_bytes(
        MARKET + b"1e" + b"9" * 5_000 + b"}}\n",
    ),
    "a 5,000-digit version": lambda path: path.write_bytes(b"version: " + b"1" * 5_000 + b"\nname: x\nsteps: []\n"),
    "one line of 8 MB": lambda path: path.write_bytes(b"name: " + b"x" * 8_000_000),
    "a key of 1 MB": lambda path: path.write_bytes(HEAD + b"? " + b"k" * 1_000_000 + b"\n: 1\n"),
    "nothing": lambda path: path.write_bytes(b""),
    "several documents": lambda path: path.write_bytes(b"--- {}\n" * 10_000),
    "a tag that runs code": lambda path: path.write_bytes(b"!!python/object/apply:os.system ['true']\n"),
}


def _timed(daksh: Session, *arguments: str) -> Ended:
    ended = daksh(*arguments, timeout=30)
    assert ended.seconds < SECONDS
    assert "Traceback" not in ended.out + ended.err
    assert max(map(len, (ended.out + ended.err).splitlines()), default=0) < 400
    return ended


@pytest.mark.parametrize(
    ("command", "file"),
    [(command, file) for command in ("validate", "run") for file in FILES]
    + [("preview", "100 MB"), ("graph", "100 MB")],
)
def test_a_hostile_plan_is_invalid_and_told_so_in_time(
    command: str, file: str, daksh: Session,
) -> None:
    FILES[file](daksh.folder / "plan.yaml")
    ended = _timed(daksh, command, "plan.yaml")
    assert ended.code == 3
    said = ended.out if command == "validate" else ended.err
    assert said.startswith("plan.yaml:")
    assert ": error[" in said.splitlines()[0]
    assert sorted(path.name for path in daksh.folder.iterdir()) == ["plan.yaml"]


def test_a_hostile_plan_on_standard_input_is_invalid_too(daksh: Session) -> None:
    ended = daksh("validate", "-", stdin=b"[" * 10_000_000)
    assert ended.seconds < SECONDS
    assert ended.code == 3 and ended.out.startswith("-:")


@pytest.mark.parametrize("command", ["run", "preview", "graph"])
def test_a_folder_where_a_plan_is_asked_for_is_wrong_usage(command: str, daksh: Session) -> None:
    (daksh.folder / "plan.yaml").mkdir()
    ended = _timed(daksh, command, "plan.yaml")
    assert ended.code == 2
    assert "plan.yaml: it is a folder" in ended.err.splitlines()[0]


def test_a_folder_without_plans_is_wrong_usage(daksh: Session) -> None:
    ended = _timed(daksh, "validate", ".")
    assert ended.code == 2
    assert "there is no .yaml or .yml file" in ended.err


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("command", ["validate", "run", "preview", "graph"])
def test_a_plan_that_may_not_be_read_is_the_environments(command: str, daksh: Session) -> None:
    plan = daksh.folder / "plan.yaml"
    plan.write_bytes(HEAD)
    plan.chmod(0)
    ended = _timed(daksh, command, "plan.yaml")
    assert ended.code == 4
    assert ended.err.splitlines()[0] == "error: plan.yaml: permission denied"


@pytest.mark.parametrize("name", ["missing.yaml", "plan\n.yaml", "x" * 5_000 + ".yaml"])
def test_a_plan_that_is_not_there_is_one_line(name: str, daksh: Session) -> None:
    ended = daksh("run", name)
    assert ended.code in (2, 4)
    assert "Traceback" not in ended.err and ended.err.startswith("error: ")


@pytest.mark.parametrize("file", ["data", "instruments"])
def test_a_broken_file_beside_the_plan_is_the_environments(file: str, daksh: Session) -> None:
    (daksh.folder / "junk").write_bytes(bytes(range(256)) * 4_096)
    ended = _timed(daksh, "run", str(ROOT / "examples" / "bracket.yaml"), f"--{file}", "junk")
    assert ended.code == 4
    assert ended.err.startswith("error: ") and "junk" in ended.err


CLOSED = {
    "schema": (["schema"], 0),
    "graph": (["graph", "good.yaml", "--as", "json"], 0),
    "validate, invalid": (["validate", "bad.yaml"], 3),
    "run": (["run", "good.yaml"], 0),
    "help": (["--help"], 0),
    "run --help": (["run", "--help"], 0),
}


@pytest.mark.parametrize(("arguments", "code"), CLOSED.values(), ids=CLOSED)
def test_a_reader_that_goes_away_ends_the_output_without_a_word(
    arguments: list[str], code: int, daksh: Session,
) -> None:
    (daksh.folder / "good.yaml").write_bytes((ROOT / "examples" / "bracket.yaml").read_bytes())
    (daksh.folder / "bad.yaml").write_bytes(HEAD + b"steps: []\nwrong: 1\n")
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "runner", *arguments], cwd=daksh.folder, stdin=subprocess.DEVNULL, stdout=writing,
            stderr=subprocess.PIPE, env=bare_environment(), timeout=30, check=False,
        )
    finally:
        os.close(writing)
    assert ended.returncode == code
    assert b"Traceback" not in ended.stderr and b"Broken" not in ended.stderr and b"error:" not in ended.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_result_that_cannot_be_written_is_the_environments(daksh: Session) -> None:
    with open("/dev/full", "wb") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "runner", "schema"], cwd=daksh.folder, stdin=subprocess.DEVNULL, stdout=full,
            stderr=subprocess.PIPE, env=bare_environment(), timeout=30, check=False,
        )
    assert ended.returncode == 4
    assert ended.stderr.startswith(b"error: no space left on device\n")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl-c", "term"])
def test_a_signal_ends_the_command_with_its_code_and_one_line(number: int, code: int, daksh: Session) -> None:
    pipe = daksh.folder / "plan.yaml"
    os.mkfifo(pipe)
    process = subprocess.Popen(
        [sys.executable, "-m", "runner", "run", "plan.yaml"], cwd=daksh.folder, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=bare_environment() | {"PYTHONWARNINGS": ""},
    )
    with pipe.open("wb"):  # opens as soon as the command has begun to read its plan
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert process.returncode == code
    assert out == b"" and len(err.strip().splitlines()) == 1 and b"nothing was sent" in err


def test_closed_standard_streams_are_no_bug(daksh: Session) -> None:
    for closing in ("<&-", ">&-", "2>&-"):
        ended = subprocess.run(
            ["sh", "-c", f'exec "$0" -m runner validate - {closing}', sys.executable], cwd=daksh.folder,
            input=HEAD if closing != "<&-" else None, capture_output=True, env=bare_environment(), timeout=30,
            check=False,
        )
        assert ended.returncode == (2 if closing == "<&-" else 3), (closing, ended.stderr)
        assert b"Traceback" not in ended.stderr
