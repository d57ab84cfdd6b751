"""Conditional orders: what they need, when they fire, what they place, and how they end."""

from typing import Any

import pytest

from runner.domain.positions import Position
from runner.domain.values import TimeInForce, WorkingType
from runner.venue.facts import AlgoState, AlgoUpdate, OrderUpdate
from runner.venue.refusals import Refusal
from runner.venue.settings import Rules
from runner.venue.terms import AlgoStatus, PositionSide
from tests.venue.desk import Desk, Told, code, d, fills, states

CLOSE: dict[str, Any] = {"close_position": True}


def long(qty: str = "0.010") -> dict[str, Any]:
    return {"positions": (Position("BTCUSDT", d(qty), d(60000)),)}


def algo(told: Told) -> list[AlgoState]:
    return [fact.order for fact in told if isinstance(fact, AlgoUpdate)]


# What becomes of it


def test_c7_a_trigger_places_an_order_with_an_id_of_its_own_and_the_same_client_id() -> None:
    desk = Desk(60000, **long())
    desk.order("BUY", "LIMIT", "0.010", 50000)
    desk.order("SELL", "STOP_MARKET", "0.010", stop=59000, ro=True, id="s")
    told = desk.point(58900)
    assert states(told) == ["~s TRIGGERING", "~s TRIGGERED", "s NEW", "s FILLED", "~s FINISHED"]
    orders = [fact.order for fact in told if isinstance(fact, OrderUpdate)]
    assert {(order.order_id, order.algo_id) for order in orders} == {(2, 1)}
    assert {order.request.order_type.value for order in orders} == {"MARKET"}
    first, placed, finished = algo(told)
    assert (first.order_id, first.triggered_ms, first.actual_type) == (0, 1, None)
    assert (placed.order_id, placed.filled_qty) == (2, d(0))
    assert (finished.order_id, finished.actual_type, finished.filled_qty, finished.cost) == (
        2, "MARKET", d("0.010"), d(589),
    )
    assert desk.exchange.conditional(desk.me, "s") == finished
    assert desk.exchange.order(desk.me, "BTCUSDT", "s") == orders[-1]


def test_c7_the_conditional_order_is_finished_when_its_order_is_over_filled_or_not() -> None:
    desk = Desk(60000, **long())
    desk.order("SELL", "STOP", "0.010", 58950, stop=59000, ro=True, id="s")
    assert states(desk.point(58900)) == ["~s TRIGGERING", "~s TRIGGERED", "s NEW"]
    assert desk.exchange.conditional(desk.me, "s").status is AlgoStatus.TRIGGERED
    assert desk.exchange.conditional(desk.me, 1).status is AlgoStatus.TRIGGERED
    assert desk.exchange.open_conditionals(desk.me) == []
    assert len(desk.exchange.open_orders(desk.me)) == 1
    desk.now += 1
    assert states(desk.cancel("s")) == ["s CANCELED", "~s FINISHED"]
    assert desk.exchange.conditional(desk.me, "s").filled_qty == 0


def test_c7_a_client_id_that_works_already_bars_the_trigger() -> None:
    desk = Desk(60000)
    desk.order("BUY", "LIMIT", "0.010", 50000, id="same")
    desk.order("BUY", "STOP_MARKET", "0.010", stop=61000, id="same")
    assert states(desk.point(61000)) == ["~same TRIGGERING", "~same REJECTED ClientOrderId is duplicated."]


def test_each_world_has_client_ids_of_its_own() -> None:
    desk = Desk(60000)
    desk.order("BUY", "LIMIT", "0.010", 50000, id="same")
    assert states(desk.order("BUY", "STOP_MARKET", "0.010", stop=61000, id="same")) == ["~same NEW"]
    assert code(desk.order("BUY", "STOP_MARKET", "0.010", stop=61000, id="same")) == -4116


def test_conditional_orders_are_found_by_either_id_and_not_among_working_ones() -> None:
    desk = Desk(60000)
    desk.order("BUY", "STOP_MARKET", "0.010", stop=61000, id="s")
    assert desk.exchange.conditional(desk.me, 1) == desk.exchange.conditional(desk.me, "s")
    assert desk.exchange.open_conditionals(desk.me, "BTCUSDT") == desk.exchange.open_conditionals(desk.me)
    assert desk.exchange.open_conditionals(desk.me, "COARSEUSDT") == []
    assert desk.exchange.cancel_all(desk.me, "BTCUSDT", 0) == 0
    for wrong in (2, "x"):
        with pytest.raises(Refusal, match="-2013"):
            desk.exchange.conditional(desk.me, wrong)
    with pytest.raises(Refusal, match="-2013"):
        desk.exchange.conditional(desk.me, "s", "COARSEUSDT")
    with pytest.raises(Refusal, match="-2011"):
        desk.exchange.cancel_conditional(desk.me, "s", 0, "COARSEUSDT")
    assert desk.exchange.cancel_all_conditional(desk.me, "BTCUSDT", 0) == 1
    assert states(desk.exchange.drain()) == ["~s CANCELED"]
    assert desk.exchange.conditional(desk.me, "s").status is AlgoStatus.CANCELED


def test_a_cancel_at_the_instant_of_the_trigger_comes_too_late() -> None:
    desk = Desk(60000, **long())
    desk.order("SELL", "STOP", "0.010", 58950, stop=59000, ro=True, id="s")
    desk.point(58900)
    with pytest.raises(Refusal, match="-4117"):
        desk.exchange.cancel_conditional(desk.me, "s", desk.now)
    with pytest.raises(Refusal, match="-2011"):
        desk.exchange.cancel_conditional(desk.me, "s", desk.now + 1)


def test_a_veto_rejects_a_trigger_with_its_reason() -> None:
    desk = Desk(60000, **long())
    desk.order("SELL", "STOP_MARKET", "0.010", stop=59000, ro=True, id="s")
    desk.order("SELL", "STOP_MARKET", "0.010", stop=58900, ro=True, id="t")
    desk.exchange.veto = lambda account, order: "No luck" if order.request.client_order_id == "s" else ""
    assert states(desk.point(59000)) == ["~s TRIGGERING", "~s REJECTED No luck"]
    assert fills(desk.point(58900)) == ["t 0.01 @ 58900 taker"]


# Trailing


def test_c4_a_trailing_stop_without_activation_price_is_active_from_the_start() -> None:
    told = Desk(60000).order("SELL", "TRAILING_STOP_MARKET", "0.010", callback_rate=d(1))
    assert [state.activated for state in algo(told)] == [True]


def test_c4_activation_is_told_once() -> None:
    desk = Desk(60000)
    desk.order("SELL", "TRAILING_STOP_MARKET", "0.010", callback_rate=d(1), activation_price=d(61000))
    told = [*desk.point(61000), *desk.point(62000), *desk.point(61900)]
    assert [(state.status, state.activated) for state in algo(told)] == [(AlgoStatus.NEW, True)]


def test_c4_a_candle_activates_too() -> None:
    desk = Desk(60000)
    desk.order("SELL", "TRAILING_STOP_MARKET", "0.010", callback_rate=d(5), activation_price=d(61000))
    assert [state.activated for state in algo(desk.candle(0, 60000, 61500, 60000, 61400))] == [True]


def test_c4_a_trailing_stop_on_the_mark_follows_the_mark() -> None:
    desk = Desk(60000, **long())
    desk.mark(60000)
    desk.order(
        "SELL", "TRAILING_STOP_MARKET", "0.010", callback_rate=d(1), working_type=WorkingType.MARK_PRICE, ro=True,
    )
    assert desk.point(59000) == []
    assert desk.mark(61000) == []
    assert desk.mark("60390.1") == []
    assert fills(desk.mark(60390)) == ["o1 0.01 @ 59000 taker"]


# Price protection


def _protected(rules: Rules) -> Desk:
    desk = Desk(60000, rules=rules, **long())
    desk.mark(60000)
    desk.order("SELL", "STOP_MARKET", "0.010", stop=57500, ro=True, price_protect=True, id="s")
    return desk


def test_c5_a_protected_trigger_waits_while_the_last_price_strays_from_the_mark() -> None:
    desk = _protected(Rules())
    assert desk.point(56999) == []
    assert desk.state("s") == "NEW 0"
    assert fills(desk.point(57000)) == ["s 0.01 @ 57000 taker"]


def test_c5_by_a_rule_it_is_rejected_instead() -> None:
    desk = _protected(Rules(protected_trigger_waits=False))
    assert states(desk.point(56999)) == ["~s TRIGGERING", "~s REJECTED Price protect reject"]


def test_c5_without_mark_data_nothing_strays() -> None:
    desk = Desk(60000, **long())
    desk.order("SELL", "STOP_MARKET", "0.010", stop=57500, ro=True, price_protect=True, id="s")
    assert len(fills(desk.point(50000))) == 1


# closePosition


def test_c6_it_takes_the_size_of_the_position_at_its_trigger() -> None:
    desk = Desk(60000, **long())
    assert states(desk.order("SELL", "STOP_MARKET", stop=59000, id="s", **CLOSE)) == ["~s NEW"]
    desk.order("BUY", "MARKET", "0.007")
    told = desk.point(58900)
    assert fills(told) == ["s 0.017 @ 58900 taker"]
    assert states(told)[-1] == "~s FINISHED"
    assert desk.position == 0


def test_c6_it_needs_a_position_of_the_side_that_it_closes() -> None:
    assert code(Desk(60000).order("SELL", "STOP_MARKET", stop=59000, **CLOSE)) == -4509
    assert code(Desk(60000, **long()).order("BUY", "STOP_MARKET", stop=61000, **CLOSE)) == -4509


def test_c6_it_is_alone_in_its_family_and_direction() -> None:
    desk = Desk(60000, **long())
    desk.order("SELL", "STOP_MARKET", stop=59000, id="s", **CLOSE)
    assert code(desk.order("SELL", "STOP_MARKET", stop=58000, **CLOSE)) == -4130
    assert states(desk.order("SELL", "TAKE_PROFIT_MARKET", stop=61000, id="t", **CLOSE)) == ["~t NEW"]
    desk.cancel("s")
    assert states(desk.order("SELL", "STOP_MARKET", stop=58000, id="u", **CLOSE)) == ["~u NEW"]


@pytest.mark.parametrize(("kind", "more", "expected"), [
    ("STOP_MARKET", {"qty": "0.010"}, -4137), ("STOP_MARKET", {"ro": True}, -1106),
    ("STOP", {"price": 59000}, -4136), ("TAKE_PROFIT", {"price": 59000}, -4136),
])
def test_c6_its_parameters(kind: str, more: dict[str, Any], expected: int) -> None:
    assert code(Desk(60000, **long()).order("SELL", kind, stop=59000, **CLOSE, **more)) == expected


def test_c6_a_trailing_stop_cannot_close_the_position() -> None:
    assert code(Desk(60000, **long()).order("SELL", "TRAILING_STOP_MARKET", callback_rate=d(1), **CLOSE)) == -4136


def test_c6_it_expires_with_the_position() -> None:
    desk = Desk(60000, **long())
    desk.order("SELL", "STOP_MARKET", stop=59000, id="s", **CLOSE)
    desk.order("SELL", "TAKE_PROFIT_MARKET", stop=61000, id="t", **CLOSE)
    desk.order("SELL", "STOP_MARKET", "0.010", stop=59000, ro=True, id="plain")
    desk.order("SELL", "MARKET", "0.004")
    assert desk.state("s") == "NEW 0"
    told = desk.order("SELL", "MARKET", "0.006")
    assert states(told)[2:] == ["~s EXPIRED Position closed", "~t EXPIRED Position closed"]
    assert desk.state("plain") == "NEW 0"


def test_c6_it_expires_when_the_position_is_flipped() -> None:
    desk = Desk(60000, **long())
    desk.order("SELL", "STOP_MARKET", stop=59000, id="s", **CLOSE)
    assert states(desk.order("SELL", "MARKET", "0.020"))[-1] == "~s EXPIRED Position closed"


def test_c6_the_other_of_a_pair_expires_when_one_closes_the_position() -> None:
    desk = Desk(60000, **long())
    desk.order("SELL", "STOP_MARKET", stop=59000, id="s", **CLOSE)
    desk.order("SELL", "TAKE_PROFIT_MARKET", stop=61000, id="t", **CLOSE)
    assert states(desk.point(61000))[-1] == "~s EXPIRED Position closed"
    assert desk.exchange.open_conditionals(desk.me) == []


def test_c6_in_hedge_mode_each_side_has_its_own() -> None:
    desk = Desk(60000)
    desk.exchange.set_hedge_mode(desk.me, True, 0)
    side = PositionSide.LONG
    assert code(desk.order("BUY", "STOP_MARKET", stop=61000, position_side=side, **CLOSE)) == -2022
    desk.order("BUY", "MARKET", "0.010", position_side=side)
    desk.order("SELL", "STOP_MARKET", stop=59000, position_side=side, id="s", **CLOSE)
    desk.order("SELL", "MARKET", "0.010", position_side=PositionSide.SHORT)
    assert fills(desk.point(58900)) == ["s 0.01 @ 58900 taker"]
    assert desk.held("SHORT") == d("-0.010")


def test_c6_inside_a_candle_it_closes_what_was_held_before() -> None:
    desk = Desk(60000, **long())
    desk.order("SELL", "TAKE_PROFIT_MARKET", stop=61000, id="t", **CLOSE)
    assert fills(desk.candle(0, 60000, 61500, 60000, 61200)) == ["t 0.01 @ 61000 taker"]


# Parameters


def test_a_reduce_only_order_needs_no_position_before_its_trigger_unless_the_rule_says_so() -> None:
    assert states(Desk(60000).order("SELL", "STOP_MARKET", "0.010", stop=59000, ro=True, id="s")) == ["~s NEW"]
    strict = Desk(60000, rules=Rules(conditional_exit_needs_position=True))
    assert code(strict.order("SELL", "STOP_MARKET", "0.010", stop=59000, ro=True)) == -2022


@pytest.mark.parametrize(("kind", "more", "expected"), [
    ("STOP", {"price": 61000, "time_in_force": TimeInForce.GTD, "good_till_ms": 10**12}, -1115),
    ("STOP_MARKET", {"time_in_force": TimeInForce.IOC}, -1106),
    ("STOP_MARKET", {"activation_price": 61000}, -1106),
    ("STOP_MARKET", {"callback_rate": 1}, -1106),
])
def test_parameters_that_a_conditional_order_does_not_take(kind: str, more: dict[str, Any], expected: int) -> None:
    more = {name: d(value) if isinstance(value, int) and name.endswith(("price", "rate")) else value
            for name, value in more.items()}
    assert code(Desk(60000).order("BUY", kind, "0.010", stop=61000, **more)) == expected


def test_the_two_worlds_do_not_take_each_others_orders() -> None:
    desk = Desk(60000)
    desk.order("BUY", "STOP_MARKET", "0.010", stop=61000)
    request = desk.exchange.open_conditionals(desk.me)[0].request
    with pytest.raises(Refusal, match="-4120"):
        desk.exchange.place(desk.me, request.but(client_order_id="x"), 0)


def test_an_order_without_a_client_id_gets_one() -> None:
    desk = Desk(60000)
    desk.order("BUY", "STOP_MARKET", "0.010", stop=61000, id="x")
    bare = desk.exchange.open_conditionals(desk.me)[0].request.but(client_order_id="")
    assert desk.exchange.place_conditional(desk.me, bare, 0).request.client_order_id == "auto-2"
