"""`daksh-run preview`: the exact requests of a plan, its worst case, and what an approval of it would name."""

from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal
from pathlib import Path

import click

from runner.cli import console, options, plans
from runner.domain.values import EXACT, plain, trimmed
from runner.graph.fingerprint import approval_id, fingerprint
from runner.graph.preview import PlannedOrder, Preview, as_json, preview
from runner.graph.reference import ReferencePrice, reference_price

_MODE = "dryrun"
_ACCOUNT = ""
"""A dry run has no account, so its approval id is of no use for another mode."""


@click.command("preview", epilog="Example: daksh-run preview plan.yaml --price BTCUSDT=94000")
@click.argument("plan")
@options.sets
@options.prices
@options.instruments
@options.output
def command(plan: str, sets: dict[str, str], prices: dict[str, Decimal], instruments: Path | None) -> None:
    """Show what PLAN would send, the most that it can open, and its loss at the stops.

    Needs no network and writes nothing.  What fills at market is taken to fill at --price, or at a price that the
    plan itself names.
    """
    checked = plans.open_plan(plan, sets, instruments)
    graph, source = checked.compiled.graph, checked.plan
    symbols = [instrument.symbol for instrument in graph.instruments]
    strange = next((symbol for symbol in prices if symbol not in symbols), None)
    if strange is not None:
        raise click.UsageError(f"--price: the plan does not trade {strange[:40]!r}")
    taken = {
        symbol: known for symbol in symbols
        if (known := reference_price(source, symbol, prices.get(symbol))) is not None
    }
    settings = source.dryrun
    found = preview(
        graph, settings.leverage, settings.taker_fee, {symbol: known.price for symbol, known in taken.items()},
    )
    print_, approval = fingerprint(graph), approval_id(source, graph, _ACCOUNT, _MODE)
    if console.active.json:
        console.result_json({
            "plan": graph.name, "mode": _MODE, "fingerprint": print_, "approval_id": approval,
            "prices": {
                symbol: {"price": trimmed(known.price), "why": known.why} for symbol, known in taken.items()
            },
            "leverage": settings.leverage, **as_json(found),
        })
        return
    console.result(f"{graph.name}   fingerprint {print_[:12]}   approval id {approval[:12]} ({_MODE})")
    for order in found.orders:
        console.result("\n" + _order(order))
    console.result("\n" + _worst(found, settings.leverage, taken))


def _order(order: PlannedOrder) -> str:
    worth = "" if order.notional is None else f"   at most {_money(order.notional)}"
    lines = [f"{order.node_id}   {order.endpoint}{worth}"]
    lines += [f"  {name} = {value}" for name, value in order.request.items()]
    lines += [f"  {name}: {words}" for name, words in order.at_run_time.items()]
    return "\n".join(lines)


def _worst(found: Preview, leverage: int, taken: Mapping[str, ReferencePrice]) -> str:
    worst = found.worst
    lines = ["If everything that opens is filled:"]
    for asset, notional in worst.notional.items():
        lines.append(f"  notional {_money(notional)} {asset}")
        lines.append(f"  initial margin {_money(worst.initial_margin[asset])} {asset} at leverage {leverage}")
    for asset, loss in worst.loss_at_stops.items():
        lines.append(f"  loss at the stops {_money(loss)} {asset} with taker fees, before what a gap adds")
    if not worst.notional and not worst.unpriced:
        lines.append("  nothing opens")
    if worst.unpriced:
        lines.append(f"  not counted, since no price is known (give --price): {', '.join(worst.unpriced)}")
    if worst.unstopped:
        lines.append(f"  no stop bounds the loss of: {', '.join(worst.unstopped)}")
    lines += [f"{symbol} taken to stand at {trimmed(known.price)}: {known.why}" for symbol, known in taken.items()]
    return "\n".join(lines)


def _money(amount: Decimal) -> str:
    """Rounded up, against the user, to hundredths."""
    return plain(amount.quantize(Decimal("0.01"), rounding=ROUND_CEILING, context=EXACT))
