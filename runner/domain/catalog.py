"""The instruments that are known without asking the exchange, and those of a `GET /fapi/v1/exchangeInfo` body.

Source of the shipped figures: Binance USDⓈ-M `exchangeInfo` of August 2025; for BTCUSDT of 30 September 2026.
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from runner.domain.instrument import Instrument
from runner.domain.values import ZERO, trimmed
from runner.errors import EnvironmentFault

SNAPSHOT_DATES: Mapping[str, str] = {"": "August 2025", "BTCUSDT": "September 2026"}
"""When the shipped figures were true; the empty key stands for every symbol that has none of its own."""

BTCUSDT_REFERENCE = Decimal("61659.80")
"""The last trade of BTCUSDT on 2024-08-08, for invented markets of plans that name no price."""
BTCUSDT_REFERENCE_DATE = "2024-08-08"

_QUOTE = "USDT"
_MAX_NUM_ORDERS = 200
# The smallest quantity is one step, of MARKET orders too; multipliers are those of PERCENT_PRICE.
_SNAPSHOT = """
    base       tick  min_price max_price   step   max_qty market_max notional up down
    BTC         0.1     556.8  4529764  0.001      1000       120  50  1.05  0.95
    ETH        0.01     39.86   306177  0.001     10000      2000  20  1.05  0.95
    BCH        0.01     13.93   100000  0.001     10000       850  20  1.05  0.95
    XRP      0.0001    0.0143   100000    0.1  10000000   2000000   5  1.05  0.95
    LTC        0.01      3.61   100000  0.001     10000      5000  20  1.05  0.95
    TRX     0.00001   0.00132    20000      1  10000000   5000000   5  1.05  0.95
    ETC       0.001     1.051   100000   0.01    100000     10000  20   1.1   0.9
    LINK      0.001     0.464   100000   0.01    200000     20000  20   1.1   0.9
    XLM     0.00001   0.00648    20000      1  10000000   1000000   5  1.05  0.95
    ADA      0.0001    0.0174    20000      1   6000000   1300000   5  1.05  0.95
    XMR        0.01      4.36   100000  0.001     10000      1200   5  1.05  0.95
    DASH       0.01      3.82   100000  0.001     10000      3000   5   1.1   0.9
    ZEC        0.01      2.85   100000  0.001      6000      2000   5   1.1   0.9
    XTZ       0.001     0.064   100000    0.1   1000000    100000   5   1.1   0.9
    BNB        0.01       6.6   100000   0.01    100000      2000   5  1.05  0.95
    ATOM      0.001     0.251   100000   0.01    100000     20000   5   1.1   0.9
    ONT      0.0001    0.0241   100000    0.1   1000000    450000   5  1.15  0.85
    IOTA     0.0001    0.0205   100000    0.1   1000000    400000   5   1.1   0.9
    BAT      0.0001    0.0134   100000    0.1   1000000    600000   5   1.1   0.9
    VET    0.000001   0.00208     2000      1  10000000   2500000   5  1.05  0.95
    NEO       0.001     1.093   100000   0.01    100000     10000   5  1.05  0.95
    QTUM      0.001     0.246   100000    0.1    500000     50000   5   1.1   0.9
    IOST   0.000001  0.000587     2000      1  80000000  16000000   5   1.2   0.8
    THETA    0.0001     0.107     1000    0.1   1000000    100000   5   1.1   0.9
    ALGO     0.0001    0.0141     1000    0.1   5000000   1000000   5  1.05  0.95
"""


def shipped_instruments() -> dict[str, Instrument]:
    """The instruments of the snapshot, by symbol."""
    rows = _SNAPSHOT.split("\n")[2:-1]
    return {f"{row.split()[0]}{_QUOTE}": _shipped(row.split()) for row in rows}


def snapshot_date(symbol: str) -> str:
    """The month that the shipped figures of a symbol are of."""
    return SNAPSHOT_DATES.get(symbol, SNAPSHOT_DATES[""])


def instruments_from_exchange_info(body: object) -> dict[str, Instrument]:
    """The instruments of an `exchangeInfo` body, decoded from JSON; filters that we do not know are passed over.

    Raises:
        EnvironmentFault: something that an order needs is missing, or is no number.
    """
    symbols = body.get("symbols") if isinstance(body, Mapping) else None
    if not isinstance(symbols, list):
        raise EnvironmentFault(
            "the instruments have no list 'symbols'", hint="save the body of GET /fapi/v1/exchangeInfo as it is",
        )
    found = [_listed(entry, place) for place, entry in enumerate(symbols)]
    return {instrument.symbol: instrument for instrument in found}


def _shipped(cells: list[str]) -> Instrument:
    base = cells[0]
    tick, low, high, step, most, market_most, notional, up, down = map(Decimal, cells[1:])
    return Instrument(
        f"{base}{_QUOTE}", base, _QUOTE, tick, low, high, step, step, most, step, step, market_most, notional, up,
        down, _MAX_NUM_ORDERS,
    )


def _listed(entry: object, place: int) -> Instrument:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("symbol"), str):
        raise EnvironmentFault(f"symbols[{place}] of the instruments has no 'symbol'")
    symbol = str(entry["symbol"])
    filters = _filters(entry, symbol)

    def number(filter_type: str, field: str) -> Decimal:
        return _number(filters, symbol, filter_type, field)

    count = number("MAX_NUM_ORDERS", "limit") if "MAX_NUM_ORDERS" in filters else Decimal(_MAX_NUM_ORDERS)
    return Instrument(
        symbol, _text(entry, symbol, "baseAsset"), _text(entry, symbol, "quoteAsset"),
        number("PRICE_FILTER", "tickSize"), number("PRICE_FILTER", "minPrice"), number("PRICE_FILTER", "maxPrice"),
        number("LOT_SIZE", "stepSize"), number("LOT_SIZE", "minQty"), number("LOT_SIZE", "maxQty"),
        number("MARKET_LOT_SIZE", "stepSize"), number("MARKET_LOT_SIZE", "minQty"), number("MARKET_LOT_SIZE", "maxQty"),
        number("MIN_NOTIONAL", "notional"),
        number("PERCENT_PRICE", "multiplierUp"), number("PERCENT_PRICE", "multiplierDown"),
        int(count), _text(entry, symbol, "status"),
    )


def _filters(entry: Mapping[str, Any], symbol: str) -> dict[str, Mapping[str, Any]]:
    rows = entry.get("filters")
    if not isinstance(rows, list):
        raise EnvironmentFault(f"{symbol} of the instruments has no list 'filters'")
    return {str(row.get("filterType")): row for row in rows if isinstance(row, Mapping)}


def _number(filters: Mapping[str, Mapping[str, Any]], symbol: str, filter_type: str, field: str) -> Decimal:
    """A figure of a filter, without the zeros that the exchange pads it with."""
    if filter_type not in filters:
        raise EnvironmentFault(f"{symbol} of the instruments has no filter {filter_type}")
    value = filters[filter_type].get(field)
    try:
        number = Decimal(value) if isinstance(value, str | int | Decimal) and not isinstance(value, bool) else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite() or number < ZERO:
        was = "missing" if value is None else f"{value!r}, not a number of 0 or more"
        raise EnvironmentFault(f"{symbol} of the instruments: {filter_type}.{field} is {was}")
    return Decimal(trimmed(number))


def _text(entry: Mapping[str, Any], symbol: str, field: str) -> str:
    value = entry.get(field)
    if not isinstance(value, str):
        raise EnvironmentFault(f"{symbol} of the instruments has no {field!r}")
    return value
