"""Taking a run on after its process is gone: looked up first, nothing placed before the snapshot, nothing twice."""

from decimal import Decimal

import pytest

from runner.domain.commands import Command, Remark
from runner.domain.events import (
    Action,
    Event,
    Observed,
    OrderNotFound,
    RunResumed,
    StopRequested,
    TimerFired,
)
from runner.domain.orders import OrderStatus
from runner.domain.positions import Position
from runner.domain.reports import OrderReport, TradeReport
from runner.domain.snapshots import VenueSnapshot
from runner.domain.values import ZERO, Side
from runner.engine.replay import replay
from runner.errors import JournalError
from runner.graph.fingerprint import canonical
from runner.graph.stored import graph_from
from tests.engine.paper import Paper

BRACKET = """
  - id: long
    bracket:
      side: BUY
      quantity: 0.006
      entry: {type: LIMIT, price: 60000}
      take_profit: {price: 61000}
      stop_loss: {stop_price: 59000}
"""
TWAP = """
  - id: buy
    unprotected: allow
    twap: {side: BUY, quantity: 0.008, slices: 4, every: 2s, catch_up: CATCH_UP}
"""


class Kept(Paper):
    """A run whose journal is kept, and that can be taken on from it."""

    def __init__(self, steps: str, head: str = "") -> None:
        self.entries: list[Event | Command] = []
        super().__init__(steps, head)

    def give(self, event: Event) -> None:
        self.entries.append(event)
        commands = self.machine.advance(event)
        self.entries.extend(commands)
        for command in commands:
            self._take(command)

    def resume(self, asleep_ms: int, *orders: OrderReport, held: str = "0", look: bool = True) -> None:
        """The process dies, and after `asleep_ms` another takes the run on; it sees these orders, and this position."""
        replayed = replay(graph_from(canonical(self.graph)), self.entries)
        self.machine = replayed.machine
        self.timers, self.watches = dict(replayed.timers), dict(replayed.watches)
        self.now_ms += asleep_ms
        self.give(RunResumed(self.now_ms, self.now_ms + 5_000))
        if look:
            self.look(*orders, held=held)

    def look(self, *orders: OrderReport, held: str = "0") -> None:
        qty = Decimal(held)
        positions = (Position("BTCUSDT", qty, self.price),) if qty else ()
        self.give(VenueSnapshot(self.now_ms, (), positions, orders, (), self.now_ms))

    def shown(self, name: str, filled: str = "0", *, at_ms: int | None = None) -> OrderReport:
        request = self.sent[self.names[name]]
        done = Decimal(filled)
        return OrderReport(
            self.now_ms if at_ms is None else at_ms, "BTCUSDT", request.client_order_id, f"X-{name}",
            OrderStatus.PARTIALLY_FILLED if done else OrderStatus.NEW, done, self.price if done else None,
            quantity=request.quantity, trigger_px=request.trigger_price, limit_px=request.price, side=request.side,
        )

    def remarks(self, code: str) -> list[str]:
        return [one.text for one in self.commands if isinstance(one, Remark) and one.code == code]

    def fire_all(self) -> None:
        """Every timer that is due fires, late as it may be, in the order of its time."""
        for timer_id in sorted(self.timers, key=lambda one: self.timers[one]):
            if self.timers.get(timer_id, self.now_ms + 1) <= self.now_ms:
                del self.timers[timer_id]
                self.give(TimerFired(self.now_ms, timer_id))


def entered(filled: str = "0.006") -> Kept:
    run = Kept(BRACKET)
    run.accept("long.entry#0")
    run.fill("long.entry#0", filled)
    run.said()
    return run


def test_nothing_is_placed_before_the_snapshot_whatever_is_told_meanwhile() -> None:
    run = entered("0.002")
    run.accept("long.stop_loss#0", "long.take_profit#0")
    run.resume(60_000, look=False)
    run.said()
    run.report("long.entry#0", OrderStatus.FILLED, filled="0.006", px="60000")
    run.give(TimerFired(run.now_ms, "bound:long"))
    assert run.said() == []
    run.look(run.shown("long.stop_loss#0"), run.shown("long.take_profit#0"), held="0.006")
    assert "place long.stop_loss#1 STOP_MARKET SELL 0.006 @59000 reduce-only" in run.said()


def test_what_was_asked_is_looked_up_under_its_id_and_sent_again_under_it_only_when_proved_absent() -> None:
    run = entered()
    run.resume(60_000, held="0.006")
    assert run.said() == ["query long.stop_loss#0", "query long.take_profit#0"]
    assert run.machine.unresolved() == (run.names["long.stop_loss#0"], run.names["long.take_profit#0"])
    run.not_found("long.take_profit#0")
    run.not_found("long.take_profit#0")
    assert "again" not in " ".join(run.said())
    run.now_ms += 6_100
    run.not_found("long.take_profit#0")
    assert "again" not in " ".join(run.said())
    run.not_found("long.take_profit#0")
    assert any(line.startswith("again long.take_profit#0") for line in run.said())


def test_a_stop_without_an_answer_is_joined_by_a_second_one_half_a_second_after_the_resume() -> None:
    run = entered()
    run.resume(60_000, held="0.006")
    run.said()
    assert run.timers["twin:long.stop_loss"] == run.now_ms + 500
    run.fire("twin:long.stop_loss")
    assert "place long.stop_loss#1 STOP_MARKET SELL 0.006 @59000 reduce-only" in run.said()


def test_the_bound_of_an_open_quantity_counts_from_the_resume() -> None:
    run = entered()
    run.resume(60_000, held="0.006")
    assert run.timers["bound:long"] == run.now_ms + 2_000
    run.fire_all()
    assert not any("MARKET SELL 0.006 reduce-only" in line and "STOP" not in line for line in run.said())


def test_what_the_entry_filled_while_nobody_watched_is_named() -> None:
    run = entered("0.002")
    run.accept("long.stop_loss#0", "long.take_profit#0")
    seen_ms = run.now_ms
    shown = [run.shown(name, at_ms=seen_ms) for name in ("long.stop_loss#0", "long.take_profit#0")]
    run.resume(60_000, run.shown("long.entry#0", "0.005"), *shown, held="0.005")
    assert run.remarks("uncovered") == ["0.003 BTCUSDT of long had no stop while nobody watched, for at most 60 s"]
    assert "place long.stop_loss#1 STOP_MARKET SELL 0.005 @59000 reduce-only" in run.said()


def test_what_was_covered_all_along_is_not_named() -> None:
    run = entered()
    run.accept("long.stop_loss#0", "long.take_profit#0")
    shown = [run.shown(name) for name in ("long.stop_loss#0", "long.take_profit#0")]
    run.resume(60_000, *shown, held="0.006")
    assert run.remarks("uncovered") == []
    assert run.said() == []


def test_open_questions_are_asked_again() -> None:
    run = Kept(BRACKET)
    run.accept("long.entry#0")
    run.give(StopRequested(run.now_ms))
    run.reject("long.entry#0", -2011, Action.CANCEL)
    assert run.said()[-1] == "query long.entry#0"
    run.resume(1_000, run.shown("long.entry#0"))
    assert run.said() == ["query long.entry#0", "cancel long.entry#0"]


def test_a_run_that_was_stopped_manages_its_exits_to_the_end_and_opens_nothing() -> None:
    run = Kept(BRACKET + """
  - id: again
    after: long
    unprotected: allow
    entry: {side: BUY, type: MARKET, quantity: 0.001}
""")
    run.accept("long.entry#0")
    run.fill("long.entry#0", "0.006")
    run.accept("long.stop_loss#0", "long.take_profit#0")
    run.give(StopRequested(run.now_ms))
    assert run.machine.ended
    assert run.verdict() == "stopped"
    run.said()
    shown = [run.shown(name) for name in ("long.stop_loss#0", "long.take_profit#0")]
    run.resume(60_000, *shown, held="0.006")
    assert not run.machine.ended
    run.trigger("long.take_profit#0")
    run.fill("long.take_profit#0", "0.006", "61000")
    assert run.said() == ["cancel long.stop_loss#0"]
    run.cancelled("long.stop_loss#0")
    assert run.machine.ended
    assert run.ends()["again"].startswith("skipped")


def test_a_run_that_ended_otherwise_takes_no_resume() -> None:
    run = entered()
    run.accept("long.stop_loss#0", "long.take_profit#0")
    run.trigger("long.take_profit#0")
    run.fill("long.take_profit#0", "0.006", "61000")
    run.cancelled("long.stop_loss#0")
    assert run.machine.ended
    assert run.machine.advance(RunResumed(run.now_ms, run.now_ms)) == ()


@pytest.mark.parametrize(("catch_up", "quantity"), [("next", "0.004"), ("spread", "0.003"), ("skip", "0.002")])
def test_overdue_slices_go_out_as_one(catch_up: str, quantity: str) -> None:
    run = Kept(TWAP.replace("CATCH_UP", catch_up))
    run.accept("buy.slice.1#0")
    run.fill("buy.slice.1#0", "0.002")
    run.said()
    run.resume(5_000, held="0.002")
    run.fire_all()
    assert run.said() == [f"place buy.slice.3#0 MARKET BUY {quantity}"]


def test_slices_that_wait_for_prices_are_overtaken_by_the_next() -> None:
    run = Kept(TWAP.replace("CATCH_UP", "next"))
    run.accept("buy.slice.1#0")
    run.fill("buy.slice.1#0", "0.002")
    run.said()
    run.observe = lambda symbol="BTCUSDT": None  # type: ignore[method-assign, misc]
    for wait_ms in (2_000, 2_000):
        run.now_ms += wait_ms - 20
        run.fire_all()
        run.now_ms += 20
        run.fire_all()
    assert run.said() == []
    run.give(Observed(run.now_ms, "BTCUSDT", *[run.price] * 4, run.wallet, ZERO, ZERO))
    assert run.said() == ["place buy.slice.3#0 MARKET BUY 0.004"]


def test_an_order_of_ours_that_is_not_remembered_is_kept_as_the_exchange_has_it() -> None:
    run = entered("0.002")
    run.accept("long.stop_loss#0", "long.take_profit#0")
    known = [run.shown(name) for name in ("long.entry#0", "long.stop_loss#0", "long.take_profit#0")]
    known[0] = run.shown("long.entry#0", "0.002")
    unknown = known[1].but(client_order_id=run.names["long.stop_loss#0"].removesuffix(".0.0") + ".7.0", order_id="X9")
    run.said()
    run.resume(1_000, *known, unknown.but(quantity=Decimal("0.004")), held="0.002")
    assert len(run.remarks("adopted")) == 1
    orders = {one.request.client_order_id: one.request.quantity for one in run.machine.at_stake()}
    assert orders[unknown.client_order_id] == Decimal("0.004")
    leg = run.machine._run.legs["long.stop_loss"]
    assert leg.next_revision > int(unknown.client_order_id.split(".")[3], 36)


def executed_unremembered(run: Kept, beside: str, side: Side, *parts: str) -> list[TradeReport]:
    """Executions of the order after the one that is named, of which the journal knows nothing."""
    client_id = run.names[beside].removesuffix(".0.0") + ".1.0"
    return [
        TradeReport(
            run.now_ms, "BTCUSDT", client_id, "X9", f"u{number}", side, Decimal(part), run.price, ZERO, "USDT", ZERO,
            False,
        )
        for number, part in enumerate(parts)
    ]


def test_an_exit_that_is_not_remembered_and_was_executed_counts() -> None:
    """It was sent while the disk was full, and executed before the run was taken on."""
    run = entered()
    run.accept("long.stop_loss#0", "long.take_profit#0")
    trades = executed_unremembered(run, "long.stop_loss#0", Side.SELL, "0.002", "0.004")
    run.resume(1_000, look=False)
    whole = VenueSnapshot(run.now_ms, (), (), (), tuple(trades), run.now_ms)
    assert not run.machine.agrees(whole)
    run.give(whole)
    assert len(run.remarks("adopted")) == 1
    run.cancelled("long.stop_loss#0", "long.take_profit#0")
    group = run.machine._run.groups["long"]
    assert (group.exited, group.charged, group.open) == (Decimal("0.006"), ZERO, ZERO)
    assert run.remarks("external_change") == []
    assert run.ends() == {"long": "succeeded"}


def test_what_is_sent_after_it_has_another_id() -> None:
    run = entered()
    run.accept("long.stop_loss#0", "long.take_profit#0")
    trades = executed_unremembered(run, "long.take_profit#0", Side.SELL, "0.002")
    shown = [run.shown("long.stop_loss#0")]
    run.said()
    run.resume(1_000, look=False)
    held = (Position("BTCUSDT", Decimal("0.004"), run.price),)
    snapshot = VenueSnapshot(run.now_ms, (), held, tuple(shown), tuple(trades), run.now_ms)
    run.give(snapshot)
    run.cancelled("long.take_profit#0")
    said = run.said()
    assert "place long.stop_loss#1 STOP_MARKET SELL 0.004 @59000 reduce-only" in said
    assert "place long.take_profit#2 TAKE_PROFIT SELL 0.004 @61000 @61000 reduce-only" in said
    before = run.machine._run.groups["long"].exited
    run.give(snapshot)
    assert run.machine._run.groups["long"].exited == before


def test_a_twin_found_under_our_id_is_compared_before_it_is_kept() -> None:
    run = entered()
    run.reject("long.stop_loss#0", -4116)
    assert "query long.stop_loss#0" in run.said()
    run.give(run.shown("long.stop_loss#0").but(quantity=Decimal("0.004")))
    assert len(run.remarks("differs")) == 1
    assert "place long.stop_loss#1 STOP_MARKET SELL 0.006 @59000 reduce-only" in run.said()


def test_a_twin_of_the_other_side_is_no_order_of_ours() -> None:
    run = entered()
    run.reject("long.stop_loss#0", -4116)
    run.said()
    run.give(run.shown("long.stop_loss#0").but(side=Side.BUY))
    said = run.said()
    assert said[0] == "cancel long.stop_loss#0"
    assert any(line.startswith("place long.stop_loss#1 STOP_MARKET SELL 0.006") for line in said)


def test_an_exit_whose_twin_is_nowhere_goes_out_under_the_next_attempt() -> None:
    run = entered()
    run.accept("long.stop_loss#0")
    run.reject("long.take_profit#0", -4116)
    run.not_found("long.take_profit#0")
    run.said()
    before = run.names["long.take_profit#0"]
    run.not_found("long.take_profit#0")
    assert run.said() == ["place long.take_profit#0 TAKE_PROFIT SELL 0.006 @61000 @61000 reduce-only"]
    assert run.names["long.take_profit#0"] == before[:-1] + "1"


def test_an_entry_whose_twin_is_nowhere_was_refused() -> None:
    run = Kept(BRACKET)
    run.reject("long.entry#0", -4116)
    run.not_found("long.entry#0")
    run.not_found("long.entry#0")
    assert run.ends() == {"long": "failed rejected"}


def test_the_journal_must_hold_what_the_machine_says() -> None:
    run = entered()
    entries = list(run.entries)
    with pytest.raises(JournalError, match=r"entry 2 of the journal"):
        replay(run.graph, [entries[0], *entries[2:]])
    with pytest.raises(JournalError, match=r"of the journal is"):
        replay(run.graph, [*entries, entries[1]])
    with pytest.raises(JournalError, match="not the start of a run"):
        replay(run.graph, [OrderNotFound(1, "BTCUSDT", "x")])
    with pytest.raises(JournalError, match="does not hold the start"):
        replay(run.graph, [])
    cut = replay(run.graph, entries[:-1])  # the last commands were never kept: they count as asked
    assert cut.machine.unresolved() == run.machine.unresolved()
