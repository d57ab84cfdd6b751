"""Watches are judged on fresh prices alone, and on the present after a gap."""

from decimal import Decimal

import pytest

from runner.domain.commands import Crossing, UnwatchPrice, WatchPrice
from runner.domain.conditions import PriceSource
from runner.domain.events import Event, MarketGap, PriceTouched
from runner.gateways.binance.prices import LivePrices, Quote

D = Decimal
S = "BTCUSDT"
STALE_MS = 5_000


class Market:
    """Prices whose clock stands at `now_ms`, and what they tell."""

    def __init__(self) -> None:
        self.now_ms = 1_000
        self.told: list[Event] = []
        self.prices = LivePrices([S, "ETHUSDT"], STALE_MS, lambda: self.now_ms, self.told.append)

    def heard(self) -> list[str]:
        """What was told since it was last asked."""
        words = [event.watch_id if isinstance(event, PriceTouched) else type(event).__name__ for event in self.told]
        self.told.clear()
        return words

    def watch(self, watch_id: str, crossing: Crossing, price: str, source: PriceSource = PriceSource.LAST) -> None:
        self.prices.watch(WatchPrice(watch_id, S, source, crossing, D(price)))


@pytest.fixture
def market() -> Market:
    """At 60,000, all of it fresh."""
    market = Market()
    market.prices.mark(S, D(60000))
    market.prices.last(S, D(60000))
    return market


def test_a_watch_fires_at_once_where_the_price_stands_so_and_else_when_it_comes_there(market: Market) -> None:
    market.watch("now", Crossing.GE, "60000")
    market.watch("up", Crossing.GT, "60010")
    market.watch("mark", Crossing.GT, "60010", PriceSource.MARK)
    assert market.heard() == ["now"]
    market.prices.last(S, D(60010))
    assert market.heard() == []
    market.prices.last(S, D(60011))
    assert market.heard() == ["up"]
    market.prices.mark(S, D(60011))
    market.prices.mark(S, D(60012))
    assert market.heard() == ["mark"]


def test_a_watch_that_was_set_before_there_are_prices_waits_for_both(market: Market) -> None:
    market = Market()
    market.watch("now", Crossing.GE, "60000")
    market.prices.last(S, D(60000))
    assert market.heard() == []
    market.prices.mark(S, D(60000))
    assert market.heard() == ["now"], "and there is no gap: nothing was judged before"


def test_a_watch_that_was_taken_back_never_fires(market: Market) -> None:
    market.watch("up", Crossing.GT, "60010")
    market.prices.watch(UnwatchPrice("up"))
    market.prices.market_lost()
    market.watch("later", Crossing.GT, "60010")
    market.prices.watch(UnwatchPrice("later"))
    market.prices.mark(S, D(60020))
    market.prices.last(S, D(60020))
    assert market.heard() == ["MarketGap"]


def test_the_same_id_replaces_a_watch_also_across_a_gap(market: Market) -> None:
    market.watch("up", Crossing.GT, "60010")
    market.prices.market_lost()
    market.watch("up", Crossing.GT, "60030")
    market.prices.mark(S, D(60020))
    market.prices.last(S, D(60020))
    assert market.heard() == ["MarketGap", "MarketGap"]
    market.prices.last(S, D(60031))
    assert market.heard() == ["up"]


def test_after_a_loss_there_is_a_gap_and_then_everything_is_judged_on_the_present(market: Market) -> None:
    market.watch("up", Crossing.GT, "60010")
    market.watch("down", Crossing.LT, "59990")
    market.prices.market_lost()
    market.prices.market_lost()
    market.prices.mark(S, D(60020))
    assert market.heard() == ["MarketGap"] and market.prices.quote(S) is None
    market.prices.last(S, D(60020))
    assert market.heard() == ["MarketGap", "up"]
    market.prices.last(S, D(60020))
    assert market.heard() == []


def test_nothing_is_judged_while_the_mark_is_old(market: Market) -> None:
    market.watch("up", Crossing.GT, "60010")
    market.now_ms += STALE_MS
    market.prices.last(S, D(60005))
    market.now_ms += 1
    market.prices.last(S, D(60020))
    assert market.heard() == ["MarketGap"] and market.prices.mark_of(S) is None
    market.watch("also", Crossing.GT, "60010")
    assert market.heard() == []
    market.prices.mark(S, D(60015))
    assert market.heard() == ["MarketGap", "up", "also"]


def test_while_watched_prices_are_missing_that_is_told_again_and_again(market: Market) -> None:
    """Else a condition that is to hold for a time would be fulfilled by prices that nobody sees."""
    market.watch("down", Crossing.LE, "59000")
    market.prices.market_lost()
    assert market.heard() == ["MarketGap"]
    for _ in range(3):
        market.now_ms += STALE_MS // 4 - 1
        market.prices.check(S)
        assert market.heard() == []
        market.now_ms += 1
        market.prices.check(S)
        assert market.heard() == ["MarketGap"]
    market.prices.watch(UnwatchPrice("down"))
    market.now_ms += STALE_MS
    market.prices.check(S)
    assert market.heard() == []


def test_prices_that_are_awaited_since_a_start_are_missing_too() -> None:
    market = Market()
    market.watch("down", Crossing.LE, "59000")
    market.prices.check(S)
    assert market.heard() == []
    market.now_ms += STALE_MS // 4
    market.prices.check(S)
    assert market.heard() == ["MarketGap"]


def test_a_read_price_counts_only_where_no_trade_was_heard(market: Market) -> None:
    market.prices.last(S, D(1), seed=True)
    market.prices.mark(S, D(1), seed=True)
    market.prices.best(S, D(59999), D(60001))
    market.prices.best(S, D(1), D(2), seed=True)
    assert market.prices.quote(S) == Quote(D(60000), D(60000), D(59999), D(60001))
    market.prices.market_lost()
    market.prices.book_lost()
    market.prices.last(S, D(3), seed=True)
    market.prices.best(S, D(1), D(2), seed=True)
    market.prices.mark(S, D(4), seed=True)
    assert market.prices.quote(S) == Quote(D(3), D(4), D(1), D(2))


def test_a_quote_is_whole_and_fresh_or_there_is_none(market: Market) -> None:
    assert market.prices.quote(S) is None, "no best prices yet"
    market.prices.best(S, D(59999), D(60001))
    assert market.prices.quote(S) is not None
    market.now_ms += STALE_MS + 1
    assert market.prices.quote(S) is None
    assert market.prices.quote("ETHUSDT") is None and market.prices.quote("XRPUSDT") is None


def test_each_symbol_has_its_own_gap(market: Market) -> None:
    market.prices.mark("ETHUSDT", D(3000))
    market.prices.last("ETHUSDT", D(3000))
    market.now_ms += STALE_MS + 1
    market.prices.mark(S, D(60000))
    assert [(event.symbol) for event in market.told if isinstance(event, MarketGap)] == [S]
    market.prices.mark("XRPUSDT", D(1))
    market.prices.last("XRPUSDT", D(1))
    market.prices.best("XRPUSDT", D(1), D(2))
    assert market.prices.mark_of("XRPUSDT") is None


def test_best_prices_that_trades_have_left_behind_are_no_prices(market: Market) -> None:
    market.prices.best(S, D(59999), D(60001))
    market.prices.last(S, D(60002))
    assert market.prices.quote(S) is not None and not market.prices.astray(S)
    for _ in range(6):
        market.now_ms += 1_000
        market.prices.mark(S, D(60000))
        market.prices.last(S, D(60000))
    assert market.prices.astray(S) and market.prices.quote(S) is None
    market.prices.best(S, D(60000), D(60001))
    assert not market.prices.astray(S) and market.prices.quote(S) is not None
    market.prices.last(S, D(60002))
    market.prices.book_lost()
    market.now_ms += STALE_MS + 1
    assert not market.prices.astray(S)
