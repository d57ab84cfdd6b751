from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from runner.domain.values import ZERO, OrderType, Side
from runner.venue.exchange import Exchange
from runner.venue.facts import AlgoUpdate, Fact, OrderUpdate
from runner.venue.fapi.clock import FrontClock, VenueClock
from runner.venue.fapi.door import Door, Nobody
from runner.venue.fapi.misbehaviour import Misbehaviour, Witnessing, disturbance
from runner.venue.fapi.params import Params
from runner.venue.faults import FaultName, FaultPlan, read_fault
from runner.venue.market import Point
from runner.venue.refusals import Refusal
from runner.venue.requests import NewOrder
from runner.venue.settings import VenueSettings
from runner.venue.terms import AlgoStatus, Status
from tests.venue.desk import BTC

POST = "POST /fapi/v1/order"
NOW = 1_790_000_000_000


class Told(Nobody):
    def __init__(self) -> None:
        self.facts: list[Fact] = []

    def publish(self, facts: Sequence[Fact]) -> None:
        self.facts += facts


class Stage:
    """A door whose faults are those given, and the account "me"."""

    def __init__(self, *faults: dict[str, object]) -> None:
        self.wall_ms = NOW
        front = FrontClock(lambda: self.wall_ms)
        self.exchange = Exchange({"BTCUSDT": BTC}, VenueSettings())
        self.exchange.begin(Point("BTCUSDT", NOW, Decimal(60000)))
        self.me = self.exchange.open_account("me")
        self.told = Told()
        self.door = Door(self.exchange, front, VenueClock(front, NOW))
        self.wrong = Misbehaviour(self.door, FaultPlan(map(read_fault, faults)))
        self.exchange.veto = self.wrong.veto
        self.door.audience = Witnessing(self.told, self.wrong)
        self.door.disturber = self.wrong

    def before(self, route: str, **params: str) -> Any:
        return self.wrong.before(route, self.me, Params(params))

    def after(self, route: str, result: Any) -> Any:
        return self.wrong.after(route, self.me, Params({}), result)

    def place(self, side: str, qty: str, price: int | None = None, client_id: str = "a", **more: Any) -> None:
        kind = OrderType.MARKET if price is None else OrderType.LIMIT
        limit = None if price is None else Decimal(price)
        request = NewOrder("BTCUSDT", Side(side), kind, Decimal(qty), client_id, price=limit, **more)
        self.exchange.place(self.me, request, self.door.at_ms())
        self.door.publish()

    @property
    def held(self) -> Decimal:
        return sum((holding.qty for holding in self.me.holdings.values()), ZERO)


ANSWERS = {
    "unknown_503": (None, 503, "Unknown error, please check your request or try again later."),
    "unavailable_503": (None, 503, "Service Unavailable."),
    "internal_503": (-1001, 503, "Internal error; unable to process your request. Please try again."),
    "overloaded_1008": (-1008, 503, "Request throttled by system-level protection."),
    "timeout_1007": (-1007, 408, "Send status unknown; execution status unknown."),
    "clock_1021": (-1021, 400, "Timestamp for this request is outside of the recvWindow."),
    "unknown_order_2011": (-2011, 400, "Unknown order sent."),
    "would_trigger_2021": (-2021, 400, "Order would immediately trigger."),
    "reduce_only_2022": (-2022, 400, "ReduceOnly Order is rejected."),
    "duplicate_id_4116": (-4116, 400, "ClientOrderId is duplicated."),
    "over_close_4118": (-4118, 400, "ReduceOnly Order Failed."),
    "too_many_429": (-1003, 429, "Too many requests"),
    "banned_418": (-1003, 418, f"banned until {NOW + 120_000}."),
}
DONE = {"unknown_503", "timeout_1007"}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_wrong_answer_is_binances_and_says_by_default_what_binance_says_of_execution(name: str) -> None:
    wrong = disturbance(read_fault({"name": name}), NOW)
    error = wrong.after if name in DONE else wrong.instead
    assert (wrong.instead is None) == (name in DONE)
    assert error is not None
    code, http, words = ANSWERS[name]
    assert (error.code, error.http) == (code, http)
    assert words in error.message


@pytest.mark.parametrize("name", ["unknown_503", "unavailable_503", "internal_503", "timeout_1007"])
@pytest.mark.parametrize("executed", [True, False])
def test_what_is_not_known_can_be_done_or_not(name: str, executed: bool) -> None:
    wrong = disturbance(read_fault({"name": name, "executed": executed}), NOW)
    assert (wrong.after is not None, wrong.instead is not None) == (executed, not executed)


def test_retry_after_is_sent_where_it_is_asked_for() -> None:
    bare = disturbance(read_fault({"name": "too_many_429"}), NOW).instead
    told = disturbance(read_fault({"name": "too_many_429", "retry_after_s": 7}), NOW).instead
    assert bare is not None
    assert told is not None
    assert "Retry-After" not in bare.headers
    assert told.headers["Retry-After"] == "7"


def test_a_lost_a_slow_and_a_hanging_answer_come_after_the_request_was_done() -> None:
    lost = disturbance(read_fault({"name": "lost_answer"}), NOW)
    assert (lost.cut, lost.instead) == (True, None)
    slow = disturbance(read_fault({"name": "slow_answer", "delay_ms": 700}), NOW)
    assert (slow.wait_after_ms, slow.wait_before_ms, slow.instead) == (700, 0, None)
    hanging = disturbance(read_fault({"name": "hanging_answer"}), NOW)
    assert (hanging.hang, hanging.instead) == (True, None)
    undone = disturbance(read_fault({"name": "hanging_answer", "executed": False}), NOW)
    assert undone.hang
    assert undone.instead is not None


def test_without_a_fault_nothing_is_wrong() -> None:
    stage = Stage()
    assert not stage.wrong.active
    assert stage.before(POST, newClientOrderId="a") is None


@pytest.mark.parametrize(("route", "params"), [
    (POST, {"newClientOrderId": "a"}),
    ("DELETE /fapi/v1/order", {"origClientOrderId": "a"}),
    ("POST /fapi/v1/algoOrder", {"clientAlgoId": "a"}),
    ("POST /fapi/v1/batchOrders", {"batchOrders": '[{"newClientOrderId":"b"},{"newClientOrderId":"a"}]'}),
    ("DELETE /fapi/v1/batchOrders", {"origclientorderidlist": '["b","a"]'}),
])
def test_an_order_is_meant_by_its_client_id_wherever_it_stands(route: str, params: dict[str, str]) -> None:
    stage = Stage({"name": "lost_answer", "client_id": "a"})
    assert stage.before(route, newClientOrderId="other") is None
    assert stage.before(route, **params) is not None


def test_an_order_is_meant_by_its_client_id_where_it_is_named_by_number() -> None:
    stage = Stage({"name": "lost_answer", "client_id": "a"})
    stage.place("BUY", "0.01", 59000, "a")
    stage.place("BUY", "0.01", 59000, "b")
    first, second = (str(order.order_id) for order in stage.exchange.open_orders(stage.me))
    cancel = "DELETE /fapi/v1/order"
    assert stage.before(cancel, symbol="BTCUSDT", orderId=second) is None
    assert stage.before(cancel, symbol="BTCUSDT", orderId="99999") is None
    assert stage.before(cancel, symbol="BTCUSDT", orderId=first) is not None


@pytest.mark.parametrize("rubbish", ["", "[", "{}", "[1]", '"x"', "[" * 100_000])
def test_rubbish_in_a_batch_disturbs_nothing(rubbish: str) -> None:
    stage = Stage({"name": "lost_answer", "client_id": "a"})
    assert stage.before("POST /fapi/v1/batchOrders", batchOrders=rubbish) is None


@pytest.mark.parametrize(("route", "params"), [
    (POST, {"reduceOnly": "TRUE"}), (POST, {"closePosition": "true"}),
    (POST, {"positionSide": "LONG", "side": "SELL"}), (POST, {"positionSide": "SHORT", "side": "BUY"}),
    ("DELETE /fapi/v1/order", {}), ("order.cancel", {}),
])
def test_overload_does_not_touch_what_only_closes(route: str, params: dict[str, str]) -> None:
    stage = Stage({"name": "overloaded_1008"})
    assert stage.before(route, **params) is None
    assert stage.before(POST, side="BUY") is not None


def test_a_fresh_order_is_not_seen_by_queries_for_a_while() -> None:
    stage = Stage({"name": "unseen_order", "delay_ms": 500})
    placed = {"clientOrderId": "a"}
    other = {"clientOrderId": "b"}
    assert stage.after(POST, placed) == placed
    assert stage.after("GET /fapi/v1/openOrders", [other, placed]) == [other]
    assert stage.after("GET /fapi/v1/order", other) == other
    with pytest.raises(Refusal) as refused:
        stage.after("GET /fapi/v1/order", placed)
    assert refused.value.code == -2013
    stage.wall_ms += 500
    assert stage.after("GET /fapi/v1/openOrders", [other, placed]) == [other, placed]
    assert stage.after("GET /fapi/v1/order", placed) == placed


def test_only_one_placement_is_hidden_by_default() -> None:
    stage = Stage({"name": "unseen_order", "client_id": "a"})
    stage.after("POST /fapi/v1/algoOrder", {"clientAlgoId": "b"})
    stage.after("POST /fapi/v1/algoOrder", {"clientAlgoId": "a"})
    rows = [{"clientAlgoId": "a"}, {"clientAlgoId": "b"}]
    assert stage.after("GET /fapi/v1/openAlgoOrders", rows) == rows[1:]


def test_a_stop_is_rejected_when_it_triggers() -> None:
    stage = Stage({"name": "stop_rejected", "client_id": "sl*"})
    stage.place("BUY", "0.01")
    for client_id in ("sl-1", "other"):
        stop = NewOrder(
            "BTCUSDT", Side.SELL, OrderType.STOP_MARKET, Decimal("0.005"), client_id, reduce_only=True,
            trigger_price=Decimal(59000),
        )
        stage.exchange.place_conditional(stage.me, stop, NOW)
    stage.door.feed(Point("BTCUSDT", NOW + 1, Decimal(58000)))
    ends = {fact.order.request.client_order_id: fact.order for fact in stage.told.facts
            if isinstance(fact, AlgoUpdate) and fact.order.status.closed}
    assert (ends["sl-1"].status, ends["sl-1"].reason) == (AlgoStatus.REJECTED, "Margin is insufficient.")
    assert ends["other"].status is AlgoStatus.FINISHED
    assert stage.held == Decimal("0.005")


@pytest.mark.parametrize(("given", "filled"), [({}, "0.005"), ({"qty": "0.002"}, "0.002"), ({"qty": "5"}, "0.010")])
def test_an_order_is_filled_in_part_in_the_middle_of_its_cancel(given: dict[str, object], filled: str) -> None:
    stage = Stage({"name": "partial_fill_in_cancel", "client_id": "a", **given})
    stage.place("BUY", "0.010", 59000, "a")
    stage.place("BUY", "0.010", 59000, "b")
    assert stage.before("DELETE /fapi/v1/order", symbol="BTCUSDT", origClientOrderId="b") is None
    assert stage.held == ZERO
    assert stage.before("DELETE /fapi/v1/order", symbol="BTCUSDT", origClientOrderId="a") is None
    assert stage.held == Decimal(filled)
    order = stage.exchange.order(stage.me, "BTCUSDT", "a")
    assert order.status is (Status.FILLED if filled == "0.010" else Status.PARTIALLY_FILLED)
    assert stage.exchange.order(stage.me, "BTCUSDT", "b").filled_qty == ZERO


def test_a_position_is_closed_by_hand_just_before_a_request() -> None:
    stage = Stage({"name": "closed_by_hand", "client_id": "sl"})
    stage.place("BUY", "0.010")
    assert stage.before(POST, symbol="BTCUSDT", newClientOrderId="other") is None
    assert stage.held == Decimal("0.010")
    assert stage.before(POST, symbol="BTCUSDT", newClientOrderId="sl") is None
    assert stage.held == ZERO
    assert _last_order(stage).request.client_order_id.startswith("web_")


def test_a_position_is_closed_in_part_by_adl_after_an_event() -> None:
    stage = Stage(
        {"name": "closed_by_adl", "event": "ORDER_TRADE_UPDATE", "status": "FILLED", "client_id": "a", "qty": "0.004"},
    )
    stage.place("SELL", "0.010", client_id="a")
    assert stage.held == Decimal("-0.006")
    assert _last_order(stage).request.client_order_id.startswith("adl_autoclose")


def test_nothing_is_closed_where_nothing_is_held() -> None:
    stage = Stage({"name": "closed_by_hand"})
    assert stage.before(POST, symbol="BTCUSDT", newClientOrderId="a") is None
    assert not stage.told.facts


def test_every_fault_of_a_request_has_its_answer() -> None:
    for name in FaultName:
        fault = read_fault({"name": str(name)})
        if fault.kind.seam == "request":
            assert any(disturbance(fault, NOW))


def _last_order(stage: Stage) -> Any:
    return [fact.order for fact in stage.told.facts if isinstance(fact, OrderUpdate)][-1]
