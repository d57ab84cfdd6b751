"""`daksh-run show RUN`: what happened in a run, read again from its journal."""

from pathlib import Path

import click

from runner.app.runs import show_run
from runner.cli import console, options, run_folders, running
from runner.domain.times import rfc3339
from runner.report.summary import as_json_value, as_text


@click.command("show", epilog="Example: daksh-run show 3")
@click.argument("run")
@options.whose_mode
@options.state_dir
@options.output
def command(run: str, mode: str | None, state_dir: Path | None) -> None:
    """Show what happened in RUN: its number, its id, or the beginning of the id (see: daksh-run runs)."""
    shown = show_run(run_folders.folder_of(run, mode, state_dir), run)
    listed = shown.listed
    if console.active.json:
        console.result_json({
            "run": listed.number, **as_json_value(shown.summary), "state": listed.state,
            "started": rfc3339(listed.started_ms), "entries": shown.entries,
            "lines": [{"ts": rfc3339(line.at_ms), "node": line.leg.strip(), "text": line.text} for line in shown.lines],
            "trades": list(shown.order_rows), "fills": list(shown.fill_rows),
        })
        return
    screen = running.Screen(running.warn_of_plan)
    screen.began(listed.number, shown.context, ())
    for line in shown.lines:
        screen.told(line)
    console.result_line(as_text(shown.summary))
    console.tell(f"run {listed.number}, {listed.state}, started {rfc3339(listed.started_ms)[:19]}Z; its "
                 f"{shown.entries} journal entries are as they were written")
