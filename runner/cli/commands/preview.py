"""`daksh-run preview`: the exact requests of a plan, its worst case, and what an approval of it would name."""

from decimal import Decimal
from pathlib import Path

import click

from runner.cli import console, environment, options, plans
from runner.cli.exits import Exit
from runner.cli.previews import Shown
from runner.graph.fingerprint import approval_id, fingerprint
from runner.graph.preview import preview
from runner.graph.reference import reference_price

_ACCOUNT = ""
"""A dry run has no account, so its approval id is of no use for another mode."""


@click.command("preview", epilog="Example: daksh-run preview plan.yaml --price BTCUSDT=94000")
@click.argument("plan")
@options.mode
@options.sets
@options.prices
@options.instruments
@options.output
def command(
    plan: str, mode: str | None, sets: dict[str, str], prices: dict[str, Decimal], instruments: Path | None,
) -> int:
    """Show what PLAN would send, the most that it can open, its loss at the stops, and its approval id.

    Sends nothing and writes nothing.  Without a mode it needs no network: what fills at market is taken to fill at
    --price, or at a price that the plan itself names.  With --mode demo or live it reads the account, the trading rules
    and the prices of the moment.
    """
    wanted = environment.mode(mode)
    if wanted != "dryrun":
        options.refuse_given(options.dry_only({"prices": prices, "instruments": instruments}), f"mode {wanted}")
        from runner.cli import live_running

        shown = live_running.preview(plan, options.read_plan(plan), sets, wanted)
    else:
        shown = _offline(plan, sets, prices, instruments)
    if console.active.json:
        console.result_json(shown.as_json())
    else:
        console.result(shown.as_text())
    return Exit.REFUSED if shown.account is not None and shown.account.refusals else Exit.OK


def _offline(path: str, sets: dict[str, str], prices: dict[str, Decimal], instruments: Path | None) -> Shown:
    checked = plans.open_plan(path, sets, instruments)
    graph, plan = checked.compiled.graph, checked.plan
    symbols = [instrument.symbol for instrument in graph.instruments]
    strange = next((symbol for symbol in prices if symbol not in symbols), None)
    if strange is not None:
        raise click.UsageError(f"--price: the plan does not trade {strange[:40]!r}")
    taken = {
        symbol: known for symbol in symbols if (known := reference_price(plan, symbol, prices.get(symbol))) is not None
    }
    found = preview(
        graph, plan.dryrun.leverage, plan.dryrun.taker_fee, {symbol: known.price for symbol, known in taken.items()},
    )
    return Shown(
        graph.name, "dryrun", fingerprint(graph), approval_id(plan, graph, _ACCOUNT, "dryrun"), taken,
        plan.dryrun.leverage, found,
    )
