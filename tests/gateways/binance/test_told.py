"""What was told once is not told again, and memory is bounded."""

from decimal import Decimal

from runner.domain.events import (
    Force,
    ForcedExecution,
    FundingExchanged,
    InsuranceCleared,
    MarginCalled,
    PositionReport,
)
from runner.domain.orders import OrderStatus
from runner.domain.reports import OrderReport, TradeReport
from runner.domain.values import ZERO, Side
from runner.gateways.binance.told import HOUR_MS, Latest, Told

D = Decimal


def report(status: OrderStatus = OrderStatus.NEW, filled: str = "0") -> OrderReport:
    return OrderReport(1, "BTCUSDT", "a", "7", status, D(filled))


def trade(number: int, qty: str = "0.004", order_id: str = "7") -> TradeReport:
    return TradeReport(1, "BTCUSDT", "a", order_id, str(number), Side.BUY, D(qty), D(60000), ZERO, "USDT", ZERO, False)


def test_an_execution_is_told_once_from_whatever_source() -> None:
    told = Told()
    came = trade(1), trade(1).but(at_ms=9), trade(2), trade(1, order_id="8")
    assert [told.new(one) for one in came] == [True, False, True, True]
    forced = ForcedExecution(
        1, "BTCUSDT", Force.LIQUIDATED, "9", "5", Side.SELL, D(1), D(1), ZERO, "USDT", ZERO,
    )
    assert [told.new(forced), told.new(forced)] == [True, False]


def test_funding_is_known_by_its_hour_its_symbol_and_its_asset() -> None:
    told = Told()
    first = FundingExchanged(5 * HOUR_MS, "BTCUSDT", D("-0.06"), "USDT")
    later = [first, first.but(symbol="ETHUSDT"), first.but(asset="USDC"), first.but(at_ms=6 * HOUR_MS)]
    assert [told.new(one) for one in later] == [True] * 4
    assert not any(told.new(one.but(at_ms=one.at_ms + shift_ms)) for one in later for shift_ms in (-9, 0, 2_000))
    assert told.new(first.but(at_ms=8 * HOUR_MS))
    cleared = InsuranceCleared(8, D("-0.06"), "USDT")
    assert [told.new(cleared), told.new(cleared)] == [True, False]


def test_an_order_is_told_again_when_anything_but_the_instant_and_the_mark_is_new() -> None:
    told = Told()
    assert told.new(report())
    assert not told.new(report().but(at_ms=2, mark_px=D(60000)))
    assert told.new(report().but(quantity=D("0.010")))
    assert told.new(report(OrderStatus.PARTIALLY_FILLED, "0.004"))
    assert told.new(report())
    assert told.order("BTCUSDT", "a") == report()
    assert told.order("BTCUSDT", "b") is None


def test_an_older_position_than_was_told_comes_from_a_socket_that_lags() -> None:
    told = Told()
    assert told.new(PositionReport(5, "BTCUSDT", D("0.010")))
    assert not told.new(PositionReport(5, "BTCUSDT", D("0.010")))
    assert told.new(PositionReport(5, "BTCUSDT", D("0.020"))), "two changes of one millisecond"
    assert not told.new(PositionReport(4, "BTCUSDT", D("0.010")))
    assert told.new(PositionReport(4, "ETHUSDT", D("0.010")))
    read = PositionReport(4, "BTCUSDT", D("0.010"), begun_ms=3)
    assert told.new(read) and told.new(read), "a read that was asked for is always an answer"


def test_what_has_no_identity_is_always_told() -> None:
    told = Told()
    called = MarginCalled(1, ("BTCUSDT",))
    assert told.new(called) and told.new(called)


def test_executions_are_lacking_while_they_sum_up_to_less_than_the_order_says() -> None:
    told = Told()
    filled = report(OrderStatus.PARTIALLY_FILLED, "0.008")
    assert told.lacks_trades(filled) and not told.lacks_trades(report())
    told.new(trade(1))
    told.new(trade(1))
    assert told.lacks_trades(filled)
    told.new(trade(2))
    assert not told.lacks_trades(filled)
    assert told.lacks_trades(filled.but(order_id="8"))


def test_memory_keeps_the_latest() -> None:
    kept: Latest[int, str] = Latest(2)
    kept[1], kept[2] = "a", "b"
    kept[1] = "c"
    kept[3] = "d"
    assert [kept.get(key) for key in (1, 2, 3)] == ["c", None, "d"] and len(kept) == 2
    assert kept.pop(1) == "c" and 1 not in kept and kept.pop(1) is None
    told = Told(most=3)
    for number in range(10):
        assert told.new(trade(number))
    assert not told.new(trade(9)) and told.new(trade(0)), "what is forgotten may be told again"
