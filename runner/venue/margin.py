"""What of an account is bound, what is free, and at which price it would be liquidated.  Pure; all in quote units.

Initial margin is notional / leverage.  In one-way mode a position and the orders that can open it bind together the
worse side: all buys execute, or all sells (Binance shows both sums as `bidNotional` and `askNotional`); in hedge mode
each side binds for itself.  An order that would lose at once against the mark binds that loss too.  Fees are not
counted: Binance's published cost of an order is initial margin plus open loss.  What only reduces binds nothing.

Source: Binance's help page on the cost of opening a position (open loss, the price assumed of
a MARKET order).
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Protocol

from runner.domain.values import EXACT, ZERO, Side
from runner.venue.account import Account
from runner.venue.contracts import Contract
from runner.venue.holdings import Holding, summed
from runner.venue.orders import WorkingOrder
from runner.venue.terms import PositionSide

NO_MARGIN = (-2019, "Margin is insufficient.")
OVER_BRACKET = (-2027, "Exceeded the maximum allowable position at current leverage.")
_MARKET_REACH = Decimal("1.0005")


class Venue(Protocol):
    """What margin must know of the exchange."""

    def mark(self, symbol: str) -> Decimal:
        """The mark price."""
        ...

    def contract(self, symbol: str) -> Contract: ...

    def asset(self, symbol: str) -> str:
        """The asset in which the symbol's margin is kept."""
        ...


def assumed_price(side: Side, bid: Decimal, ask: Decimal, mark: Decimal) -> Decimal:
    """The price at which Binance reckons the margin of an order without a limit."""
    return EXACT.multiply(ask, _MARKET_REACH) if side is Side.BUY else max(bid, mark)


def lacks_margin(
    account: Account, symbol: str, position_side: PositionSide, side: Side, qty: Decimal, price: Decimal,
    venue: Venue, replaced: WorkingOrder | None = None,
) -> tuple[int, str] | None:
    """Why the account may not add an order that can open: the code and the words, or None.

    `replaced` is the working opener that it takes the place of.  Binding no more than before is always allowed, and so
    is what closes at a loss to the mark, which would else be kept from saving what is left.
    """
    mark = venue.mark(symbol)
    buys, sells, lost = _orders(account, symbol, position_side, mark)
    held = account.holding(symbol, position_side)
    before = worst(held, mark, buys, sells)
    bound = EXACT.add(EXACT.divide(before, _leverage(account, symbol)), lost)
    for asked, leaves, limit, sign in _changes(side, qty, price, replaced):
        cost = EXACT.multiply(sign * leaves, limit)
        if asked is Side.BUY:
            buys = EXACT.add(buys, cost)
        else:
            sells = EXACT.add(sells, cost)
        lost = EXACT.add(lost, _open_loss(asked, sign * leaves, limit, mark))
    after = worst(held, mark, buys, sells)
    if after <= before and held.qty * side.sign < ZERO:
        return None
    if after > before and after > venue.contract(symbol).max_notional(account.config(symbol).leverage):
        return OVER_BRACKET
    more = EXACT.subtract(EXACT.add(EXACT.divide(after, _leverage(account, symbol)), lost), bound)
    if more > ZERO and more > available(account, venue.asset(symbol), venue):
        return NO_MARGIN
    return None


def available(account: Account, asset: str, venue: Venue) -> Decimal:
    """What may still be bound: cross wallet and cross profit, less all that is bound; below zero after losses.

    An isolated position has its margin in its own wallet; orders of its symbol bind the cross wallet.
    """
    free = margin_balance(account, asset, venue)
    for held in crossed(account, asset):
        worth = held.notional(venue.mark(held.symbol))
        free = EXACT.subtract(free, EXACT.divide(worth, _leverage(account, held.symbol)))
    for symbol, position_side in dict.fromkeys(account.open.opening()):
        if venue.asset(symbol) == asset:
            free = EXACT.subtract(free, order_margin(account, symbol, position_side, venue))
    return free


def withdrawable(account: Account, asset: str, venue: Venue) -> Decimal:
    """What may leave the cross wallet: what is available, without profit that is not realised; zero at the least."""
    profit = unrealized(crossed(account, asset), venue)
    return max(ZERO, EXACT.subtract(available(account, asset, venue), max(profit, ZERO)))


def position_margin(account: Account, symbol: str, position_side: PositionSide, venue: Venue) -> Decimal:
    """The initial margin of a position at the mark."""
    held = account.holding(symbol, position_side)
    return EXACT.divide(held.notional(venue.mark(symbol)), _leverage(account, symbol))


def order_margin(account: Account, symbol: str, position_side: PositionSide, venue: Venue) -> Decimal:
    """What the working orders of a position bind beyond its own initial margin."""
    mark = venue.mark(symbol)
    held = account.holding(symbol, position_side)
    buys, sells, lost = _orders(account, symbol, position_side, mark)
    more = EXACT.subtract(worst(held, mark, buys, sells), held.notional(mark))
    return EXACT.add(EXACT.divide(more, _leverage(account, symbol)), lost)


def reach(account: Account, symbol: str, position_side: PositionSide, venue: Venue) -> Decimal:
    """The largest position, at the mark, that what is held and the working orders can become."""
    mark = venue.mark(symbol)
    claims = account.open.claims(symbol, position_side)
    return worst(account.holding(symbol, position_side), mark, claims.buy_notional, claims.sell_notional)


def position_sides(account: Account) -> tuple[PositionSide, ...]:
    """The positions of each symbol in the account's mode."""
    return (PositionSide.LONG, PositionSide.SHORT) if account.hedge else (PositionSide.BOTH,)


def worst(held: Holding, mark: Decimal, buys: Decimal, sells: Decimal) -> Decimal:
    """The larger of what is held when all buys execute, and when all sells do; orders by what they cost."""
    worth = EXACT.multiply(held.qty, mark)
    return max(abs(worth), EXACT.add(worth, buys), EXACT.subtract(sells, worth))


def maintenance(held: Holding, venue: Venue, mark: Decimal | None = None) -> Decimal:
    """The maintenance margin of a position at the venue's mark, or at another one."""
    if not held.qty:
        return ZERO
    return venue.contract(held.symbol).maintenance(held.notional(venue.mark(held.symbol) if mark is None else mark))


def margin_balance(account: Account, asset: str, venue: Venue) -> Decimal:
    """The cross wallet with the unrealised profit of the cross positions."""
    return EXACT.add(account.cross_wallet(asset), unrealized(crossed(account, asset), venue))


def crossed(account: Account, asset: str) -> list[Holding]:
    """The open positions that the cross wallet of `asset` stands for."""
    return [held for held in account.held(asset) if not account.config(held.symbol).isolated]


def unrealized(holdings: Iterable[Holding], venue: Venue) -> Decimal:
    profit = ZERO
    for held in holdings:
        profit = EXACT.add(profit, held.unrealized(venue.mark(held.symbol)))
    return profit


def liquidation_price(account: Account, symbol: str, position_side: PositionSide, venue: Venue) -> Decimal:
    """The mark at which the position is liquidated while all other marks stay; zero where no price does it.

    Of cross margin in hedge mode both sides of the symbol move together.  The bracket is that of the result.
    """
    held = account.holding(symbol, position_side)
    if not held.qty:
        return ZERO
    if account.config(symbol).isolated:
        moving, stake = [held], held.isolated_wallet
    else:
        positions = crossed(account, held.asset)
        moving = [other for other in positions if other.symbol == symbol]
        others = [other for other in positions if other.symbol != symbol]
        maintained = summed(maintenance(other, venue) for other in others)
        stake = EXACT.add(account.cross_wallet(held.asset), EXACT.subtract(unrealized(others, venue), maintained))
    return _threshold(moving, stake, venue.contract(symbol), venue.mark(symbol))


def bankruptcy_price(held: Holding, stake: Decimal, mark: Decimal) -> Decimal:
    """The price that turns `stake`, the margin balance at `mark`, into nothing by closing the position."""
    return EXACT.subtract(mark, EXACT.divide(stake, held.qty))


def _threshold(moving: list[Holding], stake: Decimal, contract: Contract, mark: Decimal) -> Decimal:
    """Where stake + Σ qty × (p − entry) = Σ (|qty| × p × rate − cum); positions of one symbol."""
    price = mark
    for _ in contract.brackets:
        numerator, slope = stake, ZERO
        for held in moving:
            bracket = contract.bracket(held.notional(price))
            numerator = EXACT.add(numerator, EXACT.subtract(bracket.cum, EXACT.multiply(held.qty, held.entry_px)))
            slope = EXACT.add(slope, EXACT.subtract(EXACT.multiply(abs(held.qty), bracket.rate), held.qty))
        if not slope:
            return ZERO
        found = EXACT.divide(numerator, slope)
        if found <= ZERO:
            return ZERO
        same = all(contract.bracket(held.notional(found)) is contract.bracket(held.notional(price)) for held in moving)
        price = found
        if same:
            break
    return price


def _orders(
    account: Account, symbol: str, position_side: PositionSide, mark: Decimal,
) -> tuple[Decimal, Decimal, Decimal]:
    """What the buys and the sells that can open cost, and what of both would be lost at once."""
    claims = account.open.claims(symbol, position_side)
    lost = ZERO
    for order in claims.losing(mark):
        if order.limit is not None:
            lost = EXACT.add(lost, _open_loss(order.side, order.leaves, order.limit, mark))
    return claims.buy_notional, claims.sell_notional, lost


def _changes(
    side: Side, qty: Decimal, price: Decimal, replaced: WorkingOrder | None,
) -> list[tuple[Side, Decimal, Decimal, int]]:
    """Orders that come (+1) and go (-1)."""
    changes = [(side, qty, price, 1)]
    if replaced is not None and replaced.limit is not None:
        changes.append((replaced.side, replaced.leaves, replaced.limit, -1))
    return changes


def _open_loss(side: Side, qty: Decimal, price: Decimal, mark: Decimal) -> Decimal:
    return EXACT.multiply(qty, max(ZERO, (price - mark) * side.sign))


def _leverage(account: Account, symbol: str) -> Decimal:
    return Decimal(account.config(symbol).leverage)
