"""The exchange's clock: measured by the shortest round trip, never back for whoever asks, and jumps noticed."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from runner.gateways.binance.answers import NoAnswer
from runner.gateways.binance.clock import ExchangeClock
from runner.gateways.binance.rest import Rest
from tests.gateways.binance.stage import KEYS, QUICK, Stage, told

NOW = 1_790_000_000_000


class Machine:
    """A wall clock, a steady clock, and an exchange whose clock is `ahead_ms` of the wall's at the start."""

    def __init__(self, ahead_ms: float) -> None:
        self.wall_ms = float(NOW)
        self.steady_ms = 5_000.0
        self.exchange_ms = NOW + ahead_ms
        self.clock = ExchangeClock(lambda: self.wall_ms, lambda: self.steady_ms)

    def pass_time(self, ms: float) -> None:
        self.wall_ms += ms
        self.steady_ms += ms
        self.exchange_ms += ms

    def asked(self, *ways: tuple[float, float]) -> Callable[[], Awaitable[int]]:
        """The exchange's answers, each taking so long there and back."""
        left = list(ways)

        async def ask() -> int:
            there_ms, back_ms = left.pop(0)
            self.pass_time(there_ms)
            server_ms = int(self.exchange_ms)
            self.pass_time(back_ms)
            return server_ms

        return ask


def test_the_offset_is_that_of_the_shortest_round_trip() -> None:
    machine = Machine(ahead_ms=-1_234)
    sample = asyncio.run(machine.clock.measure(machine.asked((400, 10), (5, 5), (1, 300)), 3))
    assert sample.round_trip_ms == 10
    assert abs(machine.clock.offset_ms + 1_234) <= 1
    assert abs(machine.clock.now_ms() - machine.exchange_ms) <= 1


def test_the_offset_is_known_to_half_the_round_trip() -> None:
    for there_ms, back_ms in ((100, 0), (0, 100), (30, 70)):
        machine = Machine(ahead_ms=777)
        asyncio.run(machine.clock.measure(machine.asked((there_ms, back_ms)), 1))
        assert abs(machine.clock.offset_ms - 777) <= 51


def test_it_never_goes_back_but_requests_are_signed_by_what_is_believed() -> None:
    machine = Machine(ahead_ms=0)
    before_ms = machine.clock.now_ms()
    machine.exchange_ms -= 5_000
    asyncio.run(machine.clock.measure(machine.asked((1, 1)), 1))
    assert machine.clock.now_ms() == before_ms
    assert abs(machine.clock.stamp_ms() - machine.exchange_ms) <= 1
    machine.pass_time(6_000)
    assert machine.clock.now_ms() == machine.clock.stamp_ms() > before_ms


def test_a_sleep_and_a_clock_that_is_set_are_noticed_once() -> None:
    machine = Machine(ahead_ms=0)
    machine.pass_time(10_000)
    assert machine.clock.jump_ms() == 0
    machine.wall_ms += 3_600_000
    assert machine.clock.jump_ms() == 3_600_000
    assert machine.clock.jump_ms() == 0
    machine.wall_ms -= 2_000
    assert machine.clock.jump_ms() == -2_000


def test_a_refused_timestamp_is_cured_by_a_new_measure() -> None:
    async def story(stage: Stage, rest: Rest) -> None:
        stage.front.off_ms = 120_000
        assert await rest.read("v3/balance")
        assert abs(rest.clock.offset_ms - 120_000) < 100

    told(story)


def test_who_asks_while_the_clock_is_measured_waits_for_that_measure() -> None:
    async def story(stage: Stage, rest: Rest) -> None:
        stage.fault("slow_answer", route="GET /fapi/v1/time", delay_ms=20)
        before = rest.budget.weight.used
        await asyncio.gather(*(rest.renew_clock() for _ in range(5)))
        assert rest.budget.weight.used == before + 1

    told(story)


def test_a_machine_that_slept_measures_anew_and_says_so() -> None:
    async def live() -> None:
        async with Stage() as stage:
            ahead_ms = 0.0
            loop = asyncio.get_running_loop()
            slept: asyncio.Future[int] = loop.create_future()
            clock = ExchangeClock(lambda: time.time_ns() / 1e6 + ahead_ms, lambda: time.monotonic_ns() / 1e6)
            rest = Rest(stage.endpoints, KEYS, QUICK.but(clock_ms=20), clock=clock)
            await rest.open()
            rest.on_jump.append(lambda ms: slept.done() or slept.set_result(ms))
            ahead_ms = 5_000.0
            assert abs(await asyncio.wait_for(slept, 5) - 5_000) < 100
            while abs(rest.clock.offset_ms + 5_000) > 100:
                await asyncio.sleep(0.01)
            await rest.close()

    asyncio.run(live())


def test_a_measure_that_fails_leaves_the_one_before() -> None:
    async def story(stage: Stage, rest: Rest) -> None:
        before = rest.clock.offset_ms
        stage.fault("banned_418", route="GET /fapi/v1/time", retry_after_s=0)
        try:
            await rest.renew_clock()
        except NoAnswer as error:
            assert error.status == 418
        assert rest.clock.offset_ms == before

    told(story)
