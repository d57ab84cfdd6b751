"""Balances, positions and settings of an account as the REST API shows them.

Source: Binance USDⓈ-M "Account Endpoints", and the official SDK's models.  Amounts have 8 decimals.
Texts and numbers are mixed as Binance mixes them: the leverage is a text in positionRisk v2 and a number in
symbolConfig.
"""

import base64
import hashlib
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from runner.domain.instrument import Instrument
from runner.domain.values import ZERO, trimmed
from runner.venue.contracts import Contract
from runner.venue.facts import Income
from runner.venue.fapi.shown.numerals import average, money, optional_money, qty
from runner.venue.figures import AssetFigures, PositionFigures
from runner.venue.holdings import SymbolConfig

Shown = dict[str, Any]


def alias(account: str) -> str:
    """What Binance calls `accountAlias`: always the same for an account, of no other, and of its name it says
    nothing."""
    digest = hashlib.blake2b(account.encode(), digest_size=8).digest()
    return base64.b32encode(digest).decode().rstrip("=").title()


def balance(account: str, asset: AssetFigures) -> Shown:
    return {
        "accountAlias": alias(account),
        "asset": asset.asset,
        "balance": money(asset.wallet),
        "crossWalletBalance": money(asset.cross_wallet),
        "crossUnPnl": money(asset.cross_unrealized),
        "availableBalance": money(asset.available),
        "maxWithdrawAmount": money(asset.withdrawable),
        "marginAvailable": True,
        "updateTime": asset.updated_ms,
    }


def totals(asset: AssetFigures) -> Shown:
    """The head of `account`: in single-asset mode the totals are those of the one asset."""
    return {
        "totalInitialMargin": money(asset.initial_margin),
        "totalMaintMargin": money(asset.maintenance),
        "totalWalletBalance": money(asset.wallet),
        "totalUnrealizedProfit": money(asset.unrealized),
        "totalMarginBalance": money(asset.margin_balance),
        "totalPositionInitialMargin": money(asset.position_margin),
        "totalOpenOrderInitialMargin": money(asset.order_margin),
        "totalCrossWalletBalance": money(asset.cross_wallet),
        "totalCrossUnPnl": money(asset.cross_unrealized),
        "availableBalance": money(asset.available),
        "maxWithdrawAmount": money(asset.withdrawable),
    }


def account_asset(asset: AssetFigures) -> Shown:
    return {
        "asset": asset.asset,
        "walletBalance": money(asset.wallet),
        "unrealizedProfit": money(asset.unrealized),
        "marginBalance": money(asset.margin_balance),
        "maintMargin": money(asset.maintenance),
        "initialMargin": money(asset.initial_margin),
        "positionInitialMargin": money(asset.position_margin),
        "openOrderInitialMargin": money(asset.order_margin),
        "crossWalletBalance": money(asset.cross_wallet),
        "crossUnPnl": money(asset.cross_unrealized),
        "availableBalance": money(asset.available),
        "maxWithdrawAmount": money(asset.withdrawable),
        "updateTime": asset.updated_ms,
    }


def account_position(position: PositionFigures, instrument: Instrument) -> Shown:
    """In `account` of version 3."""
    return {
        "symbol": position.symbol,
        "positionSide": position.side.value,
        "positionAmt": qty(instrument, position.qty),
        "unrealizedProfit": money(position.unrealized),
        "isolatedMargin": optional_money(position.isolated_margin),
        "notional": optional_money(position.notional),
        "isolatedWallet": optional_money(position.isolated_wallet),
        "initialMargin": optional_money(position.initial_margin),
        "maintMargin": optional_money(position.maintenance),
        "updateTime": position.updated_ms,
    }


def account_position_v2(
    position: PositionFigures, instrument: Instrument, config: SymbolConfig, contract: Contract
) -> Shown:
    """In `account` of version 2."""
    return {
        **account_position(position, instrument),
        "positionInitialMargin": optional_money(position.position_margin),
        "openOrderInitialMargin": optional_money(position.order_margin),
        "leverage": str(config.leverage),
        "isolated": config.isolated,
        "entryPrice": average(position.entry_px),
        "breakEvenPrice": average(position.break_even_px),
        "maxNotional": trimmed(contract.max_notional(config.leverage)),
        "bidNotional": optional_money(position.bid_notional),
        "askNotional": optional_money(position.ask_notional),
    }


def position_risk(position: PositionFigures, instrument: Instrument) -> Shown:
    """In `positionRisk` of version 3.  Nobody is deleveraged here but by hand, so nobody stands in that queue."""
    return {
        "symbol": position.symbol,
        "positionSide": position.side.value,
        "positionAmt": qty(instrument, position.qty),
        "entryPrice": average(position.entry_px),
        "breakEvenPrice": average(position.break_even_px),
        "markPrice": money(position.mark_px),
        "unRealizedProfit": money(position.unrealized),
        "liquidationPrice": average(position.liquidation_px),
        "isolatedMargin": optional_money(position.isolated_margin),
        "notional": optional_money(position.notional),
        "marginAsset": position.asset,
        "isolatedWallet": optional_money(position.isolated_wallet),
        "initialMargin": optional_money(position.initial_margin),
        "maintMargin": optional_money(position.maintenance),
        "positionInitialMargin": optional_money(position.position_margin),
        "openOrderInitialMargin": optional_money(position.order_margin),
        "adl": 0,
        "bidNotional": optional_money(position.bid_notional),
        "askNotional": optional_money(position.ask_notional),
        "updateTime": position.updated_ms,
    }


def position_risk_v2(
    position: PositionFigures, instrument: Instrument, config: SymbolConfig, contract: Contract
) -> Shown:
    return {
        "symbol": position.symbol,
        "positionAmt": qty(instrument, position.qty),
        "entryPrice": average(position.entry_px),
        "breakEvenPrice": average(position.break_even_px),
        "markPrice": money(position.mark_px),
        "unRealizedProfit": money(position.unrealized),
        "liquidationPrice": average(position.liquidation_px),
        "leverage": str(config.leverage),
        "maxNotionalValue": trimmed(contract.max_notional(config.leverage)),
        "marginType": "isolated" if config.isolated else "cross",
        "isolatedMargin": money(position.isolated_margin),
        "isAutoAddMargin": "false",
        "positionSide": position.side.value,
        "notional": optional_money(position.notional),
        "isolatedWallet": optional_money(position.isolated_wallet),
        "updateTime": position.updated_ms,
    }


def symbol_config(symbol: str, config: SymbolConfig, contract: Contract) -> Shown:
    return {
        "symbol": symbol,
        "marginType": config.margin_type.value,
        "isAutoAddMargin": False,
        "leverage": config.leverage,
        "maxNotionalValue": trimmed(contract.max_notional(config.leverage)),
    }


def leverage_brackets(symbol: str, contract: Contract) -> Shown:
    return {
        "symbol": symbol,
        "brackets": [
            {
                "bracket": bracket.number,
                "initialLeverage": bracket.max_leverage,
                "notionalCap": int(bracket.cap),
                "notionalFloor": int(bracket.floor),
                "maintMarginRatio": number(bracket.rate),
                "cum": number(bracket.cum),
            }
            for bracket in contract.brackets
        ],
    }


def income(row: Income) -> Shown:
    return {
        "symbol": row.symbol,
        "incomeType": row.kind.value,
        "income": money(row.amount),
        "asset": row.asset,
        "info": row.note or row.kind.value,
        "time": row.at_ms,
        "tranId": row.number,
        "tradeId": str(row.trade_id) if row.trade_id else "",
    }


def adl_quantiles(positions: Iterable[PositionFigures]) -> list[Shown]:
    """The place of each position in the queue of those to be deleveraged: none."""
    rows: dict[str, dict[str, int]] = {}
    for position in positions:
        rows.setdefault(position.symbol, {})[position.side.value] = 0
    return [{"symbol": symbol, "adlQuantile": places} for symbol, places in rows.items()]


def number(value: Decimal) -> int | float:
    """For the few figures that Binance gives as JSON numbers; none of them is reckoned with here."""
    return int(value) if value == value.to_integral_value() else float(value)


def rate(value: Decimal) -> str:
    """A fee rate, as `0.000200`."""
    text = trimmed(value)
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction:0<6}" if value != ZERO else "0.000000"
