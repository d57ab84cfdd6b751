"""`daksh-run export [RUN]`: the trade journal, byte for byte the same for the same plan, data and seed."""

from pathlib import Path

import click

from runner.app.runs import export_trades
from runner.cli import console, environment, options, run_folders
from runner.errors import UsageError


@click.command("export", epilog="Example: daksh-run export 3 --fills > fills.csv")
@click.argument("run", required=False)
@click.option("--fills", is_flag=True, help="A row for each execution instead of each order.")
@click.option("--as", "form", type=click.Choice(["csv", "json"]), help="Default: csv, or json with --format json.")
@click.option("--mode", type=click.Choice(["dryrun", "demo", "live"]),
              help="Whose runs: simulated trades and others are never mixed (default: MODE, else dryrun).")
@options.state_dir
@options.output
def command(run: str | None, fills: bool, form: str | None, mode: str | None, state_dir: Path | None) -> None:
    """Write the trade journal of RUN to stdout; without RUN that of all runs of the mode, and trades.csv anew."""
    wanted = form or ("json" if console.active.json else "csv")
    if run is None:
        folder = _only(environment.mode(mode), state_dir)
    else:
        folder = run_folders.folder_of(run, mode, state_dir)
    console.result_bytes(export_trades(folder, run, fills=fills, as_json=wanted == "json").encode())


def _only(mode: str, state_dir: Path | None) -> Path:
    """The one folder of the mode's runs.

    Raises:
        UsageError: there is none, or runs traded on several accounts.
    """
    found = run_folders.folders(mode, state_dir)
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError(f"there are no {mode} runs in {environment.state_home()}", hint="run a plan first")
    raise UsageError(
        f"{mode} runs traded on several accounts", hint=f"name one: --state-dir {found[0]} (or the like)",
    )
