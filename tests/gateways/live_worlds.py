"""Two worlds of the contract with the live gateway: before the served exchange in this process, and before Binance's
demo exchange, whose market nobody leads."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from itertools import count

import pytest

from runner.domain.commands import CancelOrder, Observe, PlaceOrder, QueryOrder, ReadPosition, VenueCommand
from runner.domain.events import (
    CommandRejected,
    CommandUnresolved,
    Event,
    Observed,
    OrderNotFound,
    PositionReport,
    StreamGap,
)
from runner.domain.instrument import Instrument
from runner.domain.orders import OrderRequest, OrderStatus
from runner.domain.reports import OrderReport
from runner.domain.snapshots import VenueSnapshot
from runner.domain.values import ZERO, OrderType, Rounding, Side
from runner.gateways.binance.exchange_rules import instruments
from runner.gateways.binance.gateway import BinanceGateway
from runner.gateways.binance.hosts import endpoints_of, is_production
from runner.gateways.binance.keys import load_credentials
from runner.gateways.binance.settings import Timings
from runner.venue.requests import NewOrder
from tests.gateways.binance.stage import KEYS, QUICK, Stage
from tests.gateways.contract import SYMBOL, D

PREFIX = "contract."
WITHIN_S = 10.0
_BEAT_MS = 100
_FENCE = "fence."
_numbers = count(1)


class Heard:
    """The events of a gateway, as they come."""

    def __init__(self, gateway: BinanceGateway) -> None:
        self.gateway = gateway
        self._new: list[Event] = []
        self._more = asyncio.Event()

    async def listen(self) -> None:
        async for event in self.gateway.events():
            self._new.append(event)
            self._more.set()

    async def until(self, come: Callable[[list[Event]], bool]) -> list[Event]:
        """All events since the last call, once they are as wanted."""
        async with asyncio.timeout(WITHIN_S):
            while not come(self._new):
                self._more.clear()
                await self._more.wait()
        told, self._new = self._new, []
        return told


class Served:
    """All is at rest when each command has its answer, and the user stream has told of an order that nobody asked for:
    the fence, behind all that happened before it."""

    def __init__(self, stage: Stage, gateway: BinanceGateway) -> None:
        self.gateway = gateway
        self.heard = Heard(gateway)
        self._stage = stage

    async def send(self, *commands: VenueCommand) -> list[Event]:
        if any(isinstance(command, Observe) for command in commands):
            await self._prices_come()
        for command in commands:
            self.gateway.submit(command)
        answered = await self.heard.until(lambda told: _all_answered(commands, told))
        return answered + await self._rest()

    async def trade(self, price: str, qty: str = "100") -> list[Event]:
        self._stage.trade(price, qty)
        self._stage.pass_time(_BEAT_MS)
        return await self._rest()

    async def trade_unheard(self, price: str, qty: str = "100") -> None:
        self._stage.fault("socket_dropped")
        self._stage.trade(price, qty)
        self._stage.pass_time(_BEAT_MS)
        told = await self.heard.until(lambda told: any(isinstance(event, VenueSnapshot) for event in told))
        assert any(isinstance(event, StreamGap) for event in told)
        await self._rest()

    async def _rest(self) -> list[Event]:
        fence = f"{_FENCE}{next(_numbers)}"
        exchange, me, at_ms = self._stage.exchange, self._stage.me, self._stage.door.at_ms()
        wish = NewOrder(
            SYMBOL, Side.SELL, OrderType.STOP_MARKET, D("0.001"), fence, trigger_price=D(1000), reduce_only=True,
        )
        exchange.place_conditional(me, wish, at_ms)
        exchange.cancel_conditional(me, fence, at_ms)
        self._stage.door.publish()
        told = await self.heard.until(lambda told: any(_ends(event, fence) for event in told))
        return [event for event in told if not getattr(event, "client_order_id", "").startswith(_FENCE)]

    async def _prices_come(self) -> None:
        """The market streams go by sockets of their own, and tell the mark each second."""
        book = self._stage.exchange.books[SYMBOL]
        async with asyncio.timeout(WITHIN_S):
            while True:
                self.gateway.submit(Observe(SYMBOL))
                told = await self.heard.until(lambda told: any(isinstance(event, Observed) for event in told))
                seen = next(event for event in told if isinstance(event, Observed))
                shown = book.levels(Side.BUY, 1)[0].price, book.levels(Side.SELL, 1)[0].price
                if (seen.mark_px, (seen.bid_px, seen.ask_px)) == (book.mark_px, shown):
                    return
                await asyncio.sleep(0.005)


@asynccontextmanager
async def served() -> AsyncIterator[Served]:
    async with Stage() as stage:
        gateway = BinanceGateway(stage.endpoints, KEYS, QUICK, symbols=[SYMBOL], run_prefix=PREFIX)
        world = Served(stage, gateway)
        opened = await gateway.open()
        assert (opened.positions, opened.orders) == ((), ())
        listening = asyncio.create_task(world.heard.listen())
        try:
            yield world
        finally:
            await gateway.close()
            await listening


class Demo:
    """The prices of orders are moved to where the market is: 60,000 is its mark at the start."""

    def __init__(self, gateway: BinanceGateway, rules: Instrument) -> None:
        self.gateway = gateway
        self.heard = Heard(gateway)
        self._rules = rules
        self._mark = D(60000)

    async def begin(self) -> None:
        self.gateway.submit(Observe(SYMBOL))
        told = await self.heard.until(lambda told: any(isinstance(event, Observed) for event in told))
        self._mark = next(event.mark_px for event in told if isinstance(event, Observed))

    async def send(self, *commands: VenueCommand) -> list[Event]:
        for command in commands:
            self.gateway.submit(self._moved(command) if isinstance(command, PlaceOrder) else command)
        told = await self.heard.until(lambda told: _all_answered(commands, told))
        # Nothing else says that the user stream has no more to tell.
        await asyncio.sleep(2)
        return told + await self.heard.until(lambda told: True)

    async def trade(self, price: str, qty: str = "100") -> list[Event]:
        raise AssertionError("nobody leads the market of the demo exchange")

    async def trade_unheard(self, price: str, qty: str = "100") -> None:
        await self.trade(price, qty)

    async def leave_nothing(self) -> None:
        left = await self.gateway.snapshot()
        for order in left.orders:
            if order.client_order_id.startswith(PREFIX):
                await self.send(CancelOrder(SYMBOL, order.client_order_id, order.order_id.startswith("A"), "node"))
        for held in left.positions:
            if held.symbol == SYMBOL:
                side = Side.SELL if held.qty > ZERO else Side.BUY
                request = OrderRequest(
                    f"{PREFIX}last", SYMBOL, side, OrderType.MARKET, abs(held.qty), reduce_only=True,
                )
                await self.send(PlaceOrder(request, "node"))

    def _moved(self, command: PlaceOrder) -> PlaceOrder:
        request = command.request
        moved = {
            name: self._price(price) for name in ("price", "trigger_price")
            if (price := getattr(request, name)) is not None
        }
        return command.but(request=request.but(**moved))

    def _price(self, price: Decimal) -> Decimal:
        """As far from the tick as it was."""
        off = price % D("0.1")
        return self._rules.round_price((price - off) * self._mark / D(60000), Rounding.DOWN) + off


@asynccontextmanager
async def demo(key: str, secret: str) -> AsyncIterator[Demo]:
    endpoints = endpoints_of("demo")
    assert not is_production(endpoints)
    gateway = BinanceGateway(endpoints, load_credentials(key, secret), Timings(), symbols=[SYMBOL], run_prefix=PREFIX)
    opened = await gateway.open()
    world = Demo(gateway, (await instruments(gateway.rest))[SYMBOL])
    listening = asyncio.create_task(world.heard.listen())
    try:
        if opened.positions or opened.orders:
            pytest.fail("the demo account has positions or orders: the contract needs one that has none")
        await world.begin()
        yield world
        await world.leave_nothing()
    finally:
        await gateway.close()
        await listening


def _ends(event: Event, client_id: str) -> bool:
    return (
        isinstance(event, OrderReport) and event.client_order_id == client_id and event.status is OrderStatus.CANCELED
    )


def _all_answered(commands: Sequence[VenueCommand], told: list[Event]) -> bool:
    """Whether each command has an answer of its own."""
    wanted = Counter(map(_answer_to, commands))
    come = Counter(key for event in told for key in _answers(event))
    return all(come[key] >= count for key, count in wanted.items())


def _answer_to(command: VenueCommand) -> tuple[str, str]:
    match command:
        case PlaceOrder(request=request):
            return "place", request.client_order_id
        case CancelOrder(client_order_id=client_id):
            return "cancel", client_id
        case QueryOrder(client_order_id=client_id):
            return "query", client_id
        case ReadPosition(symbol):
            return "position", symbol
        case Observe(symbol):
            return "observe", symbol


def _answers(event: Event) -> Iterator[tuple[str, str]]:
    """What an event may be the answer to."""
    match event:
        case OrderReport(client_order_id=client_id, status=status):
            yield "place", client_id
            yield "query", client_id
            if status is OrderStatus.CANCELED:
                yield "cancel", client_id
        case OrderNotFound(client_order_id=client_id):
            yield "query", client_id
        case CommandRejected(client_order_id=client_id, action=action) | CommandUnresolved(
            client_order_id=client_id, action=action,
        ):
            yield action.value, client_id
        case PositionReport(symbol=symbol, begun_ms=int()):
            yield "position", symbol
        case Observed(symbol=symbol):
            yield "observe", symbol
