"""What follows from a fact is on the disk before it goes out, but for what may be repeated without harm."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from runner.app.executor import World
from runner.app.live.outbox import LiveOutbox
from runner.app.live.telling import Entry
from runner.domain.commands import (
    CancelOrder,
    Command,
    Crossing,
    PlaceOrder,
    QueryOrder,
    SetTimer,
    TimerCommand,
    VenueCommand,
    WatchCommand,
    WatchPrice,
)
from runner.domain.conditions import PriceSource
from runner.domain.events import TimerFired
from runner.domain.orders import OrderRequest
from runner.domain.values import OrderType, Side
from runner.errors import EnvironmentFault, LockedElsewhere
from runner.gateways.dryrun import DryRunGateway
from runner.journal.store import Durability, JournalReader, JournalWriter, RunFacts
from runner.venue.exchange import Exchange
from runner.venue.market import Point
from runner.venue.settings import VenueSettings
from tests.venue.desk import BTC

FACTS = RunFacts("r1", "plan", "demo", "9f31c2", 7, "none", 1_700_000_000_000, "{}", "{}")
PLACE = PlaceOrder(OrderRequest("r1.1.0.0.0", "BTCUSDT", Side.BUY, OrderType.MARKET, Decimal("0.004")), "long.entry")
CANCEL = CancelOrder("BTCUSDT", "r1.0.0.0.0", conditional=False, node_id="long.entry")
REST: tuple[Command, ...] = (
    QueryOrder("BTCUSDT", "r1.0.0.0.0"), SetTimer("t", 10),
    WatchPrice("w", "BTCUSDT", PriceSource.LAST, Crossing.GE, Decimal(61000)),
)


class Seen(DryRunGateway):
    """The dry run's exchange; `commands` is what it was given, in its order, and how much of it was kept by then."""

    def __init__(self, path: Path) -> None:
        exchange = Exchange({"BTCUSDT": BTC}, VenueSettings())
        first = Point("BTCUSDT", 0, Decimal(60000))
        super().__init__(exchange, exchange.open_account("me"), [first], [first], 50)
        self._path = path
        self.commands: list[tuple[Command, int]] = []

    def submit(self, command: VenueCommand) -> None:
        self._note(command)
        super().submit(command)

    def schedule(self, command: TimerCommand) -> None:
        self._note(command)
        super().schedule(command)

    def watch(self, command: WatchCommand) -> None:
        self._note(command)
        super().watch(command)

    def _note(self, command: Command) -> None:
        with closing(JournalReader(self._path)) as journal:
            self.commands.append((command, sum(1 for _ in journal.entries())))


class Bench:
    def __init__(self, path: Path) -> None:
        path.touch()
        self.path = path
        self.journal = JournalWriter.begin(path, FACTS, Durability("FULL", 1000))
        self.exchange = Seen(path)
        self.told: list[Entry] = []
        self.broken: list[Exception] = []
        world = World(self.exchange, self.exchange, self.exchange, frozenset())
        self.unsent: list[PlaceOrder] = []
        self.outbox = LiveOutbox(
            world, self.journal, self.told.extend, self.broken.append,
            lambda command, why: self.unsent.append(command),
        )

    def kept(self) -> list[object]:
        with closing(JournalReader(self.path)) as journal:
            return [entry.value for entry in journal.entries()]


Story = Callable[[Bench], Awaitable[None]]


@pytest.fixture
def played(tmp_path: Path) -> Callable[[Story], None]:
    def play(story: Story) -> None:
        async def whole() -> None:
            bench = Bench(tmp_path / "run.sqlite")
            try:
                await story(bench)
            finally:
                bench.outbox.close()
                bench.journal.close()

        asyncio.run(whole())

    return play


def test_a_placement_goes_out_after_it_is_kept_and_a_cancel_before_anything(played: Callable[[Story], None]) -> None:
    async def story(bench: Bench) -> None:
        bench.outbox.take(5, TimerFired(5, "t"), (PLACE, *REST, CANCEL))
        assert bench.exchange.commands == [(CANCEL, 0), *((command, 0) for command in REST)]
        assert not bench.outbox.sent
        await bench.outbox.settle()
        assert bench.exchange.commands[-1] == (PLACE, 6)
        assert bench.outbox.sent
        assert bench.kept() == [TimerFired(5, "t"), PLACE, *REST, CANCEL]
        assert bench.told == [Entry(5, (TimerFired(5, "t"), PLACE, *REST, CANCEL))]

    played(story)


def test_everything_is_kept_and_told_in_its_order(played: Callable[[Story], None]) -> None:
    async def story(bench: Bench) -> None:
        for number in range(200):
            bench.outbox.take(number, TimerFired(number, "t"), (SetTimer(f"t{number}", number),))
        await bench.outbox.settle()
        assert [entry.at_ms for entry in bench.told] == list(range(200))
        assert bench.kept() == [value for entry in bench.told for value in entry.values]
        await bench.outbox.settle()

    played(story)


def test_what_was_taken_is_kept_when_the_run_is_left_but_nothing_is_placed(played: Callable[[Story], None]) -> None:
    async def story(bench: Bench) -> None:
        bench.outbox.take(5, TimerFired(5, "t"), (PLACE,))
        bench.outbox.halt()
        bench.outbox.take(6, TimerFired(6, "t"), (CANCEL,))
        bench.outbox.close()
        await asyncio.sleep(0)
        assert bench.kept() == [TimerFired(5, "t"), PLACE]
        assert bench.exchange.commands == []
        assert bench.told == [Entry(5, (TimerFired(5, "t"), PLACE))]

    played(story)


def test_once_the_journal_takes_nothing_more_what_closes_goes_out_and_nothing_that_opens(
    played: Callable[[Story], None],
) -> None:
    stop = PlaceOrder(PLACE.request.but(client_order_id="r1.2.0.0.0", reduce_only=True), "long.stop_loss")

    async def story(bench: Bench) -> None:
        bench.outbox.take(5, TimerFired(5, "t"), ())
        await bench.outbox.settle()

        database = bench.journal._database
        pages = database.execute("PRAGMA page_count").fetchone()[0]
        database.execute(f"PRAGMA max_page_count = {pages}")  # a disk that is full says the same to SQLite
        large = SetTimer("t" * 100_000, 1)
        bench.outbox.take(6, TimerFired(6, "t"), (PLACE, stop, large, CANCEL))
        await bench.outbox.settle()
        assert [command for command, _ in bench.exchange.commands] == [CANCEL, large, stop]
        assert bench.unsent == [PLACE]
        assert bench.outbox.sent
        assert isinstance(bench.broken[0], EnvironmentFault)
        assert "full" in bench.broken[0].message
        bench.outbox.take(7, TimerFired(7, "t"), (CANCEL, PLACE, stop))
        await bench.outbox.settle()
        assert len(bench.broken) == 1
        assert [command for command, _ in bench.exchange.commands[3:]] == [CANCEL, stop]
        assert bench.unsent == [PLACE, PLACE]
        assert [entry.at_ms for entry in bench.told] == [5, 6, 7]
        assert bench.kept() == [TimerFired(5, "t")]

    played(story)


def test_what_opens_and_was_long_on_its_way_to_the_disk_is_not_sent_any_more(played: Callable[[Story], None]) -> None:
    """The disk hung, or this machine slept: the market is another one by now."""
    close = PlaceOrder(PLACE.request.but(client_order_id="r1.2.0.0.0", reduce_only=True), "long.stop_loss")

    async def story(bench: Bench) -> None:
        now_ms = bench.exchange.now_ms()
        bench.outbox.take(now_ms - 5_001, TimerFired(1, "t"), (PLACE, close))
        await bench.outbox.settle()
        assert [command for command, _ in bench.exchange.commands] == [close]
        assert bench.unsent == [PLACE]
        bench.outbox.take(now_ms - 5_000, TimerFired(1, "t"), (PLACE,))
        await bench.outbox.settle()
        assert bench.exchange.commands[-1][0] == PLACE

    played(story)


def test_nothing_is_placed_once_another_process_has_taken_the_run_over(
    played: Callable[[Story], None],
) -> None:
    async def story(bench: Bench) -> None:
        JournalWriter.reopen(bench.path, Durability("FULL", 1000)).close()
        bench.outbox.take(6, TimerFired(6, "t"), (PLACE,))
        await bench.outbox.settle()
        assert bench.exchange.commands == []
        assert isinstance(bench.broken[0], LockedElsewhere)

    played(story)
