"""A server that answers as a test says, over real sockets, and keeps what it was asked."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from aiohttp import web

from runner.gateways.binance.settings import Endpoints

CUT = "cut"
HANG = "hang"


class Says(NamedTuple):
    """One answer: CUT drops the connection without one, HANG never gives one."""

    status: int = 200
    body: str = "{}"
    headers: Mapping[str, str] = {}
    kind: str = "application/json"


class Asked(NamedTuple):
    method: str
    path: str
    raw: str
    query: dict[str, str]
    body: str
    headers: Mapping[str, str]

    @property
    def params(self) -> dict[str, str]:
        return self.query | dict(parse_qsl(self.body))


class Peer:
    """Gives `answers` in their order, then `{}` for ever; to a path of `by_path` always the same."""

    def __init__(self, *answers: Says | str) -> None:
        self.answers = deque(answers)
        self.by_path: dict[str, Says] = {}
        self.asked: list[Asked] = []
        self.endpoints = Endpoints("", "")
        self._over = asyncio.Event()
        self._runner: web.AppRunner

    async def __aenter__(self) -> "Peer":
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.endpoints = Endpoints(f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._over.set()
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.text()
        self.asked.append(Asked(
            request.method, request.path, request.rel_url.raw_query_string, dict(request.query), body,
            dict(request.headers),
        ))
        says = self.by_path.get(request.path) or (self.answers.popleft() if self.answers else Says())
        if says == CUT:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if says == HANG:
            await self._over.wait()
            return web.Response()
        assert isinstance(says, Says)
        return web.Response(status=says.status, text=says.body, headers=says.headers, content_type=says.kind)


def with_peer(story: Callable[[Peer], Awaitable[Any]], *answers: Says | str) -> None:
    async def live() -> None:
        async with Peer(*answers) as peer:
            await story(peer)

    asyncio.run(live())
