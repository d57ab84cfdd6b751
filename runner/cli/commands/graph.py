"""`daksh-run graph`: what a plan compiles to."""

from pathlib import Path

import click

from runner.cli import console, options, plans
from runner.graph.render import RENDERINGS


@click.command("graph", epilog="Example: daksh-run graph plan.yaml --as mermaid")
@click.argument("plan")
@click.option("--as", "form", type=click.Choice(list(RENDERINGS)), help="Default: text, or json with --format json.")
@options.sets
@options.instruments
@options.output
def command(plan: str, form: str | None, sets: dict[str, str], instruments: Path | None) -> None:
    """Show the execution graph of PLAN: its steps, orders, and what each waits for.

    Needs no network and writes nothing.
    """
    graph = plans.open_plan(plan, sets, instruments).compiled.graph
    wanted = form or ("json" if console.active.json else "text")
    console.result(RENDERINGS[wanted](graph).rstrip("\n"))
