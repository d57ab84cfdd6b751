"""`daksh-run export [RUN]`: the trade journal, byte for byte the same for the same plan, data and seed."""

from pathlib import Path

import click

from runner.app.runs import export_trades
from runner.cli import console, environment, options


@click.command("export", epilog="Example: daksh-run export 3 --fills > fills.csv")
@click.argument("run", required=False)
@click.option("--fills", is_flag=True, help="A row for each execution instead of each order.")
@click.option("--as", "form", type=click.Choice(["csv", "json"]), help="Default: csv, or json with --format json.")
@options.state_dir
@options.output
def command(run: str | None, fills: bool, form: str | None, state_dir: Path | None) -> None:
    """Write the trade journal of RUN to stdout; without RUN that of all runs, and trades.csv anew."""
    wanted = form or ("json" if console.active.json else "csv")
    text = export_trades(environment.state_dir(state_dir), run, fills=fills, as_json=wanted == "json")
    console.result_bytes(text.encode())
