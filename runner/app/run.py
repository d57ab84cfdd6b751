"""One run, from a plan's bytes to its journal, its log, its trade rows and its summary."""

import time
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple, Protocol

from runner.app.bootstrap import Prepared, Task, prepare
from runner.app.executor import World, dispatch, drive
from runner.app.instruments import load_instruments
from runner.app.interrupts import Interrupts
from runner.app.market import Wishes
from runner.app.simulation import simulate
from runner.domain.commands import Command, PlaceOrder, RunEnded
from runner.domain.events import Event
from runner.domain.orders import OrderStatus
from runner.engine.machine import Machine
from runner.errors import EnvironmentFault
from runner.graph.compile import Compiled, compile_plan
from runner.graph.fingerprint import canonical, fingerprint
from runner.graph.model import OrderNode
from runner.journal.codec import to_text
from runner.journal.folder import StateFolder
from runner.journal.store import JournalWriter, RunFacts
from runner.plan.diagnostics import Diagnostic
from runner.plan.load import load_plan
from runner.plan.model import Plan
from runner.report.context import RunContext, describe
from runner.report.lines import Line
from runner.report.report import Report
from runner.report.summary import RunSummary
from runner.report.trades import ORDER_COLUMNS, Row, as_csv


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What a run is asked to do.

    `name` is what messages call the plan, `data` its bytes, `base` the folder that its own paths are relative to.
    `market_data` are pairs of symbol ("" for the only one) and file; `prices` reference prices of invented markets.
    `require_end`: a run whose data end before it does has failed.  `until_accepted`: the run is done once each of its
    orders is accepted, and leaves them as they are.
    """

    name: str
    data: bytes
    state_dir: Path
    base: Path = Path()
    sets: Mapping[str, str] = field(default_factory=dict)
    market_data: tuple[tuple[str, str], ...] = ()
    prices: Mapping[str, Decimal] = field(default_factory=dict)
    instruments: Path | None = None
    seed: int | None = None
    require_end: bool = False
    until_accepted: bool = False
    mode: str = "dryrun"


class RunResult(NamedTuple):
    """How a run went.

    `outcome` is succeeded, failed, stopped, open (the data ended first), or interrupted (it was left before its end);
    `signal` the number of the signal that stopped it, or None.  `left` says line by line what is still on the exchange,
    `resume` which run to resume for it, or is empty.
    """

    number: int
    run_id: str
    outcome: str
    signal: int | None
    context: RunContext
    summary: RunSummary
    order_rows: tuple[Row, ...]
    journal: Path
    left: tuple[str, ...] = ()
    resume: str = ""


class Observer(Protocol):
    """Who watches a run."""

    def began(self, number: int, context: RunContext, warnings: tuple[Diagnostic, ...]) -> None: ...

    def told(self, line: Line) -> None: ...


def read_and_compile(options: RunOptions) -> tuple[Plan, Compiled]:
    """The plan and its graph.

    Raises:
        PlanInvalid: with every fault.
        EnvironmentFault: the instruments cannot be read.
    """
    instruments = load_instruments(options.instruments)
    plan = load_plan(options.name, options.data, options.sets)
    return plan, compile_plan(plan, instruments)


def run_plan(options: RunOptions, observer: Observer) -> RunResult:
    """Run a plan to its end.

    Raises:
        PlanInvalid, UsageError, EnvironmentFault, LockedElsewhere, Refused: before the run began.
        InternalError: a bug; what happened so far is in the journal.
    """
    plan, compiled = read_and_compile(options)
    graph = compiled.graph
    identity = fingerprint(graph)
    wishes = Wishes(options.market_data, options.prices, options.seed)
    interrupts = Interrupts()
    task = Task(plan, graph, identity, wishes, options.base, interrupts.wanted)
    prepared = prepare(options.mode, task)
    context = describe(
        graph, run_id=prepared.run_id, mode=options.mode, fingerprint=identity, seed=prepared.seed,
        market=prepared.market, latency_ms=prepared.latency_ms, dated=True, precise=prepared.precise,
    )
    folder = StateFolder(options.state_dir)
    file = folder.new_run(prepared.run_id)
    facts = RunFacts(
        prepared.run_id, graph.name, options.mode, identity, prepared.seed, prepared.sources,
        time.time_ns() // 1_000_000, to_text(context), canonical(graph).decode(),
    )
    writer = JournalWriter.begin(file.path, facts, prepared.durability)
    legs = sum(isinstance(node, OrderNode) for node in graph.nodes) if options.until_accepted else None
    record = _Record(Report(context), writer, prepared.world, observer, legs)
    run = simulate(Machine(graph), prepared.world, record, interrupts.wanted, prepared.run_id, prepared.seed)
    try:
        observer.began(file.number, context, compiled.warnings)
        summary = _carried_out(run, record, prepared, folder, interrupts, require_end=options.require_end)
    finally:
        writer.close()
    return RunResult(
        file.number, prepared.run_id, summary.outcome, interrupts.signal, context, summary,
        tuple(record.report.order_rows()), file.path,
    )


class _Record:
    """The outbox of a dry run: what it takes is in the journal, at the exchange and in the report when it returns.

    `legs` is how many legs the run waits to be accepted before it may end, None where it goes on to its own end.
    """

    def __init__(
        self, report: Report, writer: JournalWriter, world: World, observer: Observer, legs: int | None,
    ) -> None:
        self.report = report
        self.writer = writer
        self.sent = False
        self._world = world
        self._observer = observer
        self._legs = legs

    def take(self, at_ms: int, event: Event, commands: tuple[Command, ...]) -> None:
        self.writer.append(at_ms, event)
        for command in commands:
            self.writer.append(at_ms, command)
        for command in commands:
            dispatch(self._world, command)
            self.sent = self.sent or isinstance(command, PlaceOrder)
        self._tell(at_ms, event)
        for command in commands:
            self._tell(at_ms, command)

    def note(self, at_ms: int, value: Event | Command) -> None:
        self.writer.append(at_ms, value)
        self._tell(at_ms, value)

    def _tell(self, at_ms: int, value: Event | Command) -> None:
        for line in self.report.see(at_ms, value):
            self._observer.told(line)

    def exposed(self) -> tuple[str, ...]:
        return tuple(position.symbol for position in self.report.positions())

    def enough(self) -> bool:
        if self._legs is None:
            return False
        accepted = {
            known.placed.node_id for known in self.report.orders()
            if known.answered_ms is not None and known.order.status is not OrderStatus.REJECTED
        }
        return len(accepted) >= self._legs


def _carried_out(
    run: Coroutine[None, None, None], record: _Record, prepared: Prepared, folder: StateFolder,
    interrupts: Interrupts, *, require_end: bool,
) -> RunSummary:
    """Run to the end, and write it down whatever the end is."""
    state = "crashed"
    try:
        with interrupts:
            drive(run)
        state = ""
    except EnvironmentFault as fault:
        if not record.sent:
            state = "failed"
            raise
        # Something was sent already, so that the run has failed; "nothing was sent" would be untrue.
        record.note(prepared.world.clock.now_ms(), RunEnded("failed", fault.message))
        state = ""
    except BaseException as error:
        if isinstance(error, BrokenPipeError) or not isinstance(error, Exception):
            state = "interrupted"
        raise
    finally:
        summary = record.report.summary(prepared.not_simulated(), prepared.assumed())
        if require_end and summary.outcome == "open":
            summary = summary._replace(outcome="failed", reason="the data ended first")
        record.writer.mark(state or summary.outcome, to_text(summary))
        folder.append(folder.log, record.report.log_text())
        rows = as_csv(ORDER_COLUMNS, record.report.order_rows(), head=False)
        folder.append(folder.trades, rows, head=as_csv(ORDER_COLUMNS, ()))
    return summary
