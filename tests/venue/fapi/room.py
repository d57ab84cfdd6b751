"""A served exchange in this process for tests: one symbol, stepwise, over its own loopback socket."""

import asyncio
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse

from runner.domain.values import ZERO, OrderType, Side
from runner.venue.exchange import Exchange
from runner.venue.fapi.assembly import assemble
from runner.venue.fapi.clock import FrontClock
from runner.venue.fapi.keys import DEFAULT_KEY, DEFAULT_SECRET
from runner.venue.fapi.limits import Limits
from runner.venue.fapi.server import listen
from runner.venue.faults import read_fault
from runner.venue.feeds.merging import feed
from runner.venue.market import Point
from runner.venue.requests import NewOrder
from runner.venue.settings import Slippage, VenueSettings
from tests.venue.desk import BTC

NOW = 1_790_000_000_000
DATA = tuple(Point("BTCUSDT", 1_000 * n, Decimal(60000 + n)) for n in range(10))
"""A second apart; the first is at `NOW`."""


class Room:
    """The exchange and a client of it.  Its wall clock stands at `wall_ms`; `faults` are given from the start."""

    def __init__(self, *faults: dict[str, object]) -> None:
        self.wall_ms = NOW
        self.exchange = Exchange({"BTCUSDT": BTC}, VenueSettings(slippage=Slippage()))
        self.served = assemble(
            self.exchange, feed([DATA]), front=FrontClock(lambda: self.wall_ms), speed=0.0, limits=Limits(),
            faults=map(read_fault, faults), markets={"BTCUSDT": "drawn"},
        )
        self.door = self.served.door
        self.me = self.exchange.accounts["sim"]
        self.client: ClientSession
        self.base = ""

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Unsigned, with a JSON body: status and answer."""
        async with self.client.request(method, self.base + path, json=body) as answer:
            return answer.status, await answer.json()

    async def get(self, path: str) -> Any:
        return await self._good("GET", path)

    async def post(self, path: str, **body: Any) -> Any:
        return await self._good("POST", path, body)

    async def delete(self, path: str) -> Any:
        return await self._good("DELETE", path)

    async def signed(self, method: str, path: str, **params: object) -> tuple[int, Any]:
        """Signed with the default key: status and answer."""
        query = "&".join(f"{name}={value}" for name, value in {**params, "timestamp": self.wall_ms}.items())
        signature = hmac.new(DEFAULT_SECRET.encode(), query.encode(), hashlib.sha256).hexdigest()
        url = f"{self.base}{path}?{query}&signature={signature}"
        async with self.client.request(method, url, headers={"X-MBX-APIKEY": DEFAULT_KEY}) as answer:
            return answer.status, await answer.json()

    async def order(self, client_id: str, **params: object) -> tuple[int, Any]:
        """A small market order to buy, unless `params` say otherwise."""
        wish = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.010"}
        return await self.signed("POST", "/fapi/v1/order", **{**wish, "newClientOrderId": client_id, **params})

    async def user_stream(self) -> ClientWebSocketResponse:
        async with self.client.post(f"{self.base}/fapi/v1/listenKey", headers={"X-MBX-APIKEY": DEFAULT_KEY}) as answer:
            key = (await answer.json())["listenKey"]
        return await self.client.ws_connect(f"{self.base}/private/ws?listenKey={key}")

    def buy(self, qty: str, price: str | None = None, client_id: str = "a") -> None:
        """Place an order past the wire."""
        kind = OrderType.MARKET if price is None else OrderType.LIMIT
        limit = None if price is None else Decimal(price)
        request = NewOrder("BTCUSDT", Side.BUY, kind, Decimal(qty), client_id, price=limit)
        self.exchange.place(self.me, request, self.door.at_ms())
        self.door.publish()

    @property
    def held(self) -> Decimal:
        return sum((holding.qty for holding in self.me.holdings.values()), ZERO)

    async def _good(self, method: str, path: str, body: Any = None) -> Any:
        status, value = await self.ask(method, path, body)
        assert status == 200, value
        return value


def served(story: Callable[[Room], Awaitable[None]], *faults: dict[str, object]) -> None:
    """Tell the story in a room of its own."""

    async def run() -> None:
        room = Room(*faults)
        runner, port = await listen(room.served.app, "127.0.0.1", 0)
        room.base = f"http://127.0.0.1:{port}"
        tasks = room.served.tasks()
        try:
            async with ClientSession() as room.client:
                await story(room)
        finally:
            for task in tasks:
                task.cancel()
            await room.served.hub.close()
            await runner.cleanup()

    asyncio.run(run())
