"""A machine on the live gateway while an answer of the exchange is slow, lost or never comes: protection is in time.

Time is real here: the pace of the run and the timings are what they are.
"""

import asyncio
from collections.abc import Callable

import pytest

from runner.domain.commands import (
    CancelOrder,
    CancelTimer,
    PlaceOrder,
    RunEnded,
    SetTimer,
    UnwatchPrice,
    VenueCommand,
    WatchPrice,
)
from runner.domain.events import CommandUnresolved, Event, RunStarted, TimerFired
from runner.domain.orders import OrderStatus
from runner.domain.values import OrderType
from runner.engine.machine import Machine
from runner.gateways.binance.settings import Timings
from runner.venue.facts import AlgoState
from tests.gateways.binance.ear import Ear, heard, listening, order
from tests.gateways.binance.stage import QUICK, SYMBOL, Stage
from tests.graph.plans import graph

WITHIN_S = 10.0
BRACKET = """
  - id: long
    bracket:
      side: BUY
      quantity: 0.010
      entry: {type: MARKET}
      take_profit: {price: 62000}
      stop_loss: {stop_price: 59000}
"""
STOP_ID, PROFIT_ID = "r1.2.*", "r1.3.*"


class Trader:
    """A machine that runs a plan through a gateway; what is placed goes out at once."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.told: list[Event] = []
        self.placed: list[PlaceOrder] = []
        self.ended: RunEnded | None = None
        self._machine = Machine(graph(BRACKET))
        self._timers: dict[str, asyncio.TimerHandle] = {}

    async def run(self, until: Callable[["Trader"], bool]) -> None:
        loop = asyncio.get_running_loop()
        async with listening(self.stage, Timings(), run_prefix="r1.") as ear:
            gateway = ear.gateway

            def take(event: Event) -> None:
                self.told.append(event)
                for command in self._machine.advance(event):
                    match command:
                        case SetTimer(timer_id, at_ms):
                            fire = loop.call_later(
                                max(at_ms - gateway.now_ms(), 0) / 1000,
                                lambda id=timer_id: gateway.post(TimerFired(gateway.now_ms(), id)),  # type: ignore[misc]
                            )
                            self._drop(timer_id)
                            self._timers[timer_id] = fire
                        case CancelTimer(timer_id):
                            self._drop(timer_id)
                        case WatchPrice() | UnwatchPrice():
                            gateway.watch(command)
                        case RunEnded():
                            self.ended = command
                        case _ if isinstance(command, VenueCommand):
                            if isinstance(command, PlaceOrder):
                                self.placed.append(command)
                            gateway.submit(command)
                gateway.attend(self._machine.live_symbols())

            take(RunStarted(gateway.now_ms(), "r1", 1))
            taken = 0
            async with asyncio.timeout(WITHIN_S):
                while not until(self):
                    await ear.until(lambda told, taken=taken: len(told) > taken)  # type: ignore[misc]
                    for event in ear.told[taken:]:
                        take(event)
                        taken += 1
            for timer_id in tuple(self._timers):
                self._drop(timer_id)

    @property
    def unresolved(self) -> tuple[str, ...]:
        return self._machine.unresolved()

    @property
    def stops(self) -> list[AlgoState]:
        """The stops that stand on the exchange."""
        return [
            order for order in self.stage.exchange.open_conditionals(self.stage.me)
            if order.request.order_type is OrderType.STOP_MARKET
        ]

    def _drop(self, timer_id: str) -> None:
        timer = self._timers.pop(timer_id, None)
        if timer is not None:
            timer.cancel()


def settled(trader: Trader, unresolved: int) -> bool:
    """Whether the position has one stop and one take-profit, and so many orders are open to question."""
    return (
        len(trader.stops) == 1 and len(trader.stage.exchange.open_conditionals(trader.stage.me)) == 2
        and len(trader.unresolved) == unresolved
    )


FAULTS = {
    "no answer, and taken": {"name": "hanging_answer", "executed": True},
    "no answer, and not taken": {"name": "hanging_answer", "executed": False},
    "an answer after 1.5 s": {"name": "slow_answer", "delay_ms": 1_500},
    "an answer after 0.7 s": {"name": "slow_answer", "delay_ms": 700},
    "a lost answer": {"name": "lost_answer"},
    "unknown, and taken": {"name": "unknown_503", "executed": True},
    "unknown, and not taken": {"name": "unknown_503", "executed": False},
    "unavailable": {"name": "unavailable_503"},
    "a refused timestamp": {"name": "clock_1021"},
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_stop_whose_answer_does_not_come_stands_within_the_bound_and_once(fault: dict[str, object]) -> None:
    async def live() -> None:
        async with Stage() as stage:
            stage.fault(**fault, route="POST /fapi/v1/algoOrder", client_id=STOP_ID)
            trader = Trader(stage)
            loop = asyncio.get_running_loop()
            begun_s = loop.time()
            stood: list[float] = []

            def until(trader: Trader) -> bool:
                if trader.stops and not stood:
                    stood.append(loop.time() - begun_s)
                # That an order was never taken is believed only when its request has expired.
                return settled(trader, 1 if fault.get("executed") is False else 0)

            await trader.run(until)
            assert stood[0] < 2, "protected within the bound of 2 s"
            assert stage.held == trader.stops[0].request.quantity
            closes = [one for one in trader.placed if one.protective and one.request.order_type is OrderType.MARKET]
            assert not closes, "nothing was closed at market"
            assert trader.ended is None

    asyncio.run(live())


def test_a_request_that_hangs_holds_up_no_other() -> None:
    async def live() -> None:
        async with Stage() as stage:
            stage.fault("hanging_answer", route="POST /fapi/v1/algoOrder", client_id=PROFIT_ID, executed=False)
            trader = Trader(stage)
            await trader.run(lambda trader: len(trader.stops) == 1)
            assert stage.held == trader.stops[0].request.quantity

    asyncio.run(live())


def test_the_ids_of_the_faults_are_those_of_the_plans_exits() -> None:
    nodes = [node.node_id for node in graph(BRACKET).nodes]
    assert (nodes[2], nodes[3]) == ("long.stop_loss", "long.take_profit")


def test_an_order_that_the_user_stream_has_told_of_is_cancelled_while_the_answer_to_its_placement_hangs() -> None:
    entry = order("BUY", "LIMIT", price="59000")

    async def story(stage: Stage, ear: Ear) -> None:
        stage.fault("hanging_answer", route="POST /fapi/v1/order", executed=True)
        ear.gateway.submit(entry)
        await ear.status(entry, OrderStatus.NEW)
        ear.gateway.submit(CancelOrder(SYMBOL, entry.request.client_order_id, False, "node"))
        await ear.status(entry, OrderStatus.CANCELED)
        assert not any(isinstance(event, CommandUnresolved) for event in ear.told)

    heard(story, QUICK.but(unanswered_ms=60_000, request_ms=60_000))
