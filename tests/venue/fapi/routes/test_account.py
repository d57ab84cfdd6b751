"""The account over the routes: the documented shapes, and figures that belong together."""

import json
from decimal import Decimal

import pytest

from tests.venue.fapi.routes.counter import NOON, Counter
from tests.venue.fapi.routes.test_orders import LIMIT, shape
from tests.venue.fapi.wire import SYMBOL

RISK = json.loads(
    """{"symbol":"BTCUSDT","positionSide":"BOTH","positionAmt":"0.010","entryPrice":"60000.1",
    "breakEvenPrice":"60030.1","markPrice":"60001.23000000","unRealizedProfit":"0.01130000","liquidationPrice":"0",
    "isolatedMargin":"0","notional":"600.01230000","marginAsset":"USDT","isolatedWallet":"0",
    "initialMargin":"30.00061500","maintMargin":"2.40004920","positionInitialMargin":"30.00061500",
    "openOrderInitialMargin":"0","adl":1,"bidNotional":"0","askNotional":"0","updateTime":1790000000123}"""
)
BALANCE = json.loads(
    """{"accountAlias":"SgsR","asset":"USDT","balance":"10000.0","crossWalletBalance":"10000.0","crossUnPnl":"0.0",
    "availableBalance":"9990.0","maxWithdrawAmount":"9990.0","marginAvailable":true,"updateTime":1790000000000}"""
)


def test_a_balance_has_the_documented_shape() -> None:
    for version in ("v2", "v3"):
        (row,) = Counter().ask(f"GET {version}/balance")
        assert shape(row) == shape(BALANCE) and row["balance"] == "10000.00000000"


def test_only_what_is_held_or_ordered_stands_in_position_risk() -> None:
    counter = Counter()
    assert counter.ask("GET v3/positionRisk") == []
    counter.ask("POST v1/order", **LIMIT)
    (row,) = counter.ask("GET v3/positionRisk", symbol=SYMBOL)
    assert shape(row) == shape(RISK) and row["positionAmt"] == "0.000" and row["openOrderInitialMargin"] != "0"
    counter.buy()
    (row,) = counter.ask("GET v3/positionRisk")
    assert (row["positionAmt"], row["entryPrice"], row["notional"]) == ("0.010", "60000.1", "600.00000000")


def test_version_2_lists_every_symbol_with_its_settings() -> None:
    (row,) = Counter().ask("GET v2/positionRisk")
    assert (row["positionAmt"], row["leverage"], row["marginType"]) == ("0.000", "5", "cross")
    assert (row["isAutoAddMargin"], row["maxNotionalValue"]) == ("false", "480000000")


def test_the_account_s_totals_are_those_of_its_asset() -> None:
    counter = Counter()
    counter.buy()
    for version in ("v2", "v3"):
        account = counter.ask(f"GET {version}/account")
        (asset,) = account["assets"]
        assert account["totalWalletBalance"] == asset["walletBalance"] == "9999.69999950"
        assert account["totalMarginBalance"] == asset["marginBalance"]
        assert account["totalInitialMargin"] == asset["initialMargin"] == "120.00000000"
        (position,) = account["positions"]
        assert position["positionAmt"] == "0.010"
    assert set(counter.ask("GET v3/account")["positions"][0]) == {
        "symbol", "positionSide", "positionAmt", "unrealizedProfit", "isolatedMargin", "notional", "isolatedWallet",
        "initialMargin", "maintMargin", "updateTime",
    }


def test_settings_are_read_and_changed() -> None:
    counter = Counter()
    assert counter.ask("GET v1/symbolConfig") == [{
        "symbol": SYMBOL, "marginType": "CROSSED", "isAutoAddMargin": False, "leverage": 5,
        "maxNotionalValue": "480000000",
    }]
    changed = counter.ask("POST v1/leverage", symbol=SYMBOL, leverage="20")
    assert changed == {"leverage": 20, "maxNotionalValue": "100000000", "symbol": SYMBOL}
    assert counter.ask("POST v1/leverage", symbol=SYMBOL, leverage="151") == -4028
    assert counter.ask("POST v1/marginType", symbol=SYMBOL, marginType="ISOLATED") == {"code": 200, "msg": "success"}
    assert counter.ask("POST v1/marginType", symbol=SYMBOL, marginType="ISOLATED") == -4046
    assert counter.ask("POST v1/marginType", symbol=SYMBOL, marginType="BOTH") == -1130
    assert counter.ask("GET v1/accountConfig") == {
        "feeTier": 0, "canTrade": True, "canDeposit": True, "canWithdraw": True, "dualSidePosition": False,
        "updateTime": 0, "multiAssetsMargin": False, "tradeGroupId": -1,
    }


def test_hedge_mode_is_switched_once_and_not_with_orders() -> None:
    counter = Counter()
    assert counter.ask("GET v1/positionSide/dual") == {"dualSidePosition": False}
    assert counter.ask("POST v1/positionSide/dual", dualSidePosition="false") == -4059
    counter.ask("POST v1/order", **LIMIT)
    assert counter.ask("POST v1/positionSide/dual", dualSidePosition="true") == -4067
    assert counter.ask("POST v1/positionSide/dual") == -1102


def test_what_is_not_simulated_is_refused_clearly() -> None:
    counter = Counter()
    assert counter.ask("GET v1/multiAssetsMargin") == {"multiAssetsMargin": False}
    assert counter.ask("POST v1/multiAssetsMargin", multiAssetsMargin="true") == -1020
    assert counter.ask("POST v1/multiAssetsMargin", multiAssetsMargin="false") == -4171
    assert counter.ask("POST v1/feeBurn", feeBurn="true") == -1020


def test_isolated_margin_is_added_taken_and_remembered() -> None:
    counter = Counter()
    counter.ask("POST v1/marginType", symbol=SYMBOL, marginType="ISOLATED")
    assert counter.ask("POST v1/positionMargin", symbol=SYMBOL, amount="10", type="1") == -4054
    counter.buy()
    added = counter.ask("POST v1/positionMargin", symbol=SYMBOL, amount="10.5", type="1")
    assert (added["amount"], added["code"], added["type"]) == (10.5, 200, 1)
    assert counter.ask("POST v1/positionMargin", symbol=SYMBOL, amount="5", type="3") == -1130
    assert counter.ask("POST v1/positionMargin", symbol=SYMBOL, amount="-5", type="1") == -4055
    (row,) = counter.ask("GET v1/positionMargin/history", symbol=SYMBOL)
    assert (row["type"], row["deltaType"], row["amount"], row["asset"]) == (1, "USER_ADJUST", "10.5", "USDT")


def test_brackets_are_numbers_as_binance_gives_them() -> None:
    (row,) = Counter().ask("GET v1/leverageBracket", symbol=SYMBOL)
    assert row["brackets"][1] == {
        "bracket": 2, "initialLeverage": 100, "notionalCap": 800000, "notionalFloor": 300000,
        "maintMarginRatio": 0.005, "cum": 300,
    }


def test_fees_are_told_as_rates() -> None:
    assert Counter().ask("GET v1/commissionRate", symbol=SYMBOL) == {
        "symbol": SYMBOL, "makerCommissionRate": "0.000200", "takerCommissionRate": "0.000500",
        "rpiCommissionRate": "0.000200",
    }


def test_the_income_adds_up_to_the_wallet() -> None:
    counter = Counter()
    counter.buy()
    counter.trade("61000")
    counter.ask("POST v1/order", symbol=SYMBOL, side="SELL", type="MARKET", quantity="0.010")
    rows = counter.ask("GET v1/income")
    assert {row["incomeType"] for row in rows} == {"TRANSFER", "COMMISSION", "REALIZED_PNL"}
    (balance,) = counter.ask("GET v3/balance")
    assert sum(Decimal(row["income"]) for row in rows) == Decimal(balance["balance"])
    assert len(counter.ask("GET v1/income", incomeType="COMMISSION")) == 2
    assert counter.ask("GET v1/income", incomeType="WELCOME_BONUS") == []
    assert counter.ask("GET v1/income", startTime=str(NOON + 1)) == -1023
    assert counter.ask("GET v1/income", limit="1001") == -1130


@pytest.mark.parametrize(
    "route", ["v2/positionRisk", "v3/positionRisk", "v1/symbolConfig", "v1/leverageBracket", "v1/income"]
)
def test_an_unknown_symbol_is_refused(route: str) -> None:
    assert Counter().ask(f"GET {route}", symbol="NOPE") == -1121


def test_each_account_has_an_alias_of_its_own_that_stays() -> None:
    first, second = Counter(), Counter()
    other = second.exchange.open_account("other")
    alias = first.ask("GET v3/balance")[0]["accountAlias"]
    assert alias == second.ask("GET v2/balance")[0]["accountAlias"]
    second.account = other
    assert second.ask("GET v3/balance")[0]["accountAlias"] not in (alias, "other")
