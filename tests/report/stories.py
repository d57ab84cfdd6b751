"""Runs written by hand, as the entries that a journal would hold."""

from collections.abc import Iterable
from decimal import Decimal

from runner.domain.commands import (
    CancelOrder,
    Command,
    OrderDenied,
    PlaceOrder,
    RunEnded,
    StepEnded,
    StepStarted,
)
from runner.domain.events import (
    Action,
    CommandRejected,
    Event,
    Force,
    ForcedExecution,
    FundingExchanged,
    InsuranceCleared,
    MarginCalled,
    RunStarted,
)
from runner.domain.orders import OrderRequest, OrderStatus
from runner.domain.reports import OrderReport, TradeReport
from runner.domain.times import parse_rfc3339
from runner.domain.values import OrderType, Side
from runner.report.context import GroupFacts, LegFacts, RunContext, StepFacts, SymbolFacts
from runner.report.lines import Line
from runner.report.report import Report

D = Decimal
Entry = tuple[int, Event | Command]
BTC = SymbolFacts("BTCUSDT", "USDT", 1)
NUMBERS = {"long.entry": 1, "long.take_profit": 2, "long.stop_loss": 3}


def at(text: str) -> int:
    """`05-04 15:33:00` or `05-04 15:33:00.100`, in 2025."""
    return parse_rfc3339(f"2025-{text.replace(' ', 'T')}Z")


def context(
    steps: tuple[StepFacts, ...], groups: tuple[GroupFacts, ...], legs: tuple[LegFacts, ...], *, precise: bool = False,
    dated: bool = True,
) -> RunContext:
    return RunContext(
        "d1", "btc-breakout", "dryrun", "9f31c2", 1, "data/candles.csv, 3 candles", 50, dated, precise, (BTC,), steps,
        groups, legs,
    )


def leg(node_id: str, role: str, side: Side, order_type: OrderType, *, slice_index: int = 0) -> LegFacts:
    step_id = node_id.partition(".")[0]
    return LegFacts(node_id, step_id, step_id, role, "BTCUSDT", side, order_type, slice_index)


def place(
    node_id: str, order_id: str, side: Side, order_type: OrderType, qty: str, *, price: str = "", trigger: str = "",
    reduce_only: bool = False, revision: int = 0,
) -> PlaceOrder:
    return PlaceOrder(
        OrderRequest(
            f"d1.{order_id}.0.{revision}.0", "BTCUSDT", side, order_type, D(qty), D(price) if price else None,
            D(trigger) if trigger else None, reduce_only=reduce_only,
        ),
        node_id, revision,
    )


def report(
    at_ms: int, command: PlaceOrder, status: OrderStatus, filled: str = "0", avg: str = "", reason: str = "",
) -> OrderReport:
    client_id = command.request.client_order_id
    return OrderReport(
        at_ms, "BTCUSDT", client_id, fake(client_id), status, D(filled), D(avg) if avg else None, reason=reason,
    )


def trade(
    at_ms: int, command: PlaceOrder, qty: str, price: str, fee: str, *, pnl: str = "0", maker: bool = False,
    trade_id: str = "1",
) -> TradeReport:
    client_id = command.request.client_order_id
    return TradeReport(
        at_ms, "BTCUSDT", client_id, fake(client_id), trade_id, command.request.side, D(qty), D(price), D(fee), "USDT",
        D(pnl), maker,
    )


def fake(client_id: str) -> str:
    return f"FAKE-{client_id.split('.')[1]}"


def told(run: RunContext, entries: Iterable[Entry]) -> tuple[Report, list[Line]]:
    """The report of a run, and every line that it gave."""
    whole = Report(run)
    return whole, [line for at_ms, value in entries for line in whole.see(at_ms, value)]


BRACKET = context(
    (StepFacts("long", "bracket", "BTCUSDT", "BRK-d1-long", 0),),
    (GroupFacts("long", "BTCUSDT", True, True),),
    (
        leg("long.entry", "opener", Side.BUY, OrderType.LIMIT),
        leg("long.stop_loss", "stop", Side.SELL, OrderType.STOP_MARKET),
        leg("long.take_profit", "take_profit", Side.SELL, OrderType.TAKE_PROFIT),
    ),
)
ENTRY = place("long.entry", "1", Side.BUY, OrderType.LIMIT, "0.00400", price="60000")
STOP = place("long.stop_loss", "2", Side.SELL, OrderType.STOP_MARKET, "0.004", trigger="59000", reduce_only=True)
PROFIT = place(
    "long.take_profit", "3", Side.SELL, OrderType.TAKE_PROFIT, "0.004", price="61000", trigger="61000",
    reduce_only=True,
)


def bracket() -> list[Entry]:
    """The run that the design's page on the command line shows."""
    start, entered, closed = at("05-04 15:33:00.000"), at("05-04 18:04:00.050"), at("05-05 01:22:00.050")
    cancel = CancelOrder("BTCUSDT", STOP.request.client_order_id, True, "long.stop_loss", "the position is closed")
    return [
        (start, RunStarted(start, "d1", 1)),
        (start, StepStarted("long", D("0.004"))),
        (start, ENTRY),
        (start + 100, report(start + 100, ENTRY, OrderStatus.NEW)),
        (entered, trade(entered, ENTRY, "0.004", "60000", "0.048", maker=True)),
        (entered, report(entered, ENTRY, OrderStatus.FILLED, "0.004", "60000")),
        (entered, STOP),
        (entered, PROFIT),
        (entered + 100, report(entered + 100, STOP, OrderStatus.NEW)),
        (entered + 100, report(entered + 100, PROFIT, OrderStatus.NEW)),
        (closed, report(closed, PROFIT, OrderStatus.TRIGGERED)),
        (closed, trade(closed, PROFIT, "0.004", "61000", "0.122", pnl="4")),
        (closed, report(closed, PROFIT, OrderStatus.FILLED, "0.004", "61000")),
        (closed, cancel),
        (closed + 100, report(closed + 100, STOP, OrderStatus.CANCELED)),
        (closed + 100, StepEnded("long", "succeeded")),
        (closed + 100, RunEnded("succeeded")),
    ]


def liquidated() -> list[Entry]:
    """A long position that pays funding, and is liquidated at a price that does not cover its debt."""
    start, funded, ended = at("05-04 15:33:00.000"), at("05-04 16:00:00.050"), at("05-04 17:00:00.050")
    return [
        (start, RunStarted(start, "d1", 1)),
        (start, StepStarted("long", D("0.004"))),
        (start, ENTRY),
        (start + 100, trade(start + 100, ENTRY, "0.004", "60000", "0.048", maker=True)),
        (start + 100, report(start + 100, ENTRY, OrderStatus.FILLED, "0.004", "60000")),
        (funded, FundingExchanged(funded - 50, "BTCUSDT", D("-0.024"), "USDT")),
        (ended - 5, MarginCalled(ended - 55, ("BTCUSDT",))),
        (ended, ForcedExecution(
            ended - 50, "BTCUSDT", Force.LIQUIDATED, "FAKE-9", "2", Side.SELL, D("0.004"), D(50000), D("0.1"), "USDT",
            D(-40),
        )),
        (ended, InsuranceCleared(ended - 50, D("-2.5"), "USDT")),
        (ended, InsuranceCleared(ended - 50, D("1.25"), "USDT")),
        (ended, StepEnded("long", "failed", "liquidated")),
        (ended, RunEnded("failed", "liquidated")),
    ]


OCO = context(
    (StepFacts("guard", "oco", "BTCUSDT", "OCO-d1-guard", 0),),
    (GroupFacts("guard", "BTCUSDT", False, True),),
    (
        leg("guard.stop_loss", "stop", Side.SELL, OrderType.STOP),
        leg("guard.take_profit", "take_profit", Side.SELL, OrderType.TAKE_PROFIT),
    ),
)


def oco_refused() -> list[Entry]:
    """An OCO whose take-profit is accepted and whose stop is refused."""
    start = at("05-04 15:33:00")
    stop = place(
        "guard.stop_loss", "1", Side.SELL, OrderType.STOP, "0.001", price="58800", trigger="59000", reduce_only=True,
    )
    profit = place(
        "guard.take_profit", "2", Side.SELL, OrderType.TAKE_PROFIT, "0.001", price="62000", trigger="62000",
        reduce_only=True,
    )
    refusal = CommandRejected(
        start + 100, "BTCUSDT", stop.request.client_order_id, Action.PLACE, -2021, "Order would immediately trigger.",
    )
    return [
        (start, RunStarted(start, "d1", 1)), (start, StepStarted("guard", D("0.001"))), (start, stop), (start, profit),
        (start + 100, refusal), (start + 100, report(start + 100, profit, OrderStatus.NEW)),
        (start + 200, StepEnded("guard", "failed", "would_trigger", "stop=59000")),
        (start + 200, RunEnded("failed", "")),
    ]


TWAP = context(
    (StepFacts("build", "twap", "BTCUSDT", "TWAP-d1-build", 2),),
    (GroupFacts("build", "BTCUSDT", True, False),),
    (
        leg("build.slice.1", "opener", Side.BUY, OrderType.MARKET, slice_index=1),
        leg("build.slice.2", "opener", Side.BUY, OrderType.MARKET, slice_index=2),
    ),
    precise=True, dated=False,
)


def twap_denied() -> list[Entry]:
    """A TWAP of two slices; the first fills in two parts, the second is denied."""
    start = at("05-04 15:33:00")
    first = place("build.slice.1", "1", Side.BUY, OrderType.MARKET, "0.003")
    return [
        (start, RunStarted(start, "d1", 1)), (start, StepStarted("build", D("0.006"))), (start, first),
        (start + 100, trade(start + 100, first, "0.001", "60000", "0.03", trade_id="1")),
        (start + 100, trade(start + 100, first, "0.001", "60000", "0.03", trade_id="1")),
        (start + 100, trade(start + 100, first, "0.002", "60000.55", "0.060006", trade_id="2")),
        (start + 100, report(start + 100, first, OrderStatus.FILLED, "0.003", "60000.3666")),
        (start + 250, OrderDenied("build.slice.2", "MAX_ORDER_NOTIONAL", "limit=150 would_be=180")),
        (start + 250, StepEnded("build", "failed", "denied")), (start + 250, RunEnded("failed", "build")),
    ]
