"""The machine as a whole: total, deterministic, and ending when nothing of the run can change any more."""

from runner.domain.commands import Observe, RunEnded, StepEnded, StepStarted
from runner.domain.events import DataEnded, Event, Observed, PriceTouched, RunStarted, StopRequested, TimerFired
from runner.domain.orders import OrderStatus
from runner.engine.machine import Machine
from tests.engine.paper import START_MS, Paper, graph_of

LONG = """
  - id: long
    bracket:
      side: BUY
      quantity: 0.004
      entry: {type: LIMIT, price: 60000}
      take_profit: {price: 61000}
      stop_loss: {stop_price: 59000}
"""


class Recorded(Paper):
    """Keeps the events that it gives."""

    def give(self, event: Event) -> None:
        self.__dict__.setdefault("events", []).append(event)
        super().give(event)


def played() -> Recorded:
    paper = Recorded(LONG + "    timeout: 1h\n", "limits: {max_daily_loss: 50}")
    paper.accept("long.entry#0")
    paper.fill("long.entry#0", "0.002")
    paper.accept("long.stop_loss#0", "long.take_profit#0")
    paper.fire("timeout:long")
    paper.cancelled("long.entry#0")
    paper.trigger("long.stop_loss#0")
    paper.fill("long.stop_loss#0", "0.002", "59000")
    paper.cancelled("long.take_profit#0")
    return paper


def test_the_same_events_give_the_same_commands() -> None:
    paper = played()
    again = Machine(paper.graph)
    commands = [command for event in paper.__dict__["events"] for command in again.advance(event)]
    assert set(map(repr, commands)) == set(map(repr, paper.commands))
    assert len(commands) == len(paper.commands)
    assert again.ended


def test_after_its_end_a_run_takes_nothing_in() -> None:
    paper = played()
    assert paper.machine.ended
    assert paper.machine.advance(StopRequested(paper.now_ms)) == ()
    assert [one.outcome for one in paper.commands if isinstance(one, RunEnded)] == ["succeeded"]


def test_every_step_that_started_ends_once() -> None:
    paper = played()
    assert [one.step_id for one in paper.commands if isinstance(one, StepStarted)] == ["long"]
    assert [one.step_id for one in paper.commands if isinstance(one, StepEnded)] == ["long"]


def test_the_run_id_and_the_seed_come_with_its_first_event() -> None:
    for run_id in ("d1", "d2"):
        machine = Machine(graph_of("  - id: a\n    entry: {side: BUY, quantity: 0.001, type: LIMIT, price: 60000}\n"))
        (observe,) = [one for one in machine.advance(RunStarted(START_MS, run_id, 7)) if isinstance(one, Observe)]
        assert observe.symbol == "BTCUSDT"
        paper = Paper("  - id: a\n    entry: {side: BUY, quantity: 0.001, type: LIMIT, price: 60000}\n")
        assert next(iter(paper.sent)).startswith("d0123456789.")


def test_timers_and_touches_that_nobody_waits_for_are_ignored() -> None:
    paper = Paper(LONG)
    before = len(paper.commands)
    for timer in ("when:nobody", "bound:long", "edge:0", "trigger:long.entry", "price:long.entry", "lookup:x"):
        if timer != "bound:long":
            paper.give(TimerFired(paper.now_ms, timer))
    paper.give(PriceTouched(paper.now_ms, "when:nobody/in", paper.price))
    assert len(paper.commands) == before


def test_an_observation_that_nobody_waits_for_is_only_kept() -> None:
    paper = Paper(LONG)
    before = len(paper.commands)
    paper.observe()
    assert len(paper.commands) == before


def test_one_observation_of_a_symbol_serves_all_that_wait_for_it() -> None:
    machine = Machine(graph_of(
        "  - id: a\n    entry: {side: BUY, quantity: 0.001, type: MARKET}\n"
        "  - id: b\n    entry: {side: BUY, quantity: 0.001, type: MARKET}\n"
    ))
    commands = machine.advance(RunStarted(START_MS, "d1", 7))
    assert [one.symbol for one in commands if isinstance(one, Observe)] == ["BTCUSDT"]


# ---- the end of the data ------------------------------------------------------------------------------------------


def test_at_the_end_of_the_data_unfinished_steps_are_open_which_is_no_failure() -> None:
    paper = Paper(LONG)
    paper.give(DataEnded(paper.now_ms))
    assert paper.verdict() == "open"
    assert paper.ends() == {}
    assert paper.machine.ended


def test_a_step_that_failed_is_not_hidden_by_others_that_are_still_open_when_the_data_end() -> None:
    paper = Paper(
        LONG + "  - id: bad\n    on_failure: continue\n    entry: {side: BUY, quantity: 0.001, type: LIMIT, "
               "price: 59500}\n",
    )
    paper.reject("bad.entry#0", -2019)
    paper.give(DataEnded(paper.now_ms))
    assert paper.verdict() == "failed"


# ---- a stop of the run --------------------------------------------------------------------------------------------


def test_a_stop_leaves_what_protects_and_ends_the_run_when_nothing_can_open_any_more() -> None:
    paper = Paper(LONG)
    paper.accept("long.entry#0")
    paper.fill("long.entry#0", "0.002")
    paper.accept("long.stop_loss#0", "long.take_profit#0")
    paper.said()
    paper.give(StopRequested(paper.now_ms))
    assert paper.said() == ["cancel long.entry#0"]
    paper.cancelled("long.entry#0")
    assert paper.said() == [], "the stop and the take-profit stay"
    assert paper.verdict() == "stopped"


def test_a_stop_ends_also_a_run_that_had_failed_and_only_managed_its_groups() -> None:
    paper = Paper(LONG + "  - id: bad\n    entry: {side: BUY, quantity: 0.001, type: LIMIT, price: 59500}\n")
    paper.accept("long.entry#0", "bad.entry#0")
    paper.fill("long.entry#0", "0.004")
    paper.accept("long.stop_loss#0", "long.take_profit#0")
    paper.report("bad.entry#0", OrderStatus.EXPIRED)
    assert paper.verdict() is None
    paper.give(StopRequested(paper.now_ms))
    assert paper.verdict() == "stopped"


def test_a_stop_before_the_first_price_sends_nothing() -> None:
    machine = Machine(graph_of("  - id: a\n    entry: {side: BUY, quantity: 0.001, type: MARKET}\n"))
    machine.advance(RunStarted(START_MS, "d1", 7))
    said = machine.advance(StopRequested(START_MS))
    assert [one.outcome for one in said if isinstance(one, RunEnded)] == ["stopped"]
    assert machine.ended


def test_an_observation_that_comes_after_its_step_was_cancelled_sends_nothing() -> None:
    machine = Machine(graph_of(
        "  - id: a\n    entry: {side: BUY, quantity: 0.001, type: MARKET}\n"
        "  - id: c\n    cancel: {steps: [a]}\n  - id: w\n    when: {delay: 1h}\n    wait: {}\n"
    ))
    machine.advance(RunStarted(START_MS, "d1", 7))
    paper = Paper("  - id: w\n    when: {delay: 1h}\n    wait: {}\n")
    assert not [one for one in machine.advance(_observed(paper)) if not isinstance(one, StepEnded)]


def test_a_run_without_anything_left_to_do_ends_by_itself() -> None:
    paper = Paper("  - id: w\n    when: {at: 2001-01-01T00:00:00Z}\n    wait: {}\n")
    assert paper.verdict() == "succeeded"


def _observed(paper: Paper) -> Observed:
    px = paper.price
    return Observed(paper.now_ms, "BTCUSDT", px, px, px, px, paper.wallet, px * 0, px * 0)
