"""The simulated exchange: requests and market data in, facts out.  Pure, and not of our opinion.

It knows orders of both worlds, positions and accounts, and nothing of plans, groups or brackets.  Instants of the facts
are the exchange's own; whoever carries them adds the latency.  Every rule errs against the user.

Each rule has a letter and a test that names it.  Others stand where they are kept: taking (T) and
meeting (M) in `depth`, triggers (C) in `algo`, candles (K) in `candles`, amending (E) in `amending`, durations (D) in
`clockwork`; `margin`, `funding` and `liquidation` have their own.

*Arrival*

A1. Before its first datum a symbol stands at that datum's price.
A2. Refusals carry Binance's code, leave no trace, and are judged in this order: symbol, duplicate client id among
    the account's open orders of that world, parameters, status of the symbol, price match, quantity, price, percent
    band, notional, number of orders, then for a conditional order its position and its trigger, for others reduce-only,
    FOK and GTX, margin.
A3. A conditional order is not judged on margin or reduce-only until it triggers; then REJECTED with the reason.
A4. -2021 where the trigger is already met by the present price.
A5. A reduce-only order is refused while the account is flat or on the same side; -2022.
A6. In hedge mode LONG or SHORT must be said and reduce-only must not; in one-way mode only BOTH goes.
A7. `price_match` takes the n-th level of the other side (OPPONENT) or of its own (QUEUE), users' orders among the
    levels; -5041 where there are not so many.  A stop's is chosen at its trigger.
A8. A symbol that is about to be delivered takes only exits, one that does not trade takes nothing.

*Resting* (the maker's fee)

R1. A resting limit fills when the price trades through it (`touch`: or at it), at its own price, never better.
R2. Against trades it fills by at most the quantity of the trade, shared between the users' orders by price, then time.
R3. Where there are quotes but no trades, the opposite quote stands for a trade of the displayed quantity.
R4. Points (paths, invented markets) have no quantity and fill it whole.

*Reduce-only*

O1. It fills up to flat, and what is left then expires; a position is never flipped by it.
O2. When the position shrinks, resting reduce-only orders wholly beyond it expire, worst priced first; when it is flat,
    all of them.
O3. A new reduce-only LIMIT is refused, -2022, while the resting ones of its side already cover the position.
O4. One that takes at once while they do knocks them out as it fills, or is refused, by a rule.
O5. In hedge mode an order that sells LONG or buys SHORT is reduce-only without saying so.

*Force*

F1. The exchange's own orders are at market, or at a price, can only close, and are told as CALCULATED.
F2. Liquidation is judged at every price before orders are; in a candle at each stop that is met, and at the extremes
    before anything closes at a profit.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import assert_never

from runner.domain.instrument import Instrument
from runner.domain.positions import Position
from runner.domain.values import ZERO, OrderType, Side
from runner.venue import modes, refusals
from runner.venue.account import Account
from runner.venue.admission import Admission
from runner.venue.algo import AlgoService
from runner.venue.amending import amended
from runner.venue.book import Book
from runner.venue.clockwork import Clockwork
from runner.venue.execution import Execution
from runner.venue.facts import AccountUpdate, AlgoState, ConfigUpdate, Fact, OrderState
from runner.venue.market import CandleEnd, CandleOpen, Datum, Mark, Point, Quote, Trade
from runner.venue.orders import WaitingOrder
from runner.venue.reaction import Reaction
from runner.venue.refusals import Refusal
from runner.venue.requests import Amendment, NewOrder, OrderKey
from runner.venue.settings import VenueSettings
from runner.venue.terms import AlgoStatus, Expiry, IncomeType, MarginType, PositionSide, Reason, Status


class Exchange:
    """Several accounts on one exchange.  `begin` each symbol, then feed data and requests in the order of time.

    `kinds` are the kinds of data seen so far.  Every request raises `Refusal` where it is refused; what it did
    otherwise is told by `drain`, in order.
    """

    def __init__(self, instruments: Mapping[str, Instrument], settings: VenueSettings) -> None:
        self.settings = settings
        self.accounts: dict[str, Account] = {}
        self.books = {
            name: Book(rules, settings.contract(name), settings.fill_on_touch, settings.slippage)
            for name, rules in instruments.items()
        }
        self.venue = Execution(self.accounts, self.books, settings)
        self._algo = AlgoService(self.venue)
        self._admission = Admission(self.venue, self._algo, self.books)
        self._reaction = Reaction(self.venue, self._algo)
        self.clockwork = Clockwork(self.venue, self.books, settings.funding_rate)
        self._endowments: dict[str, list[tuple[Account, Position]]] = {}
        self.kinds: set[type[Datum]] = set()
        self._begun = False

    @property
    def now_ms(self) -> int:
        """The exchange's present: of the last datum, request or `advance`."""
        return self.venue.now_ms

    @property
    def insurance(self) -> Decimal:
        """The exchange's own fund: liquidation fees in, bankruptcies out."""
        return self.venue.insurance

    @property
    def veto(self) -> Callable[[Account, AlgoState], str] | None:
        """Asked when a trigger is met: a text that is not empty makes the order REJECTED with this reason."""
        return self._algo.veto

    @veto.setter
    def veto(self, judge: Callable[[Account, AlgoState], str] | None) -> None:
        self._algo.veto = judge

    def open_account(
        self, name: str, balance: Decimal | None = None, positions: Iterable[Position] = (),
    ) -> Account:
        """A new account with `balance` in every margin asset; the first one has the settings' positions as well.

        An entry price of zero stands for the price at which the symbol begins.
        """
        if name in self.accounts:
            raise ValueError(f"there is an account {name} already")
        first = not self.accounts
        account = self.accounts[name] = Account(name, self.settings)
        amount = self.settings.balance if balance is None else balance
        for asset in dict.fromkeys(book.instrument.quote_asset for book in self.books.values()):
            account.pay(IncomeType.TRANSFER, asset, amount, self.now_ms)
        for position in (*positions, *(self.settings.positions if first else ())):
            self._endowments.setdefault(position.symbol, []).append((account, position))
            self._endow(self.books[position.symbol])
        return account

    def begin(self, first: Datum) -> None:
        """Let a symbol stand at the price of its first datum, with what accounts hold of it from the start."""
        book = self.books[first.symbol]
        match first:
            case CandleOpen() | Point():
                book.last = first.price
            case Trade():
                book.traded(first.price, first.buyer_maker)
            case Mark():
                book.last = book.mark = first.price
            case CandleEnd():
                book.last = first.open
            case Quote():
                book.quote = first
            case _:
                assert_never(first)
        if not self._begun or first.at_ms < self.venue.now_ms:
            self.venue.now_ms = first.at_ms
        self._begun = True
        self.clockwork.plan_funding(book)
        self._endow(book)

    # Time and market

    def on_market(self, datum: Datum) -> None:
        """Let one market datum act, after all that is due by then; data of all symbols come in the order of time."""
        due = self.venue.deadlines.next_ms
        if due is not None and due <= datum.at_ms:
            self.advance(datum.at_ms)
        self.venue.now_ms = max(self.venue.now_ms, datum.at_ms)
        book = self.books[datum.symbol]
        self.kinds.add(type(datum))
        self._reaction.to(book, datum)

    def advance(self, now_ms: int) -> None:
        """Do all that is due by itself up to `now_ms`, each at its own instant."""
        self.clockwork.advance(now_ms)

    def next_due_ms(self) -> int | None:
        """The next instant at which `advance` does something."""
        return self.venue.deadlines.next_ms

    def set_funding_rate(self, symbol: str, rate: Decimal | None) -> None:
        """The fraction exchanged at the next funding times; None where it is not known."""
        self.clockwork.rates[self._admission.book(symbol).symbol] = rate

    def funding_rate(self, symbol: str) -> Decimal | None:
        return self.clockwork.rates[symbol]

    def drain(self) -> list[Fact]:
        """The facts since they were last taken, in order."""
        facts = self.venue.facts
        if facts:
            self.venue.facts = []
        return facts

    # Orders

    def place(self, account: Account, request: NewOrder, at_ms: int) -> OrderState:
        """Take a LIMIT or MARKET order; the state in which it leaves its arrival."""
        self.advance(at_ms)
        book, order, expires = self._admission.order(account, request)
        self.venue.enter(order)
        if expires:
            self.venue.end(book, order, Status.EXPIRED, Expiry.TIME_IN_FORCE)
        else:
            self.venue.take(book, order)
            self.venue.liquidator.settle(at_ms)
        return order.state()

    def test(self, account: Account, request: NewOrder, at_ms: int) -> None:
        """Judge an order as `place` does, and leave it at that."""
        self.advance(at_ms)
        self._admission.order(account, request)

    def place_conditional(self, account: Account, request: NewOrder, at_ms: int) -> AlgoState:
        """Take a conditional order; it waits, and is not judged on margin or position before its trigger."""
        self.advance(at_ms)
        book, order, seen = self._admission.conditional(account, request)
        self._algo.wait(book, order)
        if seen is not None:
            self._algo.trigger(book, order, seen)
            self.venue.liquidator.settle(at_ms)
        return order.state()

    def amend(self, account: Account, change: Amendment, at_ms: int) -> OrderState:
        """Give a resting LIMIT order another quantity and price; it goes to the end of its queue, or takes."""
        self.advance(at_ms)
        book = self._admission.book(change.symbol)
        order = amended(self.venue, account, book, change)
        self.venue.liquidator.settle(at_ms)
        return order.state()

    def cancel(self, account: Account, symbol: str, key: OrderKey, at_ms: int) -> OrderState:
        """End a working order; -2011 where there is none by that id."""
        self.advance(at_ms)
        book = self._admission.book(symbol)
        order = account.open.order(key)
        if order is None or order.symbol != symbol:
            raise Refusal(*refusals.UNKNOWN_ORDER)
        self.venue.end(book, order, Status.CANCELED)
        return order.state()

    def cancel_conditional(self, account: Account, key: OrderKey, at_ms: int, symbol: str = "") -> AlgoState:
        """End a conditional order that waits; -2011 where there is none, -4117 at the instant of its trigger."""
        self.advance(at_ms)
        order = account.open.conditional(key)
        if order is None or symbol not in ("", order.symbol):
            triggered = self._triggered(account, key)
            if triggered is not None and triggered.triggered_ms == self.now_ms:
                raise Refusal(*refusals.TRIGGERING)
            raise Refusal(*refusals.UNKNOWN_ORDER)
        self.venue.end_waiting(self.books[order.symbol], order, AlgoStatus.CANCELED)
        return order.state()

    def cancel_all(self, account: Account, symbol: str, at_ms: int) -> int:
        """End all working orders of a symbol; how many."""
        self.advance(at_ms)
        return self.clockwork.cancel_working(account, self._admission.book(symbol))

    def cancel_all_conditional(self, account: Account, symbol: str, at_ms: int) -> int:
        """End all conditional orders of a symbol that wait; how many."""
        self.advance(at_ms)
        return self.clockwork.cancel_waiting(account, self._admission.book(symbol))

    def countdown(self, account: Account, symbol: str, countdown_ms: int, at_ms: int) -> None:
        """Cancel all orders of the symbol after `countdown_ms`, unless it is set anew before; 0 calls it off."""
        self.advance(at_ms)
        self._admission.book(symbol)
        self.clockwork.count_down(account, symbol, countdown_ms)

    def order(self, account: Account, symbol: str, key: OrderKey) -> OrderState:
        """An order, working or ended; the latest one where a client id was used again; -2013."""
        self._admission.book(symbol)
        order = account.open.order(key)
        if order is not None and order.symbol == symbol:
            return order.state()
        ended = account.history.order(symbol, key, self.now_ms)
        if ended is None:
            raise Refusal(*refusals.NO_SUCH_ORDER)
        return ended

    def conditional(self, account: Account, key: OrderKey, symbol: str = "") -> AlgoState:
        """A conditional order, waiting, triggered or ended; -2013."""
        order = account.open.conditional(key) or self._triggered(account, key)
        if order is not None and symbol in ("", order.symbol):
            return order.state()
        ended = account.history.conditional(key, self.now_ms, symbol)
        if ended is None:
            raise Refusal(*refusals.NO_SUCH_ORDER)
        return ended

    def open_orders(self, account: Account, symbol: str = "") -> list[OrderState]:
        """The working orders, the oldest first; of all symbols where none is named."""
        orders = account.open.of(symbol) if symbol else account.open.working
        return [order.state() for order in orders.values()]

    def open_conditionals(self, account: Account, symbol: str = "") -> list[AlgoState]:
        """The conditional orders that wait, the oldest first."""
        return [order.state() for order in account.open.waiting.values() if symbol in ("", order.symbol)]

    # What the owner of an account sets

    def set_leverage(self, account: Account, symbol: str, leverage: int, at_ms: int) -> None:
        self.advance(at_ms)
        self._admission.book(symbol)
        modes.set_leverage(account, symbol, leverage, self.venue)
        self.venue.tell(ConfigUpdate(account.name, at_ms, symbol, leverage))
        self._changed(account)

    def set_margin_type(self, account: Account, symbol: str, margin_type: MarginType, at_ms: int) -> None:
        self.advance(at_ms)
        book = self._admission.book(symbol)
        waits = any(order.symbol == symbol for order in account.open.waiting.values())
        modes.set_margin_type(account, symbol, margin_type, has_orders=bool(account.open.of(symbol)) or waits)
        mark, asset = book.mark_px, book.instrument.quote_asset
        sides = (PositionSide.LONG, PositionSide.SHORT) if account.hedge else (PositionSide.BOTH,)
        self.venue.tell(AccountUpdate(
            account.name, at_ms, Reason.MARGIN_TYPE_CHANGE, (account.balance_state(asset),),
            tuple(account.position_state(symbol, side, mark) for side in sides),
        ))
        self._changed(account)

    def set_hedge_mode(self, account: Account, hedge: bool, at_ms: int) -> None:
        self.advance(at_ms)
        modes.set_hedge_mode(account, hedge, has_orders=bool(account.open.working or account.open.waiting))

    def move_margin(
        self, account: Account, symbol: str, position_side: PositionSide, amount: Decimal, at_ms: int,
    ) -> None:
        """Put `amount` more of the wallet behind an isolated position, or take some back where it is below zero."""
        self.advance(at_ms)
        self._admission.book(symbol)
        self.venue.tell(modes.move_margin(account, symbol, position_side, amount, self.venue, at_ms))
        self._changed(account)

    def transfer(self, account: Account, amount: Decimal, at_ms: int, asset: str = "USDT") -> None:
        """Pay into the account, or out of it where the amount is below zero."""
        self.advance(at_ms)
        self.venue.tell(modes.transfer(account, asset, amount, self.venue, at_ms))
        self._changed(account)

    # What others do to an account

    def close_by_hand(
        self, account: Account, symbol: str, position_side: PositionSide, qty: Decimal, at_ms: int,
    ) -> None:
        """Close of a position as its owner does it on Binance's page: at market, by a client id of the page's."""
        side = self._closing(account, symbol, position_side)
        self.place(account, NewOrder(
            symbol, side, OrderType.MARKET, qty, f"web_{self.now_ms}_{self.venue.next_place()}", position_side,
            reduce_only=position_side is PositionSide.BOTH,
        ), at_ms)

    def deleverage(
        self, account: Account, symbol: str, position_side: PositionSide, qty: Decimal, at_ms: int,
    ) -> None:
        """Close of a position for a bankrupt counterparty, at the mark."""
        self.advance(at_ms)
        side = self._closing(account, symbol, position_side)
        book = self._admission.book(symbol)
        client_id = f"adl_autoclose-{self.now_ms}"
        self.venue.force(account, symbol, position_side, side, qty, client_id, self.now_ms, price=book.mark_px)
        self.venue.liquidator.settle(at_ms)

    def fill_resting(self, account: Account, symbol: str, key: OrderKey, qty: Decimal, at_ms: int) -> None:
        """Fill a resting limit at its own price by at most `qty`, as a trade of others through it would."""
        self.advance(at_ms)
        book = self._admission.book(symbol)
        order = account.open.order(key)
        if order is None or order.symbol != symbol:
            raise Refusal(*refusals.UNKNOWN_ORDER)
        self.venue.fill_resting(book, order, qty)
        self.venue.liquidator.settle(at_ms)

    # Inside

    def _triggered(self, account: Account, key: OrderKey) -> WaitingOrder | None:
        """A conditional order whose placed order is not over."""
        if isinstance(key, int):
            return account.open.triggered.get(key)
        found = [order for order in account.open.triggered.values() if order.request.client_order_id == key]
        return found[-1] if found else None

    def _closing(self, account: Account, symbol: str, position_side: PositionSide) -> Side:
        """The side that closes a position; -2022 where there is none."""
        self._admission.book(symbol)
        qty = account.holding(symbol, position_side).qty
        if not qty:
            raise Refusal(*refusals.REDUCE_ONLY)
        return Side.SELL if qty > ZERO else Side.BUY

    def _endow(self, book: Book) -> None:
        """Give the accounts what they hold of a symbol from the start, once it has a price."""
        if book.last is None and book.quote is None:
            return
        for account, position in self._endowments.pop(book.symbol, []):
            entry = position.entry_px or book.last_px
            account.endow(book.instrument, PositionSide.BOTH, position.qty, entry, self.now_ms)
            if position.qty:
                book.holders.add(account.name)
            self.venue.liquidator.changed(account)

    def _changed(self, account: Account) -> None:
        """An account has another margin now."""
        self.venue.liquidator.changed(account)
        self.venue.liquidator.settle(self.now_ms)
