"""Live runs on the served exchange: what is refused before anything is sent, and how a run is stopped and resumed."""

import signal
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.request import Request

import pytest

from runner.app.live.control import request_stop
from runner.app.live.folders import account_folder
from runner.app.live.options import LiveOptions
from runner.app.live.preview import LivePreview, preview_live
from runner.app.live.run import resume_run, run_live
from runner.app.run import RunOptions, RunResult
from runner.app.runs import list_runs, show_run
from runner.cli.timings import read_timings
from runner.domain.commands import PlaceOrder
from runner.errors import EnvironmentFault, LockedElsewhere, PlanInvalid, Refused, UsageError
from runner.gateways.binance.keys import Credentials, Secret
from runner.gateways.binance.settings import Endpoints
from runner.journal.locks import held
from runner.journal.store import JournalReader
from runner.plan.diagnostics import Diagnostic
from runner.report.context import RunContext
from runner.report.lines import Line
from runner.report.report import Report
from tests.live.judge import judge
from tests.live.plays import PLAYS, SINGLE, Director, look
from tests.live.stage import Running, Stage, Trader, until

UNPROTECTED = """\
version: 1
name: bare
steps:
  - id: bare
    symbol: BTCUSDT
    entry: {side: BUY, type: LIMIT, price: 50000, quantity: 0.004}
"""
SLICES = """\
version: 1
name: slices
steps:
  - id: build
    symbol: BTCUSDT
    unprotected: allow
    twap: {side: BUY, quantity: 0.009, slices: 3, every: 3s}
"""
BUSY = LockedElsewhere("busy")


class Watcher:
    def __init__(self) -> None:
        self.begun = 0
        self.lines: list[str] = []
        self.looks = 0

    def began(self, number: int, context: RunContext, warnings: tuple[Diagnostic, ...]) -> None:
        self.begun += 1

    def told(self, line: Line) -> None:
        self.lines.append(str(line))

    def looked(self, report: Report, now_ms: int) -> None:
        self.looks += 1


def home(trader: Trader) -> Path:
    return trader.home / "daksh-run"


def live(trader: Trader, *, secret: str = "", rest: str = "", mode: str = "demo") -> LiveOptions:
    timings, pace = read_timings(trader._timings)
    return LiveOptions(
        mode, Endpoints(rest or trader.served.rest, trader.served.ws),
        Credentials(Secret(trader.key), Secret(secret or trader.secret)), home(trader), timings=timings, pace=pace,
    )


def options(text: str = SINGLE) -> RunOptions:
    return RunOptions("plan.yaml", text.encode(), Path("unused"), mode="demo")


def started(trader: Trader, text: str = SINGLE, approve: Callable[[LivePreview], bool] = lambda _: True) -> RunResult:
    return run_live(options(text), live(trader), approve, Watcher())


def nothing_sent(trader: Trader) -> bool:
    return not trader.requests("POST /fapi/v1/order", "POST /fapi/v1/algoOrder") and not trader.journals()


def guarded(stage: Stage, trader: Trader) -> None:
    """The entry is filled, and its exits stand."""
    def stands() -> bool:
        stage.price("59990")
        return look(trader).guarded

    until("the exits", stands)


def begun(stage: Stage, trader: Trader) -> Running:
    """A run in a process of its own, up to where its exits stand."""
    Director(stage, trader, PLAYS["single"])
    running = trader.run(trader.plan(SINGLE))
    guarded(stage, trader)
    return running


@pytest.fixture(autouse=True)
def apart(stage: Stage) -> None:
    """No entry of the plans is filled before its test wants it."""
    stage.price("60100")


# ---- refused ----------------------------------------------------------------------------------------------------


def test_nothing_is_sent_without_an_approval(trader: Trader) -> None:
    with pytest.raises(Refused, match="not approved") as caught:
        started(trader, approve=lambda _: False)
    assert preview_live(options(), live(trader)).approval_id in caught.value.hint
    assert nothing_sent(trader)


def test_what_an_approver_raises_goes_on(trader: Trader) -> None:
    def approve(_: LivePreview) -> bool:
        raise Refused("the owner is asleep")

    with pytest.raises(Refused, match="asleep"):
        started(trader, approve=approve)
    assert nothing_sent(trader)


def test_an_approval_is_of_one_plan_account_and_mode(stage: Stage, trader: Trader) -> None:
    approval = preview_live(options(), live(trader))
    other = preview_live(options(), live(stage.trader())).approval_id
    changed = preview_live(options(SINGLE.replace("59000", "58999")), live(trader)).approval_id
    mode = preview_live(options(), live(trader, mode="live")).approval_id
    assert len({approval.approval_id, other, changed, mode}) == 4
    assert approval.approval_id == preview_live(options(), live(trader)).approval_id
    assert approval.approved_by(approval.approval_id)
    assert approval.approved_by(approval.approval_id[:12].upper())
    assert not approval.approved_by(approval.approval_id[:11])
    assert not approval.approved_by(other)


def test_a_host_where_real_money_is_is_refused(trader: Trader) -> None:
    for mode in ("demo", "live"):
        with pytest.raises(Refused, match="real money"):
            preview_live(options(), live(trader, rest="https://fapi.binance.com", mode=mode))
        with pytest.raises(Refused, match="real money"):
            resume_run("r1", live(trader, rest="https://fapi.binance.com", mode=mode), Watcher())


def test_an_opener_without_a_stop_is_refused_unless_it_says_so(trader: Trader) -> None:
    with pytest.raises(Refused, match="without a stop"):
        started(trader, UNPROTECTED)
    with pytest.raises(PlanInvalid):
        started(trader, UNPROTECTED.replace("50000", "50000.00001"))
    assert preview_live(options(UNPROTECTED + "    unprotected: allow\n"), live(trader)).refusals == ()
    assert nothing_sent(trader)


def test_an_account_in_hedge_mode_is_refused(trader: Trader) -> None:
    trader.by_hand("POST", "v1/positionSide/dual", dualSidePosition="true")
    with pytest.raises(Refused, match="hedge mode"):
        started(trader)
    assert nothing_sent(trader)


def test_the_plan_is_refused_where_the_account_is_not_set_as_it_wishes(trader: Trader) -> None:
    with pytest.raises(Refused, match="wants leverage 7, the account has 5; nothing was sent"):
        started(trader, SINGLE + "account: {leverage: 7}\n")
    assert nothing_sent(trader)


def test_somebody_elses_position_and_order_are_reasons(trader: Trader) -> None:
    trader.buy_by_hand("0.010")
    trader.by_hand("POST", "v1/order", symbol="BTCUSDT", side="BUY", type="LIMIT", quantity="0.010", price="50000",
                   timeInForce="GTC")
    first, second = preview_live(options(), live(trader)).refusals
    assert "has a position of 0.01 that is not this run's" in first
    assert "has an open order that is not this run's: BUY 0.01" in second
    with pytest.raises(Refused) as caught:
        started(trader)
    assert str(caught.value).splitlines() == [
        "2 things speak against this run; nothing was sent", f"  {first}", f"  {second}",
    ]


def test_what_another_run_of_ours_has_is_one_reason_that_names_it(stage: Stage, trader: Trader) -> None:
    running = begun(stage, trader)
    running.kill()
    running.wait()
    (run_id,) = (row.run_id for row in list_runs(account_folder(home(trader), "demo", _tag(trader))))
    _, reason = preview_live(options(), live(trader)).refusals
    assert reason.startswith("BTCUSDT: the account has open orders that are not this run's: ")
    assert reason.endswith(f", of the run {run_id}: see daksh-run show {run_id}")


def test_what_changes_between_approval_and_start_is_looked_at_again(trader: Trader) -> None:
    def approve(_: LivePreview) -> bool:
        trader.buy_by_hand("0.010")
        return True

    with pytest.raises(Refused, match="not this run's"):
        started(trader, approve=approve)
    assert len(trader.requests("POST /fapi/v1/order", "POST /fapi/v1/algoOrder")) == 1  # by hand
    (listed,) = list_runs(account_folder(home(trader), "demo", _tag(trader)))
    assert listed.state == "failed"


def _tag(trader: Trader) -> str:
    (folder,) = home(trader).iterdir()
    return folder.name.partition("-")[2]


def test_a_wrong_key_is_an_environment_fault(trader: Trader) -> None:
    with pytest.raises(EnvironmentFault):
        preview_live(options(), live(trader, secret="0" * 64))
    with pytest.raises(EnvironmentFault):
        preview_live(options(), live(trader, rest="http://127.0.0.1:9"))
    assert nothing_sent(trader)


def test_a_symbol_is_traded_by_one_run_at_a_time(trader: Trader) -> None:
    folder = account_folder(home(trader), "demo", preview_live(options(), live(trader)).account.tag)
    with held(folder / "locks" / "BTCUSDT.lock", BUSY), pytest.raises(LockedElsewhere, match="trades BTCUSDT"):
        started(trader)
    assert nothing_sent(trader)


def test_that_another_run_trades_the_symbol_is_said_before_what_it_has_there(stage: Stage, trader: Trader) -> None:
    running = begun(stage, trader)
    sent = len(trader.requests("POST /fapi/v1/order", "POST /fapi/v1/algoOrder"))

    def approve(_: LivePreview) -> bool:
        raise AssertionError("asked for an approval that can come to nothing")

    with pytest.raises(LockedElsewhere, match="trades BTCUSDT"):
        started(trader, approve=approve)
    assert len(trader.requests("POST /fapi/v1/order", "POST /fapi/v1/algoOrder")) == sent
    running.kill()
    running.wait()


# ---- stopped, interrupted and resumed -------------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_first_signal_stops_and_says_what_is_left_and_resume_ends_it(
    stage: Stage, trader: Trader, number: signal.Signals, code: int,
) -> None:
    running = begun(stage, trader)
    running.tell(number)
    ended = running.wait()
    assert ended.code == code, ended.said
    assert "long.stop_loss STOP_MARKET SELL 0.004 BTCUSDT trigger 59000" in ended.out
    assert "position: long 0.004 BTCUSDT" in ended.out
    assert f"resume with: daksh-run resume {trader.run_id()}" in ended.out
    assert look(trader).guarded
    watcher = Watcher()
    stage.price("61010")
    result = resume_run(trader.run_id(), live(trader), watcher)
    assert (result.outcome, result.left, result.resume) == ("stopped", (), "")
    assert (judge(trader).findings, watcher.begun) == ([], 1)
    with closing(JournalReader(result.journal)) as journal:
        assert journal.verify() > 20


def test_the_second_signal_leaves_at_once(stage: Stage, trader: Trader) -> None:
    Director(stage, trader, PLAYS["single"])
    running = trader.run(trader.plan(SINGLE))
    until("the entry", lambda: look(trader).opening > 0)
    trader.fault("hanging_answer", route="DELETE /fapi/v1/order", count=100, executed=False)
    running.tell(signal.SIGINT)
    until("the stop", lambda: trader.requests("DELETE /fapi/v1/order"))
    running.tell(signal.SIGTERM)
    ended = running.wait()
    assert ended.code in (5, 130), ended.said
    assert f"resume with: daksh-run resume {trader.run_id()}" in ended.out
    assert [each.state for each in list_runs(account_folder(home(trader), "demo", _tag(trader)))] == ["interrupted"]
    stage.served._ask(Request(f"{stage.served.rest}/sim/faults", method="DELETE"))
    result = resume_run(trader.run_id(), live(trader), Watcher())
    assert (result.outcome, result.left) == ("stopped", ())
    assert judge(trader).findings == []


def test_nothing_opens_after_a_signal_that_comes_while_the_exchange_takes_nothing(stage: Stage, trader: Trader) -> None:
    """The second slice waits for the end of a ban, which outlasts the test."""
    stage.price("60000")
    running = trader.run(trader.plan(SLICES))
    until("the first slice", lambda: _sent(trader) == 1)
    trader.fault("banned_418", route="GET /fapi/v1/openOrders", retry_after_s=30)
    until("the second slice", lambda: _placed(trader) == 2)
    time.sleep(0.2)
    running.tell(signal.SIGINT)
    ended = running.wait(20)
    assert ended.code == 130, ended.said
    assert _sent(trader) == 1


def _sent(trader: Trader) -> int:
    return sum(row["route"] == "POST /fapi/v1/order" for row in trader.requests())


def _placed(trader: Trader) -> int:
    with closing(JournalReader(trader.journals()[-1])) as journal:
        return sum(isinstance(entry.value, PlaceOrder) for entry in journal.entries())


def test_another_terminal_stops_a_run(stage: Stage, trader: Trader) -> None:
    running = begun(stage, trader)
    answer = request_stop(trader.run_id(), home(trader), flatten=False)
    assert (answer.ended, answer.outcome) == (True, "stopped")
    assert any("long.stop_loss" in line for line in answer.left)
    assert running.wait().code == 1
    assert look(trader).guarded
    with pytest.raises(UsageError, match="does not run: it is stopped") as caught:
        request_stop(trader.run_id(), home(trader), flatten=False)
    assert "daksh-run resume" in caught.value.hint


def test_another_terminal_closes_what_a_run_holds(stage: Stage, trader: Trader) -> None:
    running = begun(stage, trader)
    answer = request_stop(trader.run_id(), home(trader), flatten=True)
    assert answer == (True, "stopped", ())
    running.wait()
    assert judge(trader).findings == []
    assert trader.held() in ("0", "0.000")


def test_a_run_whose_process_was_killed_is_called_crashed_and_goes_on(stage: Stage, trader: Trader) -> None:
    running = begun(stage, trader)
    folder = account_folder(home(trader), "demo", _tag(trader))
    assert [each.state for each in list_runs(folder)] == ["running"]
    with pytest.raises(LockedElsewhere, match="another process runs"):
        resume_run(trader.run_id(), live(trader), Watcher())
    running.kill()
    assert [each.state for each in list_runs(folder)] == ["crashed"]
    with pytest.raises(UsageError, match="it is crashed"):
        request_stop(trader.run_id(), home(trader), flatten=False)
    stage.price("61010")
    watcher = Watcher()
    result = resume_run(trader.run_id(), live(trader), watcher)
    assert (result.outcome, judge(trader).findings) == ("succeeded", [])
    assert watcher.looks >= 1
    shown = show_run(folder, trader.run_id())
    assert (shown.listed.state, shown.summary) == ("succeeded", result.summary)
    assert len(shown.lines) > len(watcher.lines)
    with pytest.raises(Refused, match="has ended"):
        resume_run(trader.run_id(), live(trader), Watcher())


def test_only_the_account_and_the_mode_of_a_run_resume_it(stage: Stage, trader: Trader) -> None:
    begun(stage, trader).kill()
    other = stage.trader()
    other.home = trader.home
    with pytest.raises(Refused, match="the keys are of the account"):
        resume_run(trader.run_id(), live(other), Watcher())
    with pytest.raises(UsageError, match="is a demo run"):
        resume_run(trader.run_id(), live(trader, mode="live"), Watcher())
    with pytest.raises(EnvironmentFault):
        resume_run(trader.run_id(), live(trader, rest="http://127.0.0.1:9"), Watcher())
    assert [each.state for each in list_runs(account_folder(home(trader), "demo", _tag(trader)))] == ["crashed"]
    stage.price("61010")
    assert resume_run(trader.run_id(), live(trader), Watcher()).outcome == "succeeded"


def test_a_run_that_waits_stays_resumable_when_a_resume_cannot_begin(stage: Stage, trader: Trader) -> None:
    waiting = SINGLE.replace("    bracket:", "    when: {price: {below: 60010}}\n    bracket:")
    running = trader.run(trader.plan(waiting))
    until("the run", lambda: "LIVE ORDERS" in running.out)
    running.kill()
    other = stage.trader()
    other.home = trader.home
    with pytest.raises(Refused, match="the keys are of the account"):
        resume_run(trader.run_id(), live(other), Watcher())
    for _ in range(2):
        with pytest.raises(EnvironmentFault):
            resume_run(trader.run_id(), live(trader, rest="http://127.0.0.1:9"), Watcher())
    assert [each.state for each in list_runs(account_folder(home(trader), "demo", _tag(trader)))] == ["crashed"]
    assert Director(stage, trader, PLAYS["single stopped"]).end(_falling(stage, trader)).code == 0
    assert judge(trader).findings == []


def _falling(stage: Stage, trader: Trader) -> Running:
    resumed = trader.resume()
    until("the run", lambda: "taken up" in resumed.out or "LIVE ORDERS" in resumed.out)
    stage.price("60005")
    return resumed


def test_a_watcher_whose_terminal_is_gone_ends_no_run(trader: Trader) -> None:
    class Gone(Watcher):
        def told(self, line: Line) -> None:
            super().told(line)
            raise BrokenPipeError

    watcher = Gone()
    result = run_live(accepted(), live(trader), lambda _: True, watcher)
    assert result.outcome == "succeeded"
    assert len(watcher.lines) == 1


def accepted() -> RunOptions:
    """A limit order far from the market; the run is over once the exchange has it."""
    text = UNPROTECTED + "    unprotected: allow\n"
    return RunOptions("order", text.encode(), Path("unused"), mode="demo", until_accepted=True)


def test_an_order_is_left_where_only_its_acceptance_was_waited_for(trader: Trader) -> None:
    result = run_live(accepted(), live(trader), lambda _: True, Watcher())
    assert (result.outcome, result.resume) == ("succeeded", "")
    assert any("bare.entry LIMIT BUY 0.004 BTCUSDT at 50000" in line for line in result.left)
    assert [each.state for each in list_runs(account_folder(home(trader), "demo", _tag(trader)))] == ["succeeded"]
