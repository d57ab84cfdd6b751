"""`when`: states and crossings of prices, instants, delays, positions, and how they are joined."""

import pytest

from runner.domain.commands import CancelTimer, Crossing
from runner.domain.conditions import PriceSource
from runner.domain.events import MarketGap, PriceTouched
from tests.engine.paper import START_MS, Paper

WAIT = "  - id: w\n    when: {WHEN}\n    wait: {}\n"


def waiting(when: str, **more: dict[str, str]) -> Paper:
    return Paper(WAIT.replace("{WHEN}", when), **more)  # type: ignore[arg-type]


def touch(paper: Paper, watch_id: str) -> None:
    del paper.watches[watch_id]
    paper.give(PriceTouched(paper.now_ms, watch_id, paper.price))


def held(paper: Paper) -> bool:
    return paper.ends().get("w") == "succeeded"


KEY = "when:w.wait"


@pytest.mark.parametrize(("relation", "inside", "outside"), [("above", ">", "<="), ("below", "<", ">=")])
def test_a_price_state_watches_strictly_beyond_its_level(relation: str, inside: str, outside: str) -> None:
    paper = waiting(f"{{price: {{{relation}: 60000}}}}")
    assert {one.watch_id: one.crossing.value for one in paper.watches.values()} == {
        f"{KEY}/in": inside, f"{KEY}/out": outside,
    }
    touch(paper, f"{KEY}/out")
    assert not held(paper)
    touch(paper, f"{KEY}/in")
    assert held(paper)
    assert paper.watches == {}


def test_a_price_state_that_is_true_already_starts_the_step_at_once() -> None:
    """The watch fires with its setting, so no crossing is needed."""
    paper = waiting("{price: {above: 59000}}")
    touch(paper, f"{KEY}/in")
    assert held(paper)


def test_the_source_of_a_price_is_the_last_trade_or_the_mark() -> None:
    assert {one.source for one in waiting("{price: {above: 1}}").watches.values()} == {PriceSource.LAST}
    assert {one.source for one in waiting("{price: {above: 1, source: MARK}}").watches.values()} == {PriceSource.MARK}


@pytest.mark.parametrize(("relation", "other", "beyond"), [
    ("crosses_up", Crossing.LT, Crossing.GT), ("crosses_down", Crossing.GT, Crossing.LT),
])
def test_a_crossing_needs_the_other_side_seen_first(relation: str, other: Crossing, beyond: Crossing) -> None:
    paper = waiting(f"{{price: {{{relation}: 60000}}}}")
    assert {one.watch_id: one.crossing for one in paper.watches.values()} == {f"{KEY}/out": other}
    touch(paper, f"{KEY}/out")
    assert not held(paper)
    assert {one.watch_id: one.crossing for one in paper.watches.values()} == {f"{KEY}/in": beyond}
    touch(paper, f"{KEY}/in")
    assert held(paper)


def test_an_instant_in_the_past_holds_at_once_and_one_to_come_when_it_comes() -> None:
    assert held(waiting("{at: 2001-01-01T00:00:00Z}"))
    paper = waiting('{at: "2033-05-18T03:33:20Z"}')
    assert paper.timers == {KEY: 2_000_000_000_000}
    paper.fire(KEY)
    assert held(paper)


def test_a_delay_counts_from_when_all_else_has_come() -> None:
    paper = Paper(
        "  - id: a\n    entry: {side: BUY, quantity: 0.001, type: MARKET}\n"
        "  - id: w\n    after: a\n    when: {delay: 5m}\n    wait: {}\n"
    )
    assert "when:w.wait" not in paper.timers
    paper.fill("a.entry#0", "0.001")
    assert paper.timers["when:w.wait"] == paper.now_ms + 300_000
    paper.fire("when:w.wait")
    assert held(paper)


def test_a_position_is_the_plans_own_and_judged_after_each_fill() -> None:
    paper = Paper(
        "  - id: w\n    when: {position: {above: 0.001}}\n    wait: {}\n"
        "  - id: a\n    entry: {side: BUY, quantity: 0.002, type: MARKET}\n"
    )
    paper.fill("a.entry#0", "0.001")
    assert not held(paper), "strictly above"
    paper.fill("a.entry#0", "0.001")
    assert held(paper)


def test_a_position_that_is_gone_counts_as_none() -> None:
    paper = Paper(
        "  - id: long\n    on_failure: continue\n    bracket: {side: BUY, quantity: 0.002, entry: {type: MARKET}, "
        "stop_loss: {stop_price: 59000}}\n"
        "  - id: w\n    after: {long: filled}\n    when: {position: {below: 0.001}}\n    wait: {}\n"
    )
    paper.fill("long.entry#0", "0.002")
    paper.reject("long.stop_loss#0", -2022)
    paper.fire("read:long")
    paper.position("0")
    paper.fire("read:long")
    paper.position("0")
    assert held(paper)


def test_a_position_below_holds_at_once_where_there_is_none() -> None:
    assert held(waiting("{position: {below: 0.001}}"))
    assert not held(waiting("{position: {below: 0.001}}", positions={"BTCUSDT": "0.002"}))


def test_all_needs_every_part_and_any_needs_one() -> None:
    both = "{%s: [{price: {above: 61000}}, {delay: 1m}]}"
    paper = waiting(both % "all")
    touch(paper, f"{KEY}.0/in")
    assert not held(paper)
    paper.fire(f"{KEY}.1")
    assert held(paper)
    assert paper.watches == {}, "what is still watched is let go"
    paper = waiting(both % "any")
    paper.fire(f"{KEY}.1")
    assert held(paper)


def test_a_state_of_all_that_has_passed_again_does_not_count() -> None:
    paper = waiting("{all: [{price: {above: 61000}}, {delay: 1m}]}")
    touch(paper, f"{KEY}.0/in")
    touch(paper, f"{KEY}.0/out")
    paper.fire(f"{KEY}.1")
    assert not held(paper)
    touch(paper, f"{KEY}.0/in")
    assert held(paper)


def test_not_turns_a_known_state_around_and_waits_while_it_is_not_known() -> None:
    paper = waiting("{not: {price: {above: 61000}}}")
    assert not held(paper)
    touch(paper, f"{KEY}.0/out")
    assert held(paper)


@pytest.mark.parametrize("part", [
    "{delay: 1m}", '{at: "2033-05-18T03:33:20Z"}', "{price: {crosses_up: 61000}}",
    "{position: {above: 0}}",
])
def test_not_of_what_has_not_come_yet_holds_at_once(part: str) -> None:
    paper = waiting(f"{{not: {part}}}")
    assert held(paper)
    assert paper.watches == {}
    assert paper.timers == {}


def test_not_of_a_state_that_must_hold_for_a_time_is_true_until_it_has_held() -> None:
    paper = waiting("{all: [{not: {price: {above: 61000}, for: 3m}}, {delay: 1h}]}")
    touch(paper, f"{KEY}.0.0.0/in")
    paper.fire(f"{KEY}.0.0")
    paper.fire(f"{KEY}.1")
    assert not held(paper)
    touch(paper, f"{KEY}.0.0.0/out")
    assert held(paper)


def test_for_needs_the_state_without_a_break_and_each_break_starts_the_count_again() -> None:
    paper = waiting("{price: {above: 61000}, for: 3m}")
    touch(paper, f"{KEY}.0/in")
    assert paper.timers == {KEY: START_MS + 180_000}
    paper.now_ms += 179_000
    touch(paper, f"{KEY}.0/out")
    assert paper.timers == {}
    touch(paper, f"{KEY}.0/in")
    assert paper.timers == {KEY: START_MS + 179_000 + 180_000}
    assert not held(paper)
    paper.fire(KEY)
    assert held(paper)


def test_a_gap_in_the_data_starts_the_count_of_for_again() -> None:
    paper = waiting("{price: {above: 61000}, for: 3m}")
    touch(paper, f"{KEY}.0/in")
    paper.now_ms += 100_000
    paper.give(MarketGap(paper.now_ms, "BTCUSDT"))
    assert paper.timers == {KEY: START_MS + 280_000}
    paper.fire(KEY)
    assert held(paper)


def test_a_gap_of_another_symbol_or_before_the_state_came_changes_no_count() -> None:
    paper = waiting("{price: {above: 61000}, for: 3m}")
    paper.give(MarketGap(paper.now_ms, "BTCUSDT"))
    assert paper.timers == {}
    touch(paper, f"{KEY}.0/in")
    paper.now_ms += 1_000
    paper.give(MarketGap(paper.now_ms, "ETHUSDT"))
    assert paper.timers == {KEY: START_MS + 180_000}


def test_a_gap_takes_back_what_had_held_long_enough_but_was_still_waiting_for_another_part() -> None:
    paper = waiting("{all: [{price: {above: 61000}, for: 3m}, {delay: 1h}]}")
    touch(paper, f"{KEY}.0.0/in")
    paper.fire(f"{KEY}.0")
    paper.now_ms = START_MS + 3_540_000
    paper.give(MarketGap(paper.now_ms, "BTCUSDT"))
    paper.fire(f"{KEY}.1")
    assert not held(paper)
    paper.fire(f"{KEY}.0")
    assert held(paper)


def test_a_gap_inside_joined_parts_counts_for_each_of_their_symbols() -> None:
    paper = waiting("{all: [{not: {price: {above: 61000}}}, {any: [{position: {below: 1}}, {delay: 1s}]}], for: 3m}")
    touch(paper, f"{KEY}.0.0.0/out")
    assert paper.timers[KEY] == START_MS + 180_000
    paper.now_ms += 1_000
    paper.give(MarketGap(paper.now_ms, "BTCUSDT"))
    assert paper.timers[KEY] == START_MS + 181_000


def test_a_condition_that_is_dropped_lets_its_watches_and_timers_go() -> None:
    paper = Paper(
        "  - id: w\n    timeout: 1m\n    wait: {}\n"
        "    when: {any: [{price: {above: 61000}}, {delay: 1h}, {price: {below: 100}, for: 1m}]}\n"
    )
    touch(paper, f"{KEY}.2.0/in")
    paper.fire("timeout:w")
    assert paper.ends() == {"w": "failed timed_out"}
    assert paper.watches == {}
    gone = {one.timer_id for one in paper.commands if isinstance(one, CancelTimer)}
    assert gone == {f"{KEY}.1", f"{KEY}.2"}


def test_a_touch_or_timer_that_comes_after_the_condition_was_let_go_is_ignored() -> None:
    paper = Paper(WAIT.replace("{WHEN}", "{any: [{delay: 1s}, {delay: 2s}]}") + "  - id: x\n"
        "    when: {delay: 9h}\n    wait: {}\n")
    paper.fire(f"{KEY}.0")
    before = len(paper.commands)
    paper.timers[f"{KEY}.1"] = paper.now_ms
    paper.fire(f"{KEY}.1")
    paper.give(PriceTouched(paper.now_ms, f"{KEY}/in", paper.price))
    assert len(paper.commands) == before
