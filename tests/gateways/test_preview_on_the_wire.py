"""What a preview shows is what the live gateway sends, name by name and value by value."""

from decimal import Decimal

import pytest

from runner.domain.commands import PlaceOrder
from runner.gateways.binance import wire
from runner.graph.preview import ALGO_ORDER, preview
from tests.gateways.test_dryrun_plans import DATED, WHOLE, Played

EXITS = """\
  - id: long
    bracket:
      side: BUY
      quantity: 0.010
      entry: {type: STOP, stop_price: 60500, limit_price: 60600}
      take_profit: [{price: 61000, portion: 50%, type: LIMIT}, {distance: 3R, portion: 50%, type: TAKE_PROFIT_MARKET}]
      stop_loss: {stop_price: 59000, limit_price: 58900}
"""
TRAILING = """\
  - {id: buy, unprotected: allow, entry: {side: BUY, quantity: 0.008, type: MARKET}}
  - id: trail
    working_type: MARK_PRICE
    after: {buy: first_fill}
    exit: {side: SELL, quantity: {filled: buy}, type: TRAILING_STOP_MARKET, callback_rate: 1%, activation_price: 61000}
"""
SLICES = """\
  - {id: buy, time_in_force: IOC, twap: {side: BUY, quantity: 0.010, slices: 3, every: 1s, type: LIMIT, price: 60100}}
"""
PLANS = {"whole": WHOLE, "dated": DATED, "exits": EXITS, "trailing": TRAILING, "slices": SLICES}


@pytest.mark.parametrize("steps", PLANS.values(), ids=PLANS)
def test_a_preview_shows_the_requests_that_are_sent(steps: str) -> None:
    played = Played(steps, 60000, 59900, 60000, 60550, 60550, 60400, 60400, 57900, 57900)
    shown = {order.node_id: order for order in preview(played.graph, 5, Decimal("0.0005"), {}).orders}
    first = [one for one in played.asked if isinstance(one, PlaceOrder) and one.revision == 0]
    assert {one.node_id for one in first} == set(shown)
    for command in first:
        request, planned = command.request, shown[command.node_id]
        conditional = request.order_type.conditional
        sent = wire.new_conditional(request) if conditional else wire.new_order(request)
        assert (planned.endpoint == ALGO_ORDER) is conditional
        assert set(sent) == set(planned.request) | set(planned.at_run_time), command.node_id
        known = {name: value.replace("<run>", played.run_id) for name, value in planned.request.items()}
        assert {name: sent[name] for name in known} == known
