"""A desk at the simulated exchange for tests: an account, an instrument, and short words for orders and data."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from runner.domain.events import CommandRejected, Event, OrderReport, TradeReport
from runner.domain.instrument import Instrument
from runner.domain.orders import OrderRequest
from runner.domain.values import OrderType, Side, trimmed
from runner.venue.exchange import Exchange
from runner.venue.market import CandleEnd, CandleOpen, Datum, Mark, Point, Quote, Trade
from runner.venue.settings import VenueSettings

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


def d(text: str | int) -> Decimal:
    return Decimal(text)


class Desk:
    """One exchange with BTCUSDT standing at `price`; every fact it told is kept in `told`."""

    def __init__(
        self, price: str | int = 60000, *, quote: tuple[str, str, str, str] | None = None, **settings: Any,
    ) -> None:
        self.exchange = Exchange({"BTCUSDT": BTC, "COARSEUSDT": COARSE}, VenueSettings(**settings))
        self.now = 0
        self.told: list[Event] = []
        self._count = 0
        if quote is None:
            self.exchange.begin(Point("BTCUSDT", 0, d(price)))
        else:
            self.exchange.begin(Quote("BTCUSDT", 0, *map(d, quote)))
        self.exchange.begin(Point("COARSEUSDT", 0, d(10)))

    def order(
        self, side: str, kind: str, qty: str | int, price: str | int | None = None, *, at: int | None = None,
        stop: str | int | None = None, ro: bool = False, id: str | None = None, **more: Any,
    ) -> list[Event]:
        self._count += 1
        self.now = self.now if at is None else at
        request = OrderRequest(
            id or f"o{self._count}", more.pop("symbol", "BTCUSDT"), Side(side), OrderType(kind), d(qty),
            None if price is None else d(price), None if stop is None else d(stop), reduce_only=ro, **more,
        )
        return self._keep(self.exchange.place(request, self.now))

    def cancel(self, client_id: str, symbol: str = "BTCUSDT") -> list[Event]:
        return self._keep(self.exchange.cancel(symbol, client_id, self.now))

    def see(self, datum: Datum) -> list[Event]:
        self.now = datum.at_ms
        return self._keep(self.exchange.on_market(datum))

    def point(self, price: str | int) -> list[Event]:
        return self.see(Point("BTCUSDT", self.now + 1, d(price)))

    def trade(self, price: str | int, qty: str | int) -> list[Event]:
        return self.see(Trade("BTCUSDT", self.now + 1, d(price), d(qty)))

    def quote(self, bid: str, bid_qty: str, ask: str, ask_qty: str) -> list[Event]:
        return self.see(Quote("BTCUSDT", self.now + 1, d(bid), d(bid_qty), d(ask), d(ask_qty)))

    def mark(self, price: str | int) -> list[Event]:
        return self.see(Mark("BTCUSDT", self.now + 1, d(price)))

    def open_candle(self, minute: int, price: str | int) -> list[Event]:
        return self.see(CandleOpen("BTCUSDT", minute * MINUTE, d(price)))

    def end_candle(
        self, minute: int, open: str | int, high: str | int, low: str | int, close: str | int, volume: str | int = 100,
    ) -> list[Event]:
        return self.see(CandleEnd(
            "BTCUSDT", (minute + 1) * MINUTE, minute * MINUTE, d(open), d(high), d(low), d(close), d(volume),
        ))

    def candle(
        self, minute: int, open: str | int, high: str | int, low: str | int, close: str | int, volume: str | int = 100,
    ) -> list[Event]:
        return self.open_candle(minute, open) + self.end_candle(minute, open, high, low, close, volume)

    @property
    def position(self) -> Decimal:
        return self.exchange.position("BTCUSDT").qty

    @property
    def wallet(self) -> Decimal:
        return self.exchange.account.wallet

    def state(self, client_id: str) -> str:
        """The status and filled quantity of an order, like `FILLED 0.002`."""
        found = self.exchange.query("BTCUSDT", client_id, self.now)
        assert isinstance(found, OrderReport)
        return f"{found.status} {trimmed(found.filled_qty)}"

    def _keep(self, facts: Iterable[Event]) -> list[Event]:
        kept = list(facts)
        self.told += kept
        return kept


def fills(facts: Iterable[Event]) -> list[str]:
    """The executions among facts, like `o1 0.002 @ 60000 maker`."""
    return [
        f"{fact.client_order_id} {trimmed(fact.qty)} @ {trimmed(fact.price)} {'maker' if fact.maker else 'taker'}"
        for fact in facts if isinstance(fact, TradeReport)
    ]


def states(facts: Iterable[Event]) -> list[str]:
    """The order reports among facts, like `o1 EXPIRED Reduce Only expired`."""
    return [
        f"{fact.client_order_id} {fact.status} {fact.reason}".rstrip()
        for fact in facts if isinstance(fact, OrderReport)
    ]


def code(facts: list[Event]) -> int:
    """The code of the one refusal that was the whole answer."""
    (refusal,) = facts
    assert isinstance(refusal, CommandRejected)
    return refusal.code
