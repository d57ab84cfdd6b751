"""The answer to `Observe`: what a symbol costs, and what the account owns.

It is given only while the user stream is caught up, so that nothing opens while the account cannot be seen, and only
with fresh prices: those of the streams where they are, else those that are read.
"""

import asyncio
import logging
from collections.abc import Callable
from decimal import Decimal

from runner.domain.events import Event, Observed
from runner.domain.values import EXACT, ZERO
from runner.gateways.binance.prices import LivePrices, Quote
from runner.gateways.binance.reading import Purse, Reading
from runner.gateways.binance.rest import Rest
from runner.gateways.binance.view import View

_LOG = logging.getLogger(__name__)


class Observing:
    """`caught_up` is set while the user stream is; `tell` takes the answers."""

    def __init__(
        self, rest: Rest, reading: Reading, prices: LivePrices, view: View, caught_up: asyncio.Event,
        tell: Callable[[Event], None],
    ) -> None:
        self._rest = rest
        self._reading = reading
        self._prices = prices
        self._view = view
        self._caught_up = caught_up
        self._pauses_s = [pause_ms / 1000 for pause_ms in rest.timings.reconnect_pauses_ms]
        self._tell = tell
        self._purses: dict[str, Purse] = {}
        self._assets: dict[str, str] = {}

    def at_once(self, symbol: str) -> bool:
        """Answer from what is known; False where something has to be waited for or read."""
        purse, quote = self._known_purse(symbol), self._prices.quote(symbol)
        if purse is None or quote is None or not self._caught_up.is_set():
            return False
        self._tell(self._observed(symbol, quote, purse))
        return True

    async def answer(self, symbol: str) -> None:
        """Answer as soon as it can be."""
        failures = 0
        while True:
            await self._caught_up.wait()
            try:
                quote = self._prices.quote(symbol) or await self._read_quote(symbol)
                purse = self._known_purse(symbol) or await self._read_purse(symbol)
                if self._caught_up.is_set():
                    self._tell(self._observed(symbol, self._prices.quote(symbol) or quote, purse))
                    return
                continue
            except Exception as error:
                _LOG.warning("%s could not be observed: %s", symbol, error)
            await asyncio.sleep(self._pauses_s[min(failures, len(self._pauses_s) - 1)])
            failures += 1

    def _observed(self, symbol: str, quote: Quote, purse: Purse) -> Observed:
        return Observed(
            self._rest.now_ms(), symbol, quote.last_px, quote.mark_px, quote.bid_px, quote.ask_px, purse.wallet,
            purse.unrealised, purse.taker_fee,
        )

    def _known_purse(self, symbol: str) -> Purse | None:
        """What the account owns as the stream tells it; None where a part of that is not known or may be old."""
        read = self._purses.get(symbol)
        wallet = None if read is None else self._view.wallet_of(read.asset)
        if read is None or wallet is None:
            return None
        profit = ZERO
        for position in self._view.held():
            if self._asset(position.symbol) != read.asset:
                continue
            mark = self._prices.mark_of(position.symbol)
            if mark is None:
                return None
            profit = EXACT.add(profit, position.unrealised(mark))
        return read.but(wallet=wallet, unrealised=profit)

    def _asset(self, symbol: str) -> str | None:
        """The margin asset of a symbol."""
        if not self._assets:
            self._assets = {row["symbol"]: row["marginAsset"] for row in self._rest.exchange_info.get("symbols", ())}
        return self._assets.get(symbol)

    async def _read_purse(self, symbol: str) -> Purse:
        purse = self._purses[symbol] = await self._reading.purse(symbol)
        return purse

    async def _read_quote(self, symbol: str) -> Quote:
        mark, best, last = await asyncio.gather(
            self._rest.read("v1/premiumIndex", urgent=True, symbol=symbol),
            self._rest.read("v1/ticker/bookTicker", urgent=True, symbol=symbol),
            self._rest.read("v2/ticker/price", urgent=True, symbol=symbol),
        )
        return Quote(
            Decimal(last["price"]), Decimal(mark["markPrice"]), Decimal(best["bidPrice"]), Decimal(best["askPrice"]),
        )
