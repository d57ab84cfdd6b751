"""The user data stream: its listen key, its socket, and whether it is up to date.

Source: Binance USDⓈ-M Futures, "User Data Streams".  A socket with a dead listen key stays open and silent, and nothing
that was missed is told again; so each dial asks for the key, and after each connect the account is read as a whole
before the stream counts as caught up.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

from aiohttp import ClientWebSocketResponse

from runner.gateways.binance.answers import NoAnswer
from runner.gateways.binance.rest import Rest
from runner.gateways.binance.settings import Endpoints, Timings
from runner.gateways.binance.sockets import KeptSocket, connected

_LOG = logging.getLogger(__name__)
_KEY_GONE = -1125
_decode = json.JSONDecoder(parse_float=Decimal).decode


class UserStream:
    """`hear` takes each event in the task that reads the socket.  `lost` is told since when events may be missing.
    `catch_up` reads the account once there is a connection, and does not end without having done so."""

    def __init__(
        self, endpoints: Endpoints, rest: Rest, timings: Timings, *, hear: Callable[[dict[str, Any]], None],
        lost: Callable[[int], None], catch_up: Callable[[], Awaitable[None]],
    ) -> None:
        self._base = endpoints.ws
        self._rest = rest
        self._timings = timings
        self._hear = hear
        self._lost = lost
        self._catch_up = catch_up
        self._key = ""
        self._sound_ms = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._socket = KeptSocket(
            "user stream", self._dial, self._heard, came=self._came, went=self._went, timings=timings,
        )
        self.caught_up = asyncio.Event()

    @property
    def trouble(self) -> str:
        """Why it could not be connected last."""
        return self._socket.trouble

    def give_up(self) -> None:
        """It is not to be trusted any more: connect anew."""
        self._socket.give_up()

    def was_sound(self, at_ms: int) -> None:
        """All that had happened by then had been told."""
        self._sound_ms = max(self._sound_ms, at_ms)

    def expired(self, key: str) -> None:
        """A listen key is dead; if it is ours, no event comes any more."""
        if key in ("", self._key):
            _LOG.warning("the listen key has expired: connecting anew")
            self.give_up()

    async def run(self) -> None:
        """Keep it until cancelled."""
        try:
            await self._socket.run()
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _dial(self) -> ClientWebSocketResponse:
        self._key = await self._rest.listen_key()
        return await connected(self._rest.session, f"{self._base}/private/ws?listenKey={self._key}", self._timings)

    def _heard(self, text: str) -> None:
        self._sound_ms = self._rest.now_ms()
        try:
            frame = _decode(text)
        except ValueError:
            frame = None
        if isinstance(frame, dict):
            self._hear(frame)
        else:
            _LOG.warning("the user stream sent what is no event")

    def _came(self) -> None:
        self._sound_ms = self._rest.now_ms()
        self._tasks = [asyncio.create_task(self._get_level()), asyncio.create_task(self._keep_key())]

    def _went(self) -> None:
        self.caught_up.clear()
        for task in self._tasks:
            task.cancel()
        self._lost(self._sound_ms)

    async def _get_level(self) -> None:
        try:
            await self._catch_up()
        except Exception:
            _LOG.exception("the account could not be read: connecting anew")
            await asyncio.sleep(self._timings.reconnect_pauses_ms[-1] / 1000)
            self.give_up()
        else:
            self.caught_up.set()

    async def _keep_key(self) -> None:
        """Extend the listen key on its period, or dial with another where it is gone."""
        pause_ms = self._timings.keepalive_ms
        while True:
            await asyncio.sleep(pause_ms / 1000)
            try:
                await self._rest.keep_alive()
                pause_ms = self._timings.keepalive_ms
            except Exception as error:
                _LOG.warning("the listen key could not be extended: %s", error)
                if isinstance(error, NoAnswer) and error.code == _KEY_GONE:
                    self.give_up()
                    return
                pause_ms = min(self._timings.keepalive_ms, self._timings.reconnect_pauses_ms[-1])
