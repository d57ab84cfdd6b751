"""The dry run's gateway: the simulated exchange in this process, under a virtual clock.

One object is the exchange, the clock and the price watch, because all three share one order of time.  At equal times
what the exchange does by itself (funding) comes first, then market data, then what arrives at the exchange, then what
is delivered to us, then timers; within each, in the order it was sent.  A request needs the latency to the exchange,
and its answer the same latency back; prices that are watched or observed are seen at once.  Events carry the exchange's
own instants, `now_ms` is ours.

No coroutine here ever suspends, so all of it runs without an event loop.
"""

import heapq
from collections.abc import AsyncIterator, Iterable, Iterator
from decimal import Decimal
from enum import IntEnum
from typing import NamedTuple, assert_never

from runner.domain.commands import (
    CancelOrder,
    CancelTimer,
    Observe,
    PlaceOrder,
    QueryOrder,
    ReadPosition,
    SetTimer,
    TimerCommand,
    UnwatchPrice,
    VenueCommand,
    WatchCommand,
    WatchPrice,
)
from runner.domain.conditions import PriceSource
from runner.domain.events import (
    Action,
    CommandRejected,
    DataEnded,
    Event,
    MarketGap,
    Observed,
    OrderNotFound,
    PositionReport,
    PriceTouched,
    TimerFired,
)
from runner.domain.positions import Position
from runner.domain.reports import TradeReport
from runner.domain.snapshots import Balance, VenueSnapshot
from runner.engine.watches import Touch, WatchBook
from runner.gateways import translation
from runner.venue.account import Account
from runner.venue.exchange import Exchange
from runner.venue.figures import asset_figures
from runner.venue.holdings import summed
from runner.venue.market import CandleEnd, CandleOpen, Datum, Mark
from runner.venue.refusals import Refusal
from runner.venue.terms import PositionSide


class _Turn(IntEnum):
    """What goes first at equal times; market data come before all of these."""

    ARRIVAL = 1
    DELIVERY = 2
    TIMER = 3


class _Request(NamedTuple):
    """A command on its way to the exchange, and when it left."""

    command: VenueCommand
    begun_ms: int


class DryRunGateway:
    """Implements `Gateway`, `Clock` and `Prices` of `runner.ports`, for one account of an exchange that is its alone.

    `firsts` is the first datum of each symbol, which gives it a price from the start; `data` are all data, those
    included, in the order of time.  The clock starts at the earliest of them.
    """

    def __init__(
        self, exchange: Exchange, account: Account, firsts: Iterable[Datum], data: Iterable[Datum], latency_ms: int,
    ) -> None:
        firsts = tuple(firsts)
        self._exchange = exchange
        self._account = account
        self._data = iter(data)
        self._datum = next(self._data, None)
        self._latency_ms = latency_ms
        self._now_ms = min(first.at_ms for first in firsts)
        self._end_ms = self._now_ms
        self._queue: list[tuple[int, _Turn, int, _Request | Event | str]] = []
        self._sent = 0
        self._timers: dict[str, int] = {}
        self._watches = WatchBook()
        self._candle_ends: dict[str, int] = {}
        for first in firsts:
            exchange.begin(first)

    async def open(self) -> VenueSnapshot:
        return await self.snapshot()

    async def snapshot(self) -> VenueSnapshot:
        exchange, account, now = self._exchange, self._account, self._now_ms
        held = tuple(
            Position(symbol, holding.qty, holding.entry_px)
            for (symbol, _), holding in account.holdings.items() if holding.qty
        )
        orders = [
            translation.order_report(order, now, self._mark(order.request.symbol))
            for order in exchange.open_orders(account)
        ]
        orders += [
            translation.conditional_report(state, now, self._mark(state.request.symbol))
            for state in exchange.open_conditionals(account)
        ]
        balances = tuple(
            Balance(asset, wallet, asset_figures(account, asset, exchange.venue).available)
            for asset, wallet in account.wallets.items()
        )
        return VenueSnapshot(now, balances, held, tuple(orders), tuple(self._recent_trades()))

    def _recent_trades(self) -> Iterator[TradeReport]:
        """The executions of all orders that the exchange still finds."""
        exchange, account = self._exchange, self._account
        for fill in account.history.fills("", self._now_ms):
            try:
                order = exchange.order(account, fill.symbol, fill.order_id)
            except Refusal:
                continue
            if not order.forced:
                yield translation.trade_report(fill, order.request.client_order_id)

    async def close(self) -> None:
        """Nothing is held open: the readers close their files when their data end or are let go."""

    def now_ms(self) -> int:
        return self._now_ms

    def submit(self, command: VenueCommand) -> None:
        if isinstance(command, Observe):
            self._deliver(self._observed(command.symbol), self._now_ms)
        else:
            self._push(self._now_ms + self._latency_ms, _Turn.ARRIVAL, _Request(command, self._now_ms))

    def schedule(self, command: TimerCommand) -> None:
        match command:
            case SetTimer(timer_id, at_ms):
                self._timers[timer_id] = self._push(max(at_ms, self._now_ms), _Turn.TIMER, timer_id)
            case CancelTimer(timer_id):
                self._timers.pop(timer_id, None)
            case _:
                assert_never(command)

    def watch(self, command: WatchCommand) -> None:
        match command:
            case WatchPrice(symbol=symbol, source=source):
                book = self._exchange.books[symbol]
                present = book.mark_px if source is PriceSource.MARK else book.last_px
                touch = self._watches.add(command, self._now_ms, present)
                self._touched(() if touch is None else (touch,))
            case UnwatchPrice(watch_id):
                self._watches.remove(watch_id)
            case _:
                assert_never(command)

    async def events(self) -> AsyncIterator[Event]:
        """Every event in the order of time, `DataEnded` last.  Commands may be given between any two."""
        while True:
            event = self._next_event()
            yield event
            if isinstance(event, DataEnded):
                return

    def _next_event(self) -> Event:
        """Let the world go on up to the next thing that reaches us."""
        queue = self._queue
        while True:
            datum = self._datum
            due_ms = self._exchange.next_due_ms()
            if due_ms is not None and due_ms <= self._next_ms():
                self._now_ms = max(self._now_ms, due_ms)
                self._exchange.advance(due_ms)
                self._tell()
                continue
            if datum is not None and (not queue or datum.at_ms <= queue[0][0]):
                self._now_ms = self._end_ms = datum.at_ms
                self._see(datum)
                self._datum = next(self._data, None)
                continue
            if not queue:
                return DataEnded(self._now_ms)
            at_ms, _, number, item = heapq.heappop(queue)
            if isinstance(item, str):
                # Beyond the last datum nothing happens any more: there is no market to act upon.
                if self._timers.get(item) == number and (self._datum is not None or at_ms <= self._end_ms):
                    del self._timers[item]
                    self._now_ms = at_ms
                    return TimerFired(at_ms, item)
                continue
            self._now_ms = at_ms
            if not isinstance(item, _Request):
                return item
            answer = self._answer(item)
            self._tell()
            if answer is not None:
                self._deliver(answer, at_ms + self._latency_ms)

    def _next_ms(self) -> int:
        """The next instant of the market or of what is under way; before the clock where nothing comes any more."""
        datum, queue = self._datum, self._queue
        if datum is None:
            # Beyond the last datum nothing happens any more: there is no market to act upon.
            return min(queue[0][0], self._end_ms) if queue else -1
        return min(datum.at_ms, queue[0][0]) if queue else datum.at_ms

    def _tell(self) -> None:
        """Bring what the exchange has told of our account on its way to us."""
        for fact in self._exchange.drain():
            if fact.account == self._account.name:
                for event in translation.events_of(fact, self._mark):
                    self._deliver(event, fact.at_ms + self._latency_ms)

    def _see(self, datum: Datum) -> None:
        self._exchange.on_market(datum)
        self._tell()
        if isinstance(datum, CandleEnd):
            self._candle_ends[datum.symbol] = datum.at_ms
        elif isinstance(datum, CandleOpen) and self._candle_ends.get(datum.symbol, datum.at_ms) < datum.at_ms:
            self._deliver(MarketGap(datum.at_ms, datum.symbol), datum.at_ms)
        if self._watches:
            self._touched(self._passed(datum))

    def _passed(self, datum: Datum) -> tuple[Touch, ...]:
        """The watches that a datum fires; without mark data the last price is the mark too."""
        book, symbol = self._exchange.books[datum.symbol], datum.symbol
        if isinstance(datum, Mark):
            return self._watches.on_price(symbol, PriceSource.MARK, datum.price)
        sources = (PriceSource.LAST,) if book.mark is not None else (PriceSource.LAST, PriceSource.MARK)
        touched: list[Touch] = []
        for source in sources:
            if isinstance(datum, CandleEnd):
                touched += self._watches.on_candle(
                    symbol, source, datum.opened_ms, datum.low, datum.high, datum.close,
                )
            else:
                touched += self._watches.on_price(symbol, source, book.last_px)
        return tuple(touched)

    def _touched(self, touches: tuple[Touch, ...]) -> None:
        for touch in touches:
            self._deliver(PriceTouched(self._now_ms, touch.watch.watch_id, touch.price), self._now_ms)

    def _answer(self, request: _Request) -> Event | None:
        """What the exchange says to a request that has just arrived, beside the facts that follow from it."""
        exchange, account, now = self._exchange, self._account, self._now_ms
        match request.command:
            case PlaceOrder(request=order):
                place = exchange.place_conditional if order.order_type.conditional else exchange.place
                try:
                    place(account, translation.new_order(order), now)
                except Refusal as refusal:
                    return self._refused(order.symbol, order.client_order_id, Action.PLACE, refusal)
                return None
            case CancelOrder(symbol=symbol, client_order_id=client_id, conditional=conditional):
                try:
                    if conditional:
                        exchange.cancel_conditional(account, client_id, now, symbol)
                    else:
                        exchange.cancel(account, symbol, client_id, now)
                except Refusal as refusal:
                    return self._refused(symbol, client_id, Action.CANCEL, refusal)
                return None
            case QueryOrder(symbol, client_id):
                return self._looked_up(symbol, client_id)
            case ReadPosition(symbol):
                qty = account.holding(symbol, PositionSide.BOTH).qty
                return PositionReport(now, symbol, qty, request.begun_ms)
            case Observe(symbol):
                return self._observed(symbol)
            case _:
                assert_never(request.command)

    def _refused(self, symbol: str, client_id: str, action: Action, refusal: Refusal) -> CommandRejected:
        return CommandRejected(self._now_ms, symbol, client_id, action, refusal.code, refusal.message)

    def _looked_up(self, symbol: str, client_id: str) -> Event:
        """An order by its client id, in both order worlds."""
        exchange, account = self._exchange, self._account
        try:
            order = exchange.order(account, symbol, client_id)
        except Refusal:
            order = None
        try:
            conditional = exchange.conditional(account, client_id, symbol)
        except Refusal:
            conditional = None
        found = translation.looked_up(order, conditional, self._now_ms, self._mark(symbol))
        return found or OrderNotFound(self._now_ms, symbol, client_id)

    def _mark(self, symbol: str) -> Decimal:
        return self._exchange.books[symbol].mark_px

    def _observed(self, symbol: str) -> Observed:
        book, account = self._exchange.books[symbol], self._account
        bid, ask = book.bid_ask()
        asset = book.instrument.quote_asset
        profit = summed(held.unrealized(self._mark(held.symbol)) for held in account.held(asset))
        return Observed(
            self._now_ms, symbol, book.last_px, book.mark_px, bid, ask, account.wallet(asset), profit,
            account.taker_fee,
        )

    def _deliver(self, event: Event, at_ms: int) -> None:
        self._push(max(at_ms, self._now_ms), _Turn.DELIVERY, event)

    def _push(self, at_ms: int, turn: _Turn, item: _Request | Event | str) -> int:
        self._sent += 1
        heapq.heappush(self._queue, (at_ms, turn, self._sent, item))
        return self._sent
