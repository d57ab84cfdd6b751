"""What an account shows of itself."""

from runner.domain.values import ZERO
from runner.venue import margin
from runner.venue.figures import asset_figures, every_position, position_figures, shown_positions
from tests.venue.desk import d
from tests.venue.ledger import BOTH, BUY, LONG, SELL, SHORT, Ledger, Marks


def test_a_position_shows_its_margin_its_prices_and_its_orders() -> None:
    ledger, marks = Ledger(fee="0.001"), Marks(BTCUSDT=105)
    ledger.trade(BUY, 10, 100)
    ledger.rest(BUY, 2, 90)
    ledger.rest(SELL, 1, 120)
    shown = position_figures(ledger.account, "BTCUSDT", BOTH, marks)
    assert (shown.qty, shown.entry_px, shown.break_even_px, shown.mark_px) == (d(10), d(100), d("100.1"), d(105))
    assert (shown.unrealized, shown.notional, shown.asset) == (d(50), d(1050), "USDT")
    assert (shown.position_margin, shown.order_margin, shown.initial_margin) == (d(105), d(18), d(123))
    assert (shown.maintenance, shown.bid_notional, shown.ask_notional) == (d("10.5"), d(180), d(120))
    assert (shown.isolated_margin, shown.isolated_wallet) == (ZERO, ZERO)
    exact = margin.liquidation_price(ledger.account, "BTCUSDT", BOTH, marks)
    assert abs(shown.liquidation_px - exact) < d("1e-11")
    assert shown.updated_ms == 1


def test_an_isolated_position_shows_its_wallet_and_what_it_is_worth() -> None:
    ledger = Ledger().isolate()
    ledger.trade(SELL, 10, 100)
    shown = position_figures(ledger.account, "BTCUSDT", BOTH, Marks(BTCUSDT=105))
    assert (shown.isolated_wallet, shown.isolated_margin, shown.notional) == (d(100), d(50), d(-1050))


def test_positions_are_shown_that_are_open_or_have_orders() -> None:
    ledger = Ledger()
    assert shown_positions(ledger.account, Marks()) == []
    ledger.trade(BUY, 1, 100)
    ledger.rest(BUY, 1, 9, symbol="COARSEUSDT")
    ledger.trade(BUY, 1, 100, symbol="ALTUSDT")
    ledger.trade(SELL, 1, 100, symbol="ALTUSDT")
    assert [shown.symbol for shown in shown_positions(ledger.account, Marks())] == ["BTCUSDT", "COARSEUSDT"]
    assert [shown.symbol for shown in shown_positions(ledger.account, Marks(), "COARSEUSDT")] == ["COARSEUSDT"]


def test_every_position_of_the_mode_can_be_shown() -> None:
    ledger = Ledger()
    assert [shown.side for shown in every_position(ledger.account, ["BTCUSDT"], Marks())] == [BOTH]
    ledger.hedge()
    assert [shown.side for shown in every_position(ledger.account, ["BTCUSDT"], Marks())] == [LONG, SHORT]


def test_an_asset_sums_its_positions() -> None:
    ledger, marks = Ledger().isolate("ALTUSDT"), Marks(BTCUSDT=105, ALTUSDT=95)
    ledger.trade(BUY, 10, 100)
    ledger.trade(BUY, 5, 100, symbol="ALTUSDT")
    ledger.trade(BUY, 5, 100, symbol="BTCUSDC")
    ledger.rest(BUY, 1, 90)
    shown = asset_figures(ledger.account, "USDT", marks)
    assert (shown.wallet, shown.cross_wallet, shown.margin_balance) == (d(1000), d(950), d(1025))
    assert (shown.unrealized, shown.cross_unrealized) == (d(25), d(50))
    assert (shown.position_margin, shown.order_margin, shown.initial_margin) == (d("152.5"), d(9), d("161.5"))
    assert shown.maintenance == d("10.5") + d("4.75")
    assert shown.available == d(950) + 50 - 105 - 9
    assert shown.withdrawable == d(950) - 105 - 9
    assert shown.updated_ms == 0


def test_what_is_available_is_never_shown_below_zero() -> None:
    ledger = Ledger(100)
    ledger.trade(BUY, 10, 100)
    shown = asset_figures(ledger.account, "USDT", Marks(BTCUSDT=95))
    assert (shown.available, shown.withdrawable) == (ZERO, ZERO)
