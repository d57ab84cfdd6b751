"""Where an invented market starts."""

from decimal import Decimal as D

import pytest

from runner.graph.reference import reference_price
from tests.graph.plans import BRACKET, plan

RANDOM = "version: 1\nname: x\ndefaults: {symbol: BTCUSDT}\ndryrun: {market: {random: {start: 50000}}}\n"
WAIT = "  - {id: a, wait: {}, when: {delay: 1s}}\n"


def _price(steps: str, symbol: str = "BTCUSDT") -> str:
    found = reference_price(plan(steps), symbol, None)
    return "" if found is None else f"{found.price.normalize():f}"


def test_the_price_given_comes_first_and_the_plans_own_start_second() -> None:
    read = plan(BRACKET, RANDOM)
    given = reference_price(read, "BTCUSDT", D("58000.0"))
    assert given is not None
    assert (given.price, given.why) == (D(58000), "--price BTCUSDT=58000")
    start = reference_price(read, "BTCUSDT", None)
    assert start is not None
    assert (start.price, start.why) == (D(50000), "the plan's random.start 50000")


def test_the_shipped_price_comes_last_with_its_date_and_only_for_btcusdt() -> None:
    shipped = reference_price(plan(WAIT), "BTCUSDT", None)
    assert shipped is not None
    assert (shipped.price, shipped.why) == (D("61659.80"), "the last trade of BTCUSDT on 2024-08-08")
    assert reference_price(plan(WAIT), "ETHUSDT", None) is None


@pytest.mark.parametrize(("body", "expected"), [
    # midway between stop and nearest target
    (("bracket: {side: BUY, quantity: 0.004, entry: {type: MARKET}, stop_loss: {stop_price: 59000}, take_profit:"
     " [{price: 62000, portion: 50%}, {price: 60000, portion: 50%}]}"), "59500"),
    ("oco: {side: BUY, quantity: 0.004, take_profit: {price: 59000}, stop_loss: {stop_price: 62000}}", "60500"),
    # an entry that the middle would trigger
    (("bracket: {side: BUY, quantity: 0.004, entry: {type: STOP_MARKET, stop_price: 60000},"
     " stop_loss: {stop_price: 59000}, take_profit: {price: 63000}}"), "59500"),
    # lone limits, stops and take-profits
    ("bracket: {side: BUY, quantity: 0.004, entry: {type: LIMIT, price: 60000}, stop_loss: {distance: 1%}}", "60000"),
    ("entry: {side: SELL, quantity: 0.004, type: LIMIT, price: 61000}", "61000"),
    ("entry: {side: BUY, quantity: 0.004, type: STOP_MARKET, stop_price: 60000}", "59400"),
    ("exit: {side: SELL, quantity: 0.004, type: STOP, stop_price: 59000, limit_price: 58800}", "59590"),
    ("exit: {side: SELL, quantity: 0.004, type: TAKE_PROFIT_MARKET, stop_price: 60000}", "59400"),
    ("entry: {side: BUY, quantity: 0.004, type: TAKE_PROFIT_MARKET, stop_price: 60000}", "60600"),
    ("twap: {side: BUY, quantity: 0.009, slices: 3, every: 1s, type: LIMIT, price: 59500}", "59500"),
    ("entry: {side: BUY, quantity: 0.004, type: TRAILING_STOP_MARKET, callback_rate: 1%}", "61659.8"),
    ("entry: {side: BUY, quantity: 0.004, type: LIMIT, distance: 1%}", "61659.8"),
])
def test_a_price_between_the_plans_own_levels(body: str, expected: str) -> None:
    assert _price(f"  - {{id: a, {body}}}\n") == expected


def test_triggers_of_different_steps_bound_the_market_together() -> None:
    assert _price(
        "  - {id: a, exit: {side: SELL, quantity: 0.004, type: STOP_MARKET, stop_price: 59000}}\n"
        "  - {id: b, exit: {side: SELL, quantity: 0.004, type: TAKE_PROFIT_MARKET, stop_price: 62000}}\n"
    ) == "60500"


def test_the_levels_of_another_symbol_do_not_count() -> None:
    assert _price(BRACKET, "ETHUSDT") == ""
