"""The HTTP side of the served exchange: what comes in is checked, counted, verified, done and answered.

All under `/fapi` goes by the route table; whatever else the application serves (streams, controls) is given to
`make_app` as aiohttp routes.  No input may lead to a 500: an exception that is not a refusal is a defect and is logged.
"""

import asyncio
import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.http import HttpProcessingError

from runner.venue.fapi.calls import Call, Route, Security
from runner.venue.fapi.door import Door
from runner.venue.fapi.errors import ApiError, internal, unknown_path
from runner.venue.fapi.limits import WEIGHT_HEADER
from runner.venue.fapi.params import from_form
from runner.venue.fapi.performing import perform
from runner.venue.fapi.requestlog import Asked
from runner.venue.fapi.routes.table import ROUTES
from runner.venue.fapi.signing import check_signature, check_time
from runner.venue.refusals import Refusal

MAX_BODY = 256 * 1024
MAX_TARGET = 64 * 1024
"""Bytes of a path with its query: some clients put all parameters into it."""
_READ_TARGET = 512 * 1024
"""Up to which a target is read, so that one that is too long gets an answer in JSON."""
HEAD_SECONDS = 10.0
BODY_SECONDS = 10.0
IDLE_SECONDS = 60.0
_SMALL = 32 * 1024
"""Bytes of an answer that the socket takes at once."""
_HANG_TICK_S = 0.05
"""How soon it is noticed that the client of a request that hangs is gone."""
_LOG = logging.getLogger(__name__)
_HTTP_LOG = logging.getLogger(f"{__name__}.http")
_HTTP_LOG.addFilter(lambda record: not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError)))
_BY_NAME = {route.name: route for route in ROUTES}
_to_json = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


def make_app(
    door: Door, routes: Iterable[web.AbstractRouteDef] = (), body_seconds: float = BODY_SECONDS
) -> web.Application:
    """The application; `routes` are those of the streams and the controls."""
    front = _Front(door, body_seconds)
    app = web.Application(client_max_size=MAX_BODY)
    app.add_routes(routes)
    app.router.add_route("*", "/{path:.*}", front.answer)
    return app


async def listen(
    app: web.Application, host: str, port: int, head_seconds: float = HEAD_SECONDS
) -> tuple[web.AppRunner, int]:
    """Serve the application; the runner to `cleanup`, and the port (given 0, a free one).

    A new connection may take `head_seconds` for the head of its first request; later ones have the idle time.
    """
    runner = web.AppRunner(
        app, access_log=None, keepalive_timeout=IDLE_SECONDS, shutdown_timeout=1.0, max_line_size=_READ_TARGET,
        logger=_HTTP_LOG,
    )
    await runner.setup()
    site = _Site(runner, host, port, head_seconds)
    await site.start()
    return runner, runner.addresses[0][1]


class _Site(web.BaseSite):
    """A port whose connections are closed when they keep their first request to themselves."""

    def __init__(self, runner: web.AppRunner, host: str, port: int, head_seconds: float) -> None:
        super().__init__(runner)
        self._host = host
        self._port = port
        self._seconds = head_seconds
        self._silent: set[web.RequestHandler] = set()

    @property
    def name(self) -> str:
        return f"http://{self._host}:{self._port}"

    async def start(self) -> None:
        await super().start()
        loop = asyncio.get_running_loop()
        server = self._runner.server
        assert server is not None
        make_request = server.request_factory

        def first_heard(message: Any, payload: Any, protocol: Any, *rest: Any) -> web.BaseRequest:
            self._silent.discard(protocol)
            return make_request(message, payload, protocol, *rest)

        def connected() -> web.RequestHandler:
            handler: web.RequestHandler = server()
            self._silent.add(handler)
            loop.call_later(self._seconds, self._lose_patience, handler)
            return handler

        server.request_factory = first_heard
        self._server = await loop.create_server(connected, self._host, self._port)

    def _lose_patience(self, handler: web.RequestHandler) -> None:
        if handler in self._silent:
            self._silent.discard(handler)
            handler.force_close()


class _Front:
    def __init__(self, door: Door, body_seconds: float) -> None:
        self._door = door
        self._body_seconds = body_seconds

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """The answer to any request that no other route of the application takes."""
        response = await self._respond(request)
        transport = request.transport
        if transport is not None and (transport.get_write_buffer_size() or (response.content_length or 0) > _SMALL):
            # The client does not read what it has asked for: it may not hold the connection for ever.
            try:
                async with asyncio.timeout(self._body_seconds):
                    await response.prepare(request)
                    await response.write_eof()
            except TimeoutError:
                transport.abort()
        return response

    async def _respond(self, request: web.Request) -> web.Response:
        answer = _Answer()
        try:
            value = await self._answered(request, answer)
            answer.note(200)
            return _json(value, 200, answer.headers)
        except Refusal as refusal:
            answer.note(400, refusal.code)
            return _json({"code": refusal.code, "msg": refusal.message}, 400, answer.headers)
        except ApiError as error:
            answer.note(error.http, error.code or 0)
            return _json(error.body, error.http, {**answer.headers, **error.headers})
        except (ConnectionError, asyncio.CancelledError, web.HTTPException):
            raise
        except Exception:
            _LOG.exception("defect of the served exchange at %s %s", request.method, request.path)
            defect = internal()
            return _json(defect.body, defect.http, answer.headers)

    async def _answered(self, request: web.Request, answer: "_Answer") -> Any:
        if len(request.raw_path) > MAX_TARGET:
            raise ApiError(-1013, f"The request's target is longer than {MAX_TARGET} bytes.", 414)
        path, _, query = request.raw_path.partition("?")
        route = _BY_NAME.get(f"{request.method} {path}")
        if route is None:
            raise unknown_path(path)
        body = await self._body(request)
        params = from_form(query, body)
        door = self._door
        front_ms = door.front.now_ms()
        asked = answer.asked = door.requests.add(front_ms, route.name, params.values)
        headers = answer.headers
        used = door.limits.spend(request.remote or "", route.weighs(params), front_ms)
        headers[WEIGHT_HEADER] = str(used)
        call = Call(door, params, front_ms, door.at_ms())
        if route.security is not Security.NONE:
            self._admit(request, route, call, query, body)
            asked.account = call.account.name
        if route.orders != (0, 0):
            short, long = door.limits.count_orders(call.account.name, *route.orders, front_ms)
            headers["X-MBX-ORDER-COUNT-10S"] = str(short)
            headers["X-MBX-ORDER-COUNT-1M"] = str(long)
        if not door.disturber.active:
            return perform(route.name, route.handler, call)
        return await self._disturbed(request, route, call, answer)

    def _admit(self, request: web.Request, route: Route, call: Call, query: str, body: str) -> None:
        """Find out who calls; raises where the key, the time or the signature is wrong."""
        key = self._door.keys.find(request.headers.get("X-MBX-APIKEY"))
        if route.security is Security.SIGNED:
            check_time(call.params, call.front_ms)
            check_signature(key, query, body)
        call.who = self._door.exchange.accounts[key.account]

    async def _body(self, request: web.Request) -> str:
        if not request.body_exists:
            return ""
        close = {"Connection": "close"}
        try:
            async with asyncio.timeout(self._body_seconds):
                return (await request.read()).decode("utf-8", "surrogateescape")
        except TimeoutError:
            raise ApiError(-1013, "The request's body did not arrive in time.", 408, close) from None
        except web.HTTPRequestEntityTooLarge:
            raise ApiError(-1013, f"The request's body is larger than {MAX_BODY} bytes.", 413, close) from None
        except web.RequestPayloadError:
            raise ApiError(-1013, "The request's body cannot be decoded.", 400, close) from None

    async def _disturbed(self, request: web.Request, route: Route, call: Call, answer: "_Answer") -> Any:
        """As the faults want it: done or not, answered truly, wrongly, late or never."""
        door = self._door
        wrong = door.disturber.before(route.name, call.who, call.params)
        door.publish()
        if wrong is None:
            return perform(route.name, route.handler, call)
        await asyncio.sleep(wrong.wait_before_ms / 1000)
        call.at_ms = door.at_ms()
        error = wrong.instead
        result = None
        if error is None:
            try:
                result = perform(route.name, route.handler, call)
            except ApiError as refused:
                error = refused
            error = wrong.after or error
        await asyncio.sleep(wrong.wait_after_ms / 1000)
        while wrong.hang and request.transport is not None:
            await asyncio.sleep(_HANG_TICK_S)
        if wrong.cut and request.transport is not None:
            request.transport.abort()
        if wrong.hang or wrong.cut:
            answer.asked = None
        if error is not None:
            raise error
        return result


@dataclass(slots=True)
class _Answer:
    """What is known of an answer before it is given: its headers, and the log's entry of what was asked."""

    headers: dict[str, str] = field(default_factory=dict)
    asked: Asked | None = None

    def note(self, status: int, code: int = 0) -> None:
        if self.asked is not None:
            self.asked.status, self.asked.code = status, code


def _json(value: Any, status: int, headers: dict[str, str]) -> web.Response:
    return web.Response(
        body=_to_json(value).encode("utf-8", "replace"), status=status, headers=headers, content_type="application/json"
    )
