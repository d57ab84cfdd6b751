"""What must hold on the simulated exchange whatever is asked of it and whatever the market does."""

from contextlib import suppress
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from runner.domain.values import ZERO, OrderType, Side, TimeInForce
from runner.venue.exchange import Exchange
from runner.venue.facts import AccountUpdate, OrderUpdate
from runner.venue.market import CandleEnd, CandleOpen, Datum, Point, Quote, Trade
from runner.venue.refusals import Refusal
from runner.venue.requests import NewOrder
from runner.venue.settings import VenueSettings
from runner.venue.terms import PositionSide, Reason
from tests.venue.desk import BTC

TICK = BTC.tick_size
STEP = BTC.step_size
prices = st.integers(590_000, 610_000).map(lambda ticks: ticks * TICK)
quantities = st.integers(1, 50).map(lambda steps: steps * STEP)
volumes = st.integers(0, 80).map(lambda steps: steps * STEP)


@st.composite
def requests(draw: st.DrawFn, number: int) -> NewOrder:
    kind = draw(st.sampled_from(OrderType))
    trailing = kind is OrderType.TRAILING_STOP_MARKET
    return NewOrder(
        "BTCUSDT", draw(st.sampled_from(Side)), kind, draw(quantities), f"o{number}",
        price=draw(prices) if kind.limited else None,
        trigger_price=draw(prices) if kind.conditional and not trailing else None,
        callback_rate=Decimal(draw(st.integers(1, 10))) / 10 if trailing else None,
        activation_price=draw(st.none() | prices) if trailing else None,
        time_in_force=draw(st.sampled_from(TimeInForce)) if kind.limited else TimeInForce.GTC,
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
    account = venue.open_account("me")
    venue.begin(Point("BTCUSDT", 0, Decimal(60000)))
    asked: dict[str, NewOrder] = {}
    filled: dict[int, Decimal] = {}
    position, now = ZERO, 1
    wallet = start
    waiting: list[Datum] = []
    for number in range(draw.draw(st.integers(1, 25))):
        now += 1
        traded: Decimal | None = None
        with suppress(Refusal):
            if waiting and draw.draw(st.booleans()) is True:
                datum = waiting.pop(0)
                now = datum.at_ms
                venue.on_market(datum)
                traded = datum.volume if isinstance(datum, CandleEnd) else None
            elif not waiting and draw.draw(st.booleans()):
                datum, *waiting = draw.draw(data(now))
                venue.on_market(datum)
                traded = datum.qty if isinstance(datum, Trade) else None
            elif asked and draw.draw(st.integers(0, 4)) == 0:
                venue.cancel(account, "BTCUSDT", draw.draw(st.sampled_from(sorted(asked))), now)
            else:
                request = draw.draw(requests(number))
                asked[request.client_order_id] = request
                place = venue.place_conditional if request.order_type.conditional else venue.place
                place(account, request, now)
        made = dict.fromkeys(Side, ZERO)
        for fact in venue.drain():
            if isinstance(fact, AccountUpdate) and fact.reason is Reason.INSURANCE_CLEAR:
                wallet += fact.balances[0].change
            if not isinstance(fact, OrderUpdate):
                continue
            order, fill = fact.order, fact.fill
            assert order.filled_qty <= order.request.quantity
            if fill is not None:
                before = position
                position += fill.qty * fill.side.sign
                wallet += fill.realized - fill.fee
                filled[order.order_id] = filled.get(order.order_id, ZERO) + fill.qty
                made[fill.side] += fill.qty if fill.maker else ZERO
                assert fill.fee > ZERO
                assert fill.qty > ZERO
                if order.request.reduce_only:
                    assert abs(position) < abs(before)
                    assert position * before >= ZERO
                if order.request.price is not None:
                    better = (order.request.price - fill.price) * fill.side.sign
                    assert better >= ZERO
                    assert better == ZERO or not fill.maker
            assert order.filled_qty == filled.get(order.order_id, ZERO)
        if traded is not None:
            assert all(qty <= traded for qty in made.values())
        assert account.holding("BTCUSDT").qty == position
        assert account.wallet() == wallet
    for state in venue.open_orders(account):
        assert not state.status.closed
        assert state.filled_qty < state.request.quantity
        if state.request.reduce_only:
            assert account.closable("BTCUSDT", PositionSide.BOTH, state.request.side) > ZERO
