"""Amending a resting limit order."""

from typing import Any

import pytest

from runner.domain.positions import Position
from runner.domain.values import TimeInForce
from runner.venue import amending
from runner.venue.facts import OrderUpdate
from runner.venue.terms import ExecutionType, PriceMatch
from tests.venue.desk import BTC, Desk, code, d, fills, states


def resting(price: int = 59000, **settings: Any) -> Desk:
    desk = Desk(60000, **settings)
    desk.order("BUY", "LIMIT", "0.010", price, id="b")
    return desk


def test_e1_an_amendment_changes_quantity_and_price_and_is_told() -> None:
    desk = resting()
    desk.now = 5
    (told,) = desk.amend("b", "BUY", "0.020", 58000, modify_id=77)
    assert isinstance(told, OrderUpdate)
    assert (told.execution, told.modify_id, told.order.status) == (ExecutionType.AMENDMENT, 77, "NEW")
    state = desk.exchange.order(desk.me, "BTCUSDT", "b")
    assert (state.request.quantity, state.request.price, state.order_id) == (d("0.020"), d(58000), 1)
    assert (state.created_ms, state.updated_ms) == (0, 5)
    assert fills(desk.point(58500)) == []
    assert fills(desk.point(57999)) == ["b 0.02 @ 58000 maker"]


def test_e1_an_amended_order_goes_to_the_end_of_its_queue() -> None:
    desk = resting()
    desk.order("BUY", "LIMIT", "0.010", 59000, id="second")
    desk.amend("b", "BUY", "0.009", 59000)
    assert fills(desk.trade(58999, "0.010")) == ["second 0.01 @ 59000 maker"]


def test_e1_an_amended_order_that_is_marketable_takes() -> None:
    desk = Desk(quote=("59999", "1", "60001", "1"))
    desk.order("BUY", "LIMIT", "0.010", 59000, id="b")
    told = desk.amend("b", "BUY", "0.010", 60001)
    assert states(told) == ["b NEW", "b FILLED"]
    assert fills(told) == ["b 0.01 @ 60001 taker"]


def test_e1_the_order_id_wins_and_price_match_chooses_a_price() -> None:
    desk = Desk(quote=("59999", "1", "60001", "1"))
    desk.order("BUY", "LIMIT", "0.010", 59000, id="b")
    desk.amend("b", "BUY", "0.010", None, price_match=PriceMatch.QUEUE)
    state = desk.exchange.order(desk.me, "BTCUSDT", 1)
    assert (state.request.price, state.request.price_match) == (d(59999), "QUEUE")


def test_e1_a_partly_filled_order_keeps_what_it_has() -> None:
    desk = resting()
    desk.trade(58999, "0.004")
    desk.point(59500)
    desk.amend("b", "BUY", "0.006", 59000)
    assert desk.state("b") == "PARTIALLY_FILLED 0.004"
    assert fills(desk.point(58000)) == ["b 0.002 @ 59000 maker"]
    assert desk.state("b") == "FILLED 0.006"


def test_e1_the_margin_of_the_amended_order_replaces_the_old_ones() -> None:
    desk = Desk(60000, balance=d(1200), leverage=5)
    desk.order("BUY", "LIMIT", "0.1", 59000, id="b")
    assert states(desk.amend("b", "BUY", "0.101", 59000)) == ["b NEW"]
    assert code(desk.amend("b", "BUY", "0.103", 59000)) == -2019
    assert desk.exchange.order(desk.me, "BTCUSDT", "b").request.quantity == d("0.101")
    desk.cancel("b")
    assert states(desk.order("BUY", "LIMIT", "0.1", 59000, id="again")) == ["again NEW"]


@pytest.mark.parametrize("qty", ["0.004", "0.003"])
def test_e2_an_order_that_has_filled_the_new_quantity_already_is_cancelled(qty: str) -> None:
    desk = resting(price=60000)
    desk.trade("59999.9", "0.004")
    assert states(desk.amend("b", "BUY", qty, 60000)) == ["b CANCELED"]
    assert desk.state("b") == "CANCELED 0.004"


def test_e2_a_post_only_order_that_would_take_is_cancelled() -> None:
    desk = Desk(quote=("59999", "1", "60001", "1"))
    desk.order("BUY", "LIMIT", "0.010", 59000, id="b", time_in_force=TimeInForce.GTX)
    assert states(desk.amend("b", "BUY", "0.010", "60000.9")) == ["b NEW"]
    assert states(desk.amend("b", "BUY", "0.010", 60001)) == ["b CANCELED"]


@pytest.mark.parametrize(("qty", "price", "more", "expected"), [
    ("0.010", 59000, {}, -5027), ("0.010", None, {}, -1102), ("0.010", 59000, {"price_match": PriceMatch.QUEUE}, -1106),
    ("0.010", "59000.05", {}, -4014), ("0.0105", 59000, {}, -1111), ("0.010", 63001, {}, -4016),
    ("0.001", 49999, {}, -5029), ("0.010", 58000, {"reduce_only": True}, -5047), ("0", 59000, {}, -4003),
    ("0.010", None, {"price_match": PriceMatch.OPPONENT_20}, -5037),
    ("0.010", None, {"price_match": PriceMatch.QUEUE_5}, -5041),
])
def test_e2_a_refused_amendment_leaves_the_order_as_it_was(
    qty: str, price: str | int | None, more: dict[str, Any], expected: int,
) -> None:
    desk = resting()
    before = desk.exchange.open_orders(desk.me)
    assert code(desk.amend("b", "BUY", qty, price, **more)) == expected
    assert desk.exchange.open_orders(desk.me) == before
    assert fills(desk.point(58999)) == ["b 0.01 @ 59000 maker"]


def test_e2_side_order_and_symbol_have_to_be_right() -> None:
    desk = resting()
    assert code(desk.amend("b", "SELL", "0.010", 58000)) == -1117
    assert code(desk.amend("x", "BUY", "0.010", 58000)) == -2013
    halted = Desk(60000)
    halted.order("BUY", "LIMIT", "0.010", 59000, id="b")
    halted.exchange.books["BTCUSDT"].instrument = BTC.but(status="TRADING_HALT")
    assert code(halted.amend("b", "BUY", "0.010", 58000)) == -5024


def test_e2_reduce_only_is_only_checked() -> None:
    desk = Desk(60000, positions=(Position("BTCUSDT", d("0.010"), d(60000)),))
    desk.order("SELL", "LIMIT", "0.010", 61000, ro=True, id="s")
    assert states(desk.amend("s", "SELL", "0.010", 61500, reduce_only=True)) == ["s NEW"]
    assert code(desk.amend("s", "SELL", "0.010", 61000, reduce_only=False)) == -5047
    assert desk.exchange.order(desk.me, "BTCUSDT", "s").request.reduce_only


def test_e2_an_exit_is_amended_in_the_room_that_the_others_leave() -> None:
    desk = Desk(60000, positions=(Position("BTCUSDT", d("0.010"), d(60000)),))
    desk.order("SELL", "LIMIT", "0.006", 61000, ro=True, id="a")
    desk.order("SELL", "LIMIT", "0.006", 62000, ro=True, id="b")
    assert states(desk.amend("a", "SELL", "0.008", 61000)) == ["a NEW"]
    assert states(desk.amend("a", "SELL", "0.010", 61000)) == ["a NEW", "b EXPIRED er4"]


def test_e2_an_order_is_amended_so_often_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(amending, "MAX_AMENDMENTS", 2)
    desk = resting()
    assert states(desk.amend("b", "BUY", "0.010", 58000)) == ["b NEW"]
    assert states(desk.amend("b", "BUY", "0.010", 58001)) == ["b NEW"]
    assert code(desk.amend("b", "BUY", "0.010", 58002)) == -5026


def test_e1_a_placed_order_of_a_stop_can_be_amended() -> None:
    desk = Desk(60000)
    desk.order("BUY", "STOP", "0.010", 60500, stop=61000, id="s")
    desk.point(61000)
    assert states(desk.amend("s", "BUY", "0.010", 60400)) == ["s NEW"]
