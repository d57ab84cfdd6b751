from decimal import Decimal

import pytest

from runner.cli.order_plan import Bracket, Exits, Oco, Order, Single, Twap, Typed, exits_only, plan_text
from runner.domain.catalog import shipped_instruments
from runner.domain.values import Side
from runner.graph.compile import compile_plan
from runner.plan.load import load_plan

BUY = Typed("BTCUSDT", Side.BUY, Decimal("0.002"))
SELL = Typed("BTCUSDT", Side.SELL, Decimal("0.002"))
EXITS = Exits(Decimal(62000), Decimal(59000), Decimal(58800))
SHORT_EXITS = Exits(Decimal(58000), Decimal(61000), None)
ORDERS = {
    "market": Single(BUY, "MARKET"),
    "market allowed": Single(BUY, "MARKET", unprotected=True),
    "market reduce-only": Single(SELL, "MARKET", reduce_only=True),
    "limit": Single(SELL, "LIMIT", {"price": Decimal(63000)}, time_in_force="GTX"),
    "limit reduce-only": Single(BUY, "LIMIT", {"price": Decimal(59000)}, reduce_only=True, unprotected=True),
    "stop-limit": Single(SELL, "STOP", {"stop_price": Decimal(59000), "limit_price": Decimal(58800)}),
    "oco": Oco(SELL, EXITS),
    "oco of a short": Oco(BUY, SHORT_EXITS),
    "bracket": Bracket(BUY, None, EXITS),
    "bracket, limit": Bracket(BUY, Decimal(60000), EXITS),
    "bracket without a target": Bracket(BUY, None, Exits(None, Decimal(59000), None)),
    "twap": Twap(Typed("BTCUSDT", Side.BUY, Decimal("0.010")), 3, 2000),
    "twap, limit": Twap(Typed("BTCUSDT", Side.BUY, Decimal("0.010")), 3, 1500, Decimal(60000), unprotected=True),
    "twap reduce-only": Twap(Typed("BTCUSDT", Side.SELL, Decimal("0.010")), 3, 2000, reduce_only=True),
}


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_every_order_makes_a_plan_that_compiles(order: Order) -> None:
    text = plan_text(order, Decimal(60000))
    plan = load_plan("order", text.encode(), {})
    compile_plan(plan, shipped_instruments())
    (step,) = plan.steps
    assert step.symbol == order.typed.symbol
    assert step.unprotected_allowed == ("allow" in text)


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_an_order_that_only_closes_is_given_exactly_the_position_that_it_closes(order: Order) -> None:
    held = load_plan("order", plan_text(order, Decimal(60000)).encode(), {}).dryrun.positions
    if not exits_only(order):
        assert held == ()
        return
    (position,) = held
    assert position.qty == order.typed.qty * -order.typed.side.sign
    assert position.entry_px == 60000


def test_the_text_is_as_a_person_would_write_it() -> None:
    assert plan_text(Oco(SELL, EXITS), Decimal("60500.0")) == (
        "version: 1\n"
        "name: order-oco\n"
        "dryrun:\n"
        "  positions:\n"
        "    BTCUSDT: {quantity: 0.002, entry_price: 60500.0}\n"
        "steps:\n"
        "  - id: oco\n"
        "    symbol: BTCUSDT\n"
        "    oco:\n"
        "      side: SELL\n"
        "      quantity: 0.002\n"
        "      take_profit: {price: 62000}\n"
        "      stop_loss: {stop_price: 59000, limit_price: 58800}\n"
    )
