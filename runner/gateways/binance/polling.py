"""Looks at orders and positions of some symbols again and again, since silence of the user stream proves nothing.

One look has the weight 7: openOrders, openAlgoOrders and positionRisk of one symbol.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection

from runner.domain.snapshots import VenueSnapshot
from runner.gateways.binance.settings import Timings

_LOG = logging.getLogger(__name__)
_LEAST_MS = 1_000


class Polling:
    """`look` reads one symbol; `shown` is told what it saw, and says after how many ms to look again."""

    def __init__(
        self, look: Callable[[str], Awaitable[VenueSnapshot]], shown: Callable[[VenueSnapshot], int], timings: Timings,
    ) -> None:
        self._look = look
        self._shown = shown
        self._timings = timings
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def attend(self, symbols: Collection[str]) -> None:
        """Look at these from now on, and at no others."""
        for symbol in [symbol for symbol in self._tasks if symbol not in symbols]:
            self._tasks.pop(symbol).cancel()
        for symbol in symbols:
            if symbol not in self._tasks:
                self._tasks[symbol] = asyncio.create_task(self._poll(symbol))

    async def close(self) -> None:
        tasks = list(self._tasks.values())
        self.attend(())
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _poll(self, symbol: str) -> None:
        period_ms, pauses_ms = self._timings.poll_ms, self._timings.reconnect_pauses_ms
        pause_ms, failures = period_ms, 0
        while True:
            await asyncio.sleep(pause_ms / 1000)
            try:
                # A look that hangs is not waited for: the next one may be answered.
                async with asyncio.timeout(max(period_ms, _LEAST_MS) / 1000):
                    seen = await self._look(symbol)
                pause_ms, failures = self._shown(seen), 0
            except Exception as error:
                _LOG.warning("%s could not be looked at: %s %s", symbol, type(error).__name__, error)
                pause_ms = min(pauses_ms[min(failures, len(pauses_ms) - 1)], period_ms)
                failures += 1
