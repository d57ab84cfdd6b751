"""The user stream keeps its listen key alive, takes another where it is gone, and counts only once it is caught up."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from runner.gateways.binance.rest import Rest
from runner.gateways.binance.settings import Timings
from runner.gateways.binance.stream import UserStream
from tests.gateways.binance.stage import KEYS, QUICK, Stage


class Follower:
    """A user stream and what it has said; `caught` lets the account be read."""

    def __init__(self, stage: Stage, rest: Rest, timings: Timings) -> None:
        self.said: list[str] = []
        self.losses: list[int] = []
        self.readings = 0
        self.caught = asyncio.Event()
        self.caught.set()
        self.rest = rest
        self.stage = stage
        self.stream = UserStream(
            stage.endpoints, rest, timings, hear=self._hear, lost=self._lost, catch_up=self._catch_up,
        )

    async def until(self, wanted: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not wanted():
                await asyncio.sleep(0.002)

    def keys(self) -> set[str]:
        """The listen keys by which the open sockets listen."""
        return {key for client in self.stage.served.hub.clients for key in client.wanted}

    def _hear(self, frame: dict[str, Any]) -> None:
        self.said.append(str(frame["e"]))
        if frame["e"] == "listenKeyExpired":
            self.stream.expired(frame["listenKey"])

    def _lost(self, since_ms: int) -> None:
        self.losses.append(since_ms)
        self.said.append("lost")

    async def _catch_up(self) -> None:
        self.readings += 1
        await self.caught.wait()
        self.said.append("caught up")


def followed(story: Callable[[Follower], Awaitable[None]], timings: Timings = QUICK) -> None:
    async def live() -> None:
        async with Stage() as stage:
            rest = Rest(stage.endpoints, KEYS, timings)
            await rest.open()
            follower = Follower(stage, rest, timings)
            running = asyncio.create_task(follower.stream.run())
            try:
                await follower.stream.caught_up.wait()
                await story(follower)
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
                await rest.close()

    asyncio.run(live())


def test_an_expired_key_is_replaced_at_once() -> None:
    async def story(follower: Follower) -> None:
        before = follower.keys()
        follower.stage.fault("listen_key_expired")
        await follower.until(lambda: follower.said.count("caught up") == 2)
        assert follower.said == ["caught up", "listenKeyExpired", "lost", "caught up"]
        assert follower.keys().isdisjoint(before)

    followed(story)


def test_another_key_that_expires_is_nothing_to_us() -> None:
    async def story(follower: Follower) -> None:
        follower.stream.expired("another")
        await asyncio.sleep(0)
        assert follower.stream.caught_up.is_set() and follower.losses == []

    followed(story)


def test_the_key_is_extended_on_its_period() -> None:
    async def story(follower: Follower) -> None:
        keys, front = follower.stage.door.listen_keys, follower.stage.door.front
        mine = keys.of("sim", front.now_ms())
        assert mine is not None
        before = mine.expires_ms
        await follower.until(lambda: mine.expires_ms > before)
        assert follower.losses == []

    followed(story, QUICK.but(keepalive_ms=20))


def test_a_key_that_cannot_be_extended_is_tried_again() -> None:
    async def story(follower: Follower) -> None:
        follower.stage.fault("unavailable_503", route="PUT /fapi/v1/listenKey", count=3)
        keys, front = follower.stage.door.listen_keys, follower.stage.door.front
        mine = keys.of("sim", front.now_ms())
        assert mine is not None
        before = mine.expires_ms
        await follower.until(lambda: mine.expires_ms > before)
        assert follower.losses == []

    followed(story, QUICK.but(keepalive_ms=20))


def test_a_key_that_is_gone_without_a_word_is_found_out_when_it_is_extended() -> None:
    async def story(follower: Follower) -> None:
        door = follower.stage.door
        door.listen_keys.expire("sim")
        door.listen_keys.due(door.front.now_ms())  # nobody tells the socket
        await follower.until(lambda: follower.said.count("caught up") == 2)
        assert "listenKeyExpired" not in follower.said and len(follower.losses) == 1

    followed(story, QUICK.but(keepalive_ms=30))


def test_it_counts_as_caught_up_only_while_the_account_was_read_since_it_connected() -> None:
    async def story(follower: Follower) -> None:
        follower.caught.clear()
        follower.stream.give_up()
        await follower.until(lambda: len(follower.losses) == 1)
        assert not follower.stream.caught_up.is_set()
        await follower.until(lambda: follower.readings == 2)
        follower.stream.give_up()
        await follower.until(lambda: len(follower.losses) == 2)
        assert not follower.stream.caught_up.is_set()
        follower.caught.set()
        await follower.until(follower.stream.caught_up.is_set)
        assert follower.said == ["caught up", "lost", "lost", "caught up"], "the second reading was given up"
        assert follower.losses == sorted(follower.losses)

    followed(story)


def test_a_loss_is_told_since_the_last_instant_at_which_nothing_was_missing() -> None:
    async def story(follower: Follower) -> None:
        (client,) = follower.stage.served.hub.clients
        begun_ms = follower.rest.now_ms()
        client.socket.tell('{"e":"SOMETHING"}')
        await follower.until(lambda: "SOMETHING" in follower.said)
        heard_ms = follower.rest.now_ms()
        follower.stream.was_sound(begun_ms - 1_000)
        follower.stream.give_up()
        await follower.until(lambda: len(follower.losses) == 1)
        assert begun_ms <= follower.losses[0] <= heard_ms
        await follower.until(follower.stream.caught_up.is_set)
        follower.stream.was_sound(heard_ms + 60_000)
        follower.stream.give_up()
        await follower.until(lambda: len(follower.losses) == 2)
        assert follower.losses[1] == heard_ms + 60_000

    followed(story)


def test_frames_that_are_no_events_are_passed_over() -> None:
    async def story(follower: Follower) -> None:
        (client,) = follower.stage.served.hub.clients
        for text in ("", "[]", "{", "null", '{"e":"SOMETHING"}'):
            client.socket.tell(text)
        await follower.until(lambda: "SOMETHING" in follower.said)
        assert follower.said == ["caught up", "SOMETHING"]

    followed(story)
