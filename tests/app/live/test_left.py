"""What a run leaves is told from its entries: orders that may stand, and what it holds."""

from decimal import Decimal

from runner.app.live.left import left_on_exchange
from runner.domain.catalog import shipped_instruments
from runner.domain.commands import Command, PlaceOrder, RunEnded
from runner.domain.events import Action, CommandRejected, Event, OrderNotFound, RunStarted
from runner.domain.orders import OrderRequest, OrderStatus
from runner.domain.reports import OrderReport, TradeReport
from runner.domain.values import ZERO, OrderType, Side
from runner.graph.compile import compile_plan
from runner.plan.load import load_plan
from runner.report.context import describe
from runner.report.report import Report
from tests.live.plays import SINGLE

ENTRY, STOP, PROFIT = "r1.1.0.0.0", "r1.2.0.0.0", "r1.3.0.0.0"


def report(*entries: Event | Command) -> Report:
    graph = compile_plan(load_plan("plan.yaml", SINGLE.encode()), shipped_instruments()).graph
    made = Report(describe(
        graph, run_id="r1", mode="demo", fingerprint="", seed=1, market="here", latency_ms=0, dated=False,
        precise=False,
    ))
    for number, entry in enumerate((RunStarted(1, "r1", 1), *entries)):
        made.see(number, entry)
    return made


def placed(client_id: str, node: str, kind: OrderType, side: Side = Side.SELL, **more: Decimal | bool) -> PlaceOrder:
    request = OrderRequest(client_id, "BTCUSDT", side, kind, Decimal("0.004"), **more)  # type: ignore[arg-type]
    return PlaceOrder(request, f"long.{node}")


def told(client_id: str, status: OrderStatus, filled: str = "0") -> OrderReport:
    return OrderReport(5, "BTCUSDT", client_id, "7", status, Decimal(filled))


OPENED = (
    placed(ENTRY, "entry", OrderType.LIMIT, Side.BUY, price=Decimal(60000)), told(ENTRY, OrderStatus.FILLED, "0.004"),
    TradeReport(
        5, "BTCUSDT", ENTRY, "7", "1", Side.BUY, Decimal("0.004"), Decimal(60000), ZERO, "USDT", ZERO, maker=True,
    ),
)
GUARD = placed(STOP, "stop_loss", OrderType.STOP_MARKET, trigger_price=Decimal(59000))


def test_nothing_is_left_of_a_run_that_did_nothing() -> None:
    assert left_on_exchange(report()) == ()


def test_each_order_that_stands_and_each_position_is_named() -> None:
    assert left_on_exchange(report(*OPENED, GUARD, told(STOP, OrderStatus.NEW))) == (
        "long.stop_loss STOP_MARKET SELL 0.004 BTCUSDT trigger 59000 (r1.2.0.0.0)",
        "position: long 0.004 BTCUSDT from 60000",
    )


def test_an_order_of_the_whole_position_names_no_quantity() -> None:
    whole = placed(STOP, "stop_loss", OrderType.STOP_MARKET, trigger_price=Decimal(59000), close_position=True)
    first, _ = left_on_exchange(report(*OPENED, whole, told(STOP, OrderStatus.NEW)))
    assert "SELL the whole position BTCUSDT trigger 59000" in first


def test_an_order_without_an_answer_is_called_so_and_what_is_over_is_not_named() -> None:
    profit = placed(PROFIT, "take_profit", OrderType.TAKE_PROFIT, price=Decimal(61000), trigger_price=Decimal(61000))
    refused = CommandRejected(6, "BTCUSDT", PROFIT, Action.PLACE, -2021, "would trigger")
    first, *rest = left_on_exchange(report(*OPENED, GUARD, profit, refused))
    assert first.endswith("(r1.2.0.0.0); whether the exchange has it is not known")
    assert rest == ["position: long 0.004 BTCUSDT from 60000"]


def test_an_order_that_is_nowhere_when_the_run_ends_is_not_left() -> None:
    lost = (OrderNotFound(7, "BTCUSDT", STOP), RunEnded("failed"))
    assert left_on_exchange(report(*OPENED, GUARD, *lost)) == ("position: long 0.004 BTCUSDT from 60000",)
