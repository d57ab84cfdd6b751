"""Any commands, any answers, in any order and after any time: none is swallowed, and nothing is sent twice blindly."""

import asyncio
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from runner.domain.commands import CancelOrder, PlaceOrder, QueryOrder, ReadPosition
from runner.domain.events import (
    Action,
    AttemptFailed,
    CommandRejected,
    CommandUnresolved,
    Event,
    OrderNotFound,
    PositionReport,
)
from runner.domain.reports import OrderReport
from runner.gateways.binance.answers import Reply
from runner.gateways.binance.lanes import Lanes
from tests.gateways.binance.test_lanes import NOT_SENT, Answer, Late, Told, lanes, ok, refused
from tests.gateways.binance.test_rows import CONDITIONAL, ORDER
from tests.gateways.contract import SYMBOL, order

IDS = ("run.1", "run.2", "run.3")
Command = PlaceOrder | CancelOrder | QueryOrder | ReadPosition

no = st.sampled_from([refused(-2011), refused(-2019), refused(-4116), refused(-2015, 401)])
passing = st.sampled_from([NOT_SENT, refused(-1008, 503), refused(-1021), refused(-1003, 429, Retry_After="2")])
unknown = st.sampled_from([
    TimeoutError(), refused(-1007, 408), ok([]), ok({"orderId": 5}), Reply(502, 0, "<html>", {}, None), ValueError("x"),
])
said = st.one_of(no, passing, unknown, st.just(ok(ORDER)), st.just(ok(CONDITIONAL)))
answer = st.one_of(said, st.builds(Late, st.sampled_from([0.1, 0.6, 3.0]), said))
answers = st.lists(answer, min_size=1, max_size=6)


@st.composite
def commands(draw: st.DrawFn) -> Command:
    client_id = draw(st.sampled_from(IDS))
    match draw(st.integers(0, 4)):
        case 0:
            return order("BUY", "LIMIT", price="59000", id=client_id)
        case 1:
            return order("SELL", "STOP_MARKET", trigger_price="58000", id=client_id).but(protective=True)
        case 2:
            return CancelOrder(SYMBOL, client_id, draw(st.booleans()), "node")
        case 3:
            return QueryOrder(SYMBOL, client_id)
        case _:
            return ReadPosition(SYMBOL)


def outcomes(events: list[Event]) -> Counter[tuple[str, str]]:
    """How many ends of commands were told, by action and order; a report may be the end of any."""
    ends: Counter[tuple[str, str]] = Counter()
    for event in events:
        match event:
            case CommandRejected(client_order_id=client_id, action=action):
                ends[action.value, client_id] += 1
            case CommandUnresolved(client_order_id=client_id, action=action):
                ends[action.value, client_id] += 1
            case OrderNotFound(client_order_id=client_id):
                ends["query", client_id] += 1
            case OrderReport():
                ends["report", ""] += 1
            case PositionReport():
                ends["position", ""] += 1
    return ends


def action_of(command: Command) -> tuple[str, str]:
    match command:
        case PlaceOrder(request=request):
            return "place", request.client_order_id
        case CancelOrder(client_order_id=client_id):
            return "cancel", client_id
        case QueryOrder(client_order_id=client_id):
            return "query", client_id
        case ReadPosition():
            return "position", ""


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(commands(), st.sampled_from([0.0, 0.0, 0.05, 0.7, 4.0])), max_size=14), st.data())
def test_every_command_has_an_end_and_nothing_is_sent_again_that_may_have_been_executed(
    given_commands: list[tuple[Command, float]], data: st.DataObject,
) -> None:
    paths = ("POST_order", "POST_algoOrder", "DELETE_order", "DELETE_algoOrder", "GET_order", "GET_algoOrder")
    by_path: dict[str, list[Answer]] = {path: data.draw(answers, label=path) for path in paths}
    by_path["GET_positionRisk"] = [*data.draw(answers), ok([])]

    async def story(made: Lanes, told: Told) -> None:
        for command, pause_s in given_commands:
            made.submit(command)
            await asyncio.sleep(pause_s)
        await asyncio.sleep(600)
        assert not made._lanes and not made._tasks, "all lanes are free again"
        ends, wanted = outcomes(told.events), Counter(action_of(command) for command, _ in given_commands)
        assert ends["position", ""] == wanted["position", ""]
        lacking = sum(max(wanted[key] - ends[key], 0) for key in wanted if key[0] != "position")
        assert lacking <= ends["report", ""], "an end for each command"
        sent = sum(path.startswith("POST") for _, path in told.wire.paths)
        placed = sum(isinstance(command, PlaceOrder) for command, _ in given_commands)
        again = sum(
            isinstance(event, AttemptFailed) and event.action is Action.PLACE and event.retry_ms is not None
            for event in told.events
        )
        assert sent <= placed + again, "sent again only after a no"

    lanes(story, **by_path)
