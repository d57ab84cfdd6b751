"""What is judged at arrival besides the filters: the mode of the positions, the symbol's status, a mere test."""

import pytest

from runner.domain.positions import Position
from runner.domain.values import OrderType, Side
from runner.venue.refusals import Refusal
from runner.venue.requests import NewOrder
from runner.venue.terms import PositionSide
from tests.venue.desk import BTC, Desk, code, d, states


@pytest.mark.parametrize(("hedge", "side", "expected"), [
    (False, "BOTH", 0), (False, "LONG", -4061), (False, "SHORT", -4061),
    (True, "BOTH", -4061), (True, "LONG", 0), (True, "SHORT", -2022),
])
@pytest.mark.parametrize("kind", ["MARKET", "STOP_MARKET"])
def test_a6_the_position_side_has_to_fit_the_mode(hedge: bool, side: str, expected: int, kind: str) -> None:
    desk = Desk(60000)
    if hedge:
        desk.exchange.set_hedge_mode(desk.me, True, 0)
    told = desk.order(
        "BUY", kind, "0.010", stop=61000 if kind == "STOP_MARKET" else None, position_side=PositionSide(side),
    )
    if expected == -2022 and kind == "STOP_MARKET":
        expected = 0  # judged at its trigger
    assert (code(told) == expected) if expected else states(told)


def test_a6_reduce_only_is_not_sent_in_hedge_mode() -> None:
    desk = Desk(60000)
    desk.exchange.set_hedge_mode(desk.me, True, 0)
    assert code(desk.order("SELL", "MARKET", "0.010", ro=True, position_side=PositionSide.LONG)) == -1106


@pytest.mark.parametrize(("status", "opening", "closing"), [
    ("TRADING", 0, 0), ("PRE_SETTLE", -4140, 0), ("PRE_DELIVERING", -4140, 0), ("PENDING_TRADING", -4140, -4140),
    ("TRADING_HALT", -1122, -1122), ("TRADING_CANCEL_ONLY", -1122, -1122), ("CLOSE", -4141, -4141),
    ("SETTLING", -4141, -4141),
])
def test_a8_the_status_of_the_symbol_decides_what_it_takes(status: str, opening: int, closing: int) -> None:
    desk = Desk(
        60000, instruments=[BTC.but(status=status)], positions=(Position("BTCUSDT", d("0.010"), d(60000)),),
    )
    for kind, stop in (("MARKET", None), ("STOP_MARKET", 59000)):
        told = desk.order("SELL", kind, "0.002", stop=stop)
        assert (code(told) == opening) if opening else states(told)
        told = desk.order("SELL", kind, "0.002", stop=stop, ro=True)
        assert (code(told) == closing) if closing else states(told)


def test_a_test_is_judged_and_leaves_no_trace() -> None:
    desk = Desk(60000)
    good = NewOrder("BTCUSDT", Side.BUY, OrderType.MARKET, d("0.010"), "t")
    desk.exchange.test(desk.me, good, 0)
    assert desk.exchange.drain() == []
    assert desk.position == 0
    with pytest.raises(Refusal, match="-4003"):
        desk.exchange.test(desk.me, good.but(quantity=d(0)), 0)
    assert desk.exchange.place(desk.me, good, 0).order_id == 1


def test_a_market_order_has_no_time_in_force() -> None:
    desk = Desk(60000)
    request = NewOrder("BTCUSDT", Side.BUY, OrderType.LIMIT, d("0.010"), "t", price=d(59000))
    desk.exchange.place(desk.me, request, 0)
    for wrong in (request.but(trigger_price=d(61000)), request.but(close_position=True)):
        with pytest.raises(Refusal, match="-1106"):
            desk.exchange.place(desk.me, wrong.but(client_order_id="u"), 0)


def test_accounts_are_apart() -> None:
    desk = Desk(60000)
    other = desk.exchange.open_account("other", d(500))
    desk.order("BUY", "LIMIT", "0.010", 59000, id="same")
    assert states(desk.order("BUY", "LIMIT", "0.010", 59000, id="same", by=other)) == ["same NEW"]
    assert desk.exchange.cancel_all(desk.me, "BTCUSDT", 0) == 1
    assert len(desk.exchange.open_orders(other)) == 1
    assert (other.wallet(), desk.me.wallet()) == (d(500), d(10000))
    with pytest.raises(ValueError, match="there is an account other already"):
        desk.exchange.open_account("other")
