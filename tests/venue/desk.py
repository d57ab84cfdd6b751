"""A desk at the simulated exchange for tests: accounts, instruments, and short words for orders and data."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from runner.domain.instrument import Instrument
from runner.domain.values import OrderType, Side, trimmed
from runner.venue.account import Account
from runner.venue.exchange import Exchange
from runner.venue.facts import AlgoUpdate, Fact, OrderUpdate
from runner.venue.market import CandleEnd, CandleOpen, Datum, Mark, Point, Quote, Trade
from runner.venue.refusals import Refusal
from runner.venue.requests import Amendment, NewOrder
from runner.venue.settings import VenueSettings
from runner.venue.terms import Expiry, PositionSide

BTC = Instrument(
    symbol="BTCUSDT", base_asset="BTC", quote_asset="USDT", tick_size=Decimal("0.10"), min_price=Decimal("556.80"),
    max_price=Decimal("4529764"), step_size=Decimal("0.001"), min_qty=Decimal("0.001"), max_qty=Decimal("1000"),
    market_step_size=Decimal("0.001"), market_min_qty=Decimal("0.001"), market_max_qty=Decimal("120"),
    min_notional=Decimal("50"), multiplier_up=Decimal("1.05"), multiplier_down=Decimal("0.95"), max_num_orders=5,
)
COARSE = Instrument(
    symbol="COARSEUSDT", base_asset="COARSE", quote_asset="USDT", tick_size=Decimal("0.05"), min_price=Decimal("0.05"),
    max_price=Decimal("1000"), step_size=Decimal("5"), min_qty=Decimal("5"), max_qty=Decimal("500"),
    market_step_size=Decimal("5"), market_min_qty=Decimal("5"), market_max_qty=Decimal("100"),
    min_notional=Decimal("5"), multiplier_up=Decimal("1.05"), multiplier_down=Decimal("0.95"),
)
MINUTE = 60_000

Told = list[Fact | Refusal]


def d(text: str | int) -> Decimal:
    return Decimal(text)


class Desk:
    """One exchange with BTCUSDT standing at `price` and the account "me"; every fact it told is kept in `told`.

    A request that is refused answers with its `Refusal` alone.
    """

    def __init__(
        self, price: str | int = 60000, *, quote: tuple[str, str, str, str] | None = None,
        instruments: Iterable[Instrument] = (BTC, COARSE), **settings: Any,
    ) -> None:
        self.exchange = Exchange({each.symbol: each for each in instruments}, VenueSettings(**settings))
        self.me = self.exchange.open_account("me")
        self.now = 0
        self.told: Told = []
        self._count = 0
        if quote is None:
            self.exchange.begin(Point("BTCUSDT", 0, d(price)))
        else:
            self.exchange.begin(Quote("BTCUSDT", 0, *map(d, quote)))
        if "COARSEUSDT" in self.exchange.books:
            self.exchange.begin(Point("COARSEUSDT", 0, d(10)))

    def order(
        self, side: str, kind: str, qty: str | int = 0, price: str | int | None = None, *, at: int | None = None,
        stop: str | int | None = None, ro: bool = False, id: str | None = None, by: Account | None = None, **more: Any,
    ) -> Told:
        """Place an order of either world, for the account `by` or for "me"."""
        self._count += 1
        self.now = self.now if at is None else at
        request = NewOrder(
            more.pop("symbol", "BTCUSDT"), Side(side), OrderType(kind), d(qty), id or f"o{self._count}",
            price=None if price is None else d(price), trigger_price=None if stop is None else d(stop),
            reduce_only=ro, **more,
        )
        account = by or self.me
        place = self.exchange.place_conditional if request.order_type.conditional else self.exchange.place
        try:
            place(account, request, self.now)
        except Refusal as refusal:
            return self._keep(refusal)
        return self._keep()

    def amend(
        self, key: str, side: str, qty: str | int, price: str | int | None, *, by: Account | None = None, **more: Any,
    ) -> Told:
        change = Amendment("BTCUSDT", key, Side(side), d(qty), None if price is None else d(price), **more)
        try:
            self.exchange.amend(by or self.me, change, self.now)
        except Refusal as refusal:
            return self._keep(refusal)
        return self._keep()

    def cancel(self, client_id: str, symbol: str = "BTCUSDT", by: Account | None = None) -> Told:
        """Cancel an order of whichever world it is in."""
        account = by or self.me
        try:
            if account.open.conditional(client_id) is not None:
                self.exchange.cancel_conditional(account, client_id, self.now)
            else:
                self.exchange.cancel(account, symbol, client_id, self.now)
        except Refusal as refusal:
            return self._keep(refusal)
        return self._keep()

    def see(self, datum: Datum) -> Told:
        self.now = datum.at_ms
        self.exchange.on_market(datum)
        return self._keep()

    def wait(self, ms: int) -> Told:
        """Let time pass without a market."""
        self.now += ms
        self.exchange.advance(self.now)
        return self._keep()

    def point(self, price: str | int) -> Told:
        return self.see(Point("BTCUSDT", self.now + 1, d(price)))

    def trade(self, price: str | int, qty: str | int, buyer_maker: bool | None = None) -> Told:
        return self.see(Trade("BTCUSDT", self.now + 1, d(price), d(qty), buyer_maker))

    def quote(self, bid: str, bid_qty: str, ask: str, ask_qty: str) -> Told:
        return self.see(Quote("BTCUSDT", self.now + 1, d(bid), d(bid_qty), d(ask), d(ask_qty)))

    def mark(self, price: str | int) -> Told:
        return self.see(Mark("BTCUSDT", self.now + 1, d(price)))

    def open_candle(self, minute: int, price: str | int) -> Told:
        return self.see(CandleOpen("BTCUSDT", minute * MINUTE, d(price)))

    def end_candle(
        self, minute: int, open: str | int, high: str | int, low: str | int, close: str | int, volume: str | int = 100,
    ) -> Told:
        return self.see(CandleEnd(
            "BTCUSDT", (minute + 1) * MINUTE, minute * MINUTE, d(open), d(high), d(low), d(close), d(volume),
        ))

    def candle(
        self, minute: int, open: str | int, high: str | int, low: str | int, close: str | int, volume: str | int = 100,
    ) -> Told:
        return self.open_candle(minute, open) + self.end_candle(minute, open, high, low, close, volume)

    @property
    def position(self) -> Decimal:
        return self.held()

    def held(self, side: str = "BOTH", by: Account | None = None) -> Decimal:
        """The signed quantity of a position in BTCUSDT."""
        return (by or self.me).holding("BTCUSDT", PositionSide(side)).qty

    @property
    def wallet(self) -> Decimal:
        return self.me.wallet()

    def state(self, client_id: str, by: Account | None = None) -> str:
        """The status and filled quantity of the order in the matching engine, like `FILLED 0.002`; where there is
        none, of the conditional one."""
        account = by or self.me
        try:
            found = self.exchange.order(account, "BTCUSDT", client_id)
        except Refusal:
            waiting = self.exchange.conditional(account, client_id)
            return f"{waiting.status} {trimmed(waiting.filled_qty)}"
        return f"{found.status} {trimmed(found.filled_qty)}"

    def _keep(self, refusal: Refusal | None = None) -> Told:
        facts: Told = list(self.exchange.drain())
        assert refusal is None or not facts, "a refusal leaves no trace"
        if refusal is not None:
            facts.append(refusal)
        self.told += facts
        return facts


def fills(facts: Iterable[Fact | Refusal]) -> list[str]:
    """The executions among facts, like `o1 0.002 @ 60000 maker`."""
    return [
        f"{fact.order.request.client_order_id} {trimmed(fact.fill.qty)} @ {trimmed(fact.fill.price)} "
        f"{'maker' if fact.fill.maker else 'taker'}"
        for fact in facts if isinstance(fact, OrderUpdate) and fact.fill is not None
    ]


def states(facts: Iterable[Fact | Refusal]) -> list[str]:
    """What became of orders, like `o1 EXPIRED er4`; of conditional ones with a `~`, like `~o1 REJECTED why`."""
    told = []
    for fact in facts:
        if isinstance(fact, OrderUpdate):
            why = "" if fact.expiry is Expiry.NONE else f" er{fact.expiry.value}"
            told.append(f"{fact.order.request.client_order_id} {fact.order.status}{why}")
        elif isinstance(fact, AlgoUpdate):
            told.append(f"~{fact.order.request.client_order_id} {fact.order.status} {fact.order.reason}".rstrip())
    return told


def code(facts: Told) -> int:
    """The code of the one refusal that was the whole answer."""
    (refusal,) = facts
    assert isinstance(refusal, Refusal)
    return refusal.code
