"""No money is made from nothing, whatever is asked of the exchange and whatever its markets do.

Three accounts in all modes trade two symbols of one margin asset and one of another, through gaps, funding and
liquidations.  After each step all of the books are compared with what the facts said, to the last digit.
"""

from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from runner.domain.values import EXACT, ZERO, OrderType, Rounding, Side, TimeInForce
from runner.venue import margin
from runner.venue.account import Account
from runner.venue.exchange import Exchange
from runner.venue.facts import AccountUpdate, Fact, Fill, OrderUpdate
from runner.venue.holdings import summed
from runner.venue.market import CandleEnd, CandleOpen, Mark, Point, Quote, Trade
from runner.venue.refusals import Refusal
from runner.venue.requests import NewOrder
from runner.venue.settings import Slippage, VenueSettings
from runner.venue.terms import IncomeType, MarginType, PositionSide, Reason
from tests.venue.desk import BTC, d
from tests.venue.ledger import ALT, PLAIN, USDC

SYMBOLS = {each.symbol: each for each in (BTC, ALT, USDC)}
HOUR = 3_600_000
OWN = (Reason.FUNDING_FEE, Reason.INSURANCE_CLEAR, Reason.DEPOSIT, Reason.WITHDRAW)
quantities = st.integers(1, 120).map(lambda steps: steps * BTC.step_size)
names = st.sampled_from(("ann", "bob", "cyd"))
symbols = st.sampled_from(sorted(SYMBOLS))


@dataclass
class Books:
    """What the facts say of each account, kept apart from the exchange's own reckoning."""

    wallets: defaultdict[tuple[str, str], Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))
    positions: defaultdict[tuple[str, str, PositionSide], Decimal] = field(
        default_factory=lambda: defaultdict(lambda: ZERO),
    )
    cash: defaultdict[tuple[str, str, PositionSide], Decimal] = field(
        default_factory=lambda: defaultdict(lambda: ZERO),
    )
    realized: defaultdict[tuple[str, str, PositionSide], Decimal] = field(
        default_factory=lambda: defaultdict(lambda: ZERO),
    )
    closings: int = 0
    insured: Decimal = ZERO

    def read(self, facts: list[Fact]) -> None:
        for fact in facts:
            if isinstance(fact, OrderUpdate) and fact.fill is not None:
                self.filled(fact.account, fact.fill)
            elif isinstance(fact, AccountUpdate) and fact.reason in OWN:
                balance, = fact.balances
                self.wallets[fact.account, balance.asset] += balance.change
                if fact.reason is Reason.INSURANCE_CLEAR:
                    self.insured -= balance.change
            if isinstance(fact, AccountUpdate):
                for balance in fact.balances:
                    assert balance.wallet == self.wallets[fact.account, balance.asset]

    def filled(self, account: str, fill: Fill) -> None:
        key = (account, fill.symbol, fill.position_side)
        self.wallets[account, fill.fee_asset] += fill.realized - fill.fee
        self.positions[key] += fill.qty * fill.side.sign
        self.cash[key] -= fill.qty * fill.side.sign * fill.price
        self.realized[key] += fill.realized
        self.closings += fill.realized != ZERO
        assert fill.fee >= ZERO


class World:
    """The exchange under test; a step is a request or a datum."""

    def __init__(self, draw: st.DataObject) -> None:
        self.draw = draw
        self.exchange = Exchange(SYMBOLS, VenueSettings(
            leverage=10, funding_rate=draw.draw(st.sampled_from([None, d("0.003"), d("-0.003")])),
            contracts=dict.fromkeys(SYMBOLS, PLAIN), keep_closed=1000,
            slippage=draw.draw(st.sampled_from([None, Slippage(2, d(50), d(3000))])),
        ))
        self.books = Books()
        self.now = 1
        self.count = 0
        self.prices = dict.fromkeys(SYMBOLS, d(60000))
        for name in ("ann", "bob", "cyd"):
            balance = draw.draw(st.sampled_from([d(150), d(700), d(5000)]))
            account = self.exchange.open_account(name, balance)
            for asset in ("USDT", "USDC"):
                self.books.wallets[name, asset] = balance
            account.hedge = draw.draw(st.booleans())
            for symbol in SYMBOLS:
                config = account.config(symbol)
                config.margin_type = draw.draw(st.sampled_from(MarginType))
                config.leverage = draw.draw(st.sampled_from([1, 7, 20]))
        for symbol, price in self.prices.items():
            self.exchange.begin(Point(symbol, 1, price))

    def step(self) -> None:
        self.now += 1
        actions: list[Callable[[], None]] = [self.order] * 6 + [self.market] * 5 + [
            self.cancel, self.wait, self.transfer, self.move, self.lever,
        ]
        with suppress(Refusal):
            self.draw.draw(st.sampled_from(actions))()
        self.books.read(self.exchange.drain())

    def account(self) -> Account:
        return self.exchange.accounts[self.draw.draw(names)]

    def near(self, symbol: str, percent: int = 4) -> Decimal:
        """A price on the tick around the last one."""
        moved = self.prices[symbol] * (1000 + self.draw.draw(st.integers(-percent * 10, percent * 10))) / 1000
        return BTC.round_price(moved, Rounding.DOWN)

    def side(self, account: Account) -> PositionSide:
        sides = (PositionSide.LONG, PositionSide.SHORT) if account.hedge else (PositionSide.BOTH,)
        return self.draw.draw(st.sampled_from(sides))

    def order(self) -> None:
        account, symbol = self.account(), self.draw.draw(symbols)
        position_side = self.side(account)
        kind = self.draw.draw(st.sampled_from([
            OrderType.MARKET, OrderType.MARKET, OrderType.LIMIT, OrderType.LIMIT, OrderType.STOP_MARKET,
            OrderType.TAKE_PROFIT,
        ]))
        self.count += 1
        request = NewOrder(
            symbol, self.draw.draw(st.sampled_from(Side)), kind, self.draw.draw(quantities), f"o{self.count}",
            position_side, price=self.near(symbol) if kind.limited else None,
            trigger_price=self.near(symbol) if kind.conditional else None,
            time_in_force=self.draw.draw(st.sampled_from([TimeInForce.GTC, TimeInForce.IOC])),
            reduce_only=not account.hedge and self.draw.draw(st.integers(0, 3)) == 0,
        )
        if kind.conditional:
            self.exchange.place_conditional(account, request, self.now)
            return
        self.exchange.advance(self.now)
        before = margin.available(account, SYMBOLS[symbol].quote_asset, self.exchange.venue)
        state = self.exchange.place(account, request, self.now)
        after = margin.available(account, SYMBOLS[symbol].quote_asset, self.exchange.venue)
        if not state.status.closed and not state.filled_qty:
            assert after >= before or (after >= ZERO and not request.reduce_only)

    def market(self) -> None:
        symbol, now = self.draw.draw(symbols), self.now
        price = self.near(symbol, self.draw.draw(st.sampled_from([1, 5, 25])))
        self.prices[symbol] = price
        match self.draw.draw(st.integers(0, 4)):
            case 0:
                self.exchange.on_market(Trade(symbol, now, price, self.draw.draw(quantities)))
            case 1:
                depth = self.draw.draw(quantities)
                self.exchange.on_market(Quote(symbol, now, price, depth, price + 3 * BTC.tick_size, depth))
            case 2:
                self.exchange.on_market(Mark(symbol, now, price))
            case 3:
                low, high = sorted((price, self.near(symbol, 10)))
                self.exchange.on_market(CandleOpen(symbol, now, low))
                self.now += 60_000
                candle = CandleEnd(symbol, self.now, now, low, high, low, price, self.draw.draw(quantities))
                self.exchange.on_market(candle)
            case _:
                self.exchange.on_market(Point(symbol, now, price))

    def cancel(self) -> None:
        account, symbol = self.account(), self.draw.draw(symbols)
        self.exchange.cancel_all(account, symbol, self.now)

    def wait(self) -> None:
        self.now += 8 * HOUR
        self.exchange.advance(self.now)

    def transfer(self) -> None:
        amount = d(self.draw.draw(st.integers(-500, 100)))
        asset = self.draw.draw(st.sampled_from(("USDT", "USDC")))
        self.exchange.transfer(self.account(), amount, self.now, asset)

    def move(self) -> None:
        account, symbol = self.account(), self.draw.draw(symbols)
        amount = d(self.draw.draw(st.integers(-200, 200)))
        self.exchange.move_margin(account, symbol, self.side(account), amount, self.now)

    def lever(self) -> None:
        leverage = self.draw.draw(st.sampled_from([1, 2, 5, 10, 20]))
        self.exchange.set_leverage(self.account(), self.draw.draw(symbols), leverage, self.now)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_the_books_add_up_after_every_step(draw: st.DataObject) -> None:
    world = World(draw)
    for _ in range(draw.draw(st.integers(5, 40))):
        world.step()
        for account in world.exchange.accounts.values():
            the_wallet_is_its_income_and_its_facts(world, account)
            profits_are_cash(world, account)
            nobody_lives_on_what_is_not_there(world, account)
        assert world.exchange.insurance == world.books.insured


def the_wallet_is_its_income_and_its_facts(world: World, account: Account) -> None:
    rows = account.history.income(world.now, limit=10_000)
    for asset in ("USDT", "USDC"):
        assert account.wallet(asset) == summed(row.amount for row in rows if row.asset == asset)
        assert account.wallet(asset) == world.books.wallets[account.name, asset]
    insured = [row.amount for row in rows if row.kind is IncomeType.INSURANCE_CLEAR]
    assert not insured or ZERO not in insured


def profits_are_cash(world: World, account: Account) -> None:
    """What was realised is what came in for what was sold and bought, up to the rounding against the account."""
    for held in account.holdings.values():
        key = (account.name, held.symbol, held.side)
        assert held.qty == world.books.positions[key]
        assert held.realized == world.books.realized[key]
        worth = EXACT.multiply(held.qty, held.entry_px)
        lost = EXACT.subtract(EXACT.add(world.books.cash[key], worth), held.realized)
        assert Decimal("-1e-80") < lost <= (world.books.closings + 1) * Decimal("0.00000001")
        if held.side is PositionSide.LONG:
            assert held.qty >= ZERO
        elif held.side is PositionSide.SHORT:
            assert held.qty <= ZERO


def nobody_lives_on_what_is_not_there(world: World, account: Account) -> None:
    """All that is held at the present marks is sound, and where nothing is held no wallet is below zero."""
    venue = world.exchange.venue
    for held in account.held():
        assert held.isolated_wallet >= ZERO
        if account.config(held.symbol).isolated:
            balance = held.isolated_wallet + held.unrealized(venue.mark(held.symbol))
            assert balance > margin.maintenance(held, venue)
        else:
            assert held.isolated_wallet == ZERO
    for asset in ("USDT", "USDC"):
        crossed = margin.crossed(account, asset)
        if crossed:
            maintained = summed(margin.maintenance(held, venue) for held in crossed)
            assert margin.margin_balance(account, asset, venue) > maintained
        else:
            assert account.cross_wallet(asset) >= ZERO


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(("BTCUSDT", "ALTUSDT")), st.integers(-300, 300)), min_size=1, max_size=60),
    st.sampled_from([(15, 0), (15, 10), (-15, 5), (10, -12)]), st.integers(700, 3000),
)
def test_the_safe_bands_miss_nothing(
    moves: list[tuple[str, int]], sizes: tuple[int, int], balance: int,
) -> None:
    """A liquidator with bands acts at the same prices as one that looks at everything each time."""

    def world() -> Exchange:
        made = Exchange({"BTCUSDT": BTC, "ALTUSDT": ALT}, VenueSettings(
            leverage=20, maker_fee=ZERO, taker_fee=ZERO, contracts=dict.fromkeys(SYMBOLS, PLAIN),
        ))
        account = made.open_account("ann", d(balance))
        for symbol, size in zip(("BTCUSDT", "ALTUSDT"), sizes):
            made.begin(Point(symbol, 1, d(60000)))
            account.endow(SYMBOLS[symbol], PositionSide.BOTH, d(size) / 100, d(60000), 1)
            made.venue.liquidator.changed(account)
        return made

    banded, watched = world(), world()
    prices = {"BTCUSDT": d(60000), "ALTUSDT": d(60000)}
    for now, (symbol, move) in enumerate(moves, 2):
        prices[symbol] += move * BTC.tick_size * 20
        for made in (banded, watched):
            if made is watched:
                made.venue.liquidator.changed(made.accounts["ann"])
            made.on_market(Point(symbol, now, prices[symbol]))
        assert repr(banded.drain()) == repr(watched.drain())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(names, names, st.sampled_from(Side), quantities, st.integers(-30, 30)), max_size=30))
def test_what_users_win_of_each_other_others_lose(
    meetings: list[tuple[str, str, Side, Decimal, int]],
) -> None:
    """Where nobody but users trades, all wallets and open profits together are the start less fees and rounding."""
    made = Exchange({"BTCUSDT": BTC}, VenueSettings(balance=d(1_000_000), leverage=10))
    for name in ("ann", "bob", "cyd"):
        made.open_account(name)
    # A quote so wide that users meet each other inside of it.
    made.begin(Quote("BTCUSDT", 1, d(58000), d(1000), d(62000), d(1000)))
    paid, closings = ZERO, 0
    for now, (maker, taker, side, qty, ticks) in enumerate(meetings, 2):
        price = d(60000) + ticks * BTC.tick_size
        for name, its in {maker: side, taker: side.opposite}.items():
            request = NewOrder("BTCUSDT", its, OrderType.LIMIT, qty, f"{name}-{now}", price=price)
            made.place(made.accounts[name], request, now)
        for name in ("ann", "bob", "cyd"):
            made.cancel_all(made.accounts[name], "BTCUSDT", now)
        for fact in made.drain():
            if isinstance(fact, OrderUpdate) and fact.fill is not None:
                paid += fact.fill.fee
                closings += fact.fill.realized != ZERO
        accounts = made.accounts.values()
        assert summed(account.holding("BTCUSDT").qty for account in accounts) == ZERO
        mark = made.venue.mark("BTCUSDT")
        owned = summed(account.wallet() for account in accounts)
        open_profit = summed(account.holding("BTCUSDT").unrealized(mark) for account in accounts)
        rounded = EXACT.subtract(3_000_000 - paid, EXACT.add(owned, open_profit))
        assert Decimal("-1e-80") < rounded <= (closings + 1) * Decimal("0.00000001")
