"""The served streams for tests: a real exchange behind a real server on a free port, and clocks that stand still."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import WSMsgType

from runner.venue.exchange import Exchange
from runner.venue.facts import Fact
from runner.venue.fapi.clock import FrontClock, VenueClock
from runner.venue.fapi.door import Door
from runner.venue.fapi.hub import Hub
from runner.venue.fapi.server import listen, make_app
from runner.venue.fapi.streams.socket import MAX_QUEUE
from runner.venue.faults import Fault, FaultPlan, read_fault
from runner.venue.market import Datum, Point
from runner.venue.settings import VenueSettings
from tests.venue.fapi.told import AT, BTC, d

SOON = 2.0
"""Seconds that nothing on the loopback takes."""


class Front:
    """A wall clock that a test moves."""

    def __init__(self) -> None:
        self.now = AT

    def __call__(self) -> int:
        return self.now


class Wire:
    """A door with its hub, served.  `default` is its account; `front` is moved by hand and `pass_ms` ticks the hub."""

    def __init__(self, door: Door, hub: Hub, front: Front, port: int, http: aiohttp.ClientSession) -> None:
        self.door, self.hub, self.front, self.port, self.http = door, hub, front, port, http

    @property
    def key(self) -> str:
        """The default account's listen key."""
        return self.door.listen_keys.open("default", self.front.now).text

    def fault(self, name: str, **more: Any) -> Fault:
        fault = read_fault({"name": name, **more})
        self.hub.faults.add(fault)
        self.hub.faults_changed()
        return fault

    def pass_ms(self, span: int) -> None:
        self.front.now += span
        self.hub.tick()

    def publish(self, *facts: Fact) -> None:
        self.hub.publish(facts)

    def feed(self, *data: Datum) -> None:
        for datum in data:
            self.door.feed(datum)

    @asynccontextmanager
    async def socket(self, path: str, **more: Any) -> AsyncIterator["Ears"]:
        more.setdefault("autoping", False)
        async with self.http.ws_connect(f"http://127.0.0.1:{self.port}{path}", **more) as ws:
            yield Ears(ws)


class Ears:
    """A client's end of a socket."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws

    async def ask(self, method: str, params: Any = None, id: Any = 1) -> Any:
        """The answer to a control request; nothing else may come before it."""
        await self.ws.send_json({"method": method, "params": params or [], "id": id})
        return await self.hear()

    async def hear(self) -> Any:
        """The next frame, which must be JSON."""
        message = await self.ws.receive(timeout=SOON)
        assert message.type is WSMsgType.TEXT, message
        return json.loads(message.data)

    async def heard(self) -> list[Any]:
        """All frames until now: those that come before the answer to a question of ours."""
        await self.ws.send_str('{"method":"LIST_SUBSCRIPTIONS","id":"until now"}')
        frames: list[Any] = []
        while True:
            frame = await self.hear()
            if isinstance(frame, dict) and frame.get("id") == "until now":
                return frames
            frames.append(frame)

    async def closed(self) -> int | None:
        """Wait for the end of the connection; its close code, None where it was cut."""
        while True:
            message = await self.ws.receive(timeout=SOON)
            if message.type is WSMsgType.CLOSE:
                return int(message.data)
            if message.type in (WSMsgType.CLOSED, WSMsgType.ERROR):
                return None if self.ws.close_code in (None, 1006) else self.ws.close_code


def names(frames: list[Any]) -> list[str]:
    """The event of each frame."""
    return [str(frame.get("data", frame)["e"]) for frame in frames]


@asynccontextmanager
async def wire(
    *, first: Datum | None = None, max_queue: int = MAX_QUEUE, **settings: Any
) -> AsyncIterator[Wire]:
    front = Front()
    exchange = Exchange({"BTCUSDT": BTC}, VenueSettings(**settings))
    exchange.open_account("default")
    first = first or Point("BTCUSDT", AT, d(60000))
    exchange.begin(first)
    clock = FrontClock(front)
    door = Door(exchange, clock, VenueClock(clock, AT, 0))
    door.keys.add_secret("sim-key", "sim-secret", "default")
    hub = Hub(door, FaultPlan(), max_queue=max_queue)
    door.audience = hub
    door.feed(first)
    runner, port = await listen(make_app(door, hub.routes()), "127.0.0.1", 0)
    async with aiohttp.ClientSession() as http:
        try:
            yield Wire(door, hub, front, port, http)
        finally:
            await hub.close()
    await runner.cleanup()


def over_wire(test: Callable[[Wire], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """A test that gets the served streams."""

    async def run() -> None:
        async with wire() as served:
            await test(served)

    def sync() -> None:
        asyncio.run(run())

    sync.__name__, sync.__doc__ = test.__name__, test.__doc__
    return sync


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop run until the condition holds."""
    async with asyncio.timeout(SOON):
        while not condition():
            await asyncio.sleep(0.001)
