"""Each fault once, over the wire: what the client is answered, and what was done all the same."""

import asyncio
import hashlib
import hmac
import json
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse, ServerDisconnectedError, WSMsgType

from runner.venue.fapi.keys import DEFAULT_KEY, DEFAULT_SECRET
from runner.venue.faults import KINDS, FaultName, Seam
from tests.venue.fapi.room import Room, served

SOON_S = 5.0
QUIET_S = 0.2
LIMIT = {"type": "LIMIT", "timeInForce": "GTC", "price": "59000.0", "side": "BUY"}


async def events(socket: ClientWebSocketResponse, until: tuple[str, str]) -> list[tuple[str, str]]:
    """(event, status) of all that comes, up to the one that is waited for."""
    found: list[tuple[str, str]] = []
    while not found or found[-1] != until:
        found.append(_told(await asyncio.wait_for(socket.receive_json(), SOON_S)))
    return found


async def quiet(socket: ClientWebSocketResponse) -> bool:
    """Whether nothing comes for a while."""
    try:
        await asyncio.wait_for(socket.receive(), QUIET_S)
    except TimeoutError:
        return True
    return False


def _told(event: dict[str, Any]) -> tuple[str, str]:
    order = event.get("o")
    return event["e"], order["X"] if isinstance(order, dict) else ""


async def limit(room: Room, client_id: str) -> tuple[int, Any]:
    return await room.signed(
        "POST", "/fapi/v1/order", symbol="BTCUSDT", quantity="0.010", newClientOrderId=client_id, **LIMIT,
    )


async def found(room: Room, client_id: str) -> int:
    status, _ = await room.signed("GET", "/fapi/v1/order", symbol="BTCUSDT", origClientOrderId=client_id)
    return status


async def stop(room: Room, client_id: str, price: str = "59000.0") -> tuple[int, Any]:
    return await room.signed(
        "POST", "/fapi/v1/algoOrder", algoType="CONDITIONAL", symbol="BTCUSDT", side="SELL", type="STOP_MARKET",
        quantity="0.010", triggerPrice=price, reduceOnly="true", clientAlgoId=client_id,
    )


REFUSED = {
    "unavailable_503": (503, None), "internal_503": (503, -1001), "overloaded_1008": (503, -1008),
    "clock_1021": (400, -1021), "reduce_only_2022": (400, -2022), "duplicate_id_4116": (400, -4116),
    "over_close_4118": (400, -4118), "too_many_429": (429, -1003), "banned_418": (418, -1003),
}
UNKNOWN = {"unknown_503": (503, None), "timeout_1007": (408, -1007)}


@pytest.mark.parametrize("name", [*REFUSED, *UNKNOWN])
def test_an_order_is_answered_wrongly_once_and_done_or_not(name: str) -> None:
    async def story(room: Room) -> None:
        status, answer = await room.order("a")
        assert (status, answer.get("code")) == (REFUSED | UNKNOWN)[name]
        assert answer["msg"]
        assert await found(room, "a") == (200 if name in UNKNOWN else 400)
        assert (await room.order("b"))[0] == 200

    served(story, {"name": name})


@pytest.mark.parametrize("name", ["unknown_503", "timeout_1007", "unavailable_503", "internal_503"])
@pytest.mark.parametrize("executed", [True, False])
def test_an_answer_that_leaves_it_open_may_be_of_either_kind(name: str, executed: bool) -> None:
    async def story(room: Room) -> None:
        assert (await room.order("a"))[0] >= 400
        assert await found(room, "a") == (200 if executed else 400)

    served(story, {"name": name, "executed": executed})


def test_a_cancel_is_answered_as_unknown_and_the_order_stays() -> None:
    async def story(room: Room) -> None:
        await limit(room, "a")
        cancel = {"symbol": "BTCUSDT", "origClientOrderId": "a"}
        status, answer = await room.signed("DELETE", "/fapi/v1/order", **cancel)
        assert (status, answer["code"]) == (400, -2011)
        assert (await room.signed("GET", "/fapi/v1/openOrder", **cancel))[0] == 200

    served(story, {"name": "unknown_order_2011"})


def test_a_stop_is_told_that_it_would_trigger() -> None:
    async def story(room: Room) -> None:
        assert (await limit(room, "a"))[0] == 200
        status, answer = await stop(room, "sl")
        assert (status, answer["code"]) == (400, -2021)
        assert room.exchange.open_conditionals(room.me) == []

    served(story, {"name": "would_trigger_2021"})


def test_an_answer_is_lost_after_the_order_was_taken() -> None:
    async def story(room: Room) -> None:
        with pytest.raises(ServerDisconnectedError):
            await room.order("a")
        assert await found(room, "a") == 200

    served(story, {"name": "lost_answer"})


def test_an_answer_comes_slowly_and_nobody_else_waits_for_it() -> None:
    async def story(room: Room) -> None:
        slow = asyncio.create_task(room.order("a"))
        while not room.held:
            await asyncio.sleep(0)
        assert (await room.order("b"))[0] == 200
        assert not slow.done()
        assert (await slow)[0] == 200

    served(story, {"name": "slow_answer", "delay_ms": 300, "route": "POST /fapi/v1/order"})


@pytest.mark.parametrize("executed", [True, False])
def test_an_answer_never_comes_and_nobody_else_waits_for_it(executed: bool) -> None:
    async def story(room: Room) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(room.order("a"), QUIET_S)
        assert await found(room, "a") == (200 if executed else 400)

    served(story, {"name": "hanging_answer", "executed": executed})


def test_a_fresh_order_is_not_seen_by_queries_for_a_while() -> None:
    async def story(room: Room) -> None:
        await limit(room, "a")
        await limit(room, "b")
        assert await found(room, "a") == 400
        assert await found(room, "b") == 200
        rows = (await room.signed("GET", "/fapi/v1/openOrders", symbol="BTCUSDT"))[1]
        assert [row["clientOrderId"] for row in rows] == ["b"]
        room.wall_ms += 2_000
        assert await found(room, "a") == 200

    served(story, {"name": "unseen_order", "client_id": "a"})


def test_a_part_is_filled_in_the_middle_of_a_cancel() -> None:
    async def story(room: Room) -> None:
        await limit(room, "a")
        cancel = {"symbol": "BTCUSDT", "origClientOrderId": "a"}
        status, answer = await room.signed("DELETE", "/fapi/v1/order", **cancel)
        assert (status, answer["status"], answer["executedQty"]) == (200, "CANCELED", "0.004")
        assert str(room.held) == "0.004"

    served(story, {"name": "partial_fill_in_cancel", "qty": "0.004"})


FILLED = ("ORDER_TRADE_UPDATE", "FILLED")
ALL_OF_A_FILL = [("TRADE_LITE", ""), ("ORDER_TRADE_UPDATE", "NEW"), FILLED, ("ACCOUNT_UPDATE", "")]
OF_A_FILL = {"event": "ORDER_TRADE_UPDATE", "status": "FILLED"}


def test_without_a_fault_a_fill_is_told_whole() -> None:
    async def story(room: Room) -> None:
        socket = await room.user_stream()
        await room.order("a")
        assert await events(socket, ("ACCOUNT_UPDATE", "")) == ALL_OF_A_FILL

    served(story)


def test_an_event_is_told_twice() -> None:
    async def story(room: Room) -> None:
        socket = await room.user_stream()
        await room.order("a")
        assert (await events(socket, ("ACCOUNT_UPDATE", ""))).count(FILLED) == 2

    served(story, {"name": "event_duplicated", **OF_A_FILL})


def test_an_event_is_never_told() -> None:
    async def story(room: Room) -> None:
        socket = await room.user_stream()
        await room.order("a")
        assert FILLED not in await events(socket, ("ACCOUNT_UPDATE", ""))
        await room.order("b")
        assert FILLED in await events(socket, ("ACCOUNT_UPDATE", ""))

    served(story, {"name": "event_missing", **OF_A_FILL})


def test_an_event_is_told_after_the_next_one() -> None:
    async def story(room: Room) -> None:
        socket = await room.user_stream()
        await room.order("a")
        assert await events(socket, FILLED) == [*ALL_OF_A_FILL[:2], ("ACCOUNT_UPDATE", ""), FILLED]

    served(story, {"name": "event_reordered", **OF_A_FILL})


def test_an_event_is_told_late() -> None:
    async def story(room: Room) -> None:
        socket = await room.user_stream()
        await room.order("a")
        assert FILLED not in await events(socket, ("ACCOUNT_UPDATE", ""))
        assert await quiet(socket)

    async def later(room: Room) -> None:
        socket = await room.user_stream()
        await room.order("a")
        await events(socket, ("ACCOUNT_UPDATE", ""))
        room.wall_ms += 2_000
        assert await events(socket, FILLED) == [FILLED]

    served(story, {"name": "event_late", **OF_A_FILL})
    served(later, {"name": "event_late", **OF_A_FILL})


def test_a_socket_is_dropped_at_its_event() -> None:
    async def story(room: Room) -> None:
        socket = await room.user_stream()
        await room.order("a")
        told = []
        while (message := await asyncio.wait_for(socket.receive(), SOON_S)).type is WSMsgType.TEXT:
            told.append(_told(json.loads(message.data)))
        # What was on its way is lost as well.
        assert FILLED not in told
        assert message.type is not WSMsgType.CLOSE

    served(story, {"name": "socket_dropped", **OF_A_FILL})


def test_a_socket_that_is_open_is_dropped_as_the_fault_is_added() -> None:
    async def story(room: Room) -> None:
        socket = await room.user_stream()
        await room.post("/sim/faults", name="socket_dropped")
        message = await asyncio.wait_for(socket.receive(), SOON_S)
        assert message.type in (WSMsgType.CLOSED, WSMsgType.CLOSE, WSMsgType.ERROR)
        again = await room.user_stream()
        await room.order("a")
        assert await events(again, ("ACCOUNT_UPDATE", "")) == ALL_OF_A_FILL

    served(story)


def test_a_fault_that_waits_for_the_next_socket_is_not_met_again_as_another_is_added() -> None:
    async def story(room: Room) -> None:
        socket = await room.user_stream()
        await room.post("/sim/faults", name="lost_answer", client_id="other")
        await room.order("a")
        assert await events(socket, ("ACCOUNT_UPDATE", "")) == ALL_OF_A_FILL
        second = await room.user_stream()
        message = await asyncio.wait_for(second.receive(), SOON_S)
        assert message.type is not WSMsgType.TEXT

    served(story, {"name": "socket_dropped", "nth": 2})


@pytest.mark.parametrize("name", ["socket_silent", "socket_frozen"])
def test_a_socket_falls_silent_and_stays_open(name: str) -> None:
    async def story(room: Room) -> None:
        socket = await room.user_stream()
        await room.post("/sim/faults", name=name)
        await room.order("a")
        assert await quiet(socket)
        await socket.send_json({"method": "LIST_SUBSCRIPTIONS", "params": [], "id": 7})
        if name == "socket_frozen":
            assert await quiet(socket)
        else:
            assert (await asyncio.wait_for(socket.receive_json(), SOON_S))["id"] == 7
        assert not socket.closed

    served(story)


def test_a_listen_key_runs_out_early() -> None:
    async def story(room: Room) -> None:
        socket = await room.user_stream()
        await room.post("/sim/faults", name="listen_key_expired")
        assert await events(socket, ("listenKeyExpired", "")) == [("listenKeyExpired", "")]
        await room.order("a")
        assert await quiet(socket)
        status, answer = await room.signed("PUT", "/fapi/v1/listenKey")
        assert (status, answer["code"]) == (400, -1125)

    served(story)


def test_a_stop_is_rejected_as_it_triggers_and_the_position_stays() -> None:
    async def story(room: Room) -> None:
        socket = await room.user_stream()
        await room.order("a")
        await stop(room, "sl")
        await room.post("/sim/price", symbol="BTCUSDT", price=58000)
        assert (await events(socket, ("ALGO_UPDATE", "REJECTED")))[-2:] == [
            ("ALGO_UPDATE", "TRIGGERING"), ("ALGO_UPDATE", "REJECTED"),
        ]
        assert str(room.held) == "0.010"

    served(story, {"name": "stop_rejected", "client_id": "sl"})


@pytest.mark.parametrize(("name", "begins"), [("closed_by_hand", "web_"), ("closed_by_adl", "adl_autoclose")])
def test_a_position_is_closed_by_another_right_after_its_entry(name: str, begins: str) -> None:
    async def story(room: Room) -> None:
        socket = await room.user_stream()
        await room.order("a")
        assert room.held == 0
        ids = []
        while not ids or not ids[-1].startswith(begins):
            event = await asyncio.wait_for(socket.receive_json(), SOON_S)
            if event["e"] == "ORDER_TRADE_UPDATE":
                ids.append(event["o"]["c"])
        assert ids[0] == "a"

    served(story, {"name": name, "client_id": "a", **OF_A_FILL})


def test_every_name_is_tried_here() -> None:
    tried = {*REFUSED, *UNKNOWN} | {
        "unknown_order_2011", "would_trigger_2021", "lost_answer", "slow_answer", "hanging_answer", "unseen_order",
        "partial_fill_in_cancel", "event_duplicated", "event_missing", "event_reordered", "event_late",
        "socket_dropped", "socket_silent", "socket_frozen", "listen_key_expired", "stop_rejected", "closed_by_hand",
        "closed_by_adl",
    }
    assert tried == {str(name) for name in FaultName}
    assert {kind.seam for kind in KINDS.values()} == set(Seam)


@pytest.mark.parametrize(("name", "status", "done"), [("timeout_1007", 408, True), ("overloaded_1008", 503, False)])
def test_a_fault_meets_the_websocket_api_by_its_methods_name(name: str, status: int, done: bool) -> None:
    async def story(room: Room) -> None:
        socket = await room.client.ws_connect(f"{room.base}/ws-fapi/v1")
        params = {"apiKey": DEFAULT_KEY, "newClientOrderId": "a", "quantity": "0.010", "side": "BUY",
                  "symbol": "BTCUSDT", "timestamp": room.wall_ms, "type": "MARKET"}
        payload = "&".join(f"{key}={params[key]}" for key in sorted(params))
        signature = hmac.new(DEFAULT_SECRET.encode(), payload.encode(), hashlib.sha256).hexdigest()
        await socket.send_json({"id": 1, "method": "order.place", "params": {**params, "signature": signature}})
        answer = await asyncio.wait_for(socket.receive_json(), SOON_S)
        assert (answer["id"], answer["status"]) == (1, status)
        assert await found(room, "a") == (200 if done else 400)

    served(story, {"name": name, "route": "order.place"})
