"""`daksh-run run PLAN`, or `daksh-run PLAN`: a dry run from file to exit code."""

from decimal import Decimal
from pathlib import Path

import click

from runner.app.run import RunOptions, run_plan
from runner.cli import environment, options, running


@click.command(
    "run",
    epilog="Example: daksh-run run plan.yaml --data BTCUSDT-1m-2025-05.csv.gz --set stop=93000",
)
@click.argument("plan")
@options.mode
@options.sets
@options.data
@options.prices
@options.instruments
@options.seed
@click.option("--require-end", is_flag=True, help="Exit 1 if the data end before the run does.")
@options.state_dir
@options.output
def command(
    plan: str, mode: str | None, sets: dict[str, str], data: tuple[tuple[str, str], ...], prices: dict[str, Decimal],
    instruments: Path | None, seed: int | None, require_end: bool, state_dir: Path | None,
) -> int:
    """Run PLAN (- is standard input) on a simulated exchange: a dry run, nothing is sent anywhere.

    Shows every order and fill, and what came of it.  "daksh-run PLAN" does the same.
    """
    environment.require_dry_run(mode)
    result = run_plan(
        RunOptions(
            name=plan, data=options.read_plan(plan), state_dir=environment.state_dir(state_dir),
            base=Path() if plan == "-" else Path(plan).parent, sets=sets, market_data=data, prices=prices,
            instruments=instruments, seed=seed, require_end=require_end,
        ),
        running.Screen(running.warn_of_plan),
    )
    running.conclude(result)
    return running.exit_code(result, require_end=require_end)
