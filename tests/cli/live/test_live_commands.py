"""The commands of demo and live runs, against the served exchange, as they are typed."""

import json
import os
import re
from decimal import Decimal

import pytest

from tests.conftest import ROOT
from tests.live.plays import BRACKET, PLAYS, SINGLE, Director
from tests.live.stage import Ended, Running, Stage, Trader, until

ORDERS = "POST /fapi/v1/order", "POST /fapi/v1/algoOrder"


def started(trader: Trader, text: str = BRACKET) -> Running:
    """A run that goes on, its first order on the exchange."""
    running = trader.run(trader.plan(text))
    until("an order", lambda: trader.requests(*ORDERS) or running.ended)
    assert not running.ended, running.wait().said
    return running


def standing(trader: Trader) -> list[str]:
    return [order["clientAlgoId"] for order in trader.orders(closed=False)["conditionals"]]


def test_the_preview_shows_the_account_and_what_would_be_sent_and_writes_nothing(trader: Trader) -> None:
    ended = trader.command("preview", trader.plan(BRACKET), "--mode", "demo", "--format", "json")
    assert ended.code == 0, ended.said
    shown = json.loads(ended.out)
    assert set(shown) >= {"fingerprint", "approval_id", "orders", "account", "refusals", "worst_case", "prices"}
    account = shown["account"]
    assert account["balances"]["USDT"]["wallet"] == "10000" and account["hedge_mode"] is False
    assert account["settings"]["BTCUSDT"] == {"leverage": 5, "margin_type": "CROSSED"}
    assert shown["refusals"] == [] and shown["host"] == trader.served.rest
    text = trader.command("preview", trader.plan(BRACKET), "--mode", "demo")
    assert shown["approval_id"][:12] in text.out and "one-way mode" in text.out
    assert trader.requests(*ORDERS) == [] and [*trader.home.rglob("*")] == []


def test_a_preview_says_why_a_run_would_be_refused(stage: Stage, trader: Trader) -> None:
    trader.buy_by_hand("0.010")
    ended = trader.command("preview", trader.plan(BRACKET), "--mode", "demo")
    assert "REFUSED NOW: BTCUSDT: the account has a position of 0.01" in ended.out


def test_the_doctor_finds_everything_well_and_sends_nothing(trader: Trader) -> None:
    ended = trader.command("doctor", "--symbol", "btcusdt", "--format", "json")
    assert ended.code == 0, ended.said
    found = json.loads(ended.out)
    assert found["works"] is True and all(one["ok"] for one in found["findings"])
    assert {row["route"].split()[0] for row in trader.requests()} <= {"GET", "POST"}
    assert trader.requests(*ORDERS, "DELETE /fapi/v1/") == []


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"BINANCE_API_SECRET": "nobody-knows-this"}, r"FAULT +key.*-1022[\s\S]*BINANCE_API_SECRET"),
        ({"BINANCE_API_KEY": "", "BINANCE_API_SECRET": ""}, r"FAULT +key"),
        ({"BINANCE_FUTURES_REST_URL": "http://127.0.0.1:9"}, r"FAULT +exchange.*no connection"),
        ({"BINANCE_FUTURES_WS_URL": "ws://127.0.0.1:9"}, r"FAULT +user stream"),
    ],
    ids=["wrong secret", "no keys", "no exchange", "no streams"],
)
def test_the_doctor_says_what_is_wrong_and_what_to_do(env: dict[str, str], words: str, trader: Trader) -> None:
    ended = trader.command("doctor", **env)
    assert ended.code == 4, ended.said
    assert re.search(words, ended.out), ended.out
    assert "would not work" in ended.out and "nobody-knows-this" not in ended.said


def test_the_doctor_asks_a_production_host_nothing(trader: Trader) -> None:
    ended = trader.command("doctor", "--mode", "live", BINANCE_FUTURES_REST_URL="", BINANCE_FUTURES_WS_URL="")
    assert ended.code == 4
    assert "https://fapi.binance.com is where real money is" in ended.out


def test_keys_of_a_dotenv_file_serve_and_an_open_one_is_told(trader: Trader) -> None:
    file = trader.folder / ".env"
    file.write_text(f"BINANCE_API_KEY={trader.key}\nBINANCE_API_SECRET={trader.secret}\n")
    os.chmod(file, 0o644)
    env = trader._environment()
    del env["BINANCE_API_KEY"], env["BINANCE_API_SECRET"]
    ended = Running(("-m", "runner", "doctor"), trader.folder, env).wait()
    assert ended.code == 0, ended.said
    assert "others on this machine can read .env" in ended.err and trader.secret not in ended.said
    os.chmod(file, 0o600)
    ended = Running(("-m", "runner", "doctor"), trader.folder, env).wait()
    assert (ended.code, ended.err) == (0, "")


def typed(trader: Trader, *words: str) -> Ended:
    """An order, approved with the id that its refusal names."""
    refused = trader.command("order", *words, "--mode", "demo")
    assert refused.code == 7 and trader.requests(*ORDERS) == [], refused.said
    found = re.search(r"add --approve ([0-9a-f]{64})", refused.err)
    assert found is not None, refused.said
    return trader.command("order", *words, "--mode", "demo", "--approve", found[1])


def test_an_order_is_sent_once_it_is_approved_and_says_so_in_one_line(trader: Trader) -> None:
    ended = typed(trader, "limit", "BTCUSDT", "BUY", "0.002", "50000", "--unprotected", "allow")
    assert ended.code == 0, ended.said
    assert re.search(r"^OK: LIMIT \d+ ACCEPTED$", ended.out.splitlines()[-1])
    assert "still on the exchange:\n  limit.entry LIMIT BUY 0.002 BTCUSDT at 50000" in ended.out
    (order,) = trader.orders()["orders"]
    assert Decimal(order["price"]) == 50000 and order["status"] == "NEW"


def test_an_opening_order_without_a_stop_must_say_that_it_is_meant(trader: Trader) -> None:
    ended = trader.command("order", "market", "BTCUSDT", "BUY", "0.002", "--mode", "demo")
    assert ended.code == 7 and "--unprotected allow" in ended.err
    assert trader.requests() == []


def test_a_run_is_found_by_its_id_shown_and_exported_and_its_number_does_not_hide_a_dry_run(
    stage: Stage, trader: Trader,
) -> None:
    stage.price("60000")
    ended = typed(trader, "market", "BTCUSDT", "BUY", "0.002", "--unprotected", "allow")
    assert ended.code == 0, ended.said
    dry = trader.command("run", ROOT / "examples" / "bracket.yaml")
    assert dry.code == 0, dry.said
    listed = json.loads(trader.command("runs", "--format", "json").out)
    assert [(run["mode"], run["run"], run["state"]) for run in listed] == [
        ("dryrun", 1, "succeeded"), ("demo", 1, "succeeded"),
    ]
    run_id = listed[1]["run_id"]
    assert "dryrun (nothing is sent)" in trader.command("show", "1").out
    for word in (run_id, run_id[:9]):
        assert "demo (LIVE ORDERS)" in trader.command("show", word).out
    assert "demo (LIVE ORDERS)" in trader.command("show", "1", "--mode", "demo").out
    fills = trader.command("export", "--mode", "demo", "--fills").out.splitlines()
    assert len(fills) == 2 and run_id in fills[1]
    assert run_id not in trader.command("export", "--fills").out
    assert trader.command("show", "99").code == 2


def test_a_run_shows_a_line_an_event_without_control_codes_and_logs_the_same(stage: Stage, trader: Trader) -> None:
    director = Director(stage, trader, PLAYS["single"])
    ended = director.end(trader.run(trader.plan(SINGLE), "-v"))
    assert ended.code == 0, ended.said
    assert "\x1b" not in ended.out + ended.err
    assert re.search(r"demo \(LIVE ORDERS\) +127\.0\.0\.1:\d+, account \w+", ended.out.splitlines()[0])
    (log,) = trader.home.rglob("bot.log")
    actions = [json.loads(line)["action"] for line in log.read_text().splitlines()]
    assert actions[:2] == ["validate", "run_start"] and actions[-1] == "run_end"
    assert log.stat().st_mode & 0o077 == 0


def test_a_run_is_stopped_from_another_terminal_and_resumed(stage: Stage, trader: Trader) -> None:
    stage.price("60200")
    running = started(trader)
    stage.price("59900")
    until("the exits", lambda: len(standing(trader)) == 3)
    ended = trader.command("stop", trader.run_id(), "--format", "json")
    assert ended.code == 0, ended.said
    answer = json.loads(ended.out)
    assert (answer["ended"], answer["outcome"], len(answer["left"])) == (True, "stopped", 4)
    stopped = running.wait()
    assert stopped.code == 1
    assert "stopping: nothing opens any more, what protects stays" in stopped.out
    assert f"resume with: daksh-run resume {trader.run_id()}" in stopped.out
    assert len(standing(trader)) == 3
    resumed = trader.resume()
    until("it is taken up", lambda: "everything was read again" in resumed.out or resumed.ended)
    stage.price("62100")
    again = resumed.wait()
    assert "still on the exchange" not in again.out and standing(trader) == [], again.said
    assert trader.held() in ("0", "0.000") and "resumed 1 time" in again.out
    assert trader.command("stop", "nothing-of-the-kind").code == 2


def test_a_lost_stream_is_told_and_so_is_its_return(stage: Stage, trader: Trader) -> None:
    stage.price("60200")
    running = started(trader)
    until("the entry", lambda: "accepted" in running.out)
    trader.fault("socket_dropped")
    until("the loss", lambda: "the account's events were lost" in running.out)
    until("the return", lambda: "everything was read again: 1 order of this run open, no position" in running.out)
    running.kill()
    shown = trader.command("show", trader.run_id())
    assert shown.code == 0 and shown.out.index("events were lost") < shown.out.index("everything was read again")


def test_wrong_times_are_told_by_name(trader: Trader) -> None:
    ended = trader.command("doctor", DAKSH_TIMINGS="pol=3s")
    assert ended.code == 2
    assert "DAKSH_TIMINGS: 'pol' is none of its names" in ended.err and "poll" in ended.err
