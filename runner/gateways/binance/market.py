"""The market streams of the run's symbols: mark price and trades on `/market`, the best prices on `/public`.

Source: Binance USDⓈ-M Futures, "Websocket Market Streams".  A socket on the wrong path, or one that has died, is open
and silent, so that only frames prove it: the mark prices, one a second, are what the `/market` socket is judged by.
Trades and best prices come when there are any; after each connect all prices are read once.  Best prices that trades
have left behind show that the `/public` socket is dead.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Collection
from decimal import Decimal

from aiohttp import ClientWebSocketResponse

from runner.gateways.binance.prices import LivePrices
from runner.gateways.binance.rest import Rest
from runner.gateways.binance.settings import Endpoints, Timings
from runner.gateways.binance.sockets import KeptSocket, connected

_LOG = logging.getLogger(__name__)
_decode = json.JSONDecoder(parse_float=Decimal).decode
_LOOKS = 4
"""How often within `stale_ms` it is looked whether anything was heard."""


class MarketStreams:
    """Keeps both sockets and feeds `prices`."""

    def __init__(
        self, endpoints: Endpoints, rest: Rest, prices: LivePrices, symbols: Collection[str], timings: Timings,
    ) -> None:
        self._base = endpoints.ws
        self._rest = rest
        self._prices = prices
        self._symbols = tuple(symbols)
        self._timings = timings
        self._heard_ms = 0
        self._seeding: dict[str, asyncio.Task[None]] = {}
        self._market = self._socket("market", ("markPrice@1s", "aggTrade"), self._came_market, prices.market_lost)
        self._public = self._socket("public", ("bookTicker",), self._came_public, prices.book_lost)

    def distrust(self) -> None:
        """Connect anew."""
        self._market.give_up()
        self._public.give_up()

    async def run(self) -> None:
        """Keep both sockets until cancelled."""
        tasks = [asyncio.create_task(part) for part in (self._market.run(), self._public.run(), self._watch())]
        try:
            await asyncio.gather(*tasks)
        except Exception:
            self._prices.market_lost()
            self._prices.book_lost()
            raise
        finally:
            for task in (*tasks, *self._seeding.values()):
                task.cancel()
            await asyncio.gather(*tasks, *self._seeding.values(), return_exceptions=True)

    def _socket(
        self, path: str, streams: tuple[str, ...], came: Callable[[], None], went: Callable[[], None],
    ) -> KeptSocket:
        names = "/".join(f"{symbol.lower()}@{stream}" for symbol in self._symbols for stream in streams)

        async def dial() -> ClientWebSocketResponse:
            return await connected(self._rest.session, f"{self._base}/{path}/ws/{names}", self._timings)

        def lost() -> None:
            seeding = self._seeding.pop(path, None)
            if seeding is not None:
                seeding.cancel()
            went()

        return KeptSocket(f"{path} streams", dial, self._hear, came=came, went=lost, timings=self._timings)

    def _hear(self, text: str) -> None:
        try:
            frame = _decode(text)
            kind = frame.get("e")
        except (ValueError, AttributeError):
            _LOG.warning("the market streams sent what is no event")
            return
        if kind == "bookTicker":
            self._prices.best(frame["s"], Decimal(frame["b"]), Decimal(frame["a"]))
            return
        now_ms = self._rest.now_ms()
        if now_ms - self._heard_ms > self._timings.stale_ms:
            # Nothing was heard for so long, nor did anybody look: this process stood still, and so did the frame.
            self.distrust()
            return
        if kind == "markPriceUpdate":
            self._heard_ms = now_ms
            self._prices.mark(frame["s"], Decimal(frame["p"]))
        elif kind == "aggTrade":
            self._prices.last(frame["s"], Decimal(frame["p"]))

    async def _watch(self) -> None:
        """Give a socket up that is silent."""
        while True:
            await asyncio.sleep(self._timings.stale_ms / 1000 / _LOOKS)
            for symbol in self._symbols:
                self._prices.check(symbol)
            if any(self._prices.astray(symbol) for symbol in self._symbols):
                _LOG.warning("the stream of best prices is silent: connecting anew")
                self._public.give_up()
            if self._market.up and self._rest.now_ms() - self._heard_ms > self._timings.stale_ms:
                _LOG.warning("the market streams are silent: connecting anew")
                self._market.give_up()

    def _came_market(self) -> None:
        self._heard_ms = self._rest.now_ms()
        self._seed("market", self._read_market)

    def _came_public(self) -> None:
        self._seed("public", self._read_public)

    def _seed(self, path: str, read: Callable[[str], Awaitable[None]]) -> None:
        async def seed() -> None:
            await asyncio.gather(*(self._insisting(read, symbol) for symbol in self._symbols))

        self._seeding[path] = asyncio.create_task(seed())

    async def _insisting(self, read: Callable[[str], Awaitable[None]], symbol: str) -> None:
        while True:
            try:
                await read(symbol)
                return
            except Exception as error:
                _LOG.warning("a price of %s could not be read: %s", symbol, error)
            await asyncio.sleep(self._timings.reconnect_pauses_ms[-1] / 1000)

    async def _read_market(self, symbol: str) -> None:
        last, mark = await asyncio.gather(
            self._rest.read("v2/ticker/price", symbol=symbol), self._rest.read("v1/premiumIndex", symbol=symbol),
        )
        self._prices.last(symbol, Decimal(last["price"]), seed=True)
        self._prices.mark(symbol, Decimal(mark["markPrice"]), seed=True)

    async def _read_public(self, symbol: str) -> None:
        shown = await self._rest.read("v1/ticker/bookTicker", symbol=symbol)
        self._prices.best(symbol, Decimal(shown["bidPrice"]), Decimal(shown["askPrice"]), seed=True)
