"""A figure without its trades is noticed, once and for our orders only."""

from decimal import Decimal

from runner.app.live.executions import Executions
from runner.domain.commands import PlaceOrder
from runner.domain.orders import OrderRequest, OrderStatus
from runner.domain.reports import OrderReport, TradeReport
from runner.domain.snapshots import VenueSnapshot
from runner.domain.values import ZERO, OrderType, Side

PLACE = PlaceOrder(OrderRequest("r1.1.0.0.0", "BTCUSDT", Side.BUY, OrderType.MARKET, Decimal("0.004")), "long.entry")


def filled(qty: str, client_id: str = "r1.1.0.0.0") -> OrderReport:
    return OrderReport(1, "BTCUSDT", client_id, "7", OrderStatus.PARTIALLY_FILLED, Decimal(qty))


def trade(trade_id: str, qty: str) -> TradeReport:
    return TradeReport(
        1, "BTCUSDT", "r1.1.0.0.0", "7", trade_id, Side.BUY, Decimal(qty), Decimal(60000), ZERO, "USDT", ZERO,
        maker=False,
    )


def test_a_fill_waits_for_all_of_its_trades() -> None:
    seen = Executions()
    for value in (PLACE, filled("0"), filled("0.004"), filled("0.002"), filled("0.5", "web_1")):
        seen.see(value)
    assert list(seen.unpriced()) == [("BTCUSDT", "r1.1.0.0.0")]
    for _ in range(2):
        seen.see(trade("1", "0.002"))
    assert list(seen.unpriced()) == [("BTCUSDT", "r1.1.0.0.0")]
    seen.see(VenueSnapshot(1, (), (), (filled("0.004"),), (trade("1", "0.002"), trade("2", "0.002"))))
    assert list(seen.unpriced()) == []
