"""All open WebSockets of the exchange, of streams and of the WebSocket API: their opening, their talk, their end."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from aiohttp import WSCloseCode, WSMsgType, web

from runner.venue.fapi.streams.socket import MAX_MESSAGE, MAX_QUEUE, Socket, State

_LOOK_S = 0.05


class Guest(Protocol):
    """Who sits behind a socket.  Nothing of it waits."""

    def greet(self, request: web.Request) -> None:
        """The connection is open."""

    def heard(self, text: str) -> None:
        """The client said something."""

    def left(self) -> None:
        """The connection is no more."""


class Lobby:
    """`now_ms` is the front's clock."""

    def __init__(self, now_ms: Callable[[], int], max_queue: int = MAX_QUEUE) -> None:
        self._now_ms = now_ms
        self._max_queue = max_queue
        self._sockets: set[Socket] = set()

    async def host(
        self, request: web.Request, receive: Callable[[Socket], Guest], *, hurried: bool = False
    ) -> web.StreamResponse:
        """Serve one WebSocket from its handshake to its end; `hurried` clients may send as fast as they like."""
        ws = web.WebSocketResponse(autoping=False, autoclose=False, compress=False, max_msg_size=MAX_MESSAGE)
        if not ws.can_prepare(request).ok:
            return web.json_response({"code": -1000, "msg": "This path takes WebSocket connections only."}, status=400)
        try:
            await ws.prepare(request)
        except ConnectionError:
            return ws  # the client did not wait for the end of the handshake
        socket = Socket(ws, request, self._now_ms(), self._max_queue)
        writer = asyncio.create_task(socket.write())
        self._sockets.add(socket)
        guest = receive(socket)
        try:
            guest.greet(request)
            await self._converse(socket, guest, hurried)
            await asyncio.wait([writer], timeout=socket.grace_s)
        finally:
            writer.cancel()
            self._sockets.discard(socket)
            guest.left()
        return ws

    def tick(self) -> None:
        """Do what is due by the clock: pings, and the ends of sockets."""
        now = self._now_ms()
        for socket in tuple(self._sockets):
            socket.tick(now)

    async def close(self) -> None:
        """Close all sockets, and cut those that do not let themselves be closed at once."""
        for socket in tuple(self._sockets):
            socket.close("Server shutdown", WSCloseCode.GOING_AWAY)
        for _ in range(20):
            if not self._sockets:
                return
            await asyncio.sleep(_LOOK_S)
        for socket in tuple(self._sockets):
            socket.cut()

    async def _converse(self, socket: Socket, guest: Guest, hurried: bool) -> None:
        """Take the client's messages until it or we end the connection."""
        async for message in socket.ws:
            if socket.closing:
                return
            if socket.state is State.FROZEN:
                continue
            if not hurried and not socket.arrived(self._now_ms()):
                socket.close("Too many messages")
                return
            match message.type:
                case WSMsgType.TEXT:
                    guest.heard(message.data)
                case WSMsgType.PING:
                    socket.pong(message.data)
                case WSMsgType.PONG:
                    socket.ponged()
                case WSMsgType.BINARY:
                    socket.close("Text messages only", WSCloseCode.UNSUPPORTED_DATA)
                case _:
                    return
        while socket.state is State.FROZEN and not socket.gone:
            await asyncio.sleep(_LOOK_S)
        socket.close("", WSCloseCode.OK)
