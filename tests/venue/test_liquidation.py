"""Margin calls and liquidations, on the whole exchange."""

from decimal import Decimal
from typing import Any

import pytest

from runner.domain.positions import Position
from runner.domain.values import ZERO
from runner.venue.contracts import Contract
from runner.venue.facts import AccountUpdate, MarginCalled, OrderUpdate
from runner.venue.liquidation import Liquidator
from runner.venue.market import Mark, Point
from runner.venue.settings import Slippage
from runner.venue.terms import ExecutionType, IncomeType, MarginType, PositionSide, Reason
from tests.venue.desk import BTC, Desk, Told, d, fills, states
from tests.venue.ledger import ALT, PLAIN, USDC

FREE = {"maker_fee": ZERO, "taker_fee": ZERO}


def desk(balance: int = 1000, *, isolated: bool = False, **settings: Any) -> Desk:
    """BTCUSDT, ALTUSDT and BTCUSDC at 60000, 10x, without fees; maintenance is 1 % up to 10000."""
    instruments = (BTC, ALT, USDC)
    contracts: dict[str, Contract] = {each.symbol: PLAIN for each in instruments}
    settings = {"balance": d(balance), "leverage": 10, "contracts": contracts, **FREE, **settings}
    made = Desk(60000, instruments=instruments, **settings)
    for symbol in ("ALTUSDT", "BTCUSDC"):
        made.exchange.begin(Point(symbol, 0, d(60000)))
    if isolated:
        made.exchange.set_margin_type(made.me, "BTCUSDT", MarginType.ISOLATED, 0)
        made.exchange.drain()
    return made


def calls(told: Told) -> list[MarginCalled]:
    return [fact for fact in told if isinstance(fact, MarginCalled)]


def cleared(told: Told) -> list[Decimal]:
    """What went between the account and the insurance fund."""
    return [
        fact.balances[0].change for fact in told
        if isinstance(fact, AccountUpdate) and fact.reason is Reason.INSURANCE_CLEAR
    ]


def forced(told: Told) -> list[str]:
    """The exchange's own executions, like `autoclose- 0.15 @ 50000`."""
    return [
        f"{fact.order.request.client_order_id.partition('-')[0]}- {fact.fill.qty} @ {fact.fill.price}"
        for fact in told
        if isinstance(fact, OrderUpdate) and fact.order.forced and fact.fill is not None
    ]


def books_balance(made: Desk, asset: str = "USDT") -> bool:
    rows = made.me.history.income(made.now, limit=10_000)
    return made.me.wallet(asset) == sum((row.amount for row in rows if row.asset == asset), ZERO)


def test_a_margin_call_is_told_once_until_the_account_has_recovered() -> None:
    made = desk()
    made.order("BUY", "MARKET", "0.15")
    assert not calls(made.point(54010))
    (call,) = calls(made.point(54008))
    assert call.cross_wallet == d(1000)
    state, mark, maintained = call.positions[0]
    assert (state.qty, mark, maintained) == (d("0.15"), d(54008), d("81.012"))
    assert not calls(made.point(54000))
    assert not calls(made.point(54200))
    assert len(calls(made.point(54000))) == 1


def test_a_cross_account_is_liquidated_where_its_balance_meets_the_maintenance_margin() -> None:
    made = desk()
    made.order("BUY", "MARKET", "0.15")
    assert forced(made.point("53872.1")) == []
    told = made.point("53872.0")
    assert forced(told) == ["autoclose- 0.15 @ 53872.0"]
    assert made.position == ZERO
    # 1000 - 919.2 is left, less than the fee of 0.0125 x 8080.8.
    assert cleared(told) == [d("-80.8")]
    assert made.wallet == ZERO
    assert made.exchange.insurance == d("80.8")
    assert books_balance(made)


def test_the_fee_of_liquidation_is_taken_of_what_is_left() -> None:
    made = desk(contracts={"BTCUSDT": Contract(PLAIN.brackets, liquidation_fee=d("0.001"))})
    made.order("BUY", "MARKET", "0.15")
    made.point("53872.0")
    assert made.wallet == d("80.8") - d("8.0808")
    assert made.exchange.insurance == d("8.0808")
    row = made.me.history.income(made.now, kind=IncomeType.INSURANCE_CLEAR)[0]
    assert (row.amount, row.symbol) == (d("-8.0808"), "BTCUSDT")


@pytest.mark.parametrize(("side", "gap", "missing"), [("BUY", 50000, 500), ("SELL", 70000, 500)])
def test_what_a_gap_takes_below_zero_the_insurance_fund_pays(side: str, gap: int, missing: int) -> None:
    made = desk()
    made.order(side, "MARKET", "0.15")
    told = made.point(gap)
    assert cleared(told) == [missing]
    assert made.wallet == ZERO
    assert made.exchange.insurance == -missing
    assert books_balance(made)


def test_all_open_orders_end_before_the_position_is_closed() -> None:
    made = desk()
    made.order("BUY", "MARKET", "0.15", id="in")
    made.order("SELL", "LIMIT", "0.15", 62000, ro=True, id="tp")
    made.order("BUY", "LIMIT", "0.001", 59000, id="more", symbol="ALTUSDT")
    made.order("SELL", "STOP_MARKET", "0.15", stop=50000, ro=True, id="sl")
    made.order("BUY", "STOP_MARKET", "0.15", stop=70000, id="usdc", symbol="BTCUSDC")
    told = made.point(53000)
    client_id = f"autoclose-{made.now}000001"
    assert states(told) == [
        "tp EXPIRED er5", "more EXPIRED er5", "~sl EXPIRED Liquidation", "~usdc EXPIRED Liquidation",
        f"{client_id} NEW", f"{client_id} FILLED",
    ]
    kinds = [fact.execution for fact in told if isinstance(fact, OrderUpdate)][-2:]
    assert kinds == [ExecutionType.NEW, ExecutionType.CALCULATED]
    reasons = [fact.reason for fact in told if isinstance(fact, AccountUpdate)]
    assert reasons == [Reason.ORDER, Reason.INSURANCE_CLEAR]


def test_an_isolated_position_is_liquidated_by_itself() -> None:
    made = desk(5000, isolated=True)
    made.order("BUY", "MARKET", "0.15")
    made.order("BUY", "LIMIT", "0.01", 59000, symbol="ALTUSDT", id="other")
    made.order("BUY", "LIMIT", "0.01", 50000, id="own")
    # 900 + 0.15 x (p - 60000) = 0.0015 p
    assert forced(made.point("54545.5")) == []
    told = made.point("54545.4")
    assert forced(told) == ["autoclose- 0.15 @ 54545.4"]
    assert "own EXPIRED er5" in states(told)
    assert [order.request.client_order_id for order in made.exchange.open_orders(made.me)] == ["other"]
    assert made.wallet == made.me.cross_wallet() == 4100
    assert made.exchange.insurance == d("81.81")
    assert books_balance(made)


def test_an_isolated_position_never_costs_more_than_its_own_wallet() -> None:
    made = desk(5000, isolated=True)
    made.order("BUY", "MARKET", "0.15")
    told = made.point(50000)
    assert cleared(told) == [600]
    assert made.wallet == 4100
    assert made.exchange.insurance == -600


def test_the_cross_wallet_does_not_stand_for_an_isolated_position_nor_the_other_way_round() -> None:
    made = desk(2000, isolated=True)
    made.order("BUY", "MARKET", "0.15")
    made.order("BUY", "MARKET", "0.15", symbol="ALTUSDT")
    made.see(Point("ALTUSDT", made.now + 1, d(53300)))
    assert made.me.holding("ALTUSDT").qty == d("0.15")
    assert forced(made.see(Point("ALTUSDT", made.now + 1, d(52000)))) == ["autoclose- 0.15 @ 52000"]
    assert made.position == d("0.15")
    assert made.wallet == made.me.holding("BTCUSDT").isolated_wallet == 900


def test_cross_positions_are_closed_one_after_the_other_until_the_rest_is_sound() -> None:
    cheap = Contract(PLAIN.brackets, liquidation_fee=d("0.001"))
    made = desk(2000, contracts={"BTCUSDT": cheap, "ALTUSDT": cheap})
    made.order("BUY", "MARKET", "0.15")
    made.order("BUY", "MARKET", "0.10", symbol="ALTUSDT")
    # The loss is 1868.7 and the maintenance 71.313 + 60; the larger maintenance goes first.
    assert forced(made.point("47542.0")) == ["autoclose- 0.15 @ 47542.0"]
    assert made.me.holding("ALTUSDT").qty == d("0.10")


def test_another_asset_is_not_touched() -> None:
    made = desk()
    made.order("BUY", "MARKET", "0.15")
    made.order("BUY", "MARKET", "0.15", symbol="BTCUSDC")
    made.point(50000)
    assert made.me.holding("BTCUSDC").qty == d("0.15")
    assert (made.me.wallet("USDT"), made.me.wallet("USDC")) == (ZERO, d(1000))


def test_in_hedge_mode_the_sides_stand_together_under_cross_margin() -> None:
    made = desk(2000)
    made.exchange.set_hedge_mode(made.me, True, 0)
    made.order("BUY", "MARKET", "0.15", position_side=PositionSide.LONG)
    made.order("SELL", "MARKET", "0.10", position_side=PositionSide.SHORT)
    made.point(21100)
    assert (made.held("LONG"), made.held("SHORT")) == (d("0.15"), d("-0.10"))
    told = made.point(21000)
    assert forced(told) == ["autoclose- 0.15 @ 21000", "autoclose- 0.10 @ 21000"]
    # What is left, 50, pays the fee of the second: 0.0125 x 2100.
    assert made.wallet == d("23.75")


def test_what_the_book_cannot_take_is_taken_over_at_the_price_that_leaves_nothing() -> None:
    made = desk(slippage=Slippage(half_spread_ticks=1, level_bps=d(100), depth_quote=d(1000)))
    for _ in range(10):
        made.order("BUY", "MARKET", "0.015")
        made.point(60000)
    entry = made.me.holding("BTCUSDT").entry_px
    assert entry > 60000
    told = made.point("53500")
    *market, rest = forced(told)
    assert market and all(fill.startswith("autoclose- ") for fill in market)
    proceeds = sum((d(fill.split()[1]) * d(fill.split()[3]) for fill in (*market, rest)), ZERO)
    # To the tick, which is rounded against the account and paid by the fund.
    assert 0 <= -(1000 + proceeds - d("0.15") * entry) < d("0.15") * BTC.tick_size
    assert made.position == made.wallet == ZERO
    assert books_balance(made)


def test_a_candle_liquidates_at_its_extreme() -> None:
    made = desk()
    made.order("BUY", "MARKET", "0.15")
    told = made.candle(1, 60000, 60500, 53000, 60000)
    assert forced(told) == ["autoclose- 0.15 @ 53000"]
    assert cleared(told) == [50]


def test_a_stop_before_the_liquidation_price_saves_the_account_and_one_beyond_does_not() -> None:
    saved, lost = desk(500, leverage=20), desk(500, leverage=20)
    for made, level in ((saved, 57300), (lost, 57200)):
        made.order("BUY", "MARKET", "0.15", id="in")
        made.order("SELL", "STOP_MARKET", "0.15", stop=level, ro=True, id="sl")
        made.candle(1, 60000, 60500, 57000, 60000)
    assert saved.state("sl") == "FILLED 0.15"
    assert saved.wallet == d(95)
    assert lost.state("sl") == "EXPIRED 0"
    assert lost.wallet == ZERO


def test_with_mark_data_the_last_price_liquidates_nobody() -> None:
    made = desk()
    made.order("BUY", "MARKET", "0.15")
    made.mark(60000)
    assert forced(made.point(52000)) == []
    assert forced(made.mark(53000)) == ["autoclose- 0.15 @ 52000"]


def test_funding_and_withdrawals_can_liquidate_at_once() -> None:
    made = desk(funding_rate=d("0.02"))
    made.order("BUY", "MARKET", "0.15")
    made.point(54500)
    made.wait(8 * 3_600_000)
    assert made.position == ZERO
    assert made.wallet == ZERO


def test_a_price_inside_the_safe_band_is_not_even_looked_at() -> None:
    made = desk()
    made.order("BUY", "MARKET", "0.15")
    asked: list[str] = []

    class Counting:
        """The exchange, that counts how often it is asked."""

        def mark(self, symbol: str) -> Decimal:
            asked.append(symbol)
            return made.exchange.venue.mark(symbol)

        def contract(self, symbol: str) -> Contract:
            return PLAIN

        def asset(self, symbol: str) -> str:
            return "USDT"

    watching = Liquidator(Counting(), made.exchange.accounts, made.exchange.venue)
    watching.changed(made.me)
    watching.check("BTCUSDT", d(60000), d(60000), 1)
    before = len(asked)
    for price in range(57700, 62300, 10):
        watching.check("BTCUSDT", d(price), d(price), 1)
    watching.check("ALTUSDT", d(1), d(1), 1)
    assert len(asked) == before


def test_a_settled_mark_is_judged_though_no_trade_comes() -> None:
    made = desk()
    made.order("BUY", "MARKET", "0.15")
    assert forced(made.see(Mark("BTCUSDT", 5, d(53000)))) == ["autoclose- 0.15 @ 60000"]
    assert made.wallet == d(1000) - d("0.0125") * d("0.15") * 53000
    assert fills(made.told)[-1].endswith("taker")


def test_a_position_of_an_account_that_owns_nothing_is_liquidated_too() -> None:
    made = desk(0, positions=(Position("BTCUSDT", d("0.1"), d(60000)),))
    assert forced(made.point(60000))
    assert made.position == ZERO
    assert made.wallet == ZERO
