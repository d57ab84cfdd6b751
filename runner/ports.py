"""What the app needs of the world.  Protocols only."""

from collections.abc import AsyncIterator, Collection
from typing import Protocol

from runner.domain.account import AccountFacts
from runner.domain.commands import TimerCommand, VenueCommand, WatchCommand
from runner.domain.events import Event
from runner.domain.snapshots import VenueSnapshot


class Gateway(Protocol):
    """An exchange seen from the engine.  Its answers are events; only a broken contract raises."""

    async def open(self) -> VenueSnapshot: ...

    def submit(self, command: VenueCommand) -> None:
        """Take a command and return at once; every answer comes through `events`."""

    async def snapshot(self) -> VenueSnapshot: ...

    def events(self) -> AsyncIterator[Event]: ...

    async def close(self) -> None: ...


class LiveGateway(Gateway, Protocol):
    """An exchange that runs by its own clock, whose answers may be lost and whose streams may fall silent.

    `open` connects, and returns once the account's events are followed.  After each loss of them `events` has a
    `StreamGap` and a whole `VenueSnapshot`, and such a snapshot on a period too.
    """

    def now_ms(self) -> int:
        """The exchange's clock, as well as it is known; it never goes back."""

    async def account(self, symbols: Collection[str]) -> AccountFacts: ...

    def attend(self, symbols: Collection[str]) -> None:
        """Look at the orders and the position of these symbols again and again, until told otherwise: each look is a
        `VenueSnapshot` that covers one symbol."""

    def distrust(self) -> None:
        """Something was missed (the machine was asleep): connect anew, and read everything again."""

    def post(self, event: Event) -> None:
        """Put an event of ours (a due timer) into the one queue that `events` reads."""


class Clock(Protocol):
    """Timers; a due timer comes through the gateway's `events` in a dry run, through the app's queue in a live one."""

    def now_ms(self) -> int: ...

    def schedule(self, command: TimerCommand) -> None: ...


class Prices(Protocol):
    """Watched price levels; a touch comes the same way as a due timer."""

    def watch(self, command: WatchCommand) -> None: ...
