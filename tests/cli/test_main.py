import importlib
import json
import subprocess
import sys
from pathlib import Path

import click
import pytest

from runner.cli.main import COMMANDS
from tests.cli.session import Session, bare_environment
from tests.conftest import ROOT

EXAMPLE = ROOT / "examples" / "bracket.yaml"
HEAVY = ("binance", "aiohttp", "cryptography", "filelock", "requests", "numpy", "jsonschema", "asyncio", "loguru",
         "rich", "websockets")


def _commands() -> list[tuple[str, click.Command]]:
    found: list[tuple[str, click.Command]] = []
    for name in COMMANDS:
        command = importlib.import_module(f"runner.cli.commands.{name}").command
        found.append((name, command))
        if isinstance(command, click.Group):
            found += [(f"{name} {sub}", one) for sub, one in command.commands.items()]
    return found


@pytest.mark.parametrize(("name", "command"), _commands(), ids=lambda part: part if isinstance(part, str) else "")
def test_every_command_has_a_help_with_an_example_that_calls_it(name: str, command: click.Command) -> None:
    assert command.name == name.split()[-1]
    assert command.help
    assert command.epilog and f"daksh-run {name}" in command.epilog
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name


def test_the_help_of_the_group_imports_no_command() -> None:
    code = (
        "import sys\nfrom runner.cli.main import invoke\ninvoke(['--help'])\n"
        "print([name for name in sys.modules if name.startswith('runner.cli.commands.')], file=sys.stderr)"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert process.stderr == "[]\n"
    for name in COMMANDS:
        assert f"  {name}" in process.stdout


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["run", "--help"], ["doctor", "--help"], ["resume", "--help"], ["validate", str(EXAMPLE)],
     ["preview", str(EXAMPLE)], ["run", str(EXAMPLE)]],
    ids=" ".join,
)
def test_nothing_heavy_is_imported(arguments: list[str], tmp_path: Path) -> None:
    code = (
        "import sys\nfrom runner.cli.main import invoke\n"
        f"assert invoke({arguments!r}) == 0\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path, env=bare_environment(),
    )
    assert process.stderr.splitlines()[-1] == "[]"


def test_no_words_at_all_show_the_help(daksh: Session) -> None:
    ended = daksh()
    assert ended.code == 0 and "Commands:" in ended.out


def test_a_mistyped_command_is_told_what_it_may_have_meant(daksh: Session) -> None:
    ended = daksh("vaildate", "plan.yaml")
    assert ended.code == 2
    assert ended.err.splitlines()[0] == "error: 'vaildate' is neither a command nor a file; did you mean 'validate'?"


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "plan.yaml", "--sede", "3"], ["run", "plan.yaml", "--seed", "x"],
        ["run", "plan.yaml", "--mode", "paper"],
        ["run", "plan.yaml", "--set", "stop"], ["run", "plan.yaml", "--price", "BTCUSDT=-1"], ["run"],
        ["run", "plan.yaml", "--set", "a=1", "--set", "a=2"], ["run", "plan.yaml", "more.yaml"],
        ["run", "plan.yaml", "--seed", "-1"], ["graph", "plan.yaml", "--as", "png"], ["nothing.yaml"],
        ["validate"], ["explain"], ["order"], ["order", "marke"], ["--nope"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_one_clear_line_a_hint_and_exit_2(arguments: list[str], daksh: Session) -> None:
    (daksh.folder / "plan.yaml").write_bytes(EXAMPLE.read_bytes())
    ended = daksh(*arguments)
    assert ended.code == 2, ended.err
    first, hint = ended.err.splitlines()
    assert first.startswith("error: ") and hint.startswith("  see: daksh-run")
    assert ended.out == ""


@pytest.mark.parametrize(
    "arguments",
    [["run", str(EXAMPLE)], [str(EXAMPLE)], ["preview", str(EXAMPLE)],
     ["order", "market", "BTCUSDT", "BUY", "0.002", "--unprotected", "allow"]],
    ids=["run", "plan", "preview", "order"],
)
def test_where_real_money_is_is_refused_and_nothing_is_left_behind(arguments: list[str], daksh: Session) -> None:
    for ended in (daksh(*arguments, "--mode", "live"), daksh(*arguments, env={"MODE": "live"})):
        assert ended.code == 7
        assert ended.err.startswith("error: https://fapi.binance.com is where real money is")
        assert "nothing was sent" in ended.err
    assert list(daksh.folder.iterdir()) == []


def test_a_demo_run_without_keys_says_which_are_missing(daksh: Session) -> None:
    ended = daksh("run", EXAMPLE, "--mode", "demo", env={"BINANCE_API_KEY": "a-key"})
    assert ended.code == 4
    assert ended.err.splitlines()[0] == "error: BINANCE_API_SECRET: not set, so nothing was sent"
    assert "a-key" not in ended.err
    assert list(daksh.folder.iterdir()) == []


@pytest.mark.parametrize(
    "arguments", [["--data", "x.csv"], ["--price", "BTCUSDT=1"], ["--require-end"], ["--state-dir", "x"]], ids=" ".join,
)
def test_what_only_a_dry_run_follows_is_refused_where_orders_are_sent(arguments: list[str], daksh: Session) -> None:
    ended = daksh("run", EXAMPLE, "--mode", "demo", *arguments)
    assert ended.code == 2
    assert f"{arguments[0]} does not go with mode demo" in ended.err


def test_an_approval_of_a_dry_run_is_wrong_usage(daksh: Session) -> None:
    ended = daksh("run", EXAMPLE, "--approve", "abc")
    assert ended.code == 2
    assert "--approve does not go with a dry run" in ended.err


def test_the_option_wins_over_the_environment(daksh: Session) -> None:
    assert daksh("run", EXAMPLE, "--mode", "dryrun", env={"MODE": "live"}).code == 0


def test_an_error_in_json_is_a_document_on_stdout(daksh: Session) -> None:
    ended = daksh("run", EXAMPLE, "--mode", "live", "--format", "json")
    assert ended.code == 7
    assert json.loads(ended.out)["error"]["exit_code"] == 7
