"""The request/response API over a real socket."""

import base64
import hashlib
import hmac
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from runner.venue.fapi.disturbing import Disturbance
from runner.venue.fapi.errors import ApiError
from runner.venue.fapi.wsapi import _ROUTES, METHODS
from tests.venue.fapi.earshot import Ears, Wire, names, over_wire

PATH = "/ws-fapi/v1"
ORDER = {
    "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01", "price": "59000",
}
MARKET = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}


def plain(params: dict[str, Any]) -> str:
    """Sorted by name, values as they are."""
    return "&".join(f"{key}={_text(value)}" for key, value in sorted(params.items()))


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)


class Api(Ears):
    """A client of the API with the default account's key."""

    def __init__(self, ears: Ears, served: Wire) -> None:
        super().__init__(ears.ws)
        self.served = served

    def signed(self, params: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        given = {"apiKey": "sim-key", "timestamp": self.served.front.now, **(params or {}), **more}
        signature = hmac.new(b"sim-secret", plain(given).encode(), hashlib.sha256).hexdigest()
        return given | {"signature": signature}

    async def call(self, method: str, params: Any = None, id: Any = "a-1") -> Any:
        await self.ws.send_json({"id": id, "method": method, "params": params})
        return await self.hear()

    async def ok(self, method: str, params: Any = None) -> Any:
        answer = await self.call(method, params)
        assert answer["status"] == 200, answer
        return answer["result"]

    async def code(self, method: str, params: Any = None) -> tuple[int, int]:
        answer = await self.call(method, params)
        assert "result" not in answer
        return answer["status"], answer["error"]["code"]


def api(test: Any) -> Any:
    """A test that gets an open session."""

    async def run(served: Wire) -> None:
        async with served.socket(PATH) as ears:
            await test(Api(ears, served))

    run.__name__ = test.__name__
    return over_wire(run)


def test_every_documented_method_has_its_rest_route() -> None:
    assert set(METHODS.values()) <= set(_ROUTES)


@api
async def test_an_order_lives_its_life_over_the_socket(client: Api) -> None:
    placed = await client.call("order.place", client.signed(ORDER, newClientOrderId="mine"))
    assert placed["id"] == "a-1" and placed["status"] == 200
    assert (placed["result"]["clientOrderId"], placed["result"]["status"]) == ("mine", "NEW")
    assert placed["rateLimits"] == [
        {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 300, "count": 1},
        {"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": 1200, "count": 1},
        {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 2400, "count": 5},
    ]
    key = {"symbol": "BTCUSDT", "origClientOrderId": "mine"}
    changed = await client.ok("order.modify", client.signed(key, side="BUY", quantity="0.02", price="59100"))
    assert changed["origQty"] == "0.020"
    assert (await client.ok("order.status", client.signed(key)))["price"] == "59100.00"
    assert (await client.ok("order.cancel", client.signed(key)))["status"] == "CANCELED"
    assert await client.code("order.cancel", client.signed(key)) == (400, -2011)


@api
async def test_conditional_orders_and_account_and_market_have_their_methods(client: Api) -> None:
    await client.ok("order.place", client.signed(MARKET))
    stop = {
        "algoType": "CONDITIONAL", "symbol": "BTCUSDT", "side": "SELL", "type": "STOP_MARKET", "quantity": "0.01",
        "triggerPrice": "58000", "clientAlgoId": "sl",
    }
    assert (await client.ok("algoOrder.place", client.signed(stop)))["algoStatus"] == "NEW"
    assert (await client.ok("algoOrder.cancel", client.signed(clientAlgoId="sl")))["code"] == "200"
    for method in ("account.balance", "v2/account.balance", "account.position", "v2/account.position"):
        assert isinstance(await client.ok(method, client.signed()), list)
    for method in ("account.status", "v2/account.status"):
        assert "totalWalletBalance" in await client.ok(method, client.signed())
    assert (await client.ok("depth", {"symbol": "BTCUSDT", "limit": 5}))["bids"]
    assert (await client.ok("ticker.price", {"symbol": "BTCUSDT"}))["price"] == "60000.00"
    assert (await client.ok("ticker.book", {"symbol": "BTCUSDT"}))["symbol"] == "BTCUSDT"


@api
async def test_a_listen_key_from_the_socket_opens_a_user_stream(client: Api) -> None:
    key = (await client.ok("userDataStream.start", {"apiKey": "sim-key"}))["listenKey"]
    assert (await client.ok("userDataStream.ping", {"apiKey": "sim-key"}))["listenKey"] == key
    async with client.served.socket(f"/private/ws/{key}") as ears:
        await ears.heard()
        await client.ok("order.place", client.signed(ORDER))
        assert names(await ears.heard()) == ["ORDER_TRADE_UPDATE"]
        await client.ok("userDataStream.stop", {"apiKey": "sim-key"})
        client.served.hub.tick()
        assert await ears.closed() == 1000
    assert await client.code("userDataStream.ping", {"apiKey": "sim-key"}) == (400, -1125)


@api
async def test_signatures_are_over_the_sorted_parameters_plain_or_encoded(client: Api) -> None:
    params = {**ORDER, "newClientOrderId": "a:b/c", "apiKey": "sim-key", "timestamp": client.served.front.now}
    text = urlencode(sorted(params.items()))
    assert "%3A" in text
    signature = hmac.new(b"sim-secret", text.encode(), hashlib.sha256).hexdigest()
    assert (await client.ok("order.place", params | {"signature": signature}))["clientOrderId"] == "a:b/c"
    assert (await client.ok("order.place", client.signed(ORDER, newClientOrderId="d:e")))["clientOrderId"] == "d:e"
    unsorted = "&".join(f"{key}={value}" for key, value in params.items())
    wrong = hmac.new(b"sim-secret", unsorted.encode(), hashlib.sha256).hexdigest()
    assert await client.code("order.place", params | {"signature": wrong}) == (400, -1022)


@api
async def test_numbers_and_truth_values_may_be_json(client: Api) -> None:
    params = client.signed(ORDER, price=59000.5, quantity=0.01, reduceOnly=False, recvWindow=5000)
    assert (await client.ok("order.place", params))["price"] == "59000.50"


@api
async def test_who_is_not_known_or_too_late_is_refused(client: Api) -> None:
    now = client.served.front.now
    assert await client.code("order.place", client.signed(ORDER, apiKey="nobody")) == (401, -2015)
    assert await client.code("order.place", ORDER | {"timestamp": now}) == (400, -1102)
    assert await client.code("order.place", ORDER | {"timestamp": now, "apiKey": "sim-key"}) == (400, -1102)
    assert await client.code("order.place", client.signed(ORDER, timestamp=now - 5001)) == (400, -1021)
    assert await client.code("order.place", client.signed(ORDER, timestamp=now + 1000)) == (400, -1021)
    assert await client.code("order.place", client.signed(ORDER) | {"signature": "beef"}) == (400, -1022)
    assert await client.code("order.place", client.signed(ORDER, type="STOP_MARKET")) == (400, -4120)


@api
async def test_rate_limits_can_be_left_out_and_stand_in_errors_too(client: Api) -> None:
    assert "rateLimits" not in await client.call("ticker.price", {"symbol": "BTCUSDT", "returnRateLimits": False})
    assert "rateLimits" not in await client.call("ticker.price", {"symbol": "BTCUSDT", "returnRateLimits": "false"})
    refused = await client.call("order.place", client.signed(ORDER, price="1"))
    assert refused["status"] == 400 and len(refused["rateLimits"]) == 3


@api
async def test_order_limits_are_shared_with_rest_and_answered_429(client: Api) -> None:
    client.served.door.limits.orders_10s = 1
    await client.ok("order.place", client.signed(ORDER))
    answer = await client.call("order.place", client.signed(ORDER))
    assert (answer["status"], answer["error"]["code"]) == (429, -1015)
    assert answer["error"]["data"]["retryAfter"] > answer["error"]["data"]["serverTime"]


@api
async def test_fifty_requests_in_a_second_are_no_offence(client: Api) -> None:
    for number in range(50):
        await client.ws.send_json({"id": number, "method": "ticker.price", "params": {"symbol": "BTCUSDT"}})
    answers = [await client.hear() for _ in range(50)]
    assert [answer["id"] for answer in answers] == list(range(50))
    assert {answer["status"] for answer in answers} == {200}


@pytest.mark.parametrize(
    ("text", "id", "code"),
    [
        ("nonsense", None, -1135), ("[]", None, -1135), ('"x"', None, -1135), ("[" * 90_000, None, -1135),
        ('{"id":1}', 1, -1135), ('{"id":"x","method":5}', "x", -1135), ('{"id":{},"method":"depth"}', None, -1135),
        ('{"id":true,"method":"depth"}', None, -1135), ('{"id":"' + "x" * 37 + '","method":"depth"}', None, -1135),
        ('{"id":1,"method":"depth","params":[]}', 1, -1135), ('{"id":1,"method":"depth","params":"x"}', 1, -1135),
        ('{"id":1,"method":"order.steal"}', 1, -5000), ('{"id":null,"method":"depth","params":{}}', None, -1102),
        ('{"id":1,"method":"depth","params":{"symbol":{}}}', 1, -1100),
        ('{"id":1,"method":"depth","params":{"symbol":"X","limit":[1]}}', 1, -1121),
        ('{"id":1,"method":"session.logon"}', 1, -2014),
        ('{"id":1,"method":"order.place","params":{"apiKey":5,"signature":[]}}', 1, -2015),
    ],
)
def test_hostile_requests_get_an_error_and_the_session_goes_on(text: str, id: Any, code: int) -> None:
    @api
    async def run(client: Api) -> None:
        await client.ws.send_str(text)
        answer = await client.hear()
        assert (answer["id"], answer["error"]["code"]) == (id, code)
        assert "rateLimits" in answer
        await client.ok("ticker.price", {"symbol": "BTCUSDT"})

    run()


@api
async def test_binary_frames_end_the_session(client: Api) -> None:
    await client.ws.send_bytes(b"{}")
    assert await client.closed() == 1003


# --- sessions


def new_key(client: Api) -> tuple[Ed25519PrivateKey, str]:
    private = Ed25519PrivateKey.generate()
    pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    client.served.door.keys.add_public_key("ed-key", pem, "default")
    return private, "ed-key"


def by_key(client: Api, private: Ed25519PrivateKey, **more: Any) -> dict[str, Any]:
    params = {"apiKey": "ed-key", "timestamp": client.served.front.now, **more}
    return params | {"signature": base64.b64encode(private.sign(plain(params).encode())).decode()}


@api
async def test_a_session_signs_once_and_then_only_gives_the_time(client: Api) -> None:
    private, _ = new_key(client)
    before = await client.ok("session.status")
    assert (before["apiKey"], before["authorizedSince"]) == (None, None)
    logged = await client.ok("session.logon", by_key(client, private))
    assert logged == {
        "apiKey": "ed-key", "authorizedSince": client.served.front.now, "connectedSince": client.served.front.now,
        "returnRateLimits": True, "serverTime": client.served.front.now,
    }
    now = {"timestamp": client.served.front.now}
    assert (await client.ok("order.place", ORDER | now))["status"] == "NEW"
    assert "listenKey" in await client.ok("userDataStream.start")
    assert await client.code("order.place", ORDER) == (400, -1102)
    assert await client.code("order.place", ORDER | {"timestamp": now["timestamp"] - 6000}) == (400, -1021)
    assert (await client.ok("order.place", client.signed(ORDER)))["status"] == "NEW"
    assert (await client.ok("session.logout"))["apiKey"] is None
    assert await client.code("order.place", ORDER | now) == (400, -1102)


@api
async def test_only_ed25519_keys_log_on(client: Api) -> None:
    assert (await client.code("session.logon", client.signed()))[1] == -4056
    private, _ = new_key(client)
    params = by_key(client, private)
    assert await client.code("session.logon", params | {"timestamp": params["timestamp"] + 1}) == (400, -1022)
    encoded = params["signature"].replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
    assert await client.code("session.logon", params | {"signature": encoded}) == (400, -1022)
    assert (await client.ok("session.status"))["apiKey"] is None


# --- faults


class Wrong:
    """Something goes wrong with each request of one method."""

    active = True

    def __init__(self, method: str, disturbance: Disturbance) -> None:
        self.method, self.disturbance = method, disturbance

    def before(self, route: str, account: Any, params: Any) -> Disturbance | None:
        return self.disturbance if route == self.method else None

    def after(self, route: str, account: Any, params: Any, result: Any) -> Any:
        return result


@api
async def test_a_hanging_request_delays_nobody(client: Api) -> None:
    client.served.door.disturber = Wrong("order.place", Disturbance(hang=True))
    await client.ws.send_json({"id": 1, "method": "order.place", "params": client.signed(ORDER, newClientOrderId="h")})
    key = {"symbol": "BTCUSDT", "origClientOrderId": "h"}
    assert (await client.call("order.status", client.signed(key)))["result"]["status"] == "NEW"


@api
async def test_an_answer_can_be_wrong_after_the_order_was_taken_or_instead(client: Api) -> None:
    error = ApiError(-1007, "Timeout waiting for response from backend server.", 408)
    client.served.door.disturber = Wrong("order.place", Disturbance(after=error))
    assert await client.code("order.place", client.signed(ORDER, newClientOrderId="taken")) == (408, -1007)
    client.served.door.disturber = Wrong("order.place", Disturbance(instead=error))
    assert await client.code("order.place", client.signed(ORDER, newClientOrderId="never")) == (408, -1007)
    key = {"symbol": "BTCUSDT"}
    assert (await client.ok("order.status", client.signed(key, origClientOrderId="taken")))["status"] == "NEW"
    assert await client.code("order.status", client.signed(key, origClientOrderId="never")) == (400, -2013)


@api
async def test_a_slow_answer_comes_after_later_ones_and_a_slow_request_is_done_late(client: Api) -> None:
    key = {"symbol": "BTCUSDT", "origClientOrderId": "slow"}
    for disturbance, found in ((Disturbance(wait_before_ms=30), False), (Disturbance(wait_after_ms=30), True)):
        client.served.door.disturber = Wrong("order.place", disturbance)
        params = client.signed(ORDER, newClientOrderId="slow")
        await client.ws.send_json({"id": "slow", "method": "order.place", "params": params})
        seen = await client.call("order.status", client.signed(key), "later")
        assert seen["id"] == "later" and ("result" in seen) is found
        late = await client.hear()
        assert (late["id"], late["result"]["status"]) == ("slow", "NEW")
        await client.ok("order.cancel", client.signed(key))


@api
async def test_a_disturbed_request_can_still_be_refused(client: Api) -> None:
    client.served.door.disturber = Wrong("order.place", Disturbance(wait_after_ms=1))
    assert await client.code("order.place", client.signed(ORDER, quantity="0")) == (400, -4003)


@api
async def test_a_request_can_end_the_connection(client: Api) -> None:
    client.served.door.disturber = Wrong("order.place", Disturbance(cut=True))
    await client.ws.send_json({"id": 1, "method": "order.place", "params": client.signed(ORDER)})
    assert await client.closed() is None


def test_the_handshake_costs_weight_and_a_banned_address_is_closed() -> None:
    @over_wire
    async def run(served: Wire) -> None:
        served.door.limits.weight = 9
        async with served.socket(PATH) as first:
            answer = await Api(first, served).call("session.status")
            assert answer["rateLimits"][0]["count"] == 7
            async with served.socket(PATH) as second:
                assert await second.closed() == 1008

    run()


def test_a_session_gets_pings_and_lives_for_a_day() -> None:
    @over_wire
    async def run(served: Wire) -> None:
        async with served.socket(PATH) as ears:
            await Api(ears, served).ok("session.status")
            served.pass_ms(180_000)
            assert (await ears.ws.receive(timeout=2)).data == str(served.front.now).encode()
            served.pass_ms(24 * 3_600_000)
            assert await ears.closed() == 1001

    run()


