import asyncio
from collections.abc import Iterable
from decimal import Decimal

import pytest

from runner.domain.values import OrderType, Side, TimeInForce
from runner.venue.exchange import Exchange
from runner.venue.facts import AccountUpdate, Fact, OrderUpdate
from runner.venue.fapi.clock import FrontClock, VenueClock
from runner.venue.fapi.door import Door, Nobody
from runner.venue.fapi.playback import Playback, read_speed, shifted, speed_words
from runner.venue.market import CandleEnd, CandleOpen, Datum, Point
from runner.venue.requests import NewOrder
from runner.venue.settings import VenueSettings
from runner.venue.terms import Reason, Status
from tests.venue.desk import BTC, COARSE

BEGAN = 1_790_000_000_000
HOUR = 3_600_000


class Watch(Nobody):
    """Keeps what was told."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.data: list[Datum] = []

    def publish(self, facts: Iterable[Fact]) -> None:
        self.facts += facts

    def on_datum(self, datum: Datum) -> None:
        self.data.append(datum)


class Stage:
    """A door with BTCUSDT, its data, and a wall clock that a test moves by `pass_ms`."""

    def __init__(self, data: list[Datum], speed: float = 1.0) -> None:
        self.wall_ms = BEGAN
        front = FrontClock(lambda: self.wall_ms)
        self.exchange = Exchange({each.symbol: each for each in (BTC, COARSE)}, VenueSettings())
        self.exchange.begin(shifted(data[0], BEGAN - data[0].at_ms))
        self.me = self.exchange.open_account("me")
        self.watch = Watch()
        self.door = Door(self.exchange, front, VenueClock(front, BEGAN, speed), audience=self.watch)
        self.playback = Playback(self.door, iter(data), BEGAN - data[0].at_ms)

    def pass_ms(self, ms: int) -> None:
        self.wall_ms += ms
        while self.playback.catch_up():
            pass

    @property
    def last(self) -> str:
        return str(self.exchange.books["BTCUSDT"].last_px)


def points(*at_and_price: tuple[int, int]) -> list[Datum]:
    return [Point("BTCUSDT", at_ms, Decimal(price)) for at_ms, price in at_and_price]


def order(side: str, qty: str, price: int | None = None, **more: object) -> NewOrder:
    kind = OrderType.MARKET if price is None else OrderType.LIMIT
    return NewOrder("BTCUSDT", Side(side), kind, Decimal(qty), "o1", price=price and Decimal(price), **more)  # type: ignore[arg-type]


def test_data_begin_now_and_come_at_their_distance() -> None:
    stage = Stage(points((5_000, 60000), (6_000, 60001), (8_500, 60002)))
    stage.pass_ms(0)
    assert stage.last == "60000"
    stage.pass_ms(999)
    assert stage.last == "60000"
    stage.pass_ms(1)
    assert stage.last == "60001"
    stage.pass_ms(2_499)
    assert stage.last == "60001"
    stage.pass_ms(1)
    assert stage.last == "60002"
    assert [datum.at_ms - BEGAN for datum in stage.watch.data] == [0, 1_000, 3_500]


def test_at_the_speed_of_the_wall_both_clocks_agree() -> None:
    stage = Stage(points((0, 60000), (1_000, 60001)))
    for _ in range(10):
        stage.pass_ms(300)
        assert stage.door.at_ms() == stage.wall_ms


def test_at_a_hundred_times_the_speed_a_hundred_times_as_much_happens() -> None:
    stage = Stage(points(*((at_ms, 60000 + at_ms // 1_000) for at_ms in range(0, 200_000, 1_000))), speed=100.0)
    stage.pass_ms(1_000)
    assert stage.last == "60100"
    assert stage.door.at_ms() == BEGAN + 100_000


def test_after_the_last_datum_its_price_stands_and_time_goes_on() -> None:
    stage = Stage(points((0, 60000), (1_000, 61000)))
    stage.pass_ms(HOUR)
    assert stage.last == "61000"
    assert stage.playback.next_ms is None
    assert stage.door.at_ms() == BEGAN + HOUR


def test_the_clock_does_not_overtake_a_datum_that_is_fed_late() -> None:
    stage = Stage(points((0, 60000), (1_000, 61000), (2_000, 62000)))
    stage.playback.catch_up()
    stage.wall_ms += 1_500
    assert stage.door.at_ms() == BEGAN + 1_000
    stage.exchange.place(stage.me, order("BUY", "0.01", 59000), stage.door.at_ms())
    stage.playback.catch_up()
    assert stage.last == "61000"
    assert stage.door.at_ms() == BEGAN + 1_500


def test_a_long_backlog_lets_requests_have_their_turn() -> None:
    stage = Stage(points(*((at_ms, 60000) for at_ms in range(10_000))))
    stage.wall_ms += 10_000
    assert stage.playback.catch_up()
    assert 0 < stage.playback.fed < 10_000


def test_what_is_due_happens_without_data() -> None:
    stage = Stage(points((0, 60000)))
    stage.pass_ms(0)
    till = BEGAN + 700_000
    request = order("BUY", "0.01", 59000, time_in_force=TimeInForce.GTD, good_till_ms=till)
    stage.exchange.place(stage.me, request, stage.door.at_ms())
    stage.pass_ms(699_999)
    assert not stage.watch.facts or not _ended(stage.watch.facts)
    stage.pass_ms(1)
    (ended,) = _ended(stage.watch.facts)
    assert ended.at_ms == till


def test_funding_is_paid_on_time_without_data() -> None:
    stage = Stage(points((0, 60000)))
    stage.pass_ms(0)
    stage.exchange.place(stage.me, order("BUY", "0.01"), stage.door.at_ms())
    stage.pass_ms(8 * HOUR)
    paid = [fact for fact in stage.watch.facts if isinstance(fact, AccountUpdate) and fact.reason is Reason.FUNDING_FEE]
    assert [fact.at_ms % (8 * HOUR) for fact in paid] == [0]


def test_stepwise_nothing_moves_but_by_a_step() -> None:
    stage = Stage(points((0, 60000), (1_000, 60001), (2_000, 60002)), speed=0.0)
    stage.pass_ms(HOUR)
    assert (stage.playback.fed, stage.door.at_ms()) == (0, BEGAN)
    assert asyncio.run(stage.playback.step_to(BEGAN + 1_500)) == 2
    assert (stage.last, stage.door.at_ms()) == ("60001", BEGAN + 1_500)
    assert asyncio.run(stage.playback.step_data(5)) == 1
    assert (stage.last, stage.door.at_ms()) == ("60002", BEGAN + 2_000)
    assert asyncio.run(stage.playback.step_to(BEGAN + 9 * HOUR)) == 0
    assert stage.door.at_ms() == BEGAN + 9 * HOUR


def test_a_step_goes_through_all_that_is_due_in_order() -> None:
    stage = Stage(points((0, 60000), (20 * HOUR, 50000)), speed=0.0)
    asyncio.run(stage.playback.step_data(1))
    stage.exchange.place(stage.me, order("BUY", "0.01"), stage.door.at_ms())
    stage.door.publish()
    stage.watch.facts.clear()
    asyncio.run(stage.playback.step_to(BEGAN + 20 * HOUR))
    paid = [fact for fact in stage.watch.facts if isinstance(fact, AccountUpdate)]
    times = range(BEGAN - BEGAN % (8 * HOUR) + 8 * HOUR, BEGAN + 20 * HOUR, 8 * HOUR)
    assert [(fact.reason, fact.at_ms) for fact in paid] == [(Reason.FUNDING_FEE, at_ms) for at_ms in times]
    assert stage.last == "50000"


def test_a_symbol_that_is_led_by_hand_does_not_see_its_data() -> None:
    stage = Stage(points((0, 60000), (1_000, 60001), (2_000, 60002)))
    stage.pass_ms(0)
    stage.playback.held.add("BTCUSDT")
    stage.pass_ms(1_000)
    assert (stage.last, stage.playback.fed) == ("60000", 2)
    stage.playback.held.discard("BTCUSDT")
    stage.pass_ms(1_000)
    assert stage.last == "60002"


def test_a_candle_is_moved_with_its_beginning() -> None:
    end = CandleEnd("BTCUSDT", 60_000, 0, *map(Decimal, (1, 2, 1, 2, 5)))
    moved = shifted(end, BEGAN)
    assert isinstance(moved, CandleEnd)
    assert (moved.opened_ms, moved.at_ms) == (BEGAN, BEGAN + 60_000)
    assert shifted(CandleOpen("BTCUSDT", 0, Decimal(1)), 5) == CandleOpen("BTCUSDT", 5, Decimal(1))


def test_played_for_real_it_feeds_all_and_lets_others_run() -> None:
    stage = Stage(points(*((at_ms, 60000 + at_ms) for at_ms in range(1_000))))
    stage.wall_ms += 10_000

    async def play() -> int:
        task = asyncio.create_task(stage.playback.run())
        turns = 0
        while stage.playback.next_ms is not None:
            await asyncio.sleep(0)
            turns += 1
        task.cancel()
        return turns

    assert asyncio.run(play()) >= 5
    assert stage.last == "60999"


def test_a_speed_can_change_on_the_way() -> None:
    stage = Stage(points((0, 60000), (1_000, 60001), (100_000, 60002)))
    stage.pass_ms(1_000)
    stage.door.clock.run_at(99.0)
    stage.pass_ms(1_000)
    assert (stage.last, stage.door.at_ms()) == ("60002", BEGAN + 100_000)
    stage.door.clock.run_at(0.0)
    stage.pass_ms(HOUR)
    assert stage.door.at_ms() == BEGAN + 100_000


@pytest.mark.parametrize(("text", "speed"), [("1x", 1.0), ("100x", 100.0), ("0.5", 0.5), ("step", 0.0)])
def test_a_speed_is_read_and_written(text: str, speed: float) -> None:
    assert read_speed(text) == speed
    assert read_speed(speed_words(speed)) == speed


@pytest.mark.parametrize("text", ["", "fast", "-1x", "0x", "x", "1e3", "1000000x"])
def test_what_is_no_speed_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not one like 1x, 100x or step"):
        read_speed(text)


def _ended(facts: list[Fact]) -> list[OrderUpdate]:
    return [fact for fact in facts if isinstance(fact, OrderUpdate) and fact.order.status is Status.CANCELED]
