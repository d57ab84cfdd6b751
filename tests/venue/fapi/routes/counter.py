"""The routes without the wire: one account at 60,000, and a word for each call."""

from decimal import Decimal
from typing import Any

from runner.venue.exchange import Exchange
from runner.venue.fapi.calls import Call
from runner.venue.fapi.clock import FrontClock, VenueClock
from runner.venue.fapi.door import Door
from runner.venue.fapi.params import from_form
from runner.venue.fapi.routes.table import ROUTES
from runner.venue.market import Point, Trade
from runner.venue.refusals import Refusal
from runner.venue.settings import Slippage, VenueSettings
from tests.venue.fapi.wire import BTC, SYMBOL

NOON = 1_790_000_040_000
_HANDLERS = {route.name: route.handler for route in ROUTES}


class Counter:
    """`ask` gives the answer, or the code of the refusal."""

    def __init__(self, **settings: Any) -> None:
        self.exchange = Exchange({SYMBOL: BTC}, VenueSettings(slippage=Slippage(), **settings))
        self.exchange.begin(Point(SYMBOL, NOON, Decimal(60000)))
        self.account = self.exchange.open_account("main")
        front = FrontClock(lambda: NOON)
        self.door = Door(self.exchange, front, VenueClock(front, NOON, 0))

    def ask(self, name: str, **params: str) -> Any:
        method, _, path = name.partition(" ")
        call = Call(self.door, from_form("", ""), NOON, self.door.at_ms(), self.account)
        call.params.values = params
        try:
            return _HANDLERS[f"{method} /fapi/{path}"](call)
        except Refusal as refusal:
            return refusal.code

    def trade(self, price: str, qty: str = "10") -> None:
        self.door.feed(Trade(SYMBOL, self.door.at_ms(), Decimal(price), Decimal(qty)))

    def buy(self, qty: str = "0.010") -> Any:
        return self.ask("POST v1/order", symbol=SYMBOL, side="BUY", type="MARKET", quantity=qty)
