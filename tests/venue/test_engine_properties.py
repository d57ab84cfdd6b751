"""What must hold of the matching engine with several accounts, in both modes of position, whatever is asked of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from runner.domain.values import ZERO, OrderType, Side, TimeInForce, WorkingType
from runner.venue.exchange import Exchange
from runner.venue.facts import Fact, OrderUpdate
from runner.venue.market import CandleEnd, CandleOpen, Datum, Mark, Point, Quote, Trade
from runner.venue.refusals import Refusal
from runner.venue.requests import Amendment, NewOrder
from runner.venue.settings import Conflict, Rules, Slippage, VenueSettings
from runner.venue.terms import PositionSide, PriceMatch, SelfTrade
from tests.venue.desk import BTC

KNOWN = {
    -1102, -1106, -1111, -1115, -1117, -1121, -1122, -1130, -2011, -2013, -2019, -2021, -2022, -2025, -2027, -4001,
    -4002, -4003, -4004, -4005, -4013, -4014, -4015, -4016, -4023, -4024, -4045, -4061, -4116, -4117, -4118, -4120,
    -4130, -4131, -4136, -4137, -4164, -4183, -4184, -4509, -5021, -5022, -5025, -5026, -5027, -5029, -5037, -5038,
    -5040, -5041, -5047,
}
NAMES = ("one", "two", "hedger")
prices = st.integers(596_000, 604_000).map(lambda ticks: ticks * BTC.tick_size)
quantities = st.integers(1, 40).map(lambda steps: steps * BTC.step_size)
volumes = st.integers(0, 60).map(lambda steps: steps * BTC.step_size)
ids = st.integers(0, 12).map(lambda number: f"o{number}")


@st.composite
def requests(draw: st.DrawFn, hedge: bool) -> NewOrder:
    """Mostly sound, sometimes not."""
    kind = draw(st.sampled_from(OrderType))
    trailing = kind is OrderType.TRAILING_STOP_MARKET
    closes = kind in (OrderType.STOP_MARKET, OrderType.TAKE_PROFIT_MARKET) and draw(st.integers(0, 3)) == 0
    match = draw(st.sampled_from(PriceMatch)) if kind.limited and draw(st.integers(0, 5)) == 0 else PriceMatch.NONE
    sides = [PositionSide.LONG, PositionSide.SHORT] if hedge else [PositionSide.BOTH]
    if draw(st.integers(0, 30)) == 0:
        sides = list(PositionSide)
    in_force = draw(st.sampled_from(TimeInForce)) if kind.limited else TimeInForce.GTC
    return NewOrder(
        "BTCUSDT", draw(st.sampled_from(Side)), kind, ZERO if closes else draw(quantities), draw(ids),
        draw(st.sampled_from(sides)), draw(prices) if kind.limited and match is PriceMatch.NONE else None, match,
        in_force, 10**9 if in_force is TimeInForce.GTD else 0,
        not closes and not hedge and draw(st.booleans()), closes,
        draw(prices) if kind.conditional and not trailing else None, draw(st.sampled_from(WorkingType)),
        draw(st.booleans()), Decimal(draw(st.integers(1, 8))) / 10 if trailing else None,
        draw(st.none() | prices) if trailing else None, draw(st.sampled_from(SelfTrade)),
    )


@st.composite
def data(draw: st.DrawFn) -> list[Datum]:
    match draw(st.integers(0, 4)):
        case 0:
            return [Trade("BTCUSDT", 0, draw(prices), draw(volumes), draw(st.none() | st.booleans()))]
        case 1:
            bid = draw(prices)
            ask = bid + draw(st.integers(1, 50)) * BTC.tick_size
            return [Quote("BTCUSDT", 0, bid, draw(volumes), ask, draw(volumes))]
        case 2:
            return [Point("BTCUSDT", 0, draw(prices))]
        case 3:
            return [Mark("BTCUSDT", 0, draw(prices))]
        case _:
            low, first, last, high = sorted(draw(st.lists(prices, min_size=4, max_size=4)))
            return [
                CandleOpen("BTCUSDT", 0, first), CandleEnd("BTCUSDT", 0, 0, first, high, low, last, draw(volumes)),
            ]


@dataclass
class World:
    """One exchange and what its facts add up to."""

    venue: Exchange
    now: int = 1
    told: list[Fact] = field(default_factory=list)
    held: dict[tuple[str, PositionSide], Decimal] = field(default_factory=dict)
    filled: dict[int, Decimal] = field(default_factory=dict)

    def do(self, act: Callable[["World"], None]) -> None:
        self.now += 1
        refused = False
        try:
            act(self)
        except Refusal as refusal:
            assert refusal.code in KNOWN, refusal
            assert refusal.message
            refused = True
        facts = self.venue.drain()
        assert not (refused and facts)
        self.told += facts
        self.judge(facts)

    def judge(self, facts: list[Fact]) -> None:
        trades: dict[int, list[OrderUpdate]] = {}
        for fact in facts:
            if not isinstance(fact, OrderUpdate):
                continue
            order, fill, request = fact.order, fact.fill, fact.order.request
            assert order.filled_qty <= request.quantity
            if fill is not None:
                trades.setdefault(fill.trade_id, []).append(fact)
                self.filled[order.order_id] = self.filled.get(order.order_id, ZERO) + fill.qty
                key = (fact.account, fill.position_side)
                before = self.held.get(key, ZERO)
                after = self.held[key] = before + fill.qty * fill.side.sign
                closing = PositionSide.LONG if fill.side is Side.SELL else PositionSide.SHORT
                if request.reduce_only or request.close_position or fill.position_side is closing or order.forced:
                    assert abs(after) < abs(before)
                    assert after * before >= ZERO
                if request.price is not None:
                    better = (request.price - fill.price) * fill.side.sign
                    assert better >= ZERO
                    assert better == ZERO or not fill.maker
            assert order.filled_qty == self.filled.get(order.order_id, ZERO)
        for fact in [fact for pair in trades.values() if len(pair) == 2 for fact in pair]:
            assert fact.fill is not None
            first, second = (each.fill for each in trades[fact.fill.trade_id])
            assert first is not None
            assert second is not None
            assert (first.qty, first.price, first.maker) == (second.qty, second.price, not second.maker)
            assert first.side is second.side.opposite
        for (name, side), qty in self.held.items():
            assert self.venue.accounts[name].holding("BTCUSDT", side).qty == qty


def _placed(name: str, request: NewOrder) -> Callable[[World], None]:
    def act(world: World) -> None:
        account = world.venue.accounts[name]
        if request.order_type.conditional:
            world.venue.place_conditional(account, request, world.now)
        else:
            world.venue.test(account, request, world.now)
            assert world.venue.place(account, request, world.now).request.symbol == "BTCUSDT"
    return act


def _amended(name: str, change: Amendment) -> Callable[[World], None]:
    return lambda world: _none(world.venue.amend(world.venue.accounts[name], change, world.now))


def _cancelled(name: str, client_id: str, conditional: bool) -> Callable[[World], None]:
    def act(world: World) -> None:
        account = world.venue.accounts[name]
        if conditional:
            world.venue.cancel_conditional(account, client_id, world.now)
        else:
            world.venue.cancel(account, "BTCUSDT", client_id, world.now)
    return act


def _seen(datum: Datum) -> Callable[[World], None]:
    def act(world: World) -> None:
        if isinstance(datum, CandleEnd):
            began, world.now = world.now, world.now + 60_000
            world.venue.on_market(datum._replace(at_ms=world.now, opened_ms=began))
        else:
            before = {
                order.order_id: order.request.price for account in world.venue.accounts.values()
                for order in world.venue.open_orders(account)
            }
            world.venue.on_market(datum._replace(at_ms=world.now))
            if isinstance(datum, Trade | Point):
                _only_traded_through(before, datum.price, world.venue.venue.facts)
    return act


def _only_traded_through(before: dict[int, Decimal | None], price: Decimal, facts: list[Fact]) -> None:
    """A resting order is filled by the tape alone where the price went through its limit."""
    fills = [fact.fill for fact in facts if isinstance(fact, OrderUpdate) and fact.fill is not None]
    met = {fill.trade_id for fill in fills if not fill.maker}
    for fill in fills:
        limit = before.get(fill.order_id)
        if fill.maker and limit is not None and fill.trade_id not in met and fill.trade_id - 1 not in met:
            assert (limit - price) * fill.side.sign > ZERO


def _none(_: object) -> None:
    return None


@st.composite
def acts(draw: st.DrawFn) -> list[Callable[[World], None]]:
    made: list[Callable[[World], None]] = []
    for _ in range(draw(st.integers(1, 25))):
        name = draw(st.sampled_from(NAMES))
        match draw(st.integers(0, 9)):
            case 0 | 1 | 2 | 3:
                made.append(_placed(name, draw(requests(name == "hedger"))))
            case 4:
                made.append(_amended(name, Amendment(
                    "BTCUSDT", draw(ids), draw(st.sampled_from(Side)), draw(quantities), draw(prices),
                )))
            case 5:
                made.append(_cancelled(name, draw(ids), draw(st.booleans())))
            case _:
                made += [_seen(datum) for datum in draw(data())]
    return made


def _world(touchy: bool, slippage: Slippage | None, conflict: Conflict) -> World:
    venue = Exchange({"BTCUSDT": BTC}, VenueSettings(
        balance=Decimal(20_000), leverage=20, slippage=slippage, fill_on_touch=touchy, rules=Rules(conflict=conflict),
    ))
    for name in NAMES:
        venue.open_account(name)
    venue.begin(Point("BTCUSDT", 0, Decimal(60000)))
    venue.set_hedge_mode(venue.accounts["hedger"], True, 0)
    venue.drain()
    return World(venue)


@settings(max_examples=200, deadline=None)
@given(acts(), st.none() | st.just(Slippage(2, Decimal(2), Decimal(500))), st.sampled_from(Conflict))
def test_whatever_is_asked_the_engine_keeps_its_rules_and_does_the_same_again(
    asked: list[Callable[[World], None]], slippage: Slippage | None, conflict: Conflict,
) -> None:
    worlds = [_world(False, slippage, conflict) for _ in range(2)]
    for world in worlds:
        for act in asked:
            world.do(act)
    assert worlds[0].told == worlds[1].told
    for account in worlds[0].venue.accounts.values():
        for state in worlds[0].venue.open_orders(account):
            assert not state.status.closed
            assert state.filled_qty < state.request.quantity
