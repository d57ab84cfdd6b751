"""Others on the account: noticed, named once, never touched; and what they change of ours."""

from decimal import Decimal

import pytest

from runner.domain.account import AccountFacts, SymbolSetting
from runner.domain.commands import OrderDenied, Remark, RunEnded
from runner.domain.events import AccountSeen, Action, CommandRejected, RunStarted, StopRequested
from runner.domain.orders import OrderStatus
from runner.domain.positions import Position
from runner.domain.reports import OrderReport
from runner.domain.snapshots import VenueSnapshot
from runner.domain.values import Side
from runner.engine import gate
from runner.engine.machine import Machine
from runner.engine.purse import Quote
from tests.engine.paper import START_MS
from tests.engine.test_resume import BRACKET, Kept, entered

ADOPT = "on_external_change: adopt"
AGAIN = """
  - id: again
    after: {long: first_fill}
    when: {delay: 60s}
    unprotected: allow
    EXISTING
    entry: {side: BUY, type: MARKET, quantity: 0.001}
"""
STRANGER = OrderReport(
    START_MS, "BTCUSDT", "web_1", "W1", OrderStatus.NEW, quantity=Decimal("0.5"), limit_px=Decimal(50_000),
    side=Side.BUY,
)


def standing(head: str = "", more: str = "", existing: str = "") -> Kept:
    """A bracket that is filled, with its stop and its target."""
    run = Kept(BRACKET + more.replace("EXISTING", existing), head)
    run.accept("long.entry#0")
    run.fill("long.entry#0", "0.006")
    run.accept("long.stop_loss#0", "long.take_profit#0")
    run.said()
    return run


def look(run: Kept, held: str, *orders: OrderReport, wait_ms: int = 3_000) -> None:
    run.now_ms += wait_ms
    run.look(*orders, held=held)


def mine(run: Kept) -> list[OrderReport]:
    return [run.shown(name) for name in ("long.stop_loss#0", "long.take_profit#0")]


def denials(run: Kept) -> list[OrderDenied]:
    return [one for one in run.commands if isinstance(one, OrderDenied)]


def changes(run: Kept) -> list[str]:
    return run.remarks("external_change")


# ---- their orders and positions -----------------------------------------------------------------------------------


def test_an_order_of_somebody_else_is_named_once_and_denies_what_would_open() -> None:
    run = standing(more=AGAIN)
    run.give(STRANGER)
    look(run, "0.006", *mine(run), STRANGER)
    assert len(run.remarks("foreign_order")) == 1
    assert "BUY 0.5 BTCUSDT @50000 (web_1)" in run.remarks("foreign_order")[0]
    run.fire(next(one for one in run.timers if one.startswith("when:again")))
    assert [one.code for one in denials(run)] == ["EXISTING_POSITION"]
    assert run.said() == []
    assert changes(run) == []


def test_an_order_of_somebody_else_that_has_ended_stands_in_nobodys_way() -> None:
    run = standing(more=AGAIN)
    run.give(STRANGER)
    look(run, "0.006", *mine(run))
    run.fire(next(one for one in run.timers if one.startswith("when:again")))
    assert denials(run) == []


@pytest.mark.parametrize(("stranger", "denied"), [
    (STRANGER, 0),
    (STRANGER.but(side=Side.SELL), 1),
    (STRANGER.but(side=Side.SELL, reduce_only=True), 0),
])
def test_beside_orders_of_the_same_side_a_step_may_open_that_is_allowed_to(stranger: OrderReport, denied: int) -> None:
    run = standing(more=AGAIN, existing="existing_position: allow")
    run.give(stranger)
    run.fire(next(one for one in run.timers if one.startswith("when:again")))
    assert len(denials(run)) == denied


@pytest.mark.parametrize(("existing", "qty", "denied"), [
    ("", "0.5", True), ("existing_position: allow", "0.5", False), ("existing_position: allow", "-0.5", True),
])
def test_a_position_that_was_there_at_the_start(existing: str, qty: str, denied: bool) -> None:
    graph = standing(more=AGAIN, existing=existing).graph
    machine = Machine(graph)
    foreign = (Position("BTCUSDT", Decimal(qty), Decimal(60_000)),)
    said = machine.advance(RunStarted(START_MS, "d0123456789", 7, (), foreign))
    assert [one.code for one in said if isinstance(one, Remark)] == ["foreign_position"]
    again = machine._run.legs["again.entry"]
    machine._run.quotes["BTCUSDT"] = Quote(*[Decimal(60_000)] * 4, Decimal(0))
    verdict = gate.judge(machine._run, again, Decimal("0.001"), Decimal(60_000), None)
    assert (verdict is not None and verdict.code == "EXISTING_POSITION") is denied


def test_the_exchanges_own_orders_are_nobodys() -> None:
    run = standing()
    run.give(STRANGER.but(client_order_id="autoclose-1"))
    assert run.remarks("foreign_order") == []


# ---- what they change of ours -------------------------------------------------------------------------------------


def test_a_stop_that_somebody_cancelled_is_placed_again_and_nothing_opens_any_more() -> None:
    run = standing(more=AGAIN)
    run.cancelled("long.stop_loss#0")
    assert len(changes(run)) == 1
    assert "place long.stop_loss#1 STOP_MARKET SELL 0.006 @59000 reduce-only" in run.said()
    assert run.ends()["again"].startswith("skipped")
    run.accept("long.stop_loss#1")
    run.trigger("long.take_profit#0")
    run.fill("long.take_profit#0", "0.006", "61000")
    run.cancelled("long.stop_loss#1")
    ended = [one for one in run.commands if isinstance(one, RunEnded)]
    assert [(one.outcome, one.reason) for one in ended] == [("failed", "external_change")]


def test_with_adopt_a_cancelled_target_stays_away_and_the_stop_stands() -> None:
    run = standing(ADOPT, AGAIN)
    run.cancelled("long.take_profit#0")
    assert len(changes(run)) == 1
    assert not any(line.startswith("place long.take_profit") for line in run.said())
    assert "again" not in run.ends()


def test_with_adopt_a_cancelled_entry_ends_cancelled() -> None:
    run = Kept(BRACKET, ADOPT)
    run.accept("long.entry#0")
    run.cancelled("long.entry#0")
    assert run.ends() == {"long": "cancelled external_change"}


def test_an_end_that_the_exchange_gives_a_reason_for_is_its_own_doing() -> None:
    run = standing()
    run.report("long.stop_loss#0", OrderStatus.CANCELED, reason="5")
    assert changes(run) == []


def test_an_end_that_we_asked_for_is_nobody_elses() -> None:
    run = Kept(BRACKET)
    run.accept("long.entry#0")
    run.give(StopRequested(run.now_ms))
    run.cancelled("long.entry#0")
    assert changes(run) == []


def test_a_cancel_of_the_former_process_is_not_taken_for_somebody_elses() -> None:
    run = standing()
    run.resume(1_000, run.shown("long.take_profit#0"), held="0.006")
    run.cancelled("long.stop_loss#0")
    assert changes(run) == []
    assert len(run.remarks("cancelled_meanwhile")) == 1
    assert "place long.stop_loss#1 STOP_MARKET SELL 0.006 @59000 reduce-only" in run.said()


def test_once_an_order_was_seen_after_a_resume_its_cancel_is_somebody_elses_again() -> None:
    run = standing()
    run.resume(1_000, *mine(run), held="0.006")
    look(run, "0.006", *mine(run), wait_ms=10_000)
    run.cancelled("long.stop_loss#0")
    assert len(changes(run)) == 1


@pytest.mark.parametrize(("head", "left"), [("", []), (ADOPT, ["long.entry"])])
def test_an_amended_entry_keeps_the_terms_of_the_exchange_or_is_taken_back(head: str, left: list[str]) -> None:
    run = Kept(BRACKET, head)
    run.accept("long.entry#0")
    run.said()
    run.now_ms += 100
    run.give(run.shown("long.entry#0").but(quantity=Decimal("0.004"), limit_px=Decimal(59_900)))
    assert "0.004 @59900, 0.006 @60000" in changes(run)[0]
    assert run.said() == ([] if left else ["cancel long.entry#0"])
    request = run.machine.at_stake()[0].request
    assert (request.quantity, request.price) == (Decimal("0.004"), Decimal(59_900))


def test_a_position_that_somebody_made_smaller_counts_when_two_snapshots_agree() -> None:
    run = standing()
    look(run, "0.004", *mine(run))
    assert "place long.stop_loss#1 STOP_MARKET SELL 0.004 @59000 reduce-only" in run.said()
    run.accept("long.stop_loss#1")
    run.cancelled("long.stop_loss#0", "long.take_profit#0")
    run.accept("long.take_profit#1")
    now = [run.shown(name) for name in ("long.stop_loss#1", "long.take_profit#1")]
    look(run, "0.004", *now, wait_ms=500)
    assert changes(run) == []
    look(run, "0.004", *now, wait_ms=1_000)
    assert len(changes(run)) == 1
    assert run.machine._run.groups["long"].open == Decimal("0.004")


def test_a_position_that_somebody_made_larger_is_named_and_left_alone() -> None:
    run = standing(ADOPT)
    for _ in range(2):
        look(run, "0.016", *mine(run))
    assert run.remarks("foreign_position") == ["0.01 BTCUSDT are not of this run, left alone"]
    assert run.said() == []


def test_a_fill_that_was_not_told_is_no_change_by_hand() -> None:
    run = standing()
    for _ in range(3):
        look(run, "0", run.shown("long.take_profit#0"))
    assert changes(run) == []
    assert "query long.stop_loss#0" in run.said()


def test_a_changed_account_is_a_change() -> None:
    run = standing()
    facts = AccountFacts("a", can_trade=True, hedge_mode=False, multi_assets=False, settings=(
        SymbolSetting("BTCUSDT", 5, "ISOLATED"),
    ))
    run.give(AccountSeen(run.now_ms, facts))
    run.give(AccountSeen(run.now_ms, facts))
    assert changes(run) == []
    other = facts.but(settings=(SymbolSetting("BTCUSDT", 20, "ISOLATED"),), hedge_mode=True)
    run.give(AccountSeen(run.now_ms, other))
    assert len(changes(run)) == 2


def test_an_account_that_is_not_as_the_plan_wants_it_is_a_change() -> None:
    run = standing("account: {leverage: 5}")
    run.give(AccountSeen(run.now_ms, AccountFacts(
        "a", can_trade=True, hedge_mode=False, multi_assets=False, settings=(SymbolSetting("BTCUSDT", 20, "CROSSED"),),
    )))
    assert len(changes(run)) == 1


# ---- snapshots and refusals that pass -----------------------------------------------------------------------------


def test_a_snapshot_that_tells_nothing_new_agrees() -> None:
    run = standing()
    run.now_ms += 3_000
    position = (Position("BTCUSDT", Decimal("0.006"), run.price),)
    same = VenueSnapshot(run.now_ms, (), position, tuple(mine(run)), (), run.now_ms)
    assert run.machine.agrees(same)
    assert not run.machine.agrees(same.but(orders=same.orders[:1]))
    assert not run.machine.agrees(same.but(positions=()))
    assert not run.machine.agrees(same.but(orders=(*same.orders, STRANGER)))
    assert not run.machine.agrees(same.but(orders=(same.orders[0].but(quantity=Decimal("0.004")), same.orders[1])))
    assert run.machine.agrees(same.but(symbols=("ETHUSDT",), orders=(), positions=()))


def test_an_order_that_counts_as_ended_and_lives_is_taken_back() -> None:
    run = standing()
    run.trigger("long.take_profit#0")
    run.fill("long.take_profit#0", "0.002", "61000")
    run.accept("long.stop_loss#1")
    run.cancelled("long.stop_loss#0")
    run.said()
    shown = run.shown("long.stop_loss#0").but(status=OrderStatus.NEW)
    look(run, "0.004", shown, run.shown("long.stop_loss#1"), run.shown("long.take_profit#0", "0.002"))
    assert "cancel long.stop_loss#0" in run.said()


def test_a_refusal_that_passes_never_ends_an_exit() -> None:
    run = entered()
    run.accept("long.stop_loss#0")
    request = run.sent[run.names["long.take_profit#0"]]
    for _ in range(5):
        run.give(CommandRejected(
            run.now_ms, "BTCUSDT", run.names["long.take_profit#0"], Action.PLACE, -1008, "overloaded", passing=True,
        ))
        run.said()
        run.fire("retry:long.take_profit")
        assert run.said() == ["place long.take_profit#0 TAKE_PROFIT SELL 0.006 @61000 @61000 reduce-only"]
    assert request.client_order_id != run.names["long.take_profit#0"]


def test_a_refusal_that_passes_ends_what_would_open() -> None:
    run = Kept(BRACKET)
    run.give(CommandRejected(
        run.now_ms, "BTCUSDT", run.names["long.entry#0"], Action.PLACE, 0, "no connection", passing=True,
    ))
    assert run.ends() == {"long": "failed rejected"}


def test_the_symbols_with_anything_at_stake_are_live() -> None:
    run = Kept(BRACKET)
    assert run.machine.live_symbols() == ("BTCUSDT",)
    run.give(StopRequested(run.now_ms))
    run.accept("long.entry#0")
    run.cancelled("long.entry#0")
    assert run.machine.live_symbols() == ()
