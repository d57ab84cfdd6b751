"""The five windows in which a crash can lose something, by name, and what happens to an entry while nobody is there.

In each the process dies in that window, is resumed, and the run comes to the end that it would have had.
"""

import signal
from decimal import Decimal

import pytest

from runner.domain.commands import Remark
from tests.conftest import ROOT
from tests.live.crashing import PROTECTED_WITHIN_MS
from tests.live.judge import Verdict, journal, judge, truth
from tests.live.mishaps import pattern
from tests.live.plays import PLAYS, SINGLE, Director, look
from tests.live.stage import Ended, Stage, Trader, until

PLAY = PLAYS["single"]


def _dies(stage: Stage, trader: Trader, moment: str) -> Director:
    """Play up to the process's death at that moment of its journal."""
    director = Director(stage, trader, PLAY)
    plan = trader.plan(PLAY.plan)
    running = trader.run(plan, entry=("-m", "tests.live.doomed", moment), PYTHONPATH=str(ROOT))
    director.until("the death of the run", lambda: running.ended)
    assert running.wait().code == -signal.SIGKILL, running.wait().said
    return director


def _comes_to_its_end(ended: Ended, verdict: Verdict, trader: Trader) -> None:
    assert verdict.findings == [], ended.said
    assert ended.code == 0, ended.said
    assert truth(trader).filled(reduces=True) == truth(trader).filled(reduces=False) == PLAY.quantity


@pytest.mark.parametrize("moment", [
    "before-the-fill-is-kept", "after-the-stop-is-kept", "before-the-answer-is-kept", "after-the-gap-is-kept",
])
def test_a_crash_in_a_window_loses_and_doubles_nothing(moment: str, stage: Stage, trader: Trader) -> None:
    if moment == "after-the-gap-is-kept":
        trader.fault("socket_dropped", client_id=pattern("single", "long.entry"), event="ORDER_TRADE_UPDATE",
                     status="FILLED")
    director = _dies(stage, trader, moment)
    ended = director.end(trader.resume())
    _comes_to_its_end(ended, judge(trader), trader)


def test_a_crash_after_the_send_and_before_the_answer_loses_and_doubles_nothing(stage: Stage, trader: Trader) -> None:
    director = Director(stage, trader, PLAY)
    stop = pattern("single", "long.stop_loss")
    trader.fault("slow_answer", route="POST /fapi/v1/algoOrder", client_id=stop, delay_ms=5_000)
    running = trader.run(trader.plan(PLAY.plan))
    director.until("the stop on its way", lambda: look(trader).stops > 0)
    running.kill()
    _comes_to_its_end(director.end(trader.resume()), judge(trader), trader)


def test_a_part_of_the_entry_fills_and_the_process_dies_at_once(stage: Stage, trader: Trader) -> None:
    stage.price("60100")
    running = trader.run(trader.plan(PLAY.plan))
    until("the entry", lambda: look(trader).opening == PLAY.quantity)
    stage.price("59990", qty="0.001")
    running.kill()
    again = trader.resume()
    until("exits of the part", lambda: look(trader).guarded)
    scene = look(trader)
    assert (scene.stops, scene.profits, scene.opening) == (Decimal("0.001"), Decimal("0.001"), Decimal("0.003"))
    _comes_to_its_end(Director(stage, trader, PLAY).end(again), judge(trader), trader)


def test_what_the_entry_fills_while_nobody_is_there_is_covered_after_the_resume_and_named(
    stage: Stage, trader: Trader,
) -> None:
    stage.price("60100")
    running = trader.run(trader.plan(PLAY.plan))
    until("the entry", lambda: look(trader).opening == PLAY.quantity)
    stage.price("59990", qty="0.001")
    until("exits of the part", lambda: look(trader).guarded)
    running.kill()
    stage.price("59980", qty="0.002")
    assert look(trader).position == Decimal("0.003") and look(trader).stops == Decimal("0.001")
    again = trader.resume("--format", "json")
    until("exits of it all", lambda: look(trader).guarded)
    ended = Director(stage, trader, PLAY).end(again)
    verdict = judge(trader)
    _comes_to_its_end(ended, verdict, trader)
    assert "0.002" in " ".join(_uncovered(ended, trader))
    assert verdict.longest_ms > 0


def _uncovered(ended: Ended, trader: Trader) -> list[str]:
    """What the run says of its uncovered time."""
    remarks = [value.text for value in journal(trader.journals()[-1]) if isinstance(value, Remark)]
    return [ended.out, *remarks]


def test_a_stop_that_closes_the_position_covers_what_fills_while_nobody_is_there(
    stage: Stage, trader: Trader,
) -> None:
    stage.price("60100")
    plan = trader.plan(SINGLE.replace("{stop_price: 59000}", "{stop_price: 59000, close_position: true}"))
    running = trader.run(plan)
    until("the entry", lambda: look(trader).opening == PLAY.quantity)
    stage.price("59990", qty="0.001")
    until("its stop and its take-profit", lambda: _closes(trader) and look(trader).profits == Decimal("0.001"))
    running.kill()
    stage.price("59980")
    assert look(trader).position == PLAY.quantity
    again = trader.resume()
    until("a take-profit for it all", lambda: look(trader).profits == PLAY.quantity)
    verdict = judge(trader, over=False)
    assert all(span.until_ms - span.from_ms <= PROTECTED_WITHIN_MS for span in verdict.uncovered)
    stood_ms = min(
        event["T"] for event in trader.events() if event["e"] == "ALGO_UPDATE" and event["o"]["cp"]
    )
    assert all(span.until_ms <= stood_ms for span in verdict.uncovered)
    stage.price("61010")
    ended = again.wait()
    _comes_to_its_end(ended, judge(trader), trader)


def _closes(trader: Trader) -> bool:
    return any(row["closePosition"] for row in trader.orders(closed=False)["conditionals"])
