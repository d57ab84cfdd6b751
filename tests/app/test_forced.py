"""Dry runs whose positions the exchange closes: they end at once, and say so."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from runner.app.runs import export_trades, show_run
from runner.report.summary import RunSummary, as_text
from tests.app.plans import HELD_FOR_A_DAY, STOP_TOO_FAR, WITHOUT_A_STOP, run
from tests.cli.session import Session

D = Decimal
def _outcomes(summary: RunSummary) -> dict[str, str]:
    return {step.step_id: f"{step.outcome} {step.reason}".rstrip() for step in summary.steps}


def test_a_stop_beyond_the_liquidation_price_is_never_reached(tmp_path: Path) -> None:
    summary = run(STOP_TOO_FAR, tmp_path).summary
    assert (summary.outcome, summary.reason, summary.liquidated) == ("failed", "liquidated", ("BTCUSDT",))
    assert _outcomes(summary) == {"long": "failed liquidated", "more": "skipped the run is stopping"}
    assert (summary.positions, summary.naked_at_end) == ((), ())
    # The balance was 1,000: cross margin loses all of it, and never more.
    assert [money.net for money in summary.money] == [D(-1000)]
    assert summary.orders <= 5


def test_what_has_no_stop_is_liquidated_too_and_nothing_is_opened_after_it(tmp_path: Path) -> None:
    result = run(WITHOUT_A_STOP, tmp_path)
    summary = result.summary
    assert (summary.outcome, summary.reason) == ("failed", "liquidated")
    assert _outcomes(summary) == {
        "hold": "succeeded", "build": "failed liquidated", "tomorrow": "skipped the run is stopping",
    }
    assert summary.positions == ()
    assert sum(money.net for money in summary.money) == D(-1000)
    forced = [row for row in json.loads(export_trades(tmp_path, None, fills=True, as_json=True)) if not row["stepId"]]
    bought = sum(D(row["qty"]) for row in result.order_rows if row["result"] == "FILLED")
    assert [(row["side"], D(row["qty"])) for row in forced] == [("SELL", bought)]
    assert all(row["ts"] <= forced[0]["ts"] for row in result.order_rows)


@pytest.mark.parametrize("plan", [STOP_TOO_FAR, WITHOUT_A_STOP], ids=["stop-too-far", "no-stop"])
def test_the_command_fails_and_the_journal_tells_it_again(plan: str, tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text(plan)
    daksh = Session(tmp_path)
    ended = daksh("plan.yaml")
    assert ended.code == 1
    assert "LIQUIDATED SELL" in ended.out
    assert ended.out.splitlines()[-1].startswith("failed (liquidated): ")
    shown = show_run(tmp_path / ".daksh", "1")
    assert as_text(shown.summary) == ended.out.splitlines()[-1]
    assert [str(line) for line in shown.lines if "LIQUIDATED" in line.text] == [
        line for line in ended.out.splitlines() if " LIQUIDATED SELL " in line
    ]
    assert daksh("show", "1").out.splitlines()[-1] == ended.out.splitlines()[-1]


def test_who_holds_over_funding_times_pays_at_each_of_them_and_is_told(tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text(HELD_FOR_A_DAY)
    ended = Session(tmp_path)("plan.yaml", "--format", "json")
    assert ended.code == 0
    (money,) = json.loads(ended.out)["pnl"]
    # Two times, 08:00 and 16:00, 0.1 BTC at a mark of 59000, 0.01 % each.
    assert money["funding"] == "-1.18"
    assert D(money["net"]) == D(money["realised"]) - D(money["fees"]) - D("1.18")
    logged = [json.loads(line) for line in (tmp_path / ".daksh" / "bot.log").read_text().splitlines()]
    funded = [(line["ts"][11:19], line["request"]["amount"]) for line in logged if line.get("result") == "FUNDING"]
    assert funded == [("08:00:00", "-0.59"), ("16:00:00", "-0.59")]
