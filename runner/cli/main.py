"""`daksh-run`: the group of commands, which imports a command's module only when that command is asked for.

`daksh-run PLAN` is `daksh-run run PLAN`: a first word that is no command, but looks like a file, is a plan.
"""

import importlib
import signal
import sys
from collections.abc import Iterable, Sequence
from types import FrameType
from typing import Any, NoReturn

import click

from runner import __version__
from runner.cli import console, environment, exits

COMMANDS: dict[str, str] = {
    "run": "Run a plan: dry, on the demo exchange, or live (the default command).",
    "validate": "Check plans; say every fault and where it is.",
    "preview": "Show what a plan would send, and its worst case.",
    "graph": "Show a plan's execution graph.",
    "order": "Run one order typed on the command line.",
    "resume": "Take up a demo or live run whose process is gone.",
    "stop": "Ask a demo or live run to stop.",
    "doctor": "Say whether a demo or live run would work from here.",
    "runs": "List the runs.",
    "show": "Show what happened in a run.",
    "export": "Write a run's trade journal.",
    "exchange": "Serve the simulated exchange on Binance's HTTP and WebSocket wire.",
    "init": "Write a commented plan to start from.",
    "schema": "Print the plan language's JSON Schema.",
    "explain": "Explain a fault's code.",
}
"""Every command with its line in `--help`, in the order of `--help`."""

_EPILOG = """
Exit codes: 0 as planned, 1 the run ended and a step failed, 2 wrong usage,
3 invalid plan, 4 environment (a file, keys, network, clock), 5 the outcome of an
order is unknown: resume, 6 locked by another process, 7 refused, 70 a bug in
daksh-run, 130 and 143 interrupted."""


class NarrowFormatter(click.HelpFormatter):
    """Gives names at most two fifths of the width, so that help is readable on a narrow terminal too."""

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        super().write_dl(rows, min(col_max, self.width * 2 // 5), col_spacing)


click.Context.formatter_class = NarrowFormatter


class LazyGroup(click.Group):
    """Finds `runner.cli.commands.<name>` when `<name>` is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"runner.cli.commands.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str],
    ) -> tuple[str | None, click.Command | None, list[str]]:
        first = args[0]
        if first not in COMMANDS:
            if not _looks_like_a_plan(first):
                raise click.UsageError(_no_such_command(first), ctx)
            args = ["run", *args]
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """From the table, so that `--help` imports no command."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _looks_like_a_plan(word: str) -> bool:
    from pathlib import Path

    return word == "-" or word.lower().endswith((".yaml", ".yml")) or "/" in word or Path(word).exists()


def _no_such_command(word: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word, COMMANDS, n=1)
    meant = f"; did you mean '{near[0]}'?" if near else ""
    return f"'{word}' is neither a command nor a file{meant}"


@click.group(
    cls=LazyGroup, epilog=_EPILOG, no_args_is_help=False, subcommand_metavar="PLAN | COMMAND [ARGS]...",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, message="daksh-run %(version)s")
def cli() -> None:
    """Run a strategy written in YAML on Binance USDⓈ-M Futures, first of all on a simulated exchange.

    \b
    daksh-run plan.yaml               dry-run a plan; nothing is sent anywhere
    daksh-run validate plan.yaml      only check it
    daksh-run init                    write a plan to start from
    daksh-run plan.yaml --mode demo   send its orders to Binance's demo exchange
    """


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit code."""
    signal.signal(signal.SIGTERM, _terminate)
    sys.exit(invoke(list(sys.argv[1:] if argv is None else argv)))


def invoke(argv: list[str]) -> int:
    """Run one command; every way that it can end becomes an exit code."""
    console.prepare()
    try:
        environment.load()
        width = max(20, min(100, console.width() - 2))
        outcome: Any = cli.main(argv or ["--help"], prog_name="daksh-run", standalone_mode=False, terminal_width=width)
        code = outcome if isinstance(outcome, int) else 0
        console.flush()
    except BaseException as error:
        code = exits.report(error, argv)
    console.close()
    return code


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise exits.Terminated
