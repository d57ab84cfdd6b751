"""python-binance's client as we use it: constructed without a request, one `Reply` for whatever is answered, and
nothing done behind our back: no redirect followed, no request sent twice, no secret held in its attributes.

Source: python-binance 1.0.37, whose private methods are overridden here; that version is pinned.
"""

import hashlib
import hmac
import json
import urllib.request
import warnings
from base64 import b64encode
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp
from yarl import URL

from runner.errors import InternalError
from runner.gateways.binance.answers import Reply
from runner.gateways.binance.keys import Credentials
from runner.gateways.binance.settings import Endpoints, Timings

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", r"websockets\.WebSocketClientProtocol is deprecated", DeprecationWarning)
    warnings.filterwarnings("ignore", r"websockets\.legacy is deprecated", DeprecationWarning)
    from binance import AsyncClient

_KEPT_ALIVE_S = 50
"""Load balancers commonly close a connection that is idle for 60 s: no request is to meet one just being closed."""
_LONGEST = 200
_IN_BOOK = ("MARKET", "LIMIT")
_decode = json.JSONDecoder(parse_float=Decimal).decode


class Client(AsyncClient):  # type: ignore[misc]  # the package has no types
    """To be constructed where the event loop runs, which makes no request; `close` ends it.

    `proxy` is a URL; where it is None the environment's own for the REST host is taken.  `stamp_ms` is the exchange's
    time, which requests are signed with.
    """

    def __init__(
        self, endpoints: Endpoints, credentials: Credentials, timings: Timings, proxy: str | None,
        stamp_ms: Callable[[], int],
    ) -> None:
        self._stamp_ms = stamp_ms
        self.proxy = proxy or environment_proxy(endpoints.rest)
        self._key = credentials.key
        self._sign = _signer(credentials)
        self._timeout = aiohttp.ClientTimeout(total=timings.request_ms / 1000, connect=timings.connect_ms / 1000)
        super().__init__()
        self.FUTURES_URL = f"{endpoints.rest}/fapi"
        self.REQUEST_RECVWINDOW = timings.recv_window_ms

    async def close(self) -> None:
        await self.session.close()

    async def futures_create_order(self, **params: Any) -> Any:
        """MARKET and LIMIT alone: python-binance would send any other type on with an id of its own invention."""
        if params["type"] not in _IN_BOOK:
            raise InternalError(f"an order of type {params['type']} was to be sent past the Algo service")
        return await super().futures_create_order(**params)

    def _init_session(self) -> aiohttp.ClientSession:
        # No limit: a request that hangs holds up nobody else's.
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEPT_ALIVE_S), timeout=self._timeout,
            proxy=self.proxy,
            headers={
                "Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded",
                "User-Agent": "daksh-run", "X-MBX-APIKEY": self._key.reveal(),
            },
        )
        # aiohttp sends GET, PUT and DELETE again by itself where a kept connection breaks.
        session._retry_connection = False
        return session

    async def _request(
        self, method: str, uri: str, signed: bool, force_params: bool = False, **kwargs: Any,
    ) -> Reply:
        """All parameters go in the query, exactly as they were signed, whatever the method: python-binance signs what
        it then encodes otherwise, and a request without a body is written at once."""
        query = "&".join(f"{name}={quote(str(value))}" for name, value in (kwargs.get("data") or {}).items())
        if signed:
            query = self._signed(query)
        url = URL(f"{uri}?{query}" if query else uri, encoded=True)
        async with self.session.request(method, url, allow_redirects=False) as response:
            return await self._handle_response(response)

    def _signed(self, query: str) -> str:
        signing = f"{query}&recvWindow={self.REQUEST_RECVWINDOW}&timestamp={self._stamp_ms()}".removeprefix("&")
        return f"{signing}&signature={self._sign(signing)}"

    async def _handle_response(self, response: aiohttp.ClientResponse) -> Reply:
        text = (await response.read()).decode("utf-8", "replace")
        try:
            body = _decode(text) if text.strip() else {}
        except (ValueError, RecursionError):
            body = None
        code, message = 0, text
        if isinstance(body, dict):
            code, message = _whole(body.get("code")), str(body.get("msg", ""))
        return Reply(response.status, code, _line(message), response.headers, body)


def _signer(credentials: Credentials) -> Callable[[str], str]:
    """What signs a query, as the query then holds it."""
    secret = credentials.secret.reveal().encode()
    if credentials.ed25519:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        private = load_pem_private_key(secret, None)
        if not isinstance(private, Ed25519PrivateKey):
            raise InternalError("credentials hold a private key that is not Ed25519")
        return lambda signing: quote(b64encode(private.sign(signing.encode())), safe="")

    keyed = hmac.new(secret, None, hashlib.sha256)

    def sign(signing: str) -> str:
        mac = keyed.copy()
        mac.update(signing.encode())
        return mac.hexdigest()

    return sign


def environment_proxy(url: str) -> str | None:
    """The proxy that HTTP_PROXY, HTTPS_PROXY and NO_PROXY name for this URL.

    It is found once: aiohttp's own `trust_env` would look for it, and for a file of passwords, at each request.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if urllib.request.proxy_bypass(parts.netloc) or urllib.request.proxy_bypass(host):
        return None
    scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)
    return urllib.request.getproxies().get(scheme)


def _line(message: str) -> str:
    """What a server says as one line that is safe to show."""
    shown = "".join(letter if letter.isprintable() else " " for letter in message[:_LONGEST])
    return " ".join(shown.split())


def _whole(code: object) -> int:
    """A code, which the Algo service gives as text; 0 where there is none."""
    try:
        return int(code) if isinstance(code, int | str) else 0
    except ValueError:
        return 0
