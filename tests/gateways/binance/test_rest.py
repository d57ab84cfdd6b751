"""Opening, refusing to open, reading: before the served exchange and a scripted one."""

import asyncio
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from runner.errors import EnvironmentFault, InternalError
from runner.gateways.binance.answers import NoAnswer, Standing
from runner.gateways.binance.clock import ExchangeClock
from runner.gateways.binance.keys import Credentials, Secret, load_credentials
from runner.gateways.binance.rest import Rest
from runner.gateways.binance.settings import Endpoints
from runner.venue.fapi.keys import DEFAULT_KEY
from tests.gateways.binance.peer import CUT, Peer, Says, with_peer
from tests.gateways.binance.stage import KEYS, QUICK, SYMBOL, Stage, told
from tests.gateways.contract import order


def test_opening_measures_the_clock_and_learns_the_limits_and_rules() -> None:
    async def story(stage: Stage, rest: Rest) -> None:
        assert abs(rest.clock.offset_ms) < 50 and rest.clock.round_trip_ms > 0
        assert (rest.budget.weight.limit, rest.budget.weight.used) == (2_400, 11)
        assert [row["symbol"] for row in rest.exchange_info["symbols"]] == [SYMBOL]
        assert abs(rest.now_ms() - stage.front.now_ms()) < 50

    told(story)


def test_an_exchange_whose_clock_differs_a_little_is_traded_on_by_its_clock() -> None:
    async def story(stage: Stage, rest: Rest) -> None:
        assert abs(rest.clock.offset_ms - 7_000) < 50
        assert await rest.read("v3/balance")

    told(story, off_ms=7_000)


@pytest.mark.parametrize(("off_ms", "words"), [(60_000, "ms behind"), (-60_000, "ms ahead of")])
def test_a_clock_that_is_far_off_is_refused_before_anything_is_signed(off_ms: int, words: str) -> None:
    async def live() -> None:
        async with Stage(off_ms=off_ms) as stage:
            rest = Rest(stage.endpoints, KEYS, QUICK)
            with pytest.raises(EnvironmentFault, match=words) as caught:
                await rest.open()
            assert "NTP" in caught.value.hint

    asyncio.run(live())


@pytest.mark.parametrize(("credentials", "code"), [
    (Credentials(Secret(DEFAULT_KEY), Secret("wrong")), -1022),
    (Credentials(Secret("nobody"), Secret("wrong")), -2015),
    (Credentials(Secret("no key!"), Secret("wrong")), -2014),
])
def test_a_key_that_is_not_taken_is_refused_when_opening(credentials: Credentials, code: int) -> None:
    async def live() -> None:
        async with Stage() as stage:
            rest = Rest(stage.endpoints, credentials, QUICK)
            with pytest.raises(NoAnswer) as caught:
                await rest.open()
            assert caught.value.code == code and "BINANCE_API" in caught.value.hint
            assert "nobody" not in str(caught.value) and "wrong" not in str(caught.value)

    asyncio.run(live())


def test_an_ed25519_key_is_taken_for_reads_placements_and_cancels() -> None:
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    async def live() -> None:
        async with Stage() as stage:
            stage.door.keys.add_public_key("signer", public, "sim")
            rest = Rest(stage.endpoints, load_credentials("signer", pem), QUICK)
            await rest.open()
            resting = order("BUY", "LIMIT", price="59000")
            assert (await rest.place(resting.request)).standing is Standing.DONE
            cancelled = await rest.cancel(SYMBOL, resting.request.client_order_id, conditional=False)
            assert cancelled.standing is Standing.DONE
            await rest.close()

    asyncio.run(live())


def test_no_exchange_is_an_environment_fault() -> None:
    async def live() -> None:
        rest = Rest(Endpoints("http://127.0.0.1:9", "ws://127.0.0.1:9"), KEYS, QUICK)
        with pytest.raises(EnvironmentFault, match=r"no connection to 127\.0\.0\.1:9"):
            await rest.open()

    asyncio.run(live())


@pytest.mark.parametrize("body", ["[]", "{}", '{"serverTime": "soon"}', "null", "<html>"])
def test_what_is_no_exchange_is_an_environment_fault(body: str) -> None:
    async def story(peer: Peer) -> None:
        with pytest.raises(EnvironmentFault):
            await Rest(peer.endpoints, KEYS, QUICK).open()

    with_peer(story, *[Says(body=body)] * 9)


def test_opening_can_be_given_up() -> None:
    async def live() -> None:
        async with Stage() as stage:
            stage.fault("slow_answer", route="GET /fapi/v1/time", delay_ms=60_000)
            rest = Rest(stage.endpoints, KEYS, QUICK)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await rest.open()
            with pytest.raises(RuntimeError, match="closed"):
                await rest.session.get(stage.endpoints.rest)

    asyncio.run(live())


def test_nothing_is_asked_before_it_is_opened() -> None:
    with pytest.raises(InternalError):
        _ = Rest(Endpoints("", ""), KEYS, QUICK).session


@pytest.mark.parametrize(("path", "params", "weight"), [
    ("v1/openOrders", {}, 40), ("v1/openOrders", {"symbol": SYMBOL}, 1), ("v1/openAlgoOrders", {}, 40),
    ("v1/openAlgoOrders", {"symbol": SYMBOL}, 1), ("v3/positionRisk", {}, 5), ("v3/balance", {}, 5),
    ("v3/account", {}, 5), ("v1/accountConfig", {}, 5), ("v1/symbolConfig", {"symbol": SYMBOL}, 5),
    ("v1/userTrades", {"symbol": SYMBOL}, 5), ("v1/allOrders", {"symbol": SYMBOL}, 5),
    ("v1/allAlgoOrders", {"symbol": SYMBOL}, 5), ("v1/commissionRate", {"symbol": SYMBOL}, 20),
    ("v1/premiumIndex", {"symbol": SYMBOL}, 1), ("v1/premiumIndex", {}, 10),
    ("v1/ticker/bookTicker", {"symbol": SYMBOL}, 2), ("v1/ticker/bookTicker", {}, 5),
    ("v2/ticker/price", {"symbol": SYMBOL}, 1), ("v1/time", {}, 1), ("v1/exchangeInfo", {}, 1),
])
def test_a_read_is_counted_as_the_exchange_counts_it(path: str, params: dict[str, str], weight: int) -> None:
    async def story(stage: Stage, rest: Rest) -> None:
        before = rest.budget.weight.used
        await rest.read(path, **params)
        counted = stage.door.limits.spend("127.0.0.1", 0, stage.front.now_ms())
        assert rest.budget.weight.used == before + weight == counted

    told(story)


def test_a_read_that_comes_to_nothing_raises_with_what_is_known_of_it() -> None:
    async def story(peer: Peer) -> None:
        rest = Rest(peer.endpoints, KEYS, QUICK)
        rest.begin()
        for standing, code in ((Standing.THROTTLED, -1008), (Standing.UNKNOWN, 0), (Standing.ALREADY_SO, -2013)):
            with pytest.raises(NoAnswer) as caught:
                await rest.read("v1/order", symbol=SYMBOL, origClientOrderId="a")
            assert (caught.value.standing, caught.value.code) == (standing, code)
        await rest.close()
        assert len(peer.asked) == 3

    with_peer(story, Says(503, '{"code":-1008,"msg":"x"}'), CUT, Says(400, '{"code":-2013,"msg":"x"}'))


def test_a_read_by_a_clock_that_went_wrong_is_signed_anew_once() -> None:
    late = Says(400, '{"code":-1021,"msg":"Timestamp"}')

    async def story(peer: Peer) -> None:
        rest = Rest(peer.endpoints, KEYS, QUICK, clock=ExchangeClock(lambda: 1_000_000.0, lambda: 5.0))
        rest.begin()
        assert await rest.read("v3/balance") == ["balances"]
        with pytest.raises(NoAnswer, match="-1021"):
            await rest.read("v3/balance")
        await rest.close()
        stamps = [one.params["timestamp"] for one in peer.asked if "balance" in one.path]
        assert len(stamps) == 4 and stamps[0] != stamps[1]

    time = Says(body=json.dumps({"serverTime": 9_000_000}))
    with_peer(story, late, time, Says(body='["balances"]'), late, time, late)


def test_a_listen_key_is_given_kept_and_gone() -> None:
    async def story(stage: Stage, rest: Rest) -> None:
        key = await rest.listen_key()
        assert await rest.listen_key() == key
        await rest.keep_alive()
        stage.door.listen_keys.close("sim", stage.front.now_ms())
        with pytest.raises(NoAnswer) as caught:
            await rest.keep_alive()
        assert caught.value.code == -1125

    told(story)


@pytest.mark.parametrize("body", ["{}", "[]", '{"listenKey": ""}', '{"listenKey": 5}'])
def test_an_answer_without_a_listen_key_is_none(body: str) -> None:
    async def story(peer: Peer) -> None:
        rest = Rest(peer.endpoints, KEYS, QUICK)
        rest.begin()
        with pytest.raises(NoAnswer):
            await rest.listen_key()
        await rest.close()

    with_peer(story, Says(body=body))


@pytest.mark.parametrize("params", [{}, {"symbol": SYMBOL}])
def test_public_reads_are_not_signed(params: dict[str, Any]) -> None:
    async def story(peer: Peer) -> None:
        rest = Rest(peer.endpoints, KEYS, QUICK)
        rest.begin()
        await rest.read("v1/premiumIndex", **params)
        await rest.close()
        assert peer.asked[0].params == params

    with_peer(story)
