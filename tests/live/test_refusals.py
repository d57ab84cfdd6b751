"""What must be refused is refused clearly, with the right exit code, and nothing is sent."""

import json
import re
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.live.judge import judge
from tests.live.plays import PLAYS, SINGLE, Director, look
from tests.live.stage import Ended, Stage, Trader, troupe, until

OPENS = "POST /fapi/v1/order", "POST /fapi/v1/algoOrder", "POST /fapi/v1/batchOrders"


def refused(trader: Trader, ended: Ended, code: int, *words: str) -> None:
    """It says why, in these words, with that code; it sent nothing, and shows no traceback and no key."""
    assert ended.code == code, ended.said
    for word in words:
        assert re.search(word, ended.err), f"{word!r} is not in\n{ended.err}"
    assert "Traceback" not in ended.err
    assert nothing_sent(trader)
    assert [sentence for sentence in judge(trader).findings if sentence.startswith("key")] == []


def nothing_sent(trader: Trader) -> bool:
    asked = trader.requests(*OPENS)
    of_nobody = [
        row for row in trader.served.shown("requests?account=&limit=1000")["requests"]
        if row["number"] > trader.asked and row["route"] in OPENS
    ]
    return not asked and not of_nobody


def attempt(trader: Trader, *arguments: str, text: str = SINGLE, **env: str) -> Ended:
    """The run of a plan whose preview could not even be seen, or need not be."""
    plan = trader.plan(text)
    return trader.start("run", plan, "--mode", "demo", *arguments, **env).wait()


def test_without_an_approval(trader: Trader) -> None:
    refused(trader, attempt(trader), 7, "approv")


def test_with_the_approval_of_another_plan(trader: Trader) -> None:
    approval = trader.approval(trader.plan(SINGLE))
    refused(trader, attempt(trader, "--approve", approval, text=SINGLE.replace("0.004", "0.005")), 7, "approv")


def test_the_preview_s_approval_is_taken(trader: Trader, stage: Stage) -> None:
    ended = trader.command("preview", trader.plan(SINGLE), "--mode", "demo", "--format", "json")
    assert ended.code == 0, ended.said
    approval = json.loads(ended.out)["approval_id"]
    director = Director(stage, trader, PLAYS["single"])
    ended = director.end(trader.run(trader.plan(SINGLE), approval=approval))
    assert (ended.code, judge(trader).findings) == (0, []), ended.said


@pytest.mark.parametrize("missing", ["BINANCE_API_KEY", "BINANCE_API_SECRET"])
def test_without_keys(missing: str, trader: Trader) -> None:
    refused(trader, attempt(trader, "--approve", "x", **{missing: ""}), 4, missing)
    assert trader.requests() == []


def test_with_a_key_that_nobody_has(trader: Trader) -> None:
    refused(trader, attempt(trader, "--approve", "x", BINANCE_API_KEY="k" * 64), 4, "key")


def test_with_the_secret_of_another_key(trader: Trader) -> None:
    refused(trader, attempt(trader, "--approve", "x", BINANCE_API_SECRET="s" * 64), 4, "secret|signature")


def test_with_a_clock_that_is_off_by_a_minute(trader: Trader) -> None:
    trader.served.sim("clock", off_ms=60_000)
    try:
        refused(trader, attempt(trader, "--approve", "x"), 4, "clock", "off|behind|ahead")
    finally:
        trader.served.sim("clock", off_ms=0)


def test_on_an_account_in_hedge_mode(stage: Stage) -> None:
    with troupe(stage, hedge=True) as trader:
        refused(trader, attempt(trader, "--approve", "x"), 7, "hedge")


def test_with_somebody_else_s_position_on_the_symbol(stage: Stage, trader: Trader) -> None:
    stage.price("60100")
    trader.buy_by_hand("0.010")
    before = len(trader.requests(*OPENS))
    ended = attempt(trader, "--approve", "x")
    assert ended.code == 7 and "position" in ended.err and "0.01" in ended.err, ended.said
    assert len(trader.requests(*OPENS)) == before


def test_with_settings_that_the_plan_does_not_want(trader: Trader) -> None:
    text = SINGLE.replace("steps:", "account: {leverage: 10, margin_type: ISOLATED}\nsteps:")
    refused(trader, attempt(trader, "--approve", "x", text=text), 7, "leverage 10", "ISOLATED")
    assert trader.requests("POST /fapi/v1/leverage", "POST /fapi/v1/marginType") == []


def test_a_step_that_opens_without_a_stop(trader: Trader) -> None:
    text = SINGLE.partition("    bracket:")[0] + "    entry: {side: BUY, type: LIMIT, price: 60000, quantity: 0.004}\n"
    refused(trader, attempt(trader, "--approve", "x", text=text), 7,
            "stop|unprotected")


def test_production_hosts_are_refused_without_a_word_to_them(trader: Trader) -> None:
    urls = {
        "BINANCE_FUTURES_REST_URL": "https://fapi.binance.com", "BINANCE_FUTURES_WS_URL": "wss://fstream.binance.com",
    }
    for mode in ("live", "demo"):
        plan = trader.plan(SINGLE)
        refused(trader, trader.start("run", plan, "--mode", mode, "--approve", "x", **urls).wait(), 7, "real money")
    ended = trader.start(
        "run", trader.plan(SINGLE), "--mode", "live", "--approve", "x", BINANCE_FUTURES_REST_URL="",
        BINANCE_FUTURES_WS_URL="",
    ).wait()
    refused(trader, ended, 7, "real money")


def test_a_second_run_on_the_same_account_and_symbol_from_another_folder(
    stage: Stage, trader: Trader, tmp_path: Path,
) -> None:
    stage.price("60100")
    first = trader.run(trader.plan(SINGLE))
    until("the first run's entry", lambda: look(trader).opening > 0)
    before = len(trader.requests(*OPENS))
    mine, trader.folder = trader.folder, tmp_path
    ended = attempt(trader, "--approve", "x", text=SINGLE.replace("name: single", "name: another"))
    trader.folder = mine
    assert ended.code == 6 and "BTCUSDT" in ended.err, ended.said
    assert len(trader.requests(*OPENS)) == before
    assert Director(stage, trader, PLAYS["single"]).end(first).code == 0


def test_a_bug_tells_where_its_report_is_and_no_key_is_in_it(stage: Stage, trader: Trader) -> None:
    stage.price("60100")
    running = trader.run(
        trader.plan(SINGLE), entry=("-m", "tests.live.doomed", "a-bug"), PYTHONPATH=str(ROOT), TMPDIR=str(trader.home),
    )
    ended = running.wait()
    assert ended.code == 70, ended.said
    reports = [path for path in trader.home.rglob("*") if path.is_file() and b"a bug, for once" in path.read_bytes()]
    assert reports, ended.said
    assert [sentence for sentence in judge(trader, over=False).findings if sentence.startswith("key")] == []
