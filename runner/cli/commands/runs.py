"""`daksh-run runs`: the runs of a state folder."""

from pathlib import Path

import click

from runner.app.runs import RunListed, list_runs
from runner.cli import console, environment, options
from runner.domain.times import rfc3339

_COLUMNS = ("run", "started", "state", "plan", "run id")


@click.command("runs", epilog="Example: daksh-run runs --format json")
@options.state_dir
@options.output
def command(state_dir: Path | None) -> None:
    """List the runs of the state folder, oldest first."""
    folder = environment.state_dir(state_dir)
    found = list_runs(folder)
    if console.active.json:
        console.result_json([_as_json(run) for run in found])
    elif not found:
        console.tell(f"there are no runs in {folder}")
    else:
        console.result(_table([_row(run) for run in found]))


def _row(run: RunListed) -> tuple[str, ...]:
    return str(run.number), _started(run)[:19].replace("T", " "), run.state, run.plan, run.run_id


def _table(rows: list[tuple[str, ...]]) -> str:
    """Columns as wide as they must be; the first is of numbers and stands to the right."""
    table = [_COLUMNS, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(_COLUMNS))]
    return "\n".join(
        "  ".join([row[0].rjust(widths[0]), *map(str.ljust, row[1:], widths[1:])]).rstrip() for row in table
    )


def _as_json(run: RunListed) -> dict[str, str | int]:
    return {
        "run": run.number, "run_id": run.run_id, "plan": run.plan, "mode": run.mode, "state": run.state,
        "started": _started(run),
    }


def _started(run: RunListed) -> str:
    return rfc3339(run.started_ms) if run.started_ms else ""
