"""What the exchange's facts are to the machine, each thing once."""

from decimal import Decimal
from typing import Any

import pytest

from runner.domain.events import (
    Event,
    Force,
    ForcedExecution,
    FundingExchanged,
    InsuranceCleared,
    MarginCalled,
)
from runner.domain.orders import OrderRequest, OrderStatus
from runner.domain.reports import OrderReport, TradeReport
from runner.domain.values import OrderType, Side, TimeInForce, WorkingType
from runner.gateways.translation import conditional_report, events_of, looked_up, new_order, order_report
from runner.venue import facts
from runner.venue.facts import (
    AccountUpdate,
    AlgoState,
    AlgoUpdate,
    BalanceState,
    ConfigUpdate,
    Fact,
    Fill,
    OrderState,
    OrderUpdate,
    PositionState,
)
from runner.venue.requests import NewOrder
from runner.venue.terms import AlgoStatus, ExecutionType, Expiry, MarginType, PositionSide, Reason, Status

D = Decimal
MARK = D(60005)
LIMIT = NewOrder("BTCUSDT", Side.BUY, OrderType.LIMIT, D("0.010"), "entry", price=D(60000))
STOP = NewOrder(
    "BTCUSDT", Side.SELL, OrderType.STOP_MARKET, D("0.010"), "stop", trigger_price=D(59000), reduce_only=True,
)
LIMITED: dict[str, Any] = {
    "limit_px": D(60000), "side": Side.BUY, "reduce_only": False, "close_position": False,
}
CHILD = NewOrder("BTCUSDT", Side.SELL, OrderType.MARKET, D("0.010"), "stop", reduce_only=True)


def state(request: NewOrder = LIMIT, status: Status = Status.NEW, **more: Any) -> OrderState:
    fields: dict[str, Any] = {"filled_qty": D(0), "cost": D(0), "created_ms": 1, "updated_ms": 2} | more
    return OrderState(request, fields.pop("order_id", 7), status, **fields)


def waiting(status: AlgoStatus = AlgoStatus.NEW, **more: Any) -> AlgoState:
    return AlgoState(STOP, 3, status, more.pop("created_ms", 1), 2, **more)


def fill(request: NewOrder, order_id: int = 7) -> Fill:
    return Fill(
        9, order_id, "BTCUSDT", request.side, PositionSide.BOTH, D(60001), D("0.010"), D("0.3"), "USDT", D(5), False, 4,
    )


def told(fact: Fact) -> list[Event]:
    return list(events_of(fact, lambda symbol: MARK))


def test_a_request_keeps_every_field() -> None:
    asked = OrderRequest(
        "id", "BTCUSDT", Side.SELL, OrderType.STOP, D("0.010"), D(58900), D(59000), None, None, TimeInForce.IOC, True,
        WorkingType.MARK_PRICE,
    )
    assert new_order(asked) == NewOrder(
        "BTCUSDT", Side.SELL, OrderType.STOP, D("0.010"), "id", price=D(58900), trigger_price=D(59000),
        time_in_force=TimeInForce.IOC, reduce_only=True, working_type=WorkingType.MARK_PRICE,
    )
    trailing = OrderRequest(
        "id", "BTCUSDT", Side.SELL, OrderType.TRAILING_STOP_MARKET, D("0.010"), callback_rate=D(1),
        activation_price=D(61000),
    )
    assert (new_order(trailing).callback_rate, new_order(trailing).activation_price) == (D(1), D(61000))


def test_a_stop_of_the_whole_position_is_asked_for_without_a_quantity() -> None:
    asked = OrderRequest(
        "id", "BTCUSDT", Side.SELL, OrderType.STOP_MARKET, D("0.010"), trigger_price=D(59000), reduce_only=True,
        close_position=True,
    )
    sent = new_order(asked)
    assert (sent.quantity, sent.close_position, sent.reduce_only) == (D(0), True, False)
    report = conditional_report(AlgoState(sent, 3, AlgoStatus.NEW, 1, 2), 5, MARK)
    assert (report.quantity, report.close_position, report.reduce_only) == (None, True, True)
    ended = conditional_report(AlgoState(sent, 3, AlgoStatus.FINISHED, 1, 2, order_id=7), 5, MARK)
    assert ended.status is OrderStatus.EXPIRED


def test_gtd_is_asked_for_with_its_date() -> None:
    asked = OrderRequest(
        "id", "BTCUSDT", Side.BUY, OrderType.LIMIT, D("0.010"), D(58900), time_in_force=TimeInForce.GTD,
        good_till_ms=1_795_501_200_000,
    )
    assert (new_order(asked).time_in_force, new_order(asked).good_till_ms) == (TimeInForce.GTD, 1_795_501_200_000)
    assert new_order(asked.but(time_in_force=TimeInForce.GTC, good_till_ms=None)).good_till_ms == 0


def test_a_new_order_is_reported_with_what_it_is_held_to() -> None:
    assert told(OrderUpdate("a", 5, ExecutionType.NEW, state())) == [
        OrderReport(
            5, "BTCUSDT", "entry", "FAKE-7", OrderStatus.NEW, D(0), None, MARK, "", D("0.010"), None, **LIMITED,
        ),
    ]


def test_a_fill_is_its_trade_and_then_the_orders_cumulative_state() -> None:
    filled = state(status=Status.FILLED, filled_qty=D("0.010"), cost=D("600.01"))
    assert told(OrderUpdate("a", 5, ExecutionType.TRADE, filled, fill(LIMIT))) == [
        TradeReport(
            4, "BTCUSDT", "entry", "FAKE-7", "9", Side.BUY, D("0.010"), D(60001), D("0.3"), "USDT", D(5), False,
        ),
        OrderReport(
            5, "BTCUSDT", "entry", "FAKE-7", OrderStatus.FILLED, D("0.010"), D(60001), MARK, "", D("0.010"), None,
            **LIMITED,
        ),
    ]


@pytest.mark.parametrize(("status", "expiry", "expected", "reason"), [
    (Status.CANCELED, Expiry.NONE, OrderStatus.CANCELED, ""),
    (Status.EXPIRED, Expiry.REDUCE_ONLY, OrderStatus.EXPIRED, "Reduce Only expired"),
    (Status.EXPIRED, Expiry.UNFILLED_MARKET, OrderStatus.EXPIRED, "Unfilled rest expired"),
    (Status.EXPIRED, Expiry.LIQUIDATION, OrderStatus.EXPIRED, "Liquidation"),
    (Status.EXPIRED_IN_MATCH, Expiry.SELF_TRADE, OrderStatus.EXPIRED, "Self-trade prevented"),
])
def test_an_end_says_why(status: Status, expiry: Expiry, expected: OrderStatus, reason: str) -> None:
    (report,) = told(OrderUpdate("a", 5, ExecutionType.EXPIRED, state(status=status), expiry=expiry))
    assert isinstance(report, OrderReport)
    assert (report.status, report.reason) == (expected, reason)


def test_a_triggered_stop_is_told_once_a_thing_and_under_one_client_id() -> None:
    done = state(CHILD, Status.FILLED, filled_qty=D("0.010"), cost=D(600), algo_id=3)
    events = [event for fact in (
        AlgoUpdate("a", 1, waiting()),
        AlgoUpdate("a", 4, waiting(AlgoStatus.TRIGGERING)),
        AlgoUpdate("a", 4, waiting(AlgoStatus.TRIGGERED, order_id=7)),
        OrderUpdate("a", 4, ExecutionType.NEW, state(CHILD, algo_id=3)),
        OrderUpdate("a", 4, ExecutionType.TRADE, done, fill(CHILD)),
        AccountUpdate("a", 4, Reason.ORDER, (BalanceState("USDT", D(1), D(1)),)),
        AlgoUpdate("a", 4, waiting(AlgoStatus.FINISHED, order_id=7, filled_qty=D("0.010"))),
    ) for event in told(fact)]
    assert [
        (event.order_id, event.status.value if isinstance(event, OrderReport) else "trade")
        for event in events if isinstance(event, OrderReport | TradeReport)
    ] == [("FAKE-A3", "NEW"), ("FAKE-7", "TRIGGERED"), ("FAKE-7", "trade"), ("FAKE-7", "FILLED")]
    assert {event.client_order_id for event in events if isinstance(event, OrderReport | TradeReport)} == {"stop"}
    assert len(events) == 4


@pytest.mark.parametrize(("status", "expected"), [
    (AlgoStatus.CANCELED, OrderStatus.CANCELED), (AlgoStatus.EXPIRED, OrderStatus.EXPIRED),
    (AlgoStatus.REJECTED, OrderStatus.REJECTED),
])
def test_a_conditional_order_that_never_came_into_the_book_ends_in_its_own_world(
    status: AlgoStatus, expected: OrderStatus,
) -> None:
    assert told(AlgoUpdate("a", 5, waiting(status, reason="why"))) == [
        OrderReport(
            5, "BTCUSDT", "stop", "FAKE-A3", expected, D(0), None, MARK, "why", D("0.010"), D(59000),
            side=Side.SELL, reduce_only=True, close_position=False,
        ),
    ]


@pytest.mark.parametrize(("client_id", "cause"), [
    ("autoclose-1", Force.LIQUIDATED), ("adl_autoclose-1", Force.DELEVERAGED),
])
def test_the_exchanges_own_orders_are_forced_executions_and_nothing_else(client_id: str, cause: Force) -> None:
    request = CHILD.but(client_order_id=client_id)
    forced = state(request, Status.FILLED, filled_qty=D("0.010"), cost=D(600), forced=True)
    assert told(OrderUpdate("a", 4, ExecutionType.NEW, state(request, forced=True))) == []
    assert told(OrderUpdate("a", 4, ExecutionType.CALCULATED, forced, fill(request))) == [
        ForcedExecution(
            4, "BTCUSDT", cause, "FAKE-7", "9", Side.SELL, D("0.010"), D(60001), D("0.3"), "USDT", D(5),
        ),
    ]
    short = state(request, Status.EXPIRED, forced=True)
    assert told(OrderUpdate("a", 4, ExecutionType.EXPIRED, short, expiry=Expiry.UNFILLED_MARKET)) == []


def test_money_that_is_neither_profit_nor_fee_is_told_by_its_cause() -> None:
    balance = (BalanceState("USDT", D(90), D(90), D("-0.6")),)
    assert told(AccountUpdate("a", 5, Reason.FUNDING_FEE, balance, symbol="BTCUSDT")) == [
        FundingExchanged(5, "BTCUSDT", D("-0.6"), "USDT"),
    ]
    assert told(AccountUpdate("a", 5, Reason.INSURANCE_CLEAR, balance)) == [InsuranceCleared(5, D("-0.6"), "USDT")]
    assert told(AccountUpdate("a", 5, Reason.DEPOSIT, balance)) == []
    assert told(ConfigUpdate("a", 5, "BTCUSDT", 10)) == []


def test_a_margin_call_names_its_positions() -> None:
    held = PositionState(
        "BTCUSDT", PositionSide.BOTH, D(1), D(60000), D(60000), D(0), D(-900), MarginType.CROSSED, D(0),
    )
    fact = facts.MarginCalled("a", 5, D(1000), ((held, D(59100), D(236)),))
    assert told(fact) == [MarginCalled(5, ("BTCUSDT",))]


def test_an_id_that_both_worlds_know_is_the_engine_order_that_the_conditional_one_placed() -> None:
    child = state(CHILD, algo_id=3)
    assert looked_up(child, waiting(AlgoStatus.TRIGGERED, order_id=7), 5, MARK) == order_report(child, 5, MARK)
    assert order_report(child, 5, MARK).status is OrderStatus.TRIGGERED


def test_of_two_strangers_under_one_id_the_open_one_is_meant_then_the_later() -> None:
    gone, here = state(status=Status.CANCELED, created_ms=9), waiting()
    assert looked_up(gone, here, 5, MARK) == conditional_report(here, 5, MARK)
    over = waiting(AlgoStatus.CANCELED, created_ms=3)
    assert looked_up(gone, over, 5, MARK) == order_report(gone, 5, MARK)
    assert looked_up(state(status=Status.CANCELED, created_ms=2), over, 5, MARK) == conditional_report(over, 5, MARK)
    assert looked_up(None, over, 5, MARK) == conditional_report(over, 5, MARK)
    assert looked_up(gone, None, 5, MARK) == order_report(gone, 5, MARK)
    assert looked_up(None, None, 5, MARK) is None


@pytest.mark.parametrize(("filled", "expected"), [("0.010", OrderStatus.FILLED), ("0.004", OrderStatus.EXPIRED)])
def test_a_finished_one_whose_engine_order_is_forgotten_is_judged_by_its_fill(
    filled: str, expected: OrderStatus,
) -> None:
    report = conditional_report(waiting(AlgoStatus.FINISHED, order_id=7, filled_qty=D(filled)), 5, None)
    assert (report.status, report.order_id, report.filled_qty) == (expected, "FAKE-7", D(filled))
