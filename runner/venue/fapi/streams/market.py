"""Which market streams are listened to, and what each of them has to tell at an instant of the exchange.

Nothing is reckoned for a stream that nobody listens to.  A stream with a period looks once in it whether it has
something to tell: at the first datum or tick after the period is over, by the exchange's own time, and, where that only
goes by steps, by the front's too.  Streams of events tell what is new, those of statistics what stands.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import ClassVar

from runner.domain.values import ZERO, Side
from runner.venue.facts import Fact, OrderUpdate
from runner.venue.fapi.door import Door
from runner.venue.fapi.ladders import Chain
from runner.venue.fapi.shown import streamed
from runner.venue.fapi.shown.events import liquidated
from runner.venue.fapi.shown.streamed import Payload
from runner.venue.fapi.streams.names import Kind, Stream
from runner.venue.fapi.tape import Bar, Print
from runner.venue.funding import next_funding_ms

Emit = Callable[[str, object], None]
"""Tells the payload of a stream, by its name, to all who listen to it."""
_DAY_MS = 86_400_000
_Best = tuple[tuple[Decimal, Decimal], tuple[Decimal, Decimal]]


@dataclass(eq=False, slots=True)
class Watched:
    """A stream that is listened to: its symbols, when it may tell again by either clock, and what it has told last."""

    stream: Stream
    symbols: tuple[str, ...]
    due_ms: int = 0
    front_due_ms: int = 0
    told: dict[str, object] = field(default_factory=dict)
    chain: Chain | None = None


class MarketStreams:
    def __init__(self, door: Door, emit: Emit) -> None:
        self._door = door
        self._emit = emit
        self._watched: dict[str, Watched] = {}
        self._forced: dict[str, OrderUpdate] = {}

    def watch(self, stream: Stream) -> None:
        """Somebody listens to a stream.  Of a symbol that there is not, nothing will be told."""
        books = self._door.exchange.books
        known = (stream.symbol,) if stream.symbol in books else ()
        watched = Watched(stream, known if stream.symbol else tuple(books))
        for symbol in watched.symbols:
            match stream.kind:
                case Kind.DEPTH:
                    watched.chain = self._door.ladders.follow(symbol)
                case Kind.AGG_TRADE | Kind.TRADE:
                    last = self._door.tape.of(symbol).last
                    watched.told[symbol] = 0 if last is None else last.number
                case Kind.FORCE_ORDER:
                    watched.told[symbol] = None
        self._watched[stream.name] = watched

    def unwatch(self, name: str) -> None:
        """Nobody listens any more."""
        watched = self._watched.pop(name)
        if watched.chain is not None:
            self._door.ladders.leave(watched.chain)

    def heard(self, facts: Iterable[Fact]) -> None:
        """Keep the latest fill of each symbol's liquidations, which is what `forceOrder` shows."""
        for fact in facts:
            if isinstance(fact, OrderUpdate) and fact.fill is not None and liquidated(fact.order):
                self._forced[fact.order.request.symbol] = fact

    def flush(self) -> None:
        """Tell what is due."""
        if not self._watched:
            return
        now_ms, front_ms = self._door.at_ms(), self._door.front.now_ms()
        stepwise = self._door.clock.speed == 0
        for name, watched in tuple(self._watched.items()):
            if now_ms < watched.due_ms and not (stepwise and front_ms >= watched.front_due_ms):
                continue
            every_ms = watched.stream.every_ms
            watched.due_ms, watched.front_due_ms = now_ms + every_ms, front_ms + every_ms
            payloads = list(self._payloads(watched, now_ms))
            if payloads and watched.stream.listed:
                self._emit(name, payloads)
            else:
                for payload in payloads:
                    self._emit(name, payload)

    def _payloads(self, watched: Watched, now_ms: int) -> Iterator[Payload]:
        show = self._shows[watched.stream.kind]
        for symbol in watched.symbols:
            yield from show(self, watched, symbol, now_ms)

    # --- each kind: what it has to tell of a symbol now

    def _agg_trades(self, watched: Watched, symbol: str, now_ms: int) -> Iterator[Payload]:
        instrument = self._door.exchange.books[symbol].instrument
        for printed in self._prints(watched, symbol):
            yield streamed.agg_trade(printed, instrument, now_ms)

    def _trades(self, watched: Watched, symbol: str, now_ms: int) -> Iterator[Payload]:
        instrument = self._door.exchange.books[symbol].instrument
        for printed in self._prints(watched, symbol):
            yield streamed.trade(printed, instrument, now_ms)

    def _prints(self, watched: Watched, symbol: str) -> list[Print]:
        """The trades since the last that was told."""
        prints = self._door.tape.of(symbol).prints
        told = watched.told[symbol]
        new: list[Print] = []
        for printed in reversed(prints):
            if printed.number == told:
                break
            new.append(printed)
        if new:
            watched.told[symbol] = new[0].number
        return new[::-1]

    def _mark_price(self, watched: Watched, symbol: str, now_ms: int) -> Iterator[Payload]:
        exchange = self._door.exchange
        book = exchange.books[symbol]
        next_ms = next_funding_ms(now_ms, exchange.settings.contract(symbol).funding_hours)
        yield streamed.mark_price(symbol, book.mark_px, exchange.funding_rate(symbol), next_ms, now_ms)

    def _book_ticker(self, watched: Watched, symbol: str, now_ms: int) -> Iterator[Payload]:
        best = self._best(symbol)
        if best is not None and watched.told.get(symbol) != best:
            watched.told[symbol] = best
            number = self._door.tape.next_update_id(symbol)
            yield streamed.book_ticker(*best, number, self._door.exchange.books[symbol].instrument, now_ms)

    def _best(self, symbol: str) -> _Best | None:
        book = self._door.exchange.books[symbol]
        bids, asks = book.levels(Side.BUY, 1), book.levels(Side.SELL, 1)
        if not bids or not asks:
            return None
        most = book.instrument.market_max_qty
        bid, ask = bids[0], asks[0]
        return (
            (bid.price, most if bid.qty is None else bid.qty),
            (ask.price, most if ask.qty is None else ask.qty),
        )

    def _difference(self, watched: Watched, symbol: str, now_ms: int) -> Iterator[Payload]:
        assert watched.chain is not None
        change = self._door.ladders.difference(watched.chain)
        if change is not None:
            yield streamed.depth_difference(change, self._door.exchange.books[symbol].instrument, now_ms)

    def _levels(self, watched: Watched, symbol: str, now_ms: int) -> Iterator[Payload]:
        ladder = self._door.ladders.read(symbol)
        count = watched.stream.levels
        told = watched.told.get(symbol)
        previous = told[0] if isinstance(told, tuple) else ladder.update_id - 1
        shown = (ladder.bids[:count], ladder.asks[:count])
        if not isinstance(told, tuple) or told[1] != shown:
            watched.told[symbol] = (ladder.update_id, shown)
            instrument = self._door.exchange.books[symbol].instrument
            yield streamed.depth_levels(ladder, previous, count, instrument, now_ms)

    def _kline(self, watched: Watched, symbol: str, now_ms: int) -> Iterator[Payload]:
        instrument, interval = self._door.exchange.books[symbol].instrument, watched.stream.interval
        for bar in self._bars(watched, symbol, now_ms):
            yield streamed.kline(bar, interval, instrument, now_ms)

    def _continuous_kline(self, watched: Watched, symbol: str, now_ms: int) -> Iterator[Payload]:
        instrument, interval = self._door.exchange.books[symbol].instrument, watched.stream.interval
        for bar in self._bars(watched, symbol, now_ms):
            yield streamed.continuous_kline(bar, interval, instrument, now_ms)

    def _bars(self, watched: Watched, symbol: str, now_ms: int) -> list[Bar]:
        """What has changed since: every candle that has closed, and the open one."""
        told = watched.told.get(symbol)
        strip, interval = self._door.tape.of(symbol), watched.stream.interval
        if isinstance(told, Bar):
            bars = strip.candles(interval, now_ms, told.opened_ms)
            bars = [bar for bar in bars if bar.closes_ms <= now_ms or bar != told]
        else:
            bars = strip.candles(interval, now_ms, limit=1)
        if bars:
            watched.told[symbol] = bars[-1]
        return bars

    def _ticker(self, watched: Watched, symbol: str, now_ms: int) -> Iterator[Payload]:
        book, last = self._door.exchange.books[symbol], self._door.tape.of(symbol).last
        last_qty = ZERO if last is None else last.qty
        yield streamed.ticker(self._day(symbol, now_ms), book.last_px, last_qty, book.instrument, now_ms)

    def _mini_ticker(self, watched: Watched, symbol: str, now_ms: int) -> Iterator[Payload]:
        book = self._door.exchange.books[symbol]
        yield streamed.mini_ticker(self._day(symbol, now_ms), book.last_px, book.instrument, now_ms)

    def _day(self, symbol: str, now_ms: int) -> Bar:
        """The last 24 hours; where nothing was traded in them, the price stands."""
        present = self._door.exchange.books[symbol].last_px
        still = Bar(now_ms - _DAY_MS, now_ms, present, present, present, present)
        return self._door.tape.of(symbol).day(now_ms) or still

    def _force_order(self, watched: Watched, symbol: str, now_ms: int) -> Iterator[Payload]:
        fact = self._forced.get(symbol)
        if fact is not None and watched.told[symbol] is not fact:
            watched.told[symbol] = fact
            yield streamed.force_order(fact, self._door.exchange.books[symbol].instrument, now_ms)

    def _contract(self, watched: Watched, symbol: str, now_ms: int) -> Iterator[Payload]:
        """Contracts do not change on this exchange."""
        return iter(())

    _shows: ClassVar[dict[Kind, Callable[["MarketStreams", Watched, str, int], Iterator[Payload]]]] = {
        Kind.AGG_TRADE: _agg_trades,
        Kind.TRADE: _trades,
        Kind.MARK_PRICE: _mark_price,
        Kind.BOOK_TICKER: _book_ticker,
        Kind.DEPTH: _difference,
        Kind.LEVELS: _levels,
        Kind.KLINE: _kline,
        Kind.CONTINUOUS_KLINE: _continuous_kline,
        Kind.TICKER: _ticker,
        Kind.MINI_TICKER: _mini_ticker,
        Kind.FORCE_ORDER: _force_order,
        Kind.CONTRACT: _contract,
    }
