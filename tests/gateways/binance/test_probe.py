"""What the doctor is told: of a sound exchange, and of each thing that may be wrong."""

import asyncio
from typing import Any

from runner.gateways.binance.keys import Credentials, Secret
from runner.gateways.binance.probe import Finding, probe
from runner.gateways.binance.settings import Endpoints
from runner.venue.fapi.keys import DEFAULT_KEY
from runner.venue.fapi.limits import Limits
from tests.gateways.binance.stage import KEYS, QUICK, SYMBOL, Stage


def examined(
    *symbols: str, credentials: Credentials = KEYS, endpoints: Endpoints | None = None, prepare: Any = None,
    **of_stage: Any,
) -> dict[str, Finding]:
    async def live() -> dict[str, Finding]:
        async with Stage(**of_stage) as stage:
            if prepare is not None:
                prepare(stage)
            timings = QUICK.but(request_ms=500, connect_ms=500)
            found = await probe(endpoints or stage.endpoints, credentials, timings, None, symbols or (SYMBOL,))
            assert not stage.exchange.open_orders(stage.me) and not stage.exchange.open_conditionals(stage.me)
            assert len({one.topic for one in found}) == len(found)
            assert all(bool(one.advice) == (one.ok is False) for one in found), found
            return {one.topic: one for one in found}

    return asyncio.run(live())


def test_a_sound_exchange_has_nothing_to_advise() -> None:
    found = examined()
    assert all(one.ok for one in found.values()), found
    assert list(found) == [
        "exchange", "clock", "BTCUSDT", "key", "account", "permissions", "position mode", "asset mode",
        "BTCUSDT settings", "user stream", "rate limits",
    ]
    assert found["BTCUSDT"].text == "TRADING, tick 0.1, step 0.001, smallest notional 50 USDT"
    assert found["BTCUSDT settings"].text == "leverage 5, CROSSED"
    assert "10000 USDT" in found["account"].text
    assert "of 2400 used" in found["rate limits"].text


def test_an_exchange_that_cannot_be_reached_leaves_the_rest_unknown() -> None:
    found = examined(endpoints=Endpoints("http://127.0.0.1:9", "ws://127.0.0.1:9"))
    assert found["exchange"].ok is False and "no connection to 127.0.0.1:9" in found["exchange"].text
    assert {one.ok for topic, one in found.items() if topic != "exchange"} == {None}


def test_what_is_no_exchange_is_said_so() -> None:
    found = examined(endpoints=Endpoints("http://127.0.0.1:9", "ws://127.0.0.1:9"))
    assert "network" in found["exchange"].advice


def test_a_clock_that_is_far_off_is_told_with_how_far() -> None:
    found = examined(off_ms=60_000)
    assert found["clock"].ok is False and "behind" in found["clock"].text
    assert "NTP" in found["clock"].advice


def test_a_wrong_secret_and_an_unknown_key_are_told_apart() -> None:
    wrong = examined(credentials=Credentials(Secret(DEFAULT_KEY), Secret("wrong")))
    assert wrong["key"].ok is False and "-1022" in wrong["key"].text
    assert "BINANCE_API_SECRET" in wrong["key"].advice
    unknown = examined(credentials=Credentials(Secret("nobody"), Secret("wrong")))
    assert unknown["key"].ok is False and "-2015" in unknown["key"].text
    assert "BINANCE_API_KEY" in unknown["key"].advice
    assert unknown["user stream"].ok is None and unknown["clock"].ok


def test_a_missing_key_or_secret_is_told_and_not_tried() -> None:
    for credentials, missing in (
        (Credentials(Secret(""), Secret("secret")), "API key"), (Credentials(Secret("key"), Secret("")), "API secret"),
    ):
        found = examined(credentials=credentials)
        assert (found["key"].ok, found["key"].text) == (False, f"there is no {missing}")
        assert "BINANCE_API_KEY" in found["key"].advice
        assert found["user stream"].ok is None and found[SYMBOL].ok


def test_a_symbol_that_is_not_listed_is_told() -> None:
    found = examined(SYMBOL, "BTCUDST")
    assert found["BTCUDST"].ok is False and found[SYMBOL].ok
    assert found["account"].ok


def test_hedge_mode_and_an_empty_account_are_told() -> None:
    def prepare(stage: Stage) -> None:
        stage.me.hedge = True

    found = examined(prepare=prepare)
    assert found["position mode"].ok is False and "one-way" in found["position mode"].advice


def test_streams_that_cannot_be_listened_to_are_told() -> None:
    async def live() -> dict[str, Finding]:
        async with Stage() as stage:
            endpoints = Endpoints(stage.endpoints.rest, "ws://127.0.0.1:9")
            return {one.topic: one for one in await probe(endpoints, KEYS, QUICK, None, (SYMBOL,))}

    found = asyncio.run(live())
    assert found["user stream"].ok is False and "ws://127.0.0.1:9" in found["user stream"].text
    assert found["key"].ok


def test_limits_that_others_have_used_up_are_told() -> None:
    found = examined(limits=Limits(weight=45))
    assert found["rate limits"].ok is False and "of 45 used" in found["rate limits"].text


def test_a_ban_is_told_and_not_waited_for() -> None:
    found = examined(prepare=lambda stage: stage.fault("banned_418", route="GET /fapi/v1/time"))
    assert found["exchange"].ok is False and "418" in found["exchange"].text
    paused = examined(prepare=lambda stage: stage.fault("too_many_429", route="GET /fapi/v1/exchangeInfo"))
    assert (paused["rules"].ok, paused["key"].ok) == (False, False)
