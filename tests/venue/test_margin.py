"""What binds margin, what is free, and where a position is liquidated."""

from decimal import Decimal

import pytest

from runner.domain.values import EXACT, ZERO, Side
from runner.venue import margin
from runner.venue.terms import PositionSide
from tests.venue.desk import BTC, d
from tests.venue.ledger import BOTH, BUY, LONG, PLAIN, SELL, SHORT, Ledger, Marks


def free(ledger: Ledger, marks: Marks | None = None, asset: str = "USDT") -> Decimal:
    return margin.available(ledger.account, asset, marks or Marks())


def asked(ledger: Ledger, side: Side, qty: str | int, price: str | int, position_side: PositionSide = BOTH,
          marks: Marks | None = None, symbol: str = "BTCUSDT") -> int:
    """The code of the refusal, 0 without one."""
    lacking = margin.lacks_margin(
        ledger.account, symbol, position_side, side, d(qty), d(price), marks or Marks(),
    )
    return 0 if lacking is None else lacking[0]


@pytest.mark.parametrize(("position", "orders", "bound"), [
    ("0", [], "0"),
    ("1", [], "10"),
    ("-1", [], "10"),
    ("1", [(BUY, "1", 90)], "19"),
    ("1", [(SELL, "1", 110)], "10"),
    ("1", [(SELL, "3", 110)], "23"),
    ("-1", [(BUY, "1", 90)], "10"),
    ("-1", [(BUY, "3", 90)], "17"),
    ("0", [(BUY, "1", 90), (SELL, "1", 110)], "11"),
    ("0", [(BUY, "1", 105)], "15.5"),
    ("0", [(SELL, "1", 95)], "14.5"),
    ("0", [(BUY, "1", 105), (SELL, "1", 95)], "20.5"),
])
def test_the_worse_side_binds_and_what_would_lose_at_once_binds_its_loss(
    position: str, orders: list[tuple[Side, str, int]], bound: str,
) -> None:
    ledger, marks = Ledger(), Marks()
    ledger.account.endow(BTC, BOTH, d(position), d(100), 0)
    for side, qty, price in orders:
        ledger.rest(side, qty, price)
    assert free(ledger) == 1000 - d(bound)
    shown = margin.position_margin(ledger.account, "BTCUSDT", BOTH, marks)
    assert shown == abs(d(position)) * 10
    assert margin.order_margin(ledger.account, "BTCUSDT", BOTH, marks) == d(bound) - shown


def test_what_only_reduces_binds_nothing() -> None:
    ledger = Ledger()
    ledger.trade(BUY, 1, 100)
    ledger.rest(SELL, 9, 110, exits=True)
    assert free(ledger) == 990


def test_in_hedge_mode_each_side_binds_for_itself() -> None:
    ledger = Ledger().hedge()
    ledger.trade(BUY, 1, 100, LONG)
    ledger.trade(SELL, 2, 100, SHORT)
    ledger.rest(BUY, 1, 90, LONG)
    ledger.rest(SELL, 1, 110, LONG, exits=True)
    assert free(ledger) == 1000 - 10 - 20 - 9


def test_cross_profit_is_free_and_a_cross_loss_is_not() -> None:
    ledger = Ledger()
    ledger.trade(BUY, 10, 100)
    assert free(ledger, Marks(BTCUSDT=110)) == 1000 + 100 - 110
    assert free(ledger, Marks(BTCUSDT=50)) == 1000 - 500 - 50
    assert margin.withdrawable(ledger.account, "USDT", Marks(BTCUSDT=110)) == 890
    assert margin.withdrawable(ledger.account, "USDT", Marks(BTCUSDT=50)) == 450
    ledger.trade(BUY, 5, 50)
    assert margin.withdrawable(ledger.account, "USDT", Marks(BTCUSDT=1)) == ZERO


def test_an_isolated_position_binds_its_own_wallet_alone_and_its_orders_the_cross_wallet() -> None:
    ledger = Ledger().isolate()
    ledger.trade(BUY, 10, 100)
    assert free(ledger) == 900
    assert free(ledger, Marks(BTCUSDT=50)) == 900
    ledger.rest(BUY, 1, 90)
    assert free(ledger) == 891


def test_margin_is_reckoned_by_asset() -> None:
    ledger = Ledger()
    ledger.trade(BUY, 10, 100, symbol="BTCUSDC")
    ledger.rest(BUY, 1, 90, symbol="BTCUSDC")
    assert free(ledger) == 1000
    assert free(ledger, asset="USDC") == -109


def test_an_order_that_binds_more_than_is_free_is_refused() -> None:
    ledger = Ledger(100)
    assert asked(ledger, BUY, 10, 100) == 0
    assert asked(ledger, BUY, "10.001", 100) == -2019
    ledger.rest(BUY, 5, 90)
    assert asked(ledger, BUY, 5, 90) == 0
    assert asked(ledger, BUY, 6, 95) == -2019
    assert asked(ledger, SELL, 10, 100) == 0
    assert asked(ledger, SELL, 12, 100) == -2019


def test_an_order_that_would_lose_at_once_needs_its_loss_too() -> None:
    ledger = Ledger(100)
    assert asked(ledger, BUY, 6, 105) == 0
    assert asked(ledger, BUY, 7, 105) == -2019
    assert asked(ledger, SELL, 6, 95) == 0
    assert asked(ledger, SELL, 7, 95) == -2019


def test_an_order_that_closes_needs_no_margin_and_one_that_flips_only_for_the_rest() -> None:
    ledger = Ledger(100)
    ledger.trade(BUY, 10, 100)
    assert asked(ledger, SELL, 10, 100) == 0
    assert asked(ledger, SELL, 20, 100) == 0
    assert asked(ledger, SELL, 21, 100) == -2019
    assert asked(ledger, BUY, "0.001", 100) == -2019


def test_an_account_below_its_margin_may_still_do_what_binds_no_more() -> None:
    ledger = Ledger(100)
    ledger.trade(BUY, 10, 100)
    marks = Marks(BTCUSDT=95)
    assert free(ledger, marks) < ZERO
    assert asked(ledger, SELL, 10, 96, marks=marks) == 0
    assert asked(ledger, SELL, 10, 94, marks=marks) == 0
    assert asked(ledger, SELL, 21, 94, marks=marks) == -2019
    assert asked(ledger, BUY, "0.001", 90, marks=marks) == -2019


def test_what_other_symbols_bind_is_not_free() -> None:
    ledger = Ledger(100)
    ledger.trade(BUY, 5, 100, symbol="ALTUSDT")
    ledger.rest(BUY, 1, 90, symbol="ALTUSDT")
    assert asked(ledger, BUY, 4, 100) == 0
    assert asked(ledger, BUY, 5, 100) == -2019


def test_a_position_larger_than_the_leverage_allows_is_refused() -> None:
    ledger = Ledger(100_000)
    assert asked(ledger, BUY, 500, 100) == 0
    assert asked(ledger, BUY, "500.001", 100) == -2027
    ledger.trade(BUY, 300, 100)
    ledger.rest(BUY, 100, 100)
    assert asked(ledger, BUY, 100, 100) == 0
    assert asked(ledger, BUY, 101, 100) == -2027
    assert asked(ledger, SELL, 800, 100) == 0
    assert asked(ledger, SELL, 801, 100) == -2027
    assert asked(ledger, SELL, 1, 100, marks=Marks(BTCUSDT=300)) == 0


def test_an_amended_order_is_judged_without_its_former_self() -> None:
    ledger = Ledger(100)
    order = ledger.rest(BUY, 10, 95)
    account, marks = ledger.account, Marks()
    assert asked(ledger, BUY, 10, 100) == -2019
    assert margin.lacks_margin(account, "BTCUSDT", BOTH, BUY, d(10), d(100), marks, order) is None
    assert margin.lacks_margin(account, "BTCUSDT", BOTH, BUY, d("10.1"), d(100), marks, order) == margin.NO_MARGIN
    losing = ledger.rest(SELL, 1, 50)
    assert margin.lacks_margin(account, "BTCUSDT", BOTH, SELL, d(1), d(60), marks, losing) is None


@pytest.mark.parametrize(("side", "bid", "ask", "mark", "expected"), [
    (BUY, 99, 100, 98, "100.05"), (SELL, 99, 100, 98, "99"), (SELL, 99, 100, 101, "101"),
])
def test_an_order_without_a_limit_is_reckoned_at_binances_assumed_price(
    side: Side, bid: int, ask: int, mark: int, expected: str,
) -> None:
    assert margin.assumed_price(side, d(bid), d(ask), d(mark)) == d(expected)


def balanced(ledger: Ledger, price: Decimal, holdings: tuple[PositionSide, ...] = (BOTH,)) -> bool:
    """Whether at this mark the margin balance is exactly (to 1e-20) the maintenance margin."""
    marks = Marks()
    marks.marks["BTCUSDT"] = price
    account = ledger.account
    held = [account.holding("BTCUSDT", side) for side in holdings]
    if account.config("BTCUSDT").isolated:
        balance = held[0].isolated_wallet + held[0].unrealized(price)
    else:
        balance = margin.margin_balance(account, "USDT", marks)
        held = account.held("USDT")
    maintained = sum((margin.maintenance(each, marks) for each in held), ZERO)
    return abs(EXACT.subtract(balance, maintained)) < Decimal("1e-20")


@pytest.mark.parametrize(("side", "qty", "balance"), [
    (BUY, 20, 1000), (SELL, 20, 1000), (BUY, 60, 1000), (SELL, 95, 1000), (BUY, 105, 2000), (SELL, 400, 9000),
])
def test_at_the_liquidation_price_the_balance_is_the_maintenance_margin(side: Side, qty: int, balance: int) -> None:
    ledger = Ledger(balance)
    ledger.trade(side, qty, 100)
    price = margin.liquidation_price(ledger.account, "BTCUSDT", BOTH, Marks())
    assert (price < 100) is (side is BUY)
    assert balanced(ledger, price)


def test_the_liquidation_price_follows_the_published_formula() -> None:
    ledger = Ledger()
    ledger.trade(BUY, 20, 100)
    # (1000 + 0 - 20 x 100) / (20 x 0.01 - 20)
    assert margin.liquidation_price(ledger.account, "BTCUSDT", BOTH, Marks()) == EXACT.divide(d(-1000), d("-19.8"))


def test_other_cross_positions_move_the_liquidation_price() -> None:
    ledger = Ledger()
    ledger.trade(BUY, 20, 100)
    alone = margin.liquidation_price(ledger.account, "BTCUSDT", BOTH, Marks())
    ledger.trade(SELL, 5, 100, symbol="ALTUSDT")
    marks = Marks(ALTUSDT=120)
    worse = margin.liquidation_price(ledger.account, "BTCUSDT", BOTH, marks)
    # 1000 - 100 lost there - 6 maintenance there.
    assert worse == EXACT.divide(d(894 - 2000), d("-19.8"))
    assert worse > alone


def test_an_isolated_position_is_liquidated_by_its_own_wallet() -> None:
    ledger = Ledger().isolate()
    ledger.trade(BUY, 20, 100)
    ledger.trade(BUY, 5, 100, symbol="ALTUSDT")
    price = margin.liquidation_price(ledger.account, "BTCUSDT", BOTH, Marks(ALTUSDT=1))
    assert price == EXACT.divide(d(200 - 2000), d("-19.8"))
    assert balanced(ledger, price)


def test_both_sides_of_a_hedge_move_together() -> None:
    ledger = Ledger(100).hedge()
    ledger.trade(BUY, 20, 100, LONG)
    ledger.trade(SELL, 15, 100, SHORT)
    long = margin.liquidation_price(ledger.account, "BTCUSDT", LONG, Marks())
    assert long == margin.liquidation_price(ledger.account, "BTCUSDT", SHORT, Marks())
    assert balanced(ledger, long, (LONG, SHORT))


@pytest.mark.parametrize("qty", ["0", "5"])
def test_without_a_deadly_price_there_is_none(qty: str) -> None:
    ledger = Ledger()
    ledger.account.endow(BTC, BOTH, d(qty), d(100), 0)
    assert margin.liquidation_price(ledger.account, "BTCUSDT", BOTH, Marks()) == ZERO


def test_at_the_bankruptcy_price_nothing_is_left() -> None:
    ledger = Ledger(100)
    ledger.trade(SELL, 20, 100)
    marks = Marks(BTCUSDT=102)
    stake = margin.margin_balance(ledger.account, "USDT", marks)
    price = margin.bankruptcy_price(ledger.account.holding("BTCUSDT"), stake, d(102))
    assert price == 105
    ledger.trade(BUY, 20, str(price))
    assert ledger.wallet == ZERO


def test_maintenance_is_that_of_the_bracket_at_the_mark() -> None:
    ledger = Ledger()
    ledger.trade(BUY, 150, 100)
    held = ledger.account.holding("BTCUSDT")
    assert margin.maintenance(held, Marks()) == PLAIN.maintenance(d(15_000)) == d(350)
    assert margin.maintenance(held, Marks(), d(50)) == d(75)
    assert margin.maintenance(ledger.account.holding("ALTUSDT"), Marks()) == ZERO
