"""Plans and runs for the tests of this room."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from runner.app.bootstrap import Task, prepare
from runner.app.executor import dispatch, drive
from runner.app.market import Wishes
from runner.app.run import RunOptions, RunResult, read_and_compile, run_plan
from runner.app.simulation import simulate
from runner.domain.commands import Command
from runner.domain.events import Event
from runner.domain.snapshots import VenueSnapshot
from runner.engine.machine import Machine
from runner.graph.fingerprint import fingerprint
from runner.plan.diagnostics import Diagnostic
from runner.report.context import RunContext, describe
from runner.report.lines import Line
from runner.report.report import Report

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


def played(plan: str, state_dir: Path, seed: int = 1) -> tuple[Report, VenueSnapshot]:
    """A run without a journal: its report, and what the exchange's account holds after it."""
    read, ready = read_and_compile(options(plan, state_dir))
    graph = ready.graph
    prepared = prepare("dryrun", Task(read, graph, fingerprint(graph), Wishes((), {}, seed), state_dir, lambda: False))
    report = Report(describe(
        graph, run_id="d1", mode="dryrun", fingerprint="", seed=seed, market="", latency_ms=50, dated=True,
        precise=False,
    ))

    class Kept:
        def take(self, at_ms: int, event: Event, commands: tuple[Command, ...]) -> None:
            report.see(at_ms, event)
            for command in commands:
                dispatch(prepared.world, command)
                report.see(at_ms, command)

        def note(self, at_ms: int, value: Event | Command) -> None:
            report.see(at_ms, value)

        def exposed(self) -> tuple[str, ...]:
            return ()

        def enough(self) -> bool:
            return False

    drive(simulate(Machine(graph), prepared.world, Kept(), lambda: False, "d1", seed))
    return report, drive(prepared.world.gateway.snapshot())
