"""What a taker finds: quotes, the sides of trades, the slippage model, and the public ladder."""

from decimal import Decimal
from itertools import islice

import pytest

from runner.domain.values import Side
from runner.venue.book import Book
from runner.venue.contracts import shipped_contract
from runner.venue.depth import Level, Queue, quoted_levels, slipping_levels
from runner.venue.market import Point
from runner.venue.settings import Slippage
from runner.venue.terms import PriceMatch
from tests.venue.desk import BTC, Desk, code, d, fills, states

THIN = Slippage(half_spread_ticks=2, level_bps=d(1), depth_quote=d(600))


def test_behind_a_quote_each_next_tick_shows_the_same_again() -> None:
    assert list(islice(quoted_levels(d(60), d(2), Side.BUY, d("0.1")), 3)) == [
        (d(60), d(2)), (d("60.1"), d(2)), (d("60.2"), d(2)),
    ]
    assert list(islice(quoted_levels(d(60), d(2), Side.SELL, d("0.1")), 2)) == [(d(60), d(2)), (d("59.9"), d(2))]


def test_a_ladder_ends_above_zero() -> None:
    assert list(quoted_levels(d("0.2"), d(1), Side.SELL, d("0.1"))) == [(d("0.2"), d(1)), (d("0.1"), d(1))]
    assert [level.price for level in slipping_levels(d("0.2"), Side.SELL, BTC, THIN)] == [d("0.2"), d("0.1")]


@pytest.mark.parametrize(("depth", "expected"), [("600", "0.009"), ("50", "0.001"), ("60000", "0.999")])
def test_a_modelled_level_shows_its_worth_in_steps_and_at_least_one(depth: str, expected: str) -> None:
    slippage = Slippage(depth_quote=d(depth))
    assert next(slipping_levels(d("60000.2"), Side.BUY, BTC, slippage)).qty == d(expected)


def test_modelled_levels_are_a_part_of_the_price_apart_rounded_up_to_ticks() -> None:
    prices = [level.price for level in islice(slipping_levels(d(60001), Side.BUY, BTC, THIN), 3)]
    assert prices == [d(60001), d("60007.1"), d("60013.2")]
    fine = Slippage(level_bps=Decimal("0.001"))
    assert [level.price for level in islice(slipping_levels(d(60000), Side.SELL, BTC, fine), 2)] == [
        d(60000), d("59999.9"),
    ]


@pytest.mark.parametrize(("side", "expected"), [
    ("BUY", ["o1 0.009 @ 60000.2 taker", "o1 0.009 @ 60006.3 taker", "o1 0.002 @ 60012.4 taker"]),
    ("SELL", ["o1 0.01 @ 59999.8 taker", "o1 0.01 @ 59993.8 taker"]),
])
def test_t7_without_quotes_a_taker_walks_the_stated_model(side: str, expected: list[str]) -> None:
    assert fills(Desk(60000, slippage=THIN).order(side, "MARKET", "0.020")) == expected


def test_t7_a_triggered_order_slips_from_the_price_that_triggered_it() -> None:
    desk = Desk(60000, slippage=THIN)
    desk.order("SELL", "STOP_MARKET", "0.010", stop=59000)
    assert fills(desk.point(58990)) == ["o1 0.01 @ 58989.8 taker"]


def test_t7_a_take_profit_gains_nothing_from_a_gap_and_slips_too() -> None:
    desk = Desk(60000, slippage=THIN)
    desk.order("SELL", "TAKE_PROFIT_MARKET", "0.010", stop=61000)
    assert fills(desk.point(61500))[0] == "o1 0.009 @ 60999.8 taker"


def test_t7_inside_a_candle_a_stop_slips_from_its_trigger() -> None:
    desk = Desk(60000, slippage=THIN)
    desk.order("SELL", "STOP_MARKET", "0.010", stop=59000)
    assert fills(desk.candle(0, 60000, 60000, 58000, 58500)) == ["o1 0.01 @ 58999.8 taker"]


def test_t7_quotes_go_before_the_model() -> None:
    desk = Desk(slippage=THIN, quote=("59999", "1", "60001", "1"))
    assert fills(desk.order("BUY", "MARKET", "0.020")) == ["o1 0.02 @ 60001 taker"]


def test_t7_a_limit_takes_at_its_price_where_the_model_gives_a_spread() -> None:
    assert fills(Desk(60000, slippage=THIN).order("BUY", "LIMIT", "0.005", "60000.2")) == ["o1 0.005 @ 60000.2 taker"]
    assert fills(Desk(60000, slippage=THIN).order("BUY", "LIMIT", "0.005", "60000.1")) == []


def test_t8_the_next_taker_does_not_find_what_one_before_took() -> None:
    desk = Desk(60000, slippage=THIN)
    desk.order("BUY", "MARKET", "0.006")
    book = desk.exchange.books["BTCUSDT"]
    assert book.levels(Side.SELL, 1) == [Level(d("60000.2"), d("0.003"))]
    assert fills(desk.order("BUY", "MARKET", "0.006")) == ["o2 0.003 @ 60000.2 taker", "o2 0.003 @ 60006.3 taker"]
    assert fills(desk.order("SELL", "MARKET", "0.006")) == ["o3 0.006 @ 59999.8 taker"]


def test_t8_a_displayed_quantity_is_there_once() -> None:
    desk = Desk(quote=("59999", "1", "60001", "0.010"))
    assert fills(desk.order("BUY", "MARKET", "0.010")) == ["o1 0.01 @ 60001 taker"]
    assert fills(desk.order("BUY", "MARKET", "0.010")) == ["o2 0.01 @ 60001.1 taker"]
    desk.quote("59999", "1", "60001", "0.010")
    assert fills(desk.order("BUY", "MARKET", "0.010")) == ["o3 0.01 @ 60001 taker"]


def test_t8_what_was_taken_is_there_again_in_the_next_second() -> None:
    desk = Desk(60000, slippage=THIN)
    desk.order("BUY", "MARKET", "0.009", at=1_500)
    assert fills(desk.order("BUY", "MARKET", "0.001", at=1_999)) == ["o2 0.001 @ 60006.3 taker"]
    assert fills(desk.order("BUY", "MARKET", "0.001", at=2_000)) == ["o3 0.001 @ 60000.2 taker"]


@pytest.mark.parametrize(("trades", "bid", "ask"), [
    ([("60000", True)], "60000", "60000.1"), ([("60000", False)], "59999.9", "60000"),
    ([("60000", True), ("60002", False)], "60000", "60002"),
    ([("60000", True), ("60002", False), ("60005", True)], "60005", "60005.1"),
    ([("60000", True), ("60002", False), ("59990", False)], "59989.9", "59990"),
    ([("60000", True), ("60002", False), ("60001", None)], "60000", "60002"),
    ([("60000", True), ("60002", False), ("60003", None)], "60003", "60003"),
])
def test_t6_trades_that_say_who_took_give_bid_and_ask(
    trades: list[tuple[str, bool | None]], bid: str, ask: str,
) -> None:
    desk = Desk(60000)
    for price, buyer_maker in trades:
        desk.trade(price, "0.001", buyer_maker)
    assert desk.exchange.books["BTCUSDT"].bid_ask() == (d(bid), d(ask))


def test_t6_a_taker_pays_the_other_side_of_the_trades() -> None:
    desk = Desk(60000)
    desk.trade(60000, "0.001", buyer_maker=True)
    desk.trade(60003, "0.001", buyer_maker=False)
    assert fills(desk.order("SELL", "MARKET", "0.5")) == ["o1 0.5 @ 60000 taker"]
    assert fills(desk.order("BUY", "LIMIT", "0.5", 60003)) == ["o2 0.5 @ 60003 taker"]


def test_t6_the_model_gives_the_depth_behind_the_sides_of_trades() -> None:
    desk = Desk(60000, slippage=THIN)
    desk.trade(60000, "0.001", buyer_maker=True)
    assert fills(desk.order("SELL", "MARKET", "0.015")) == ["o1 0.01 @ 60000 taker", "o1 0.005 @ 59994 taker"]


def test_t6_a_triggered_order_takes_the_worse_of_the_trade_and_the_known_side() -> None:
    desk = Desk(60000)
    desk.order("SELL", "STOP_MARKET", "0.010", stop=59000)
    assert fills(desk.trade(59000, 1, buyer_maker=False)) == ["o1 0.01 @ 58999.9 taker"]


def test_the_ladder_shows_the_market_and_the_users_orders_together() -> None:
    desk = Desk(quote=("59999", "0.5", "60001", "0.4"))
    other = desk.exchange.open_account("other")
    desk.order("BUY", "LIMIT", "0.010", "59999.5")
    desk.order("BUY", "LIMIT", "0.002", "59999.5", by=other)
    desk.order("BUY", "LIMIT", "0.010", "59998.9")
    desk.order("SELL", "LIMIT", "0.010", "60001")
    book = desk.exchange.books["BTCUSDT"]
    assert book.levels(Side.BUY, 4) == [
        (d("59999.5"), d("0.012")), (d(59999), d("0.5")), (d("59998.9"), d("0.510")), (d("59998.8"), d("0.5")),
    ]
    assert book.levels(Side.SELL, 2) == [(d(60001), d("0.410")), (d("60001.1"), d("0.4"))]


def test_a_market_without_depth_has_one_level_without_bound() -> None:
    assert Desk(60000).exchange.books["BTCUSDT"].levels(Side.SELL, 5) == [Level(d(60000), None)]


@pytest.mark.parametrize(("side", "match", "expected"), [
    ("BUY", "OPPONENT", "60001"), ("BUY", "OPPONENT_5", "60001.4"), ("BUY", "QUEUE", "59999.5"),
    ("BUY", "QUEUE_5", "59998.7"), ("SELL", "OPPONENT", "59999.5"), ("SELL", "QUEUE", "60001"),
    ("SELL", "QUEUE_20", "60002.9"),
])
def test_a7_price_match_takes_a_level_of_the_book(side: str, match: str, expected: str) -> None:
    desk = Desk(quote=("59999", "0.5", "60001", "0.4"))
    desk.order("BUY", "LIMIT", "0.010", "59999.5", by=desk.exchange.open_account("other"))
    desk.order(side, "LIMIT", "0.010", id="m", price_match=PriceMatch(match))
    assert desk.exchange.order(desk.me, "BTCUSDT", "m").request.price == d(expected)


def test_a7_a_book_without_so_many_levels_refuses_a_price_match() -> None:
    desk = Desk(60000)
    assert code(desk.order("BUY", "LIMIT", "0.010", price_match=PriceMatch.OPPONENT_5)) == -5041
    assert states(desk.order("BUY", "LIMIT", "0.010", price_match=PriceMatch.OPPONENT)) == ["o2 NEW"]


@pytest.mark.parametrize(("kind", "match", "more", "expected"), [
    ("LIMIT", "OPPONENT_10", {}, -5037), ("LIMIT", "OPPONENT_20", {}, -5037), ("MARKET", "OPPONENT", {}, -5038),
    ("STOP_MARKET", "QUEUE", {"stop": 61000}, -5038), ("LIMIT", "QUEUE", {"price": 59000}, -1106),
])
def test_a7_price_match_has_its_own_refusals(kind: str, match: str, more: dict[str, int], expected: int) -> None:
    desk = Desk(quote=("59999", "0.5", "60001", "0.4"))
    assert code(desk.order("BUY", kind, "0.010", price_match=PriceMatch(match), **more)) == expected  # type: ignore[arg-type]


def test_a7_the_matched_price_of_a_stop_is_chosen_at_its_trigger() -> None:
    desk = Desk(quote=("59999", "0.5", "60001", "0.4"))
    desk.order("BUY", "STOP", "0.010", stop=61000, id="s", price_match=PriceMatch.QUEUE)
    desk.quote("61100", "0.5", "61102", "0.5")
    assert desk.exchange.order(desk.me, "BTCUSDT", "s").request.price == d(61100)
    assert desk.state("s") == "NEW 0"


def test_a_queue_is_sorted_by_price_then_time() -> None:
    desk = Desk(60000)
    for name, price in (("low", 58000), ("first", 59000), ("second", 59000)):
        desk.order("BUY", "LIMIT", "0.010", price, id=name)
    queue = desk.exchange.books["BTCUSDT"].bids
    assert [order.request.client_order_id for order in queue] == ["first", "second", "low"]
    assert [order.request.client_order_id for order in queue.crossed_by(d(58500))] == ["first", "second"]
    desk.cancel("first")
    assert [order.request.client_order_id for order in queue] == ["second", "low"]
    assert len(queue) == 2


def test_an_empty_queue_has_no_best() -> None:
    queue = Queue(Side.BUY)
    assert queue.best is None
    assert queue.crossed_by(d(1)) == []


def test_the_bound_of_a_market_order_is_reckoned_from_the_trigger_where_there_is_no_mark() -> None:
    book = Book(BTC, shipped_contract("BTCUSDT"))
    book.last = d(60000)
    assert not book.bounded(Side.SELL, d(56000), None)
    assert book.bounded(Side.SELL, d(56000), d(56000))
    book.mark = d(60000)
    assert not book.bounded(Side.SELL, d(56000), d(56000))


def test_a_stop_far_from_the_open_of_its_candle_fills_all_the_same() -> None:
    desk = Desk(60000)
    desk.order("SELL", "STOP_MARKET", "0.010", stop=56000)
    assert fills(desk.candle(0, 60000, 60000, 55000, 55500)) == ["o1 0.01 @ 56000 taker"]


def test_another_symbols_book_is_its_own() -> None:
    desk = Desk(60000)
    desk.see(Point("COARSEUSDT", 1, d("9.5")))
    assert desk.exchange.books["BTCUSDT"].last_px == d(60000)
