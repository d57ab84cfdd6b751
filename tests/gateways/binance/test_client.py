"""python-binance's client as we use it, against a real server on loopback."""

import asyncio
import json
import pickle
import subprocess
import sys
import traceback
from base64 import b64decode
from decimal import Decimal

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from runner.errors import InternalError
from runner.gateways.binance.answers import Reply
from runner.gateways.binance.client import Client, environment_proxy
from runner.gateways.binance.keys import Credentials, Secret, load_credentials
from runner.gateways.binance.settings import Endpoints, Timings
from tests.gateways.binance.peer import CUT, HANG, Peer, Says, with_peer

NOW = 1_790_000_000_000
SECRET = "2b5eb11e18796d12d88f13dc27dbbd02c2cc51ff7059765ed9821957d82bb4d9"
CREDENTIALS = Credentials(Secret("the-key"), Secret(SECRET))


def client_of(peer: Peer, credentials: Credentials = CREDENTIALS, timings: Timings | None = None) -> Client:
    return Client(peer.endpoints, credentials, timings or Timings(), None, lambda: NOW)


def test_constructing_asks_nothing_and_every_request_goes_to_the_given_host_under_fapi() -> None:
    async def story(peer: Peer) -> None:
        client = client_of(peer)
        await asyncio.sleep(0)
        assert not peer.asked
        await client.futures_time()
        await client.futures_position_information(symbol="BTCUSDT")
        await client.close()
        assert [(one.method, one.path) for one in peer.asked] == [
            ("GET", "/fapi/v1/time"), ("GET", "/fapi/v3/positionRisk"),
        ]
        assert peer.asked[1].headers["X-MBX-APIKEY"] == "the-key"

    with_peer(story)


def test_an_hmac_signature_is_that_of_binances_own_example() -> None:
    payload = (
        "symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=9000&timeInForce=GTC&recvWindow=5000"
        "&timestamp=1591702613943"
    )

    async def story(peer: Peer) -> None:
        client = client_of(peer)
        assert client._sign(payload) == "3c661234138461fcc7a7d8746c6558c9842d4e10870d2ecbedf7777cad694af9"
        await client.close()

    with_peer(story)


def test_a_request_is_signed_with_our_clock_and_our_window_and_values_go_as_they_are() -> None:
    async def story(peer: Peer) -> None:
        client = client_of(peer, timings=Timings(recv_window_ms=300))
        await client.futures_create_order(symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.00001")
        await client.close()
        (one,) = peer.asked
        assert one.params["quantity"] == "0.00001"
        assert one.params["recvWindow"] == "300"
        assert one.params["timestamp"] == str(NOW)
        signed, _, signature = one.raw.rpartition("&signature=")
        assert signature == client._sign(signed)
        assert one.body == ""
        assert one.headers["Content-Type"] == "application/x-www-form-urlencoded"

    with_peer(story)


def test_what_is_signed_is_what_is_sent_also_of_a_symbol_in_other_letters() -> None:
    async def story(peer: Peer) -> None:
        client = client_of(peer)
        await client.futures_get_order(symbol="币安人生USDT", origClientOrderId="a/b:c d&e=f")
        await client.close()
        (one,) = peer.asked
        signed, _, signature = one.raw.rpartition("&signature=")
        assert signature == client._sign(signed) and signed.isascii()
        assert (one.params["symbol"], one.params["origClientOrderId"]) == ("币安人生USDT", "a/b:c d&e=f")

    with_peer(story)


def test_an_ed25519_signature_verifies() -> None:
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption(),
    ).decode()

    async def story(peer: Peer) -> None:
        client = client_of(peer, load_credentials("the-key", pem))
        await client.futures_create_order(symbol="BTCUSDT", side="BUY", type="MARKET", quantity="1")
        await client.futures_position_information(symbol="BTCUSDT")
        await client.futures_cancel_order(symbol="BTCUSDT", origClientOrderId="a.b-c_1")
        await client.close()
        for one in peer.asked:
            signed = one.raw.rpartition("&signature=")[0]
            private.public_key().verify(b64decode(one.params["signature"]), signed.encode())

    with_peer(story)


def test_a_number_never_becomes_a_float() -> None:
    body = '{"orderId": 9007199254740993, "price": 60000.10, "rate": 1e-7, "text": "0.1"}'

    async def story(peer: Peer) -> None:
        client = client_of(peer)
        reply: Reply = await client.futures_time()
        await client.close()
        assert reply.body == {
            "orderId": 9007199254740993, "price": Decimal("60000.10"), "rate": Decimal("1e-7"), "text": "0.1",
        }
        assert not any(isinstance(value, float) for value in reply.body.values())

    with_peer(story, Says(body=body))


@pytest.mark.parametrize(("says", "code", "message", "body"), [
    (Says(400, '{"code":-1121,"msg":"Invalid"}'), -1121, "Invalid", {"code": -1121, "msg": "Invalid"}),
    (Says(200, '{"code":"200","msg":"success"}'), 200, "success", {"code": "200", "msg": "success"}),
    (Says(200, '{"code":"no number"}'), 0, "", {"code": "no number"}),
    (Says(200, ""), 0, "", {}),
    (Says(200, "not json"), 0, "not json", None),
    (Says(502, "<html>\r\n  <b>\x1b[31mno</b>\r\n"), 0, "<html> <b> [31mno</b>", None),
    (Says(200, "[" * 100_000), 0, "[" * 200, None),
    (Says(503, "Service Unavailable.", kind="text/plain"), 0, "Service Unavailable.", None),
])
def test_whatever_is_answered_is_one_reply(says: Says, code: int, message: str, body: object) -> None:
    async def story(peer: Peer) -> None:
        client = client_of(peer)
        reply: Reply = await client.futures_time()
        await client.close()
        assert reply[:3] == (says.status, code, message)
        assert reply.body == body

    with_peer(story, says)


@pytest.mark.parametrize("method", ["futures_cancel_order", "futures_modify_order", "futures_get_order"])
def test_nothing_is_sent_again_when_a_kept_connection_breaks(method: str) -> None:
    async def story(peer: Peer) -> None:
        client = client_of(peer)
        await client.futures_time()
        with pytest.raises(Exception, match="disconnected"):
            await getattr(client, method)(symbol="BTCUSDT", origClientOrderId="a")
        await client.close()
        assert len(peer.asked) == 2

    with_peer(story, Says(), CUT)


def test_a_request_that_hangs_holds_up_no_other() -> None:
    async def story(peer: Peer) -> None:
        client = client_of(peer)
        hanging = [asyncio.create_task(client.futures_time()) for _ in range(150)]
        while len(peer.asked) < 150:
            await asyncio.sleep(0.01)
        assert (await client.futures_ping()).status == 200
        for task in hanging:
            task.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)
        await client.close()

    with_peer(story, *[HANG] * 150)


@pytest.mark.parametrize("kind", ["STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"])
def test_a_conditional_order_never_goes_past_the_algo_service(kind: str) -> None:
    async def story(peer: Peer) -> None:
        client = client_of(peer)
        with pytest.raises(InternalError, match=kind):
            await client.futures_create_order(symbol="BTCUSDT", side="SELL", type=kind, newClientOrderId="a")
        await client.close()
        assert not peer.asked

    with_peer(story)


def test_no_secret_is_in_what_the_client_holds_or_what_an_error_says() -> None:
    async def story(peer: Peer) -> None:
        client = client_of(peer)
        try:
            await client.futures_cancel_order(symbol="BTCUSDT", origClientOrderId="a")
        except Exception as error:
            words = "".join(traceback.format_exception(error)) + repr(error)
        await client.close()
        assert SECRET not in words and "the-key" not in words and "signature" not in words
        assert SECRET not in repr(vars(client))
        assert SECRET not in repr(client) + str(CREDENTIALS) + repr(CREDENTIALS.secret)
        with pytest.raises(TypeError):
            pickle.dumps(CREDENTIALS.secret)

    with_peer(story, CUT)


@pytest.mark.parametrize(("variables", "url", "proxy"), [
    ({"HTTPS_PROXY": "http://proxy:3128"}, "https://fapi.binance.com", "http://proxy:3128"),
    ({"https_proxy": "http://proxy:3128"}, "wss://fstream.binance.com", "http://proxy:3128"),
    ({"HTTPS_PROXY": "http://proxy:3128"}, "http://127.0.0.1:9001", None),
    ({"HTTP_PROXY": "http://proxy:3128", "NO_PROXY": "127.0.0.1"}, "http://127.0.0.1:9001", None),
    ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "*"}, "https://fapi.binance.com", None),
    ({}, "https://fapi.binance.com", None),
])
def test_the_environments_proxy_is_found_as_everywhere(
    variables: dict[str, str], url: str, proxy: str | None, monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert environment_proxy(url) == proxy


def test_requests_go_through_the_proxy_that_is_given() -> None:
    async def story(peer: Peer) -> None:
        hidden = Endpoints("http://exchange.invalid", "")
        client = Client(hidden, CREDENTIALS, Timings(), peer.endpoints.rest, lambda: NOW)
        reply: Reply = await client.futures_time()
        await client.close()
        assert reply.body == {"serverTime": 1}
        assert peer.asked[0].headers["Host"] == "exchange.invalid"

    with_peer(story, Says(body=json.dumps({"serverTime": 1})))


def test_importing_the_client_warns_of_nothing() -> None:
    found = subprocess.run(
        [sys.executable, "-W", "error", "-c", "import runner.gateways.binance.client"],
        capture_output=True, text=True, timeout=60, check=False,
    )
    assert (found.returncode, found.stderr) == (0, "")
