"""A book's shortcut: prices that touch no order are passed over, and nothing else is."""

from contextlib import suppress
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from runner.domain.values import OrderType, Side
from runner.venue.book import Book
from runner.venue.contracts import shipped_contract
from runner.venue.exchange import Exchange
from runner.venue.facts import Fact
from runner.venue.market import CandleEnd, CandleOpen, Datum, Point
from runner.venue.refusals import Refusal
from runner.venue.requests import NewOrder
from runner.venue.settings import VenueSettings
from tests.venue.desk import BTC, Desk, d

prices = st.integers(590_000, 610_000).map(lambda ticks: ticks * BTC.tick_size)


def test_a_book_is_quiet_between_its_levels_and_not_at_them() -> None:
    desk = Desk(60000)
    book = desk.exchange.books["BTCUSDT"]
    assert book.quiet(d(1), d(10**6))
    desk.order("BUY", "LIMIT", "0.01", 59000)
    desk.order("BUY", "STOP_MARKET", "0.01", stop=61000, id="stop")
    assert book.quiet(d("59000.1"), d("60999.9"))
    assert not book.quiet(d(59000), d(60000))
    assert not book.quiet(d(60000), d(61000))
    desk.cancel("stop")
    assert book.quiet(d(60000), d(62000))


def test_a_trailing_stop_wakes_the_book_at_its_level_and_at_a_new_extreme() -> None:
    desk = Desk(60000)
    book = desk.exchange.books["BTCUSDT"]
    desk.order("SELL", "TRAILING_STOP_MARKET", "0.01", callback_rate=d(1))
    assert book.quiet(d("59400.1"), d("59999.9"))
    assert not book.quiet(d(59400), d(59999))
    assert not book.quiet(d(59999), d(60000))
    desk.point(61000)
    assert book.quiet(d("60390.1"), d("60999.9"))
    assert not book.quiet(d(60390), d(60500))


def test_a_sleeping_trailing_stop_wakes_the_book_at_its_activation() -> None:
    desk = Desk(60000)
    book = desk.exchange.books["BTCUSDT"]
    desk.order("BUY", "TRAILING_STOP_MARKET", "0.01", callback_rate=d(1), activation_price=d(59000))
    assert book.quiet(d("59000.1"), d(90000))
    assert not book.quiet(d(59000), d(60000))


@st.composite
def _orders(draw: st.DrawFn) -> list[tuple[int, NewOrder]]:
    """Requests, each with the number of the datum before which it comes."""
    asked = []
    for number in range(draw(st.integers(1, 6))):
        kind = draw(st.sampled_from(OrderType))
        trailing = kind is OrderType.TRAILING_STOP_MARKET
        request = NewOrder(
            "BTCUSDT", draw(st.sampled_from(Side)), kind, Decimal("0.01"), f"o{number}",
            price=draw(prices) if kind.limited else None,
            trigger_price=draw(prices) if kind.conditional and not trailing else None,
            callback_rate=Decimal("0.5") if trailing else None,
            activation_price=draw(st.none() | prices) if trailing else None, reduce_only=draw(st.booleans()),
        )
        asked.append((draw(st.integers(0, 8)), request))
    return asked


@st.composite
def _market(draw: st.DrawFn) -> list[Datum]:
    data: list[Datum] = []
    for minute in range(draw(st.integers(2, 8))):
        low, first, last, high = sorted(draw(st.lists(prices, min_size=4, max_size=4)))
        data.append(CandleOpen("BTCUSDT", minute * 60_000, first))
        data.append(CandleEnd("BTCUSDT", minute * 60_000 + 60_000, minute * 60_000, first, high, low, last, Decimal(5)))
    return data


class _Restless(Book):
    """A book that never passes a price over."""

    def quiet(self, low: Decimal, high: Decimal) -> bool:
        return False


@settings(max_examples=100, deadline=None)
@given(_orders(), _market())
def test_passing_over_quiet_prices_changes_nothing(asked: list[tuple[int, NewOrder]], market: list[Datum]) -> None:
    def run(kind: type[Book]) -> list[Fact]:
        venue = Exchange({"BTCUSDT": BTC}, VenueSettings())
        venue.books["BTCUSDT"] = kind(BTC, shipped_contract("BTCUSDT"))
        account = venue.open_account("me")
        venue.begin(Point("BTCUSDT", 0, Decimal(60000)))
        told: list[Fact] = []
        for number, datum in enumerate(market):
            for at, request in asked:
                if at == number:
                    place = venue.place_conditional if request.order_type.conditional else venue.place
                    with suppress(Refusal):
                        place(account, request, datum.at_ms - 1)
            venue.on_market(datum)
            told += venue.drain()
        return told

    assert run(Book) == run(_Restless)
