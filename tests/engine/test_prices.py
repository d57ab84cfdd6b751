"""Prices of orders: explicit as they are, computed ones on the tick, on the side that never harms."""

import pytest

from runner.domain.orders import OrderStatus
from runner.domain.reports import OrderReport
from tests.engine.paper import Paper


def bracket(side: str, entry: str, take_profit: str, stop: str, **more: str) -> Paper:
    return Paper(
        f"  - id: a\n    bracket:\n      side: {side}\n      quantity: 0.004\n      entry: {{{entry}}}\n"
        f"      take_profit: {{{take_profit}}}\n      stop_loss: {{{stop}}}\n", **more,  # type: ignore[arg-type]
    )


def exits(paper: Paper) -> dict[str, str]:
    """Leg to its prices, of what is placed."""
    found = {}
    for line in paper.said():
        words = line.split()
        if words[0] == "place" and "entry" not in words[1]:
            found[words[1]] = " ".join(word for word in words if word.startswith("@"))
    return found


@pytest.mark.parametrize(("side", "px", "stop", "profit"), [
    # average 60,000.17; 1 % is 600.0017: the sell stop at 59,400.1683 rounds up, the target at 60,600.1717 up
    ("BUY", "60000.17", "@59400.2", "@60600.2 @60600.2"),
    # a short: the buy stop at 60,600.1717 rounds down, the target at 59,400.1683 down
    ("SELL", "60000.17", "@60600.1", "@59400.1 @59400.1"),
])
def test_computed_prices_round_so_that_a_stop_never_loses_more_and_a_target_never_takes_less(
    side: str, px: str, stop: str, profit: str,
) -> None:
    paper = bracket(side, "type: MARKET", "distance: 1%", "distance: 1%")
    paper.fill("a.entry#0", "0.004", px)
    assert exits(paper) == {"a.stop_loss#0": stop, "a.take_profit#0": profit}


def test_distances_count_from_a_limit_entrys_own_price_however_it_fills() -> None:
    paper = bracket("BUY", "type: LIMIT, price: 60000", "distance: 2R", "distance: 500")
    paper.fill("a.entry#0", "0.004", "59900")
    assert exits(paper) == {"a.stop_loss#0": "@59500", "a.take_profit#0": "@61000 @61000"}


def test_distances_count_from_a_stop_entrys_trigger() -> None:
    paper = bracket("BUY", "type: STOP_MARKET, stop_price: 60500", "distance: 1%", "distance: 500")
    paper.fill("a.entry#0", "0.004", "60510")
    assert exits(paper) == {"a.stop_loss#0": "@60000", "a.take_profit#0": "@61105 @61105"}


def test_distances_of_a_market_entry_count_from_the_average_of_its_first_fill_report_then_fixed() -> None:
    paper = bracket("BUY", "type: MARKET", "distance: 2R", "distance: 500")
    paper.fill("a.entry#0", "0.002", "60010")
    assert exits(paper) == {"a.stop_loss#0": "@59510", "a.take_profit#0": "@61010 @61010"}
    paper.fill("a.entry#0", "0.002", "60100")
    assert exits(paper) == {"a.stop_loss#1": "@59510"} or exits(paper) == {}
    paper.accept("a.stop_loss#0", "a.take_profit#0")
    assert exits(paper) == {"a.stop_loss#1": "@59510"}


def test_a_target_in_r_measures_the_explicit_stop_from_the_fill() -> None:
    paper = bracket("BUY", "type: MARKET", "distance: 2R", "stop_price: 59000")
    paper.fill("a.entry#0", "0.004", "60100")
    assert exits(paper) == {"a.stop_loss#0": "@59000", "a.take_profit#0": "@62300 @62300"}


def test_a_limit_by_distance_lies_on_the_passive_side_of_the_mark_when_it_is_sent() -> None:
    paper = Paper("  - id: b\n    entry: {side: BUY, quantity: 0.004, type: LIMIT, distance: 1%}\n", price="60000.1")
    assert paper.said() == ["place b.entry#0 LIMIT BUY 0.004 @59400"]  # 59,400.099 down
    paper = Paper("  - id: s\n    entry: {side: SELL, quantity: 0.004, type: LIMIT, "
                  "distance: 0.333%}\n", price="60000.1")
    assert paper.said() == ["place s.entry#0 LIMIT SELL 0.004 @60200"]  # 60,199.9003… up


def test_a_first_fill_without_a_price_is_queried_at_once_and_its_mark_stands_in_after_500_ms() -> None:
    paper = bracket("BUY", "type: MARKET", "distance: 1000", "distance: 500")
    paper.said()
    paper.report("a.entry#0", OrderStatus.FILLED, filled="0.004")
    assert paper.said() == ["query a.entry#0"]
    assert paper.timers["price:a.entry"] - paper.now_ms == 500
    paper.price = paper.price + 77  # later marks do not count
    paper.fire("price:a.entry")
    assert exits(paper) == {"a.stop_loss#0": "@59500"}, "a target waits for the true price"
    paper.accept("a.stop_loss#0")
    assert paper.said() == []
    # the price comes: the stop is replaced once, new before old, and the target goes out
    paper.report("a.entry#0", OrderStatus.FILLED, filled="0.004", px="60020")
    assert paper.said() == [
        "place a.stop_loss#1 STOP_MARKET SELL 0.004 @59520 reduce-only",
        "place a.take_profit#0 TAKE_PROFIT SELL 0.004 @61020 @61020 reduce-only",
    ]
    paper.accept("a.stop_loss#1")
    assert paper.said() == ["cancel a.stop_loss#0"]
    paper.cancelled("a.stop_loss#0")
    paper.report("a.entry#0", OrderStatus.FILLED, filled="0.004", px="60030")
    assert paper.said() == [], "fixed from the first price on"


def test_a_price_that_comes_within_the_500_ms_leaves_nothing_to_stand_in() -> None:
    paper = bracket("BUY", "type: MARKET", "distance: 1000", "distance: 500")
    paper.report("a.entry#0", OrderStatus.FILLED, filled="0.004")
    paper.report("a.entry#0", OrderStatus.FILLED, filled="0.004", px="60020")
    assert exits(paper) == {"a.stop_loss#0": "@59520", "a.take_profit#0": "@61020 @61020"}
    paper.accept("a.stop_loss#0", "a.take_profit#0")
    paper.fire("price:a.entry")
    assert paper.said() == []


def test_a_fill_without_price_or_mark_takes_the_mark_that_was_last_observed() -> None:
    paper = bracket("BUY", "type: MARKET", "distance: 1000", "distance: 500")
    name = paper.names["a.entry#0"]
    paper.give(OrderReport(paper.now_ms, "BTCUSDT", name, "X", OrderStatus.FILLED, paper.sent[name].quantity))
    paper.said()
    paper.fire("price:a.entry")
    assert exits(paper) == {"a.stop_loss#0": "@59500"}


def test_an_explicit_stop_does_not_wait_for_a_price() -> None:
    paper = bracket("BUY", "type: MARKET", "price: 62000", "stop_price: 59000")
    paper.report("a.entry#0", OrderStatus.FILLED, filled="0.004")
    assert exits(paper) == {"a.stop_loss#0": "@59000", "a.take_profit#0": "@62000 @62000"}


def test_a_trailing_stop_carries_its_callback_and_activation() -> None:
    paper = Paper(
        "  - id: x\n    exit: {side: SELL, quantity: 0.004, type: TRAILING_STOP_MARKET, callback_rate: 0.5%, "
        "activation_price: 61000}\n", positions={"BTCUSDT": "0.004"},
    )
    (request,) = paper.sent.values()
    assert str(request.callback_rate.normalize()) == "0.5"  # type: ignore[union-attr]
    assert str(request.activation_price) == "61000"
    assert request.trigger_price is None


def test_a_computed_price_never_goes_below_one_tick() -> None:
    paper = bracket("SELL", "type: MARKET", "distance: 70000", "distance: 500")
    paper.fill("a.entry#0", "0.004")
    assert exits(paper)["a.take_profit#0"] == "@0.1 @0.1"


def test_distances_of_a_market_twap_count_from_the_first_slice_that_is_filled() -> None:
    paper = Paper(
        "  - id: t\n    twap: {side: BUY, quantity: 0.004, slices: 2, every: 2s}\n"
        "  - id: g\n    after: {t: first_fill}\n    oco: {side: SELL, quantity: {filled: t}, "
        "take_profit: {distance: 2R}, stop_loss: {distance: 500}}\n",
    )
    paper.reject("t.slice.1#0", -2019)
    paper.fire("edge:1")
    paper.said()
    paper.fill("t.slice.2#0", "0.004", "60100")
    assert exits(paper) == {"g.stop_loss#0": "@59600", "g.take_profit#0": "@61100 @61100"}
