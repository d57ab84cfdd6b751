"""How much the exchange still takes of us: request weight of this address, orders of this account, and its bans.

Urgent requests go while anything is left; others leave a reserve to them.  Waiting requests go on in the order of their
urgency.  Source: Binance USDⓈ-M Futures, "General Info: Limits", and the headers of each answer; windows are aligned to
the exchange's clock.
"""

import asyncio
import heapq
import logging
import re
from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Any

from runner.domain.value import Record
from runner.gateways.binance.answers import BANNED, TOO_MANY, Reply

_LOG = logging.getLogger(__name__)
SECOND_MS = 1_000
MINUTE_MS = 60_000
_UNTIL = re.compile(r"banned until (\d{13})")
_LEAST_BAN_MS = 120_000
_TOO_MANY_MS = 60_000
_TOO_MANY_ORDERS_MS = 10_000
_TOO_MANY_REQUESTS, _TOO_MANY_ORDERS = -1003, -1015
_WEIGHT_HEADER, _ORDERS_HEADER = "X-MBX-USED-WEIGHT", "X-MBX-ORDER-COUNT"


class Urgency(IntEnum):
    """What goes first."""

    CANCEL = 0
    PROTECTION = 1
    LOOKUP = 2
    READ = 3
    OPENING = 4


_LEFT_TO_OTHERS = {
    Urgency.CANCEL: 0, Urgency.PROTECTION: 0, Urgency.LOOKUP: 5, Urgency.READ: 10, Urgency.OPENING: 10,
}
"""How many percent of a limit are left to what is more urgent."""


class Window(Record):
    """What was used of `limit` in the window that began at `number` × `span_ms`."""

    span_ms: int
    limit: int
    number: int = -1
    used: int = 0

    def turn(self, now_ms: int) -> None:
        number = now_ms // self.span_ms
        if number != self.number:
            self.number, self.used = number, 0

    def takes(self, amount: int, percent_left: int) -> bool:
        return not amount or self.used + amount <= self.limit - self.limit * percent_left // 100

    @property
    def ends_ms(self) -> int:
        return (self.number + 1) * self.span_ms

    @property
    def word(self) -> str:
        """Its length as the headers name it, like 10S or 1M."""
        minutes, rest_ms = divmod(self.span_ms, MINUTE_MS)
        return f"{self.span_ms // SECOND_MS}S" if rest_ms else f"{minutes}M"


class Budget:
    """Until `learn` has been told the exchange's own limits, those of the production exchange count."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self.weight = Window(MINUTE_MS, 2_400)
        self.orders: dict[int, Window] = {
            10 * SECOND_MS: Window(10 * SECOND_MS, 300), MINUTE_MS: Window(MINUTE_MS, 1_200),
        }
        self.paused_until_ms = 0
        self._orders_paused_until_ms = 0
        self._waiting: list[tuple[Urgency, int, int, int, asyncio.Future[None]]] = []
        self._asked = 0
        self._timer: asyncio.TimerHandle | None = None

    def learn(self, exchange_info: Mapping[str, Any]) -> None:
        """The limits of an `exchangeInfo` body; kinds and intervals that we do not know are passed over."""
        spans = {"SECOND": SECOND_MS, "MINUTE": MINUTE_MS}
        for row in exchange_info.get("rateLimits", ()):
            span_ms = spans.get(row.get("interval"), 0) * int(row.get("intervalNum", 0))
            if row.get("rateLimitType") == "REQUEST_WEIGHT" and span_ms == MINUTE_MS:
                self.weight.limit = int(row["limit"])
            elif row.get("rateLimitType") == "ORDERS" and span_ms:
                self.orders.setdefault(span_ms, Window(span_ms, 0)).limit = int(row["limit"])

    def ask(self, urgency: Urgency, *, weight: int = 0, orders: int = 0) -> asyncio.Future[None] | None:
        """None where a request may go now, which is thereby counted; else what to await until it may.

        Whoever does not want to wait any longer cancels it.
        """
        if self._waiting:
            self._let_go()
        if self._free_ms(urgency, weight, orders) == 0:
            self._count(weight, orders)
            return None
        self._asked += 1
        wait: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (urgency, self._asked, weight, orders, wait))
        self._set_timer()
        return wait

    async def admit(self, urgency: Urgency, *, weight: int = 0, orders: int = 0) -> None:
        wait = self.ask(urgency, weight=weight, orders=orders)
        if wait is not None:
            await wait

    def note(self, reply: Reply) -> None:
        """What an answer says of the budget."""
        now_ms = self._now_ms()
        self._count_told(self.weight, reply.headers.get(f"{_WEIGHT_HEADER}-1M", ""), now_ms)
        for window in self.orders.values():
            self._count_told(window, reply.headers.get(f"{_ORDERS_HEADER}-{window.word}", ""), now_ms)
        if reply.status in (BANNED, TOO_MANY) or reply.code in (_TOO_MANY_REQUESTS, _TOO_MANY_ORDERS):
            self._pause(reply, now_ms)

    def _count_told(self, window: Window, text: str, now_ms: int) -> None:
        """Answers come in any order: the highest figure counts."""
        if text.isdecimal():
            window.turn(now_ms)
            window.used = max(window.used, int(text))

    def close(self) -> None:
        """Nobody waits any more."""
        if self._timer is not None:
            self._timer.cancel()
        for *_, wait in self._waiting:
            wait.cancel()
        self._waiting.clear()

    def _pause(self, reply: Reply, now_ms: int) -> None:
        """Too many orders hold up orders alone, anything else all that we would send."""
        told_ms = self._told_until_ms(reply, now_ms)
        if reply.code == _TOO_MANY_ORDERS and reply.status != BANNED:
            until_ms = told_ms or now_ms + _TOO_MANY_ORDERS_MS
            self._orders_paused_until_ms = max(self._orders_paused_until_ms, until_ms)
        else:
            until_ms = told_ms or now_ms + (_LEAST_BAN_MS if reply.status == BANNED else _TOO_MANY_MS)
            self.paused_until_ms = max(self.paused_until_ms, until_ms)
        pause_s = (until_ms - now_ms) / SECOND_MS
        _LOG.warning("the exchange asks for a pause of %d s: %d %s", pause_s, reply.code, reply.message)

    def _told_until_ms(self, reply: Reply, now_ms: int) -> int:
        """Until when the answer itself asks to wait; 0 where it does not say."""
        banned = _UNTIL.search(reply.message)
        after = reply.headers.get("Retry-After", "")
        return max(int(banned[1]) if banned else 0, now_ms + SECOND_MS * int(after) if after.isdecimal() else 0)

    def _free_ms(self, urgency: Urgency, weight: int, orders: int) -> int:
        """From when such a request may go; 0 where it may now."""
        now_ms = self._now_ms()
        percent = _LEFT_TO_OTHERS[urgency]
        self.weight.turn(now_ms)
        free_ms = max(self.paused_until_ms, self._orders_paused_until_ms if orders else 0)
        if not self.weight.takes(weight, percent):
            free_ms = max(free_ms, self.weight.ends_ms)
        if orders:
            for window in self.orders.values():
                window.turn(now_ms)
                if not window.takes(orders, percent):
                    free_ms = max(free_ms, window.ends_ms)
        return free_ms if free_ms > now_ms else 0

    def _count(self, weight: int, orders: int) -> None:
        self.weight.used += weight
        if orders:
            for window in self.orders.values():
                window.used += orders

    def _let_go(self) -> None:
        """Let those go on whose time has come, the most urgent first."""
        waiting, self._waiting = self._waiting, []
        while waiting:
            entry = heapq.heappop(waiting)
            urgency, _, weight, orders, wait = entry
            if wait.done():
                continue
            if self._free_ms(urgency, weight, orders) == 0:
                self._count(weight, orders)
                wait.set_result(None)
            else:
                heapq.heappush(self._waiting, entry)
        self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        dues = [self._free_ms(urgency, weight, orders) for urgency, _, weight, orders, _ in self._waiting]
        if dues:
            wait_ms = max(min(dues) - self._now_ms(), 0)
            self._timer = asyncio.get_running_loop().call_later(wait_ms / 1000, self._let_go)
