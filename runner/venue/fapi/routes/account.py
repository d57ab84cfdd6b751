"""The account: balances, positions, settings, income.  Source: Binance USDⓈ-M "Account Endpoints"."""

from typing import Any

from runner.domain.instrument import Instrument
from runner.venue.contracts import Contract
from runner.venue.fapi.calls import Call
from runner.venue.fapi.errors import not_valid
from runner.venue.fapi.routes.reading import position_side, window
from runner.venue.fapi.routes.symbols import instrument, some_symbol, symbols
from runner.venue.fapi.shown import account as shown
from runner.venue.figures import AssetFigures, asset_figures, every_position, shown_positions
from runner.venue.refusals import Refusal
from runner.venue.terms import IncomeType, MarginType

Shown = dict[str, Any]
_DONE = {"code": 200, "msg": "success"}
_WEEK_MS = 7 * 86_400_000


def balances(call: Call) -> list[Shown]:
    return [shown.balance(call.account.name, asset) for asset in _assets(call)]


def account_v3(call: Call) -> Shown:
    """Only with positions that are open or have working orders."""
    positions = [shown.account_position(each, _rules(call, each.symbol)) for each in _shown_positions(call)]
    return {
        **shown.totals(_main_asset(call)),
        "assets": [shown.account_asset(asset) for asset in _assets(call)],
        "positions": positions,
    }


def account_v2(call: Call) -> Shown:
    """With every symbol, and the account's settings."""
    account = call.account
    positions = [
        shown.account_position_v2(
            each, _rules(call, each.symbol), account.config(each.symbol), _contract(call, each.symbol)
        )
        for each in every_position(account, symbols(call), call.venue)
    ]
    assets = [shown.account_asset(asset) | {"marginAvailable": True} for asset in _assets(call)]
    head: Shown = {
        "feeTier": 0, "feeBurn": False, "canTrade": True, "canDeposit": True, "canWithdraw": True, "updateTime": 0,
        "multiAssetsMargin": False, "tradeGroupId": -1,
    }
    return {**head, **shown.totals(_main_asset(call)), "assets": assets, "positions": positions}


def position_risk_v3(call: Call) -> list[Shown]:
    """Only positions that are open or have working orders."""
    return [shown.position_risk(each, _rules(call, each.symbol)) for each in _shown_positions(call)]


def position_risk_v2(call: Call) -> list[Shown]:
    """Every symbol, or the one that was asked for."""
    symbol = some_symbol(call)
    account = call.account
    return [
        shown.position_risk_v2(
            each, _rules(call, each.symbol), account.config(each.symbol), _contract(call, each.symbol)
        )
        for each in every_position(account, [symbol] if symbol else symbols(call), call.venue)
    ]


def symbol_configs(call: Call) -> list[Shown]:
    symbol = some_symbol(call)
    return [
        shown.symbol_config(each, call.account.config(each), _contract(call, each))
        for each in ([symbol] if symbol else symbols(call))
    ]


def account_config(call: Call) -> Shown:
    return {
        "feeTier": 0, "canTrade": True, "canDeposit": True, "canWithdraw": True,
        "dualSidePosition": call.account.hedge, "updateTime": 0, "multiAssetsMargin": False, "tradeGroupId": -1,
    }


def position_mode(call: Call) -> Shown:
    return {"dualSidePosition": call.account.hedge}


def set_position_mode(call: Call) -> Shown:
    call.params.text("dualSidePosition")
    call.exchange.set_hedge_mode(call.account, call.params.flag("dualSidePosition"), call.at_ms)
    return _DONE


def asset_mode(call: Call) -> Shown:
    del call
    return {"multiAssetsMargin": False}


def set_asset_mode(call: Call) -> Shown:
    """There is only single-asset mode here."""
    call.params.text("multiAssetsMargin")
    if call.params.flag("multiAssetsMargin"):
        raise Refusal(-1020, "This operation is not supported: the simulated exchange has no multi-assets mode.")
    raise Refusal(-4171, "No need to change multi-assets mode.")


def fee_burn(call: Call) -> Shown:
    del call
    return {"feeBurn": False}


def set_fee_burn(call: Call) -> Shown:
    """Fees are never paid in BNB here."""
    call.params.text("feeBurn")
    if call.params.flag("feeBurn"):
        raise Refusal(-1020, "This operation is not supported: the simulated exchange takes no fees in BNB.")
    return _DONE


def set_leverage(call: Call) -> Shown:
    symbol, leverage = call.params.symbol(), call.params.integer("leverage")
    instrument(call, symbol)
    call.exchange.set_leverage(call.account, symbol, leverage, call.at_ms)
    config = shown.symbol_config(symbol, call.account.config(symbol), _contract(call, symbol))
    return {key: config[key] for key in ("leverage", "maxNotionalValue", "symbol")}


def set_margin_type(call: Call) -> Shown:
    symbol, margin_type = call.params.symbol(), call.params.word("marginType", MarginType)
    instrument(call, symbol)
    call.exchange.set_margin_type(call.account, symbol, margin_type, call.at_ms)
    return _DONE


def move_margin(call: Call) -> Shown:
    """Add (`type` 1) to or take (2) from an isolated position's margin."""
    params = call.params
    symbol, amount, direction = params.symbol(), params.decimal("amount"), params.integer("type")
    rules = instrument(call, symbol)
    side = position_side(params)
    if direction not in (1, 2):
        raise not_valid("type")
    if amount <= 0:
        raise Refusal(-4055, "Amount must be positive.")
    call.exchange.move_margin(call.account, symbol, side, amount if direction == 1 else -amount, call.at_ms)
    row = {
        "symbol": symbol, "type": direction, "deltaType": "USER_ADJUST", "amount": params.text("amount"),
        "asset": rules.quote_asset, "time": call.at_ms, "positionSide": side.value,
    }
    call.door.margin_moves.add(call.account.name, row)
    return {
        "amount": shown.number(amount), "code": 200, "msg": "Successfully modify position margin.", "type": direction,
    }


def margin_moves(call: Call) -> list[Shown]:
    """What `move_margin` has done, the latest last."""
    params = call.params
    symbol = params.symbol()
    instrument(call, symbol)
    direction = params.maybe_integer("type")
    since_ms, until_ms = window(params, call.at_ms) or (0, call.at_ms)
    rows = [
        row for row in call.door.margin_moves.of(call.account.name)
        if row["symbol"] == symbol and direction in (None, row["type"]) and since_ms <= row["time"] <= until_ms
    ]
    return rows[-params.limit(500, 500):]


def leverage_brackets(call: Call) -> list[Shown]:
    symbol = some_symbol(call)
    return [shown.leverage_brackets(each, _contract(call, each)) for each in ([symbol] if symbol else symbols(call))]


def commission_rate(call: Call) -> Shown:
    symbol = call.params.symbol()
    instrument(call, symbol)
    account = call.account
    return {
        "symbol": symbol,
        "makerCommissionRate": shown.rate(account.maker_fee),
        "takerCommissionRate": shown.rate(account.taker_fee),
        "rpiCommissionRate": shown.rate(account.maker_fee),
    }


def income(call: Call) -> list[Shown]:
    """Without times the last 7 days."""
    params = call.params
    symbol = some_symbol(call)
    kind = params.maybe_text("incomeType")
    limit = params.limit(100, 1000)
    since_ms, until_ms = params.maybe_integer("startTime"), params.maybe_integer("endTime")
    until_ms = call.at_ms if until_ms is None else until_ms
    since_ms = until_ms - _WEEK_MS if since_ms is None else since_ms
    if since_ms > until_ms:
        raise Refusal(-1023, "Start time is greater than end time.")
    if kind is not None and kind not in list(IncomeType):
        return []
    rows = call.account.history.income(
        call.at_ms, symbol=symbol, kind=None if kind is None else IncomeType(kind), since_ms=since_ms,
        until_ms=until_ms, limit=limit,
    )
    return [shown.income(row) for row in rows]


def adl_quantiles(call: Call) -> list[Shown]:
    return shown.adl_quantiles(_shown_positions(call))


def trading_status(call: Call) -> Shown:
    """No quantitative rule is in force."""
    some_symbol(call)
    return {"indicators": {}, "updateTime": call.at_ms}


def _shown_positions(call: Call) -> list[Any]:
    return shown_positions(call.account, call.venue, some_symbol(call))


def _assets(call: Call) -> list[AssetFigures]:
    quoted = {call.exchange.books[symbol].instrument.quote_asset for symbol in symbols(call)}
    return [asset_figures(call.account, asset, call.venue) for asset in sorted(quoted | set(call.account.wallets))]


def _main_asset(call: Call) -> AssetFigures:
    return asset_figures(call.account, "USDT", call.venue)


def _rules(call: Call, symbol: str) -> Instrument:
    return call.exchange.books[symbol].instrument


def _contract(call: Call, symbol: str) -> Contract:
    return call.exchange.settings.contract(symbol)
