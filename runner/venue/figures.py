"""What an account looks like from outside: the figures of `/fapi/v3/balance`, `/v3/account` and `/v3/positionRisk`.

Exact, except that prices which are quotients have at most 11 decimals and amounts which are quotients 8.
"""

from decimal import ROUND_HALF_EVEN, Decimal
from typing import NamedTuple

from runner.domain.values import EXACT, ZERO
from runner.venue.account import Account, shown_px
from runner.venue.holdings import booked, summed
from runner.venue.margin import (
    Venue,
    available,
    crossed,
    liquidation_price,
    maintenance,
    order_margin,
    position_margin,
    position_sides,
    unrealized,
    withdrawable,
)
from runner.venue.terms import PositionSide


class PositionFigures(NamedTuple):
    """One position; `notional` is signed, `isolated_margin` the isolated wallet with the unrealised profit.

    `position_margin` and `order_margin` together are `initialMargin`.  `liquidation_px` is zero where there is none.
    """

    symbol: str
    side: PositionSide
    asset: str
    qty: Decimal
    entry_px: Decimal
    break_even_px: Decimal
    mark_px: Decimal
    unrealized: Decimal
    liquidation_px: Decimal
    isolated_margin: Decimal
    isolated_wallet: Decimal
    notional: Decimal
    position_margin: Decimal
    order_margin: Decimal
    maintenance: Decimal
    bid_notional: Decimal
    ask_notional: Decimal
    updated_ms: int

    @property
    def initial_margin(self) -> Decimal:
        return EXACT.add(self.position_margin, self.order_margin)


class AssetFigures(NamedTuple):
    """One margin asset; `margin_balance` is the wallet with all unrealised profit, isolated positions included.

    `available` and `withdrawable` are never below zero.
    """

    asset: str
    wallet: Decimal
    cross_wallet: Decimal
    unrealized: Decimal
    cross_unrealized: Decimal
    margin_balance: Decimal
    position_margin: Decimal
    order_margin: Decimal
    maintenance: Decimal
    available: Decimal
    withdrawable: Decimal
    updated_ms: int

    @property
    def initial_margin(self) -> Decimal:
        return EXACT.add(self.position_margin, self.order_margin)


def position_figures(account: Account, symbol: str, position_side: PositionSide, venue: Venue) -> PositionFigures:
    """One position, also where it is flat."""
    held, mark = account.holding(symbol, position_side), venue.mark(symbol)
    claims = account.open.claims(symbol, position_side)
    profit = held.unrealized(mark)
    isolated = EXACT.add(held.isolated_wallet, profit) if account.config(symbol).isolated else ZERO
    return PositionFigures(
        symbol, position_side, venue.asset(symbol), held.qty, shown_px(held.entry_px), shown_px(held.break_even_px),
        mark, _cents(profit), shown_px(liquidation_price(account, symbol, position_side, venue)), _cents(isolated),
        held.isolated_wallet, EXACT.multiply(held.qty, mark),
        _cents(position_margin(account, symbol, position_side, venue)),
        _cents(order_margin(account, symbol, position_side, venue)), _cents(maintenance(held, venue)),
        claims.buy_notional, claims.sell_notional, held.updated_ms,
    )


def shown_positions(account: Account, venue: Venue, symbol: str = "") -> list[PositionFigures]:
    """What positionRisk shows: positions that are not flat, and those that working orders may open."""
    keys = {(held.symbol, held.side): None for held in account.held()}
    keys.update({(order.symbol, order.position_side): None for order in account.open.working.values()})
    wanted = sorted(key for key in keys if symbol in ("", key[0]))
    return [position_figures(account, name, side, venue) for name, side in wanted]


def asset_figures(account: Account, asset: str, venue: Venue) -> AssetFigures:
    """One margin asset, over the symbols that have a position or working orders."""
    positions = [shown for shown in shown_positions(account, venue) if shown.asset == asset]
    wallet = account.wallet(asset)
    profit = summed(held.unrealized(venue.mark(held.symbol)) for held in account.held(asset))
    return AssetFigures(
        asset, wallet, account.cross_wallet(asset), _cents(profit),
        _cents(unrealized(crossed(account, asset), venue)), _cents(EXACT.add(wallet, profit)),
        summed(shown.position_margin for shown in positions), summed(shown.order_margin for shown in positions),
        summed(shown.maintenance for shown in positions), _cents(max(available(account, asset, venue), ZERO)),
        _cents(withdrawable(account, asset, venue)), account.wallets_ms.get(asset, 0),
    )


def every_position(account: Account, symbols: list[str], venue: Venue) -> list[PositionFigures]:
    """One row for each of the symbols and each position side of the account's mode."""
    return [position_figures(account, symbol, side, venue) for symbol in symbols for side in position_sides(account)]


def _cents(amount: Decimal) -> Decimal:
    return booked(amount, ROUND_HALF_EVEN)
