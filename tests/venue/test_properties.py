"""What must hold on the simulated exchange whatever is asked of it and whatever the market does."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from runner.domain.events import OrderReport, TradeReport
from runner.domain.orders import OrderRequest
from runner.domain.values import ZERO, OrderType, Side, TimeInForce
from runner.venue.exchange import Exchange
from runner.venue.market import CandleEnd, CandleOpen, Datum, Point, Quote, Trade
from runner.venue.settings import VenueSettings
from tests.venue.desk import BTC

TICK = BTC.tick_size
STEP = BTC.step_size
prices = st.integers(590_000, 610_000).map(lambda ticks: ticks * TICK)
quantities = st.integers(1, 50).map(lambda steps: steps * STEP)
volumes = st.integers(0, 80).map(lambda steps: steps * STEP)


@st.composite
def requests(draw: st.DrawFn, number: int) -> OrderRequest:
    kind = draw(st.sampled_from(OrderType))
    trailing = kind is OrderType.TRAILING_STOP_MARKET
    return OrderRequest(
        f"o{number}", "BTCUSDT", draw(st.sampled_from(Side)), kind, draw(quantities),
        draw(prices) if kind.limited else None,
        draw(prices) if kind.conditional and not trailing else None,
        Decimal(draw(st.integers(1, 10))) / 10 if trailing else None,
        draw(st.none() | prices) if trailing else None,
        draw(st.sampled_from(TimeInForce)) if kind.limited else TimeInForce.GTC,
        reduce_only=draw(st.booleans()),
    )


@st.composite
def data(draw: st.DrawFn, now: int) -> list[Datum]:
    """One thing that the market does from `now` on; a candle is its two data, a minute apart."""
    match draw(st.integers(0, 3)):
        case 0:
            return [Trade("BTCUSDT", now, draw(prices), draw(volumes))]
        case 1:
            bid = draw(prices)
            ask = bid + draw(st.integers(1, 20)) * TICK
            return [Quote("BTCUSDT", now, bid, draw(volumes), ask, draw(volumes))]
        case 2:
            return [Point("BTCUSDT", now, draw(prices))]
        case _:
            low, first, last, high = sorted(draw(st.lists(prices, min_size=4, max_size=4)))
            if draw(st.booleans()):
                first, last = last, first
            return [
                CandleOpen("BTCUSDT", now, first),
                CandleEnd("BTCUSDT", now + 60_000, now, first, high, low, last, draw(volumes)),
            ]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_happens_the_books_balance(draw: st.DataObject) -> None:
    start = draw.draw(st.sampled_from([Decimal(500), Decimal(20_000)]))
    venue = Exchange({"BTCUSDT": BTC}, VenueSettings(balance=start, fill_on_touch=draw.draw(st.booleans())))
    venue.begin(Point("BTCUSDT", 0, Decimal(60000)))
    requests_by_id: dict[str, OrderRequest] = {}
    filled: dict[str, Decimal] = {}
    position, expected_wallet, now = ZERO, start, 1
    waiting: list[Datum] = []
    for number in range(draw.draw(st.integers(1, 25))):
        now += 1
        traded: Decimal | None = None
        if waiting and draw.draw(st.booleans()) is True:
            datum = waiting.pop(0)
            now = datum.at_ms
            told = venue.on_market(datum)
            traded = datum.volume if isinstance(datum, CandleEnd) else None
        elif not waiting and draw.draw(st.booleans()):
            datum, *waiting = draw.draw(data(now))
            told = venue.on_market(datum)
            traded = datum.qty if isinstance(datum, Trade) else None
        elif requests_by_id and draw.draw(st.integers(0, 4)) == 0:
            told = venue.cancel("BTCUSDT", draw.draw(st.sampled_from(sorted(requests_by_id))), now)
        else:
            request = draw.draw(requests(number))
            requests_by_id[request.client_order_id] = request
            told = venue.place(request, now)
        made = dict.fromkeys(Side, ZERO)
        for fact in told:
            if isinstance(fact, TradeReport):
                request = requests_by_id[fact.client_order_id]
                before = position
                position += fact.qty * fact.side.sign
                expected_wallet += fact.realized_pnl - fact.fee
                filled[fact.client_order_id] = filled.get(fact.client_order_id, ZERO) + fact.qty
                made[fact.side] += fact.qty if fact.maker else ZERO
                assert fact.fee > ZERO
                assert fact.qty > ZERO
                if request.reduce_only:
                    assert abs(position) < abs(before)
                    assert position * before >= ZERO
                if request.price is not None:
                    better = (request.price - fact.price) * fact.side.sign
                    assert better >= ZERO
                    assert better == ZERO or not fact.maker
            elif isinstance(fact, OrderReport):
                assert fact.filled_qty == filled.get(fact.client_order_id, ZERO)
                assert fact.filled_qty <= requests_by_id[fact.client_order_id].quantity
        if traded is not None:
            assert all(qty <= traded for qty in made.values())
        assert venue.position("BTCUSDT").qty == position
        assert venue.account.wallet == expected_wallet
    for report in venue.open_orders(now):
        assert not report.status.closed
        assert report.filled_qty < requests_by_id[report.client_order_id].quantity
    closing = {side: venue.account.closable("BTCUSDT", side) for side in Side}
    for client_id, order in venue.books["BTCUSDT"].orders.items():
        if order.in_book and order.request.reduce_only:
            assert closing[order.request.side] > ZERO, client_id
