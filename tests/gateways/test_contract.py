"""The contract of `tests.gateways.contract` over every gateway: the dry run's in this process, the live one before the
served exchange, and with keys in the environment before Binance's demo exchange."""

import asyncio
import os
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from decimal import Decimal

import pytest

from runner.domain.commands import SetTimer, VenueCommand
from runner.domain.events import Event, TimerFired
from runner.gateways.dryrun import DryRunGateway
from runner.venue.exchange import Exchange
from runner.venue.market import Datum, Mark, Point, Trade
from runner.venue.settings import Slippage, VenueSettings
from tests.gateways.contract import ANYWHERE, BEHAVIOURS, SYMBOL, Behaviour, World
from tests.gateways.live_worlds import demo, served
from tests.venue.desk import BTC

BEAT_MS = 100
REST_MS = 1_000


class InProcess:
    """The dry run's gateway over an endless market that stands still but for what a test trades."""

    def __init__(self) -> None:
        exchange = Exchange({SYMBOL: BTC}, VenueSettings(slippage=Slippage()))
        self._price = Decimal(60000)
        self._trades: deque[tuple[Decimal, Decimal]] = deque()
        first = Point(SYMBOL, 0, self._price)
        account = exchange.open_account("contract")
        self.gateway = DryRunGateway(exchange, account, [first], self._market(first), latency_ms=50)
        self._events = self.gateway.events()

    async def send(self, *commands: VenueCommand) -> list[Event]:
        for command in commands:
            self.gateway.submit(command)
        return await self._rest()

    async def trade(self, price: str, qty: str = "100") -> list[Event]:
        self._trades.append((Decimal(price), Decimal(qty)))
        return await self._rest()

    async def trade_unheard(self, price: str, qty: str = "100") -> None:
        await self.trade(price, qty)

    async def _rest(self) -> list[Event]:
        """Let so much time pass that all that is under way has come."""
        self.gateway.schedule(SetTimer("rest", self.gateway.now_ms() + REST_MS))
        told: list[Event] = []
        async for event in self._events:
            if isinstance(event, TimerFired):
                break
            told.append(event)
        return told

    def _market(self, first: Datum) -> Iterator[Datum]:
        """What is to be traded, and beats of the clock in between, which touch nothing."""
        yield first
        at_ms = first.at_ms
        while True:
            at_ms += BEAT_MS
            if self._trades:
                self._price, qty = self._trades.popleft()
                yield Trade(SYMBOL, at_ms, self._price, qty)
            else:
                yield Mark(SYMBOL, at_ms, self._price)


@asynccontextmanager
async def in_process() -> AsyncIterator[World]:
    world = InProcess()
    opened = await world.gateway.open()
    assert (opened.positions, opened.orders) == ((), ())
    yield world
    await world.gateway.close()


MAKERS: dict[str, Callable[[], AbstractAsyncContextManager[World]]] = {"in-process": in_process, "served": served}


@pytest.mark.parametrize("maker", MAKERS.values(), ids=MAKERS)
@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=lambda behaviour: behaviour.__name__)
def test_a_gateway_keeps_the_contract(
    behaviour: Behaviour, maker: Callable[[], AbstractAsyncContextManager[World]],
) -> None:
    async def live() -> None:
        async with maker() as world:
            await behaviour(world)

    asyncio.run(live())


@pytest.mark.parametrize("behaviour", ANYWHERE, ids=lambda behaviour: behaviour.__name__)
def test_the_gateway_keeps_the_contract_before_the_demo_exchange(behaviour: Behaviour) -> None:
    key, secret = os.environ.get("BINANCE_DEMO_KEY"), os.environ.get("BINANCE_DEMO_SECRET")
    if not key or not secret:
        pytest.skip("needs BINANCE_DEMO_KEY and BINANCE_DEMO_SECRET, of an account at Binance's demo exchange")

    async def live() -> None:
        async with demo(key, secret) as world:
            await behaviour(world)

    asyncio.run(live())


def test_every_behaviour_has_a_name_of_its_own() -> None:
    names = [behaviour.__name__ for behaviour in BEHAVIOURS]
    assert len(set(names)) == len(names) > 20
