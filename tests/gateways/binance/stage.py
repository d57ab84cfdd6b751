"""A served exchange in this process, whose front goes by the real clock, and a market in the test's hand."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from decimal import Decimal
from typing import Any

from runner.domain.values import ZERO
from runner.gateways.binance.keys import Credentials, Secret
from runner.gateways.binance.rest import Rest
from runner.gateways.binance.settings import Endpoints, Timings
from runner.venue.exchange import Exchange
from runner.venue.fapi.assembly import assemble
from runner.venue.fapi.clock import FrontClock
from runner.venue.fapi.keys import DEFAULT_KEY, DEFAULT_SECRET
from runner.venue.fapi.limits import Limits
from runner.venue.fapi.server import listen
from runner.venue.faults import read_fault
from runner.venue.feeds.merging import feed
from runner.venue.market import Point, Trade
from runner.venue.settings import Slippage, VenueSettings
from tests.venue.desk import BTC

SYMBOL = "BTCUSDT"
KEYS = Credentials(Secret(DEFAULT_KEY), Secret(DEFAULT_SECRET))
QUICK = Timings(
    request_ms=2_000, connect_ms=1_000, retry_pauses_ms=(10, 20, 40), poll_ms=100, snapshot_ms=60_000,
    reconnect_pauses_ms=(5, 10, 50),
)


class Stage:
    """BTCUSDT stands at 60,000 and moves only by `trade`."""

    def __init__(self, *, off_ms: int = 0, limits: Limits | None = None) -> None:
        self.exchange = Exchange({SYMBOL: BTC}, VenueSettings(slippage=Slippage()))
        self.front = FrontClock(off_ms=off_ms)
        self.served = assemble(
            self.exchange, feed([(Point(SYMBOL, 0, Decimal(60000)),)]), front=self.front, speed=0.0,
            limits=limits or Limits(), faults=(), markets={SYMBOL: "by hand"},
        )
        self.door = self.served.door
        self.me = self.exchange.accounts["sim"]
        self.endpoints = Endpoints("", "")
        self._open = AsyncExitStack()

    async def __aenter__(self) -> "Stage":
        runner, port = await listen(self.served.app, "127.0.0.1", 0)
        self._open.push_async_callback(runner.cleanup)
        self._open.push_async_callback(self.served.hub.close)
        for task in self.served.tasks():
            self._open.callback(task.cancel)
        self.endpoints = Endpoints(f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()

    def fault(self, name: str, **more: Any) -> None:
        """From now on."""
        number = self.served.hub.faults.add(read_fault({"name": name, **more}))
        self.served.hub.faults_changed(number)

    def trade(self, price: str, qty: str = "100") -> None:
        """Others trade at a price."""
        self.door.feed(Trade(SYMBOL, self.door.at_ms(), Decimal(price), Decimal(qty)))

    def pass_time(self, ms: int) -> None:
        """On the exchange's own clock."""
        self.door.clock.set(self.door.at_ms() + ms)

    @property
    def held(self) -> Decimal:
        return sum((holding.qty for holding in self.me.holdings.values()), ZERO)


def told(story: Callable[[Stage, Rest], Awaitable[None]], **of_stage: Any) -> None:
    """The story on a stage of its own, with a `Rest` that is open."""

    async def live() -> None:
        async with Stage(**of_stage) as stage:
            rest = Rest(stage.endpoints, KEYS, QUICK)
            await rest.open()
            try:
                await story(stage, rest)
            finally:
                await rest.close()

    asyncio.run(live())
