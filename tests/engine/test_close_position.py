"""A stop that the exchange sizes to the whole position: sent once, never resized, stood in for while it is refused."""

import pytest

from runner.domain.commands import GroupProtected, Remark
from runner.domain.events import StopRequested
from runner.domain.orders import OrderRequest, OrderStatus
from runner.engine import contingencies
from runner.engine.state import Leg, Run
from tests.engine.adversary import World
from tests.engine.invariants import check
from tests.engine.paper import Paper, graph_of
from tests.engine.scenarios import SCENARIOS

LONG = """
  - id: long
    bracket:
      side: BUY
      quantity: 0.010
      entry: {type: LIMIT, price: 60000}
      take_profit: {price: 61000}
      stop_loss: {stop_price: 59000, close_position: true}
"""
CLOSER = "place long.stop_loss#0 STOP_MARKET SELL 0.004 @59000 close-position"


def entered(qty: str = "0.004") -> Paper:
    """The entry has filled `qty`; what it called forth has been said."""
    paper = Paper(LONG)
    paper.accept("long.entry#0")
    paper.said()
    paper.fill("long.entry#0", qty)
    return paper


def standing() -> Paper:
    """As `entered`, and both exits stand."""
    paper = entered()
    paper.accept("long.stop_loss#0", "long.take_profit#0")
    paper.said()
    return paper


def sold(paper: Paper, name: str, qty: str, px: str = "59000") -> None:
    """The stop is triggered and filled, for as much as the position was."""
    paper.trigger(name)
    paper.report(name, OrderStatus.FILLED, filled=qty, px=px)


def remarks(paper: Paper) -> list[str]:
    return [command.code for command in paper.commands if isinstance(command, Remark)]


# ---- the plain way --------------------------------------------------------------------------------------------------


def test_it_is_sent_once_and_covers_whatever_the_entry_fills_later() -> None:
    paper = entered()
    assert paper.said() == [CLOSER, "place long.take_profit#0 TAKE_PROFIT SELL 0.004 @61000 @61000 reduce-only"]
    paper.accept("long.stop_loss#0", "long.take_profit#0")
    paper.fill("long.entry#0", "0.003")
    assert paper.said() == ["cancel long.take_profit#0"]
    assert "bound:long" not in paper.timers
    paper.cancelled("long.take_profit#0")
    paper.accept("long.take_profit#1")
    paper.said()
    sold(paper, "long.stop_loss#0", "0.007")
    assert paper.said() == ["cancel long.entry#0", "cancel long.take_profit#1"]
    paper.cancelled("long.entry#0", "long.take_profit#1")
    assert paper.ends() == {"long": "cancelled stopped"}


def test_it_counts_as_cover_once_it_is_confirmed() -> None:
    paper = entered()
    assert "bound:long" in paper.timers
    paper.accept("long.stop_loss#0")
    assert "bound:long" not in paper.timers
    assert any(isinstance(command, GroupProtected) for command in paper.commands)


def test_a_trade_before_its_report_calls_forth_no_cancel_of_the_stop_that_executes() -> None:
    paper = standing()
    paper.trigger("long.stop_loss#0")
    paper.fill("long.stop_loss#0", "0.002", "59000")
    assert paper.said() == ["cancel long.entry#0", "cancel long.take_profit#0"]
    paper.fill("long.stop_loss#0", "0.002", "59000")
    assert paper.said() == []
    paper.report("long.stop_loss#0", OrderStatus.FILLED, filled="0.004")
    paper.cancelled("long.entry#0", "long.take_profit#0")
    assert paper.said() == []
    assert paper.verdict() == "succeeded"


def test_its_own_fill_may_exceed_what_it_was_sent_for_and_what_is_known_to_be_open() -> None:
    """The entry filled 0.006 more, which is told only after the stop has closed all 0.010."""
    paper = standing()
    sold(paper, "long.stop_loss#0", "0.010")
    assert paper.said() == ["cancel long.entry#0", "cancel long.take_profit#0"]
    paper.cancelled("long.take_profit#0")
    paper.report("long.entry#0", OrderStatus.FILLED, filled="0.010", px="60000")
    assert paper.said() == []
    assert paper.ends() == {"long": "cancelled stopped"}


def test_what_fills_after_it_has_executed_is_closed_at_market() -> None:
    paper = standing()
    sold(paper, "long.stop_loss#0", "0.004")
    paper.cancelled("long.take_profit#0")
    paper.said()
    paper.report("long.entry#0", OrderStatus.FILLED, filled="0.010", px="60000")
    assert paper.said()[0] == "place long.stop_loss#1 STOP_MARKET SELL 0.006 @59000 close-position"
    paper.reject("long.stop_loss#1", -2021)
    assert paper.said() == ["place long.stop_loss#2 MARKET SELL 0.006 reduce-only"]
    paper.fill("long.stop_loss#2", "0.006", "58900")
    paper.accept("long.take_profit#1")
    assert paper.said() == ["cancel long.take_profit#1"]


def test_a_stop_that_closed_less_than_is_open_is_followed_by_a_close_at_market() -> None:
    paper = standing()
    sold(paper, "long.stop_loss#0", "0.003")
    assert paper.said() == [
        "cancel long.entry#0", "cancel long.take_profit#0", "place long.stop_loss#1 MARKET SELL 0.001 reduce-only",
    ]


def test_the_take_profit_ends_it_and_the_exchanges_own_end_of_it_is_no_surprise() -> None:
    paper = entered("0.010")
    paper.accept("long.stop_loss#0", "long.take_profit#0")
    paper.trigger("long.take_profit#0")
    paper.said()
    paper.fill("long.take_profit#0", "0.010", "61000")
    assert paper.said() == ["cancel long.stop_loss#0"]
    paper.report("long.stop_loss#0", OrderStatus.EXPIRED, reason="The position is gone")
    assert paper.said() == []
    assert (paper.ends(), remarks(paper)) == ({"long": "succeeded"}, [])


def test_its_end_may_be_told_before_the_fill_that_ended_it() -> None:
    paper = entered("0.010")
    paper.accept("long.stop_loss#0", "long.take_profit#0")
    paper.trigger("long.take_profit#0")
    paper.said()
    paper.report("long.stop_loss#0", OrderStatus.EXPIRED, reason="The position is gone")
    assert paper.said() == []
    paper.fill("long.take_profit#0", "0.010", "61000")
    assert paper.said() == []
    assert paper.ends() == {"long": "succeeded"}


def test_one_that_somebody_cancelled_is_replaced_at_once() -> None:
    paper = standing()
    paper.report("long.stop_loss#0", OrderStatus.CANCELED)
    assert "place long.stop_loss#1 STOP_MARKET SELL 0.004 @59000 close-position" in paper.said()


def test_a_position_that_is_gone_with_it_is_found_out_by_reading() -> None:
    paper = standing()
    paper.report("long.entry#0", OrderStatus.CANCELED)
    paper.report("long.stop_loss#0", OrderStatus.EXPIRED, reason="The position is gone")
    paper.said()
    paper.fire("retry:long.stop_loss")
    assert paper.said() == ["place long.stop_loss#1 STOP_MARKET SELL 0.004 @59000 close-position"]
    paper.reject("long.stop_loss#1", -4509)
    paper.accept("long.stop_loss#1")
    paper.said()
    paper.fire("read:long")
    paper.position("0")
    paper.fire("read:long")
    paper.position("0")
    assert "position_gone" in remarks(paper)


# ---- while the exchange does not see the position -------------------------------------------------------------------


def test_a_sized_stop_goes_out_at_once_where_the_exchange_does_not_see_the_position() -> None:
    paper = entered()
    paper.said()
    paper.reject("long.stop_loss#0", -4509)
    assert paper.said() == ["place long.stop_loss#0 STOP_MARKET SELL 0.004 @59000 reduce-only"]
    assert paper.sent[paper.names["long.stop_loss#0"]].client_order_id.endswith(".0.1")
    paper.accept("long.stop_loss#0")
    assert paper.said() == []
    paper.fire("whole:long.stop_loss")
    assert paper.said() == ["place long.stop_loss#1 STOP_MARKET SELL 0.004 @59000 close-position"]
    paper.accept("long.stop_loss#1")
    assert paper.said() == ["cancel long.stop_loss#0"]


def test_the_sized_stop_grows_while_the_other_is_not_taken() -> None:
    paper = entered()
    paper.reject("long.stop_loss#0", -4509)
    paper.accept("long.stop_loss#0", "long.take_profit#0")
    paper.said()
    paper.fill("long.entry#0", "0.002")
    assert paper.said()[0] == "place long.stop_loss#1 STOP_MARKET SELL 0.006 @59000 reduce-only"
    paper.accept("long.stop_loss#1")
    assert paper.said() == ["cancel long.stop_loss#0"]
    paper.fire("whole:long.stop_loss")
    assert paper.said() == ["place long.stop_loss#2 STOP_MARKET SELL 0.006 @59000 close-position"]
    paper.reject("long.stop_loss#2", -4509)
    assert paper.said() == []
    paper.fire("whole:long.stop_loss")
    assert paper.said() == ["place long.stop_loss#2 STOP_MARKET SELL 0.006 @59000 close-position"]
    paper.accept("long.stop_loss#2")
    assert paper.said() == ["cancel long.stop_loss#1"]


def test_a_fill_while_the_other_is_tried_again_is_covered_too() -> None:
    paper = entered()
    paper.reject("long.stop_loss#0", -4509)
    paper.accept("long.stop_loss#0", "long.take_profit#0")
    paper.fire("whole:long.stop_loss")
    paper.said()
    paper.fill("long.entry#0", "0.002")
    assert "place long.stop_loss#2 STOP_MARKET SELL 0.006 @59000 reduce-only" in paper.said()


def test_a_sized_stop_that_executes_first_leaves_the_other_to_its_answer() -> None:
    paper = entered("0.010")
    paper.reject("long.stop_loss#0", -4509)
    paper.accept("long.stop_loss#0", "long.take_profit#0")
    paper.fire("whole:long.stop_loss")
    paper.trigger("long.stop_loss#0")
    paper.said()
    paper.fill("long.stop_loss#0", "0.010", "59000")
    assert paper.said() == ["cancel long.take_profit#0"]
    paper.cancelled("long.take_profit#0")
    paper.reject("long.stop_loss#1", -4509)
    assert paper.said() == []
    assert paper.ends() == {"long": "succeeded"}


# ---- where another stands -------------------------------------------------------------------------------------------


def test_one_of_ours_that_stands_already_is_found_and_kept() -> None:
    paper = entered()
    paper.said()
    paper.reject("long.stop_loss#0", -4130)
    assert paper.said() == [
        "query long.stop_loss#0", "place long.stop_loss#1 STOP_MARKET SELL 0.004 @59000 reduce-only",
    ]
    paper.report("long.stop_loss#0", OrderStatus.NEW)
    assert paper.said() == []
    paper.accept("long.stop_loss#1")
    assert paper.said() == ["cancel long.stop_loss#1"]


def test_an_earlier_one_that_was_given_up_is_found_and_kept() -> None:
    paper = standing()
    paper.report("long.stop_loss#0", OrderStatus.CANCELED)  # as after two queries that did not find it
    assert "place long.stop_loss#1 STOP_MARKET SELL 0.004 @59000 close-position" in paper.said()
    paper.reject("long.stop_loss#1", -4130)
    said = paper.said()
    assert said[:2] == ["query long.stop_loss#0", "query long.stop_loss#1"]
    paper.report("long.stop_loss#0", OrderStatus.NEW)
    paper.not_found("long.stop_loss#1")
    paper.accept("long.stop_loss#2")
    assert "cancel long.stop_loss#2" in paper.said()
    paper.fire("lookup:" + paper.names["long.stop_loss#1"])
    paper.not_found("long.stop_loss#1")
    assert paper.said() == ["query long.stop_loss#1"]


def test_one_that_is_not_ours_leaves_us_with_a_sized_stop_and_is_told() -> None:
    paper = entered()
    paper.reject("long.stop_loss#0", -4130)
    paper.accept("long.stop_loss#1", "long.take_profit#0")
    paper.not_found("long.stop_loss#0")
    paper.fire("lookup:" + paper.names["long.stop_loss#0"])
    paper.not_found("long.stop_loss#0")
    paper.said()
    assert remarks(paper) == ["close_position"]
    paper.fill("long.entry#0", "0.006")
    assert paper.said()[0] == "place long.stop_loss#2 STOP_MARKET SELL 0.01 @59000 reduce-only"


def test_one_that_will_never_be_taken_is_replaced_by_a_sized_stop_for_good() -> None:
    paper = entered()
    paper.said()
    paper.reject("long.stop_loss#0", -4136)
    assert paper.said() == ["place long.stop_loss#0 STOP_MARKET SELL 0.004 @59000 reduce-only"]
    assert remarks(paper) == ["rejected"]


# ---- without an answer ----------------------------------------------------------------------------------------------


def test_one_without_an_answer_has_no_twin_but_a_sized_stop_beside_it() -> None:
    paper = entered()
    paper.said()
    paper.lose("long.stop_loss#0")
    assert paper.said() == ["query long.stop_loss#0"]
    paper.fire("twin:long.stop_loss")
    assert paper.said() == ["place long.stop_loss#1 STOP_MARKET SELL 0.004 @59000 reduce-only"]
    paper.accept("long.stop_loss#1")
    paper.report("long.stop_loss#0", OrderStatus.NEW)
    assert paper.said() == ["cancel long.stop_loss#1"]


def test_one_that_was_never_executed_is_sent_under_a_new_id_while_a_sized_stop_stands() -> None:
    paper = entered()
    paper.lose("long.stop_loss#0")
    paper.fire("twin:long.stop_loss")
    paper.accept("long.stop_loss#1")
    paper.said()
    paper.now_ms += 7_000
    paper.not_found("long.stop_loss#0")
    paper.not_found("long.stop_loss#0")
    assert paper.said() == ["place long.stop_loss#2 STOP_MARKET SELL 0.004 @59000 close-position"]


def test_one_that_was_never_executed_is_sent_again_though_less_is_open_now() -> None:
    paper = entered("0.010")
    paper.accept("long.take_profit#0")
    paper.lose("long.stop_loss#0")
    paper.trigger("long.take_profit#0")
    paper.fill("long.take_profit#0", "0.004", "61000")
    paper.said()
    paper.now_ms += 7_000
    paper.not_found("long.stop_loss#0")
    paper.not_found("long.stop_loss#0")
    assert [line for line in paper.said() if "close-position" in line] == [
        "again long.stop_loss#0 STOP_MARKET SELL 0.01 @59000 close-position"
    ]


# ---- closing, stopping, and others ----------------------------------------------------------------------------------


def test_a_level_that_is_passed_already_closes_at_market() -> None:
    paper = entered()
    paper.said()
    paper.reject("long.stop_loss#0", -2021)
    assert paper.said() == ["cancel long.entry#0", "place long.stop_loss#1 MARKET SELL 0.004 reduce-only"]


def test_a_position_that_the_plan_does_not_hold_alone_gets_a_sized_stop() -> None:
    paper = Paper(LONG, positions={"BTCUSDT": "0.005"})
    paper.accept("long.entry#0")
    paper.said()
    paper.fill("long.entry#0", "0.004")
    assert paper.said()[0] == "place long.stop_loss#0 STOP_MARKET SELL 0.004 @59000 reduce-only"


def test_a_stop_request_leaves_it_standing() -> None:
    paper = standing()
    paper.give(StopRequested(paper.now_ms))
    paper.cancelled("long.entry#0")
    assert paper.said() == ["cancel long.entry#0"]
    assert paper.verdict() == "stopped"


# ---- in a world that obeys its own rules ----------------------------------------------------------------------------


def late_world(late_ms: int, patch: pytest.MonkeyPatch) -> World:
    """A bracket whose entry has half filled, on an exchange that sees the position `late_ms` later."""
    scenario = next(one for one in SCENARIOS if one.name == "whole-position-bracket")
    world = World(graph_of(scenario.steps), {}, check)
    sound, seen_ms = world.exchange.accept, world.now_ms + late_ms

    def accept(request: OrderRequest) -> int | None:
        return -4509 if request.close_position and world.now_ms < seen_ms else sound(request)

    patch.setattr(world.exchange, "accept", accept)
    world.settle()
    assert world.execute(0, 5)
    world.settle()
    return world


def standing_stops(world: World) -> list[OrderRequest]:
    return [one.request for one in world.orders(lambda one: one.live and one.request.order_type.stop_like)]


@pytest.mark.parametrize("late_ms", [1_000, 1_500, 2_000])
def test_an_exchange_that_sees_the_position_late_has_a_sized_stop_until_then(
    late_ms: int, monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = late_world(late_ms, monkeypatch)
    seen_ms = world.now_ms + late_ms
    (stop,) = standing_stops(world)
    assert not stop.close_position
    while world.now_ms < seen_ms + 1_000:
        world.fire()
        world.settle()
    (stop,) = standing_stops(world)
    assert stop.close_position


def test_the_invariants_catch_a_position_that_is_bare_until_it_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def wait(run: Run, leg: Leg) -> None:
        leg.held_until_ms = run.now_ms + 10**9

    monkeypatch.setattr(contingencies, "hold_whole", wait)
    with pytest.raises(AssertionError, match="nothing is on the way"):
        late_world(2_000, monkeypatch)
