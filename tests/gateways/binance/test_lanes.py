"""Commands on their way to the exchange, in virtual time: their order, their urgency, their further tries."""

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import aiohttp
import pytest

from runner.domain.commands import CancelOrder, PlaceOrder, QueryOrder, ReadPosition
from runner.domain.events import (
    Action,
    AttemptFailed,
    AttemptMade,
    CommandRejected,
    CommandUnresolved,
    Event,
    OrderNotFound,
    PositionReport,
)
from runner.domain.orders import OrderStatus
from runner.domain.reports import OrderReport
from runner.gateways.binance.answers import Reply
from runner.gateways.binance.clock import ExchangeClock
from runner.gateways.binance.lanes import Lanes
from runner.gateways.binance.rest import Rest
from runner.gateways.binance.settings import Endpoints, Timings
from tests.gateways.binance.stage import KEYS
from tests.gateways.binance.test_rows import CONDITIONAL, ORDER, TRIGGERED
from tests.gateways.binance.virtual import virtually
from tests.gateways.contract import SYMBOL, cancel, order, query

NOW = 1_790_000_000_000
PLACED, CANCELLED = "POST order", "DELETE order"
TIMINGS = Timings()


class Late(NamedTuple):
    """An answer that takes so long."""

    seconds: float
    answer: Reply | Exception


Answer = Reply | Exception | Late


def ok(body: Any) -> Reply:
    return Reply(200, 0, "", {}, body)


def refused(code: int, status: int = 400, message: str = "no", **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, code, message, named, {"code": code, "msg": message})


class Wire:
    """Takes the place of the client: what was sent, when in seconds, and what is answered to each path in turn, the
    last answer for ever."""

    def __init__(self, answers: dict[str, list[Answer]]) -> None:
        self.sent: list[tuple[float, str, dict[str, Any]]] = []
        self._answers: dict[str, deque[Answer]] = defaultdict(deque, {
            path: deque(given) for path, given in answers.items()
        })
        self._answers["GET time"] = deque([ok({"serverTime": NOW + 250})])

    @property
    def paths(self) -> list[tuple[float, str]]:
        return [(at_s, path) for at_s, path, _ in self.sent]

    async def close(self) -> None:
        pass

    async def futures_create_order(self, **params: str) -> Reply:
        return await self._answer(PLACED, params)

    async def futures_create_algo_order(self, **params: str) -> Reply:
        return await self._answer("POST algoOrder", params)

    async def futures_cancel_order(self, **params: str) -> Reply:
        return await self._answer(CANCELLED, params)

    async def futures_cancel_algo_order(self, **params: str) -> Reply:
        return await self._answer("DELETE algoOrder", params)

    async def _request_futures_api(
        self, method: str, path: str, signed: bool, version: int = 1, data: dict[str, Any] | None = None,
    ) -> Reply:
        return await self._answer(f"{method.upper()} {path}", data or {})

    async def _answer(self, path: str, params: dict[str, Any]) -> Reply:
        self.sent.append((round(asyncio.get_running_loop().time(), 3), path, params))
        answers = self._answers[path]
        answer = answers.popleft() if len(answers) > 1 else answers[0]
        if isinstance(answer, Late):
            await asyncio.sleep(answer.seconds)
            answer = answer.answer
        if isinstance(answer, Exception):
            raise answer
        return answer


class Told(NamedTuple):
    wire: Wire
    events: list[Event]
    wanted: list[tuple[str, str, str]]
    rest: Rest


Story = Callable[[Lanes, Told], Awaitable[None]]


class Defects(logging.Handler):
    """What was logged as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(record.getMessage())


def lanes(story: Story, *, defects: int = 0, **answers: list[Answer]) -> None:
    """`answers` by path, written `POST_order`; the lanes log so many `defects`."""
    log, heard = logging.getLogger("runner.gateways.binance.lanes"), Defects()

    async def live() -> None:
        loop = asyncio.get_running_loop()
        clock = ExchangeClock(lambda: NOW + loop.time() * 1000, lambda: loop.time() * 1000, lambda: 0.0)
        rest = Rest(Endpoints("", ""), KEYS, TIMINGS, clock=clock)
        wire = Wire({path.replace("_", " "): given for path, given in answers.items()})
        rest._opened = wire  # type: ignore[assignment]
        told = Told(wire, [], [], rest)
        made = Lanes(rest, told.events.append, lambda *wanted: told.wanted.append(wanted))
        await story(made, told)
        await made.close()
        await rest.close()

    log.addHandler(heard)
    try:
        virtually(live)
    finally:
        log.removeHandler(heard)
    assert len(heard.found) == defects, heard.found


def kinds(events: list[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


ENTRY = order("BUY", "LIMIT", price="60000", id="st-a1-e1-0001")
STOP = order("SELL", "STOP_MARKET", trigger_price="58000", reduce_only=True, id="st-a1-sl-0001").but(protective=True)
NOT_SENT = aiohttp.ConnectionTimeoutError()


# ---- one request --------------------------------------------------------------------------------------------------


def test_an_order_that_is_taken_is_reported_from_its_answer() -> None:
    async def story(made: Lanes, told: Told) -> None:
        made.submit(ENTRY)
        made.submit(STOP)
        await asyncio.sleep(1)
        assert [(one.client_order_id, one.order_id, one.status) for one in told.events] == [
            ("st-a1-e1-0001", "8389765519001", OrderStatus.NEW),
            ("st-a1-sl-0001", "A1000000181546843", OrderStatus.NEW),
        ]

    lanes(story, POST_order=[ok(ORDER)], POST_algoOrder=[ok(CONDITIONAL)])


def test_a_refusal_is_told_with_its_code_and_not_tried_again() -> None:
    async def story(made: Lanes, told: Told) -> None:
        made.submit(ENTRY)
        await asyncio.sleep(60)
        assert told.events == [CommandRejected(NOW, SYMBOL, "st-a1-e1-0001", Action.PLACE, -2019, "no")]
        assert len(told.wire.sent) == 1

    lanes(story, POST_order=[refused(-2019)])


@pytest.mark.parametrize("code", [-4116, -4130, -2022, -4118])
def test_what_is_already_so_is_told_with_its_code(code: int) -> None:
    async def story(made: Lanes, told: Told) -> None:
        made.submit(STOP)
        await asyncio.sleep(60)
        assert [(one.code, one.passing) for one in told.events if isinstance(one, CommandRejected)] == [(code, False)]
        assert kinds(told.events) == ["CommandRejected"]

    lanes(story, POST_algoOrder=[refused(code)])


@pytest.mark.parametrize("answer", [
    TimeoutError(), aiohttp.ServerDisconnectedError(), refused(-1007, 408), refused(-1001, 503), ok({}),
    Reply(503, 0, "Unknown error, please check your request or try again later.", {}, None), ok({"orderId": 1}),
    Reply(200, 0, "<html>", {}, None),
])
def test_an_unknown_outcome_is_told_with_the_instant_from_which_it_cannot_be_accepted_any_more(answer: Answer) -> None:
    async def story(made: Lanes, told: Told) -> None:
        await asyncio.sleep(2)
        made.submit(ENTRY)
        await asyncio.sleep(60)
        expires_ms = NOW + 2_000 + TIMINGS.recv_window_ms
        assert told.events == [
            CommandUnresolved(NOW + 2_000, SYMBOL, "st-a1-e1-0001", Action.PLACE, expires_ms),
        ]
        assert len(told.wire.sent) == 1

    lanes(story, POST_order=[answer])


def test_an_unknown_cancel_is_told_as_one() -> None:
    async def story(made: Lanes, told: Told) -> None:
        made.submit(cancel(ENTRY))
        await asyncio.sleep(60)
        (event,) = told.events
        assert isinstance(event, CommandUnresolved) and event.action is Action.CANCEL

    lanes(story, DELETE_order=[TimeoutError()])


def test_a_cancel_is_reported_from_its_answer_in_both_worlds() -> None:
    async def story(made: Lanes, told: Told) -> None:
        made.submit(cancel(ENTRY))
        made.submit(cancel(STOP, conditional=True))
        await asyncio.sleep(1)
        ended = {(one.client_order_id, one.order_id, one.status) for one in told.events if isinstance(one, OrderReport)}
        assert ended == {
            ("st-a1-e1-0001", "8389765519001", OrderStatus.CANCELED),
            ("st-a1-sl-0001", "A5", OrderStatus.CANCELED),
        }

    lanes(
        story, DELETE_order=[ok(ORDER | {"status": "CANCELED"})],
        DELETE_algoOrder=[ok({"algoId": 5, "clientAlgoId": "st-a1-sl-0001", "code": "200", "msg": "success"})],
    )


@pytest.mark.parametrize("code", [-2011, -2013])
def test_a_cancel_of_what_is_gone_is_told_as_it_is(code: int) -> None:
    async def story(made: Lanes, told: Told) -> None:
        made.submit(cancel(ENTRY))
        await asyncio.sleep(60)
        assert told.events == [CommandRejected(NOW, SYMBOL, "st-a1-e1-0001", Action.CANCEL, code, "no")]

    lanes(story, DELETE_order=[refused(code)])


# ---- further tries ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [
    NOT_SENT, refused(-1008, 503), Reply(503, 0, "Service Unavailable.", {}, None), refused(-1016, 503),
])
def test_what_was_not_executed_is_tried_three_times_more_after_growing_pauses(answer: Answer) -> None:
    async def story(made: Lanes, told: Told) -> None:
        made.submit(ENTRY)
        await asyncio.sleep(60)
        assert [at_s for at_s, _ in told.wire.paths] == [0, 0.5, 1.5, 3.5]
        assert kinds(told.events) == ["AttemptFailed", "AttemptMade"] * 3 + ["AttemptFailed", "CommandRejected"]
        failures = [one for one in told.events if isinstance(one, AttemptFailed)]
        assert [(one.attempt, one.retry_ms) for one in failures] == [(1, 500), (2, 1_000), (3, 2_000), (4, None)]
        assert all(one.transient and one.error for one in failures)
        assert [one.attempt for one in told.events if isinstance(one, AttemptMade)] == [2, 3, 4]
        last = told.events[-1]
        assert isinstance(last, CommandRejected) and last.passing

    lanes(story, POST_order=[answer])


def test_a_later_try_that_is_taken_is_reported() -> None:
    async def story(made: Lanes, told: Told) -> None:
        made.submit(ENTRY)
        await asyncio.sleep(60)
        assert kinds(told.events) == ["AttemptFailed", "AttemptMade", "AttemptFailed", "AttemptMade", "OrderReport"]
        assert len({params["newClientOrderId"] for _, _, params in told.wire.sent}) == 1

    lanes(story, POST_order=[NOT_SENT, refused(-1008, 503), ok(ORDER)])


def test_a_later_try_whose_outcome_is_unknown_ends_the_tries() -> None:
    async def story(made: Lanes, told: Told) -> None:
        made.submit(ENTRY)
        await asyncio.sleep(60)
        assert kinds(told.events) == ["AttemptFailed", "AttemptMade", "CommandUnresolved"]

    lanes(story, POST_order=[NOT_SENT, TimeoutError()])


@pytest.mark.parametrize("answer", [NOT_SENT, refused(-1008, 503), refused(-1003, 429), refused(-1015, 429)])
def test_protection_is_told_at_once_that_it_was_not_taken(answer: Answer) -> None:
    async def story(made: Lanes, told: Told) -> None:
        made.submit(STOP)
        await asyncio.sleep(0.1)
        failed, last = told.events
        assert isinstance(failed, AttemptFailed) and failed.retry_ms is None
        assert isinstance(last, CommandRejected) and last.passing
        assert len(told.wire.sent) == 1

    lanes(story, POST_algoOrder=[answer])


@pytest.mark.parametrize("code", [-1021, -5028])
def test_a_refused_timestamp_is_signed_anew_and_sent_again_at_once(code: int) -> None:
    async def story(made: Lanes, told: Told) -> None:
        made.submit(STOP)
        made.submit(ENTRY)
        await asyncio.sleep(0.1)
        assert kinds([one for one in told.events if one.client_order_id == "st-a1-sl-0001"]) == [  # type: ignore[union-attr]
            "AttemptFailed", "AttemptMade", "OrderReport",
        ]
        assert all(at_s == 0 for at_s, _ in told.wire.paths)
        assert round(told.rest.clock.offset_ms) == 250

    lanes(story, POST_algoOrder=[refused(code), ok(CONDITIONAL)], POST_order=[refused(code), ok(ORDER)])


def test_a_timestamp_that_a_new_measure_does_not_cure_is_told() -> None:
    async def story(made: Lanes, told: Told) -> None:
        made.submit(STOP)
        await asyncio.sleep(0.1)
        assert kinds(told.events) == ["AttemptFailed", "AttemptMade", "AttemptFailed", "CommandRejected"]
        made.submit(ENTRY)
        await asyncio.sleep(60)
        assert sum(path == PLACED for _, path in told.wire.paths) == 4

    lanes(story, POST_algoOrder=[refused(-1021)], POST_order=[refused(-1021)])


def test_a_cancel_is_tried_again_while_its_stop_triggers() -> None:
    async def story(made: Lanes, told: Told) -> None:
        made.submit(cancel(STOP, conditional=True))
        await asyncio.sleep(60)
        assert [at_s for at_s, _ in told.wire.paths] == [0, 0.5]
        assert isinstance(told.events[-1], CommandRejected) and told.events[-1].code == -2011

    lanes(story, DELETE_algoOrder=[refused(-4117), refused(-2011)])


@pytest.mark.parametrize(("answer", "passing"), [
    (refused(-2015, 401), False), (refused(-1022), False), (Reply(403, 0, "<html>", {}, None), False),
    (refused(-1003, 418, Retry_After="30"), True),
])
def test_a_halt_is_told_and_not_tried_again(answer: Reply, passing: bool) -> None:
    async def story(made: Lanes, told: Told) -> None:
        made.submit(ENTRY)
        await asyncio.sleep(300)
        (event,) = told.events
        assert isinstance(event, CommandRejected)
        assert (event.code, event.passing) == (answer.code, passing)
        assert len(told.wire.sent) == 1

    lanes(story, POST_order=[answer])


# ---- sequence --------------------------------------------------------------------------------------------


def test_commands_for_one_order_go_in_sequence_and_for_different_orders_side_by_side() -> None:
    async def story(made: Lanes, told: Told) -> None:
        made.submit(ENTRY)
        made.submit(query(ENTRY))
        await asyncio.sleep(0.1)
        made.submit(cancel(ENTRY))
        made.submit(STOP)
        await asyncio.sleep(60)
        assert told.wire.paths == [
            (0, PLACED), (0.1, "POST algoOrder"), (0.4, "GET order"), (0.4, "GET algoOrder"), (0.4, CANCELLED),
        ]

    lanes(
        story, POST_order=[Late(0.4, ok(ORDER))], POST_algoOrder=[ok(CONDITIONAL)], GET_order=[ok(ORDER)],
        GET_algoOrder=[refused(-2013)], DELETE_order=[ok(ORDER | {"status": "CANCELED"})],
    )


# ---- answers that take long ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("command", "action"), [(ENTRY, Action.PLACE), (cancel(ENTRY), Action.CANCEL)])
def test_an_answer_that_takes_long_leaves_the_outcome_unknown_and_is_told_when_it_comes(
    command: PlaceOrder | CancelOrder, action: Action,
) -> None:
    async def story(made: Lanes, told: Told) -> None:
        made.submit(command)
        await asyncio.sleep(0.499)
        assert told.events == []
        await asyncio.sleep(0.002)
        expires_ms = NOW + TIMINGS.recv_window_ms
        assert told.events == [CommandUnresolved(NOW + 500, SYMBOL, "st-a1-e1-0001", action, expires_ms)]
        await asyncio.sleep(60)
        assert kinds(told.events) == ["CommandUnresolved", "OrderReport"]
        assert len(told.wire.sent) == 1

    lanes(story, POST_order=[Late(2, ok(ORDER))], DELETE_order=[Late(2, ok(ORDER))])


def test_an_order_whose_answer_takes_long_is_free_to_be_looked_up_and_cancelled() -> None:
    async def story(made: Lanes, told: Told) -> None:
        made.submit(ENTRY)
        made.submit(query(ENTRY))
        await asyncio.sleep(1)
        assert told.wire.paths == [(0, PLACED), (0.5, "GET order"), (0.5, "GET algoOrder")]
        made.submit(cancel(ENTRY))
        await asyncio.sleep(1)
        assert told.wire.paths[-1] == (1, CANCELLED)
        assert kinds(told.events) == ["CommandUnresolved", "OrderReport", "OrderReport"]
        await asyncio.sleep(60)
        assert kinds(told.events) == ["CommandUnresolved", "OrderReport", "OrderReport"], "no outcome comes late"

    lanes(
        story, POST_order=[Late(4, TimeoutError())], GET_order=[ok(ORDER)], GET_algoOrder=[refused(-2013)],
        DELETE_order=[ok(ORDER | {"status": "CANCELED"})],
    )


@pytest.mark.parametrize(
    ("answer", "passing"), [(refused(-2019), False), (NOT_SENT, True), (refused(-1008, 503), True)],
)
def test_a_no_that_comes_late_is_told_and_not_followed_by_another_try(answer: Reply | Exception, passing: bool) -> None:
    async def story(made: Lanes, told: Told) -> None:
        made.submit(ENTRY)
        await asyncio.sleep(60)
        unknown, last = told.events
        assert isinstance(unknown, CommandUnresolved)
        assert isinstance(last, CommandRejected) and last.passing is passing
        assert len(told.wire.sent) == 1

    lanes(story, POST_order=[Late(2, answer)])


def test_a_late_no_is_not_taken_for_that_of_a_later_placement_under_the_same_id() -> None:
    async def story(made: Lanes, told: Told) -> None:
        made.submit(ENTRY)
        await asyncio.sleep(1)
        made.submit(ENTRY)
        await asyncio.sleep(60)
        assert kinds(told.events) == ["CommandUnresolved", "OrderReport"]

    lanes(story, POST_order=[Late(2, refused(-2019)), Late(0.1, ok(ORDER))])


def test_a_cancel_whose_no_comes_late_is_not_told_again() -> None:
    async def story(made: Lanes, told: Told) -> None:
        made.submit(cancel(ENTRY))
        await asyncio.sleep(60)
        assert kinds(told.events) == ["CommandUnresolved"]

    lanes(story, DELETE_order=[Late(2, refused(-2011))])


def test_a_look_that_takes_long_holds_up_no_cancel_and_is_told_when_it_ends() -> None:
    async def story(made: Lanes, told: Told) -> None:
        made.submit(query(ENTRY))
        made.submit(cancel(ENTRY))
        await asyncio.sleep(60)
        assert told.wire.paths == [(0, "GET order"), (0, "GET algoOrder"), (0.5, CANCELLED)]
        assert [one.status for one in told.events if isinstance(one, OrderReport)] == [
            OrderStatus.CANCELED, OrderStatus.NEW,
        ]

    lanes(
        story, GET_order=[Late(3, ok(ORDER))], GET_algoOrder=[refused(-2013)],
        DELETE_order=[ok(ORDER | {"status": "CANCELED"})],
    )


def test_what_is_asked_of_an_order_that_is_known_to_stand_does_not_wait_for_the_answer_to_its_placement() -> None:
    async def story(made: Lanes, told: Told) -> None:
        made.submit(ENTRY)
        await asyncio.sleep(0.1)
        made.submit(cancel(ENTRY))
        await asyncio.sleep(0.1)
        made.confirmed("st-a1-e1-0001")
        made.confirmed("nobody's")
        await asyncio.sleep(60)
        assert told.wire.paths == [(0, PLACED), (0.2, CANCELLED)]
        assert [one.status for one in told.events if isinstance(one, OrderReport)] == [OrderStatus.CANCELED]
        assert len(told.events) == 1, "the lost answer says nothing that is not known"
        made.confirmed("st-a1-e1-0001")

    lanes(story, POST_order=[Late(4, TimeoutError())], DELETE_order=[ok(ORDER | {"status": "CANCELED"})])


def test_a_cancel_under_way_is_not_left_because_its_order_stands() -> None:
    async def story(made: Lanes, told: Told) -> None:
        made.submit(cancel(ENTRY))
        made.submit(query(ENTRY))
        await asyncio.sleep(0.1)
        made.confirmed("st-a1-e1-0001")
        await asyncio.sleep(0.1)
        assert told.wire.paths == [(0, CANCELLED)]

    lanes(
        story, DELETE_order=[Late(0.4, ok(ORDER))], GET_order=[ok(ORDER)], GET_algoOrder=[refused(-2013)],
    )


@pytest.mark.parametrize("strange", [{"orderId": 1}, [], "text", 7, {"orderId": {}, "symbol": []}, ORDER | {"side": 0}])
@pytest.mark.parametrize("command", [ENTRY, STOP, cancel(ENTRY), cancel(STOP, conditional=True), query(ENTRY)])
def test_an_answer_of_a_strange_shape_leaves_the_outcome_unknown_and_the_lane_in_use(
    command: PlaceOrder | CancelOrder | QueryOrder, strange: Any,
) -> None:
    async def story(made: Lanes, told: Told) -> None:
        made.submit(command)
        made.submit(query(ENTRY if "e1" in str(command) else STOP))
        await asyncio.sleep(60)
        assert kinds(told.events) == ["CommandUnresolved", "CommandUnresolved"]

    body = [ok(strange)]
    lanes(
        story, POST_order=body, POST_algoOrder=body, DELETE_order=body, DELETE_algoOrder=body, GET_order=body,
        GET_algoOrder=body,
    )


def test_whatever_goes_wrong_is_logged_and_leaves_the_lane_in_use() -> None:
    async def story(made: Lanes, told: Told) -> None:
        made.submit(STOP.but(request=STOP.request.but(quantity=None)))
        made.submit(query(STOP))
        await asyncio.sleep(60)
        assert kinds(told.events) == ["CommandUnresolved", "OrderNotFound"]

    lanes(story, defects=1, GET_order=[refused(-2013)], GET_algoOrder=[refused(-2013)])


# ---- urgency ------------------------------------------------------------------------------------------------------


def test_a_pause_is_kept_from_everything_and_then_the_urgent_go_first() -> None:
    async def story(made: Lanes, told: Told) -> None:
        made.submit(order("BUY", "LIMIT", price="60000", id="other"))
        await asyncio.sleep(0.1)
        made.submit(ENTRY)
        made.submit(query(order("BUY", "LIMIT", id="asked")))
        made.submit(STOP)
        made.submit(cancel(order("BUY", "LIMIT", id="cancelled")))
        await asyncio.sleep(60)
        assert told.wire.paths == [
            (0, PLACED), (10, CANCELLED), (10, "POST algoOrder"), (10, "GET order"), (10, "GET algoOrder"),
            (10, PLACED), (10, PLACED),
        ]

    lanes(
        story, POST_order=[refused(-1003, 429, Retry_After="10"), ok(ORDER)], POST_algoOrder=[ok(CONDITIONAL)],
        GET_order=[refused(-2013)], GET_algoOrder=[refused(-2013)], DELETE_order=[refused(-2011)],
    )


def test_a_placement_that_pauses_is_withdrawn_by_its_cancel() -> None:
    async def story(made: Lanes, told: Told) -> None:
        made.submit(ENTRY)
        await asyncio.sleep(0.1)
        made.submit(cancel(ENTRY))
        await asyncio.sleep(60)
        assert told.wire.paths == [(0, PLACED), (0.1, CANCELLED)]
        assert [(one.action, one.code, one.passing) for one in told.events if isinstance(one, CommandRejected)] == [
            (Action.PLACE, 0, True), (Action.CANCEL, -2011, False),
        ]

    lanes(story, POST_order=[NOT_SENT], DELETE_order=[refused(-2011)])


def test_a_placement_that_waits_for_the_budget_is_withdrawn_by_its_cancel() -> None:
    async def story(made: Lanes, told: Told) -> None:
        told.rest.budget.note(refused(-1015, 429, Retry_After="30"))
        made.submit(ENTRY)
        await asyncio.sleep(1)
        made.submit(cancel(ENTRY))
        made.submit(query(ENTRY))
        await asyncio.sleep(60)
        assert [path for _, path in told.wire.paths] == [CANCELLED, "GET order", "GET algoOrder"]
        assert kinds(told.events) == ["CommandRejected", "CommandRejected", "OrderNotFound"]

    lanes(story, DELETE_order=[refused(-2011)], GET_order=[refused(-2013)], GET_algoOrder=[refused(-2013)])


def test_a_placement_under_way_is_not_withdrawn() -> None:
    async def story(made: Lanes, told: Told) -> None:
        made.submit(ENTRY)
        await asyncio.sleep(0.1)
        made.submit(cancel(ENTRY))
        await asyncio.sleep(60)
        assert [one.status for one in told.events if isinstance(one, OrderReport)] == [
            OrderStatus.NEW, OrderStatus.CANCELED,
        ]

    lanes(story, POST_order=[Late(0.4, ok(ORDER))], DELETE_order=[ok(ORDER | {"status": "CANCELED"})])


# ---- looking things up --------------------------------------------------------------------------------------------


def test_a_query_asks_both_worlds_side_by_side_and_wants_the_trades_of_what_was_filled() -> None:
    filled = ORDER | {"status": "FILLED", "executedQty": "0.010", "avgPrice": "60000"}

    async def story(made: Lanes, told: Told) -> None:
        made.submit(query(ENTRY))
        await asyncio.sleep(60)
        assert told.wire.paths == [(0, "GET order"), (0, "GET algoOrder")]
        (report,) = told.events
        assert isinstance(report, OrderReport) and report.status is OrderStatus.FILLED
        assert told.wanted == [(SYMBOL, "8389765519001", "st-a1-e1-0001")]

    lanes(story, GET_order=[Late(1, ok(filled))], GET_algoOrder=[Late(1, refused(-2013))])


def test_the_order_that_a_conditional_order_placed_is_looked_up_by_its_own_id() -> None:
    engine = ORDER | {
        "orderId": 8389765519777, "clientOrderId": "of-the-engine", "status": "FILLED", "executedQty": "0.010",
        "avgPrice": "57998.5", "side": "SELL",
    }

    async def story(made: Lanes, told: Told) -> None:
        made.submit(query(STOP))
        await asyncio.sleep(60)
        assert [params.get("orderId") for _, path, params in told.wire.sent if path == "GET order"] == [
            None, "8389765519777",
        ]
        (report,) = told.events
        assert isinstance(report, OrderReport)
        assert (report.client_order_id, report.order_id) == ("st-a1-sl-0001", "8389765519777")
        assert report.status is OrderStatus.FILLED

    lanes(story, GET_order=[refused(-2013), ok(engine)], GET_algoOrder=[ok(TRIGGERED)])


def test_what_is_not_found_is_told_with_the_instant_at_which_the_reads_had_ended() -> None:
    async def story(made: Lanes, told: Told) -> None:
        made.submit(query(ENTRY))
        await asyncio.sleep(60)
        assert told.events == [OrderNotFound(NOW + 3_000, SYMBOL, "st-a1-e1-0001")]

    lanes(story, GET_order=[Late(3, refused(-2013))], GET_algoOrder=[refused(-2013)])


@pytest.mark.parametrize("answer", [TimeoutError(), refused(-1008, 503), ok({"status": "NEW"}), ok([])])
def test_a_query_that_fails_in_one_world_says_nothing_of_the_order(answer: Answer) -> None:
    async def story(made: Lanes, told: Told) -> None:
        made.submit(query(ENTRY))
        await asyncio.sleep(60)
        assert told.events == [CommandUnresolved(NOW, SYMBOL, "st-a1-e1-0001", Action.QUERY, NOW)]

    lanes(story, GET_order=[answer], GET_algoOrder=[refused(-2013)])


def test_a_position_is_read_until_it_is_known() -> None:
    async def story(made: Lanes, told: Told) -> None:
        made.submit(ReadPosition(SYMBOL))
        await asyncio.sleep(60)
        assert [at_s for at_s, _ in told.wire.paths] == [0, 0.5, 1.5, 3.5, 5.5, 7.5]
        (report,) = told.events
        assert isinstance(report, PositionReport)
        assert (report.begun_ms, report.at_ms, str(report.qty)) == (NOW + 7_500, NOW + 8_500, "-0.010")

    held = {"symbol": SYMBOL, "positionAmt": "-0.010", "entryPrice": "60000"}
    lanes(story, GET_positionRisk=[
        TimeoutError(), NOT_SENT, refused(-1008, 503), refused(-1003, 400, Retry_After="1"), ok([{}]),
        Late(1, ok([held])),
    ])


def test_no_position_is_a_position_of_zero() -> None:
    async def story(made: Lanes, told: Told) -> None:
        made.submit(ReadPosition(SYMBOL))
        await asyncio.sleep(1)
        assert told.events == [PositionReport(NOW, SYMBOL, told.events[0].qty, NOW)]  # type: ignore[union-attr]
        assert told.events[0].qty == 0  # type: ignore[union-attr]

    lanes(story, GET_positionRisk=[ok([])])


def test_closing_gives_up_what_is_under_way_and_says_nothing_of_it() -> None:
    async def story(made: Lanes, told: Told) -> None:
        for command in (ENTRY, query(ENTRY), STOP, ReadPosition(SYMBOL)):
            made.submit(command)
        await asyncio.sleep(0.1)
        await made.close()
        await asyncio.sleep(60)
        assert told.events == []

    lanes(
        story, POST_order=[Late(30, ok(ORDER))], POST_algoOrder=[Late(30, ok(CONDITIONAL))],
        GET_positionRisk=[Late(30, ok([]))],
    )


Command = PlaceOrder | CancelOrder | QueryOrder | ReadPosition


@pytest.mark.parametrize("command", [ENTRY, STOP, cancel(ENTRY), query(ENTRY), ReadPosition(SYMBOL)])
def test_a_request_is_sent_in_the_turn_after_its_command(command: Command) -> None:
    async def story(made: Lanes, told: Told) -> None:
        made.submit(command)
        await asyncio.sleep(0)
        if not isinstance(command, QueryOrder):
            assert len(told.wire.sent) == 1
        await asyncio.sleep(0)
        assert told.wire.sent

    later = [Late(30, ok([]))]
    lanes(
        story, POST_order=later, POST_algoOrder=later, DELETE_order=later, GET_order=later, GET_algoOrder=later,
        GET_positionRisk=later,
    )
