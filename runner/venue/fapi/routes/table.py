"""Every route of the REST API, literally: method, path, what does it, what it must show, weight, order counts.

Source: Binance USDⓈ-M REST documentation.
"""

from collections.abc import Callable

from runner.venue.fapi.calls import Route, Security
from runner.venue.fapi.params import Params
from runner.venue.fapi.routes import account, conditional, general, listening, market, orders

_NONE, _KEY, _SIGNED = Security.NONE, Security.KEY, Security.SIGNED


def _by_symbol(named: int, unnamed: int) -> Callable[[Params], int]:
    """A weight that depends on whether a symbol was named."""

    def weigh(params: Params) -> int:
        return named if params.values.get("symbol") else unnamed

    return weigh


def _by_limit(default: int, *steps: tuple[int, int]) -> Callable[[Params], int]:
    """A weight that depends on `limit`: of the first step (most, weight) that it does not exceed, else the last's."""

    def weigh(params: Params) -> int:
        text = params.values.get("limit", "")
        limit = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else default
        return next((weight for most, weight in steps if limit <= most), steps[-1][1])

    return weigh


_DEPTH = _by_limit(500, (50, 2), (100, 5), (500, 10), (1000, 20))
_KLINES = _by_limit(500, (99, 1), (499, 2), (1000, 5), (1500, 10))
_ONE_ORDER = (1, 1)
_BATCH = (5, 1)

ROUTES: tuple[Route, ...] = (
    Route("GET", "/fapi/v1/ping", general.ping, _NONE),
    Route("GET", "/fapi/v1/time", general.server_time, _NONE),
    # python-binance asks the spot API for a sign of life when it connects.
    Route("GET", "/api/v3/ping", general.ping, _NONE),
    Route("GET", "/api/v3/time", general.server_time, _NONE),
    # Market data
    Route("GET", "/fapi/v1/exchangeInfo", market.exchange_info, _NONE),
    Route("GET", "/fapi/v1/depth", market.depth, _NONE, _DEPTH),
    Route("GET", "/fapi/v1/trades", market.trades, _NONE, 5),
    Route("GET", "/fapi/v1/historicalTrades", market.old_trades, _KEY, 20),
    Route("GET", "/fapi/v1/aggTrades", market.agg_trades, _NONE, 20),
    Route("GET", "/fapi/v1/klines", market.klines, _NONE, _KLINES),
    Route("GET", "/fapi/v1/continuousKlines", market.continuous_klines, _NONE, _KLINES),
    Route("GET", "/fapi/v1/premiumIndex", market.premium_index, _NONE, _by_symbol(1, 10)),
    Route("GET", "/fapi/v1/fundingRate", market.funding_rates, _NONE, 0),
    Route("GET", "/fapi/v1/fundingInfo", market.funding_info, _NONE, 0),
    Route("GET", "/fapi/v1/ticker/24hr", market.day_ticker, _NONE, _by_symbol(1, 40)),
    Route("GET", "/fapi/v1/ticker/price", market.price_ticker, _NONE, _by_symbol(1, 2)),
    Route("GET", "/fapi/v2/ticker/price", market.price_ticker, _NONE, _by_symbol(1, 2)),
    Route("GET", "/fapi/v1/ticker/bookTicker", market.book_ticker, _NONE, _by_symbol(2, 5)),
    Route("GET", "/fapi/v1/openInterest", market.open_interest, _NONE),
    # Orders
    Route("POST", "/fapi/v1/order", orders.place, _SIGNED, 0, _ONE_ORDER),
    Route("PUT", "/fapi/v1/order", orders.change, _SIGNED, 0, _ONE_ORDER),
    Route("DELETE", "/fapi/v1/order", orders.cancel, _SIGNED),
    Route("GET", "/fapi/v1/order", orders.query, _SIGNED),
    Route("POST", "/fapi/v1/order/test", orders.test, _SIGNED),
    Route("POST", "/fapi/v1/batchOrders", orders.place_several, _SIGNED, 5, _BATCH),
    Route("PUT", "/fapi/v1/batchOrders", orders.change_several, _SIGNED, 5, _BATCH),
    Route("DELETE", "/fapi/v1/batchOrders", orders.cancel_several, _SIGNED),
    Route("GET", "/fapi/v1/openOrder", orders.query_open, _SIGNED),
    Route("GET", "/fapi/v1/openOrders", orders.list_open, _SIGNED, _by_symbol(1, 40)),
    Route("GET", "/fapi/v1/allOrders", orders.list_all, _SIGNED, 5),
    Route("DELETE", "/fapi/v1/allOpenOrders", orders.cancel_all, _SIGNED),
    Route("POST", "/fapi/v1/countdownCancelAll", orders.countdown, _SIGNED, 10),
    Route("GET", "/fapi/v1/orderAmendment", orders.list_amendments, _SIGNED),
    Route("GET", "/fapi/v1/userTrades", orders.list_trades, _SIGNED, 5),
    Route("GET", "/fapi/v1/forceOrders", orders.list_forced, _SIGNED, _by_symbol(20, 50)),
    Route("GET", "/fapi/v1/rateLimit/order", orders.order_limits, _SIGNED),
    # Conditional orders
    Route("POST", "/fapi/v1/algoOrder", conditional.place, _SIGNED, 0, _ONE_ORDER),
    Route("DELETE", "/fapi/v1/algoOrder", conditional.cancel, _SIGNED),
    Route("GET", "/fapi/v1/algoOrder", conditional.query, _SIGNED),
    Route("DELETE", "/fapi/v1/algoOpenOrders", conditional.cancel_all, _SIGNED),
    Route("GET", "/fapi/v1/openAlgoOrders", conditional.list_open, _SIGNED, _by_symbol(1, 40)),
    Route("GET", "/fapi/v1/allAlgoOrders", conditional.list_all, _SIGNED, 5),
    # Account
    Route("GET", "/fapi/v2/balance", account.balances, _SIGNED, 5),
    Route("GET", "/fapi/v3/balance", account.balances, _SIGNED, 5),
    Route("GET", "/fapi/v2/account", account.account_v2, _SIGNED, 5),
    Route("GET", "/fapi/v3/account", account.account_v3, _SIGNED, 5),
    Route("GET", "/fapi/v2/positionRisk", account.position_risk_v2, _SIGNED, 5),
    Route("GET", "/fapi/v3/positionRisk", account.position_risk_v3, _SIGNED, 5),
    Route("GET", "/fapi/v1/symbolConfig", account.symbol_configs, _SIGNED, 5),
    Route("GET", "/fapi/v1/accountConfig", account.account_config, _SIGNED, 5),
    Route("GET", "/fapi/v1/positionSide/dual", account.position_mode, _SIGNED, 30),
    Route("POST", "/fapi/v1/positionSide/dual", account.set_position_mode, _SIGNED),
    Route("GET", "/fapi/v1/multiAssetsMargin", account.asset_mode, _SIGNED, 30),
    Route("POST", "/fapi/v1/multiAssetsMargin", account.set_asset_mode, _SIGNED),
    Route("GET", "/fapi/v1/feeBurn", account.fee_burn, _SIGNED, 30),
    Route("POST", "/fapi/v1/feeBurn", account.set_fee_burn, _SIGNED),
    Route("POST", "/fapi/v1/leverage", account.set_leverage, _SIGNED),
    Route("POST", "/fapi/v1/marginType", account.set_margin_type, _SIGNED),
    Route("POST", "/fapi/v1/positionMargin", account.move_margin, _SIGNED),
    Route("GET", "/fapi/v1/positionMargin/history", account.margin_moves, _SIGNED),
    Route("GET", "/fapi/v1/leverageBracket", account.leverage_brackets, _SIGNED),
    Route("GET", "/fapi/v1/commissionRate", account.commission_rate, _SIGNED, 20),
    Route("GET", "/fapi/v1/income", account.income, _SIGNED, 30),
    Route("GET", "/fapi/v1/adlQuantile", account.adl_quantiles, _SIGNED, 5),
    Route("GET", "/fapi/v1/apiTradingStatus", account.trading_status, _SIGNED, _by_symbol(1, 10)),
    # User data stream
    Route("POST", "/fapi/v1/listenKey", listening.start, _KEY),
    Route("PUT", "/fapi/v1/listenKey", listening.keep_alive, _KEY),
    Route("DELETE", "/fapi/v1/listenKey", listening.close, _KEY),
)
