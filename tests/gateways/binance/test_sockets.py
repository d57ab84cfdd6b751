"""A kept socket comes back whatever ends it, and is replaced without a moment of deafness."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from aiohttp import ClientSession, ClientWebSocketResponse, web

from runner.gateways.binance.settings import Timings
from runner.gateways.binance.sockets import KeptSocket, connected
from runner.venue.fapi.server import listen

QUICK = Timings(connect_ms=200, request_ms=300, reconnect_pauses_ms=(1, 5, 20), heartbeat_ms=100)


class Line:
    """A server whose sockets are in the test's hand, a kept socket on it, and what that has told."""

    def __init__(self, timings: Timings = QUICK) -> None:
        self.sockets: list[web.WebSocketResponse] = []
        self.requests: list[web.Request] = []
        self.told: list[str] = []
        self.dialled = 0
        self.refused = 0
        self.url = ""
        self.session: ClientSession
        self.kept = KeptSocket(
            "test", self._dial, self._say, came=lambda: self._say("came"), went=lambda: self._say("went"),
            timings=timings,
        )
        self._timings = timings

    async def until(self, wanted: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not wanted():
                await asyncio.sleep(0.001)

    def cut(self, number: int) -> None:
        """End a connection without a word."""
        transport = self.requests[number].transport
        assert transport is not None
        transport.abort()

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(autoping=True)
        await socket.prepare(request)
        self.sockets.append(socket)
        self.requests.append(request)
        async for _ in socket:
            pass
        return socket

    def _say(self, text: str) -> None:
        if text == "choke":
            raise ValueError("this frame is not for me")
        self.told.append(text)

    async def _dial(self) -> ClientWebSocketResponse:
        self.dialled += 1
        if self.refused:
            self.refused -= 1
            raise ConnectionRefusedError
        return await connected(self.session, self.url, self._timings)


@asynccontextmanager
async def kept(timings: Timings = QUICK) -> AsyncIterator[Line]:
    line = Line(timings)
    app = web.Application()
    app.router.add_get("/", line.serve)
    runner, port = await listen(app, "127.0.0.1", 0)
    line.url = f"ws://127.0.0.1:{port}/"
    async with ClientSession() as line.session:
        running = asyncio.create_task(line.kept.run())
        try:
            await line.until(lambda: len(line.sockets) == 1 and line.kept.up)
            yield line
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await runner.cleanup()


@asynccontextmanager
async def mute(hello: bytes) -> AsyncIterator[str]:
    """A server that says this to a handshake, with its due answer, and then never anything again."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        key = next(line.split(": ")[1] for line in lines if line.lower().startswith("sec-websocket-key"))
        digest = hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()
        if hello:
            writer.write(hello + b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n")
        with suppress(ConnectionError):
            while await reader.read(100):
                pass
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


def told(story: Callable[[Line], Awaitable[None]], timings: Timings = QUICK) -> None:
    async def live() -> None:
        async with kept(timings) as line:
            await story(line)

    asyncio.run(live())


def test_frames_are_heard_and_one_that_cannot_be_taken_in_ends_nothing() -> None:
    async def story(line: Line) -> None:
        for text in ("one", "choke", "two"):
            await line.sockets[0].send_str(text)
        await line.sockets[0].send_bytes(b"three")
        await line.sockets[0].send_str("four")
        await line.until(lambda: "four" in line.told)
        assert line.told == ["came", "one", "two", "four"]

    told(story)


def test_a_closed_and_a_cut_connection_are_dialled_again() -> None:
    async def story(line: Line) -> None:
        await line.sockets[0].close()
        await line.until(lambda: len(line.sockets) == 2)
        line.cut(1)
        await line.until(lambda: len(line.sockets) == 3 and line.kept.up)
        await line.sockets[2].send_str("again")
        await line.until(lambda: "again" in line.told)
        assert line.told == ["came", "went", "came", "went", "came", "again"]

    told(story)


def test_dials_that_fail_are_repeated_without_limit() -> None:
    async def story(line: Line) -> None:
        line.refused = 12
        await line.sockets[0].close()
        await line.until(lambda: len(line.sockets) == 2)
        assert line.dialled == 14 and line.kept.trouble == "ConnectionRefusedError"

    told(story)


def test_a_dial_that_is_refused_says_why_and_not_whom_it_asked() -> None:
    async def story(line: Line) -> None:
        good, line.url = line.url, f"{line.url}nowhere?listenKey=precious"
        await line.sockets[0].close()
        await line.until(lambda: bool(line.kept.trouble))
        assert line.kept.trouble == "the handshake was answered with HTTP 404"
        line.url = "ws://127.0.0.1:9/?listenKey=precious"
        await line.until(lambda: "127.0.0.1:9" in line.kept.trouble)
        assert "precious" not in line.kept.trouble
        line.url = good

    told(story)


def test_a_dial_that_hangs_is_given_up() -> None:
    async def story(line: Line) -> None:
        async with mute(b"") as url:
            good, line.url = line.url, url
            await line.sockets[0].close()
            await line.until(lambda: line.dialled >= 2)
            line.url = good
            await line.until(lambda: len(line.sockets) == 2)
        assert line.kept.trouble == "no answer in time"

    told(story)


def test_a_peer_that_answers_no_ping_counts_as_lost() -> None:
    async def story(line: Line) -> None:
        hello = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        async with mute(hello) as url:
            good, line.url = line.url, url
            await line.sockets[0].close()
            await line.until(lambda: line.told == ["came", "went", "came"])
            line.url = good
            await line.until(lambda: line.told == ["came", "went", "came", "went", "came"])

    told(story)


def test_what_is_given_up_counts_as_lost_at_once() -> None:
    async def story(line: Line) -> None:
        line.kept.give_up()
        await line.until(lambda: len(line.sockets) == 2 and line.kept.up)
        assert line.told == ["came", "went", "came"]
        await line.until(lambda: line.sockets[0].closed)

    told(story)


def test_a_socket_is_replaced_before_its_end_and_both_are_heard_meanwhile() -> None:
    async def story(line: Line) -> None:
        await line.until(lambda: len(line.sockets) == 2)
        await line.sockets[0].send_str("old")
        await line.sockets[1].send_str("new")
        await line.until(lambda: {"old", "new"} <= set(line.told))
        await line.until(lambda: line.sockets[0].closed)
        assert "went" not in line.told and line.told.count("came") == 1

    told(story, QUICK.but(rotate_ms=50, heartbeat_ms=200))


def test_a_socket_that_is_lost_while_its_successor_is_dialled_is_a_loss() -> None:
    async def story(line: Line) -> None:
        line.refused = 1_000_000
        await line.until(lambda: line.dialled >= 2)
        assert line.told == ["came"] and line.kept.up
        await line.sockets[0].close()
        await line.until(lambda: line.told == ["came", "went"])
        line.refused = 0
        await line.until(lambda: line.told == ["came", "went", "came"])

    told(story, QUICK.but(rotate_ms=20))


def test_the_end_says_nothing_and_leaves_nothing_open() -> None:
    async def live() -> None:
        async with kept(QUICK.but(rotate_ms=30, heartbeat_ms=60_000)) as line:
            await line.until(lambda: len(line.sockets) == 3)
        assert line.told == ["came"]
        assert all(socket.closed for socket in line.sockets)

    asyncio.run(live())



def test_a_socket_that_is_given_up_in_the_turn_in_which_it_came_is_lost_and_comes_anew() -> None:
    """Else whoever listens would not be told that there is another one, and read nothing again."""

    async def story(line: Line) -> None:
        again = [True]

        def came() -> None:
            line.told.append("came")
            if again and again.pop():
                line.kept.give_up()

        line.kept._came = came
        line.told.clear()
        line.cut(0)
        await line.until(lambda: line.told.count("came") == 2)
        assert line.told == ["went", "came", "went", "came"]

    told(story)
