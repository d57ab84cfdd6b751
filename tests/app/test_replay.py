"""What a run leaves behind is enough: its events give the same commands again, and its fills the same money."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from runner.app.run import read_and_compile
from runner.domain.commands import Command
from runner.domain.events import Event
from runner.domain.values import ZERO, total
from runner.engine.machine import Machine
from runner.graph.model import ExecutionGraph
from runner.journal.codec import EVENTS
from runner.journal.store import JournalReader
from tests.app.plans import BRACKET, HELD_FOR_A_DAY, STOP_TOO_FAR, options, played, run

TWAP = """\
version: 1
name: build-and-guard
defaults: {symbol: BTCUSDT}
dryrun:
  balance: 100000
  market: {random: {start: 60000, volatility: 900%, hours: 1}}
steps:
  - id: build
    twap: {side: BUY, quantity: 0.050, slices: 5, every: 250s}
  - id: guard
    after: {build: first_fill}
    oco:
      side: SELL
      quantity: {filled: build}
      take_profit: {price: 60400}
      stop_loss: {stop_price: 59700}
  - id: again
    after: {guard: any}
    bracket:
      side: BUY
      quantity: 0.020
      entry: {type: MARKET}
      take_profit: [{distance: 1R, portion: 50%}, {distance: 2R, portion: 50%}]
      stop_loss: {distance: 0.4%}
"""


def journaled(path: Path) -> tuple[list[Event], list[Command]]:
    reader = JournalReader(path)
    events: list[Any] = []
    commands: list[Any] = []
    for entry in reader.entries():
        (events if type(entry.value).__name__ in EVENTS else commands).append(entry.value)
    reader.close()
    return events, commands


def compiled(plan: str, state_dir: Path) -> ExecutionGraph:
    return read_and_compile(options(plan, state_dir))[1].graph


@pytest.mark.parametrize("seed", range(6))
def test_the_journal_of_a_run_gives_its_commands_again(tmp_path: Path, seed: int) -> None:
    result = run(TWAP, tmp_path, seed=seed)
    events, commands = journaled(result.journal)
    machine = Machine(compiled(TWAP, tmp_path))
    assert [command for event in events for command in machine.advance(event)] == commands
    assert len(commands) > 20


def test_the_example_plans_replay_too(tmp_path: Path, root: Path) -> None:
    for example in sorted((root / "examples").glob("*.yaml")):
        text = example.read_text(encoding="utf-8")
        result = run(text, tmp_path, base=example.parent)
        events, commands = journaled(result.journal)
        machine = Machine(compiled(text, tmp_path))
        assert [command for event in events for command in machine.advance(event)] == commands, example.name


@pytest.mark.parametrize("plan", [BRACKET, TWAP, HELD_FOR_A_DAY, STOP_TOO_FAR])
@pytest.mark.parametrize("seed", range(6))
def test_the_summary_and_the_exchange_agree_on_the_money(tmp_path: Path, plan: str, seed: int) -> None:
    report, snapshot = played(plan, tmp_path, seed)
    summary = report.summary()
    (balance,) = snapshot.balances
    start = read_and_compile(options(plan, tmp_path))[0].dryrun.balance
    assert balance.wallet - start == total(money.net for money in summary.money)
    assert {position.symbol: position.qty for position in snapshot.positions} == {
        position.symbol: position.qty for position in summary.positions
    }
    fills = report.fill_rows()
    assert total(Decimal(row["fee"]) for row in fills) == total(money.fees for money in summary.money)
    assert total(Decimal(row["qty"]) * (1 if row["side"] == "BUY" else -1) for row in fills) == sum(
        (position.qty for position in summary.positions), ZERO,
    )
