"""`daksh-run runs`: dry runs of the state folder, and the demo and live runs of every account."""

from pathlib import Path

import click

from runner.app.runs import RunListed, list_runs
from runner.cli import console, environment, options, run_folders
from runner.domain.times import rfc3339

_COLUMNS = ("run", "started", "mode", "state", "plan", "run id")


@click.command("runs", epilog="Example: daksh-run runs --format json")
@options.whose_mode
@options.state_dir
@options.output
def command(mode: str | None, state_dir: Path | None) -> None:
    """List the runs: dry ones of the state folder, and the demo and live ones of every account, each oldest first."""
    found = [run for folder in run_folders.all_folders(mode, state_dir) for run in list_runs(folder)]
    if console.active.json:
        console.result_json([_as_json(run) for run in found])
    elif not found:
        where = environment.state_home() if mode in ("demo", "live") else environment.state_dir(state_dir)
        console.tell(f"there are no runs in {where}")
    else:
        console.result(_table([_row(run) for run in found]))


def _row(run: RunListed) -> tuple[str, ...]:
    return str(run.number), _started(run)[:19].replace("T", " "), run.mode, run.state, run.plan, run.run_id


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
