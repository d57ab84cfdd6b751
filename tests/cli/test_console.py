import io

import pytest

from runner.cli import console
from runner.cli.main import COMMANDS
from tests.cli.session import Session

LINE = "01-01 00:00:00  long.stop_loss  STOP_MARKET SELL 0.004 trigger 59000.0   accepted, reduce-only"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_narrow_terminal_has_lines_broken_between_words_and_set_in(monkeypatch: pytest.MonkeyPatch) -> None:
    console.prepare()
    terminal = Terminal()
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr("sys.stdout", terminal)
    console.active.color = "never"
    console.result_line(LINE)
    lines = terminal.getvalue().splitlines()
    assert len(lines) > 1 and max(map(len, lines)) <= 40
    assert all(line.startswith("    ") for line in lines[1:])
    assert " ".join(terminal.getvalue().split()) == " ".join(LINE.split())


def test_what_goes_elsewhere_than_a_terminal_keeps_its_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    console.prepare()
    console.result_line(LINE)
    assert capsys.readouterr().out == LINE + "\n"


@pytest.mark.parametrize(
    ("color", "variables", "expected"),
    [
        ("auto", {}, True), ("auto", {"NO_COLOR": "1"}, False), ("auto", {"NO_COLOR": ""}, True),
        ("auto", {"TERM": "dumb"}, False), ("never", {}, False), ("always", {"NO_COLOR": "1", "TERM": "dumb"}, True),
    ],
)
def test_when_a_terminal_is_coloured(
    color: str, variables: dict[str, str], expected: bool, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    console.active.color = color
    assert console.colored(Terminal()) is expected


@pytest.mark.parametrize("command", ["", "run", "validate", "order bracket", "export"])
def test_help_is_readable_on_forty_columns(command: str, daksh: Session) -> None:
    ended = daksh(*command.split(), "--help", env={"COLUMNS": "40"})
    assert ended.code == 0
    written_out = ("daksh-run ", "--")  # the group's examples, and option names that do not fit beside their help
    long = [line for line in ended.out.splitlines() if len(line) > 40 and not line.strip().startswith(written_out)]
    assert long == []


def test_the_help_of_the_group_fits_eighty_columns(daksh: Session) -> None:
    lines = daksh("--help", env={"COLUMNS": "80"}).out.splitlines()
    assert max(map(len, lines)) <= 80
    assert sum(line.split()[:1] == [name] for line in lines for name in COMMANDS) == len(COMMANDS)
