"""A live run from its approval to its end, and from wherever its process was left to its end."""

import asyncio
import time
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from runner.app.live.control import StopRequests
from runner.app.live.executions import Executions
from runner.app.live.folders import FoundRun, account_folder, find_live, live_run_id
from runner.app.live.left import left_on_exchange
from runner.app.live.logging import RunLog
from runner.app.live.options import LiveOptions
from runner.app.live.preflight import refusals
from runner.app.live.preview import LivePreview, preview_live
from runner.app.live.session import Connection, Opening, Session, connect
from runner.app.live.signals import Early, listening
from runner.app.live.telling import LiveObserver, Telling
from runner.app.live.wiring import refuse_production
from runner.app.run import RunOptions, RunResult
from runner.app.runs import CRASHED, told_again
from runner.domain.commands import Command, PlaceOrder, RunEnded
from runner.domain.events import AccountSeen, Event, RunResumed, RunStarted
from runner.domain.positions import Position
from runner.engine.machine import Machine
from runner.engine.replay import Replayed, replay
from runner.errors import DakshError, InternalError, LockedElsewhere, Refused, UsageError
from runner.graph.fingerprint import canonical
from runner.graph.model import ExecutionGraph, OrderNode
from runner.graph.stored import graph_from
from runner.journal.codec import to_text
from runner.journal.folder import RunFile, StateFolder
from runner.journal.locks import held
from runner.journal.store import RUNNING, Durability, JournalReader, JournalWriter, RunFacts, RunRow
from runner.plan.diagnostics import Diagnostic
from runner.report.context import RunContext, describe
from runner.report.report import Report
from runner.report.trades import ORDER_COLUMNS, Row, as_csv

Approver = Callable[[LivePreview], bool]

INTERRUPTED = "interrupted"
GATEWAYS = "runner.gateways"
"""What logs here belongs to no event: a lost socket, a defect."""
_RESUMABLE = frozenset({RUNNING, CRASHED, INTERRUPTED, "stopped"})
_DURABLE = Durability("FULL", 1_000_000)
"""Each event and its commands are one transaction, however many they are."""
_PATIENCE_S = 3.0


@dataclass(frozen=True, slots=True)
class _Undertaking:
    """A run that is locked, and whose journal is open for writing.

    `resumed`: another process had it before, and placements were `sent` by then.  `opening` says what it begins with,
    once connected, or raises what speaks against that.
    """

    live: LiveOptions
    early: Early
    graph: ExecutionGraph
    folder: StateFolder
    file: RunFile
    context: RunContext
    journal: JournalWriter
    report: Report
    machine: Machine
    requests: StopRequests
    warnings: tuple[Diagnostic, ...]
    legs: int | None
    resumed: bool
    sent: bool
    executions: Executions
    opening: Callable[[Connection], Opening]


class _Share:
    """What is known of this process's share of a run when it is over, however it ended."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.begun = self.sent = self.ended = False
        self.signal: int | None = None


def run_live(options: RunOptions, live: LiveOptions, approve: Approver, observer: LiveObserver) -> RunResult:
    """Run a plan on the exchange, once it is approved; `approve` is asked while nothing is connected.

    Raises:
        PlanInvalid, UsageError, EnvironmentFault, LockedElsewhere, Refused: before anything was sent.
        InternalError: a bug; what happened so far is in the journal.
    """
    with Early() as early:
        return _begun(options, live, approve, observer, early)


def _begun(
    options: RunOptions, live: LiveOptions, approve: Approver, observer: LiveObserver, early: Early,
) -> RunResult:
    preview = preview_live(options, live)
    graph, tag = preview.compiled.graph, preview.account.tag
    folder = StateFolder(account_folder(live.state_home, live.mode, tag))
    with ExitStack() as locks:  # that a run trades the symbol says more than the orders that it has there
        _hold_symbols(locks, folder, graph)
    _refuse(preview.refusals)
    if not approve(preview):
        raise Refused(
            "the plan is not approved; nothing was sent", hint=f"approve it with --approve {preview.approval_id}",
        )
    with ExitStack() as locks:
        _hold_symbols(locks, folder, graph)
        started_ms = time.time_ns() // 1_000_000
        file = folder.new_run(live_run_id(tag, started_ms), numbered=True)
        locks.enter_context(held(file.lock, _taken(file)))
        seed = started_ms if options.seed is None else options.seed
        host = urlsplit(live.endpoints.rest).netloc
        context = describe(
            graph, run_id=file.run_id, mode=live.mode, fingerprint=preview.fingerprint, seed=seed,
            market=f"{host}, account {tag}", latency_ms=0, dated=False, precise=False,
        )
        facts = RunFacts(
            file.run_id, graph.name, live.mode, preview.fingerprint, seed, f"{live.endpoints.rest} account {tag}",
            started_ms, to_text(context), canonical(graph).decode(),
        )
        legs = sum(isinstance(node, OrderNode) for node in graph.nodes) if options.until_accepted else None
        journal = JournalWriter.begin(file.path, facts, _DURABLE)
        locks.callback(journal.close)
        return _carried_out(_Undertaking(
            live, early, graph, folder, file, context, journal, Report(context), Machine(graph),
            StopRequests(file.request), preview.compiled.warnings, legs, False, False, Executions(),
            lambda connection: _beginning(live, graph, file, seed, connection),
        ), observer)


def resume_run(run: str, live: LiveOptions, observer: LiveObserver) -> RunResult:
    """Take a run on whose process is gone, was interrupted or was stopped: with the graph that it was compiled to, and
    without a new approval.

    Raises:
        UsageError: there is no such run, or it is of another mode.
        Refused: the run has ended, or is of another account.
        EnvironmentFault, LockedElsewhere, JournalError: the exchange cannot be reached, another process runs it, or its
            journal is damaged.
        InternalError: a bug; what happened so far is in the journal.
    """
    with Early() as early:
        return _resumed(run, live, observer, early)


def _resumed(run: str, live: LiveOptions, observer: LiveObserver, early: Early) -> RunResult:
    refuse_production(live)
    found = find_live(live.state_home, run)
    if found.mode != live.mode:
        raise UsageError(f"{found.file.run_id} is a {found.mode} run", hint=f"use --mode {found.mode}")
    folder, file = StateFolder(found.folder), found.file
    with ExitStack() as locks:
        locks.enter_context(held(file.lock, _taken(file)))
        row = _row(file)
        if row.state not in _RESUMABLE:
            raise Refused(
                f"the run {file.run_id} has ended ({row.state}), and cannot be resumed",
                hint=f"see how it went: daksh-run show {file.run_id}",
            )
        graph = graph_from(row.facts.graph)
        _hold_symbols(locks, folder, graph)
        journal = JournalWriter.reopen(file.path, _DURABLE)
        locks.callback(journal.close)
        report, entries = _read_again(file, row)
        if _ended(entries):
            return _written_down(folder, file, report, journal)
        replayed = replay(graph, entries) if entries else None
        executions = Executions()
        for entry in entries:
            executions.see(entry)

        def opening(connection: Connection) -> Opening:
            _refuse_another_account(live, found, connection)
            if replayed is None:  # it was left before its first event: all of it is still to come
                return _beginning(live, graph, file, row.facts.seed, connection)
            return _going_on(live, replayed, connection)

        return _carried_out(_Undertaking(
            live, early, graph, folder, file, report.context, journal, report,
            Machine(graph) if replayed is None else replayed.machine, StopRequests(file.request), (), None,
            True, any(isinstance(entry, PlaceOrder) for entry in entries), executions, opening,
        ), observer)


def _refuse(reasons: tuple[str, ...]) -> None:
    if not reasons:
        return
    said = f"{reasons[0]}; nothing was sent"
    if len(reasons) > 1:
        said = "\n  ".join((f"{len(reasons)} things speak against this run; nothing was sent", *reasons))
    raise Refused(said, hint="see all of it with: daksh-run preview")


def _taken(file: RunFile) -> LockedElsewhere:
    return LockedElsewhere(
        f"another process runs {file.run_id}", hint=f"stop it with: daksh-run stop {file.run_id}",
    )


def _hold_symbols(locks: ExitStack, folder: StateFolder, graph: ExecutionGraph) -> None:
    """One live run at a time on an account and symbol."""
    for symbol in sorted(instrument.symbol for instrument in graph.instruments):
        busy = LockedElsewhere(
            f"another live run trades {symbol} on this account; nothing was sent",
            hint="see which with: daksh-run runs; it can be stopped with: daksh-run stop",
        )
        locks.enter_context(held(folder.path / "locks" / f"{symbol}.lock", busy))


def _beginning(
    live: LiveOptions, graph: ExecutionGraph, file: RunFile, seed: int, connection: Connection,
) -> Opening:
    """The first events of a run; what was approved may meanwhile be refused."""
    account, snapshot = connection.account, connection.snapshot
    _refuse(refusals(graph, account, snapshot))
    adopted = _adopted(graph)
    own: list[Position] = []
    foreign: list[Position] = []
    for position in snapshot.positions:
        (own if position.symbol in adopted else foreign).append(position)
    now_ms = connection.exchange.now_ms()
    return Opening((
        RunStarted(now_ms, file.run_id, seed, tuple(own), tuple(foreign), live.pace), AccountSeen(now_ms, account),
        snapshot,
    ))


def _adopted(graph: ExecutionGraph) -> frozenset[str]:
    """The symbols on which the plan closes what it does not open: their position is given into its hands."""
    opened = {step.symbol for step in graph.steps if step.opens}
    allowed = {step.group_id for step in graph.steps if step.existing_position_allowed}
    return frozenset(
        group.symbol for group in graph.groups
        if group.adopts is not None and (group.symbol not in opened or group.group_id in allowed)
    )


def _refuse_another_account(live: LiveOptions, found: FoundRun, connection: Connection) -> None:
    tag = connection.account.tag
    if account_folder(live.state_home, live.mode, tag) != found.folder:
        raise Refused(
            f"the keys are of the account {tag}, and the run is one of {found.folder.name}; nothing was sent",
            hint="set BINANCE_API_KEY and BINANCE_API_SECRET to keys of that account",
        )


def _going_on(live: LiveOptions, replayed: Replayed, connection: Connection) -> Opening:
    """The events that follow on those of the former process; `expires_ms` is when none of its requests can come in any
    more."""
    account, snapshot = connection.account, connection.snapshot
    expires_ms = connection.exchange.now_ms() + live.timings.recv_window_ms
    return Opening(
        (RunResumed(snapshot.begun_ms, expires_ms), snapshot, AccountSeen(snapshot.at_ms, account)),
        replayed.timers, tuple(replayed.watches.values()),
    )


def _row(file: RunFile) -> RunRow:
    with closing(JournalReader(file.path)) as journal:
        return journal.run()


def _read_again(file: RunFile, row: RunRow) -> tuple[Report, list[Event | Command]]:
    """The report as it was, and the entries that it comes from.

    Raises:
        JournalError: the journal was changed.
    """
    with closing(JournalReader(file.path)) as journal:
        journal.verify()
        report, _ = told_again(journal, row)
        report.take_log()
        return report, [entry.value for entry in journal.entries()]


def _ended(entries: list[Event | Command]) -> bool:
    """Whether the run has come to an end that nothing follows on: only a run that was stopped goes on."""
    ends = [entry.outcome for entry in entries if isinstance(entry, RunEnded)]
    return bool(ends) and ends[-1] != "stopped"


def _written_down(folder: StateFolder, file: RunFile, report: Report, journal: JournalWriter) -> RunResult:
    """What is left to do for a run whose process died between its end and its last word."""
    summary = report.summary()
    journal.mark(summary.outcome, to_text(summary))
    rows = tuple(report.order_rows())
    _add_rows(folder, rows)
    return RunResult(
        file.number, file.run_id, summary.outcome, None, report.context, summary, rows, file.path,
        left_on_exchange(report),
    )


def _add_rows(folder: StateFolder, rows: tuple[Row, ...]) -> None:
    with suppress(DakshError):  # the rows are in the journal too, and `export` writes the file anew
        folder.append(folder.trades, as_csv(ORDER_COLUMNS, rows, head=False), head=as_csv(ORDER_COLUMNS, ()))


def _carried_out(run: _Undertaking, observer: LiveObserver) -> RunResult:
    """This process's share, and what it leaves written down whatever the end is."""
    share = _Share(run.report)
    state, fault = CRASHED, ""
    try:
        with closing(RunLog(run.folder.log, (run.live.credentials.key, run.live.credentials.secret))) as log:
            log.listen(GATEWAYS, run.live.mode, run.file.run_id)
            asyncio.run(_conducted(run, share, log, observer))
        state = "" if share.ended else INTERRUPTED
    except InternalError:
        raise
    except (DakshError, OSError) as error:
        state = INTERRUPTED if run.resumed or share.sent else "failed"
        if not (share.begun and (run.sent or share.sent)):
            raise
        # Something was sent already: the codes that promise otherwise would be untrue.
        fault = error.message if isinstance(error, DakshError) else str(error)
    except BaseException as error:
        if not isinstance(error, Exception):
            state = INTERRUPTED
        raise
    finally:
        summary = share.report.summary()
        if fault:
            summary = summary._replace(outcome="failed", reason=fault)
        state = state or summary.outcome
        if share.begun or not run.resumed:  # else the former process's word stands
            with suppress(DakshError):  # a journal that takes nothing more says `running`, which is seen to be untrue
                run.journal.mark(state, to_text(summary))
    left = left_on_exchange(share.report)
    rows = tuple(share.report.order_rows())
    unfinished = state == INTERRUPTED or (state == "stopped" and bool(left))
    if not unfinished:
        _add_rows(run.folder, rows)
    return RunResult(
        run.file.number, run.file.run_id, summary.outcome or state, share.signal, run.context, summary, rows,
        run.file.path, left, run.file.run_id if unfinished else "",
    )


async def _conducted(run: _Undertaking, share: _Share, log: RunLog, observer: LiveObserver) -> None:
    symbols = [instrument.symbol for instrument in run.graph.instruments]
    async with connect(run.live, symbols, run.file.run_id) as connection:
        opening = run.opening(connection)
        run.journal.mark(RUNNING)
        telling = Telling(
            run.report, log, observer, connection.exchange.now_ms,
            lambda: observer.began(run.file.number, run.context, run.warnings),
        )
        share.begun = True
        session = Session(
            run.machine, connection.exchange, run.journal, telling.tell, run.requests, run.executions, run.legs,
        )
        try:
            with listening(session.ask_to_stop, session.leave) as caught:
                try:
                    run.early.insist()
                    await session.conduct(opening)
                finally:
                    share.signal, share.sent, share.ended = caught.number, session.sent, session.ended
        finally:
            if not telling.close(_PATIENCE_S):
                share.report = _told_from(run.file)


def _told_from(file: RunFile) -> Report:
    """The report from the journal: the thread that has the other one waits for someone who does not listen."""
    with closing(JournalReader(file.path)) as journal:
        return told_again(journal, journal.run())[0]
