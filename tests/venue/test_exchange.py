"""The rules in the docstring of `runner.venue.exchange`, each by its letter; candles are in test_candles."""

import re
from pathlib import Path
from typing import Any

import pytest

from runner.domain.positions import Position
from runner.domain.values import TimeInForce, WorkingType
from runner.venue import algo, amending, candles, clockwork, depth
from runner.venue import exchange as exchange_module
from runner.venue.facts import AccountUpdate, AlgoUpdate, OrderUpdate
from runner.venue.market import CandleEnd, Quote
from runner.venue.refusals import Refusal
from runner.venue.terms import AlgoStatus, ExecutionType, Reason, Status
from tests.venue.desk import BTC, Desk, code, d, fills, states

IOC, FOK, GTX = TimeInForce.IOC, TimeInForce.FOK, TimeInForce.GTX


def long(qty: str = "0.010", entry: int = 60000) -> dict[str, Any]:
    return {"positions": (Position("BTCUSDT", d(qty), d(entry)),)}


# Arrival


@pytest.mark.parametrize("first", [
    Quote("BTCUSDT", 5, d(59999), d(1), d(60001), d(1)),
    CandleEnd("BTCUSDT", 60_000, 0, d(60000), d(60100), d(59900), d(60050), d(1)),
])
def test_a1_before_its_first_datum_a_symbol_stands_at_that_datums_price(first: object) -> None:
    desk = Desk()
    desk.exchange.books["BTCUSDT"].last = None
    desk.exchange.begin(first)  # type: ignore[arg-type]
    assert desk.exchange.books["BTCUSDT"].last_px == d(60000)


def test_a1_a_starting_position_without_an_entry_price_was_opened_at_the_first_price() -> None:
    desk = Desk(61000, positions=(Position("BTCUSDT", d("-0.5")),))
    held = desk.me.holding("BTCUSDT")
    assert (held.qty, held.entry_px) == (d("-0.5"), d(61000))


def test_a_book_without_any_price_says_what_is_missing() -> None:
    desk = Desk()
    desk.exchange.books["BTCUSDT"].last = None
    with pytest.raises(ValueError, match="no price of BTCUSDT is known yet"):
        desk.exchange.books["BTCUSDT"].last_px  # noqa: B018


def test_a2_a_refusal_leaves_no_trace() -> None:
    desk = Desk()
    assert code(desk.order("SELL", "MARKET", 1, ro=True, id="gone")) == -2022
    with pytest.raises(Refusal, match="-2013"):
        desk.exchange.order(desk.me, "BTCUSDT", "gone")
    (accepted,) = desk.order("BUY", "LIMIT", "0.01", 59000)
    assert isinstance(accepted, OrderUpdate)
    assert accepted.order.order_id == 1


def test_a2_an_unknown_symbol_is_refused_for_orders_and_cancels() -> None:
    desk = Desk()
    assert code(desk.order("BUY", "MARKET", 1, symbol="NOPEUSDT")) == -1121
    assert code(desk.cancel("x", symbol="NOPEUSDT")) == -1121
    with pytest.raises(Refusal, match="-1121"):
        desk.exchange.order(desk.me, "NOPEUSDT", "x")


def test_a2_a_client_id_is_unique_among_open_orders_only() -> None:
    desk = Desk()
    desk.order("BUY", "LIMIT", "0.01", 59000, id="same")
    assert code(desk.order("BUY", "LIMIT", "0.01", 59000, id="same")) == -4116
    desk.cancel("same")
    assert states(desk.order("BUY", "LIMIT", "0.01", 59000, id="same")) == ["same NEW"]
    assert desk.state("same") == "NEW 0"


def test_a2_open_orders_of_a_symbol_are_bounded() -> None:
    desk = Desk()
    for _ in range(BTC.max_num_orders):
        desk.order("BUY", "LIMIT", "0.01", 59000)
    assert code(desk.order("BUY", "LIMIT", "0.01", 59000)) == -2025


def test_a2_open_conditional_orders_of_an_account_are_bounded() -> None:
    desk = Desk()
    for _ in range(200):
        desk.order("BUY", "STOP_MARKET", "0.01", stop=61000)
    assert code(desk.order("BUY", "STOP_MARKET", "0.01", stop=61000)) == -4045
    assert states(desk.order("BUY", "LIMIT", "0.01", 59000, id="limit")) == ["limit NEW"]


def test_a3_a_conditional_order_is_judged_on_margin_when_it_triggers() -> None:
    desk = Desk(balance=d(100))
    assert states(desk.order("BUY", "STOP_MARKET", 1, stop=61000, id="big")) == ["~big NEW"]
    assert states(desk.point(61000)) == ["~big TRIGGERING", "~big REJECTED Margin is insufficient."]
    assert desk.position == 0


@pytest.mark.parametrize(("side", "kind", "stop", "refused"), [
    ("SELL", "STOP_MARKET", "60000", True), ("SELL", "STOP_MARKET", "59999.9", False),
    ("BUY", "STOP_MARKET", "60000", True), ("BUY", "STOP_MARKET", "60000.1", False),
    ("SELL", "TAKE_PROFIT_MARKET", "60000", True), ("SELL", "TAKE_PROFIT_MARKET", "60000.1", False),
    ("BUY", "TAKE_PROFIT_MARKET", "60000", True), ("BUY", "TAKE_PROFIT_MARKET", "59999.9", False),
])
def test_a4_a_trigger_that_is_already_met_is_refused(side: str, kind: str, stop: str, refused: bool) -> None:
    answer = Desk(60000).order(side, kind, "0.01", stop=stop)
    assert isinstance(answer[0], Refusal) is refused
    if refused:
        assert code(answer) == -2021


@pytest.mark.parametrize(("side", "activation", "refused"), [
    ("SELL", 59999, True), ("SELL", 60001, False), ("BUY", 60001, True), ("BUY", 59999, False), ("SELL", None, False),
])
def test_a4_a_trailing_stop_whose_activation_is_already_reached_is_refused(
    side: str, activation: int | None, refused: bool,
) -> None:
    answer = Desk(60000).order(
        side, "TRAILING_STOP_MARKET", "0.01", callback_rate=d(1),
        activation_price=None if activation is None else d(activation),
    )
    assert (code(answer) == -2021) if refused else isinstance(answer[0], AlgoUpdate)


@pytest.mark.parametrize(("held", "side", "refused"), [
    ("0", "SELL", True), ("-0.01", "SELL", True), ("0.01", "BUY", True), ("0.01", "SELL", False),
    ("-0.01", "BUY", False),
])
@pytest.mark.parametrize("kind", ["MARKET", "LIMIT"])
def test_a5_reduce_only_needs_something_to_reduce(held: str, side: str, refused: bool, kind: str) -> None:
    desk = Desk(positions=(Position("BTCUSDT", d(held), d(60000)),))
    answer = desk.order(side, kind, "0.01", 60000 if kind == "LIMIT" else None, ro=True)
    assert (code(answer) == -2022) if refused else isinstance(answer[0], OrderUpdate)


# Cancelling and asking


def test_a_cancel_ends_a_working_order_and_a_second_one_finds_nothing() -> None:
    desk = Desk()
    desk.order("BUY", "LIMIT", "0.01", 59000, id="rest")
    assert states(desk.cancel("rest")) == ["rest CANCELED"]
    assert code(desk.cancel("rest")) == -2011
    assert desk.state("rest") == "CANCELED 0"


def test_a_cancel_that_comes_after_the_fill_is_refused_and_the_fill_stands() -> None:
    desk = Desk()
    desk.order("BUY", "LIMIT", "0.01", 59000, id="rest")
    assert fills(desk.point(58999)) == ["rest 0.01 @ 59000 maker"]
    assert code(desk.cancel("rest")) == -2011
    assert desk.state("rest") == "FILLED 0.01"
    assert desk.position == d("0.01")


def test_a_cancel_keeps_what_was_filled_before_it() -> None:
    desk = Desk()
    desk.order("BUY", "LIMIT", "0.01", 59000, id="rest")
    desk.trade(58999, "0.004")
    desk.cancel("rest")
    assert desk.state("rest") == "CANCELED 0.004"
    assert fills(desk.trade(58000, 5)) == []


def test_open_orders_lists_what_works_and_nothing_else() -> None:
    desk = Desk()
    desk.order("BUY", "LIMIT", "0.01", 59000, id="rest")
    desk.order("BUY", "MARKET", "0.01", id="done")
    desk.order("SELL", "STOP_MARKET", "0.01", stop=58000, ro=True, id="stop")
    assert [order.request.client_order_id for order in desk.exchange.open_orders(desk.me)] == ["rest"]
    assert [order.request.client_order_id for order in desk.exchange.open_conditionals(desk.me)] == ["stop"]


# Taking


def test_a_fill_is_an_order_update_and_then_an_account_update() -> None:
    desk = Desk(quote=("59999.9", "1", "60000", "0.004"))
    new, first, moved, second, last = desk.order("BUY", "MARKET", "0.006", id="m")
    assert isinstance(new, OrderUpdate)
    assert isinstance(first, OrderUpdate)
    assert isinstance(second, OrderUpdate)
    assert isinstance(moved, AccountUpdate)
    assert isinstance(last, AccountUpdate)
    assert (new.execution, new.order.status, new.fill) == (ExecutionType.NEW, Status.NEW, None)
    assert first.fill is not None
    assert second.fill is not None
    assert (first.fill.qty, second.fill.qty) == (d("0.004"), d("0.002"))
    assert (first.order.status, first.order.filled_qty) == (Status.PARTIALLY_FILLED, d("0.004"))
    assert first.order.avg_px == d(60000)
    assert (second.order.status, second.order.avg_px) == (Status.FILLED, d("60000.03333333"))
    assert first.fill.trade_id != second.fill.trade_id
    assert first.fill.order_id == second.fill.order_id == new.order.order_id
    assert (first.fill.fee, first.fill.fee_asset) == (d("0.12"), "USDT")
    assert moved.reason is Reason.ORDER
    assert moved.balances[0].wallet == d("9999.88")
    assert last.positions[0].qty == d("0.006")
    assert [fill.qty for fill in desk.me.history.fills("BTCUSDT", 0)] == [d("0.004"), d("0.002")]


@pytest.mark.parametrize(("side", "expected"), [
    ("BUY", ["o1 0.004 @ 60001 taker", "o1 0.004 @ 60001.1 taker", "o1 0.002 @ 60001.2 taker"]),
    ("SELL", ["o1 0.006 @ 59999 taker", "o1 0.004 @ 59998.9 taker"]),
])
def test_t1_a_taker_pays_the_opposite_quote_and_walks_tick_by_tick(side: str, expected: list[str]) -> None:
    desk = Desk(quote=("59999", "0.006", "60001", "0.004"))
    assert fills(desk.order(side, "MARKET", "0.010")) == expected


def test_t1_a_quote_that_shows_nothing_is_no_quote() -> None:
    desk = Desk(quote=("59999", "1", "60001", "0"))
    assert fills(desk.order("BUY", "MARKET", "0.010")) == ["o1 0.01 @ 60000 taker"]


def test_t2_without_quotes_a_taker_pays_the_last_price_for_all_of_it() -> None:
    desk = Desk(60000)
    desk.trade(60010, "0.001")
    assert fills(desk.order("BUY", "MARKET", "0.5")) == ["o1 0.5 @ 60010 taker"]


@pytest.mark.parametrize(("side", "kind", "stop", "gap"), [
    ("SELL", "STOP_MARKET", 59000, "58500"), ("BUY", "STOP_MARKET", 61000, "61500"),
])
def test_t3_a_gap_through_a_trigger_fills_at_the_gap_price(side: str, kind: str, stop: int, gap: str) -> None:
    desk = Desk(60000)
    desk.order(side, kind, "0.01", stop=stop)
    told = desk.point(gap)
    assert states(told)[:2] == ["~o1 TRIGGERING", "~o1 TRIGGERED"]
    assert fills(told) == [f"o1 0.01 @ {gap} taker"]


@pytest.mark.parametrize(("side", "kind", "stop", "limit", "gap", "expected"), [
    ("SELL", "TAKE_PROFIT_MARKET", 61000, None, "61500", "61000"),
    ("BUY", "TAKE_PROFIT_MARKET", 59000, None, "58500", "59000"),
    ("SELL", "TAKE_PROFIT", 61000, 61000, "61500", "61000"), ("BUY", "TAKE_PROFIT", 59000, 59000, "58500", "59000"),
    ("SELL", "TAKE_PROFIT", 61000, 60900, "61500", "61000"), ("SELL", "TAKE_PROFIT", 61000, 61200, "61500", "61200"),
])
def test_t3_a_take_profit_gains_nothing_from_a_gap(
    side: str, kind: str, stop: int, limit: int | None, gap: str, expected: str,
) -> None:
    desk = Desk(60000)
    desk.order(side, kind, "0.01", limit, stop=stop)
    told = desk.point(gap)
    assert states(told)[:2] == ["~o1 TRIGGERING", "~o1 TRIGGERED"]
    assert fills(told) == [f"o1 0.01 @ {expected} taker"]


def test_t3_a_take_profit_takes_the_worse_of_the_trade_and_the_quote_where_there_are_quotes() -> None:
    desk = Desk(60000, **long())
    desk.order("SELL", "TAKE_PROFIT_MARKET", "0.01", stop=61000, ro=True)
    desk.quote("61010", "1", "61020", "1")
    assert fills(desk.trade(61050, 1)) == ["o1 0.01 @ 61010 taker"]


@pytest.mark.parametrize(("bid", "expected"), [("58990", "58990"), ("59010", "58995")])
def test_t3_a_triggered_stop_takes_the_worse_of_the_trade_and_the_quote(bid: str, expected: str) -> None:
    desk = Desk(60000, **long())
    desk.order("SELL", "STOP_MARKET", "0.01", stop=59000, ro=True)
    desk.quote(bid, "1", "59020", "1")
    assert fills(desk.trade(58995, 1)) == [f"o1 0.01 @ {expected} taker"]


@pytest.mark.parametrize(("ask", "expected"), [("61010", "61010"), ("60990", "61005")])
def test_t3_a_triggered_buy_takes_the_worse_of_the_trade_and_the_quote(ask: str, expected: str) -> None:
    desk = Desk(60000)
    desk.order("BUY", "STOP_MARKET", "0.01", stop=61000)
    desk.quote("60980", "1", ask, "1")
    assert fills(desk.trade(61005, 1)) == [f"o1 0.01 @ {expected} taker"]


def test_t3_a_price_off_the_tick_is_rounded_against_the_account() -> None:
    desk = Desk(60000, **long())
    desk.order("SELL", "STOP_MARKET", "0.01", stop="59000.05", ro=True)
    assert fills(desk.point("59000.05")) == ["o1 0.01 @ 59000 taker"]
    desk.order("BUY", "MARKET", "0.01")
    desk.order("SELL", "TAKE_PROFIT_MARKET", "0.01", stop="60000.05", ro=True)
    assert fills(desk.point(60100)) == ["o3 0.01 @ 60000 taker"]


@pytest.mark.parametrize(("last", "expected"), [("60500", "60500"), ("61500", "61000")])
def test_t3_a_take_profit_on_the_mark_takes_the_worse_of_its_trigger_and_the_last_price(
    last: str, expected: str,
) -> None:
    desk = Desk(60000, **long())
    desk.mark(60000)
    desk.order("SELL", "TAKE_PROFIT_MARKET", "0.01", stop=61000, ro=True, working_type=WorkingType.MARK_PRICE)
    desk.point(last)
    assert fills(desk.mark(61000)) == [f"o1 0.01 @ {expected} taker"]


@pytest.mark.parametrize(("touch", "last", "expected"), [
    (False, "59999.9", ["o1 0.01 @ 59999.9 taker"]), (False, "60000", []), (True, "60000", ["o1 0.01 @ 60000 taker"]),
    (True, "60000.1", []),
])
def test_t4_without_quotes_a_limit_takes_only_at_better_than_its_price(
    touch: bool, last: str, expected: list[str],
) -> None:
    assert fills(Desk(last, fill_on_touch=touch).order("BUY", "LIMIT", "0.01", 60000)) == expected


@pytest.mark.parametrize(("touch", "last", "filled"), [
    (False, "60000.1", True), (False, "60000", False), (True, "60000", True), (True, "59999.9", False),
])
def test_t4_the_same_holds_for_a_limit_that_sells(touch: bool, last: str, filled: bool) -> None:
    assert bool(fills(Desk(last, fill_on_touch=touch).order("SELL", "LIMIT", "0.01", 60000))) is filled


def test_t4_with_quotes_a_limit_sells_at_its_price() -> None:
    desk = Desk(quote=("60000", "0.004", "60001", "1"))
    assert fills(desk.order("SELL", "LIMIT", "0.010", 60000)) == ["o1 0.004 @ 60000 taker"]


def test_t4_with_quotes_a_limit_takes_up_to_its_price_and_the_rest_rests() -> None:
    desk = Desk(quote=("59999", "1", "60000", "0.004"))
    told = desk.order("BUY", "LIMIT", "0.010", "60000.1", id="b")
    assert fills(told) == ["b 0.004 @ 60000 taker", "b 0.004 @ 60000.1 taker"]
    assert desk.state("b") == "PARTIALLY_FILLED 0.008"


def test_t5_what_a_market_order_cannot_take_inside_the_percent_band_expires() -> None:
    desk = Desk(60000)
    desk.quote("59999", "1", "62999.9", "0.004")
    told = desk.order("BUY", "MARKET", "0.010")
    assert fills(told) == ["o1 0.004 @ 62999.9 taker", "o1 0.004 @ 63000 taker"]
    assert states(told)[-1] == "o1 EXPIRED er9"
    assert desk.state("o1") == "EXPIRED 0.008"


def test_t5_the_percent_band_bounds_a_sale_at_market_too() -> None:
    desk = Desk(60000)
    desk.quote("57000.1", "0.004", "60001", "1")
    told = desk.order("SELL", "MARKET", "0.010")
    assert fills(told) == ["o1 0.004 @ 57000.1 taker", "o1 0.004 @ 57000 taker"]
    assert states(told)[-1] == "o1 EXPIRED er9"


@pytest.mark.parametrize(("tif", "ask_qty", "price", "expected"), [
    (IOC, "0.004", "60000", ["NEW", "PARTIALLY_FILLED", "EXPIRED er2"]),
    (IOC, "0.004", "59999", ["NEW", "EXPIRED er2"]),
    (IOC, "0.010", "60000", ["NEW", "FILLED"]),
    (FOK, "0.010", "60000", ["NEW", "FILLED"]),
    (FOK, "0.004", "60000", -5021),
    (GTX, "0.004", "60000", -5022),
    (GTX, "0.004", "59999.9", ["NEW"]),
])
def test_t5_time_in_force_decides_what_becomes_of_the_rest(
    tif: TimeInForce, ask_qty: str, price: str, expected: list[str] | int,
) -> None:
    told = Desk(quote=("59999", "1", "60000", ask_qty)).order("BUY", "LIMIT", "0.010", price, time_in_force=tif)
    if isinstance(expected, int):
        assert code(told) == expected
    else:
        assert states(told) == [f"o1 {state}" for state in expected]


@pytest.mark.parametrize(("tif", "expected"), [
    (FOK, ["o1 NEW", "o1 EXPIRED er2", "~o1 FINISHED"]),
    (GTX, ["o1 NEW", "o1 EXPIRED er2", "~o1 FINISHED"]),
    (IOC, ["o1 NEW", "o1 PARTIALLY_FILLED", "o1 EXPIRED er2", "~o1 FINISHED"]),
    (TimeInForce.GTC, ["o1 NEW", "o1 PARTIALLY_FILLED"]),
])
def test_t5_a_triggered_limit_keeps_its_time_in_force(tif: TimeInForce, expected: list[str]) -> None:
    desk = Desk(60000)
    desk.quote("60000", "1", "61000", "0.004")
    desk.order("BUY", "STOP", "0.010", 61000, stop=61000, time_in_force=tif)
    assert states(desk.trade(61000, 1))[2:] == expected


# Resting


@pytest.mark.parametrize(("side", "price", "touch", "trade", "expected"), [
    ("BUY", 59000, False, "59000", []), ("BUY", 59000, False, "58999.9", ["o1 0.01 @ 59000 maker"]),
    ("BUY", 59000, True, "59000", ["o1 0.01 @ 59000 maker"]), ("BUY", 59000, True, "59000.1", []),
    ("SELL", 61000, False, "61000", []), ("SELL", 61000, False, "61000.1", ["o1 0.01 @ 61000 maker"]),
    ("SELL", 61000, True, "61000", ["o1 0.01 @ 61000 maker"]), ("SELL", 61000, True, "60999.9", []),
    ("BUY", 59000, False, "50000", ["o1 0.01 @ 59000 maker"]),
])
def test_r1_a_resting_limit_fills_when_the_price_trades_through_it_and_never_better_than_it(
    side: str, price: int, touch: bool, trade: str, expected: list[str],
) -> None:
    desk = Desk(60000, fill_on_touch=touch)
    desk.order(side, "LIMIT", "0.01", price)
    assert fills(desk.trade(trade, 1)) == expected


def test_r2_trades_fill_by_no_more_than_their_quantity_by_price_then_time() -> None:
    desk = Desk(60000)
    desk.order("BUY", "LIMIT", "0.010", 59000, id="low")
    desk.order("BUY", "LIMIT", "0.010", 59500, id="first", at=1)
    desk.order("BUY", "LIMIT", "0.010", 59500, id="second", at=2)
    assert fills(desk.trade(58999, "0.015")) == ["first 0.01 @ 59500 maker", "second 0.005 @ 59500 maker"]
    assert fills(desk.trade(58999, "0.006")) == ["second 0.005 @ 59500 maker", "low 0.001 @ 59000 maker"]
    assert desk.state("low") == "PARTIALLY_FILLED 0.001"


def test_r3_quotes_without_trades_stand_for_trades_of_what_they_display() -> None:
    desk = Desk(quote=("59999", "1", "60001", "1"))
    desk.order("BUY", "LIMIT", "0.010", 59000, id="b")
    desk.order("SELL", "LIMIT", "0.010", 61000, id="s")
    assert fills(desk.quote("58999", "1", "59000", "1")) == []
    assert fills(desk.quote("58998", "1", "58999.9", "0.004")) == ["b 0.004 @ 59000 maker"]
    assert fills(desk.quote("61000.1", "0.003", "61002", "1")) == ["s 0.003 @ 61000 maker"]


def test_r3_where_trades_are_known_a_quote_fills_nothing() -> None:
    desk = Desk(60000)
    desk.order("BUY", "LIMIT", "0.010", 59000)
    assert desk.quote("58000", "1", "58001", "1") == []


def test_r4_points_fill_whole() -> None:
    desk = Desk(60000)
    desk.order("BUY", "LIMIT", "0.5", 59000)
    assert fills(desk.point(58999)) == ["o1 0.5 @ 59000 maker"]


# Triggers


def test_c1_a_mark_order_waits_for_the_mark_and_takes_the_market() -> None:
    desk = Desk(60000, **long())
    desk.mark(60000)
    desk.order("SELL", "STOP_MARKET", "0.01", stop=59000, ro=True, working_type=WorkingType.MARK_PRICE)
    assert desk.point(58900) == []
    assert desk.mark("59000.1") == []
    assert fills(desk.mark(59000)) == ["o1 0.01 @ 58900 taker"]


def test_c1_an_order_on_the_contract_price_does_not_look_at_the_mark() -> None:
    desk = Desk(60000, **long())
    desk.mark(60000)
    desk.order("SELL", "STOP_MARKET", "0.01", stop=59000, ro=True)
    assert desk.mark(58000) == []
    assert fills(desk.point(59000)) == ["o1 0.01 @ 59000 taker"]


def test_c1_without_mark_data_the_last_price_stands_in() -> None:
    desk = Desk(60000, **long())
    desk.order("SELL", "STOP_MARKET", "0.01", stop=59000, ro=True, working_type=WorkingType.MARK_PRICE)
    assert fills(desk.point(59000)) == ["o1 0.01 @ 59000 taker"]


def test_c1_with_quotes_alone_a_trigger_looks_at_the_side_it_would_take() -> None:
    desk = Desk(quote=("59999", "1", "60001", "1"), **long())
    desk.order("SELL", "STOP_MARKET", "0.01", stop=59000, ro=True)
    assert desk.quote("59000.1", "1", "59000.2", "1") == []
    assert fills(desk.quote("58999", "1", "59500", "1")) == ["o1 0.01 @ 58999 taker"]


def test_c2_stops_go_first_among_what_one_price_triggers() -> None:
    desk = Desk(60000)
    desk.order("BUY", "TAKE_PROFIT_MARKET", "0.01", stop=59000, id="profit")
    desk.order("SELL", "STOP_MARKET", "0.01", stop=59000, id="stop")
    assert fills(desk.point(58900)) == ["stop 0.01 @ 58900 taker", "profit 0.01 @ 59000 taker"]


def test_c3_a_reduce_only_order_that_triggers_while_flat_is_rejected() -> None:
    desk = Desk(60000)
    assert states(desk.order("SELL", "STOP_MARKET", "0.01", stop=59000, ro=True)) == ["~o1 NEW"]
    assert states(desk.point(58900)) == ["~o1 TRIGGERING", "~o1 REJECTED Reduce Only reject"]
    assert desk.state("o1") == "REJECTED 0"


@pytest.mark.parametrize(("side", "prices", "fires_at"), [
    ("SELL", [60500, 61000, 60400, "60390"], 3), ("SELL", [59900, 59500, "59400"], 2),
    ("BUY", [59000, 59500, "59590"], 2), ("BUY", [60500, "60600"], 1),
])
def test_c4_a_trailing_stop_follows_the_best_price(side: str, prices: list[str | int], fires_at: int) -> None:
    desk = Desk(60000)
    desk.order(side, "TRAILING_STOP_MARKET", "0.01", callback_rate=d(1))
    fired = [index for index, price in enumerate(prices) if fills(desk.point(price))]
    assert fired == [fires_at]
    assert fills(desk.told) == [f"o1 0.01 @ {prices[fires_at]} taker"]


def test_c4_a_trailing_stop_sleeps_until_its_activation_price() -> None:
    desk = Desk(60000)
    desk.order("SELL", "TRAILING_STOP_MARKET", "0.01", callback_rate=d(1), activation_price=d(61000))
    assert desk.point(50000) == []
    (awake,) = desk.point(61000)
    assert isinstance(awake, AlgoUpdate)
    assert (awake.order.status, awake.order.activated) == (AlgoStatus.NEW, True)
    assert desk.point(60391) == []
    assert fills(desk.point(60390)) == ["o1 0.01 @ 60390 taker"]


def test_c4_a_trailing_stop_that_buys_is_activated_at_its_activation_price() -> None:
    desk = Desk(60000)
    desk.order("BUY", "TRAILING_STOP_MARKET", "0.01", callback_rate=d(1), activation_price=d(59000))
    assert states(desk.point(59000)) == ["~o1 NEW"]
    assert fills(desk.point(59590)) == ["o1 0.01 @ 59590 taker"]


def test_a_triggered_stop_limit_beyond_its_limit_rests_and_fills_when_the_price_comes_back() -> None:
    desk = Desk(60000, **long())
    desk.order("SELL", "STOP", "0.01", 58900, stop=59000, ro=True)
    assert states(desk.point(58800)) == ["~o1 TRIGGERING", "~o1 TRIGGERED", "o1 NEW"]
    assert desk.point(58900) == []
    assert fills(desk.point("58900.1")) == ["o1 0.01 @ 58900 maker"]


# Reduce-only


def test_o1_reduce_only_fills_up_to_flat_and_the_rest_expires() -> None:
    desk = Desk(60000, **long("0.004"))
    told = desk.order("SELL", "MARKET", "0.010", ro=True)
    assert fills(told) == ["o1 0.004 @ 60000 taker"]
    assert states(told)[-1] == "o1 EXPIRED er4"
    assert desk.position == 0
    assert desk.state("o1") == "EXPIRED 0.004"


def test_o1_a_resting_reduce_only_limit_fills_up_to_flat() -> None:
    desk = Desk(60000, **long("0.004"))
    desk.order("SELL", "LIMIT", "0.010", 61000, ro=True)
    told = desk.point(61001)
    assert fills(told) == ["o1 0.004 @ 61000 maker"]
    assert states(told)[-1] == "o1 EXPIRED er4"


def test_an_order_that_is_not_reduce_only_flips_the_position() -> None:
    desk = Desk(60000, **long("0.004"))
    desk.order("SELL", "MARKET", "0.010")
    assert (desk.position, desk.me.holding("BTCUSDT").entry_px) == (d("-0.006"), d(60000))


def test_o2_resting_reduce_only_orders_beyond_a_shrunken_position_expire_worst_priced_first() -> None:
    desk = Desk(60000, **long("0.010"))
    desk.order("SELL", "LIMIT", "0.005", 62000, ro=True, id="far")
    desk.order("SELL", "LIMIT", "0.004", 61000, ro=True, id="near")
    assert states(desk.order("SELL", "MARKET", "0.006", ro=True, id="cut"))[2:] == ["far EXPIRED er4"]
    assert desk.state("near") == "NEW 0"
    assert states(desk.order("SELL", "MARKET", "0.004", ro=True, id="all"))[-1] == "near EXPIRED er4"


def test_o2_untriggered_conditional_orders_stay_when_the_position_is_flat() -> None:
    desk = Desk(60000, **long("0.010"))
    desk.order("SELL", "STOP_MARKET", "0.010", stop=59000, ro=True, id="stop")
    desk.order("SELL", "MARKET", "0.010", ro=True)
    assert desk.state("stop") == "NEW 0"


def test_o3_a_reduce_only_limit_that_resting_ones_leave_no_room_for_is_refused() -> None:
    desk = Desk(60000, **long("0.010"))
    desk.order("SELL", "LIMIT", "0.006", 61000, ro=True)
    assert states(desk.order("SELL", "LIMIT", "0.006", 62000, ro=True, id="part")) == ["part NEW"]
    assert code(desk.order("SELL", "LIMIT", "0.001", 62000, ro=True)) == -2022
    assert fills(desk.order("SELL", "MARKET", "0.010", ro=True, id="m")) == ["m 0.01 @ 60000 taker"]


def test_o3_only_reduce_only_orders_take_room_from_it() -> None:
    desk = Desk(60000, **long("0.010"))
    desk.order("SELL", "LIMIT", "0.010", 61000)
    assert states(desk.order("SELL", "LIMIT", "0.010", 62000, ro=True, id="ro")) == ["ro NEW"]


# Margin


@pytest.mark.parametrize(("balance", "qty", "refused"), [
    ("1203.6", "0.1", False), ("1203.59", "0.1", True), ("1203.6", "0.101", True),
])
def test_an_opening_order_needs_its_initial_margin(balance: str, qty: str, refused: bool) -> None:
    desk = Desk(60000, balance=d(balance), leverage=5)
    answer = desk.order("BUY", "MARKET", qty)
    assert (code(answer) == -2019) if refused else len(fills(answer)) == 1


def test_open_orders_bind_margin_until_they_are_cancelled() -> None:
    desk = Desk(60000, balance=d(1200), leverage=5)
    desk.order("BUY", "LIMIT", "0.1", 59000, id="bound")
    assert code(desk.order("BUY", "LIMIT", "0.1", 59000)) == -2019
    desk.cancel("bound")
    assert states(desk.order("BUY", "LIMIT", "0.1", 59000, id="again")) == ["again NEW"]


def test_the_margin_of_a_symbols_own_orders_is_counted_once() -> None:
    desk = Desk(60000, balance=d(2400), leverage=5)
    desk.order("BUY", "LIMIT", "0.1", 59000)
    assert states(desk.order("BUY", "LIMIT", "0.1", 59000, id="second")) == ["second NEW"]


def test_orders_of_another_symbol_bind_margin_too() -> None:
    desk = Desk(60000, balance=d(1200), leverage=5)
    desk.order("BUY", "LIMIT", "500", 10, symbol="COARSEUSDT", id="other")
    assert code(desk.order("BUY", "LIMIT", "0.1", 59000)) == -2019


def test_an_order_that_only_reduces_needs_no_margin() -> None:
    desk = Desk(60000, balance=d(1), positions=(Position("BTCUSDT", d("0.1"), d(60000)),))
    assert fills(desk.order("SELL", "MARKET", "0.1")) == ["o1 0.1 @ 60000 taker"]


def test_a_loss_not_yet_taken_counts_against_the_margin() -> None:
    desk = Desk(60000, balance=d(2000), leverage=5, positions=(Position("BTCUSDT", d("0.1"), d(69000)),))
    assert code(desk.order("BUY", "MARKET", "0.001")) == -2019


def test_a_sell_below_the_mark_binds_its_open_loss() -> None:
    desk = Desk(60000, balance=d(1200), leverage=5)
    desk.mark(62000)
    assert code(desk.order("SELL", "LIMIT", "0.1", 59000)) == -2019


def test_every_rule_that_is_listed_has_a_test_that_names_it() -> None:
    texts = [module.__doc__ or "" for module in (exchange_module, algo, amending, candles, clockwork, depth)]
    listed = [rule for text in texts for rule in re.findall(r"^([A-Z]\d)\. ", text, re.MULTILINE)]
    tested = {
        rule.upper() for file in Path(__file__).parent.glob("test_*.py")
        for rule in re.findall(r"def test_([a-z]\d)_", file.read_text(encoding="utf-8"))
    }
    assert len(listed) > 40
    assert sorted(listed) == sorted(tested)
