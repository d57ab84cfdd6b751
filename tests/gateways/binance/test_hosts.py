"""The hosts of the modes, their overrides, and which of them are where real money is."""

import pytest

from runner.errors import UsageError
from runner.gateways.binance.hosts import endpoints_of, is_production
from runner.gateways.binance.settings import Endpoints


def test_each_mode_has_its_hosts() -> None:
    assert endpoints_of("live") == Endpoints("https://fapi.binance.com", "wss://fstream.binance.com")
    assert endpoints_of("demo") == Endpoints("https://demo-fapi.binance.com", "wss://fstream.binancefuture.com")


def test_an_override_takes_the_place_of_each() -> None:
    assert endpoints_of("live", "http://127.0.0.1:9001/", "ws://127.0.0.1:9001") == Endpoints(
        "http://127.0.0.1:9001", "ws://127.0.0.1:9001",
    )
    assert endpoints_of("demo", "http://[::1]:9001", "").ws == "wss://fstream.binancefuture.com"


@pytest.mark.parametrize("wrong", [
    "127.0.0.1:9001", "ws://127.0.0.1:9001", "http://", "http://host/fapi", "http://host?x=1", "http://host#x",
    "http://user:word@host", "http://host:99999", "http://host:0", "ftp://host", "http://[::1",
])
def test_an_override_that_is_no_mere_host_is_refused(wrong: str) -> None:
    with pytest.raises(UsageError, match="BINANCE_FUTURES_REST_URL") as caught:
        endpoints_of("demo", wrong, "")
    assert "word" not in f"{caught.value} {caught.value.hint}".replace("words", "")
    with pytest.raises(UsageError, match="BINANCE_FUTURES_WS_URL"):
        endpoints_of("demo", "", wrong.replace("http://", "ws://") if wrong[:2] != "ws" else "http://127.0.0.1")


@pytest.mark.parametrize(("rest", "ws", "real"), [
    ("https://fapi.binance.com", "wss://fstream.binance.com", True),
    ("https://FAPI.Binance.com.", "ws://127.0.0.1:9001", True),
    ("http://127.0.0.1:9001", "wss://fstream.binance.com", True),
    ("https://fapi1.binance.com:8443", "ws://127.0.0.1:9001", True),
    ("https://binance.com", "ws://127.0.0.1:9001", True),
    ("https://demo-fapi.binance.com", "wss://fstream.binancefuture.com", False),
    ("https://testnet.binancefuture.com", "wss://demo-fstream.binance.com", False),
    ("http://127.0.0.1:9001", "ws://127.0.0.1:9001", False),
    ("http://notbinance.com", "ws://localhost", False),
])
def test_a_host_of_binance_that_is_no_demo_host_is_production(rest: str, ws: str, real: bool) -> None:
    assert is_production(Endpoints(rest, ws)) is real
