"""Sizes that are right at the very edge; the wrong ones are in the corpus."""

import pytest

from tests.graph.plans import compiled


@pytest.mark.parametrize("body", [
    "entry: {side: BUY, quantity: 0.001, type: LIMIT, price: 50000}",  # worth exactly 50
    "entry: {side: BUY, quantity: 120, type: MARKET}",
    "entry: {side: BUY, quantity: 1000, type: LIMIT, price: 60000}",
    "entry: {side: BUY, notional: 50, type: MARKET}",
    "entry: {side: BUY, quantity: 0.0040, type: MARKET}",
    "exit: {side: SELL, quantity: 0.001, type: LIMIT, price: 1000}",  # exits are exempt from the notional
    "twap: {side: BUY, quantity: 0.009, slices: 9, every: 2s}",
    "twap: {side: BUY, quantity: 0.030, slices: 30, every: 2s}",
    "twap: {side: SELL, quantity: 0.003, slices: 3, every: 2s, type: LIMIT, price: 1000, reduce_only: true}",
    "twap: {side: BUY, equity: 10%, slices: 1000, every: 2s}",  # not known before the run
    "twap: {side: BUY, notional: 100, slices: 2, every: 2s}",
    ("bracket: {side: BUY, quantity: 0.002, entry: {type: MARKET}, stop_loss: {stop_price: 59000}, take_profit:"
    " [{price: 61000, portion: 50%}, {price: 62000, portion: 50%}]}"),
    ("bracket: {side: BUY, quantity: 500, entry: {type: LIMIT, price: 60000},"
    " stop_loss: {stop_price: 59000, limit_price: 58000}}"),  # a limited stop may close it
    "oco: {side: SELL, quantity: {position: 50%}, take_profit: {price: 61000}, stop_loss: {stop_price: 59000}}",
])
def test_the_edge_is_allowed(body: str) -> None:
    compiled(f"  - {{id: a, {body}}}\n")
