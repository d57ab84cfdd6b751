"""Looking back at runs."""

from pathlib import Path

import pytest

from runner.app.run import run_plan
from runner.app.runs import UNREADABLE, export_trades, list_runs, show_run
from runner.errors import JournalError, UsageError
from runner.report.summary import as_text
from tests.app.plans import BRACKET, LIMIT, Seen, options, run


def test_runs_are_listed_oldest_first(tmp_path: Path) -> None:
    assert list_runs(tmp_path) == []
    first, second = run(BRACKET, tmp_path), run(LIMIT, tmp_path, until_accepted=True)
    assert [(row.number, row.run_id, row.plan, row.mode, row.state) for row in list_runs(tmp_path)] == [
        (1, first.run_id, "bracket", "dryrun", "succeeded"), (2, second.run_id, "order-limit", "dryrun", "succeeded"),
    ]


def test_a_run_is_shown_as_it_was_seen(tmp_path: Path) -> None:
    seen = Seen()
    result = run_plan(options(BRACKET, tmp_path), seen)
    shown = show_run(tmp_path, "1")
    assert list(shown.lines) == seen.lines
    assert shown.context == seen.context
    assert shown.summary == result.summary
    assert as_text(shown.summary) == as_text(result.summary)
    assert shown.order_rows == result.order_rows
    assert [row["side"] for row in shown.fill_rows] == ["BUY", "SELL"]


def test_a_run_is_found_by_number_id_and_beginning_and_the_latest_of_equal_ids_is_meant(tmp_path: Path) -> None:
    first = run(BRACKET, tmp_path)
    run(LIMIT, tmp_path, until_accepted=True)
    again = run(BRACKET, tmp_path)
    assert first.run_id == again.run_id
    for word in (again.run_id, again.run_id[:8], "3"):
        assert show_run(tmp_path, word).listed.number == 3
    assert show_run(tmp_path, "1").listed.number == 1


@pytest.mark.parametrize("word", ["", "9", "nothing", "../1"])
def test_a_run_that_is_not_there_is_wrong_usage(tmp_path: Path, word: str) -> None:
    run(BRACKET, tmp_path)
    with pytest.raises(UsageError, match="no run"):
        show_run(tmp_path, word)


def test_a_beginning_that_fits_two_ids_is_wrong_usage(tmp_path: Path) -> None:
    run(BRACKET, tmp_path)
    run(LIMIT, tmp_path, until_accepted=True)
    with pytest.raises(UsageError, match="may be any of"):
        show_run(tmp_path, "d")


def test_an_export_without_runs_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no runs"):
        export_trades(tmp_path, None)


def test_a_damaged_journal_is_listed_and_refused(tmp_path: Path) -> None:
    result = run(BRACKET, tmp_path)
    run(LIMIT, tmp_path, until_accepted=True)
    result.journal.write_bytes(b"nothing")
    assert [row.state for row in list_runs(tmp_path)] == [UNREADABLE, "succeeded"]
    with pytest.raises(JournalError):
        show_run(tmp_path, "1")
    with pytest.raises(JournalError):
        export_trades(tmp_path, None)


def test_one_run_is_exported_alone_and_leaves_the_trades_file(tmp_path: Path) -> None:
    run(BRACKET, tmp_path)
    run(LIMIT, tmp_path, until_accepted=True)
    before = (tmp_path / "trades.csv").read_bytes()
    assert len(export_trades(tmp_path, "2").splitlines()) == 2
    assert len(export_trades(tmp_path, "1", fills=True).splitlines()) == 3
    assert (tmp_path / "trades.csv").read_bytes() == before
