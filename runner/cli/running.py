"""What `run` and `order` share: a run watched on the terminal, and its exit code."""

from collections.abc import Callable
from typing import Any

from runner.app.run import RunResult
from runner.cli import console, diagnostics, exits
from runner.plan.diagnostics import Diagnostic
from runner.report.context import RunContext
from runner.report.lines import Line, LineKind
from runner.report.summary import as_json_value, as_text

COLORS = {
    LineKind.FILLED: "green", LineKind.REJECTED: "red", LineKind.DENIED: "red", LineKind.STEP: "yellow",
    LineKind.REMARK: "yellow", LineKind.FORCED: "red",
}


class Screen:
    """Shows a run as it goes: its lines are the dry run's result, so they go to stdout; `-q` leaves them out.

    `warn` shows the plan's warnings.
    """

    def __init__(self, warn: Callable[[tuple[Diagnostic, ...]], None]) -> None:
        self._warn = warn

    def began(self, number: int, context: RunContext, warnings: tuple[Diagnostic, ...]) -> None:
        if warnings:
            self._warn(warnings)
        if lines_shown():
            console.result_line(header(context))

    def told(self, line: Line) -> None:
        if lines_shown() and (line.kind is not LineKind.DETAIL or console.active.verbosity > 0):
            console.result_line(str(line), COLORS.get(line.kind))


def header(context: RunContext) -> str:
    """The first line of a run: the plan, the mode with whether orders are sent, and the market or the account."""
    where = f"market: {context.market}" if context.mode == "dryrun" else context.market
    sent = "nothing is sent" if context.mode == "dryrun" else "LIVE ORDERS"
    return f"{context.plan}   plan {context.fingerprint[:6]}   {context.mode} ({sent})   {where}"


def warn_of_plan(warnings: tuple[Diagnostic, ...]) -> None:
    """The warnings as they stand in the plan's text."""
    console.tell(diagnostics.as_text(warnings) + "\n")


def conclude(result: RunResult) -> None:
    """The run's last words: the summary, and where to read on."""
    if console.active.json:
        console.result_json(as_json(result))
    else:
        console.result_line(as_text(result.summary))
        console.tell(f"read it again with: daksh-run show {result.number}   (kept in {result.journal})")


def as_json(result: RunResult) -> dict[str, Any]:
    return {"run": result.number, **as_json_value(result.summary), "trades": list(result.order_rows)}


def exit_code(result: RunResult, *, require_end: bool = False) -> int:
    """Of the signal that stopped the run, else of its outcome."""
    if result.signal is not None:
        return 128 + result.signal
    return exits.of_run(result.outcome, require_end=require_end)


def lines_shown() -> bool:
    """Whether the run's lines are wanted."""
    return not console.active.json and console.active.verbosity >= 0
