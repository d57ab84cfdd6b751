"""What a run that sends orders shows: on a terminal its lines above a table that is redrawn, elsewhere its lines."""

import os
import sys
import termios
from contextlib import suppress
from types import TracebackType
from typing import Any

from runner.cli import console, running
from runner.domain.times import SECOND_MS, duration, rfc3339
from runner.domain.values import trimmed
from runner.plan.diagnostics import Diagnostic
from runner.report.board import StepRow
from runner.report.context import RunContext
from runner.report.lines import Line, LineKind
from runner.report.report import Report

_NARROW = 70
"""Below that many columns the table leaves out what the lines above it have told."""
_COLORS = {"succeeded": "green", "failed": "bold red", "open": "cyan", "cancelled": "yellow", "skipped": "dim"}
_ENDED_LAST = {"open": 0, "waiting": 1}
_AROUND = 5
"""Lines of a terminal that the table leaves to what is around its rows."""


class LiveScreen:
    """Watches one run; `run` is what the user may call it, empty while nothing can have been sent."""

    def __init__(self, run: str = "") -> None:
        self.run = run
        self._lines = running.Screen(lambda warnings: None)  # they were told before the approval
        self._live: Any = None

    def __enter__(self) -> "LiveScreen":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Take the table away; the lines stay."""
        if self._live is not None:
            self._live.stop()
            self._live = None
            _echo_of_control(True)

    def began(self, number: int, context: RunContext, warnings: tuple[Diagnostic, ...]) -> None:
        self.run = context.run_id
        self._lines.began(number, context, warnings)
        if _on_a_terminal():
            _echo_of_control(False)
            self._live = _live()
            self._live.start()

    def told(self, line: Line) -> None:
        if self._live is None:
            self._lines.told(line)
            console.flush()  # whoever reads along through a pipe is not to wait for a full buffer
        elif line.kind is not LineKind.DETAIL or console.active.verbosity > 0:
            text = console.fitted(sys.stdout, str(line))
            self._live.console.print(text, style=running.COLORS.get(line.kind), no_wrap=True, crop=False)

    def looked(self, report: Report, now_ms: int) -> None:
        """Draw the table anew."""
        if self._live is not None:
            terminal = self._live.console
            self._live.update(table(report, now_ms, terminal.width, terminal.height), refresh=True)


def table(report: Report, now_ms: int, width: int, height: int) -> Any:
    """The steps as a table, those that are over left out first where the terminal is too low for all."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    rows = _that_fit(report.board(), height - _AROUND)
    drawn = Table(box=None, padding=(0, 1))
    drawn.add_column("step", overflow="fold")
    drawn.add_column("state", no_wrap=True)
    drawn.add_column("filled", justify="right", no_wrap=True)
    drawn.add_column("next", no_wrap=width >= _NARROW, overflow="fold")
    if width >= _NARROW:
        drawn.add_column("orders", overflow="fold")
    for row in rows:
        cells = [row.step_id, _state(row), _filled(row), _next(row, now_ms)]
        if width >= _NARROW:
            cells.append(", ".join(f"{leg.name} {leg.result.lower()}" for leg in row.orders))
        drawn.add_row(*cells, style=_COLORS.get(row.state))
    hidden = len(report.board()) - len(rows)
    if hidden:
        drawn.add_row(f"and {hidden} more", style="dim")
    return Group(drawn, Text(_health(report, now_ms, width)))


def _that_fit(rows: tuple[StepRow, ...], room: int) -> tuple[StepRow, ...]:
    if len(rows) <= max(room, 1):
        return rows
    first = sorted(rows, key=lambda row: _ENDED_LAST.get(row.state, len(_ENDED_LAST)))
    kept = {row.step_id for row in first[: max(room - 1, 1)]}
    return tuple(row for row in rows if row.step_id in kept)


def _state(row: StepRow) -> str:
    return f"{row.state} ({row.reason})" if row.reason else row.state


def _filled(row: StepRow) -> str:
    wanted = f" of {trimmed(row.wanted)}" if row.wanted is not None else ""
    closed = f", {trimmed(row.exited)} closed" if row.exited and row.entered else ""
    done = row.entered or row.exited
    return f"{trimmed(done)}{wanted}{closed}" if done or wanted else ""


def _next(row: StepRow, now_ms: int) -> str:
    if row.due_ms is None:
        return ""
    seconds = -(max(row.due_ms - now_ms, 0) // -SECOND_MS)
    return f"{row.due} in {duration(seconds * SECOND_MS)}"


def _health(report: Report, now_ms: int, width: int) -> str:
    lost_ms = report.lost_ms()
    stream = "connected" if lost_ms is None else f"ACCOUNT EVENTS LOST since {rfc3339(lost_ms)[11:19]}"
    advice = "   Ctrl-C stops the run" if width >= _NARROW else ""
    return f"{rfc3339(now_ms)[11:19]} UTC   {stream}{advice}"


def _on_a_terminal() -> bool:
    return (
        running.lines_shown() and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    )


def _echo_of_control(shown: bool) -> None:
    """Whether the terminal itself writes `^C` where the cursor stands, which would shift the table."""
    with suppress(termios.error, OSError, ValueError):
        settings = termios.tcgetattr(sys.stdin.fileno())
        settings[3] = settings[3] | termios.ECHOCTL if shown else settings[3] & ~termios.ECHOCTL
        termios.tcsetattr(sys.stdin.fileno(), termios.TCSANOW, settings)


def _live() -> Any:
    from rich.console import Console
    from rich.live import Live

    terminal = Console(
        file=sys.stdout, highlight=False, markup=False, emoji=False, no_color=not console.colored(),
        force_terminal=True,
    )
    return Live(console=terminal, auto_refresh=False, transient=True, redirect_stdout=True, redirect_stderr=True)
