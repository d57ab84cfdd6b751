"""Every code, status and failure of Binance's pages, and of the libraries beneath, judged by the table."""

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey

from runner.gateways.binance.answers import ROWS, Answer, NoAnswer, Reply, Standing, failed, failure_words, judged
from runner.gateways.binance.client import Client
from runner.gateways.binance.rest import Rest
from runner.gateways.binance.settings import Endpoints, Timings
from tests.gateways.binance.peer import CUT, HANG, Peer, Says, with_peer
from tests.gateways.binance.stage import KEYS

N, R, T, U, S, H = (
    Standing.NOT_SENT, Standing.REJECTED, Standing.THROTTLED, Standing.UNKNOWN, Standing.ALREADY_SO, Standing.HALT,
)
CODES: dict[Standing, str] = {
    U: "-1000 -1001 -1006 -1007",
    T: "-1003 -1008 -1015 -1016 -1021 -5028 -4117",
    H: "-1002 -1022 -1099 -2014 -2015 -2017 -2023 -4061 -4087 -4088 -4109 -4189 -4192 -4402 -4403",
    S: "-1125 -2011 -2013 -2022 -2024 -4046 -4059 -4116 -4118 -4130 -4171 -5027",
    R: """-1013 -1014 -1100 -1101 -1102 -1103 -1104 -1105 -1106 -1111 -1114 -1115 -1116 -1117 -1118 -1120 -1121 -1122
        -1128 -1130 -2010 -2018 -2019 -2020 -2021 -2025 -2026 -2027 -2028 -4001 -4002 -4003 -4004 -4005 -4006 -4007
        -4013 -4014 -4015 -4016 -4023 -4024 -4028 -4045 -4047 -4048 -4062 -4067 -4068 -4082 -4083 -4105 -4106 -4107
        -4120 -4131 -4135 -4136 -4137 -4138 -4140 -4141 -4142 -4161 -4164 -4183 -4184 -4210 -4211 -4400 -4401 -4500
        -4509 -4531 -5000 -5021 -5022 -5024 -5025 -5026 -5029 -5037 -5038 -5039 -5040 -5041 -5043 -5047""",
}
EACH = [(int(code), standing) for standing, codes in CODES.items() for code in codes.split()]
REDUCE_ONLY_EXEMPT = "Request throttled by system-level protection. Reduce-only/close-position orders are exempt."


def reply(status: int, code: int = 0, message: str = "", body: object = ()) -> Reply:
    return Reply(status, code, message, {}, body)


@pytest.mark.parametrize(("code", "standing"), EACH)
@pytest.mark.parametrize("status", [400, 200])
def test_a_code_says_how_the_request_stands_also_under_http_200(code: int, standing: Standing, status: int) -> None:
    assert judged(reply(status, code)) is standing


def test_every_code_of_the_table_is_expected_here() -> None:
    listed = [code for row in ROWS for code in row.codes if code]
    assert len(listed) == len(set(listed))
    assert set(listed) == {code for code, _ in EACH}


def test_every_row_names_its_source() -> None:
    assert all(row.source for row in ROWS)


@pytest.mark.parametrize(("status", "code", "message", "standing"), [
    (503, 0, "Unknown error, please check your request or try again later.", U),
    (503, 0, "Service Unavailable.", T),
    (503, -1001, "Internal error; unable to process your request. Please try again.", U),
    (503, -1008, REDUCE_ONLY_EXEMPT, T),
    (500, 0, "Request occur unknown error.", U),
    (503, 0, "<html><body>503 Service Unavailable</body></html>", U),
    (503, 0, "", U),
    (500, 0, "", U),
    (502, 0, "<html>Bad Gateway</html>", U),
    (504, 0, "", U),
    (408, 0, "", U),
    (408, -1007, "Timeout waiting for response from backend server.", U),
    (302, 0, "", U),
    (429, -1003, "Too many requests", T),
    (429, -1015, "Too many new orders", T),
    (429, 0, "", T),
    (418, -1003, "Way too many requests; IP banned until 1790000000000.", H),
    (418, 0, "<html>teapot</html>", H),
    (403, 0, "<html>WAF</html>", H),
    (451, 0, "Service unavailable from a restricted location", H),
    (401, -2015, "Invalid API-key, IP, or permissions for action.", H),
    (401, 0, "", H),
    (400, -9999, "a code that nobody knows", R),
    (404, 0, "", R),
    (413, 0, "", R),
    (500, -9999, "a code that nobody knows", U),
    (200, 0, "", Standing.DONE),
    (200, 200, "success", Standing.DONE),
])
def test_a_status_and_a_message_say_how_the_request_stands(
    status: int, code: int, message: str, standing: Standing,
) -> None:
    assert judged(reply(status, code, message)) is standing


@pytest.mark.parametrize("code", [-1021, -5028])
def test_a_refused_timestamp_says_that_the_clock_is_off(code: int) -> None:
    answer = Answer(judged(reply(400, code)), 400, code, "", None, 0)
    assert answer.clock_is_off and answer.passing


def test_a_ban_passes_and_halts() -> None:
    answer = Answer(judged(reply(418, -1003)), 418, -1003, "", None, 0)
    assert answer.passing and answer.standing is H


_KEY = ConnectionKey("host", 443, True, True, None, None, None)


@pytest.mark.parametrize(("error", "standing"), [
    (aiohttp.ClientConnectorError(_KEY, OSError(111, "refused")), N),
    (aiohttp.ClientConnectorDNSError(_KEY, OSError(-2, "no such name")), N),
    (aiohttp.ClientConnectorSSLError(_KEY, ssl.SSLError(1, "handshake")), N),
    (aiohttp.ClientConnectorCertificateError(_KEY, ssl.CertificateError("wrong name")), N),
    (aiohttp.ClientProxyConnectionError(_KEY, OSError(111, "refused")), N),
    (aiohttp.ClientHttpProxyError(None, (), status=407), N),  # type: ignore[arg-type]
    (aiohttp.ConnectionTimeoutError(), N),
    (aiohttp.InvalidURL("x"), N),
    (RuntimeError("Session is closed"), N),
    (RuntimeError("something else"), U),
    (TimeoutError(), U),
    (aiohttp.SocketTimeoutError(), U),
    (aiohttp.ServerTimeoutError(), U),
    (aiohttp.ServerDisconnectedError(), U),
    (aiohttp.ClientOSError(104, "reset"), U),
    (aiohttp.ClientConnectionResetError(), U),
    (aiohttp.ClientPayloadError(), U),
    (ConnectionResetError(), U),
    (AttributeError(), U),
])
def test_an_exception_says_how_the_request_stands(error: Exception, standing: Standing) -> None:
    assert failed(error) is standing
    assert failure_words(error)


def asked(peer: Peer, of: Callable[[Client], Awaitable[Reply]], timings: Timings) -> Awaitable[Answer]:
    """What becomes of a request to the peer."""

    async def ask() -> Answer:
        rest = Rest(peer.endpoints, KEYS, timings)
        rest._opened = client = Client(peer.endpoints, KEYS, timings, None, rest.clock.stamp_ms)
        try:
            return await rest._sent(lambda: of(client))
        finally:
            await rest.close()

    return ask()


def order(client: Client) -> Awaitable[Reply]:
    sent: Awaitable[Reply] = client.futures_create_order(symbol="BTCUSDT", side="BUY", type="MARKET", quantity="1")
    return sent


@pytest.mark.parametrize(("says", "standing", "code"), [
    (Says(400, '{"code":-1021,"msg":"Timestamp"}'), T, -1021),
    (Says(429, '{"code":-1003,"msg":"Too many requests"}'), T, -1003),
    (Says(503, '{"code":-1008,"msg":"Server is currently overloaded"}'), T, -1008),
    (Says(503, "Service Unavailable.", kind="text/plain"), T, 0),
    (Says(503, '{"msg":"Unknown error, please check your request or try again later."}'), U, 0),
    (Says(502, "<html>no</html>", kind="text/html"), U, 0),
    (Says(418, ""), H, 0),
    (Says(503, "[1, 2]"), U, 0),
    (Says(200, "<html>hello</html>", kind="text/html"), U, 0),
    (Says(200, '{"orderId": 1, "bro'), U, 0),
    (Says(200, '{"code":-2019,"msg":"Margin is insufficient."}'), R, -2019),
    (Says(200, '{"code":200,"msg":"done"}'), Standing.DONE, 200),
    (Says(200, '{"algoId":1,"clientAlgoId":"a","code":"200","msg":"success"}'), Standing.DONE, 200),
    (Says(200, '{"orderId": 1}', kind="text/html"), Standing.DONE, 0),
    (Says(302, "", {"Location": "/elsewhere"}), U, 0),
    (Says(401, '{"code":-2015,"msg":"Invalid API-key"}'), H, -2015),
    (CUT, U, 0),
    (HANG, U, 0),
])
def test_what_a_server_does_says_how_the_request_stands(says: Says | str, standing: Standing, code: int) -> None:
    async def story(peer: Peer) -> None:
        answer = await asked(peer, order, Timings(request_ms=300))
        assert (answer.standing, answer.code) == (standing, code)
        assert len(peer.asked) == 1, "a redirect is not followed, and nothing is sent twice"

    with_peer(story, says)


def test_a_refused_connection_and_a_handshake_without_end_are_not_sent() -> None:
    async def story() -> None:
        open_ends: list[asyncio.StreamWriter] = []
        silent = await asyncio.start_server(lambda _, writer: open_ends.append(writer), "127.0.0.1", 0)
        port = silent.sockets[0].getsockname()[1]
        timings = Timings(request_ms=5_000, connect_ms=50)

        async def ask(rest: str) -> Answer:
            peer = Peer()
            peer.endpoints = Endpoints(rest, "")
            return await asked(peer, order, timings)

        assert (await ask(f"https://127.0.0.1:{port}")).standing is N
        for end in open_ends:
            end.close()
            await end.wait_closed()
        silent.close()
        await silent.wait_closed()
        refused = await ask(f"http://127.0.0.1:{port}")
        assert refused.standing is N
        assert re.fullmatch(rf"no connection to 127\.0\.0\.1:{port} \(.*\)", refused.message)

    asyncio.run(story())


def test_a_closed_client_sends_nothing() -> None:
    async def story(peer: Peer) -> None:
        rest = Rest(peer.endpoints, KEYS, Timings())
        rest._opened = Client(peer.endpoints, KEYS, Timings(), None, rest.clock.stamp_ms)
        await rest.close()
        assert (await rest._sent(lambda: order(rest._opened))).standing is N  # type: ignore[arg-type]
        assert not peer.asked

    with_peer(story)


@pytest.mark.parametrize(("answer", "words", "advice"), [
    (Answer(H, 401, -2015, "Invalid API-key", None, 0), "-2015 Invalid API-key (HTTP 401)", "BINANCE_API_KEY"),
    (Answer(H, 400, -1022, "Signature", None, 0), "-1022 Signature (HTTP 400)", "BINANCE_API_SECRET"),
    (Answer(T, 400, -1021, "Timestamp", None, 0), "-1021 Timestamp (HTTP 400)", "NTP"),
    (Answer(N, 0, 0, "no connection to host:1", None, 0), "no connection to host:1", "network"),
    (Answer(H, 418, -1003, "banned", None, 0), "-1003 banned (HTTP 418)", "wait"),
    (Answer(H, 403, 0, "<html>", None, 0), "<html> (HTTP 403)", "firewall"),
    (Answer(U, 500, 0, "", None, 0), "(HTTP 500)", "try again"),
])
def test_a_read_that_comes_to_nothing_says_what_and_what_to_do(answer: Answer, words: str, advice: str) -> None:
    error = NoAnswer(answer, "v3/balance")
    assert words in str(error) and ("v3/balance" in str(error)) == bool(answer.status)
    assert advice in error.hint
    assert (error.standing, error.code) == (answer.standing, answer.code)
