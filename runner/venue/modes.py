"""What the owner of an account may change about it: leverage, margin type, hedge mode, isolated margin, deposits.

Each function judges, raises a `Refusal`, or does it.  Whether open orders forbid it is told by the caller.

Source: USDⓈ-M error codes, "Trade Endpoints" on leverage, margin type and position mode.
"""

from decimal import Decimal

from runner.domain.values import EXACT, ZERO
from runner.venue.account import Account
from runner.venue.facts import AccountUpdate
from runner.venue.margin import (
    OVER_BRACKET,
    Venue,
    available,
    order_margin,
    position_margin,
    position_sides,
    reach,
    withdrawable,
)
from runner.venue.refusals import Refusal
from runner.venue.terms import IncomeType, MarginType, PositionSide, Reason


def set_leverage(account: Account, symbol: str, leverage: int, venue: Venue) -> None:
    """Trade a symbol with another leverage.

    Raises:
        Refusal: -4028 outside 1 and what the first bracket allows; -4161 less of it for an isolated position; -2027
            positions and orders are more than it allows; -2028 they would bind more than there is.
    """
    contract, config = venue.contract(symbol), account.config(symbol)
    if not 1 <= leverage <= contract.max_leverage:
        raise Refusal(-4028, f"Leverage {leverage} is not valid")
    sides = position_sides(account)
    held = any(account.holding(symbol, side).qty for side in sides)
    if config.isolated and held and leverage < config.leverage:
        raise Refusal(-4161, "Leverage reduction is not supported in Isolated Margin Mode with open positions.")
    if any(reach(account, symbol, side, venue) > contract.max_notional(leverage) for side in sides):
        raise Refusal(*OVER_BRACKET)
    if leverage < config.leverage:
        before = _bound(account, symbol, venue)
        free = available(account, venue.asset(symbol), venue)
        after = EXACT.divide(EXACT.multiply(before, Decimal(config.leverage)), Decimal(leverage))
        if EXACT.subtract(after, before) > max(free, ZERO):
            raise Refusal(-2028, "Leverage is smaller than permitted: insufficient margin balance.")
    config.leverage = leverage


def set_margin_type(account: Account, symbol: str, margin_type: MarginType, *, has_orders: bool) -> None:
    """Let the symbol's positions stand on the whole wallet, or each on its own part of it.

    Raises:
        Refusal: -4046 it is so already; -4047 and -4048 while there are orders or a position.
    """
    config = account.config(symbol)
    if config.margin_type is margin_type:
        raise Refusal(-4046, "No need to change margin type.")
    if has_orders:
        raise Refusal(-4047, "Margin type cannot be changed if there exists open orders.")
    if any(account.holding(symbol, side).qty for side in position_sides(account)):
        raise Refusal(-4048, "Margin type cannot be changed if there exists position.")
    config.margin_type = margin_type


def set_hedge_mode(account: Account, hedge: bool, *, has_orders: bool) -> None:
    """Hold a long and a short position of each symbol side by side, or one.

    Raises:
        Refusal: -4059 it is so already; -4067 and -4068 while there are orders or a position anywhere.
    """
    if account.hedge is hedge:
        raise Refusal(-4059, "No need to change position side.")
    if has_orders:
        raise Refusal(-4067, "Position side cannot be changed if there exists open orders.")
    if account.held():
        raise Refusal(-4068, "Position side cannot be changed if there exists position.")
    account.hedge = hedge


def move_margin(
    account: Account, symbol: str, position_side: PositionSide, amount: Decimal, venue: Venue, at_ms: int,
) -> AccountUpdate:
    """Put more of the wallet behind an isolated position, or, below zero, take some of it back.

    What stays has to cover the initial margin at the mark and a loss; a profit does not count.

    Raises:
        Refusal: -4055 nothing to move; -4054 no isolated position; -4050 and -4051 more than can be moved.
    """
    held = account.holding(symbol, position_side)
    if amount == ZERO:
        raise Refusal(-4055, "Amount must be positive.")
    if not held.qty or not account.config(symbol).isolated:
        raise Refusal(-4054, "Cannot add position margin: position is 0.")
    mark = venue.mark(symbol)
    if amount > withdrawable(account, held.asset, venue):
        raise Refusal(-4050, "Cross balance insufficient.")
    left = EXACT.add(EXACT.add(held.isolated_wallet, amount), min(held.unrealized(mark), ZERO))
    if amount < ZERO and left < position_margin(account, symbol, position_side, venue):
        raise Refusal(-4051, "Isolated balance insufficient.")
    held.isolated_wallet = EXACT.add(held.isolated_wallet, amount)
    held.updated_ms = at_ms
    positions = (account.position_state(symbol, position_side, mark),)
    balances = (account.balance_state(held.asset),)
    return AccountUpdate(account.name, at_ms, Reason.MARGIN_TRANSFER, balances, positions)


def transfer(account: Account, asset: str, amount: Decimal, venue: Venue, at_ms: int) -> AccountUpdate:
    """Pay into the account, or, below zero, out of it.

    Raises:
        Refusal: -4055 nothing to move; -2018 more than is free.
    """
    if amount == ZERO:
        raise Refusal(-4055, "Amount must be positive.")
    if amount < ZERO and -amount > withdrawable(account, asset, venue):
        raise Refusal(-2018, "Balance is insufficient.")
    account.pay(IncomeType.TRANSFER, asset, amount, at_ms)
    reason = Reason.DEPOSIT if amount > ZERO else Reason.WITHDRAW
    return AccountUpdate(account.name, at_ms, reason, (account.balance_state(asset, amount),))


def _bound(account: Account, symbol: str, venue: Venue) -> Decimal:
    """What the symbol binds of the cross wallet."""
    bound = ZERO
    for side in position_sides(account):
        bound = EXACT.add(bound, order_margin(account, symbol, side, venue))
        if not account.config(symbol).isolated:
            bound = EXACT.add(bound, position_margin(account, symbol, side, venue))
    return bound
