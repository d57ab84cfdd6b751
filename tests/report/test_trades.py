"""The rows of `trades.csv` and of the fills."""

import json

from runner.report.trades import FILL_COLUMNS, ORDER_COLUMNS, as_csv, as_json
from tests.report.stories import BRACKET, OCO, TWAP, bracket, liquidated, oco_refused, told, twap_denied


def test_each_order_has_a_row_with_its_last_state() -> None:
    report, _ = told(BRACKET, bracket())
    assert as_csv(ORDER_COLUMNS, report.order_rows()).splitlines() == [
        "ts,action,type,symbol,side,qty,price,stopPrice,limitPrice,tif,orderId,linkId,result,sliceIndex,totalSlices",
        "2025-05-04T15:33:00.000Z,place_entry,LIMIT,BTCUSDT,BUY,0.004,60000,,,GTC,FAKE-1,BRK-d1-long,FILLED,,",
        "2025-05-04T18:04:00.050Z,place_exit,STOP_MARKET,BTCUSDT,SELL,0.004,,59000,,,FAKE-2,BRK-d1-long,CANCELED,,",
        "2025-05-04T18:04:00.050Z,place_exit,TAKE_PROFIT,BTCUSDT,SELL,0.004,,61000,61000,GTC,FAKE-3,BRK-d1-long,FILLED,,",
    ]


def test_refused_and_denied_orders_have_rows() -> None:
    refused, _ = told(OCO, oco_refused())
    assert [(row["action"], row["stopPrice"], row["limitPrice"], row["result"]) for row in refused.order_rows()] == [
        ("place_oco", "59000", "58800", "REJECTED"), ("place_oco", "62000", "62000", "ACCEPTED"),
    ]
    denied, _ = told(TWAP, twap_denied())
    rows = denied.order_rows()
    assert [(row["action"], row["result"], row["sliceIndex"], row["totalSlices"]) for row in rows] == [
        ("twap_slice", "FILLED", "1", "2"), ("risk_denied", "DENIED MAX_ORDER_NOTIONAL", "2", "2"),
    ]
    assert all(set(row) == set(ORDER_COLUMNS) for row in rows)


def test_each_execution_has_a_row_once() -> None:
    report, _ = told(TWAP, twap_denied())
    assert as_csv(FILL_COLUMNS, report.fill_rows(), head=False).splitlines() == [
        "2025-05-04T15:33:00.100Z,BTCUSDT,BUY,0.001,60000,0.03,USDT,0,false,1,FAKE-1,TWAP-d1-build,build,d1",
        "2025-05-04T15:33:00.100Z,BTCUSDT,BUY,0.002,60000.55,0.060006,USDT,0,false,2,FAKE-1,TWAP-d1-build,build,d1",
    ]


def test_json_is_a_list_of_the_same_rows() -> None:
    rows = told(BRACKET, bracket())[0].order_rows()
    assert json.loads(as_json(rows)) == rows
    assert as_json([]) == "[]\n"


def test_what_the_exchange_executed_by_force_has_a_row_of_no_step() -> None:
    report, _ = told(BRACKET, liquidated())
    assert as_csv(FILL_COLUMNS, report.fill_rows(), head=False).splitlines() == [
        "2025-05-04T15:33:00.100Z,BTCUSDT,BUY,0.004,60000,0.048,USDT,0,true,1,FAKE-1,BRK-d1-long,long,d1",
        "2025-05-04T17:00:00.000Z,BTCUSDT,SELL,0.004,50000,0.1,USDT,-40,false,2,FAKE-9,,,d1",
    ]
    assert len(report.order_rows()) == 1
