"""The pump: feeds market data into the exchange when their time has come, and lets things happen that are due.

Data times are moved so that the first datum is now.  At a speed the data come by themselves; stepwise nothing moves
but by `step`.  After the last datum its price stands, and time goes on.
"""

import asyncio
import re
from collections.abc import Iterator

from runner.venue.fapi.door import Door
from runner.venue.market import CandleEnd, Datum

_SLICE = 200
"""Data that are fed before requests get their turn."""
_LONGEST_SLEEP_S = 0.01
"""Requests may make something due earlier than the next datum; Binance itself looks about every 10 ms."""
STEP = "step"
_SPEED = re.compile(r"([0-9]{1,5}(?:\.[0-9]{1,3})?)x?")


def read_speed(text: str) -> float:
    """How many times as fast as the wall clock: `1x`, `100x`, `0.5x`; 0 for `step`.

    Raises:
        ValueError: anything else.
    """
    match = _SPEED.fullmatch(text)
    speed = float(match[1]) if match else 0.0
    if speed == 0.0 and text != STEP:
        raise ValueError(f"the speed is {text[:40]!r}, not one like 1x, 100x or step")
    return speed


def speed_words(speed: float) -> str:
    """What `read_speed` reads as this speed."""
    return f"{speed:g}x" if speed else STEP


def shifted(datum: Datum, shift_ms: int) -> Datum:
    """The datum at another time, a candle with its beginning."""
    moved: Datum = datum._replace(at_ms=datum.at_ms + shift_ms)
    return moved._replace(opened_ms=moved.opened_ms + shift_ms) if isinstance(moved, CandleEnd) else moved


class Playback:
    """`data` in the order of time, each symbol begun already; `shift_ms` is added to their times.

    `held` symbols are led by hand: their data pass by unseen.
    """

    def __init__(self, door: Door, data: Iterator[Datum], shift_ms: int) -> None:
        self.held: set[str] = set()
        self.fed = 0
        self._door = door
        self._data = data
        self._shift_ms = shift_ms
        self._datum: Datum | None = None
        self._draw()

    @property
    def ended(self) -> bool:
        """Whether all data have been fed."""
        return self._datum is None

    @property
    def next_ms(self) -> int | None:
        """When, in the exchange's time, the next datum comes."""
        return None if self._datum is None else self._datum.at_ms

    async def run(self) -> None:
        """Play at the clock's speed, for ever."""
        while True:
            await asyncio.sleep(0 if self.catch_up() else self._rest_s())

    def catch_up(self) -> bool:
        """Feed what is due by the clock; whether there is more of it than requests should wait for."""
        if self._door.clock.speed == 0:
            return False
        # The clock is asked anew for each datum, since it does not go beyond the next one.
        return all(self._let_pass(self._door.at_ms(), 1) for _ in range(_SLICE))

    async def step_to(self, until_ms: int) -> int:
        """Go to that instant of the exchange's time, through all that happens until then; the number of data fed."""
        fed = 0
        while True:
            part = self._let_pass(until_ms, _SLICE)
            fed += part
            if part < _SLICE:
                break
            await asyncio.sleep(0)
        self._door.clock.set(until_ms)
        return fed

    async def step_data(self, count: int) -> int:
        """Feed the next `count` data, as far as there are any; the number of data fed."""
        fed = 0
        while fed < count and self._datum is not None:
            self._let_pass(self._datum.at_ms, 1)
            fed += 1
            if fed % _SLICE == 0:
                await asyncio.sleep(0)
        self._door.clock.set(self._door.exchange.now_ms)
        return fed

    def _let_pass(self, until_ms: int, most: int) -> int:
        """Feed at most so many of the data up to that instant, and where that was all, what else is due until then."""
        for fed in range(most):
            datum = self._datum
            if datum is None or datum.at_ms > until_ms:
                self._settle(until_ms)
                return fed
            self._draw()
            self.fed += 1
            if datum.symbol in self.held:
                self._settle(datum.at_ms)
            else:
                self._door.feed(datum)
        return most

    def _settle(self, until_ms: int) -> None:
        """What is due by itself: GTD, countdowns, funding."""
        due_ms = self._door.exchange.next_due_ms()
        if due_ms is not None and due_ms <= until_ms:
            self._door.exchange.advance(until_ms)
            self._door.publish()

    def _draw(self) -> None:
        datum = next(self._data, None)
        self._datum = None if datum is None else shifted(datum, self._shift_ms)
        self._door.clock.limit_ms = self.next_ms

    def _rest_s(self) -> float:
        """How long nothing is due, in real seconds."""
        clock = self._door.clock
        due = [at_ms for at_ms in (self.next_ms, self._door.exchange.next_due_ms()) if at_ms is not None]
        if not due or clock.speed == 0:
            return _LONGEST_SLEEP_S
        left_s = (min(due) - self._door.at_ms()) / 1000 / clock.speed
        return min(max(left_s, 0.0), _LONGEST_SLEEP_S)
