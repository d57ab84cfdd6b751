"""Whatever comes in over the wire is answered as Binance would, or its connection is closed; nothing fails or hangs."""

import asyncio
import gzip
import json
import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from aiohttp import ClientSession, WSMsgType

from runner.venue.fapi.routes.table import ROUTES
from tests.venue.fapi.wire import HOST, PATIENCE_S, SYMBOL, Answer, House, opened, signed

TIME = b"GET /fapi/v1/time HTTP/1.1\r\nHost: x\r\n\r\n"
NOW = 1_790_000_000_000
SHORT_S = 0.2
NOISE = bytes((n * 97 + 131) % 256 for n in range(512))


@pytest.fixture(autouse=True)
def _no_defect(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing that came in was a surprise to the exchange."""
    with caplog.at_level(logging.ERROR):
        yield
    assert not caplog.records, [record.getMessage() for record in caplog.records]


def at(visit: Callable[[House], Awaitable[None]], **times: float) -> None:
    """Visit the exchange, which must answer as ever afterwards."""

    async def run() -> None:
        async with opened(**times) as house:
            await visit(house)
            answer = await house.send(TIME)
            assert answer is not None and answer.body["serverTime"] > 0

    asyncio.run(run())


def refused(answer: Answer | None) -> bool:
    """Whether it was closed without an answer, or answered as Binance answers what it does not take."""
    if answer is None:
        return True
    if answer.status >= 500:
        return False
    body = answer.body
    return answer.status >= 400 and (isinstance(body, bytes) or (isinstance(body["code"], int) and body["code"] < 0))


def post(body: bytes, headers: str = "", path: str = "/fapi/v1/order") -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body


def get(target: bytes) -> bytes:
    return b"GET " + target + b" HTTP/1.1\r\nHost: x\r\n\r\n"


KEYED = "X-MBX-APIKEY: sim-key\r\n"
CHUNKED = b"POST /fapi/v1/order HTTP/1.1\r\nHost: x\r\nX-MBX-APIKEY: sim-key\r\nTransfer-Encoding: chunked\r\n"
REQUESTS: dict[str, bytes] = {
    "noise": NOISE[:64] + b"\r\n\r\n",
    "a TLS greeting": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64) + b"\r\n\r\n",
    "a method that does not exist": b"SPOIL /fapi/v1/order HTTP/1.1\r\nHost: x\r\n\r\n",
    "a version that does not exist": b"GET /fapi/v1/time HTTP/9.9\r\nHost: x\r\n\r\n",
    "a header without a colon": b"GET /fapi/v1/time HTTP/1.1\r\nHost x\r\n\r\n",
    "a header with a null byte": b"GET /fapi/v1/time HTTP/1.1\r\nHost: x\r\nX-MBX-APIKEY: a\x00b\r\n\r\n",
    "a huge header": b"GET /fapi/v1/time HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 200_000 + b"\r\n\r\n",
    "thousands of headers": b"GET /fapi/v1/order HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
    "a huge target": get(b"/fapi/v1/" + b"a" * 200_000),
    "a path that does not exist": get(b"/fapi/v9/order"),
    "a path outside of all": get(b"/../../etc/passwd"),
    "an encoded path outside of all": get(b"/fapi/%2e%2e/%2e%2e/etc/passwd"),
    "the method of another route": b"PATCH /fapi/v1/order HTTP/1.1\r\nHost: x\r\n\r\n",
    "a tunnel": b"CONNECT fapi.binance.com:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    "a null byte in the path": get(b"/fapi/v1/ti\x00me"),
    "an encoded null byte in the path": get(b"/fapi/v1/ti%00me"),
    "a path that is no UTF-8": get(b"/fapi/v1/\xff\xfe"),
    "an encoded path that is no UTF-8": get(b"/fapi/v1/%ff%fe%c0%80"),
    "a query that is no UTF-8": get(b"/fapi/v1/depth?symbol=%ff%fe"),
    "a query of thousands": get(b"/fapi/v1/depth?" + b"&".join(b"a%d=1" % n for n in range(500))),
    "a parameter twice": get(b"/fapi/v1/depth?symbol=BTCUSDT&symbol=ETHUSDT"),
    "no key": post(b"symbol=BTCUSDT"),
    "a key that cannot be one": post(b"symbol=BTCUSDT", "X-MBX-APIKEY: \xe9\xff\r\n"),
    "a key of 100,000 characters": post(b"", f"X-MBX-APIKEY: {'a' * 7000}\r\n"),
    "no signature": post(b"symbol=BTCUSDT&timestamp=1", KEYED),
    "an empty signature": post(b"symbol=BTCUSDT&timestamp=1&signature=", KEYED),
    "a signature that is no ASCII": post(f"timestamp={NOW}&signature=\xe9".encode(), KEYED),
    "a timestamp of 5,000 digits": post(b"timestamp=" + b"9" * 5000 + b"&signature=00", KEYED),
    "a timestamp in words": post(b"timestamp=now&signature=00", KEYED),
    "JSON where a form is due": post(b'{"symbol": "BTCUSDT"}', KEYED + "Content-Type: application/json\r\n"),
    "a body of another kind": post(b"\x89PNG\r\n\x1a\n" + NOISE, KEYED + "Content-Type: image/png\r\n"),
    "a broken multipart body": post(b"--x\r\n", KEYED + "Content-Type: multipart/form-data; boundary=x\r\n"),
    "a character set that does not exist": post(
        b"symbol=\xff", KEYED + "Content-Type: application/x-www-form-urlencoded; charset=klingon\r\n"
    ),
    "a huge body": post(b"a=" + b"b" * 1_000_000, KEYED),
    "a packed huge body": post(gzip.compress(bytes(50_000_000)), KEYED + "Content-Encoding: gzip\r\n"),
    "a body that is not packed as it says": post(b"not packed", KEYED + "Content-Encoding: gzip\r\n"),
    "a length below zero": b"POST /fapi/v1/order HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "a length in words": b"POST /fapi/v1/order HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
    "two lengths": b"POST /fapi/v1/order HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "a length and chunks": CHUNKED + b"Content-Length: 5\r\n\r\n0\r\n\r\n",
    "a chunk size in words": CHUNKED + b"\r\nmany\r\nabc\r\n0\r\n\r\n",
    "a chunk below zero": CHUNKED + b"\r\n-5\r\nabc\r\n0\r\n\r\n",
    "a chunk longer than it says": CHUNKED + b"\r\n2\r\nabcdef\r\n0\r\n\r\n",
    "a chunk of huge size": CHUNKED + b"\r\nffffffffffffffff\r\nabc\r\n0\r\n\r\n",
}


def test_a_broken_request_is_refused_or_closed() -> None:
    async def visit(house: House) -> None:
        for what, request in REQUESTS.items():
            answer = await house.send(request)
            assert refused(answer), (what, answer)

    at(visit, body_seconds=SHORT_S)


def test_an_unknown_path_has_binances_answer() -> None:
    async def visit(house: House) -> None:
        answer = await house.send(get(b"/fapi/v1/nothing"))
        assert answer is not None and answer.status == 404 and answer.body["code"] == -5000

    at(visit)


@pytest.mark.parametrize("part", [
    b"", b"GET /fapi/v1/ti", b"GET /fapi/v1/time HTTP/1.1\r\nHost: x\r\n", CHUNKED, CHUNKED + b"\r\n5\r\nab",
    b"POST /fapi/v1/order HTTP/1.1\r\nHost: x\r\nX-MBX-APIKEY: sim-key\r\nContent-Length: 100\r\n\r\nsymbol=",
])
def test_a_client_that_never_ends_its_request_is_sent_away(part: bytes) -> None:
    async def visit(house: House) -> None:
        assert refused(await house.send(part))

    at(visit, head_seconds=SHORT_S, body_seconds=SHORT_S)


def test_a_body_that_drips_is_sent_away_in_time() -> None:
    async def visit(house: House) -> None:
        async with house.line() as line:
            line.writer.write(
                b"POST /fapi/v1/order HTTP/1.1\r\nHost: x\r\nX-MBX-APIKEY: sim-key\r\nContent-Length: 1000\r\n\r\n"
            )
            answering = asyncio.create_task(line.answer())
            for _ in range(100):
                line.writer.write(b"a")
                done, _ = await asyncio.wait([answering], timeout=SHORT_S / 4)
                if done:
                    break
            assert refused(await answering)

    at(visit, body_seconds=SHORT_S)


@pytest.mark.parametrize("part", [
    b"GET /fapi/v1/ti", b"POST /fapi/v1/order HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nsymb",
    CHUNKED + b"\r\n5\r\nab", b"",
])
def test_a_client_that_closes_its_side_too_early_leaves_nothing_behind(part: bytes) -> None:
    async def visit(house: House) -> None:
        assert refused(await house.send(part, half_close=True))

    at(visit)


def test_a_client_that_closes_its_side_after_the_request_is_answered_or_let_go() -> None:
    async def visit(house: House) -> None:
        answer = await house.send(TIME, half_close=True)
        assert answer is None or answer.status == 200

    at(visit)


def test_requests_that_come_all_at_once_are_answered_in_their_order() -> None:
    async def visit(house: House) -> None:
        async with house.line() as line:
            line.writer.write((TIME + get(b"/fapi/v1/nothing")) * 200)
            for number in range(400):
                answer = await line.answer()
                assert answer is not None and answer.status == (404 if number % 2 else 200)

    at(visit)


def test_clients_that_leave_in_the_middle_of_an_answer_leave_nothing_behind() -> None:
    async def visit(house: House) -> None:
        for _ in range(50):
            async with house.line() as line:
                line.writer.write(signed(house.door.front.now_ms(), "POST", "/fapi/v1/order", LIMIT))
                line.writer.transport.abort()

    at(visit)


LIMIT = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.010", "price": "59000"}
STOP = {"algoType": "CONDITIONAL", "symbol": SYMBOL, "side": "SELL", "type": "STOP_MARKET", "quantity": "0.010",
        "triggerPrice": "59000"}
VALUES = (
    "", " ", "NaN", "Infinity", "-Infinity", "sNaN", "1e999999", "1E5", "9" * 5000, "0", "-1", "-0", "0.0", "1" * 20,
    "99999999999999999999.99999999999999999999", "0.00000000000000000001", "1,5", "\u0661\u0662", "\x00", "\udcff",
    "true", "null", "[]", "{}", "[1]", "a" * 5000, "%", "0x10", "1_000", "+1", ".5", "5.", "\U0001f600", "*", "'",
    str(2**63), str(2**63 - 1), str(-(2**63)), SYMBOL, "BOTH", "LONG", "STOP", "GTD", "GTX", "OPPONENT", "QUEUE_20",
)
NAMES = (
    "symbol", "side", "type", "positionSide", "timeInForce", "quantity", "price", "newClientOrderId", "reduceOnly",
    "newOrderRespType", "priceMatch", "selfTradePreventionMode", "goodTillDate", "recvWindow", "closePosition",
    "priceProtect", "workingType", "triggerPrice", "stopPrice", "activatePrice", "callbackRate", "clientAlgoId",
    "algoId", "algoType", "orderId", "origClientOrderId", "modifyId", "orderIdList", "origClientOrderIdList",
    "batchOrders", "countdownTime", "leverage", "marginType", "dualSidePosition", "multiAssetsMargin", "amount",
    "limit", "fromId", "startTime", "endTime", "incomeType", "interval", "listenKey", "pair", "asset",
)


async def _stands(line: Any, method: str, path: str, params: dict[str, str]) -> None:
    """The request is done, or refused with a code; there is nothing else."""
    answer = await line.ask(method, path, params)
    assert isinstance(answer.body, dict | list), (method, path, params, answer)
    assert answer.status == 200 or refused(answer), (method, path, params, answer)


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_no_value_breaks_a_route(value: str) -> None:
    """Every route with this value for all that it may read; orders with it in each place of a good one."""

    async def visit(house: House) -> None:
        async with house.line() as line:
            for route in ROUTES:
                await _stands(line, route.method, route.path, dict.fromkeys(NAMES, value))
                await _stands(line, route.method, route.path, {**dict.fromkeys(NAMES, value), "symbol": SYMBOL})
            for path, good in (("/fapi/v1/order", LIMIT), ("/fapi/v1/algoOrder", STOP)):
                for name in NAMES:
                    await _stands(line, "POST", path, {**good, name: value})
            for name in NAMES:
                await _stands(line, "PUT", "/fapi/v1/order", {**LIMIT, "orderId": "1", name: value})

    at(visit)


BATCHES = (
    "[", "[" * 100_000, "{" * 10_000, "{}", "[]", "null", "1", "[1]", "[null]", '["a"]', "[[]]", "[{}]", "[NaN]",
    '[{"symbol": NaN}]', '[{"quantity": 1e999999}]', '[{"quantity": Infinity}]', f'[{{"quantity": {"9" * 5000}}}]',
    '[{"symbol": {"a": []}}]', "[" + ",".join(["{}"] * 1000) + "]", '[{"symbol": "BTCUSDT", "symbol": "ETHUSDT"}]',
    '[{"symbol": "\\ud800"}]', '[{"symbol": "\\u0000"}]', json.dumps([{**LIMIT, "price": True}]),
    json.dumps([{**LIMIT, "price": None}]), json.dumps([{**LIMIT, "price": [1]}]),
    json.dumps([{**LIMIT, "price": 1.5}]), json.dumps([LIMIT] * 6), '[{"": ""}]', "[{}",
    '[{"quantity": -0.0}]', '[{"goodTillDate": 1e400}]',
)


def test_no_batch_breaks_its_route() -> None:
    async def visit(house: House) -> None:
        async with house.line() as line:
            for batch in BATCHES:
                for method, name in (("POST", "batchOrders"), ("PUT", "batchOrders"), ("DELETE", "orderIdList"),
                                     ("DELETE", "origClientOrderIdList")):
                    await _stands(line, method, "/fapi/v1/batchOrders", {"symbol": SYMBOL, name: batch})

    at(visit)


CONTROLS = ("clock", "price", "step", "faults", "accounts", "funding", "close", "adl", "transfer", "limits")
BODIES = (
    b"", b"{", b"null", b"[]", b"1", b'"a"', b"\xff\xfe", b"[" * 100_000, b'{"symbol": "NOPE"}', b'{"symbol": 1}',
    b'{"symbol": "BTCUSDT", "price": "NaN"}', b'{"symbol": "BTCUSDT", "price": -1}', b'{"ms": -1}', b'{"ms": 1e999}',
    b'{"ms": 99999999999999999999}', b'{"name": "x"}', b'{"name": null}', b'{"name": ""}', b'{"speed": "NaN"}',
    b'{"speed": "-1x"}', b'{"symbol": "BTCUSDT", "price": "1e999999"}', b'{"amount": "Infinity"}', b'{"weight": "a"}',
    b'{"symbol": "BTCUSDT", "rate": "NaN"}', b'{"symbol": "BTCUSDT", "qty": "0"}', b'{"unknown": 1}',
    b'{"name": "a", "public_key": "-----BEGIN"}', b'{"symbol": "BTCUSDT", "bid": "2", "ask": "1"}', b'{"until": -5}',
)


def test_no_body_breaks_a_control() -> None:
    async def visit(house: House) -> None:
        for route in CONTROLS:
            for body in BODIES:
                answer = await house.send(post(body, "Content-Type: application/json\r\n", f"/sim/{route}"))
                assert answer is not None and answer.status in (200, 400), (route, body, answer)
                assert answer.status == 200 or answer.body["error"], (route, body, answer)

    at(visit)


SOCKETS = ("/market/ws", "/market/stream", "/public/ws/btcusdt@bookTicker", "/private/ws", "/private/stream", "/ws",
           "/stream", "/ws-fapi/v1", "/private/ws?listenKey=nobody", "/market/stream?streams=" + "a/" * 2000)
MESSAGES: tuple[str | bytes, ...] = (
    "", "a", "{", "[]", "null", "1", "NaN", "{}", '"a"', "[" * 50_000, '{"a":' * 5_000, '{"id": 1}', '{"method": 1}',
    '{"method": "SUBSCRIBE"}', '{"method": "SUBSCRIBE", "params": 1, "id": 1}',
    '{"method": "SUBSCRIBE", "params": [1, null, {}], "id": 1}',
    '{"method": "SUBSCRIBE", "params": ["\\u0000"], "id": 1}',
    '{"method": "SUBSCRIBE", "params": [], "id": 1e400}', '{"method": "SUBSCRIBE", "params": ["a@b"], "id": [1]}',
    '{"method": "UNSUBSCRIBE", "params": ["nothing"], "id": 1}', '{"method": "LIST_SUBSCRIPTIONS", "id": null}',
    json.dumps({"method": "SUBSCRIBE", "params": [f"s{n}@aggTrade" for n in range(3000)], "id": 1}),
    '{"method": "SPOIL", "id": 1}', '{"method": "order.place", "id": 1}',
    '{"method": "order.place", "id": 1, "params": 1}',
    '{"method": "order.place", "id": 1, "params": {"apiKey": 1, "timestamp": NaN, "signature": []}}',
    '{"method": "order.place", "id": 1, "params": {"apiKey": "sim-key", "timestamp": 1e999, "signature": "\\u00e9"}}',
    '{"method": "order.place", "id": 1, "params": {"apiKey": "sim-key", "timestamp": ' + "9" * 5000 + "}}",
    '{"method": "session.logon", "id": {"a": 1}, "params": {"apiKey": "sim-key"}}',
    '{"method": "ticker.price", "id": -1}',
    '{"method": "depth", "id": "a", "params": {"symbol": {}, "limit": "x"}}', b"\x00\xff" * 100, b"",
)


@pytest.mark.parametrize("path", SOCKETS)
def test_no_message_breaks_a_socket(path: str) -> None:
    async def visit(house: House) -> None:
        async with ClientSession() as session:
            for message in MESSAGES:
                async with session.ws_connect(f"ws://{HOST}:{house.port}{path}") as socket:
                    await (socket.send_str(message) if isinstance(message, str) else socket.send_bytes(message))
                    await socket.ping(b"still there")
                    await asyncio.wait_for(socket.close(), PATIENCE_S)

    at(visit)


def test_the_websocket_api_refuses_what_is_no_request() -> None:
    async def visit(house: House) -> None:
        async with ClientSession() as session, session.ws_connect(f"ws://{HOST}:{house.port}/ws-fapi/v1") as socket:
            await socket.send_str('{"id": 1, "method": "spoil"}')
            answer = await asyncio.wait_for(socket.receive(), PATIENCE_S)
            assert answer.type is WSMsgType.TEXT
            body = json.loads(answer.data)
            assert (body["id"], body["status"]) == (1, 400) and body["error"]["code"] < 0

    at(visit)


GREETING = (
    b"GET %b HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
FRAMES = {
    "a frame without a mask": b"\x81\x02hi",
    "reserved bits": b"\xf1\x82\x00\x00\x00\x00hi",
    "an operation that does not exist": b"\x83\x82\x00\x00\x00\x00hi",
    "text that is no UTF-8": b"\x81\x82\x00\x00\x00\x00\xff\xfe",
    "a long ping": b"\x89\xfe\x01\x00\x00\x00\x00\x00" + bytes(256),
    "a ping in parts": b"\x09\x80\x00\x00\x00\x00",
    "a length of 2**63": b"\x81\xff\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
    "a message of 10 MB": b"\x81\xff\x00\x00\x00\x00\x00\x98\x96\x80\x00\x00\x00\x00" + bytes(10_000_000),
    "a part that continues nothing": b"\x80\x82\x00\x00\x00\x00hi",
    "a close with a bad code": b"\x88\x82\x00\x00\x00\x00\x00\x01",
    "a close with half a code": b"\x88\x81\x00\x00\x00\x00\x03",
    "noise": NOISE,
}


@pytest.mark.parametrize("path", [b"/market/ws", b"/private/ws", b"/ws-fapi/v1"])
def test_frames_that_break_the_protocol_close_the_socket(path: bytes) -> None:
    async def visit(house: House) -> None:
        for what, frame in FRAMES.items():
            async with house.line() as line:
                line.writer.write(GREETING % path)
                head = await asyncio.wait_for(line.reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
                assert head.startswith(b"HTTP/1.1 101"), (what, head)
                line.writer.write(frame)
                line.writer.write_eof()
                try:
                    await asyncio.wait_for(line.reader.read(), PATIENCE_S)
                except TimeoutError:
                    raise AssertionError(f"{what}: the socket stays open") from None
                except ConnectionError:
                    pass

    at(visit)


@pytest.mark.parametrize("greeting", [
    b"GET /market/ws HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /market/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    b"GET /market/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: a\r\n\r\n",
    b"POST /market/ws HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
])
def test_a_bad_greeting_opens_no_socket(greeting: bytes) -> None:
    async def visit(house: House) -> None:
        assert refused(await house.send(greeting))

    at(visit)


def test_a_client_that_asks_and_never_reads_holds_nobody_up() -> None:
    async def visit(house: House) -> None:
        async with house.line() as deaf:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(SHORT_S * 5):
                    while True:  # until both sides' buffers are full
                        deaf.writer.write(get(b"/fapi/v1/exchangeInfo") * 50)
                        await deaf.writer.drain()
                        await asyncio.sleep(0.001)
            answer = await house.send(TIME)
            assert answer is not None and answer.status == 200

    at(visit)
