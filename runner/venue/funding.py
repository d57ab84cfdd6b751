"""Funding: what holders of a perpetual contract exchange every few hours.

A payment is |qty| × mark × rate; longs pay shorts where the rate is above zero.  The exchange keeps nothing but the
rounding, which is to 8 decimals against the account.  Where the rate is not known, whoever holds pays `UNKNOWN_RATE`,
long or short: a dry run must not gain by what nobody knows.

Source: Binance USDⓈ-M "Introduction to funding rates", and the event ACCOUNT_UPDATE.
"""

from decimal import ROUND_FLOOR, Decimal

from runner.domain.values import EXACT, ZERO
from runner.venue.account import Account
from runner.venue.facts import AccountUpdate, PositionState
from runner.venue.holdings import Holding, booked
from runner.venue.terms import IncomeType, Reason

UNKNOWN_RATE = Decimal("0.0001")
_HOUR = 3_600_000


def next_funding_ms(now_ms: int, hours: int) -> int:
    """The first funding time after `now_ms`: with 8 hours these are 00:00, 08:00 and 16:00 UTC."""
    interval = hours * _HOUR
    return (now_ms // interval + 1) * interval


def charge(
    account: Account, symbol: str, asset: str, mark: Decimal, rate: Decimal | None, at_ms: int,
) -> list[AccountUpdate]:
    """Let the account pay or get what its positions of the symbol are due; a fact for cross margin tells the balance
    alone, one for an isolated position that position too."""
    isolated = account.config(symbol).isolated
    facts, change = [], ZERO
    for held in account.held():
        amount = payment(held, mark, rate) if held.symbol == symbol else ZERO
        if amount:
            own = held.side if isolated else None
            account.pay(IncomeType.FUNDING_FEE, asset, amount, at_ms, symbol, isolated=own)
            change = EXACT.add(change, amount)
            if isolated:
                shown = (account.position_state(symbol, held.side, mark),)
                facts.append(_told(account, symbol, asset, amount, at_ms, shown))
    return facts if isolated or not change else [_told(account, symbol, asset, change, at_ms, ())]


def payment(held: Holding, mark: Decimal, rate: Decimal | None) -> Decimal:
    """What the wallet gains: below zero where the position pays."""
    worth = held.notional(mark)
    if rate is None:
        amount = -EXACT.multiply(worth, UNKNOWN_RATE)
    else:
        amount = EXACT.multiply(worth if held.qty < ZERO else -worth, rate)
    return booked(amount, ROUND_FLOOR)


def _told(
    account: Account, symbol: str, asset: str, change: Decimal, at_ms: int, positions: tuple[PositionState, ...],
) -> AccountUpdate:
    balances = (account.balance_state(asset, change),)
    return AccountUpdate(account.name, at_ms, Reason.FUNDING_FEE, balances, positions, symbol)
