"""Market data and rules over the routes."""

import json
from decimal import Decimal

import pytest

from runner.venue.fapi.params import Params
from runner.venue.fapi.routes.table import ROUTES
from tests.venue.fapi.routes.counter import NOON, Counter
from tests.venue.fapi.wire import SYMBOL

REAL = json.loads(
    """{"symbol":"BTCUSDT","pair":"BTCUSDT","contractType":"PERPETUAL","status":"TRADING","baseAsset":"BTC",
    "quoteAsset":"USDT","marginAsset":"USDT","pricePrecision":2,"quantityPrecision":3,"baseAssetPrecision":8,
    "quotePrecision":8,"triggerProtect":"0.0500","liquidationFee":"0.012500","marketTakeBound":"0.05",
    "filters":[{"filterType":"PRICE_FILTER","minPrice":"556.80","maxPrice":"4529764","tickSize":"0.10"},
    {"filterType":"LOT_SIZE","minQty":"0.001","maxQty":"1000","stepSize":"0.001"},
    {"filterType":"MARKET_LOT_SIZE","minQty":"0.001","maxQty":"120","stepSize":"0.001"},
    {"filterType":"MAX_NUM_ORDERS","limit":200},{"filterType":"MIN_NOTIONAL","notional":"50"},
    {"filterType":"PERCENT_PRICE","multiplierUp":"1.0500","multiplierDown":"0.9500","multiplierDecimal":"4"},
    {"filterType":"POSITION_RISK_CONTROL","positionControlSide":"NONE"}],
    "orderTypes":["LIMIT","MARKET","STOP","STOP_MARKET","TAKE_PROFIT","TAKE_PROFIT_MARKET","TRAILING_STOP_MARKET"],
    "timeInForce":["GTC","IOC","FOK","GTX","GTD"]}"""
)


def test_the_rules_of_btcusdt_are_those_of_the_real_exchange() -> None:
    counter = Counter()
    answer = counter.ask("GET v1/exchangeInfo")
    (symbol,) = answer["symbols"]
    assert {name: symbol[name] for name in REAL} == REAL
    assert [row["limit"] for row in answer["rateLimits"]] == [2400, 300, 1200]
    assert answer["serverTime"] == NOON


def test_the_book_is_told_to_the_depth_that_was_asked_for() -> None:
    counter = Counter()
    book = counter.ask("GET v1/depth", symbol=SYMBOL, limit="5")
    assert len(book["bids"]) == len(book["asks"]) == 5
    assert book["bids"][0][0] == "59999.90" and book["asks"][0][0] == "60000.10"
    assert counter.ask("GET v1/depth", symbol=SYMBOL, limit="5")["lastUpdateId"] > book["lastUpdateId"]
    assert counter.ask("GET v1/depth", symbol=SYMBOL, limit="7") == -4021
    best = counter.ask("GET v1/ticker/bookTicker", symbol=SYMBOL)
    assert (best["bidPrice"], best["askPrice"]) == ("59999.90", "60000.10")


def test_trades_come_in_both_forms() -> None:
    counter = Counter()
    counter.trade("60010", "0.5")
    counter.trade("60000", "1")
    first, second = counter.ask("GET v1/trades", symbol=SYMBOL)
    assert (first["price"], first["qty"], first["quoteQty"], first["isBuyerMaker"]) == (
        "60010.00", "0.500", "30005", False,
    )
    assert second["isBuyerMaker"] is True
    assert counter.ask("GET v1/aggTrades", symbol=SYMBOL, fromId="2") == [
        {"a": 2, "p": "60000.00", "q": "1.000", "nq": "1.000", "f": 2, "l": 2, "T": NOON, "m": True}
    ]
    assert len(counter.ask("GET v1/trades", symbol=SYMBOL, limit="1")) == 1


def test_candles_and_the_day_follow_the_trades() -> None:
    counter = Counter()
    for price in ("60000", "60600", "59000"):
        counter.trade(price, "1")
    (row,) = counter.ask("GET v1/klines", symbol=SYMBOL, interval="1m")
    assert row == [
        NOON, "60000.00", "60600.00", "59000.00", "59000.00", "3.000", NOON + 59_999, "179600", 3, "2.000", "120600",
        "0",
    ]
    same = counter.ask("GET v1/continuousKlines", pair=SYMBOL, contractType="PERPETUAL", interval="1m")
    assert same == [row]
    day = counter.ask("GET v1/ticker/24hr", symbol=SYMBOL)
    assert (day["priceChange"], day["priceChangePercent"], day["count"]) == ("-1000.00", "-1.667", 3)
    assert counter.ask("GET v1/klines", symbol=SYMBOL, interval="1s") == -1120
    assert counter.ask("GET v1/klines", symbol=SYMBOL, interval="1m", limit="1501") == -1130


def test_prices_come_singly_or_all() -> None:
    counter = Counter()
    for route in ("v1/ticker/price", "v2/ticker/price", "v1/ticker/24hr", "v1/ticker/bookTicker", "v1/premiumIndex"):
        one = counter.ask(f"GET {route}", symbol=SYMBOL)
        every = counter.ask(f"GET {route}")
        assert isinstance(one, dict) and len(every) == 1 and every[0]["symbol"] == one["symbol"] == SYMBOL
        assert counter.ask(f"GET {route}", symbol="NOPE") == -1121


def test_the_mark_and_the_funding_are_told() -> None:
    row = Counter().ask("GET v1/premiumIndex", symbol=SYMBOL)
    assert row["markPrice"] == row["indexPrice"] == "60000.00000000"
    assert row["nextFundingTime"] % (8 * 3_600_000) == 0 and 0 < row["nextFundingTime"] - NOON <= 8 * 3_600_000
    (interval,) = Counter().ask("GET v1/fundingInfo")
    assert interval["fundingIntervalHours"] == 8


def test_the_funding_times_that_were_are_told_with_their_rates() -> None:
    counter, hours = Counter(funding_rate=Decimal("0.0001")), 8 * 3_600_000
    first = NOON - NOON % hours + hours
    counter.exchange.advance(first)
    counter.exchange.set_funding_rate(SYMBOL, Decimal("-0.00025"))
    counter.exchange.advance(first + 2 * hours)
    counter.door.clock.set(first + 2 * hours)

    def rates(**params: str) -> list[tuple[int, str]]:
        rows = counter.ask("GET v1/fundingRate", **params)
        assert {row["symbol"] for row in rows} == {SYMBOL} and {row["markPrice"] for row in rows} == {"60000.00000000"}
        return [((row["fundingTime"] - first) // hours, row["fundingRate"]) for row in rows]

    assert rates() == [(0, "0.00010000"), (1, "-0.00025000"), (2, "-0.00025000")]
    assert rates(symbol=SYMBOL, limit="1") == [(2, "-0.00025000")]
    assert rates(startTime=str(first), endTime=str(first + hours), limit="1") == [(0, "0.00010000")]
    assert counter.ask("GET v1/fundingRate", startTime="2", endTime="1") == -1023


def test_no_funding_time_is_told_whose_rate_nobody_knows() -> None:
    counter = Counter()
    counter.exchange.advance(NOON + 9 * 3_600_000)
    assert counter.ask("GET v1/fundingRate", symbol=SYMBOL) == []


def test_the_open_interest_is_what_users_hold() -> None:
    counter = Counter()
    counter.buy()
    assert counter.ask("GET v1/openInterest", symbol=SYMBOL)["openInterest"] == "0.010"


@pytest.mark.parametrize(
    ("name", "params", "weight"),
    [
        ("GET /fapi/v1/depth", {}, 10), ("GET /fapi/v1/depth", {"limit": "5"}, 2),
        ("GET /fapi/v1/depth", {"limit": "1000"}, 20), ("GET /fapi/v1/depth", {"limit": "x"}, 10),
        ("GET /fapi/v1/klines", {"limit": "99"}, 1), ("GET /fapi/v1/klines", {"limit": "1500"}, 10),
        ("GET /fapi/v1/openOrders", {"symbol": SYMBOL}, 1), ("GET /fapi/v1/openOrders", {}, 40),
        ("POST /fapi/v1/order", {}, 0), ("GET /fapi/v3/account", {}, 5), ("GET /fapi/v1/income", {}, 30),
        ("POST /fapi/v1/countdownCancelAll", {}, 10), ("GET /fapi/v1/commissionRate", {}, 20),
    ],
)
def test_a_request_weighs_what_is_documented(name: str, params: dict[str, str], weight: int) -> None:
    route = next(route for route in ROUTES if route.name == name)
    assert route.weighs(Params(params)) == weight


def test_no_route_stands_twice_in_the_table() -> None:
    names = [route.name for route in ROUTES]
    assert len(names) == len(set(names))
