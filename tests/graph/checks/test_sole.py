"""Where a stop may be of the whole position."""

import pytest

from tests.graph.plans import compiled, order

CLOSER = """\
  - id: long
    bracket:
      side: BUY
      quantity: 0.004
      entry: {type: LIMIT, price: 60000}
      stop_loss: {stop_price: 59000, close_position: true}
"""
LATER = "  - {id: again, after: {long: any}, bracket: {side: BUY, quantity: 0.004, entry: {type: LIMIT, price: 60000},"
GUARDED = """\
  - {id: buy, twap: {side: BUY, quantity: 0.010, slices: 3, every: 2s}}
  - id: guard
    after: {buy: first_fill}
    oco:
      side: SELL
      quantity: {filled: buy}
      take_profit: {price: 62000}
      stop_loss: {stop_price: 59000, close_position: true}
"""
HELD = """\
  - id: guard
    oco:
      side: SELL
      quantity: {position: 100%}
      take_profit: {price: 62000}
      stop_loss: {stop_price: 59000, close_position: true}
"""


@pytest.mark.parametrize("steps", [
    CLOSER,
    CLOSER + LATER + " stop_loss: {stop_price: 59000, close_position: true}}}\n",
    CLOSER + "  - {id: buy, after: {long: any}, entry: {side: BUY, quantity: 0.004, type: MARKET}}\n",
    CLOSER + "  - {id: eth, symbol: ETHUSDT, entry: {side: SELL, quantity: 0.040, type: MARKET}}\n",
    CLOSER + "  - {id: out, after: {long: filled}, exit: {side: SELL, quantity: {filled: long}, type: LIMIT,"
    " price: 61000}}\n",
    GUARDED, HELD,
], ids=["alone", "one after the other", "an entry after it", "another symbol", "an exit of its own", "guard", "held"])
def test_a_stop_of_the_whole_position_is_for_who_holds_it_alone(steps: str) -> None:
    stops = [node for node in compiled(steps).graph.nodes if getattr(node, "close_position", False)]
    assert stops


def test_only_the_stop_is_of_the_whole_position() -> None:
    graph = compiled(GUARDED).graph
    assert order(graph, "guard.stop_loss").close_position
    assert not order(graph, "guard.take_profit").close_position
