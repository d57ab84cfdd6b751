"""The WebSocket API `/ws-fapi/v1`: the REST handlers, asked and answered over one socket.

Source: Binance USDⓈ-M "WebSocket API General Info".  A request is
`{"id", "method", "params"}`, its signature is over all parameters sorted by name; an answer is
`{"id", "status", "result" | "error", "rateLimits"}`.  Limits are those of REST.
"""

import asyncio
import json
import logging
from collections.abc import Coroutine, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from runner.venue.fapi.calls import Call, Route, Security
from runner.venue.fapi.disturbing import Disturbance
from runner.venue.fapi.door import Door
from runner.venue.fapi.errors import ApiError, internal
from runner.venue.fapi.keys import ApiKey
from runner.venue.fapi.limits import MINUTE_MS, TEN_SECONDS_MS
from runner.venue.fapi.params import Params, from_json
from runner.venue.fapi.performing import perform
from runner.venue.fapi.requestlog import Asked
from runner.venue.fapi.routes.table import ROUTES
from runner.venue.fapi.signing import check_text, check_time
from runner.venue.fapi.streams.socket import Socket
from runner.venue.refusals import Refusal, missing

METHODS: Mapping[str, str] = {
    "order.place": "POST /fapi/v1/order",
    "order.modify": "PUT /fapi/v1/order",
    "order.cancel": "DELETE /fapi/v1/order",
    "order.status": "GET /fapi/v1/order",
    "algoOrder.place": "POST /fapi/v1/algoOrder",
    "algoOrder.cancel": "DELETE /fapi/v1/algoOrder",
    "account.balance": "GET /fapi/v2/balance",
    "v2/account.balance": "GET /fapi/v3/balance",
    "account.status": "GET /fapi/v2/account",
    "v2/account.status": "GET /fapi/v3/account",
    "account.position": "GET /fapi/v2/positionRisk",
    "v2/account.position": "GET /fapi/v3/positionRisk",
    "depth": "GET /fapi/v1/depth",
    "ticker.price": "GET /fapi/v2/ticker/price",
    "ticker.book": "GET /fapi/v1/ticker/bookTicker",
    "userDataStream.start": "POST /fapi/v1/listenKey",
    "userDataStream.ping": "PUT /fapi/v1/listenKey",
    "userDataStream.stop": "DELETE /fapi/v1/listenKey",
}
"""Each method as the REST route that does it."""

HANDSHAKE_WEIGHT = 5
MAX_ID = 36
_ROUTES = {route.name: route for route in ROUTES}
_SESSION = ("session.logon", "session.status", "session.logout")
_LIFTED = 1_000_000_000
"""Shown as the limit where there is none."""
_LOG = logging.getLogger(__name__)
_to_json = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


class Session:
    """One socket of the API; `address` is the client's, whose weight is counted."""

    def __init__(self, door: Door, socket: Socket, address: str) -> None:
        self._door = door
        self._socket = socket
        self._address = address
        self._key: ApiKey | None = None
        self._since_ms = 0
        self._tells_limits = True
        self._waiting: set[asyncio.Task[None]] = set()

    def greet(self, request: web.Request) -> None:
        self._tells_limits = request.query.get("returnRateLimits", "true").lower() != "false"
        try:
            self._door.limits.spend(self._address, HANDSHAKE_WEIGHT, self._door.front.now_ms())
        except ApiError:
            self._socket.close("Too many requests")

    def heard(self, text: str) -> None:
        id: object = None
        request = _Request("", {}, self._tells_limits)
        try:
            row = _read(text)
            id = _id(row)
            request = self._request(row)
            self._take(id, request)
        except (Refusal, ApiError) as error:
            self._refuse(id, error, request)
        except Exception:
            _LOG.exception("defect of the WebSocket API at %s", request.method)
            self._refuse(id, internal(), request)

    def left(self) -> None:
        for task in self._waiting:
            task.cancel()

    def _request(self, row: Mapping[str, Any]) -> "_Request":
        method, params = row.get("method"), row.get("params")
        if not isinstance(method, str):
            raise _malformed("Invalid 'method' in JSON request; expected a string.")
        if params is not None and not isinstance(params, dict):
            raise _malformed("Invalid 'params' in JSON request; expected an object.")
        values = dict(from_json(params or {}).values)
        tells = values.get("returnRateLimits", str(self._tells_limits)).lower() != "false"
        return _Request(method, values, tells)

    def _take(self, id: object, request: "_Request") -> None:
        now = self._door.front.now_ms()
        if request.method in _SESSION:
            request.counted.append(_weight(self._door, self._door.limits.spend(self._address, 2, now)))
            self._answer(id, self._session(request, now), request)
            return
        route = _ROUTES.get(METHODS.get(request.method, ""))
        if route is None:
            raise ApiError(-5000, f"Method {request.method[:64]} is invalid")
        params = Params(request.values)
        request.asked = self._door.requests.add(now, request.method, params.values)
        used = self._door.limits.spend(self._address, route.weighs(params), now)
        call = Call(self._door, params, now, self._door.at_ms())
        if route.security is not Security.NONE:
            key = self._admit(request, signed=route.security is Security.SIGNED, now=now)
            call.who = self._door.exchange.accounts[key.account]
            request.asked.account = key.account
        if route.orders != (0, 0):
            counts = self._door.limits.count_orders(call.account.name, *route.orders, now)
            request.counted += _orders(self._door, counts)
        request.counted.append(_weight(self._door, used))
        wrong = None
        if self._door.disturber.active:
            wrong = self._door.disturber.before(request.method, call.who, params)
            self._door.publish()
        if wrong is None:
            self._answer(id, perform(request.method, route.handler, call), request)
        elif wrong.wait_before_ms == 0:
            self._later(self._disclose(id, request, self._outcome(request, route, call, wrong), wrong))
        else:
            self._later(self._disturbed(id, request, route, call, wrong))

    # --- with faults: done or not, answered truly, wrongly, late or never

    async def _disturbed(self, id: object, request: "_Request", route: Route, call: Call, wrong: Disturbance) -> None:
        await asyncio.sleep(wrong.wait_before_ms / 1000)
        call.at_ms = self._door.at_ms()
        await self._disclose(id, request, self._outcome(request, route, call, wrong), wrong)

    def _outcome(self, request: "_Request", route: Route, call: Call, wrong: Disturbance) -> Any:
        """The result, or the `ApiError` that is told in its place."""
        if wrong.instead is not None:
            return wrong.instead
        try:
            result = perform(request.method, route.handler, call)
        except ApiError as refused:
            result = refused
        except Exception:
            _LOG.exception("defect of the WebSocket API at %s", request.method)
            result = internal()
        return wrong.after or result

    async def _disclose(self, id: object, request: "_Request", outcome: Any, wrong: Disturbance) -> None:
        await asyncio.sleep(wrong.wait_after_ms / 1000)
        if wrong.hang:
            return
        if wrong.cut:
            self._socket.cut()
        elif isinstance(outcome, ApiError):
            self._refuse(id, outcome, request)
        else:
            self._answer(id, outcome, request)

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)

    # --- who asks

    def _admit(self, request: "_Request", *, signed: bool, now: int) -> ApiKey:
        """The key of a request, by its own name or by the session's."""
        values = request.values
        if self._key is not None and "signature" not in values and values.get("apiKey") in (None, self._key.name):
            if signed:
                check_time(Params(values), now)
            return self._key
        if not values.get("apiKey"):
            raise missing("apiKey")
        key = self._door.keys.find(values["apiKey"])
        if signed:
            check_time(Params(values), now)
            self._verify(key, values)
        return key

    def _verify(self, key: ApiKey, values: Mapping[str, str]) -> None:
        """The signature over all other parameters by name, as they are or as in a query string."""
        signature = values.get("signature")
        if not signature:
            raise missing("signature")
        if "%" in signature:
            raise _bad_signature()
        for payload in _payloads(values):
            try:
                check_text(key, payload, signature)
            except (Refusal, ApiError):
                continue
            return
        raise _bad_signature()

    def _session(self, request: "_Request", now: int) -> dict[str, object]:
        match request.method:
            case "session.logon":
                self._logon(request.values, now)
            case "session.logout":
                self._key = None
        return {
            "apiKey": None if self._key is None else self._key.name,
            "authorizedSince": None if self._key is None else self._since_ms,
            "connectedSince": self._socket.opened_ms,
            "returnRateLimits": self._tells_limits,
            "serverTime": now,
        }

    def _logon(self, values: Mapping[str, str], now: int) -> None:
        key = self._door.keys.find(values.get("apiKey"))
        check_time(Params(values), now)
        self._verify(key, values)
        if key.public_key is None:
            raise ApiError(-4056, "HMAC_SHA256 API key is not supported.", 400)
        self._key, self._since_ms = key, now

    # --- answers

    def _answer(self, id: object, result: object, request: "_Request") -> None:
        self._send({"id": id, "status": 200, "result": result}, request)

    def _refuse(self, id: object, error: Refusal | ApiError, request: "_Request") -> None:
        told: dict[str, object] = {"code": error.code, "msg": error.message}
        status = 400
        if isinstance(error, ApiError):
            status = error.http
            retry = error.headers.get("Retry-After")
            if retry is not None:
                now = self._door.front.now_ms()
                told["data"] = {"serverTime": now, "retryAfter": now + int(retry) * 1000}
        self._send({"id": id, "status": status, "error": told}, request)

    def _send(self, body: dict[str, Any], request: "_Request") -> None:
        if request.asked is not None:
            request.asked.status = body["status"]
            request.asked.code = body["error"]["code"] or 0 if "error" in body else 0
        if request.tells_limits:
            body["rateLimits"] = request.counted
        self._socket.answer(_to_json(body))


class _Request:
    """A method with its parameters as texts, whether the answer tells of limits, and what it tells of them."""

    __slots__ = ("asked", "counted", "method", "tells_limits", "values")

    def __init__(self, method: str, values: dict[str, str], tells_limits: bool) -> None:
        self.method = method
        self.values = values
        self.tells_limits = tells_limits
        self.counted: list[dict[str, object]] = []
        self.asked: Asked | None = None


def _read(text: str) -> Mapping[str, Any]:
    try:
        row = json.loads(text, parse_float=str)
    except (ValueError, RecursionError):
        raise _malformed("Invalid JSON request.") from None
    if not isinstance(row, dict):
        raise _malformed("Invalid JSON request; expected an object.")
    return row


def _id(row: Mapping[str, Any]) -> object:
    id = row.get("id")
    if id is None or (isinstance(id, int) and not isinstance(id, bool)) or (isinstance(id, str) and len(id) <= MAX_ID):
        return id
    raise _malformed("Invalid 'id' in JSON request; expected an integer, a string of at most 36 characters, or null.")


def _bad_signature() -> Refusal:
    return Refusal(-1022, "Signature for this request is not valid.")


def _malformed(message: str) -> ApiError:
    return ApiError(-1135, message, 400)


def _payloads(values: Mapping[str, str]) -> Iterator[str]:
    """What a client may have signed: plain, as a query string, and the latter with Python's words for truth."""
    pairs = sorted((name, value) for name, value in values.items() if name != "signature")
    yield "&".join(f"{name}={value}" for name, value in pairs)
    yield urlencode(pairs)
    if any(value in ("true", "false") for _, value in pairs):
        yield urlencode([(name, value.title() if value in ("true", "false") else value) for name, value in pairs])


def _weight(door: Door, used: int) -> dict[str, object]:
    return _limit("REQUEST_WEIGHT", MINUTE_MS, door.limits.weight, used)


def _orders(door: Door, counts: tuple[int, int]) -> list[dict[str, object]]:
    short, long = counts
    return [
        _limit("ORDERS", TEN_SECONDS_MS, door.limits.orders_10s, short),
        _limit("ORDERS", MINUTE_MS, door.limits.orders_1m, long),
    ]


def _limit(kind: str, window_ms: int, limit: int | None, count: int) -> dict[str, object]:
    interval, length = ("MINUTE", MINUTE_MS) if window_ms >= MINUTE_MS else ("SECOND", 1000)
    return {
        "rateLimitType": kind, "interval": interval, "intervalNum": window_ms // length,
        "limit": _LIFTED if limit is None else limit, "count": count,
    }
