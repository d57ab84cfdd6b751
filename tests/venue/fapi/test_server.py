"""The HTTP front: who may call, how often, what is wrong on purpose, and that nothing at all makes it fail."""

import asyncio
import hashlib
import hmac
import logging
from base64 import b64encode
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.venue.account import Account
from runner.venue.fapi.disturbing import Disturbance, Undisturbed
from runner.venue.fapi.errors import ApiError
from runner.venue.fapi.params import Params
from runner.venue.fapi.routes.table import ROUTES
from runner.venue.fapi.server import MAX_BODY
from tests.venue.fapi.wire import SYMBOL, Answer, House, Line, opened

LIMIT = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.010", "price": "59000"}
ORDER = "/fapi/v1/order"


def at(visit: Callable[[House], Awaitable[None]], **times: float) -> None:
    async def run() -> None:
        async with opened(**times) as house:
            await visit(house)

    asyncio.run(run())


async def sent(
    house: House, method: str, query: str, body: str = "", key: str | None = "sim-key", path: str = ORDER
) -> Answer:
    head = "" if key is None else f"x-mbx-apikey: {key}\r\n"
    data = f"{method} {path}?{query} HTTP/1.1\r\nHost: x\r\n{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()
    answer = await house.send(data)
    assert answer is not None
    return answer


def signature(text: str, secret: str = "sim-secret") -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def test_parameters_may_stand_in_the_query_the_body_or_both() -> None:
    async def visit(house: House) -> None:
        text = urlencode({**LIMIT, "timestamp": Line.now_ms()})
        half = text.index("&quantity")
        for query, body in ((text, ""), ("", text), (text[:half], text[half + 1:])):
            signed = signature(query + body)
            tail = f"&signature={signed}"
            answer = await sent(house, "POST", query, body + tail) if body else await sent(house, "POST", query + tail)
            assert answer.status == 200, answer

    at(visit)


@pytest.mark.parametrize(
    ("key", "change", "secret", "wanted"),
    [
        (None, {}, "sim-secret", (401, -2014)),
        ("a b", {}, "sim-secret", (401, -2014)),
        ("unknown", {}, "sim-secret", (401, -2015)),
        ("sim-key", {}, "wrong", (400, -1022)),
        ("sim-key", {"timestamp": ""}, "sim-secret", (400, -1102)),
        ("sim-key", {"timestamp": "1"}, "sim-secret", (400, -1021)),
        ("sim-key", {"timestamp": "9999999999999"}, "sim-secret", (400, -1021)),
        ("sim-key", {"recvWindow": "60001"}, "sim-secret", (400, -1131)),
    ],
)
def test_who_may_not_call_is_told_why(
    key: str | None, change: dict[str, str], secret: str, wanted: tuple[int, int]
) -> None:
    async def visit(house: House) -> None:
        text = urlencode({**LIMIT, "timestamp": str(Line.now_ms()), **change})
        answer = await sent(house, "POST", f"{text}&signature={signature(text, secret)}", key=key)
        assert (answer.status, answer.body["code"]) == wanted
        assert answer.headers["content-type"].startswith("application/json")
        assert house.door.exchange.open_orders(house.door.exchange.accounts["sim"]) == []

    at(visit)


def test_a_request_without_a_signature_is_refused() -> None:
    async def visit(house: House) -> None:
        answer = await sent(house, "POST", urlencode({**LIMIT, "timestamp": Line.now_ms()}))
        assert (answer.status, answer.body["code"]) == (400, -1102)

    at(visit)


def test_an_ed25519_key_signs_as_well() -> None:
    async def visit(house: House) -> None:
        private = Ed25519PrivateKey.generate()
        pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        house.door.keys.add_public_key("ed", pem, "sim")
        text = urlencode({**LIMIT, "timestamp": Line.now_ms()})
        signed = urlencode({"signature": b64encode(private.sign(text.encode())).decode()})
        assert (await sent(house, "POST", f"{text}&{signed}", key="ed")).status == 200

    at(visit)


def test_a_listen_key_needs_the_header_alone() -> None:
    async def visit(house: House) -> None:
        path = "/fapi/v1/listenKey"
        started = await sent(house, "POST", "", path=path)
        assert len(started.body["listenKey"]) == 64
        assert (await sent(house, "PUT", "", path=path)).body == started.body
        assert (await sent(house, "DELETE", "", path=path)).body == {}
        assert (await sent(house, "PUT", "", path=path)).body["code"] == -1125
        assert (await sent(house, "POST", "", path=path, key=None)).status == 401

    at(visit)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/fapi/v1/nothing"), ("PATCH", ORDER), ("GET", "/"), ("PUT", "/x")]
)
def test_an_unknown_path_or_method_is_told(method: str, path: str) -> None:
    async def visit(house: House) -> None:
        answer = await sent(house, method, "", path=path)
        assert (answer.status, answer.body["code"]) == (404, -5000)

    at(visit)


def test_weights_and_orders_are_counted_in_the_headers_and_limited() -> None:
    async def visit(house: House) -> None:
        limits = house.door.limits
        limits.weight = 2400
        await house.ask("GET", "/fapi/v3/account")
        placed = await house.ask("POST", ORDER, LIMIT)
        assert placed.headers["x-mbx-used-weight-1m"] == "5"
        assert placed.headers["x-mbx-order-count-10s"] == placed.headers["x-mbx-order-count-1m"] == "1"
        limits.orders_10s = 0
        refused = await house.ask("POST", ORDER, LIMIT)
        assert (refused.status, refused.body["code"]) == (429, -1015)
        limits.weight, limits.patience = 5, 0
        banned = await house.ask("GET", "/fapi/v3/account")
        assert (banned.status, banned.body["code"]) == (418, -1003) and int(banned.headers["retry-after"]) == 120

    at(visit)


def test_a_body_that_is_too_large_or_cannot_be_decoded_is_refused() -> None:
    async def visit(house: House) -> None:
        large = await sent(house, "POST", "", "a" * (MAX_BODY + 1))
        assert (large.status, large.body["code"]) == (413, -1013)
        broken = await house.send(
            f"POST {ORDER} HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc".encode()
        )
        assert broken is not None and 400 <= broken.status < 500
        assert (await house.send(b"GET /fapi/v1/time HTTP/1.1\r\nHost: x\r\n\r\n")) is not None

    at(visit)


class Wrong(Undisturbed):
    active = True

    def __init__(self, disturbance: Disturbance) -> None:
        self.disturbance = disturbance

    def before(self, route: str, account: Account | None, params: Params) -> Disturbance | None:
        return self.disturbance if route == f"POST {ORDER}" else None


UNKNOWN = ApiError(None, "Unknown error, please check your request or try again later.", 503)


@pytest.mark.parametrize(
    ("disturbance", "answered", "orders"),
    [
        (Disturbance(instead=UNKNOWN), (503, {"msg": UNKNOWN.message}), 0),
        (Disturbance(after=UNKNOWN), (503, {"msg": UNKNOWN.message}), 1),
        (Disturbance(cut=True), None, 1),
        (Disturbance(instead=UNKNOWN, cut=True), None, 0),
        (Disturbance(wait_before_ms=1, wait_after_ms=1), 200, 1),
    ],
)
def test_what_is_to_go_wrong_goes_wrong(disturbance: Disturbance, answered: Any, orders: int) -> None:
    async def visit(house: House) -> None:
        house.door.disturber = Wrong(disturbance)
        text = urlencode({**LIMIT, "timestamp": Line.now_ms()})
        body = f"{text}&signature={signature(text)}"
        head = f"POST {ORDER} HTTP/1.1\r\nHost: x\r\nX-MBX-APIKEY: sim-key\r\nContent-Length: {len(body)}\r\n\r\n"
        answer = await house.send((head + body).encode())
        if answered is None:
            assert answer is None
        elif answered == 200:
            assert answer is not None and answer.status == 200
        else:
            assert answer is not None and (answer.status, answer.body) == answered
        assert len(house.door.exchange.open_orders(house.door.exchange.accounts["sim"])) == orders

    at(visit)


def test_an_answer_that_hangs_delays_nobody_else() -> None:
    async def visit(house: House) -> None:
        house.door.disturber = Wrong(Disturbance(hang=True))
        async with house.line() as line:
            hanging = asyncio.create_task(line.ask("POST", ORDER, LIMIT))
            opened_orders = await house.ask("GET", "/fapi/v1/openOrders", {"symbol": SYMBOL})
            while not opened_orders.body:
                opened_orders = await house.ask("GET", "/fapi/v1/openOrders", {"symbol": SYMBOL})
            assert not hanging.done()
            hanging.cancel()
            await asyncio.gather(hanging, return_exceptions=True)

    at(visit)


def test_a_defect_is_logged_once_and_told_as_such(caplog: pytest.LogCaptureFixture) -> None:
    async def visit(house: House) -> None:
        del house.door.exchange.accounts["sim"]
        answer = await house.ask("GET", "/fapi/v3/account")
        assert (answer.status, answer.body["code"]) == (500, -1000)

    with caplog.at_level(logging.ERROR):
        at(visit)
    assert [record.levelname for record in caplog.records] == ["ERROR"]


_NAMES = st.sampled_from([
    "symbol", "side", "type", "positionSide", "timeInForce", "quantity", "price", "newClientOrderId", "reduceOnly",
    "newOrderRespType", "priceMatch", "goodTillDate", "recvWindow", "closePosition", "priceProtect", "workingType",
    "triggerPrice", "activatePrice", "callbackRate", "clientAlgoId", "algoId", "algoType", "orderId", "modifyId",
    "origClientOrderId", "orderIdList", "batchOrders", "countdownTime", "leverage", "marginType", "amount", "limit",
    "dualSidePosition", "fromId", "startTime", "endTime", "incomeType", "interval", "pair", "contractType",
])
_VALUES = st.one_of(
    st.sampled_from([
        SYMBOL, "BUY", "SELL", "LIMIT", "MARKET", "STOP_MARKET", "STOP", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET",
        "GTC", "IOC", "FOK", "GTX", "GTD", "0.010", "59000", "60000.1", "61000", "0.001", "1", "2", "true", "false",
        "BOTH", "LONG", "SHORT", "CONDITIONAL", "QUEUE", "OPPONENT_5", "MARK_PRICE", "ISOLATED", "CROSSED", "1m", "1M",
        "PERPETUAL", "a", "-1", "0", "RESULT", "[1]", '[{"symbol":"BTCUSDT","side":"BUY"}]', "1790000000000",
    ]),
    st.integers().map(str),
    st.text(max_size=20),
)
_GOOD = st.sampled_from([
    {}, LIMIT, {**LIMIT, "type": "MARKET"},
    {"algoType": "CONDITIONAL", "symbol": SYMBOL, "side": "SELL", "type": "STOP_MARKET", "quantity": "0.010",
     "triggerPrice": "59000"},
])


def test_no_request_makes_it_fail(caplog: pytest.LogCaptureFixture) -> None:
    with asyncio.Runner() as runner:
        house_door = opened()
        house = runner.run(house_door.__aenter__())
        line_door = house.line()
        line = runner.run(line_door.__aenter__())

        @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
        @given(st.sampled_from(ROUTES), _GOOD, st.dictionaries(_NAMES, _VALUES, max_size=8))
        def asked(route: Any, good: dict[str, str], params: dict[str, str]) -> None:
            answer = runner.run(line.ask(route.method, route.path, {**good, **params}))
            if answer.status == 200:
                assert isinstance(answer.body, dict | list)
            else:
                assert 400 <= answer.status < 500 and isinstance(answer.body["code"], int), (route.name, answer)
                assert isinstance(answer.body["msg"], str)

        asked()
        runner.run(line_door.__aexit__(None, None, None))
        runner.run(house_door.__aexit__(None, None, None))
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
