"""Several streams become one feed."""

from decimal import Decimal

import pytest

from runner.errors import EnvironmentFault
from runner.venue.feeds.merging import feed
from runner.venue.market import Point


def points(symbol: str, *times: int) -> list[Point]:
    return [Point(symbol, at, Decimal(1)) for at in times]


def test_the_feed_holds_each_symbols_first_datum_and_all_data_by_time() -> None:
    merged = feed([points("A", 2, 3, 5), points("B", 1, 3)])
    assert merged.firsts == (Point("A", 2, Decimal(1)), Point("B", 1, Decimal(1)))
    assert [(each.symbol, each.at_ms) for each in merged.data] == [("B", 1), ("A", 2), ("A", 3), ("B", 3), ("A", 5)]


def test_a_single_market_is_passed_on() -> None:
    assert list(feed([points("A", 1, 2)]).data) == points("A", 1, 2)


def test_a_market_without_data_is_a_fault() -> None:
    with pytest.raises(EnvironmentFault, match="has no data"):
        feed([points("A", 1), []])
