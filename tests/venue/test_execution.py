"""Orders of users that meet, self-trade prevention, conflicts of exits, hedge mode, and the exchange's own orders."""

from typing import Any

import pytest

from runner.domain.positions import Position
from runner.domain.values import Side, TimeInForce
from runner.venue.account import Account
from runner.venue.facts import AccountUpdate, OrderUpdate
from runner.venue.settings import Conflict, Rules
from runner.venue.terms import ExecutionType, Expiry, PositionSide, SelfTrade
from tests.venue.desk import Desk, code, d, fills, states

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT


def long(qty: str = "0.010") -> dict[str, Any]:
    return {"positions": (Position("BTCUSDT", d(qty), d(60000)),)}


def market() -> tuple[Desk, Account]:
    """A wide quote, inside of which there is room for users."""
    desk = Desk(quote=("59900", "1", "60100", "1"))
    return desk, desk.exchange.open_account("other")


def hedged(**settings: Any) -> Desk:
    desk = Desk(60000, **settings)
    desk.exchange.set_hedge_mode(desk.me, True, 0)
    return desk


# Meeting


def test_m1_a_taker_takes_a_users_better_price_first_and_both_are_told() -> None:
    desk, other = market()
    desk.order("SELL", "LIMIT", "0.004", 60050, by=other, id="rests")
    told = desk.order("BUY", "MARKET", "0.010", id="takes")
    assert fills(told) == ["takes 0.004 @ 60050 taker", "rests 0.004 @ 60050 maker", "takes 0.006 @ 60100 taker"]
    assert states(told) == ["takes NEW", "takes PARTIALLY_FILLED", "rests FILLED", "takes FILLED"]
    trades = [fact.fill for fact in told if isinstance(fact, OrderUpdate) and fact.fill is not None]
    assert trades[0].trade_id == trades[1].trade_id != trades[2].trade_id
    assert [fact.account for fact in told if isinstance(fact, AccountUpdate)] == ["me", "other", "me"]
    assert desk.held(by=other) == d("-0.004")
    assert desk.position == d("0.010")


def test_m1_at_an_equal_price_the_market_goes_first() -> None:
    desk, other = market()
    desk.order("SELL", "LIMIT", "0.004", 60100, by=other, id="rests")
    assert fills(desk.order("BUY", "MARKET", "1.001", by=desk.exchange.open_account("rich", d(10**6)))) == [
        "o2 1 @ 60100 taker", "o2 0.001 @ 60100 taker", "rests 0.001 @ 60100 maker",
    ]


def test_m1_users_are_taken_by_price_then_time_up_to_the_takers_limit() -> None:
    desk, other = market()
    for name, price in (("far", 60090), ("first", 60010), ("second", 60010), ("beyond", 60095)):
        desk.order("SELL", "LIMIT", "0.004", price, by=other, id=name)
    told = desk.order("BUY", "LIMIT", "0.020", 60090, id="b")
    assert [fill for fill in fills(told) if "maker" in fill] == [
        "first 0.004 @ 60010 maker", "second 0.004 @ 60010 maker", "far 0.004 @ 60090 maker",
    ]
    assert desk.state("b") == "PARTIALLY_FILLED 0.012"
    assert desk.state("beyond", other) == "NEW 0"


def test_m1_without_quotes_users_meet_at_the_last_price() -> None:
    desk = Desk(60000)
    other = desk.exchange.open_account("other")
    desk.order("SELL", "LIMIT", "0.004", 60000, by=other, id="rests")
    assert fills(desk.order("BUY", "LIMIT", "0.004", 60000)) == ["o2 0.004 @ 60000 taker", "rests 0.004 @ 60000 maker"]


def test_m1_a_post_only_order_does_not_take_a_user_and_a_fill_or_kill_counts_users() -> None:
    desk, other = market()
    desk.order("SELL", "LIMIT", "0.004", 60050, by=other)
    assert code(desk.order("BUY", "LIMIT", "0.004", 60050, time_in_force=TimeInForce.GTX)) == -5022
    assert code(desk.order("BUY", "LIMIT", "0.005", 60050, time_in_force=TimeInForce.FOK)) == -5021
    assert len(fills(desk.order("BUY", "LIMIT", "0.004", 60050, time_in_force=TimeInForce.FOK))) == 2


def test_what_a_taker_leaves_of_others_exits_is_told_in_the_order_in_which_it_met_them() -> None:
    desk, taker = market()
    users = [desk.exchange.open_account(f"user{number}") for number in range(8)]
    for user in users:
        desk.order("BUY", "MARKET", "0.010", by=user)
    for number, user in enumerate(users):
        desk.order("SELL", "LIMIT", "0.010", 60200, ro=True, by=user, id="exit")
        desk.order("SELL", "LIMIT", "0.010", 60000 + number, by=user, id="opener")
    told = desk.order("BUY", "LIMIT", "0.080", 60050, by=taker)
    ended = [fact.account for fact in told if isinstance(fact, OrderUpdate) and fact.expiry is Expiry.REDUCE_ONLY]
    assert ended == [user.name for user in users]


def test_m1_a_resting_exit_gives_no_more_than_its_position_and_then_ends() -> None:
    desk, other = market()
    desk.order("BUY", "MARKET", "0.003", by=other)
    desk.order("SELL", "LIMIT", "0.010", 60050, ro=True, by=other, id="exit")
    told = desk.order("BUY", "LIMIT", "0.010", 60060, id="b")
    assert fills(told) == ["b 0.003 @ 60050 taker", "exit 0.003 @ 60050 maker"]
    assert states(told)[-1] == "exit EXPIRED er4"
    assert desk.held(by=other) == 0
    assert desk.state("b") == "PARTIALLY_FILLED 0.003"


@pytest.mark.parametrize(("mode", "expected", "left"), [
    (SelfTrade.EXPIRE_MAKER, ["t NEW", "r EXPIRED_IN_MATCH er1", "t FILLED"], "0.010"),
    (SelfTrade.EXPIRE_TAKER, ["t NEW", "t EXPIRED_IN_MATCH er1"], "0"),
    (SelfTrade.EXPIRE_BOTH, ["t NEW", "r EXPIRED_IN_MATCH er1", "t EXPIRED_IN_MATCH er1"], "0"),
    (SelfTrade.NONE, ["t NEW", "t PARTIALLY_FILLED", "r FILLED", "t FILLED"], "0.006"),
])
def test_m2_orders_of_one_account_do_not_meet_unless_that_is_asked_for(
    mode: SelfTrade, expected: list[str], left: str,
) -> None:
    desk, _ = market()
    desk.order("SELL", "LIMIT", "0.004", 60050, id="r")
    assert states(desk.order("BUY", "MARKET", "0.010", id="t", self_trade=mode)) == expected
    assert desk.position == d(left)


def test_m2_an_immediate_order_says_so_and_keeps_what_it_filled() -> None:
    desk, other = market()
    desk.order("SELL", "LIMIT", "0.004", 60040, by=other)
    desk.order("SELL", "LIMIT", "0.004", 60050, id="r")
    told = desk.order(
        "BUY", "LIMIT", "0.010", 60060, id="t", time_in_force=TimeInForce.IOC, self_trade=SelfTrade.EXPIRE_TAKER,
    )
    assert states(told)[-1] == "t EXPIRED_IN_MATCH er3"
    assert desk.state("t") == "EXPIRED_IN_MATCH 0.004"
    assert desk.state("r") == "NEW 0"


def test_m2_a_fill_or_kill_order_trades_with_its_own_account() -> None:
    desk, _ = market()
    desk.order("SELL", "LIMIT", "0.004", 60050, id="r")
    told = desk.order("BUY", "LIMIT", "0.004", 60060, id="t", time_in_force=TimeInForce.FOK)
    assert fills(told) == ["t 0.004 @ 60050 taker", "r 0.004 @ 60050 maker"]
    assert len(desk.me.history.fills("BTCUSDT", 0)) == 2


def test_m2_an_exit_that_meets_its_own_opener_never_flips() -> None:
    desk, _ = market()
    desk.order("BUY", "MARKET", "0.004")
    desk.order("BUY", "LIMIT", "0.010", 60000, id="more")
    desk.order("SELL", "MARKET", "0.010", ro=True, self_trade=SelfTrade.NONE, id="out")
    assert desk.position >= 0


# Exits


@pytest.mark.parametrize(("rule", "expected"), [
    (Conflict.KNOCK_OUT, 0), (Conflict.REFUSE, -2022), (Conflict.REFUSE_MARGIN, -4118),
])
def test_o4_an_exit_at_market_meets_resting_exits_as_the_rule_says(rule: Conflict, expected: int) -> None:
    desk = Desk(60000, rules=Rules(conflict=rule), **long())
    desk.order("SELL", "LIMIT", "0.010", 61000, ro=True, id="rests")
    told = desk.order("SELL", "MARKET", "0.010", ro=True, id="m")
    if expected:
        assert code(told) == expected
        assert desk.state("rests") == "NEW 0"
    else:
        assert states(told) == ["m NEW", "m FILLED", "rests EXPIRED er4"]


@pytest.mark.parametrize(("rule", "reason"), [
    (Conflict.REFUSE, "ReduceOnly Order is rejected."),
    (Conflict.REFUSE_MARGIN, "ReduceOnly Order Failed. Please check your existing position and open orders."),
])
@pytest.mark.parametrize("more", [{"qty": "0.010", "ro": True}, {"close_position": True}])
def test_o4_a_triggered_exit_meets_the_same_conflict(rule: Conflict, reason: str, more: dict[str, Any]) -> None:
    desk = Desk(60000, rules=Rules(conflict=rule), **long())
    desk.order("SELL", "LIMIT", "0.010", 61000, ro=True)
    desk.order("SELL", "STOP_MARKET", stop=59000, id="stop", **more)
    assert states(desk.point(58900)) == ["~stop TRIGGERING", f"~stop REJECTED {reason}"]
    assert desk.position == d("0.010")


def test_o4_there_is_no_conflict_while_resting_exits_leave_room() -> None:
    desk = Desk(60000, rules=Rules(conflict=Conflict.REFUSE), **long())
    desk.order("SELL", "LIMIT", "0.009", 61000, ro=True)
    assert fills(desk.order("SELL", "MARKET", "0.001", ro=True)) == ["o2 0.001 @ 60000 taker"]


def test_o5_in_hedge_mode_both_sides_are_held_apart() -> None:
    desk = hedged()
    desk.order("BUY", "MARKET", "0.010", position_side=LONG)
    desk.order("SELL", "MARKET", "0.004", position_side=SHORT)
    assert (desk.held("LONG"), desk.held("SHORT"), desk.held("BOTH")) == (d("0.010"), d("-0.004"), d(0))


@pytest.mark.parametrize(("opens", "closes", "side"), [("BUY", "SELL", LONG), ("SELL", "BUY", SHORT)])
def test_o5_the_side_that_closes_is_reduce_only_without_saying_so(
    opens: str, closes: str, side: PositionSide,
) -> None:
    desk = hedged()
    assert code(desk.order(closes, "MARKET", "0.010", position_side=side)) == -2022
    desk.order(opens, "MARKET", "0.004", position_side=side)
    told = desk.order(closes, "MARKET", "0.010", position_side=side, id="out")
    assert fills(told) == ["out 0.004 @ 60000 taker"]
    assert states(told)[-1] == "out EXPIRED er4"
    assert desk.held(side) == 0


def test_o5_resting_exits_of_a_hedged_side_are_knocked_out_with_it() -> None:
    desk = hedged()
    desk.order("BUY", "MARKET", "0.004", position_side=LONG)
    desk.order("SELL", "MARKET", "0.004", position_side=SHORT)
    desk.order("SELL", "LIMIT", "0.004", 61000, position_side=LONG, id="profit")
    desk.order("BUY", "LIMIT", "0.004", 59000, position_side=SHORT, id="other")
    assert states(desk.order("SELL", "MARKET", "0.004", position_side=LONG))[-1] == "profit EXPIRED er4"
    assert desk.state("other") == "NEW 0"


def test_o5_a_hedged_exit_binds_no_margin_and_has_no_smallest_notional() -> None:
    desk = hedged(balance=d(130), leverage=5)
    desk.order("BUY", "MARKET", "0.010", position_side=LONG)
    assert states(desk.order("SELL", "LIMIT", "0.001", 60001, position_side=LONG, id="x")) == ["x NEW"]


# The exchange's own orders


def test_f1_a_forced_order_is_calculated_and_closes_only() -> None:
    desk = Desk(60000, **long())
    desk.exchange.venue.force(desk.me, "BTCUSDT", PositionSide.BOTH, Side.SELL, d("0.020"), "autoclose-1", 0)
    told = desk.exchange.drain()
    assert fills(told) == ["autoclose-1 0.01 @ 60000 taker"]
    assert [fact.execution for fact in told if isinstance(fact, OrderUpdate)] == [
        ExecutionType.NEW, ExecutionType.CALCULATED, ExecutionType.EXPIRED,
    ]
    assert all(fact.order.forced for fact in told if isinstance(fact, OrderUpdate))
    assert desk.position == 0


def test_f1_deleveraging_closes_at_the_mark_and_takes_the_exits_with_it() -> None:
    desk = Desk(60000, **long())
    desk.mark(59500)
    desk.order("SELL", "LIMIT", "0.010", 61000, ro=True, id="profit")
    desk.exchange.deleverage(desk.me, "BTCUSDT", PositionSide.BOTH, d("0.010"), 5)
    told = desk.exchange.drain()
    assert fills(told) == ["adl_autoclose-5 0.01 @ 59500 taker"]
    assert states(told)[-1] == "profit EXPIRED er4"


def test_f1_a_part_can_be_deleveraged() -> None:
    desk = Desk(60000, **long())
    desk.exchange.deleverage(desk.me, "BTCUSDT", PositionSide.BOTH, d("0.004"), 5)
    assert desk.position == d("0.006")


def test_f1_who_holds_nothing_cannot_be_closed() -> None:
    desk = Desk(60000)
    with pytest.raises(Exception, match="-2022"):
        desk.exchange.deleverage(desk.me, "BTCUSDT", PositionSide.BOTH, d(1), 5)
    with pytest.raises(Exception, match="-2022"):
        desk.exchange.close_by_hand(desk.me, "BTCUSDT", PositionSide.BOTH, d(1), 5)


def test_a_position_closed_by_hand_is_a_market_order_of_the_page() -> None:
    desk = Desk(60000, **long())
    desk.exchange.close_by_hand(desk.me, "BTCUSDT", PositionSide.BOTH, d("0.010"), 5)
    (new, *_) = desk.exchange.drain()
    assert isinstance(new, OrderUpdate)
    assert new.order.request.client_order_id.startswith("web_")
    assert desk.position == 0


def test_f2_a_price_that_is_deadly_liquidates_before_it_triggers_a_stop() -> None:
    desk = Desk(60000, balance=d(130), leverage=5, **long("0.010"))
    desk.order("SELL", "STOP_MARKET", "0.010", stop=59000, ro=True, id="stop")
    desk.order("SELL", "LIMIT", "0.010", 61000, ro=True, id="profit")
    told = desk.point(40000)
    assert states(told)[0] == "profit EXPIRED er5"
    assert desk.state("stop") == "EXPIRED 0"
    assert desk.position == 0


def test_cancel_for_takes_both_worlds_of_a_symbol() -> None:
    desk = Desk(60000)
    desk.order("BUY", "LIMIT", "0.010", 59000, id="limit")
    desk.order("BUY", "STOP_MARKET", "0.010", stop=61000, id="stop")
    desk.order("BUY", "LIMIT", 10, 9, symbol="COARSEUSDT", id="elsewhere")
    assert desk.exchange.venue.cancel_for(desk.me, "BTCUSDT", 0, Expiry.LIQUIDATION) == 2
    assert states(desk.exchange.drain()) == ["limit EXPIRED er5", "~stop EXPIRED Liquidation"]
    assert len(desk.exchange.open_orders(desk.me)) == 1


def test_part_of_a_resting_order_can_be_filled_as_by_a_trade_of_others() -> None:
    desk = Desk(60000)
    desk.order("BUY", "LIMIT", "0.010", 59000, id="limit")
    desk.exchange.fill_resting(desk.me, "BTCUSDT", "limit", d("0.003"), 1)
    assert fills(desk.exchange.drain()) == ["limit 0.003 @ 59000 maker"]
    assert desk.state("limit") == "PARTIALLY_FILLED 0.003"


@pytest.mark.parametrize(("kind", "price", "stop"), [("LIMIT", 59000, None), ("STOP_MARKET", None, 61000)])
def test_a_client_id_that_the_exchange_makes_is_no_users(kind: str, price: int | None, stop: int | None) -> None:
    desk = Desk(60000)
    desk.order("BUY", kind, "0.010", price, stop=stop, id="auto-2")
    (theirs,) = desk.exchange.open_orders(desk.me) or desk.exchange.open_conditionals(desk.me)
    place = desk.exchange.place if stop is None else desk.exchange.place_conditional
    made = place(desk.me, theirs.request.but(client_order_id=""), 0).request.client_order_id
    assert made != "auto-2"
    desk.exchange.drain()
    assert [states(desk.cancel(name))[0].split()[-1] for name in ("auto-2", made)] == ["CANCELED", "CANCELED"]
