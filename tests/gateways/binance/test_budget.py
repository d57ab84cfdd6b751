"""What is sent when little is left of the exchange's limits: the urgent first, and nothing while it says no."""

import asyncio

import pytest
from multidict import CIMultiDict

from runner.gateways.binance.answers import Reply
from runner.gateways.binance.budget import Budget, Urgency
from tests.gateways.binance.virtual import virtually

NOW = 1_790_000_000_000
"""The beginning of a 10-second window, 20 s into a minute."""


def now_ms() -> int:
    return NOW + round(asyncio.get_running_loop().time() * 1000)


def budget(*, weight: int = 100, ten_seconds: int = 10, minute: int = 40) -> Budget:
    limits = Budget(now_ms)
    limits.learn({"rateLimits": [
        {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": weight},
        {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": ten_seconds},
        {"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": minute},
        {"rateLimitType": "RAW_REQUESTS", "interval": "DAY", "intervalNum": 1, "limit": 1},
    ]})
    return limits


def reply(status: int = 200, code: int = 0, message: str = "", **headers: str) -> Reply:
    named = CIMultiDict((name.replace("_", "-"), value) for name, value in headers.items())
    return Reply(status, code, message, named, {})


class Queue:
    """Requests, which note when they were let go, in seconds."""

    def __init__(self, limits: Budget) -> None:
        self.limits = limits
        self.went: list[tuple[str, float]] = []
        self.tasks: list[asyncio.Task[None]] = []

    def add(self, name: str, urgency: Urgency, *, weight: int = 0, orders: int = 0) -> "asyncio.Task[None]":
        async def ask() -> None:
            await self.limits.admit(urgency, weight=weight, orders=orders)
            self.went.append((name, round(asyncio.get_running_loop().time(), 3)))

        self.tasks.append(asyncio.create_task(ask()))
        return self.tasks[-1]

    async def all_gone(self) -> list[tuple[str, float]]:
        await asyncio.gather(*self.tasks)
        return self.went


def test_openings_leave_a_reserve_to_what_protects_and_wait_for_the_next_window() -> None:
    async def story() -> None:
        queue = Queue(budget())
        for n in range(11):
            queue.add(f"open {n}", Urgency.OPENING, orders=1)
        await asyncio.sleep(1)
        assert len(queue.went) == 9
        queue.add("protect", Urgency.PROTECTION, orders=1)
        queue.add("cancel", Urgency.CANCEL, weight=1)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert [name for name, _ in queue.went[9:]] == ["protect", "cancel"]
        assert (await queue.all_gone())[11:] == [("open 9", 10.0), ("open 10", 10.0)]

    virtually(story)


def test_the_longer_window_counts_too() -> None:
    async def story() -> None:
        queue = Queue(budget(ten_seconds=100, minute=10))
        for n in range(10):
            queue.add(str(n), Urgency.OPENING, orders=1)
        assert (await queue.all_gone())[-1] == ("9", 40.0)

    virtually(story)


def test_who_waits_goes_on_by_urgency_and_then_in_the_order_of_asking() -> None:
    async def story() -> None:
        limits = budget()
        limits.note(reply(429, -1003, Retry_After="3"))
        queue = Queue(limits)
        queue.add("open", Urgency.OPENING, orders=1)
        queue.add("read", Urgency.READ, weight=1)
        queue.add("lookup", Urgency.LOOKUP, weight=1)
        queue.add("protect", Urgency.PROTECTION, orders=1)
        queue.add("cancel 1", Urgency.CANCEL, weight=1)
        queue.add("cancel 2", Urgency.CANCEL, weight=1)
        assert await queue.all_gone() == [
            ("cancel 1", 3.0), ("cancel 2", 3.0), ("protect", 3.0), ("lookup", 3.0), ("read", 3.0), ("open", 3.0),
        ]

    virtually(story)


@pytest.mark.parametrize(("said", "until_s"), [
    (reply(429, -1003, Retry_After="7"), 7.0),
    (reply(429, -1003), 60.0),
    (reply(400, -1003), 60.0),
    (reply(418, -1003, Retry_After="7"), 7.0),
    (reply(418, -1003, f"Way too many requests; IP(1.2.3.4) banned until {NOW + 90_000}. Please use"), 90.0),
    (reply(418, -1003, f"banned until {NOW + 90_000}", Retry_After="7"), 90.0),
    (reply(418), 120.0),
])
def test_nothing_is_sent_while_the_exchange_says_no(said: Reply, until_s: float) -> None:
    async def story() -> None:
        limits = budget()
        limits.note(said)
        queue = Queue(limits)
        queue.add("cancel", Urgency.CANCEL, weight=1)
        assert await queue.all_gone() == [("cancel", until_s)]

    virtually(story)


@pytest.mark.parametrize(("said", "until_s"), [
    (reply(429, -1015, Retry_After="4"), 4.0), (reply(400, -1015), 10.0),
])
def test_too_many_orders_hold_up_orders_alone(said: Reply, until_s: float) -> None:
    async def story() -> None:
        limits = budget()
        limits.note(said)
        queue = Queue(limits)
        queue.add("protect", Urgency.PROTECTION, orders=1)
        queue.add("cancel", Urgency.CANCEL, weight=1)
        queue.add("read", Urgency.READ, weight=5)
        assert await queue.all_gone() == [("cancel", 0.0), ("read", 0.0), ("protect", until_s)]

    virtually(story)


def test_the_headers_count_what_others_use_of_the_same_limits() -> None:
    async def story() -> None:
        limits = budget()
        limits.note(reply(X_MBX_USED_WEIGHT_1M="95", x_mbx_order_count_10s="9", X_MBX_ORDER_COUNT_1M="12"))
        assert limits.weight.used == 95
        assert [window.used for window in limits.orders.values()] == [9, 12]
        limits.note(reply(X_MBX_USED_WEIGHT_1M="3"))
        assert limits.weight.used == 95, "answers come in any order"
        queue = Queue(limits)
        queue.add("read", Urgency.READ, weight=1)
        queue.add("open", Urgency.OPENING, orders=1)
        queue.add("cancel", Urgency.CANCEL, weight=5)
        assert await queue.all_gone() == [("cancel", 0.0), ("open", 10.0), ("read", 40.0)]

    virtually(story)


def test_strange_headers_and_limits_change_nothing() -> None:
    async def story() -> None:
        limits = budget()
        limits.note(reply(X_MBX_USED_WEIGHT_1M="many", X_MBX_USED_WEIGHT_1D="5", X_MBX_ORDER_COUNT_7D="5", Date="x"))
        limits.learn({})
        assert (limits.weight.used, limits.weight.limit) == (0, 100)

    virtually(story)


def test_who_gives_up_waiting_takes_nothing() -> None:
    async def story() -> None:
        limits = budget(ten_seconds=1, minute=3)
        queue = Queue(limits)
        queue.add("first", Urgency.PROTECTION, orders=1)
        given_up = queue.add("second", Urgency.PROTECTION, orders=1)
        queue.add("third", Urgency.PROTECTION, orders=1)
        await asyncio.sleep(1)
        given_up.cancel()
        await asyncio.gather(*queue.tasks, return_exceptions=True)
        assert queue.went == [("first", 0.0), ("third", 10.0)]
        assert sum(window.used for window in limits.orders.values()) == 1 + 2

    virtually(story)


def test_closing_gives_up_all_that_waits() -> None:
    async def story() -> None:
        limits = budget()
        limits.note(reply(418))
        queue = Queue(limits)
        task = queue.add("cancel", Urgency.CANCEL, weight=1)
        await asyncio.sleep(1)
        limits.close()
        with pytest.raises(asyncio.CancelledError):
            await task

    virtually(story)
