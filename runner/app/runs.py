"""Looking back: the runs of a state folder, one run in full, and the trade journal."""

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from runner.app.live.folders import find_run
from runner.errors import JournalError, LockedElsewhere, UsageError
from runner.journal.codec import from_text
from runner.journal.folder import RunFile, StateFolder
from runner.journal.locks import is_held
from runner.journal.store import RUNNING, JournalReader, RunRow
from runner.report import trades
from runner.report.context import RunContext
from runner.report.lines import Line
from runner.report.report import Report
from runner.report.summary import RunSummary
from runner.report.trades import FILL_COLUMNS, ORDER_COLUMNS, Row, as_csv

UNREADABLE = "unreadable"
CRASHED = "crashed"


@dataclass(frozen=True, slots=True)
class RunListed:
    """A run in the list.  `state` is that of the journal; `unreadable` where it is locked or damaged (then the plan
    and the mode are empty), `crashed` where its process is gone without a word.  `started_ms` is the wall clock.
    """

    number: int
    run_id: str
    plan: str
    mode: str
    state: str
    started_ms: int


@dataclass(frozen=True, slots=True)
class RunShown:
    """A run in full; `entries` is how many the journal holds, all of them as they were written."""

    listed: RunListed
    context: RunContext
    lines: tuple[Line, ...]
    summary: RunSummary
    order_rows: tuple[Row, ...]
    fill_rows: tuple[Row, ...]
    entries: int


def list_runs(state_dir: Path) -> list[RunListed]:
    """Every run of the folder, oldest first; a journal that cannot be read does not hide the others.

    Raises:
        EnvironmentFault: the folder cannot be read.
    """
    return [_listed(file) for file in StateFolder(state_dir).runs()]


def show_run(state_dir: Path, run: str) -> RunShown:
    """One run by number, id, or the beginning of an id that fits one id only.

    Raises:
        UsageError: there is no such run, or several ids begin so.
        EnvironmentFault, LockedElsewhere, JournalError: its journal cannot be read, or was changed.
    """
    file = _find(state_dir, run)
    with closing(JournalReader(file.path)) as journal:
        entries = journal.verify()
        row = journal.run()
        report, lines = told_again(journal, row)
    summary = from_text(RunSummary, row.summary) if row.summary else report.summary()
    return RunShown(
        _of(file, row), report.context, lines, summary, tuple(report.order_rows()), tuple(report.fill_rows()), entries,
    )


def export_trades(state_dir: Path, run: str | None, *, fills: bool = False, as_json: bool = False) -> str:
    """The orders or the fills of one run, or of all of them one after the other.

    All orders as CSV are what `trades.csv` holds; it is written anew then.

    Raises:
        UsageError: there is no such run.
        EnvironmentFault, LockedElsewhere, JournalError: a journal cannot be read, or was changed.
    """
    folder = StateFolder(state_dir)
    files = folder.runs() if run is None else [_find(state_dir, run)]
    if not files:
        raise UsageError(f"there are no runs in {state_dir}", hint="run a plan first, or name its --state-dir")
    rows = [row for file in files for row in _rows(file, fills=fills)]
    columns = FILL_COLUMNS if fills else ORDER_COLUMNS
    text = trades.as_json(rows) if as_json else as_csv(columns, rows)
    if run is None and not fills and not as_json:
        folder.replace(folder.trades, text)
    return text


def _rows(file: RunFile, *, fills: bool) -> Iterable[Row]:
    with closing(JournalReader(file.path)) as journal:
        journal.verify()
        report, _ = told_again(journal, journal.run())
    return report.fill_rows() if fills else report.order_rows()


def told_again(journal: JournalReader, row: RunRow) -> tuple[Report, tuple[Line, ...]]:
    """What a run's journal tells, from its first entry to its last."""
    report = Report(from_text(RunContext, row.facts.context))
    return report, tuple(line for entry in journal.entries() for line in report.see(entry.at_ms, entry.value))


def state_of(file: RunFile, row: RunRow) -> str:
    """How far a run has come.  One that others might take on has a lock, which its process holds as long as it runs."""
    if row.state == RUNNING and file.lock.exists() and not is_held(file.lock):
        return CRASHED
    return row.state


def _find(state_dir: Path, run: str) -> RunFile:
    return find_run(StateFolder(state_dir).runs(), run, f"run {run!r} in {state_dir}")


def _listed(file: RunFile) -> RunListed:
    try:
        with closing(JournalReader(file.path, patience_s=0.2)) as journal:
            return _of(file, journal.run())
    except (JournalError, LockedElsewhere):
        return RunListed(file.number, file.run_id, "", "", UNREADABLE, 0)


def _of(file: RunFile, row: RunRow) -> RunListed:
    facts = row.facts
    return RunListed(file.number, facts.run_id, facts.plan, facts.mode, state_of(file, row), facts.started_ms)
