"""The shipped instruments, and those of an exchangeInfo body."""

import json
from copy import deepcopy
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest

from runner.domain.catalog import (
    BTCUSDT_REFERENCE,
    instruments_from_exchange_info,
    shipped_instruments,
    snapshot_date,
)
from runner.errors import EnvironmentFault

ENTRY: dict[str, Any] = {
    "symbol": "AAAUSDT", "status": "TRADING", "baseAsset": "AAA", "quoteAsset": "USDT",
    "filters": [
        {"filterType": "PRICE_FILTER", "minPrice": "0.10", "maxPrice": "1000", "tickSize": "0.10"},
        {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "500", "stepSize": "0.001"},
        {"filterType": "MARKET_LOT_SIZE", "minQty": "0.002", "maxQty": "50", "stepSize": "0.002"},
        {"filterType": "MAX_NUM_ORDERS", "limit": 100},
        {"filterType": "MIN_NOTIONAL", "notional": "5"},
        {"filterType": "PERCENT_PRICE", "multiplierUp": "1.0500", "multiplierDown": "0.9500", "multiplierDecimal": "4"},
        {"filterType": "SOMETHING_NEW", "limit": 3},
    ],
}


def _body(**changes: Any) -> dict[str, Any]:
    return {"symbols": [deepcopy(ENTRY) | changes]}


def test_25_symbols_are_shipped_with_the_months_of_their_figures() -> None:
    shipped = shipped_instruments()
    assert len(shipped) == 25
    assert all(instrument.tradable and symbol == instrument.symbol for symbol, instrument in shipped.items())
    assert (snapshot_date("BTCUSDT"), snapshot_date("ETHUSDT")) == ("September 2026", "August 2025")


def test_the_shipped_figures_are_those_of_the_exchange(shared_data: Path) -> None:
    body = json.loads((shared_data / "exchangeInfo-2025-08.json").read_text(), parse_float=D)
    listed = instruments_from_exchange_info(body)
    shipped = shipped_instruments()
    assert shipped.keys() == listed.keys()
    assert [symbol for symbol in listed if shipped[symbol] != listed[symbol]] == ["BTCUSDT"]


def test_btcusdt_has_the_figures_of_september_2026() -> None:
    btc = shipped_instruments()["BTCUSDT"]
    assert (btc.min_notional, btc.tick_size, btc.step_size, btc.min_price) == (D(50), D("0.1"), D("0.001"), D("556.8"))
    assert (btc.max_price, btc.max_qty, btc.market_max_qty) == (D(4529764), D(1000), D(120))
    assert (btc.multiplier_up, btc.multiplier_down, btc.max_num_orders) == (D("1.05"), D("0.95"), 200)


def test_the_reference_price_is_the_last_trade_of_its_day(shared_data: Path) -> None:
    import gzip

    with gzip.open(shared_data / "BTCUSDT-trades-2024-08-08.csv.gz", "rt") as file:
        last = file.readlines()[-1]
    assert str(BTCUSDT_REFERENCE.normalize()) in last


def test_an_exchange_info_body_gives_every_figure_without_padding_and_passes_unknown_filters_over() -> None:
    found = instruments_from_exchange_info(_body())["AAAUSDT"]
    assert str(found.tick_size) == "0.1"
    assert (found.base_asset, found.quote_asset, found.status) == ("AAA", "USDT", "TRADING")
    assert (found.min_price, found.max_price) == (D("0.1"), D(1000))
    assert (found.step_size, found.min_qty, found.max_qty) == (D("0.001"), D("0.001"), D(500))
    assert (found.market_step_size, found.market_min_qty, found.market_max_qty) == (D("0.002"), D("0.002"), D(50))
    assert (found.min_notional, found.multiplier_up, found.multiplier_down) == (D(5), D("1.05"), D("0.95"))
    assert found.max_num_orders == 100


def test_a_symbol_that_does_not_trade_is_known_but_not_tradable() -> None:
    assert not instruments_from_exchange_info(_body(status="SETTLING"))["AAAUSDT"].tradable


def test_the_number_of_orders_is_200_where_the_exchange_does_not_say() -> None:
    body = _body(filters=[row for row in ENTRY["filters"] if row["filterType"] != "MAX_NUM_ORDERS"])
    assert instruments_from_exchange_info(body)["AAAUSDT"].max_num_orders == 200


@pytest.mark.parametrize("body", [None, [], 3, {}, {"symbols": {}}, {"symbols": None}])
def test_a_body_without_symbols_is_a_fault_of_the_environment(body: object) -> None:
    with pytest.raises(EnvironmentFault, match="symbols"):
        instruments_from_exchange_info(body)


@pytest.mark.parametrize(("entry", "said"), [
    (3, r"symbols\[0\].*'symbol'"),
    ({"status": "TRADING"}, r"symbols\[0\].*'symbol'"),
    (ENTRY | {"filters": None}, "AAAUSDT.*no list 'filters'"),
    (ENTRY | {"filters": []}, "AAAUSDT.*no filter PRICE_FILTER"),
    ({key: ENTRY[key] for key in ENTRY if key != "baseAsset"}, "AAAUSDT.*'baseAsset'"),
    ({key: ENTRY[key] for key in ENTRY if key != "status"}, "AAAUSDT.*'status'"),
])
def test_what_an_entry_lacks_is_named(entry: object, said: str) -> None:
    with pytest.raises(EnvironmentFault, match=said):
        instruments_from_exchange_info({"symbols": [entry]})


@pytest.mark.parametrize(("value", "said"), [
    (None, "PRICE_FILTER.tickSize is missing"), ("much", "'much', not a number"), ("NaN", "not a number"),
    ("-1", "not a number of 0 or more"), (True, "not a number"), ([], "not a number"),
])
def test_a_figure_that_is_none_is_named(value: object, said: str) -> None:
    body = _body()
    body["symbols"][0]["filters"][0]["tickSize"] = value
    with pytest.raises(EnvironmentFault, match=said):
        instruments_from_exchange_info(body)
