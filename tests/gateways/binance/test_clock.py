"""The exchange's clock: measured by the shortest round trip, never back for whoever asks, and jumps noticed."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from runner.gateways.binance.answers import NoAnswer
from runner.gateways.binance.clock import ExchangeClock, elapsed_ms
from runner.gateways.binance.rest import Rest
from tests.gateways.binance.stage import KEYS, QUICK, Stage, told

NOW = 1_790_000_000_000


class Machine:
    """The clocks of a machine, and an exchange whose clock is `ahead_ms` of its wall's at the start."""

    def __init__(self, ahead_ms: float) -> None:
        self.wall_ms = float(NOW)
        self.elapsed_ms = 5_000.0
        self.awake_ms = 4_000.0
        self.exchange_ms = NOW + ahead_ms
        self.clock = ExchangeClock(lambda: self.wall_ms, lambda: self.elapsed_ms, lambda: self.awake_ms)

    def pass_time(self, ms: float, *, asleep: bool = False) -> None:
        self.wall_ms += ms
        self.elapsed_ms += ms
        self.exchange_ms += ms
        if not asleep:
            self.awake_ms += ms

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


def test_a_wall_clock_that_is_set_changes_nothing() -> None:
    machine = Machine(ahead_ms=0)
    asyncio.run(machine.clock.measure(machine.asked((1, 1)), 1))
    for set_ms in (3_600_000, -7_200_000):
        machine.wall_ms += set_ms
        machine.pass_time(1_000)
        assert abs(machine.clock.now_ms() - machine.exchange_ms) <= 1
        assert abs(machine.clock.stamp_ms() - machine.exchange_ms) <= 1


def test_a_sleep_is_gone_through_and_noticed_once() -> None:
    machine = Machine(ahead_ms=0)
    machine.pass_time(10_000)
    assert machine.clock.slept_ms() == 0
    machine.pass_time(3_600_000, asleep=True)
    assert abs(machine.clock.now_ms() - machine.exchange_ms) <= 1
    assert machine.clock.slept_ms() == 3_600_000
    assert machine.clock.slept_ms() == 0


def test_before_a_measure_it_is_the_wall_clock() -> None:
    assert abs(ExchangeClock().now_ms() - time.time_ns() // 1_000_000) < 50


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
            asleep_ms = 0.0
            slept: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            clock = ExchangeClock(elapsed=lambda: elapsed_ms() + asleep_ms)
            rest = Rest(stage.endpoints, KEYS, QUICK.but(clock_ms=20), clock=clock)
            await rest.open()
            rest.on_sleep.append(lambda ms: slept.done() or slept.set_result(ms))
            asleep_ms = 5_000.0
            assert abs(await asyncio.wait_for(slept, 5) - 5_000) < 100
            while abs(rest.clock.stamp_ms() - stage.front.now_ms()) > 100:
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
