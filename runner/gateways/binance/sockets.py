"""A WebSocket that is kept: dialled again without limit where it is lost, and replaced before the exchange ends it.

Source: Binance USDⓈ-M Futures, "Websocket Market Streams": a connection lives for 24 hours at most, and whoever
listens must answer pings.  That a connection is open proves little, so the listener may give one up at any time.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from aiohttp import (
    ClientError,
    ClientSession,
    ClientWebSocketResponse,
    ClientWSTimeout,
    WSMsgType,
    WSServerHandshakeError,
)

from runner.errors import DakshError
from runner.gateways.binance.answers import failure_words
from runner.gateways.binance.settings import Timings

_LOG = logging.getLogger(__name__)
_CLOSE_S = 0.2


async def connected(session: ClientSession, url: str, timings: Timings) -> ClientWebSocketResponse:
    """An open socket, which pings the exchange and ends where that does not answer; by the session's proxy."""
    return await session.ws_connect(
        url, heartbeat=timings.heartbeat_ms / 1000, max_msg_size=0, timeout=ClientWSTimeout(ws_close=_CLOSE_S),
    )


def _words(error: Exception) -> str:
    """What went wrong with a dial; the error's own text may hold the address, and that the listen key."""
    if isinstance(error, DakshError):
        return str(error)
    if isinstance(error, WSServerHandshakeError):
        return f"the handshake was answered with HTTP {error.status}"
    return failure_words(error)


class KeptSocket:
    """`dial` opens a connection, `hear` takes each text frame as it comes, in the task that reads it.

    `came` is called when there is a connection after there was none, `went` when there is none any more.  While one
    socket replaces another neither is: both are heard for a while, since what is on its way to the former would be lost
    with it.
    """

    def __init__(
        self, name: str, dial: Callable[[], Awaitable[ClientWebSocketResponse]], hear: Callable[[str], None], *,
        came: Callable[[], None], went: Callable[[], None], timings: Timings,
    ) -> None:
        self._name = name
        self._dial = dial
        self._hear = hear
        self._came = came
        self._went = went
        self._pauses_s = [pause_ms / 1000 for pause_ms in timings.reconnect_pauses_ms]
        self._dial_s = (timings.connect_ms + timings.request_ms) / 1000
        self._rotate_s = timings.rotate_ms / 1000
        self._overlap_s = timings.heartbeat_ms / 1000
        self._tries = 0
        self._reader: asyncio.Task[None] | None = None
        self._leaving: set[asyncio.Task[None]] = set()
        self.up = False
        self.trouble = ""
        """Why the last dial came to nothing."""

    def give_up(self) -> None:
        """The connection is not to be trusted any more: it counts as lost, and another is dialled at once."""
        if self._reader is not None:
            self._tries = 0
            # One that has just come has not begun to read yet, and would end without saying so.
            asyncio.get_running_loop().call_soon(self._reader.cancel)

    async def run(self) -> None:
        """Keep it until cancelled; where it ends otherwise, the connection counts as lost."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                socket = await self._dialled()
                before, self._reader = self._reader, asyncio.create_task(self._read(socket))
                if not self.up:
                    self.up = True
                    self._came()
                if before is not None:
                    self._leaving.add(before)
                    before.add_done_callback(self._leaving.discard)
                    loop.call_later(self._overlap_s, before.cancel)
                began_s = loop.time()
                await asyncio.wait((self._reader,), timeout=self._rotate_s)
                if loop.time() - began_s >= self._pauses_s[-1]:
                    self._tries = 0
        except Exception:
            self._went()
            raise
        finally:
            self.up = False
            readers = {*self._leaving, *(() if self._reader is None else (self._reader,))}
            self._reader = None
            for reader in readers:
                reader.cancel()
            await asyncio.gather(*readers, return_exceptions=True)

    async def _dialled(self) -> ClientWebSocketResponse:
        while True:
            if self._tries:
                await asyncio.sleep(self._pauses_s[min(self._tries, len(self._pauses_s)) - 1])
            self._tries += 1
            try:
                async with asyncio.timeout(self._dial_s):
                    return await self._dial()
            except Exception as error:
                self.trouble = _words(error)
                _LOG.warning("%s: no connection (%s), try %d", self._name, self.trouble, self._tries)

    async def _read(self, socket: ClientWebSocketResponse) -> None:
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    try:
                        self._hear(message.data)
                    except Exception:
                        _LOG.exception("%s: a frame could not be taken in", self._name)
        except (ClientError, OSError) as error:
            _LOG.info("%s: %s", self._name, type(error).__name__)
        finally:
            if self._reader is asyncio.current_task():
                self._reader = None
                self.up = False
                self._went()
            with suppress(ClientError, OSError):
                await socket.close()
