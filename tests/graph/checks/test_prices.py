"""Prices that are right at the very edge; the wrong ones are in the corpus."""

import pytest

from tests.graph.plans import compiled

LONG = "  - {id: long, entry: {side: BUY, quantity: 0.004, type: LIMIT, price: 60000}}\n"


@pytest.mark.parametrize("body", [
    "entry: {side: BUY, quantity: 1, type: LIMIT, price: 556.8}",
    "entry: {side: BUY, quantity: 0.001, type: LIMIT, price: 4529764}",
    "entry: {side: BUY, quantity: 0.004, type: LIMIT, price: 60000.10}",
    "entry: {side: BUY, quantity: 0.004, type: STOP, stop_price: 60000, limit_price: 60000}",
    "exit: {side: SELL, quantity: 0.004, type: STOP, stop_price: 60000, limit_price: 60000}",
    "exit: {side: SELL, quantity: 0.004, type: TAKE_PROFIT, stop_price: 60000, limit_price: 60100}",  # may rest
    "entry: {side: BUY, quantity: 0.004, type: LIMIT, distance: 99%}",
    "entry: {side: SELL, quantity: 0.004, type: LIMIT, distance: 150%}",
    "bracket: {side: BUY, quantity: 0.004, entry: {type: LIMIT, price: 60000}, stop_loss: {stop_price: 59999.9}}",
    "bracket: {side: SELL, quantity: 0.004, entry: {type: LIMIT, price: 60000}, stop_loss: {distance: 150%}}",
    "bracket: {side: BUY, quantity: 0.004, entry: {type: MARKET}, stop_loss: {distance: 99%}}",
    "bracket: {side: BUY, quantity: 0.004, entry: {type: MARKET}, stop_loss: {distance: 1%, limit_price: 59000}}",
])
def test_the_edge_is_allowed(body: str) -> None:
    compiled(f"  - {{id: a, {body}}}\n")


def test_a_later_oco_may_lock_a_profit_in_above_the_entry() -> None:
    compiled(LONG + (
        "  - id: guard\n    after: {long: first_fill}\n    when: {price: {above: 61000}}\n"
        "    oco: {side: SELL, quantity: {filled: long}, take_profit: {price: 62000}, stop_loss: {stop_price: 60500}}\n"
    ))


def test_an_oco_of_a_filled_step_may_count_from_its_entry() -> None:
    compiled(LONG + (
        "  - id: guard\n    after: long\n"
        "    oco: {side: SELL, quantity: {filled: long}, take_profit: {distance: 2R}, stop_loss: {distance: 150}}\n"
    ))
