"""`daksh-run run PLAN`, or `daksh-run PLAN`: a run from file to exit code, dry unless a mode says otherwise."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from runner.app.run import RunOptions, run_plan
from runner.cli import environment, options, running


@click.command(
    "run",
    epilog="Example: daksh-run run plan.yaml --data BTCUSDT-1m-2025-05.csv.gz --set stop=93000",
)
@click.argument("plan")
@options.mode
@options.approve
@options.sets
@options.data
@options.prices
@options.instruments
@options.seed
@click.option("--require-end", is_flag=True, help="Dry runs: exit 1 if the data end before the run does.")
@options.state_dir
@options.output
def command(plan: str, mode: str | None, approve: str | None, require_end: bool, **given: Any) -> int:
    """Run PLAN (- is standard input): a dry run on a simulated exchange, unless --mode or MODE says demo or live.

    Shows every order and fill, and what came of it.  "daksh-run PLAN" does the same.  With demo and live the orders are
    sent to the exchange, once the preview is approved.
    """
    wanted = environment.mode(mode)
    if wanted == "dryrun":
        options.refuse_given({"--approve": approve}, "a dry run: say --mode demo or --mode live")
        run_options = dry_options(plan, require_end=require_end, **given)
        result = run_plan(run_options, running.Screen(running.warn_of_plan))
        running.conclude(result)
        return running.exit_code(result, require_end=require_end)
    options.refuse_given(options.dry_only(given) | {"--require-end": require_end}, f"mode {wanted}")
    from runner.cli import live_running

    return live_running.run(
        RunOptions(
            name=plan, data=options.read_plan(plan), state_dir=Path(), sets=given["sets"], seed=given["seed"],
            mode=wanted,
        ),
        approve,
    )


def dry_options(
    plan: str, *, sets: dict[str, str], data: tuple[tuple[str, str], ...], prices: dict[str, Decimal],
    instruments: Path | None, seed: int | None, require_end: bool, state_dir: Path | None,
) -> RunOptions:
    return RunOptions(
        name=plan, data=options.read_plan(plan), state_dir=environment.state_dir(state_dir),
        base=Path() if plan == "-" else Path(plan).parent, sets=sets, market_data=data, prices=prices,
        instruments=instruments, seed=seed, require_end=require_end,
    )
