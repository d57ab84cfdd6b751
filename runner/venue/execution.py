"""What can happen to an order inside the exchange: it enters, takes, rests, fills, triggers, ends.

The rules of matching are listed in `runner.venue.exchange`.  Every change is told as a fact, in the order of events.
"""

from collections.abc import Mapping
from decimal import Decimal

from runner.domain.instrument import Instrument
from runner.domain.values import EXACT, ZERO, OrderType, Side, TimeInForce
from runner.venue import margin, refusals
from runner.venue.account import Account
from runner.venue.book import Book
from runner.venue.contracts import Contract
from runner.venue.deadlines import Deadline, Deadlines, Due
from runner.venue.facts import AccountUpdate, AlgoUpdate, Fact, Fill, OrderUpdate
from runner.venue.liquidation import Liquidator
from runner.venue.orders import WaitingOrder, WorkingOrder
from runner.venue.refusals import Refusal
from runner.venue.requests import NewOrder
from runner.venue.settings import Conflict, VenueSettings
from runner.venue.terms import AlgoStatus, ExecutionType, Expiry, PositionSide, Reason, SelfTrade, Status

POSITION_CLOSED = "Position closed"
YEAR_MS = 365 * 86_400_000
_AT_ONCE = (TimeInForce.IOC, TimeInForce.FOK)
_PREVENTING = (TimeInForce.GTC, TimeInForce.IOC, TimeInForce.GTD)
_CLOSING = {
    False: ((PositionSide.BOTH, Side.SELL), (PositionSide.BOTH, Side.BUY)),
    True: ((PositionSide.LONG, Side.SELL), (PositionSide.SHORT, Side.BUY)),
}


class Execution:
    """Executes the orders of all accounts on all books; `facts` is what happened since they were last taken.

    `now_ms` is the exchange's present, `insurance` its own fund.
    """

    def __init__(self, accounts: Mapping[str, Account], books: Mapping[str, Book], settings: VenueSettings) -> None:
        self.accounts = accounts
        self.books = books
        self.settings = settings
        self.deadlines = Deadlines()
        self.liquidator = Liquidator(self, accounts, self)
        self.facts: list[Fact] = []
        self.now_ms = 0
        self.insurance = ZERO
        self._order_ids = settings.first_order_id
        self._places = 0
        self._trades = 0

    # What the margin and the liquidation ask for

    def mark(self, symbol: str) -> Decimal:
        return self.books[symbol].mark_px

    def contract(self, symbol: str) -> Contract:
        return self.books[symbol].contract

    def asset(self, symbol: str) -> str:
        return self.books[symbol].instrument.quote_asset

    def instrument(self, symbol: str) -> Instrument:
        return self.books[symbol].instrument

    def tell(self, fact: Fact) -> None:
        self.facts.append(fact)

    # Entering

    def working(
        self, account: Account, request: NewOrder, *, algo_id: int = 0, forced: bool = False, exits: bool = False,
    ) -> WorkingOrder:
        """An order as it would be in the matching engine; it has no id before `enter`."""
        now = self.now_ms
        dated = request.time_in_force is TimeInForce.GTD
        ends_ms = request.good_till_ms // 1000 * 1000 if dated else now + YEAR_MS
        return WorkingOrder(
            account.name, request, 0, now, now, 0, now, exits or closes_only(request), algo_id, forced, ends_ms,
        )

    def enter(self, order: WorkingOrder) -> None:
        """Take an order into the matching engine."""
        order.order_id = order.order_id or self.next_order_id()
        order.place = self.next_place()
        opened = self.accounts[order.account].open
        if not order.request.client_order_id:
            order.request = order.request.but(client_order_id=opened.spare_id(order.order_id))
        opened.add(order)
        self.tell(OrderUpdate(order.account, self.now_ms, ExecutionType.NEW, order.state()))

    def next_place(self) -> int:
        self._places += 1
        return self._places

    def next_order_id(self) -> int:
        self._order_ids += 1
        return self._order_ids - 1

    # Taking and resting

    def take(self, book: Book, order: WorkingOrder, seen: Decimal | None = None) -> None:
        """Execute at once what the order can take; `seen` as in `Book.takes`.  What is left rests or expires."""
        met = self._sweep(book, order, seen)
        account = self.accounts[order.account]
        if not order.status.closed:
            in_force = order.request.time_in_force
            if order.exits and not self.closable(order):
                self.end(book, order, Status.EXPIRED, Expiry.REDUCE_ONLY)
            elif order.limit is None:
                self.end(book, order, Status.EXPIRED, Expiry.UNFILLED_MARKET)
            elif in_force in _AT_ONCE:
                self.end(book, order, Status.EXPIRED, Expiry.TIME_IN_FORCE)
            else:
                self.rest(book, order)
        self.settle(book, account)
        for name in met:
            self.settle(book, self.accounts[name])

    def rest(self, book: Book, order: WorkingOrder) -> None:
        book.rest(order)
        self.deadlines.add(_deadline(order))

    def replace(self, book: Book, order: WorkingOrder, request: NewOrder) -> None:
        """Let a resting order be another one, at the end of the queue and not in the book for now."""
        lane = self.accounts[order.account].open.lane(order.symbol, order.position_side, order.side)
        lane.remove(order)
        book.leave(order)
        self.deadlines.drop(_deadline(order))
        order.request = request
        order.place = self.next_place()
        order.since_ms = order.updated_ms = self.now_ms
        order.amendments += 1
        order.read()
        lane.add(order)

    def fill_resting(
        self, book: Book, order: WorkingOrder, most: Decimal | None = None, *, maker: bool = True,
    ) -> Decimal:
        """Fill a resting limit at its own price with at most `most`; returns what was filled."""
        limit = order.limit
        qty = order.leaves if most is None else min(order.leaves, most)
        if order.exits:
            qty = min(qty, self.closable(order))
        if limit is None or qty <= ZERO:
            return ZERO
        self.fill(book, order, limit, qty, maker=maker)
        self.settle(book, self.accounts[order.account])
        return qty

    def fill(
        self, book: Book, order: WorkingOrder, price: Decimal, qty: Decimal, *, maker: bool, trade_id: int = 0,
    ) -> int:
        """One execution; returns its trade id.  What it leaves of reduce-only orders is for `settle`."""
        account = self.accounts[order.account]
        if not trade_id:
            self._trades += 1
            trade_id = self._trades
        now, request, instrument = self.now_ms, order.request, book.instrument
        side, position_side = order.side, request.position_side
        booking = account.execute(instrument, position_side, side, qty, price, maker, trade_id, now)
        if booking.grew:
            book.opened.add(account.name)
            book.holders.add(account.name)
        if not order.exits:
            account.open.lane(book.symbol, position_side, side).count(order, -qty)
        order.leaves -= qty
        order.filled_qty += qty
        order.cost = EXACT.add(order.cost, EXACT.multiply(price, qty))
        order.status = Status.PARTIALLY_FILLED if order.leaves else Status.FILLED
        order.updated_ms = now
        asset = instrument.quote_asset
        done = Fill(
            trade_id, order.order_id, book.symbol, side, position_side, price, qty, booking.fee, asset,
            booking.realized, maker, now,
        )
        account.history.add_fill(done)
        execution = ExecutionType.CALCULATED if order.forced else ExecutionType.TRADE
        self.tell(OrderUpdate(account.name, now, execution, order.state(), done))
        self.tell(AccountUpdate(
            account.name, now, Reason.ORDER, (account.balance_state(asset),),
            (account.position_state(book.symbol, position_side, book.mark_px),),
        ))
        if not order.leaves:
            self._forget(book, order)
        self.liquidator.changed(account)
        return trade_id

    def end(self, book: Book, order: WorkingOrder, status: Status, expiry: Expiry = Expiry.NONE) -> None:
        """The order is over without a fill: told, kept for queries, and no longer working."""
        order.status = status
        order.updated_ms = self.now_ms
        execution = ExecutionType.CANCELED if status is Status.CANCELED else ExecutionType.EXPIRED
        self.tell(OrderUpdate(order.account, self.now_ms, execution, order.state(), expiry=expiry))
        self._forget(book, order)

    def settle(self, book: Book, account: Account) -> None:
        """End what has lost its position: resting exits that lie wholly beyond it, the worst priced, and waiting
        `closePosition` orders of one that is gone."""
        symbol = book.symbol
        for position_side, side in _CLOSING[account.hedge]:
            lane = account.open.lane(symbol, position_side, side)
            if lane.exits:
                covered, position = ZERO, account.closable(symbol, position_side, side)
                for order in sorted(lane.exits.values(), key=_priority):
                    if covered >= position:
                        self.end(book, order, Status.EXPIRED, Expiry.REDUCE_ONLY)
                    covered += order.leaves
        for waiting in tuple(account.open.closers(symbol).values()):
            if not account.closable(symbol, waiting.request.position_side, waiting.side):
                self.end_waiting(book, waiting, AlgoStatus.EXPIRED, POSITION_CLOSED)
        if account.name in book.holders and not any(
            account.holding(symbol, side).qty for side in PositionSide
        ):
            book.holders.discard(account.name)

    # Conditional orders

    def tell_waiting(self, order: WaitingOrder) -> None:
        self.tell(AlgoUpdate(order.account, self.now_ms, order.state()))

    def end_waiting(self, book: Book, order: WaitingOrder, status: AlgoStatus, reason: str = "") -> None:
        """A conditional order is over before its trigger."""
        account = self.accounts[order.account]
        account.open.remove_waiting(order)
        book.unwait(order)
        self.finish(account, order, status, reason)

    # By the exchange's own hand

    def cancel_for(self, account: Account, symbol: str | None, at_ms: int, expiry: Expiry) -> int:
        """End all orders of both worlds, of one symbol or (None) of all that are held under cross margin."""
        ended = 0
        for order in tuple(account.open.working.values()):
            if symbol == order.symbol or (symbol is None and not account.config(order.symbol).isolated):
                self.end(self.books[order.symbol], order, Status.EXPIRED, expiry)
                ended += 1
        for waiting in tuple(account.open.waiting.values()):
            if symbol == waiting.symbol or (symbol is None and not account.config(waiting.symbol).isolated):
                self.end_waiting(self.books[waiting.symbol], waiting, AlgoStatus.EXPIRED, "Liquidation")
                ended += 1
        return ended

    def force(
        self, account: Account, symbol: str, position_side: PositionSide, side: Side, qty: Decimal, client_id: str,
        at_ms: int, *, price: Decimal | None = None,
    ) -> None:
        """The exchange's own order at market, which can only close: against the book, or all of it at `price`."""
        book = self.books[symbol]
        request = NewOrder(
            symbol, side, OrderType.MARKET, qty, client_id, position_side, time_in_force=TimeInForce.IOC,
            reduce_only=position_side is PositionSide.BOTH, self_trade=SelfTrade.EXPIRE_MAKER,
        )
        order = self.working(account, request, forced=True, exits=True)
        self.enter(order)
        if price is not None:
            closable = min(qty, self.closable(order))
            if closable > ZERO:
                self.fill(book, order, price, closable, maker=False)
        self.take(book, order)

    # Inside

    def _sweep(self, book: Book, order: WorkingOrder, seen: Decimal | None) -> dict[str, None]:
        """Execute against market and users as far as the order goes; the accounts that it met, in their order."""
        met: dict[str, None] = {}
        levels = book.takes(order.side, seen)
        level = next(levels, None)
        rivals = book.queue(order.side.opposite)
        while order.leaves > ZERO and not order.status.closed:
            wanted = min(order.leaves, self.closable(order)) if order.exits else order.leaves
            if wanted <= ZERO:
                break
            rival = rivals.best
            if rival is not None and not book.meets(order, rival, seen):
                rival = None
            if level is not None and not book.within(order, level.price, seen):
                level = None
            if rival is not None and rival.limit is not None and (
                level is None or (level.price - rival.limit) * order.side.sign > ZERO
            ):
                self._meet(book, order, rival, wanted)
                met[rival.account] = None
            elif level is not None:
                qty = wanted if level.qty is None else min(wanted, level.qty)
                self.fill(book, order, level.price, qty, maker=False)
                if book.took(order.side, qty):
                    self.deadlines.add(Deadline(self.now_ms // 1000 * 1000 + 1000, Due.REFILL, symbol=book.symbol))
                level = next(levels, None)
            else:
                break
        return met

    def _meet(self, book: Book, order: WorkingOrder, rival: WorkingOrder, wanted: Decimal) -> None:
        """A taker meets a user's resting order: they trade at its limit, unless that would be a self-trade."""
        request = order.request
        own, prevention = rival.account == order.account, request.self_trade
        if own and prevention is not SelfTrade.NONE and request.time_in_force in _PREVENTING:
            if prevention is not SelfTrade.EXPIRE_TAKER:
                self.end(book, rival, Status.EXPIRED_IN_MATCH, Expiry.SELF_TRADE)
            if prevention is not SelfTrade.EXPIRE_MAKER:
                by_rest = request.time_in_force is TimeInForce.IOC
                expiry = Expiry.TIME_IN_FORCE_BY_SELF_TRADE if by_rest else Expiry.SELF_TRADE
                self.end(book, order, Status.EXPIRED_IN_MATCH, expiry)
            return
        qty = min(wanted, rival.leaves, self.closable(rival) if rival.exits else rival.leaves)
        if qty <= ZERO or rival.limit is None:
            self.end(book, rival, Status.EXPIRED, Expiry.REDUCE_ONLY)
            return
        price = rival.limit
        trade = self.fill(book, order, price, qty, maker=False)
        self.fill(book, rival, price, qty, maker=True, trade_id=0 if own else trade)

    def check_conflict(self, account: Account, order: WorkingOrder) -> None:
        """Refuse an exit that takes at once while resting ones cover the position already, where the rule says so."""
        rule = self.settings.rules.conflict
        if rule is Conflict.KNOCK_OUT:
            return
        if account.open.lane(order.symbol, order.position_side, order.side).covered() >= self.closable(order):
            raise Refusal(*refusals.REDUCE_ONLY if rule is Conflict.REFUSE else refusals.REDUCE_ONLY_MARGIN)

    def check_margin(
        self, book: Book, account: Account, order: WorkingOrder, seen: Decimal | None = None,
        replaced: WorkingOrder | None = None,
    ) -> None:
        """Refuse an order that would bind more margin than there is; what only closes never does."""
        if order.exits:
            return
        price = order.limit
        if price is None:
            bid, ask = book.bid_ask() if seen is None else (seen, seen)
            price = margin.assumed_price(order.side, bid, ask, book.mark_px)
        lacking = margin.lacks_margin(
            account, book.symbol, order.position_side, order.side, order.leaves, price, self, replaced,
        )
        if lacking is not None:
            raise Refusal(*lacking)

    def closable(self, order: WorkingOrder) -> Decimal:
        """How much of its position the order can close."""
        return self.accounts[order.account].closable(order.symbol, order.position_side, order.side)

    def finish(self, account: Account, order: WaitingOrder, status: AlgoStatus, reason: str = "") -> None:
        """A conditional order is over: told, and kept for queries."""
        order.status, order.reason, order.updated_ms = status, reason, self.now_ms
        self.tell_waiting(order)
        account.history.add_conditional(order.state())

    def _forget(self, book: Book, order: WorkingOrder) -> None:
        account = self.accounts[order.account]
        account.open.remove(order)
        if order in book.queue(order.side):
            book.leave(order)
            self.deadlines.drop(_deadline(order))
        account.history.add_order(order.state())
        if order.algo_id:
            self.finish(account, account.open.triggered.pop(order.algo_id), AlgoStatus.FINISHED)


def closes_only(request: NewOrder) -> bool:
    """Whether an order can only close: reduce-only, `closePosition`, or in hedge mode the side that closes."""
    if request.reduce_only or request.close_position:
        return True
    return request.position_side is (PositionSide.LONG if request.side is Side.SELL else PositionSide.SHORT)


def unfillable(book: Book, order: WorkingOrder, seen: Decimal | None = None) -> refusals.No | None:
    """Why a FOK cannot be filled whole, or a GTX would take; None for all others."""
    if order.limit is None:
        return None
    match order.request.time_in_force:
        case TimeInForce.FOK if _takeable(book, order, seen) < order.leaves:
            return refusals.NO_FILL_OR_KILL
        case TimeInForce.GTX if _takeable(book, order, seen) > ZERO:
            return refusals.WOULD_TAKE
        case _:
            return None


def _takeable(book: Book, order: WorkingOrder, seen: Decimal | None) -> Decimal:
    """How much of what the order leaves it could take at once."""
    taken = ZERO
    for rival in book.queue(order.side.opposite):
        if taken >= order.leaves or not book.meets(order, rival):
            break
        taken += rival.leaves
    for price, qty in book.takes(order.side, seen):
        if taken >= order.leaves or not book.within(order, price):
            break
        taken = order.leaves if qty is None else taken + qty
    return min(taken, order.leaves)


def _priority(order: WorkingOrder) -> tuple[Decimal, int]:
    return order.priority


def _deadline(order: WorkingOrder) -> Deadline:
    return Deadline(order.ends_ms, Due.ORDER, order.order_id, order.account, order.symbol)
