"""Whole plans in the dry run's world: what the live stage of the language asks for ends here as it should."""

from decimal import Decimal
from typing import get_args

import pytest

from runner.domain.commands import (
    Command,
    OrderDenied,
    PlaceOrder,
    Remark,
    RunEnded,
    StepEnded,
    TimerCommand,
    VenueCommand,
    WatchCommand,
)
from runner.domain.events import CommandRejected, DataEnded, Event, RunStarted
from runner.domain.orders import OrderStatus
from runner.domain.reports import OrderReport
from runner.engine.machine import Machine
from runner.gateways.dryrun import DryRunGateway
from runner.graph.compile import compile_plan
from runner.plan.load import load_plan
from runner.venue.exchange import Exchange
from runner.venue.feeds.merging import feed
from runner.venue.market import Point
from runner.venue.settings import VenueSettings
from tests.gateways.test_dryrun import BTC

HEAD = "version: 1\nname: x\ndefaults: {symbol: BTCUSDT}\nsteps:\n"
START_MS = 1_795_500_000_000
WHOLE = """\
  - id: long
    bracket:
      side: BUY
      quantity: 0.010
      entry: {type: LIMIT, price: 60000}
      take_profit: [{price: 61000, portion: 50%}, {price: 62000, portion: 50%}]
      stop_loss: {stop_price: 59000, close_position: true}
"""
DATED = """\
  - id: long
    time_in_force: GTD
    bracket:
      side: BUY
      quantity: 0.010
      entry: {type: LIMIT, price: 58000, good_till: 2026-11-24T06:20:00Z}
      stop_loss: {stop_price: 57000}
"""


class Played:
    """A plan run to its end over prices a second apart; what was told and what was asked, in order."""

    def __init__(self, steps: str, *prices: int, every_ms: int = 1_000) -> None:
        self.graph = compile_plan(load_plan("x.yaml", (HEAD + steps).encode()), {"BTCUSDT": BTC}).graph
        self.run_id = "d0"
        data = feed([[
            Point("BTCUSDT", START_MS + index * every_ms, Decimal(price)) for index, price in enumerate(prices)
        ]])
        exchange = Exchange({"BTCUSDT": BTC}, VenueSettings())
        account = exchange.open_account("dryrun")
        self.gateway = DryRunGateway(exchange, account, data.firsts, data.data, 50)
        self.machine = Machine(self.graph)
        self.told: list[Event] = []
        self.asked: list[Command] = []
        self.take(RunStarted(START_MS, self.run_id, 1))
        events = self.gateway.events()
        while not self.machine.ended:
            try:
                events.__anext__().send(None)  # type: ignore[attr-defined]
            except StopIteration as done:
                self.take(done.value)

    def take(self, event: Event) -> None:
        self.told.append(event)
        for command in self.machine.advance(event):
            self.asked.append(command)
            if isinstance(command, get_args(VenueCommand)):
                self.gateway.submit(command)  # type: ignore[arg-type]
            elif isinstance(command, get_args(TimerCommand)):
                self.gateway.schedule(command)  # type: ignore[arg-type]
            elif isinstance(command, get_args(WatchCommand)):
                self.gateway.watch(command)  # type: ignore[arg-type]

    def ends(self) -> list[str]:
        return [
            f"{one.outcome} {one.reason}".strip() for one in self.asked if isinstance(one, StepEnded | RunEnded)
        ]

    def placed(self) -> list[str]:
        return [
            f"{one.node_id}#{one.revision} {one.request.quantity}" + (" whole" if one.request.close_position else "")
            for one in self.asked if isinstance(one, PlaceOrder)
        ]

    def state(self, node_id: str) -> OrderReport:
        """The last that was told of the node's first order."""
        first = next(one.request for one in self.asked if isinstance(one, PlaceOrder) and one.node_id == node_id)
        return [
            one for one in self.told if isinstance(one, OrderReport) and one.client_order_id == first.client_order_id
        ][-1]

    def quiet(self) -> bool:
        """Whether nothing was denied, refused or remarked on."""
        return not any(isinstance(one, OrderDenied | Remark) for one in self.asked)


def test_a_stop_of_the_whole_position_closes_it_at_its_trigger() -> None:
    played = Played(WHOLE, 60200, 59900, 59900, 58900, 58900, 58900)
    assert played.ends() == ["succeeded", "succeeded"]
    assert played.placed() == [
        "long.entry#0 0.010", "long.stop_loss#0 0.010 whole", "long.take_profit.1#0 0.005",
        "long.take_profit.2#0 0.005",
    ]
    stop = played.state("long.stop_loss")
    assert (stop.status, stop.filled_qty, stop.quantity) == (OrderStatus.FILLED, Decimal("0.010"), Decimal("0.010"))
    assert (stop.close_position, stop.reduce_only, stop.side) == (True, True, "SELL")
    assert played.quiet()


def test_it_is_not_resized_when_a_part_is_taken_and_ends_with_the_position() -> None:
    played = Played(WHOLE, 60200, 59900, 61200, 61200, 62300, 62300)
    assert played.ends() == ["succeeded", "succeeded"]
    assert [line for line in played.placed() if "stop_loss" in line] == ["long.stop_loss#0 0.010 whole"]
    assert played.state("long.stop_loss").status in (OrderStatus.CANCELED, OrderStatus.EXPIRED)
    assert played.quiet()


def test_after_a_part_was_taken_it_closes_the_rest() -> None:
    played = Played(WHOLE, 60200, 59900, 61200, 61200, 58900, 58900)
    assert played.ends() == ["succeeded", "succeeded"]
    assert played.state("long.stop_loss").filled_qty == Decimal("0.005")
    assert played.quiet()


def test_a_gtd_entry_is_ended_by_the_exchange_at_its_date() -> None:
    """START_MS is 06:00:00 on that day."""
    played = Played(DATED, *[60000] * 30, every_ms=60_000)
    assert played.ends() == ["failed expired", "failed"]
    assert played.quiet()
    entry = played.state("long.entry")
    assert entry.status in (OrderStatus.CANCELED, OrderStatus.EXPIRED)
    assert 1_795_501_200_000 <= entry.at_ms < 1_795_501_260_000
    request = next(one.request for one in played.asked if isinstance(one, PlaceOrder))
    assert (request.time_in_force, request.good_till_ms) == ("GTD", 1_795_501_200_000)


def test_a_gtd_entry_that_fills_before_its_date_is_like_any_other() -> None:
    played = Played(DATED, 60000, 57900, 57900, 56900, 56900)
    assert played.ends() == ["succeeded", "succeeded"]


@pytest.mark.parametrize("date", ["06:09:00", "05:00:00"])
def test_a_date_that_is_too_near_or_past_is_refused_by_the_exchange(date: str) -> None:
    played = Played(DATED.replace("06:20:00", date), 60000, 57900, 57900)
    assert [one.code for one in played.told if isinstance(one, CommandRejected)] == [-5040]
    assert played.ends() == ["failed rejected", "failed"]
    assert not isinstance(played.told[-1], DataEnded)
