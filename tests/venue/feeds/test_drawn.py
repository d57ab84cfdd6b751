"""Drawn paths and invented markets."""

import hashlib
from decimal import Decimal
from statistics import stdev

import pytest

from runner.venue.feeds.drawn import path_market, random_market
from runner.venue.market import Point
from tests.venue.desk import BTC, COARSE

D = Decimal


def test_a_path_is_drawn_once_a_second_and_meets_its_points() -> None:
    data = list(path_market(BTC, [(0, D(60000)), (2000, D(60001)), (3500, D("60000.1"))], 1000))
    assert [(each.at_ms, each.price) for each in data] == [
        (1000, D(60000)), (2000, D("60000.5")), (3000, D(60001)), (4000, D("60000.4")), (4500, D("60000.1")),
    ]


def test_prices_of_a_path_lie_on_the_nearest_tick() -> None:
    data = list(path_market(COARSE, [(0, D(10)), (3000, D("10.1"))], 0))
    assert [each.price for each in data] == [D("10.00"), D("10.05"), D("10.05"), D("10.10")]


def test_a_path_may_jump_and_may_be_a_single_point() -> None:
    assert [each.price for each in path_market(BTC, [(0, D(1000)), (0, D(2000)), (1000, D(2000))], 0)] == [2000, 2000]
    assert list(path_market(BTC, [(5000, D(1000))], 1)) == [Point("BTCUSDT", 5001, D(1000))]


def test_an_invented_market_lasts_its_hours_in_steps_of_a_second_on_the_tick() -> None:
    data = list(random_market(BTC, D(60000), D("0.6"), 2, 1, 5000))
    assert len(data) == 7201
    assert data[0] == Point("BTCUSDT", 5000, D(60000))
    assert {later.at_ms - earlier.at_ms for earlier, later in zip(data, data[1:])} == {1000}
    assert all(BTC.on_tick(each.price) for each in data)


def test_a_seed_gives_the_same_bytes_everywhere() -> None:
    def digest(seed: int) -> str:
        text = ",".join(str(each.price) for each in random_market(BTC, D(60000), D("0.6"), 1, seed, 0))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    assert digest(1) == "697f3d0f47770602"
    assert digest(1) != digest(2)


@pytest.mark.parametrize("volatility", ["0.3", "0.6", "1.2"])
def test_its_spread_is_the_volatility_asked_for(volatility: str) -> None:
    data = [float(each.price) for each in random_market(BTC, D(1_000_000), D(volatility), 24, 7, 0)]
    yearly = stdev(later / earlier - 1 for earlier, later in zip(data, data[1:])) * (365 * 86400) ** 0.5
    assert yearly == pytest.approx(float(volatility), rel=0.03)


def test_a_price_never_falls_below_one_tick() -> None:
    assert {each.price for each in random_market(BTC, D("0.1"), D("0.6"), 1, 3, 0)} == {D("0.10")}


def test_a_day_has_a_price_each_second() -> None:
    assert sum(1 for _ in random_market(BTC, D(60000), D("0.6"), 24, 1, 0)) == 86_401
