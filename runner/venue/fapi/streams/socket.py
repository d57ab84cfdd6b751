"""One open WebSocket as the exchange sees it: what waits to be sent, its life, and what a fault has done to it.

Nothing here waits for a client: frames are queued and a task of the socket's own writes them.  A client that does not
read fast enough for its queue is closed; one that does not even take the close is cut off a little later.
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from typing import Union

from aiohttp import WSCloseCode, web

LIFE_MS = 24 * 3_600_000
PING_EVERY_MS = 3 * 60_000
PONG_WITHIN_MS = 10 * 60_000
MESSAGES_A_SECOND = 10
MAX_QUEUE = 8 * 1024 * 1024
"""Characters of frames that may wait for a client."""
MAX_MESSAGE = 128 * 1024


class State(Enum):
    """What a socket still does: all; answer pings alone; nothing at all, while it stays open."""

    WELL = "well"
    SILENT = "silent"
    FROZEN = "frozen"


@dataclass(frozen=True, slots=True)
class _Ping:
    payload: bytes


@dataclass(frozen=True, slots=True)
class _Pong:
    payload: bytes


@dataclass(frozen=True, slots=True)
class _Close:
    code: int
    reason: str


_Frame = Union[str, _Ping, _Pong, _Close]


@dataclass(eq=False, slots=True)
class Socket:
    """An accepted socket.  Instants by the front's clock, in UTC ms; `grace_s` is how long a close may take.

    `_unanswered_ms` is when the first ping was sent that no pong has followed; 0 for none.
    """

    ws: web.WebSocketResponse
    request: web.Request
    opened_ms: int
    max_queue: int = MAX_QUEUE
    grace_s: float = 3.0
    state: State = State.WELL
    closing: bool = False
    _cut: bool = False
    _pinged_ms: int = 0
    _unanswered_ms: int = 0
    _arrivals: deque[int] = field(default_factory=lambda: deque(maxlen=MESSAGES_A_SECOND))
    _queue: deque[_Frame] = field(default_factory=deque)
    _queued: int = 0
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._pinged_ms = self.opened_ms

    @property
    def gone(self) -> bool:
        """Whether the connection itself is no more."""
        return self.request.transport is None or self.request.transport.is_closing()

    def tell(self, text: str) -> None:
        """Queue an event or a datum of a stream; returns at once."""
        if self.state is State.WELL:
            self._put(text)

    def answer(self, text: str) -> None:
        """Queue the answer to a request of the client."""
        if self.state is not State.FROZEN:
            self._put(text)

    def pong(self, payload: bytes) -> None:
        if self.state is not State.FROZEN:
            self._put(_Pong(payload))

    def close(self, reason: str, code: int = WSCloseCode.POLICY_VIOLATION) -> None:
        """Close once all that is queued has been sent; cut where the client does not let that happen."""
        if not self.closing:
            self.closing = True
            self._queue.append(_Close(code, reason))
            self._wake.set()
            asyncio.get_running_loop().call_later(self.grace_s, self.cut)

    def cut(self) -> None:
        """End the connection without a word."""
        self.closing = self._cut = True
        self._wake.set()
        if self.request.transport is not None:
            self.request.transport.abort()

    def arrived(self, now_ms: int) -> bool:
        """Count a message of the client; whether it is within what a second may have."""
        arrivals = self._arrivals
        if len(arrivals) == MESSAGES_A_SECOND and arrivals[0] > now_ms - 1000:
            return False
        arrivals.append(now_ms)
        return True

    def ponged(self) -> None:
        self._unanswered_ms = 0

    def tick(self, now_ms: int) -> None:
        """What is due by the clock: a ping, and the end of a client that answers none or has been here for a day."""
        if self.closing or self.state is State.FROZEN:
            return
        if now_ms - self.opened_ms >= LIFE_MS:
            self.close("24 hours", WSCloseCode.GOING_AWAY)
        elif self._unanswered_ms and now_ms - self._unanswered_ms >= PONG_WITHIN_MS:
            self.close("Pong timeout")
        elif now_ms - self._pinged_ms >= PING_EVERY_MS:
            self._pinged_ms = now_ms
            self._unanswered_ms = self._unanswered_ms or now_ms
            self._put(_Ping(str(now_ms).encode()))

    async def write(self) -> None:
        """Send what is queued, for as long as the socket lives."""
        while not self._cut:
            while self._queue:
                frame = self._queue.popleft()
                self._queued -= _size(frame)
                try:
                    match frame:
                        case str():
                            await self.ws.send_str(frame)
                        case _Ping():
                            await self.ws.ping(frame.payload)
                        case _Pong():
                            await self.ws.pong(frame.payload)
                        case _Close():
                            await self.ws.close(code=frame.code, message=frame.reason.encode())
                            return
                except (ConnectionError, RuntimeError):
                    return  # the client has gone; its reader sees that too
            self._wake.clear()
            await self._wake.wait()

    def _put(self, frame: _Frame) -> None:
        if self.closing:
            return
        self._queued += _size(frame)
        if self._queued > self.max_queue:
            self._queue.clear()
            self.close("Slow consumer")
            return
        self._queue.append(frame)
        self._wake.set()


def _size(frame: _Frame) -> int:
    """In characters; a control frame has at most 125 bytes."""
    return len(frame) if isinstance(frame, str) else 125
