"""A process dies at each point between a fact and what follows from it; the next one ends the run all the same."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.app.live.dying import (
    AFTER_CANCEL,
    AFTER_END,
    AFTER_SEND,
    BEFORE_ANSWER_COMMIT,
    BEFORE_SNAPSHOT,
    DISK_FULL,
    FULL_BEFORE,
    WINDOWS,
)
from tests.conftest import ROOT
from tests.live.judge import judge, truth
from tests.live.plays import PLAYS, Director, look
from tests.live.stage import Running, Stage, Trader

KILLED = -9


def dying(trader: Trader, window: str, node: str, *arguments: str | Path) -> Running:
    return trader.start(
        window, node, *arguments, entry=("-m", "tests.app.live.dying"), PYTHONPATH=str(ROOT),
    )


def killed_run(stage: Stage, trader: Trader, window: str, node: str, name: str = "single") -> Director:
    play = PLAYS[name]
    director = Director(stage, trader, play)
    plan = trader.plan(play.plan)
    running = dying(trader, window, node, "run", plan, "--mode", "demo", "--approve", trader.approval(plan))
    assert director.end(running).code == KILLED
    return director


@pytest.mark.parametrize("node", ["long.entry", "long.stop_loss"])
@pytest.mark.parametrize("window", WINDOWS)
def test_the_end_is_the_same_wherever_the_process_dies(stage: Stage, trader: Trader, window: str, node: str) -> None:
    director = killed_run(stage, trader, window, node)
    if node == "long.entry":
        assert bool(truth(trader).ours()) is (window in (AFTER_SEND, BEFORE_ANSWER_COMMIT))
    ended = director.end(trader.resume())
    assert ended.code == 0, ended.said
    verdict = judge(trader)
    assert verdict.findings == [], ended.said
    assert truth(trader).filled(reduces=False) == PLAYS["single"].quantity


def test_two_deaths_in_a_row_before_anything_was_read_change_nothing(stage: Stage, trader: Trader) -> None:
    director = killed_run(stage, trader, BEFORE_ANSWER_COMMIT, "long.stop_loss")
    for _ in range(2):
        assert director.end(dying(trader, BEFORE_SNAPSHOT, "-", "resume", trader.run_id())).code == KILLED
    ended = director.end(trader.resume())
    assert (ended.code, judge(trader).findings) == (0, []), ended.said


def test_a_cancel_that_went_out_before_it_was_kept_is_nobody_elses_change(stage: Stage, trader: Trader) -> None:
    director = killed_run(stage, trader, AFTER_CANCEL, "-", name="bracket")
    ended = director.end(trader.resume())
    assert (ended.code, judge(trader).findings) == (0, []), ended.said
    assert "changed" not in ended.out


def test_a_run_that_died_after_its_end_needs_no_exchange_to_be_written_down(stage: Stage, trader: Trader) -> None:
    killed_run(stage, trader, AFTER_END, "-")
    ended = trader.command("resume", trader.run_id(), BINANCE_FUTURES_REST_URL="http://127.0.0.1:9")
    assert ended.code == 0, ended.said
    assert judge(trader).findings == []
    assert trader.command("resume", trader.run_id()).code == 7


def unkept(trader: Trader) -> list[str]:
    """What is wrong, but that the exits which were sent on a full disk are in no journal."""
    return [finding for finding in judge(trader).findings if not finding.endswith("in no journal")]


def test_a_full_disk_ends_the_run_with_its_protection_in_place(stage: Stage, trader: Trader) -> None:
    play = PLAYS["twap"]
    director = Director(stage, trader, replace(play, exits=()))
    plan = trader.plan(play.plan)
    approval = trader.approval(plan)
    running = dying(trader, DISK_FULL, "build.slice.3", "run", plan, "--mode", "demo", "--approve", approval)
    ended = director.end(running)
    assert ended.code in (1, 5), ended.said
    assert "disk is full" in ended.out
    assert f"resume with: daksh-run resume {trader.run_id()}" in ended.out
    held = look(trader)
    assert play.quantity > held.position > 0
    assert held.stops > 0
    sent = len(trader.requests("POST /fapi/v1/order", "POST /fapi/v1/algoOrder"))
    assert "crashed" in trader.command("runs").out
    assert len(trader.requests("POST /fapi/v1/order", "POST /fapi/v1/algoOrder")) == sent
    ended = Director(stage, trader, play).end(trader.resume())
    assert ended.code == 0, ended.said
    assert unkept(trader) == []


def test_what_is_open_gets_its_stop_also_where_that_cannot_be_kept(stage: Stage, trader: Trader) -> None:
    play = PLAYS["twap"]
    director = Director(stage, trader, replace(play, exits=()))
    plan = trader.plan(play.plan)
    approval = trader.approval(plan)
    running = dying(trader, FULL_BEFORE, "guard.stop_loss", "run", plan, "--mode", "demo", "--approve", approval)
    ended = director.end(running)
    assert ended.code in (1, 5), ended.said
    assert "disk is full" in ended.out
    held = look(trader)
    assert play.quantity >= held.position > 0
    assert held.guarded, ended.said
    assert "guard.stop_loss STOP_MARKET" in ended.out
    ended = Director(stage, trader, play).end(trader.resume())
    assert ended.code == 0, ended.said
    assert unkept(trader) == []
    assert truth(trader).filled(reduces=False) == play.quantity
