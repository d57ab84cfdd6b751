"""`exchangeInfo`: the rules of each symbol.  Source: Binance USDⓈ-M "Exchange Information".

What the exchange does not reckon with (dates, kinds of underlying, permissions) is constant and plausible.
"""

from typing import Any

from runner.domain.instrument import Instrument
from runner.domain.values import OrderType, TimeInForce, trimmed
from runner.venue.contracts import Contract
from runner.venue.fapi.shown.numerals import padded, places

Shown = dict[str, Any]
_ONBOARD_MS = 1569398400000
_DELIVERY_MS = 4133404800000
_TYPES = [
    OrderType.LIMIT.value, OrderType.MARKET.value, OrderType.STOP.value, OrderType.STOP_MARKET.value,
    OrderType.TAKE_PROFIT.value, OrderType.TAKE_PROFIT_MARKET.value, OrderType.TRAILING_STOP_MARKET.value,
]
_FORCES = [force.value for force in TimeInForce]


def symbol(instrument: Instrument, contract: Contract) -> Shown:
    return {
        "symbol": instrument.symbol,
        "pair": instrument.symbol,
        "contractType": "PERPETUAL",
        "deliveryDate": _DELIVERY_MS,
        "onboardDate": _ONBOARD_MS,
        "status": instrument.status,
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": instrument.base_asset,
        "quoteAsset": instrument.quote_asset,
        "marginAsset": instrument.quote_asset,
        "pricePrecision": places(instrument.tick_size),
        "quantityPrecision": places(instrument.step_size),
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": ["Layer-1"],
        "settlePlan": 0,
        "triggerProtect": padded(contract.trigger_protect, 4),
        "liquidationFee": padded(contract.liquidation_fee, 6),
        "marketTakeBound": trimmed(contract.take_bound),
        "maxMoveOrderLimit": 10000,
        "filters": _filters(instrument),
        "orderTypes": _TYPES,
        "timeInForce": _FORCES,
        "permissionSets": ["GRID", "COPY"],
    }


def asset(name: str) -> Shown:
    return {"asset": name, "marginAvailable": True, "autoAssetExchange": "-10000"}


def _filters(instrument: Instrument) -> list[Shown]:
    digits, steps = places(instrument.tick_size), places(instrument.step_size)
    market_steps = places(instrument.market_step_size)
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": padded(instrument.min_price, digits),
            "maxPrice": trimmed(instrument.max_price),
            "tickSize": padded(instrument.tick_size, digits),
        },
        {
            "filterType": "LOT_SIZE",
            "minQty": padded(instrument.min_qty, steps),
            "maxQty": trimmed(instrument.max_qty),
            "stepSize": padded(instrument.step_size, steps),
        },
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": padded(instrument.market_min_qty, market_steps),
            "maxQty": trimmed(instrument.market_max_qty),
            "stepSize": padded(instrument.market_step_size, market_steps),
        },
        {"filterType": "MAX_NUM_ORDERS", "limit": instrument.max_num_orders},
        {"filterType": "MIN_NOTIONAL", "notional": trimmed(instrument.min_notional)},
        {
            "filterType": "PERCENT_PRICE",
            "multiplierUp": padded(instrument.multiplier_up, 4),
            "multiplierDown": padded(instrument.multiplier_down, 4),
            "multiplierDecimal": "4",
        },
        {"filterType": "POSITION_RISK_CONTROL", "positionControlSide": "NONE"},
    ]
