"""The stream sockets over a real loopback server."""

import asyncio
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
import pytest

from runner.domain.instrument import Instrument
from runner.venue.settings import Rules
from tests.venue.fapi.earshot import Wire, names, over_wire, until, wire
from tests.venue.fapi.told import algo, money, order, taker, told

ALL = ["TRADE_LITE", "TRADE_LITE", "ORDER_TRADE_UPDATE", "ORDER_TRADE_UPDATE", "ORDER_TRADE_UPDATE", "ACCOUNT_UPDATE"]


# --- user streams


@pytest.mark.parametrize(
    ("path", "wrapped"),
    [
        ("/private/ws/{key}", False), ("/private/ws?listenKey={key}", False), ("/private/stream?listenKey={key}", True),
        ("/private/stream?streams={key}", True), ("/ws/{key}", False), ("/stream?streams={key}", True),
        ("/private/ws?listenKey={key}&timeUnit=millisecond", False),
    ],
)
def test_every_form_of_the_url_gets_every_event(path: str, wrapped: bool) -> None:
    async def run() -> None:
        async with wire() as served, served.socket(path.format(key=served.key)) as ears:
            await ears.heard()
            served.publish(*taker())
            frames = await ears.heard()
            assert names(frames) == ALL
            assert all(frame.keys() == {"stream", "data"} for frame in frames) is wrapped

    asyncio.run(run())


@over_wire
async def test_the_official_sdk_subscribes_its_listen_key(served: Wire) -> None:
    async with served.socket("/private/stream") as ears:
        assert await ears.ask("SUBSCRIBE", [served.key], "a-uuid") == {"result": None, "id": "a-uuid"}
        served.publish(told("NEW", order()))
        (frame,) = await ears.heard()
        assert frame["stream"] == served.key and frame["data"]["o"]["x"] == "NEW"


@over_wire
async def test_only_the_wanted_events_of_a_key_are_told(served: Wire) -> None:
    key = served.key
    async with served.socket(f"/private/ws?listenKey={key}&events=ACCOUNT_UPDATE/ALGO_UPDATE") as ears:
        await ears.heard()
        served.publish(algo("NEW"), *taker())
        assert names(await ears.heard()) == ["ALGO_UPDATE", "ACCOUNT_UPDATE"]


@over_wire
async def test_two_keys_on_one_socket_have_their_own_events(served: Wire) -> None:
    served.door.exchange.open_account("other")
    mine, other = served.key, served.door.listen_keys.open("other", served.front.now).text
    path = f"/private/stream?listenKey={mine}&events=ACCOUNT_UPDATE&listenKey={other}&events=ORDER_TRADE_UPDATE"
    async with served.socket(path) as ears:
        await ears.heard()
        served.publish(told("NEW", order()), money(), told("NEW", order(), account="other"), money(account="other"))
        frames = await ears.heard()
        assert [(frame["stream"], frame["data"]["e"]) for frame in frames] == [
            (mine, "ACCOUNT_UPDATE"), (other, "ORDER_TRADE_UPDATE"),
        ]


@over_wire
async def test_nobody_hears_another_account(served: Wire) -> None:
    async with served.socket(f"/private/ws?listenKey={served.key}") as ears:
        await ears.heard()
        served.publish(told("NEW", order(), account="other"))
        assert await ears.heard() == []


@pytest.mark.parametrize(
    "path", ["/private/ws/bogus", "/private/ws?listenKey=bogus", "/private/ws", "/market/ws/{key}"]
)
def test_a_bogus_key_or_the_wrong_path_is_an_open_silent_socket(path: str) -> None:
    async def run() -> None:
        async with wire() as served, served.socket(path.format(key=served.key)) as ears:
            await ears.heard()
            served.publish(*taker())
            assert await ears.heard() == []

    asyncio.run(run())


def test_the_legacy_paths_can_be_silent_for_user_data_as_on_production() -> None:
    async def run() -> None:
        rules = Rules(legacy_streams_deliver=False)
        async with wire(rules=rules) as served, served.socket(f"/ws/{served.key}") as ears:
            await ears.heard()
            served.publish(*taker())
            assert await ears.heard() == []

    asyncio.run(run())


@over_wire
async def test_a_key_that_runs_out_is_told_once_and_then_the_open_socket_is_silent(served: Wire) -> None:
    key = served.key
    async with served.socket(f"/private/ws/{key}", autoping=True) as ears:
        await ears.heard()
        served.pass_ms(3_600_000)
        served.publish(*taker())
        served.pass_ms(1)
        assert [(frame["e"], frame["listenKey"]) for frame in await ears.heard()] == [("listenKeyExpired", key)]
        assert served.key != key
        served.publish(*taker())
        assert await ears.heard() == []


@over_wire
async def test_a_renewed_key_lives_on(served: Wire) -> None:
    async with served.socket(f"/private/ws/{served.key}", autoping=True) as ears:
        await ears.heard()
        served.pass_ms(3_000_000)
        await ears.heard(), await ears.heard()  # the ping; then what followed its pong
        served.door.listen_keys.renew("default", served.front.now)
        served.pass_ms(3_000_000)
        served.publish(told("NEW", order()))
        assert names(await ears.heard()) == ["ORDER_TRADE_UPDATE"]


@over_wire
async def test_deleting_the_key_closes_every_consumer(served: Wire) -> None:
    async with served.socket(f"/private/ws/{served.key}") as one, served.socket(f"/private/ws/{served.key}") as two:
        await one.heard(), await two.heard()
        served.door.listen_keys.close("default", served.front.now)
        served.hub.tick()
        assert (await one.closed(), await two.closed()) == (1000, 1000)


def test_a_deleted_key_can_leave_its_sockets_open_and_silent() -> None:
    async def run() -> None:
        rules = Rules(deleted_listen_key_closes=False)
        async with wire(rules=rules) as served, served.socket(f"/private/ws/{served.key}") as ears:
            await ears.heard()
            served.door.listen_keys.close("default", served.front.now)
            served.hub.tick()
            served.publish(*taker())
            assert await ears.heard() == []

    asyncio.run(run())


@over_wire
async def test_events_of_one_type_keep_their_order(served: Wire) -> None:
    async with served.socket(f"/private/ws/{served.key}") as ears:
        await ears.heard()
        for number in range(200):
            served.publish(told("NEW", order(order_id=number)))
        frames = await ears.heard()
        assert [frame["o"]["i"] for frame in frames] == list(range(200))
        assert [frame["E"] for frame in frames] == sorted(frame["E"] for frame in frames)


# --- control frames


@over_wire
async def test_subscriptions_are_kept_listed_and_ended(served: Wire) -> None:
    async with served.socket("/market/ws/btcusdt@aggTrade") as ears:
        assert await ears.ask("SUBSCRIBE", ["btcusdt@markPrice", "btcusdt@aggTrade"], 1) == {"result": None, "id": 1}
        assert await ears.ask("LIST_SUBSCRIPTIONS", id=2) == {
            "result": ["btcusdt@aggTrade", "btcusdt@markPrice"], "id": 2,
        }
        assert await ears.ask("UNSUBSCRIBE", ["btcusdt@aggTrade"], 3) == {"result": None, "id": 3}
        assert (await ears.ask("LIST_SUBSCRIPTIONS"))["result"] == ["btcusdt@markPrice"]


@over_wire
async def test_combined_is_a_property_of_the_socket(served: Wire) -> None:
    async with served.socket(f"/private/ws/{served.key}") as ears:
        assert (await ears.ask("GET_PROPERTY", ["combined"]))["result"] is False
        assert (await ears.ask("SET_PROPERTY", ["combined", True]))["result"] is None
        served.publish(told("NEW", order()))
        (frame,) = await ears.heard()
        assert frame["stream"] == served.key


@over_wire
async def test_a_socket_has_at_most_1024_streams(served: Wire) -> None:
    async with served.socket("/market/ws") as ears:
        many = [f"sym{number}usdt@aggTrade" for number in range(1024)]
        assert (await ears.ask("SUBSCRIBE", many))["result"] is None
        assert await ears.ask("SUBSCRIBE", ["btcusdt@aggTrade"], 9) == {
            "error": {"code": 4, "msg": "Too many subscriptions"}, "id": 9,
        }
        assert (await ears.ask("SUBSCRIBE", many[:3]))["result"] is None


@over_wire
async def test_a_url_with_too_many_streams_is_closed(served: Wire) -> None:
    async with served.socket("/market/stream?streams=" + "/".join(f"s{number}" for number in range(1025))) as ears:
        assert await ears.closed() == 1008


@over_wire
async def test_the_eleventh_message_of_a_second_closes_the_socket(served: Wire) -> None:
    async with served.socket("/market/ws") as ears:
        for number in range(10):
            await ears.ask("LIST_SUBSCRIPTIONS", id=number)
        served.front.now += 1000
        for number in range(10):
            await ears.ask("LIST_SUBSCRIPTIONS", id=number)
        await ears.ws.send_str('{"method":"LIST_SUBSCRIPTIONS","id":1}')
        assert await ears.closed() == 1008


@over_wire
async def test_broken_json_gets_its_error_and_a_clean_close(served: Wire) -> None:
    async with served.socket("/market/ws") as ears:
        await ears.ws.send_str("{nonsense")
        assert (await ears.hear())["error"]["code"] == 3
        assert await ears.closed() == 1008


@pytest.mark.parametrize(
    "text", ["[]", "null", "17", '{"id":1}', '{"method":"SUBSCRIBE","id":{}}', '{"method":5,"id":1}']
)
def test_a_wrong_request_gets_an_error_and_the_socket_goes_on(text: str) -> None:
    async def run() -> None:
        async with wire() as served, served.socket("/market/ws") as ears:
            await ears.ws.send_str(text)
            assert (await ears.hear())["error"]["code"] == 2
            assert (await ears.ask("LIST_SUBSCRIPTIONS"))["result"] == []

    asyncio.run(run())


def test_binary_and_huge_frames_get_a_clean_close() -> None:
    async def run() -> None:
        async with wire() as served:
            async with served.socket("/market/ws") as ears:
                await ears.ws.send_bytes(b"\x00\xff")
                assert await ears.closed() == 1003
            async with served.socket("/market/ws") as ears:
                await ears.ws.send_str("x" * 200_000)
                assert await ears.closed() in (1009, 1000, None)

    asyncio.run(run())


@over_wire
async def test_a_plain_request_to_a_socket_path_is_refused(served: Wire) -> None:
    async with served.http.get(f"http://127.0.0.1:{served.port}/private/ws") as answer:
        assert answer.status == 400 and (await answer.json())["code"] == -1000


# --- pings and ends


@over_wire
async def test_the_server_pings_every_three_minutes_and_pongs_at_once(served: Wire) -> None:
    async with served.socket("/market/ws") as ears:
        await ears.heard()
        await ears.ws.ping(b"mine")
        message = await ears.ws.receive(timeout=2)
        assert (message.type, message.data) == (aiohttp.WSMsgType.PONG, b"mine")
        served.pass_ms(179_999)
        assert await ears.heard() == []
        served.pass_ms(1)
        message = await ears.ws.receive(timeout=2)
        assert (message.type, message.data) == (aiohttp.WSMsgType.PING, str(served.front.now).encode())


@over_wire
async def test_a_client_without_a_pong_for_ten_minutes_is_closed(served: Wire) -> None:
    async with served.socket("/market/ws") as silent, served.socket("/market/ws", autoping=True) as well:
        await silent.heard(), await well.heard()
        for span in (180_000, 300_000, 299_999):
            served.pass_ms(span)
            await well.heard(), await well.heard()
        served.pass_ms(1)
        assert await silent.closed() == 1008
        assert await well.heard() == []


@over_wire
async def test_a_socket_lives_for_a_day(served: Wire) -> None:
    async with served.socket("/market/ws", autoping=True) as ears:
        for _ in range(24 * 20 - 1):
            served.pass_ms(180_000)
            await ears.heard()
        served.pass_ms(180_000)
        assert await ears.closed() == 1001


def test_closing_the_hub_closes_its_sockets() -> None:
    async def run() -> None:
        async with wire() as served, served.socket("/market/ws") as ears:
            await ears.heard()
            closing = asyncio.create_task(served.hub.close())
            assert await ears.closed() == 1001
            await closing

    asyncio.run(run())


# --- slow clients


def test_a_slow_client_is_dropped_and_delays_nobody() -> None:
    async def run() -> None:
        async with wire(max_queue=100_000) as served:
            reader, writer = await asyncio.open_connection("127.0.0.1", served.port, limit=1024)
            writer.write(
                f"GET /private/ws/{served.key} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
            )
            await reader.readuntil(b"\r\n\r\n")
            async with served.socket(f"/private/ws/{served.key}") as ears:
                await ears.heard()
                await until(lambda: len(served.hub.clients) == 2)
                slow = next(client for client in served.hub.clients if client.socket.opened_ms)
                told_all = 0
                while len(served.hub.clients) == 2 and told_all < 100_000:
                    for number in range(100):
                        served.publish(told("NEW", order(order_id=told_all + number)))
                    told_all += 100
                    served.front.now += 1000
                    frames = await ears.heard()
                    assert [frame["o"]["i"] for frame in frames] == list(range(told_all - 100, told_all))
                    if any(client.socket.closing for client in served.hub.clients):
                        break
                assert any(client.socket.closing for client in served.hub.clients)
                assert slow is not None
            writer.close()

    asyncio.run(run())


# --- faults


@over_wire
async def test_an_event_can_be_told_twice(served: Wire) -> None:
    async with served.socket(f"/private/ws/{served.key}") as ears:
        await ears.heard()
        served.fault("event_duplicated", event="ACCOUNT_UPDATE")
        served.publish(*taker())
        served.publish(*taker())
        assert names(await ears.heard()) == [*ALL, "ACCOUNT_UPDATE", *ALL]


@over_wire
async def test_an_event_can_be_missing(served: Wire) -> None:
    async with served.socket(f"/private/ws/{served.key}") as ears:
        await ears.heard()
        served.fault("event_missing", event="ORDER_TRADE_UPDATE", status="FILLED")
        served.publish(*taker())
        orders = [frame["o"]["X"] for frame in await ears.heard() if frame["e"] == "ORDER_TRADE_UPDATE"]
        assert orders == ["NEW", "PARTIALLY_FILLED"]


@over_wire
async def test_an_event_can_be_late(served: Wire) -> None:
    async with served.socket(f"/private/ws/{served.key}") as ears:
        await ears.heard()
        served.fault("event_late", event="ORDER_TRADE_UPDATE", delay_ms=700, client_id="st-a1-*")
        served.publish(told("NEW", order()), money())
        assert names(await ears.heard()) == ["ACCOUNT_UPDATE"]
        served.pass_ms(699)
        assert await ears.heard() == []
        served.pass_ms(1)
        assert names(await ears.heard()) == ["ORDER_TRADE_UPDATE"]


@over_wire
async def test_an_event_can_come_after_later_ones_or_alone_after_five_seconds(served: Wire) -> None:
    async with served.socket(f"/private/ws/{served.key}") as ears:
        await ears.heard()
        served.fault("event_reordered", event="ORDER_TRADE_UPDATE", behind=2, count=2)
        served.publish(told("NEW", order()), money(), money(at=money().at_ms + 1))
        assert names(await ears.heard()) == ["ACCOUNT_UPDATE", "ACCOUNT_UPDATE", "ORDER_TRADE_UPDATE"]
        served.publish(told("NEW", order()))
        assert await ears.heard() == []
        served.pass_ms(5000)
        assert names(await ears.heard()) == ["ORDER_TRADE_UPDATE"]


@over_wire
async def test_a_socket_can_be_dropped_at_an_event_which_is_lost_with_it(served: Wire) -> None:
    async with served.socket(f"/private/ws/{served.key}") as ears:
        await ears.heard()
        served.fault("socket_dropped", event="ORDER_TRADE_UPDATE", status="FILLED")
        served.publish(*taker())
        assert await ears.closed() is None


@over_wire
async def test_a_fault_without_an_event_hits_a_socket_that_is_open_already_and_not_the_market(served: Wire) -> None:
    async with served.socket(f"/private/ws/{served.key}") as mine, served.socket("/market/ws") as market:
        await mine.heard(), await market.heard()
        served.fault("socket_dropped")
        assert await mine.closed() is None
        assert await market.heard() == []


@over_wire
async def test_a_fault_waits_for_its_socket(served: Wire) -> None:
    served.fault("socket_dropped", nth=2, delay_ms=100)
    async with served.socket(f"/private/ws/{served.key}") as one, served.socket(f"/private/ws/{served.key}") as two:
        await one.heard(), await two.heard()
        served.pass_ms(100)
        assert await two.closed() is None
        assert await one.heard() == []


@over_wire
async def test_a_silent_socket_answers_and_pongs_and_tells_nothing(served: Wire) -> None:
    async with served.socket(f"/private/ws/{served.key}") as ears:
        served.fault("socket_silent")
        served.publish(*taker())
        assert await ears.heard() == []
        await ears.ws.ping(b"x")
        assert (await ears.ws.receive(timeout=2)).type is aiohttp.WSMsgType.PONG


@over_wire
async def test_a_frozen_socket_stays_open_and_does_nothing(served: Wire) -> None:
    async with served.socket(f"/private/ws/{served.key}") as ears:
        await ears.heard()
        served.fault("socket_frozen")
        served.publish(*taker())
        await ears.ws.ping(b"x")
        await ears.ws.send_str("{nonsense")
        served.pass_ms(700_000)
        with pytest.raises(TimeoutError):
            await ears.ws.receive(timeout=0.1)
        assert not ears.ws.closed
        ears.ws._response.connection.transport.abort()  # type: ignore[union-attr]
    await until(lambda: not served.hub.clients)


@over_wire
async def test_a_listen_key_can_run_out_early(served: Wire) -> None:
    key = served.key
    async with served.socket(f"/private/ws/{key}") as ears:
        await ears.heard()
        served.fault("listen_key_expired")
        served.hub.tick()
        assert names(await ears.heard()) == ["listenKeyExpired"]
        assert served.key != key


@over_wire
async def test_a_fault_meets_a_user_stream_that_is_subscribed_later(served: Wire) -> None:
    key = served.key
    async with served.socket("/private/stream") as ears:
        await ears.heard()
        served.fault("listen_key_expired", route="/private/stream")
        assert (await ears.ask("SUBSCRIBE", [key]))["result"] is None
        served.hub.tick()
        assert names(await ears.heard()) == ["listenKeyExpired"]


@over_wire
async def test_a_frozen_socket_does_not_even_close_with_its_key(served: Wire) -> None:
    async with served.socket(f"/private/ws/{served.key}") as ears:
        await ears.heard()
        served.fault("socket_frozen")
        served.door.listen_keys.close("default", served.front.now)
        served.hub.tick()
        with pytest.raises(TimeoutError):
            await ears.ws.receive(timeout=0.1)
        ears.ws._response.connection.transport.abort()  # type: ignore[union-attr]


# --- at the edge of the exchange


@over_wire
async def test_telling_costs_nothing_where_nobody_listens(served: Wire) -> None:
    served.publish(*taker())
    assert served.door.listen_keys.of("default", served.front.now) is None


@over_wire
async def test_frames_are_compact_json(served: Wire) -> None:
    async with served.socket(f"/private/ws/{served.key}") as ears:
        await ears.heard()
        served.publish(told("NEW", order()))
        message = await ears.ws.receive(timeout=2)
        assert message.data == json.dumps(json.loads(message.data), separators=(",", ":"))


@over_wire
async def test_a_running_hub_ticks_by_itself(served: Wire) -> None:
    running = asyncio.create_task(served.hub.run())
    async with served.socket("/market/ws") as ears:
        await ears.heard()
        served.front.now += 180_000
        assert (await ears.ws.receive(timeout=2)).type is aiohttp.WSMsgType.PING
    running.cancel()


@over_wire
async def test_a_defect_in_telling_is_logged_and_stops_nothing(served: Wire) -> None:
    served.door.exchange.venue.instrument = broken  # type: ignore[method-assign]
    async with served.socket(f"/private/ws/{served.key}") as ears:
        await ears.heard()
        with expected_log("defect of the user streams"):
            served.publish(told("NEW", order()))
        assert await ears.heard() == []


def broken(symbol: str) -> Instrument:
    raise RuntimeError(symbol)


@contextmanager
def expected_log(text: str) -> Iterator[None]:
    """The block logs this one error."""
    seen: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: seen.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("runner.venue.fapi.hub")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
    assert seen == [text]
