"""A served exchange within the test's own loop, and a client that may send it any bytes at all."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple
from urllib.parse import urlencode

from runner.domain.instrument import Instrument
from runner.venue.exchange import Exchange
from runner.venue.fapi.clock import FrontClock, VenueClock
from runner.venue.fapi.door import Door
from runner.venue.fapi.eventlog import EventLog
from runner.venue.fapi.hub import Hub
from runner.venue.fapi.keys import DEFAULT_KEY, DEFAULT_SECRET
from runner.venue.fapi.limits import Limits
from runner.venue.fapi.misbehaviour import Misbehaviour, Witnessing
from runner.venue.fapi.playback import Playback
from runner.venue.fapi.routes.control import Controls
from runner.venue.fapi.server import listen, make_app
from runner.venue.faults import FaultPlan
from runner.venue.market import Point
from runner.venue.settings import Slippage, VenueSettings

HOST = "127.0.0.1"
PATIENCE_S = 5.0
"""A client that has waited so long calls it a hang."""
SYMBOL = "BTCUSDT"
BTC = Instrument(
    symbol=SYMBOL, base_asset="BTC", quote_asset="USDT", tick_size=Decimal("0.10"), min_price=Decimal("556.80"),
    max_price=Decimal("4529764"), step_size=Decimal("0.001"), min_qty=Decimal("0.001"), max_qty=Decimal("1000"),
    market_step_size=Decimal("0.001"), market_min_qty=Decimal("0.001"), market_max_qty=Decimal("120"),
    min_notional=Decimal("50"), multiplier_up=Decimal("1.05"), multiplier_down=Decimal("0.95"),
)


class Answer(NamedTuple):
    """What came back; `body` is JSON where it is any, else its bytes."""

    status: int
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True, slots=True)
class House:
    """An exchange that is served at `port`, stepping, with BTCUSDT at 60,000 and the default account."""

    door: Door
    port: int

    @asynccontextmanager
    async def line(self) -> AsyncIterator["Line"]:
        """A connection to it."""
        reader, writer = await asyncio.open_connection(HOST, self.port)
        try:
            yield Line(reader, writer)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def send(self, data: bytes, *, half_close: bool = False) -> Answer | None:
        """The answer to these bytes on a connection of their own; None where it was closed without one."""
        async with self.line() as line:
            return await line.send(data, half_close=half_close)

    async def ask(self, method: str, path: str, params: Mapping[str, str] | None = None) -> Answer:
        """The answer to a request that is signed by the default key."""
        async with self.line() as line:
            return await line.ask(method, path, params)

    async def sim(self, route: str, **body: Any) -> Any:
        """The answer of a control route, which must take it."""
        data = json.dumps(body).encode()
        answer = await self.send(
            f"POST /sim/{route} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(data)}\r\n\r\n".encode() + data
        )
        assert answer is not None and answer.status == 200, answer
        return answer.body


@dataclass(slots=True)
class Line:
    """One connection, which is kept for several requests."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes, *, half_close: bool = False) -> Answer | None:
        with suppress(ConnectionError):  # it may close before it has read all
            self.writer.write(data)
            await asyncio.wait_for(self.writer.drain(), PATIENCE_S)
            if half_close:
                self.writer.write_eof()
        return await self.answer()

    async def answer(self) -> Answer | None:
        """The next answer, or None where the connection ends first."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                head = await self.reader.readuntil(b"\r\n\r\n")
                status, headers = _head(head)
                if headers.get("transfer-encoding") == "chunked" or status == 100:
                    raise AssertionError(f"not an answer of the exchange: {head!r}")
                body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        except TimeoutError:
            raise AssertionError("the exchange neither answered nor closed") from None
        if headers.get("content-type", "").startswith("application/json"):
            return Answer(status, headers, json.loads(body))
        return Answer(status, headers, body)

    async def ask(self, method: str, path: str, params: Mapping[str, str] | None = None) -> Answer:
        answer = await self.send(signed(self.now_ms(), method, path, params or {}))
        assert answer is not None, f"{method} {path} {params}: closed without an answer"
        return answer

    @staticmethod
    def now_ms() -> int:
        return FrontClock().now_ms()


def signed(now_ms: int, method: str, path: str, params: Mapping[str, str]) -> bytes:
    """A signed request of the default key, all of it in the query string for GET, else in the body."""
    payload = urlencode({**params, "timestamp": str(now_ms)}, errors="surrogateescape")
    signature = hmac.new(DEFAULT_SECRET.encode(), payload.encode(), hashlib.sha256).hexdigest()
    text = f"{payload}&signature={signature}"
    target, body = (f"{path}?{text}", "") if method == "GET" else (path, text)
    return (
        f"{method} {target} HTTP/1.1\r\nHost: x\r\nX-MBX-APIKEY: {DEFAULT_KEY}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def _head(text: bytes) -> tuple[int, dict[str, str]]:
    first, *rest = text.decode("latin-1").split("\r\n")
    headers = {}
    for line in rest:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return int(first.split(" ")[1]), headers


@asynccontextmanager
async def opened(
    *, balance: str = "10000", head_seconds: float = 10, body_seconds: float = 10
) -> AsyncIterator[House]:
    """The exchange until the end of the block; a request's head and body may take so long.  No rate limits."""
    front = FrontClock()
    began_ms = front.now_ms()
    exchange = Exchange({SYMBOL: BTC}, VenueSettings(balance=Decimal(balance), slippage=Slippage()))
    exchange.begin(Point(SYMBOL, began_ms, Decimal(60000)))
    exchange.open_account("sim")
    plan = FaultPlan()
    door = Door(exchange, front, VenueClock(front, began_ms, 0), limits=Limits(None, None, None))
    door.keys.add_secret(DEFAULT_KEY, DEFAULT_SECRET, "sim")
    misbehaviour = Misbehaviour(door, plan)
    door.disturber = misbehaviour
    exchange.veto = misbehaviour.veto
    hub = Hub(door, plan)
    log = EventLog(Witnessing(hub, misbehaviour))
    door.audience = log
    door.publish()
    playback = Playback(door, iter(()), 0)
    controls = Controls(
        door, playback, misbehaviour, log, faults_changed=hub.faults_changed, default="sim",
        markets={SYMBOL: "set by hand"},
    )
    app = make_app(door, [*controls.routes(), *hub.routes()], body_seconds)
    runner, port = await listen(app, HOST, 0, head_seconds)
    tasks = [asyncio.create_task(playback.run()), asyncio.create_task(hub.run())]
    try:
        yield House(door, port)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await hub.close()
        await runner.cleanup()
