"""A live gateway on the stage, and all that it tells."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from decimal import Decimal
from itertools import count
from typing import Any, TypeVar

from runner.domain.commands import PlaceOrder
from runner.domain.events import Event
from runner.domain.orders import OrderRequest, OrderStatus
from runner.domain.reports import OrderReport, TradeReport
from runner.domain.snapshots import VenueSnapshot
from runner.domain.values import OrderType, Side
from runner.gateways.binance.gateway import BinanceGateway
from runner.gateways.binance.settings import Timings
from tests.gateways.binance.stage import KEYS, QUICK, SYMBOL, Stage

WITHIN_S = 10.0
PREFIX = "run."
E = TypeVar("E", bound=Event)
_numbers = count(1)


class Ear:
    """`told` are the events in the order in which they came; `first` is what `open` returned."""

    def __init__(self, gateway: BinanceGateway, first: VenueSnapshot) -> None:
        self.gateway = gateway
        self.first = first
        self.told: list[Event] = []
        self._more = asyncio.Condition()

    async def listen(self) -> None:
        async for event in self.gateway.events():
            self.told.append(event)
            async with self._more:
                self._more.notify_all()

    async def until(self, wanted: Callable[[list[Event]], bool], within_s: float = WITHIN_S) -> None:
        """Wait until what was told so far is as wanted."""
        async with asyncio.timeout(within_s), self._more:
            await self._more.wait_for(lambda: wanted(self.told))

    async def next(self, kind: type[E], fits: Callable[[E], bool] = lambda event: True) -> E:
        """The first event from now on of this kind that fits."""
        begun = len(self.told)
        await self.until(lambda told: any(isinstance(event, kind) and fits(event) for event in told[begun:]))
        return next(event for event in self.told[begun:] if isinstance(event, kind) and fits(event))

    async def status(self, of: PlaceOrder, status: OrderStatus) -> None:
        """Wait until the order is told to be so."""
        await self.until(lambda told: status in statuses(told, of))

    async def place(self, *orders: PlaceOrder) -> None:
        """Until the stream has told of them all."""
        for order in orders:
            self.gateway.submit(order)
        for order in orders:
            await self.until(lambda told, order=order: bool(statuses(told, order)))  # type: ignore[misc]


def order(side: str, kind: str, qty: str = "0.010", **more: Any) -> PlaceOrder:
    """An order of the run, with an id of its own; prices as text."""
    client_id = more.pop("id", None) or f"{PREFIX}{next(_numbers)}"
    for key in ("price", "trigger_price", "callback_rate"):
        if key in more:
            more[key] = Decimal(more[key])
    return PlaceOrder(OrderRequest(client_id, SYMBOL, Side(side), OrderType(kind), Decimal(qty), **more), "node")


def statuses(told: Iterable[Event], of: PlaceOrder) -> list[OrderStatus]:
    """What was told of an order, its states one after the other."""
    return [event.status for event in reports(told, of)]


def reports(told: Iterable[Event], of: PlaceOrder) -> list[OrderReport]:
    """All that was told of an order, in snapshots too."""
    found: list[OrderReport] = []
    for event in told:
        shown = event.orders if isinstance(event, VenueSnapshot) else (event,)
        found += (
            one for one in shown
            if isinstance(one, OrderReport) and one.client_order_id == of.request.client_order_id
        )
    return found


def trades(told: Iterable[Event], of: PlaceOrder) -> list[TradeReport]:
    """The executions that were told of an order by themselves: none twice."""
    found = [
        event for event in told
        if isinstance(event, TradeReport) and event.client_order_id == of.request.client_order_id
    ]
    assert len({event.trade_id for event in found}) == len(found), "an execution was told twice"
    return found


@asynccontextmanager
async def listening(stage: Stage, timings: Timings = QUICK, **more: Any) -> AsyncIterator[Ear]:
    """A gateway that is open."""
    gateway = BinanceGateway(stage.endpoints, KEYS, timings, **{"symbols": [SYMBOL], "run_prefix": PREFIX, **more})
    ear = Ear(gateway, await gateway.open())
    task = asyncio.create_task(ear.listen())
    try:
        yield ear
    finally:
        await gateway.close()
        await task


def heard(story: Callable[[Stage, Ear], Awaitable[None]], timings: Timings = QUICK, **more: Any) -> None:
    """The story on a stage of its own, with a gateway that is open."""

    async def live() -> None:
        async with Stage() as stage, listening(stage, timings, **more) as ear:
            await story(stage, ear)

    asyncio.run(live())
