"""Liquidation: what the exchange does with an account that can no longer carry its positions.

*When*.  Of cross margin when the margin balance of an asset (cross wallet and cross profit at the mark) is at or below
the maintenance margins of its cross positions; of an isolated position when its own wallet and profit are.  A margin
call is told once when maintenance passes `WARNED_AT` of the balance, and again only after it has been below.

*How*.  All open orders of what is affected end EXPIRED (er 5), conditional ones EXPIRED too.  Then each position is
closed by a forced IOC market order `autoclose-…` against the book, as a whole: the exchange's partial steps are not
published.  The largest maintenance margin goes first, until what is left is sound and the wallet not below zero, which
the profit of a hedge may cover.  What the book cannot take the exchange takes over at the price that leaves nothing,
by another such order.  The fee of liquidation, a fraction of the closed notional at the mark, goes from what is left
to the insurance fund, and the fund pays what is missing: both are income of the kind INSURANCE_CLEAR.

*Cost*.  Each account has a band of prices for each symbol it holds, in which nothing can happen to it as long as all
its symbols stay in theirs; a price inside of all bands costs two comparisons.

Source: Binance USDⓈ-M user events, and its pages on liquidation.  The level of the margin call, the order of the
positions and the splitting of the fee are not published.
"""

from collections.abc import Mapping
from decimal import ROUND_CEILING, ROUND_DOWN, Context, Decimal
from typing import NamedTuple, Protocol

from runner.domain.instrument import Instrument
from runner.domain.values import EXACT, ZERO, Rounding, Side
from runner.venue.account import Account
from runner.venue.contracts import Contract
from runner.venue.facts import AccountUpdate, Fact, MarginCalled
from runner.venue.holdings import Holding, booked
from runner.venue.margin import Venue, bankruptcy_price, crossed, maintenance, margin_balance
from runner.venue.terms import Expiry, IncomeType, PositionSide, Reason

WARNED_AT = Decimal("0.8")
_WIDTH = Context(prec=12, rounding=ROUND_DOWN)
_SLOW_RECOVERY = Decimal(8)

Band = tuple[Decimal, Decimal]


class Desk(Protocol):
    """What liquidation asks of the matching side of the exchange."""

    insurance: Decimal

    def instrument(self, symbol: str) -> Instrument: ...

    def cancel_for(self, account: Account, symbol: str | None, at_ms: int, expiry: Expiry) -> int:
        """End all orders of both worlds, of a symbol or (None) of all that trade under cross margin."""
        ...

    def force(
        self, account: Account, symbol: str, position_side: PositionSide, side: Side, qty: Decimal, client_id: str,
        at_ms: int, *, price: Decimal | None = None,
    ) -> object:
        """Close at market against the book, or all of it at a price."""
        ...

    def tell(self, fact: Fact) -> None: ...


class _Scope(NamedTuple):
    """Positions that stand together, and the part of the wallet that stands for them."""

    key: tuple[str, ...]
    asset: str
    holdings: list[Holding]
    isolated: bool


class Liquidator:
    """Watches the accounts of one exchange.  Whoever changes a wallet or a position says so by `changed`."""

    def __init__(self, venue: Venue, accounts: Mapping[str, Account], desk: Desk) -> None:
        self._venue = venue
        self._accounts = accounts
        self._desk = desk
        self._changed: dict[str, Account] = {}
        self._bands: dict[str, dict[str, Band]] = {}
        self._outer: dict[str, Band] = {}
        self._warned: set[tuple[str, ...]] = set()
        self._forced = 0

    def changed(self, account: Account) -> None:
        """The account's wallet, positions or settings are others now; it is judged at the next opportunity."""
        self._changed[account.name] = account

    def check(self, symbol: str, low: Decimal, high: Decimal, at_ms: int) -> None:
        """The mark of a symbol has been from `low` to `high`, and now is what the venue says."""
        if not self._changed:
            band = self._outer.get(symbol)
            if band is None or (band[0] < low and high < band[1]):
                return
        self.settle(at_ms, symbol, low, high)
        near = self._bands.get(symbol, {})
        for name in [name for name, band in near.items() if low <= band[0] or high >= band[1]]:
            self._judge(self._accounts[name], symbol, low, high, at_ms)
        self.settle(at_ms)

    def settle(self, at_ms: int, symbol: str = "", low: Decimal = ZERO, high: Decimal = ZERO) -> None:
        """Judge the accounts that have changed: at the marks, and where `symbol` is named over its range."""
        while self._changed:
            _, account = self._changed.popitem()
            self._judge(account, symbol, low, high, at_ms)

    def _judge(self, account: Account, symbol: str, low: Decimal, high: Decimal, at_ms: int) -> None:
        """Look at an account at the range of a symbol's mark and at all present marks, and lay its bands anew."""
        mark = self._venue.mark(symbol) if symbol else ZERO
        for price in dict.fromkeys((low, high)) if symbol else ():
            if price != mark and account.holds(symbol):
                self._look(account, _Elsewhere(self._venue, symbol, price), at_ms, price)
        self._changed.pop(account.name, None)
        states = self._look(account, self._venue, at_ms, None)
        if account.name not in self._changed:
            self._watch(account, _safe_bands(states, self._venue))

    def _look(
        self, account: Account, venue: Venue, at_ms: int, extreme: Decimal | None,
    ) -> list[tuple[_Scope, Decimal, Decimal]]:
        """Do what has to be done; the scopes with their balance and their maintenance margin."""
        states = []
        for scope in _scopes(account):
            balance, maintained = _state(account, scope, venue)
            states.append((scope, balance, maintained))
            key = (account.name, *scope.key)
            if scope.holdings and balance <= maintained:
                self._warned.discard(key)
                self._liquidate(account, scope, venue, at_ms, extreme)
                self.changed(account)
            elif maintained > ZERO and maintained >= EXACT.multiply(balance, WARNED_AT):
                if key not in self._warned:
                    self._warned.add(key)
                    self._call(account, scope, venue, at_ms)
            else:
                self._warned.discard(key)
                if not scope.holdings and balance < ZERO:
                    self._clear(account, scope.asset, -balance, at_ms)
        return states

    def _call(self, account: Account, scope: _Scope, venue: Venue, at_ms: int) -> None:
        positions = []
        for held in scope.holdings:
            mark = venue.mark(held.symbol)
            state = account.position_state(held.symbol, held.side, mark)
            positions.append((state, mark, maintenance(held, venue)))
        self._desk.tell(MarginCalled(account.name, at_ms, account.cross_wallet(scope.asset), tuple(positions)))

    def _liquidate(
        self, account: Account, scope: _Scope, venue: Venue, at_ms: int, extreme: Decimal | None,
    ) -> None:
        symbol = scope.holdings[0].symbol if scope.isolated else None
        self._desk.cancel_for(account, symbol, at_ms, Expiry.LIQUIDATION)
        for held in sorted(scope.holdings, key=lambda held: maintenance(held, venue), reverse=True):
            balance, maintained = _state(account, scope, venue)
            if balance > maintained and account.cross_wallet(scope.asset) >= ZERO:
                break
            self._close(account, scope, held, venue, at_ms, extreme)
        left = account.cross_wallet(scope.asset)
        if left < ZERO and not crossed(account, scope.asset):
            self._clear(account, scope.asset, -left, at_ms)

    def _close(
        self, account: Account, scope: _Scope, held: Holding, venue: Venue, at_ms: int, extreme: Decimal | None,
    ) -> None:
        """Close a position by force; what an isolated one loses beyond its own wallet is not the account's."""
        before, qty, mark = account.cross_wallet(scope.asset), abs(held.qty), venue.mark(held.symbol)
        at_market = self._venue.mark(held.symbol) == mark
        self._force(account, held, at_ms, None if at_market else extreme)
        if held.qty:
            price = bankruptcy_price(held, _state(account, scope, venue)[0], mark)
            self._force(account, held, at_ms, self._on_tick(held, price))
        fee = EXACT.multiply(EXACT.multiply(qty, mark), venue.contract(held.symbol).liquidation_fee)
        wallet = account.cross_wallet(scope.asset)
        if scope.isolated:
            left = EXACT.subtract(wallet, before)
            if left < ZERO:
                self._clear(account, scope.asset, -left, at_ms, held.symbol)
        else:
            left = min(wallet, margin_balance(account, scope.asset, venue))
        taken = min(booked(fee, ROUND_CEILING), left)
        if taken > ZERO:
            self._clear(account, scope.asset, -taken, at_ms, held.symbol)

    def _force(self, account: Account, held: Holding, at_ms: int, price: Decimal | None) -> None:
        self._forced += 1
        side = Side.SELL if held.qty > ZERO else Side.BUY
        client_id = f"autoclose-{at_ms}{self._forced:06d}"
        self._desk.force(account, held.symbol, held.side, side, abs(held.qty), client_id, at_ms, price=price)

    def _on_tick(self, held: Holding, price: Decimal) -> Decimal:
        """The price of a takeover on the tick, rounded against the account."""
        instrument = self._desk.instrument(held.symbol)
        rounded = instrument.round_price(price, Rounding.DOWN if held.qty > ZERO else Rounding.UP)
        return max(rounded, instrument.tick_size)

    def _clear(self, account: Account, asset: str, amount: Decimal, at_ms: int, symbol: str = "") -> None:
        """Let the insurance fund pay to the account, or, below zero, take from it."""
        self._desk.insurance = EXACT.subtract(self._desk.insurance, amount)
        account.pay(IncomeType.INSURANCE_CLEAR, asset, amount, at_ms, symbol)
        balances = (account.balance_state(asset, amount),)
        self._desk.tell(AccountUpdate(account.name, at_ms, Reason.INSURANCE_CLEAR, balances))

    def _watch(self, account: Account, bands: dict[str, Band]) -> None:
        """Lay the account's bands anew."""
        name = account.name
        gone = [symbol for symbol, near in self._bands.items() if name in near and symbol not in bands]
        for symbol in gone:
            del self._bands[symbol][name]
        for symbol, band in bands.items():
            self._bands.setdefault(symbol, {})[name] = band
        for symbol in (*gone, *bands):
            near = self._bands[symbol].values()
            if near:
                self._outer[symbol] = max(band[0] for band in near), min(band[1] for band in near)
            else:
                self._outer.pop(symbol, None)


class _Elsewhere(NamedTuple):
    """The venue with the mark of one symbol at another price."""

    venue: Venue
    symbol: str
    price: Decimal

    def mark(self, symbol: str) -> Decimal:
        return self.price if symbol == self.symbol else self.venue.mark(symbol)

    def contract(self, symbol: str) -> Contract:
        return self.venue.contract(symbol)

    def asset(self, symbol: str) -> str:
        return self.venue.asset(symbol)


def _scopes(account: Account) -> list[_Scope]:
    """All that can be liquidated by itself; a cross wallet also where it stands for nothing."""
    scopes, crosses = [], dict[str, list[Holding]]()
    for held in account.held():
        if account.config(held.symbol).isolated:
            scopes.append(_Scope((held.symbol, held.side), held.asset, [held], isolated=True))
        else:
            crosses.setdefault(held.asset, []).append(held)
    for asset in dict.fromkeys((*account.wallets, *crosses)):
        scopes.append(_Scope((asset,), asset, crosses.get(asset, []), isolated=False))
    return scopes


def _state(account: Account, scope: _Scope, venue: Venue) -> tuple[Decimal, Decimal]:
    """The margin balance and the maintenance margin of what is still held of a scope."""
    balance = scope.holdings[0].isolated_wallet if scope.isolated else account.cross_wallet(scope.asset)
    maintained = ZERO
    for held in scope.holdings:
        if held.qty:
            mark = venue.mark(held.symbol)
            balance = EXACT.add(balance, held.unrealized(mark))
            maintained = EXACT.add(maintained, maintenance(held, venue, mark))
    return balance, maintained


def _safe_bands(states: list[tuple[_Scope, Decimal, Decimal]], venue: Venue) -> dict[str, Band]:
    """By symbol, the marks between which neither a margin call nor a liquidation nor its end can come.

    A price that moves by x moves balance and maintenance by at most |qty| × x each; the room is shared out evenly
    between the symbols of a scope.  After a margin call it is no matter if its end is noticed late.
    """
    bands: dict[str, Band] = {}
    for scope, balance, maintained in states:
        if not scope.holdings:
            continue
        sizes: dict[str, Decimal] = {}
        for held in scope.holdings:
            sizes[held.symbol] = EXACT.add(sizes.get(held.symbol, ZERO), abs(held.qty))
        room = EXACT.subtract(balance, maintained)
        warning = EXACT.subtract(EXACT.multiply(balance, WARNED_AT), maintained)
        slack = warning if warning > ZERO else min(room, max(-warning, _WIDTH.divide(room, _SLOW_RECOVERY)))
        for symbol, size in sizes.items():
            width = _WIDTH.divide(slack, EXACT.multiply(size, Decimal(2 * len(sizes))))
            mark = venue.mark(symbol)
            low, high = EXACT.subtract(mark, width), EXACT.add(mark, width)
            if symbol in bands:
                low, high = max(low, bands[symbol][0]), min(high, bands[symbol][1])
            bands[symbol] = low, high
    return bands
