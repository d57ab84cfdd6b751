"""Where Binance's hosts are, and which of them are where real money is."""

from urllib.parse import urlsplit

from runner.errors import UsageError
from runner.gateways.binance.settings import Endpoints

REST_VARIABLE = "BINANCE_FUTURES_REST_URL"
WS_VARIABLE = "BINANCE_FUTURES_WS_URL"
HOSTS = {
    "live": Endpoints("https://fapi.binance.com", "wss://fstream.binance.com"),
    "demo": Endpoints("https://demo-fapi.binance.com", "wss://fstream.binancefuture.com"),
}
"""Source: Binance USDⓈ-M Futures, "General Info" of both environments."""

_DEMO = frozenset({
    "demo-fapi.binance.com", "demo-fstream.binance.com", "testnet.binancefuture.com", "fstream.binancefuture.com",
    "stream.binancefuture.com",
})
_BINANCE = (
    "binance.com", "binance.us", "binance.me", "binance.cc", "binance.info", "binance.vision", "binancefuture.com",
    "binance.co", "binance.cloud", "bnbstatic.com",
)


def endpoints_of(mode: str, rest_override: str = "", ws_override: str = "") -> Endpoints:
    """The hosts of a mode, or those that the environment names instead.

    Raises:
        UsageError: an override is no such URL.
    """
    own = HOSTS[mode]
    return Endpoints(
        _checked(REST_VARIABLE, rest_override, ("http", "https"), own.rest),
        _checked(WS_VARIABLE, ws_override, ("ws", "wss"), own.ws),
    )


def is_production(endpoints: Endpoints) -> bool:
    """Whether one of them is a host of Binance's that is not known as a demo host."""
    return any(_real(urlsplit(url).hostname or "") for url in (endpoints.rest, endpoints.ws))


def _real(host: str) -> bool:
    host = host.rstrip(".").lower()
    return host not in _DEMO and any(host == own or host.endswith(f".{own}") for own in _BINANCE)


def _checked(variable: str, text: str, schemes: tuple[str, str], own: str) -> str:
    """An override without a slash at its end; the mode's own where there is none."""
    if not text:
        return own
    example = f"like {schemes[0]}://127.0.0.1:9001, with neither path nor key"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise UsageError(f"{variable} is no URL", hint=f"give one {example}") from None
    if parts.scheme not in schemes or not parts.hostname or port == 0:
        raise UsageError(f"{variable} is no {schemes[0]} or {schemes[1]} URL with a host", hint=f"give one {example}")
    if parts.path.rstrip("/") or parts.query or parts.fragment or parts.username or parts.password:
        raise UsageError(f"{variable} holds more than scheme, host and port", hint=f"give one {example}")
    return f"{parts.scheme}://{parts.netloc}"
