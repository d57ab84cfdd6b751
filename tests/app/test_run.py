"""A run from a plan's bytes to its end, with every real part in between."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from runner.app.run import run_plan
from runner.app.runs import export_trades, list_runs, show_run
from runner.errors import EnvironmentFault, PlanInvalid, Refused, UsageError
from runner.journal.store import JournalReader
from runner.plan.diagnostics import Diagnostic
from runner.report.context import RunContext
from runner.report.lines import Line, LineKind
from runner.report.summary import as_text
from tests.app.plans import BRACKET, LIMIT, Seen, options, run

CANDLES = "\n".join([
    "open_time,open,high,low,close,volume,close_time",
    "1746372780000,60200,60300,59800,59900,100,1746372839999",
    "1746372840000,59900,61200,59900,61100,100,1746372899999",
    "1746372900000,61100,61300,61000,61200,100,1746372959999",
]) + "\n"


def test_a_bracket_runs_from_its_text_to_its_profit(tmp_path: Path) -> None:
    seen = Seen()
    result = run_plan(options(BRACKET, tmp_path), seen)
    assert (result.outcome, result.number, result.signal) == ("succeeded", 1, None)
    assert [line.text.split(" ")[0] for line in seen.lines if line.kind is LineKind.FILLED] == ["FILLED", "FILLED"]
    assert as_text(result.summary).startswith(
        "done: 3 orders, 2 filled, 1 cancelled; unprotected 100 ms (latency 50 ms); PnL +",
    )
    assert seen.context is not None and seen.context.market == "INVENTED, a path of 3 prices in the plan"
    assert result.run_id.startswith("d") and len(result.run_id) == 11
    assert [row["result"] for row in result.order_rows] == ["FILLED", "CANCELED", "FILLED"]
    assert all(row["orderId"].startswith("FAKE-") for row in result.order_rows)


def test_the_time_without_protection_is_what_the_machine_says_too(tmp_path: Path) -> None:
    result = run(BRACKET, tmp_path)
    journal = JournalReader(result.journal)
    told = [entry.value for entry in journal.entries() if type(entry.value).__name__ == "GroupProtected"]
    journal.close()
    assert [getattr(value, "unprotected_ms", None) for value in told] == [result.summary.unprotected_ms]


def test_a_run_on_a_file_names_it_and_counts_its_candles(tmp_path: Path) -> None:
    file = tmp_path / "candles.csv"
    file.write_text(CANDLES)
    result = run(BRACKET, tmp_path, market_data=(("", str(file)),))
    assert result.context.market == f"{file}, 3 candles"
    assert result.outcome == "succeeded"


def test_paths_in_a_plan_are_relative_to_the_plan(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "candles.csv").write_text(CANDLES)
    plan = BRACKET.replace(
        "path: [{at: 0s, price: 60200}, {at: 60s, price: 59900}, {at: 180s, price: 61200}]", "data: data/candles.csv",
    )
    assert run(plan, tmp_path / "state", base=tmp_path).outcome == "succeeded"
    with pytest.raises(EnvironmentFault, match="candles"):
        run(plan, tmp_path / "state")


def test_two_runs_export_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        run(BRACKET, tmp_path / name)
        result = run(LIMIT, tmp_path / name, seed=7)
    for file in ("trades.csv", "bot.log"):
        first, second = [(tmp_path / name / file).read_bytes() for name in ("a", "b")]
        assert first == second and len(first.splitlines()) > 3
    for form in ({}, {"fills": True}, {"as_json": True}, {"fills": True, "as_json": True}):
        first_text, second_text = [export_trades(tmp_path / name, None, **form) for name in ("a", "b")]
        assert first_text == second_text
    assert export_trades(tmp_path / "a", "2") == export_trades(tmp_path / "b", result.run_id)


def test_the_export_writes_the_same_trades_anew(tmp_path: Path) -> None:
    run(BRACKET, tmp_path)
    run(LIMIT, tmp_path)
    before = (tmp_path / "trades.csv").read_bytes()
    (tmp_path / "trades.csv").unlink()
    assert export_trades(tmp_path, None).encode() == before
    assert (tmp_path / "trades.csv").read_bytes() == before


def test_the_seed_makes_another_run_and_another_market(tmp_path: Path) -> None:
    first, again, other = (run(LIMIT, tmp_path, seed=seed) for seed in (1, 1, 2))
    assert first.run_id == again.run_id != other.run_id
    assert first.summary == again.summary
    assert "INVENTED, random walk from 50000" in first.context.market and "seed 1" in first.context.market


def test_other_settings_make_another_run(tmp_path: Path) -> None:
    other = BRACKET.replace("dryrun:\n", "dryrun:\n  balance: 5000\n")
    assert run(BRACKET, tmp_path).run_id != run(other, tmp_path).run_id


def test_a_lone_limit_is_done_once_accepted(tmp_path: Path) -> None:
    result = run(LIMIT, tmp_path, until_accepted=True, prices={})
    assert result.outcome == "succeeded"
    assert [row["result"] for row in result.order_rows] == ["ACCEPTED"]
    assert show_run(tmp_path, "1").listed.state == "succeeded"


def test_a_lone_limit_that_is_refused_has_failed(tmp_path: Path) -> None:
    poor = LIMIT.replace("steps:", "dryrun: {balance: 1}\nsteps:")
    result = run(poor, tmp_path, until_accepted=True)
    assert result.outcome == "failed"
    assert "-2019" in show_run(tmp_path, "1").lines[0].text


def test_data_that_end_first_leave_the_run_open_or_fail_it_where_an_end_is_required(tmp_path: Path) -> None:
    plan = BRACKET.replace("price: 61200", "price: 60500")
    result = run(plan, tmp_path)
    assert result.outcome == "open"
    position = result.summary.positions[0]
    assert (str(position.qty), str(position.last_px)) == ("0.004", "60500.0")
    required = run(plan, tmp_path, require_end=True)
    assert (required.outcome, required.summary.reason) == ("failed", "the data ended first")
    assert [listed.state for listed in list_runs(tmp_path)] == ["open", "failed"]


def test_what_is_wrong_before_the_run_leaves_no_run(tmp_path: Path) -> None:
    with pytest.raises(PlanInvalid):
        run("version: 1\n", tmp_path)
    with pytest.raises(Refused, match="live"):
        run(BRACKET, tmp_path, mode="live")
    with pytest.raises(EnvironmentFault, match=r"nothing\.csv"):
        run(BRACKET, tmp_path, market_data=(("", "nothing.csv"),))
    with pytest.raises(UsageError, match="ETHUSDT"):
        run(BRACKET, tmp_path, market_data=(("ETHUSDT", "nothing.csv"),))
    assert list(tmp_path.iterdir()) == []


def test_data_that_break_off_after_an_order_fail_the_run_with_the_cause(tmp_path: Path) -> None:
    file = tmp_path / "candles.csv"
    file.write_text(CANDLES.rpartition("1746372900000")[0] + "1746372900000,what,is,this,row,1,2\n")
    plan = BRACKET.replace("61000", "70000")
    result = run(plan, tmp_path / "state", market_data=(("", str(file)),))
    assert result.outcome == "failed"
    assert "makes no sense" in result.summary.reason
    assert list_runs(tmp_path / "state")[0].state == "failed"


def test_a_state_folder_that_cannot_be_made_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EnvironmentFault, match="state folder"):
        run(BRACKET, tmp_path / "file")


def test_the_first_signal_stops_the_run_and_the_second_leaves(tmp_path: Path) -> None:
    class Impatient(Seen):
        def __init__(self, signals: int) -> None:
            super().__init__()
            self.left = signals

        def told(self, line: Line) -> None:
            super().told(line)
            if self.left:
                self.left -= 1
                os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    result = run_plan(options(BRACKET, tmp_path), Impatient(1))
    assert (result.outcome, result.signal) == ("stopped", signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
    assert "CANCELED" in {row["result"] for row in result.order_rows}
    with pytest.raises(KeyboardInterrupt):
        run_plan(options(BRACKET, tmp_path), Impatient(2))
    assert [listed.state for listed in list_runs(tmp_path)] == ["stopped", "interrupted"]


def test_a_bug_leaves_a_journal_that_says_so(tmp_path: Path) -> None:
    class Broken(Seen):
        def told(self, line: Line) -> None:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_plan(options(BRACKET, tmp_path), Broken())
    assert list_runs(tmp_path)[0].state == "crashed"
    assert show_run(tmp_path, "1").entries > 0


def test_processes_side_by_side_lose_no_run_and_no_row(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from runner.app.run import RunOptions, run_plan\n"
        "from tests.app.plans import BRACKET, Seen\n"
        "for _ in range(3): run_plan(RunOptions('p', BRACKET.encode(), Path(sys.argv[1])), Seen())\n"
    )
    children = [
        subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], cwd=Path(__file__).parent.parent.parent)
        for _ in range(2)
    ]
    assert [child.wait() for child in children] == [0, 0]
    assert [(listed.number, listed.state) for listed in list_runs(tmp_path)] == [
        (number, "succeeded") for number in range(1, 7)
    ]
    assert len((tmp_path / "trades.csv").read_text().splitlines()) == 1 + 6 * 3
    logged = [json.loads(line) for line in (tmp_path / "bot.log").read_text().splitlines()]
    assert [line["action"] for line in logged].count("run_end") == 6


def test_a_dry_run_imports_nothing_heavy(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from tests.app.plans import BRACKET, run\n"
        "run(BRACKET, Path(sys.argv[1]))\n"
        "print([name for name in ('asyncio', 'loguru', 'binance', 'aiohttp', 'numpy', 'requests', 'rich', 'click')"
        " if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], cwd=Path(__file__).parent.parent.parent, capture_output=True,
        text=True, check=True,
    )
    assert done.stdout == "[]\n"


def test_real_candles_run(tmp_path: Path, shared_data: Path) -> None:
    file = shared_data / "BTCUSDT-1m-2025-05.csv.gz"
    plan = BRACKET.replace("61000", "99000").replace("59000", "93000")
    result = run(plan, tmp_path, market_data=(("", str(file)),), sets={"entry": "94000"})
    assert result.context.market.endswith("43,199 candles")
    assert result.summary.filled == 2
    assert result.outcome == "succeeded"


def test_a_stop_is_heard_between_two_events_too(tmp_path: Path) -> None:
    class Late(Seen):
        def began(self, number: int, context: RunContext, warnings: tuple[Diagnostic, ...]) -> None:
            self.alarm = signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
            signal.setitimer(signal.ITIMER_REAL, 0.3)

    plan = LIMIT.replace("steps:", "dryrun: {market: {random: {start: 60000, volatility: 1%, hours: 8000}}}\nsteps:")
    late = Late()
    try:
        result = run_plan(options(plan, tmp_path), late)
    finally:
        signal.signal(signal.SIGALRM, late.alarm)
    assert (result.outcome, result.signal) == ("open", signal.SIGTERM)
