"""`daksh-run init`: a commented plan to start from, and the schema beside it for the editor."""

import re
from pathlib import Path

import click

from runner.cli import console, options
from runner.plan.schema import schema_text

SCHEMA_NAME = "plan-v1.schema.json"

_STARTER = """\
# yaml-language-server: $schema={schema}
#
# A plan: what to buy or sell, when, and how it is protected.
#   daksh-run validate {file}    check it
#   daksh-run {file}             dry-run it; nothing is sent anywhere
version: 1
name: {name}
description: Buy with a limit order, protect each fill at once, take profit above.

# Values that `--set stop=58500` changes for one run.
params:
  quantity: {{type: decimal, default: 0.004, min: 0.001}}
  stop:     {{type: decimal, default: 59000}}

# Caps that hold in every run: a plan that breaks them by itself is refused, an order that would is denied.
limits:
  max_order_notional: 1000
  max_daily_loss: 50

# The simulated exchange.  Without `market`, prices are invented; Binance's public files go in like this:
#   market: {{data: BTCUSDT-1m-2025-08.csv}}
dryrun:
  balance: 1000
  market:
    path:
      - {{at: 0s, price: 60200}}
      - {{at: 10m, price: 59900}}
      - {{at: 60m, price: 61100}}

steps:
  - id: long
    symbol: BTCUSDT
    bracket:
      side: BUY
      quantity: ${{quantity}}
      entry: {{type: LIMIT, price: 60000}}
      take_profit: {{price: 61000}}
      stop_loss: {{stop_price: "${{stop}}"}}
    timeout: 4h                     # an entry that has not filled by then is cancelled
"""


@click.command("init", epilog="Example: daksh-run init my-plan.yaml")
@click.argument("path", default="plan.yaml", type=click.Path(path_type=Path))
@options.output
def command(path: Path) -> None:
    """Write a commented plan to start from (PATH, or plan.yaml); nothing is overwritten.

    The plan's JSON Schema goes beside it, so that an editor completes and checks as you type.
    """
    schema = path.parent / SCHEMA_NAME
    name = path.stem if re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", path.stem) else "my-plan"
    _write_new(path, _STARTER.format(schema=SCHEMA_NAME, file=path, name=name))
    written = [path]
    if not schema.exists():
        _write_new(schema, schema_text())
        written.append(schema)
    if console.active.json:
        console.result_json({"written": [str(one) for one in written]})
    else:
        console.result("".join(f"wrote {one}\n" for one in written) + f"next: daksh-run {path}")


def _write_new(path: Path, text: str) -> None:
    try:
        with open(path, "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise click.UsageError(f"{path}: it exists already, and is not overwritten") from None
    except FileNotFoundError:
        raise click.UsageError(f"{path.parent}: there is no such folder") from None
