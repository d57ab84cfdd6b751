"""Computed prices: their direction and their rounding."""

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.domain.catalog import shipped_instruments
from runner.domain.sizes import Distance, DistanceKind
from runner.domain.values import OrderType, Rounding, Side
from runner.errors import InternalError
from runner.graph.model import FixedPrice
from runner.graph.prices import Anchor, exit_price, judged_price, planned_price, rounding_of, wire_callback
from runner.plan.model import OrderFields

BTC = shipped_instruments()["BTCUSDT"]


@pytest.mark.parametrize(("side", "profit", "level", "expected"), [
    (Side.SELL, False, Distance(DistanceKind.ABSOLUTE, D("100.05")), "59900.0"),  # a sell stop rounds up
    (Side.BUY, False, Distance(DistanceKind.ABSOLUTE, D("100.05")), "60100.0"),  # a buy stop rounds down
    (Side.SELL, True, Distance(DistanceKind.ABSOLUTE, D("100.05")), "60100.1"),  # a sell take-profit rounds up
    (Side.BUY, True, Distance(DistanceKind.ABSOLUTE, D("100.05")), "59899.9"),  # a buy take-profit rounds down
    (Side.SELL, False, Distance(DistanceKind.FRACTION, D("0.02")), "58800.0"),
    (Side.BUY, True, Distance(DistanceKind.FRACTION, D("0.02")), "58800.0"),
])
def test_distances_from_a_planned_price_become_prices(side: Side, profit: bool, level: Distance, expected: str) -> None:
    found = exit_price(level, side, profit=profit, anchor=Anchor("a.entry", D(60000)), stop=None, instrument=BTC)
    assert found == FixedPrice(D(expected))


def test_r_is_the_distance_to_the_stop_as_it_is_placed() -> None:
    anchor = Anchor("a.entry", D(60000))
    stop = exit_price(
        Distance(DistanceKind.ABSOLUTE, D("100.05")), Side.SELL, profit=False, anchor=anchor, stop=None, instrument=BTC,
    )
    target = exit_price(
        Distance(DistanceKind.RISK, D("1.5")), Side.SELL, profit=True, anchor=anchor, stop=stop, instrument=BTC,
    )
    assert target == FixedPrice(D("60150.0"))


@given(
    st.decimals("600", "4000000", places=1), st.decimals("0", "0.9", places=6), st.sampled_from(Side), st.booleans(),
)
def test_rounding_never_takes_less_profit_or_more_loss_than_was_asked(
    entry: D, fraction: D, side: Side, profit: bool,
) -> None:
    level = Distance(DistanceKind.FRACTION, fraction)
    found = exit_price(level, side, profit=profit, anchor=Anchor("a.entry", entry), stop=None, instrument=BTC)
    assert isinstance(found, FixedPrice)
    exact = entry + entry * fraction * (-side.sign if profit else side.sign)
    assert BTC.on_tick(found.price)
    assert abs(found.price - exact) < BTC.tick_size
    assert found.price >= exact if side is Side.SELL else found.price <= exact


def test_sells_round_up_and_buys_round_down() -> None:
    assert (rounding_of(Side.SELL), rounding_of(Side.BUY)) == (Rounding.UP, Rounding.DOWN)


def test_a_distance_that_the_checks_let_pass_without_an_anchor_is_a_bug_of_ours() -> None:
    level = Distance(DistanceKind.FRACTION, D("0.01"))
    with pytest.raises(InternalError):
        exit_price(level, Side.SELL, profit=True, anchor=None, stop=None, instrument=BTC)
    with pytest.raises(InternalError):
        exit_price(
            Distance(DistanceKind.RISK, D(1)), Side.SELL, profit=True, anchor=Anchor("a.entry", D(1)), stop=None,
            instrument=BTC,
        )


@pytest.mark.parametrize(("order", "planned", "judged"), [
    (OrderFields(OrderType.MARKET), None, None),
    (OrderFields(OrderType.LIMIT, price=D(5)), D(5), D(5)),
    (OrderFields(OrderType.LIMIT, price=Distance(DistanceKind.ABSOLUTE, D(5))), None, None),
    (OrderFields(OrderType.STOP, stop_price=D(5), limit_price=D(6)), D(5), D(6)),
    (OrderFields(OrderType.TAKE_PROFIT_MARKET, stop_price=D(5)), D(5), D(5)),
    (OrderFields(OrderType.TRAILING_STOP_MARKET, callback_rate=D("0.01"), activation_price=D(5)), None, None),
])
def test_planned_and_judged_prices_by_order_type(order: OrderFields, planned: D | None, judged: D | None) -> None:
    assert (planned_price(order), judged_price(order)) == (planned, judged)


def test_callback_rates_go_on_the_wire_in_percent() -> None:
    assert wire_callback(D("0.005")) == D("0.5")
    assert wire_callback(None) is None
