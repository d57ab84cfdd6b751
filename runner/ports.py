"""What the app needs of the world.  Protocols only."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Protocol

from runner.domain.commands import TimerCommand, VenueCommand, WatchCommand
from runner.domain.events import Event, OrderReport, TradeReport
from runner.domain.positions import Position
from runner.domain.value import Value


class Balance(Value, frozen=True):
    """One margin asset of the account: `wallet` is all that is owned without unrealised profit, `available` what is
    free for new positions."""

    asset: str
    wallet: Decimal
    available: Decimal


class VenueSnapshot(Value, frozen=True):
    """What an exchange holds for the account at one instant.

    `orders` are those that are open, of both order worlds, each with its quantity and its trigger.  `trades` are the
    recent executions, the oldest first: those that the events before the snapshot may have missed are among them.
    """

    at_ms: int
    balances: tuple[Balance, ...]
    positions: tuple[Position, ...]
    orders: tuple[OrderReport, ...]
    trades: tuple[TradeReport, ...] = ()


class Gateway(Protocol):
    """An exchange seen from the engine.  Its answers are events; only a broken contract raises."""

    async def open(self) -> VenueSnapshot: ...

    def submit(self, command: VenueCommand) -> None:
        """Take a command and return at once; every answer comes through `events`."""

    async def snapshot(self) -> VenueSnapshot: ...

    def events(self) -> AsyncIterator[Event]: ...

    async def close(self) -> None: ...


class Clock(Protocol):
    """Timers; a due timer comes through the gateway's `events` in a dry run, through the app's queue in a live one."""

    def now_ms(self) -> int: ...

    def schedule(self, command: TimerCommand) -> None: ...


class Prices(Protocol):
    """Watched price levels; a touch comes the same way as a due timer."""

    def watch(self, command: WatchCommand) -> None: ...
