"""Plans and runs for the tests of this room."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from runner.app.run import RunOptions, RunResult, run_plan
from runner.plan.diagnostics import Diagnostic
from runner.report.context import RunContext
from runner.report.lines import Line

BRACKET = """\
version: 1
name: bracket
defaults: {symbol: BTCUSDT}
params:
  entry: {type: decimal, default: 60000}
dryrun:
  market:
    path: [{at: 0s, price: 60200}, {at: 60s, price: 59900}, {at: 180s, price: 61200}]
steps:
  - id: long
    bracket:
      side: BUY
      quantity: 0.004
      entry: {type: LIMIT, price: "${entry}"}
      take_profit: {price: 61000}
      stop_loss: {stop_price: 59000}
"""
LIMIT = """\
version: 1
name: order-limit
steps:
  - id: limit
    symbol: BTCUSDT
    entry: {side: BUY, type: LIMIT, price: 50000, quantity: 0.004}
    unprotected: allow
"""

FALL = """\
version: 1
name: fall
defaults: {symbol: BTCUSDT}
dryrun:
  balance: 1000
  leverage: 50
  market:
    path: [{at: 0s, price: 60000}, {at: 10m, price: 60000}, {at: 40m, price: 57000}, {at: 24h, price: 57000}]
steps:
"""
STOP_TOO_FAR = FALL + """\
  - id: long
    bracket:
      side: BUY
      quantity: 0.500
      entry: {type: MARKET}
      take_profit: {price: 65000}
      stop_loss: {stop_price: 57500}
  - id: more
    after: long
    unprotected: allow
    entry: {side: BUY, quantity: 0.010, type: MARKET}
"""
WITHOUT_A_STOP = FALL + """\
  - id: hold
    unprotected: allow
    entry: {side: BUY, quantity: 0.500, type: MARKET}
  - id: build
    unprotected: allow
    twap: {side: BUY, quantity: 0.036, slices: 12, every: 5m}
  - id: tomorrow
    when: {delay: 20h}
    unprotected: allow
    entry: {side: BUY, quantity: 0.010, type: MARKET}
"""
HELD_FOR_A_DAY = FALL.replace("price: 57000", "price: 59000") + """\
  - id: hold
    unprotected: allow
    entry: {side: BUY, quantity: 0.100, type: MARKET}
  - id: out
    after: hold
    when: {delay: 17h}
    exit: {side: SELL, quantity: 0.100, type: MARKET}
"""


class Seen:
    """An observer that keeps what it is told."""

    def __init__(self) -> None:
        self.number = 0
        self.context: RunContext | None = None
        self.warnings: tuple[Diagnostic, ...] = ()
        self.lines: list[Line] = []

    def began(self, number: int, context: RunContext, warnings: tuple[Diagnostic, ...]) -> None:
        self.number, self.context, self.warnings = number, context, warnings

    def told(self, line: Line) -> None:
        self.lines.append(line)


def options(plan: str, state_dir: Path, **more: Any) -> RunOptions:
    return replace(RunOptions("plan.yaml", plan.encode(), state_dir), **more)


def run(plan: str, state_dir: Path, **more: Any) -> RunResult:
    return run_plan(options(plan, state_dir, **more), Seen())
