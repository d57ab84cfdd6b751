"""Plans that are played on the stage, each with a director who moves the market by what stands on the exchange.

A director looks at the exchange alone, never at the run: so the market goes on in the same way whether the run lives,
is dead, or hears nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.live.stage import BOUND_S, Ended, Running, Stage, TooLate, Trader, until

BRACKET = """\
version: 1
name: bracket
steps:
  - id: long
    symbol: BTCUSDT
    bracket:
      side: BUY
      quantity: 0.004
      entry: {type: LIMIT, price: 60000}
      take_profit:
        - {price: 61000, portion: 50%}
        - {price: 62000, portion: 50%}
      stop_loss: {stop_price: 59000}
"""
SINGLE = """\
version: 1
name: single
defaults: {symbol: BTCUSDT, trigger_timeout: 500ms}
steps:
  - id: long
    bracket:
      side: BUY
      quantity: 0.004
      entry: {type: LIMIT, price: 60000}
      take_profit: {price: 61000}
      stop_loss: {stop_price: 59000}
"""
TIMED_OUT = SINGLE.replace("steps:\n  - id: long\n", "steps:\n  - id: long\n    timeout: 400ms\n")
OCO = """\
version: 1
name: oco
defaults: {symbol: BTCUSDT}
steps:
  - id: dip
    entry: {side: BUY, type: LIMIT, price: 60000, quantity: 0.004}
  - id: guard
    after: {dip: first_fill}
    oco:
      side: SELL
      quantity: {filled: dip}
      take_profit: {price: 61000}
      stop_loss: {stop_price: 59000}
"""
TWAP = """\
version: 1
name: twap
defaults: {symbol: BTCUSDT}
steps:
  - id: build
    twap: {side: BUY, quantity: 0.012, slices: 6, every: 150ms}
  - id: guard
    after: {build: first_fill}
    oco:
      side: SELL
      quantity: {filled: build}
      take_profit: {price: 61000}
      stop_loss: {stop_price: 59000}
"""


@dataclass(frozen=True, slots=True)
class Scene:
    """What stands on the exchange for one symbol at one look."""

    position: Decimal
    opening: Decimal
    """What orders that open have not filled yet."""
    stops: Decimal
    profits: Decimal

    @property
    def guarded(self) -> bool:
        """Every exit that the position needs is working."""
        return self.position > 0 and self.stops == self.profits == self.position


def look(trader: Trader, symbol: str = "BTCUSDT") -> Scene:
    rows = trader.orders(symbol, closed=False)
    opening = stops = profits = Decimal(0)
    for row in rows["orders"]:
        left = Decimal(row["origQty"]) - Decimal(row["executedQty"])
        if not row["reduceOnly"]:
            opening += left
    for row in rows["conditionals"]:
        if row["reduceOnly"] and row["orderType"].startswith("STOP"):
            stops += Decimal(row["quantity"])
        elif row["reduceOnly"]:
            profits += Decimal(row["quantity"])
    return Scene(Decimal(trader.held(symbol)), opening, stops, profits)


@dataclass(frozen=True, slots=True)
class Play:
    """A plan, the quantity that it opens, and where the market goes: to `entry` while something opens, then from level
    to level of `exits`, each while the exits stand whole and the position is above what comes with it."""

    name: str
    plan: str
    quantity: Decimal
    entry: str
    exits: tuple[tuple[Decimal, str], ...]
    """(position, price): the price that the market goes to while that much is held."""


def play(name: str, plan: str, quantity: str, entry: str, **exits: str) -> Play:
    return Play(name, plan, Decimal(quantity), entry, tuple(
        (Decimal(held.removeprefix("at_").replace("_", ".")), price) for held, price in exits.items()
    ))


BEGINS = "60100"
PLAYS = {
    each.name: each for each in (
        play("bracket", BRACKET, "0.004", "59990", at_0_004="61010", at_0_002="62010"),
        play("bracket stopped", BRACKET, "0.004", "59990", at_0_004="58990"),
        play("single", SINGLE, "0.004", "59990", at_0_004="61010"),
        play("single stopped", SINGLE, "0.004", "59990", at_0_004="58990"),
        play("timed out", TIMED_OUT, "0.004", BEGINS, at_0_002="61010", at_0_004="61010"),
        play("oco", OCO, "0.004", "59990", at_0_004="61010"),
        play("oco stopped", OCO, "0.004", "59990", at_0_004="58990"),
        play("twap", TWAP, "0.012", "60000", at_0_012="61010"),
        play("twap stopped", TWAP, "0.012", "60000", at_0_012="58990"),
    )
}


class Director:
    """Moves the market of one play for one trader; `act` is one look and at most one move."""

    def __init__(self, stage: Stage, trader: Trader, play: Play) -> None:
        self._stage = stage
        self._trader = trader
        self._play = play
        self._price = ""
        self._go(BEGINS)

    def act(self) -> None:
        scene = look(self._trader)
        if scene.opening:
            self._go(self._play.entry)
        elif scene.guarded:
            for held, price in self._play.exits:
                if scene.position == held:
                    self._go(price)

    def until(self, what: str, done: Callable[[], Any], seconds: float = BOUND_S) -> None:
        """Act until that is so."""
        def look_on() -> bool:
            if done():
                return True
            self.act()
            return False

        until(what, look_on, seconds)

    def end(self, running: Running, seconds: float = BOUND_S) -> Ended:
        """Act until the command has ended by itself."""
        try:
            self.until("the end of the run", lambda: running.ended, seconds)
        except TooLate:
            running.kill()
            raise TooLate(
                f"no end within {seconds:g} s: {look(self._trader)}, price {self._price}\n{running.out}\n{running.err}"
            ) from None
        return running.wait()

    def _go(self, price: str) -> None:
        if price != self._price:
            self._stage.price(price)
            self._price = price

