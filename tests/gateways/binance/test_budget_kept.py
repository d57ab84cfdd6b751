"""The lanes before an exchange that counts, in virtual time: they keep its limits, and all is sent in the end."""

import asyncio
from typing import Any

import pytest

from runner.domain.events import AttemptFailed, CommandRejected
from runner.domain.reports import OrderReport
from runner.gateways.binance.answers import Reply
from runner.gateways.binance.clock import ExchangeClock
from runner.gateways.binance.lanes import Lanes
from runner.gateways.binance.rest import Rest
from runner.gateways.binance.settings import Endpoints, Timings
from runner.venue.fapi.errors import ApiError
from runner.venue.fapi.limits import Limits
from tests.gateways.binance.stage import KEYS
from tests.gateways.binance.test_lanes import NOW, Told, Wire, ok
from tests.gateways.binance.test_rows import CONDITIONAL, ORDER
from tests.gateways.binance.virtual import virtually
from tests.gateways.contract import cancel, order


class Counting(Wire):
    """Counts orders and weight as the served exchange does."""

    def __init__(self, limits: Limits) -> None:
        super().__init__({
            "POST order": [ok(ORDER)], "POST algoOrder": [ok(CONDITIONAL)],
            "DELETE order": [ok(ORDER | {"status": "CANCELED"})],
        })
        self.limits = limits
        self.refused: list[float] = []

    async def _answer(self, path: str, params: dict[str, Any]) -> Reply:
        loop = asyncio.get_running_loop()
        at_ms = NOW + int(loop.time() * 1000)
        headers = {}
        try:
            headers["X-MBX-USED-WEIGHT-1M"] = str(self.limits.spend("here", int(not path.startswith("POST")), at_ms))
            if path.startswith("POST"):
                short, long = self.limits.count_orders("sim", 1, 1, at_ms)
                headers |= {"X-MBX-ORDER-COUNT-10S": str(short), "X-MBX-ORDER-COUNT-1M": str(long)}
        except ApiError as error:
            self.refused.append(loop.time())
            return Reply(error.http, error.code or 0, error.message, error.headers, error.body)
        reply = await super()._answer(path, params)
        return reply._replace(headers=headers)


async def lanes_before(limits: Limits) -> tuple[Lanes, Told, Counting]:
    loop = asyncio.get_running_loop()
    clock = ExchangeClock(lambda: NOW + loop.time() * 1000, lambda: loop.time() * 1000, lambda: 0.0)
    rest = Rest(Endpoints("", ""), KEYS, Timings(), clock=clock)
    rest.budget.learn({"rateLimits": [*limits.weight_rows(), *limits.order_rows()]})
    wire = Counting(limits)
    rest._opened = wire  # type: ignore[assignment]
    told = Told(wire, [], [], rest)
    return Lanes(rest, told.events.append, lambda *wanted: None), told, wire


@pytest.mark.parametrize(("limits", "seconds"), [
    (Limits(orders_10s=20, orders_1m=1_200), 40), (Limits(orders_10s=300, orders_1m=50), 100),
])
def test_many_openings_wait_for_their_turn_and_what_is_urgent_does_not(limits: Limits, seconds: int) -> None:
    async def live() -> None:
        made, told, wire = await lanes_before(limits)
        entries = [order("BUY", "LIMIT", price="59000", id=f"run.{n}") for n in range(70)]
        for entry in entries:
            made.submit(entry)
        await asyncio.sleep(2.5)
        waiting = 70 - len(wire.sent)
        assert waiting > 20
        stop = order("SELL", "STOP_MARKET", trigger_price="58000", id="run.stop").but(protective=True)
        made.submit(stop)
        made.submit(cancel(entries[0]))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert [(at_s, path) for at_s, path in wire.paths if path != "POST order"] == [
            (2.5, "POST algoOrder"), (2.5, "DELETE order"),
        ]
        await asyncio.sleep(seconds)
        assert sum(path == "POST order" for _, path in wire.paths) == 70
        assert wire.refused == [], "no limit was run into"
        assert all(isinstance(event, OrderReport) for event in told.events)
        await made.close()
        await told.rest.close()

    virtually(live)


def test_when_others_use_the_limits_up_all_is_sent_in_the_end() -> None:
    async def live() -> None:
        limits = Limits(orders_10s=20, weight=60)
        made, told, wire = await lanes_before(limits)
        limits.count_orders("sim", 20, 20, NOW)
        limits.spend("here", 60, NOW)
        for n in range(30):
            made.submit(order("BUY", "LIMIT", price="59000", id=f"run.{n}"))
        made.submit(cancel(order("BUY", "LIMIT", id="run.other")))
        await asyncio.sleep(300)
        assert len(wire.refused) <= 31, "each request met the limit at most once"
        assert not any(isinstance(event, CommandRejected) for event in told.events)
        assert sum(isinstance(event, OrderReport) for event in told.events) == 31
        assert {event.attempt for event in told.events if isinstance(event, AttemptFailed)} <= {1}
        await made.close()
        await told.rest.close()

    virtually(live)
