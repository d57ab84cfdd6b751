"""A local book that is kept by Binance's rule equals what REST shows, at every update."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from runner.domain.values import ZERO
from runner.venue.exchange import Exchange
from runner.venue.fapi.ladders import Chain, Difference, Ladder, Ladders
from runner.venue.fapi.tape import Tape
from runner.venue.market import Point, Quote
from runner.venue.settings import VenueSettings
from tests.venue.fapi.told import AT, BTC, d, request


def market(bid: int = 600_000) -> tuple[Exchange, Ladders]:
    """An exchange at a best bid in ticks, and its book."""
    exchange = Exchange({"BTCUSDT": BTC}, VenueSettings())
    exchange.open_account("default")
    exchange.begin(quote(bid, AT))
    return exchange, Ladders(exchange.books, Tape().next_update_id)


def quote(ticks: int, at_ms: int, qty: int = 1) -> Quote:
    bid = d(ticks) * BTC.tick_size
    return Quote("BTCUSDT", at_ms, bid, d(qty), bid + BTC.tick_size, d(qty))


class LocalBook:
    """The rule of Binance's page "How to manage a local order book correctly", literally."""

    def __init__(self) -> None:
        self.buffered: list[Difference] = []
        self.last = 0
        self.bids: dict[Decimal, Decimal] = {}
        self.asks: dict[Decimal, Decimal] = {}

    def snapshot(self, ladder: Ladder) -> None:
        self.last, self.bids, self.asks = 0, dict(ladder.bids), dict(ladder.asks)
        fitting = [each for each in self.buffered if each.last >= ladder.update_id]
        self.buffered = []
        self.awaited = ladder.update_id
        for each in fitting:
            self.hear(each)

    def hear(self, change: Difference) -> None:
        if not self.last:
            if change.last < self.awaited:
                return
            assert change.first <= self.awaited <= change.last
        else:
            assert change.previous == self.last
        self.last = change.last
        for levels, news in ((self.bids, change.bids), (self.asks, change.asks)):
            for price, qty in news:
                if qty == ZERO:
                    levels.pop(price, None)
                else:
                    levels[price] = qty


MOVES = st.lists(
    st.tuples(st.sampled_from(["quote", "order", "read", "event", "event", "other"]), st.integers(-60, 60)), max_size=40
)


@given(MOVES, st.integers(0, 10))
@settings(max_examples=60, deadline=None)
def test_a_local_book_is_exact_whatever_comes_in_between(moves: list[tuple[str, int]], late: int) -> None:
    exchange, ladders = market()
    chain, other, book = ladders.follow("BTCUSDT"), ladders.follow("BTCUSDT"), LocalBook()
    synced = False
    for step, (move, number) in enumerate(moves):
        now = AT + step + 1
        match move:
            case "quote":
                exchange.on_market(quote(600_000 + number, now, 1 + abs(number) % 3))
            case "order":
                limit = d(600_000 - abs(number) - 100) * BTC.tick_size
                asked = request("LIMIT", qty="0.01", price=limit, client_order_id=f"o{step}")
                exchange.place(exchange.accounts["default"], asked, now)
            case "read":
                ladders.read("BTCUSDT")
            case "other":
                ladders.difference(other)
            case _:
                change = ladders.difference(chain)
                if change is not None and synced:
                    book.hear(change)
                elif change is not None:
                    book.buffered.append(change)
        if step == late:
            book.snapshot(ladders.read("BTCUSDT"))
            synced = True
    if synced:
        last = ladders.difference(chain)
        if last is not None:
            book.hear(last)
        shown = ladders.read("BTCUSDT")
        assert (book.bids, book.asks) == (dict(shown.bids), dict(shown.asks))


def test_every_look_at_the_book_has_a_number_of_its_own() -> None:
    _, ladders = market()
    assert [ladders.read("BTCUSDT").update_id for _ in range(3)] == [1, 2, 3]


def test_nothing_is_told_where_nothing_has_changed() -> None:
    _, ladders = market()
    chain = ladders.follow("BTCUSDT")
    assert ladders.difference(chain) is None


def test_a_price_that_was_seen_in_between_is_taken_back() -> None:
    exchange, ladders = market()
    chain = ladders.follow("BTCUSDT")
    exchange.on_market(quote(600_005, AT + 1))
    seen = ladders.read("BTCUSDT")
    exchange.on_market(quote(600_000, AT + 2))
    change = ladders.difference(chain)
    assert change is not None
    assert change.first <= seen.update_id <= change.last
    assert (seen.bids[0][0], ZERO) in change.bids


def test_a_chain_that_is_left_gathers_nothing() -> None:
    exchange, ladders = market()
    chain: Chain = ladders.follow("BTCUSDT")
    ladders.leave(chain)
    exchange.on_market(quote(600_005, AT + 1))
    ladders.read("BTCUSDT")
    assert not chain.bids and not chain.asks


def test_a_book_without_bound_shows_the_most_that_a_market_order_may_take() -> None:
    exchange = Exchange({"BTCUSDT": BTC}, VenueSettings())
    exchange.begin(Point("BTCUSDT", AT, d(60000)))
    shown = Ladders(exchange.books, Tape().next_update_id).read("BTCUSDT")
    assert shown.bids == shown.asks == [(d(60000), d(120))]
