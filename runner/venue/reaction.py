"""What one market datum does to a book: resting orders fill, triggers are met, margins are judged.

The rules are listed in `runner.venue.exchange`.
"""

from decimal import Decimal
from typing import assert_never

from runner.domain.values import Side
from runner.venue.algo import AlgoService
from runner.venue.book import Book
from runner.venue.candles import CandleJudge
from runner.venue.execution import Execution
from runner.venue.market import CandleEnd, CandleOpen, Datum, Mark, Point, Quote, Trade
from runner.venue.orders import WaitingOrder
from runner.venue.terms import AlgoStatus


class Reaction:
    """Lets market data act on the orders and the accounts of their symbol."""

    def __init__(self, execution: Execution, algo: AlgoService) -> None:
        self._execution = execution
        self._algo = algo

    def to(self, book: Book, datum: Datum) -> None:
        book.refill()
        match datum:
            case CandleEnd():
                self._candle_end(book, datum)
            case CandleOpen():
                book.last = datum.price
                self._judge_margins(book)
                self._triggers(book, datum.price, datum.price)
            case Trade():
                book.traded(datum.price, datum.buyer_maker)
                self._traded(book, datum.price, datum.qty)
            case Point():
                book.traded(datum.price, None)
                self._traded(book, datum.price, None)
            case Quote():
                book.quote = datum
                if book.last is None:
                    self._quoted(book, datum)
            case Mark():
                book.marked(datum.price)
                self._judge_margins(book)
                self._act(book, book.touched_by_mark(datum.price))
            case _:
                assert_never(datum)
        self._execution.liquidator.settle(datum.at_ms)

    def _candle_end(self, book: Book, candle: CandleEnd) -> None:
        if not book.quiet(candle.low, candle.high):
            CandleJudge(self._execution, self._algo, book, candle).run()
        elif book.mark is None:
            self._execution.liquidator.check(book.symbol, candle.low, candle.high, candle.at_ms)
        book.last = candle.close
        self._judge_margins(book)
        book.hindsight = (candle, book.opened) if book.opened else None
        book.opened = set()

    def _traded(self, book: Book, price: Decimal, qty: Decimal | None) -> None:
        self._judge_margins(book)
        if not book.quiet(price, price):
            for side in Side:
                self._rest_against(book, side, price, qty)
            self._triggers(book, price, price)

    def _quoted(self, book: Book, quote: Quote) -> None:
        self._judge_margins(book)
        if not book.quiet(quote.bid, quote.ask):
            self._rest_against(book, Side.BUY, quote.ask, quote.ask_qty)
            self._rest_against(book, Side.SELL, quote.bid, quote.bid_qty)
            self._triggers(book, quote.bid, quote.ask)

    def _judge_margins(self, book: Book) -> None:
        """Liquidate who can no longer bear the mark."""
        mark = book.mark_px
        self._execution.liquidator.check(book.symbol, mark, mark, self._execution.now_ms)

    def _rest_against(self, book: Book, side: Side, price: Decimal, qty: Decimal | None) -> None:
        """Fill what rests on `side` by a trade at `price`, by no more than `qty` in all."""
        for order in book.queue(side).crossed_by(price):
            if not order.status.closed and book.reached(order, price):
                filled = self._execution.fill_resting(book, order, qty)
                qty = None if qty is None else qty - filled

    def _triggers(self, book: Book, low: Decimal, high: Decimal) -> None:
        """Let the last price, which is from `low` to `high`, act on conditional orders."""
        if not book.quiet(low, high):
            self._act(book, book.touched(low, high))

    def _act(self, book: Book, waiting: list[WaitingOrder]) -> None:
        """Trigger those of the orders whose trigger the present price meets."""
        algo = self._algo
        for order in waiting:
            if order.status is not AlgoStatus.NEW:
                continue
            present = book.trigger_px(order.request)
            if order.trailing:
                algo.follow(book, order, present)
            if order.met_by(present) and not algo.held_back(book, order):
                # A mark that triggers is no trade: the order then takes what the market offers.
                algo.trigger(book, order, book.last_px if book.watches_mark(order.request) else present)
