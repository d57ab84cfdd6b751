"""`bot.log`: actions, keys and ids."""

import json
from typing import Any

from runner.domain.commands import CancelOrder, QueryOrder, Remark, RunEnded
from runner.domain.events import Action, CommandRejected, CommandUnresolved, OrderNotFound
from runner.domain.orders import OrderStatus
from tests.report.stories import (
    BRACKET,
    ENTRY,
    OCO,
    TWAP,
    Entry,
    bracket,
    liquidated,
    oco_refused,
    report,
    told,
    twap_denied,
)


def lines(run: Any, entries: list[Entry]) -> list[dict[str, Any]]:
    text = told(run, entries)[0].log_text()
    assert text == "" or text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


def test_a_bracket_is_logged_from_start_to_end() -> None:
    logged = lines(BRACKET, bracket())
    assert [line["action"] for line in logged] == [
        "validate", "run_start", "place_entry", "order_update", "order_update", "place_exit", "order_update",
        "place_exit", "order_update", "order_update", "order_update", "cancel_order", "order_update", "run_end",
    ]
    assert logged[2] == {
        "ts": "2025-05-04T15:33:00.100Z", "level": "INFO", "action": "place_entry", "mode": "dryrun", "runId": "d1",
        "stepId": "long", "linkId": "BRK-d1-long", "orderId": "FAKE-1", "clientOrderId": "d1.1.0.0.0",
        "request": {
            "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "quantity": "0.004", "price": "60000",
            "timeInForce": "GTC",
        },
        "result": "ACCEPTED",
    }
    assert logged[4]["result"] == "FILLED"
    assert (logged[4]["executedQty"], logged[4]["avgPrice"]) == ("0.004", "60000")
    assert logged[-3]["request"] == {"clientOrderId": "d1.2.0.0.0", "reason": "the position is closed"}
    assert logged[-1]["result"] == "succeeded"


def test_every_line_has_the_common_keys_first() -> None:
    for line in lines(BRACKET, bracket()):
        assert list(line)[:6] == ["ts", "level", "action", "mode", "runId", "stepId"]


def test_an_oco_is_one_placement_with_both_order_ids() -> None:
    logged = {line["action"]: line for line in lines(OCO, oco_refused())}
    placed = logged["place_oco"]
    assert placed["tpOrderId"] == "FAKE-2"
    assert (placed["takeProfit"], placed["stopPrice"], placed["stopLimitPrice"]) == ("62000", "59000", "58800")
    assert placed["linkId"] == "OCO-d1-guard"
    assert (placed["result"], placed["level"]) == ("REJECTED", "ERROR")
    assert placed["error"] == "-2021 Order would immediately trigger."
    failed = logged["order_attempt_failed"]
    assert (failed["attempt"], failed["transient"], failed["req"]["type"]) == (1, False, "STOP")
    assert logged["run_end"]["level"] == "ERROR"


def test_a_twap_is_logged_slice_by_slice() -> None:
    logged = lines(TWAP, twap_denied())
    by_action = {line["action"]: line for line in logged}
    assert by_action["twap_start"]["totalQty"] == "0.006"
    assert by_action["twap_start"]["totalSlices"] == 2
    assert (by_action["twap_slice"]["sliceIndex"], by_action["twap_slice"]["totalSlices"]) == (1, 2)
    assert by_action["twap_complete"]["executedQty"] == "0.003"
    assert by_action["twap_complete"]["slices"] == [
        {"sliceIndex": 1, "orderId": "FAKE-1", "executedQty": "0.003", "result": "FILLED"},
    ]
    assert by_action["risk_denied"]["error"] == "MAX_ORDER_NOTIONAL limit=150 would_be=180"
    assert by_action["risk_denied"]["stepId"] == "build"


def test_an_order_that_was_never_answered_is_told_at_the_end() -> None:
    logged = lines(BRACKET, [(0, ENTRY), (5, RunEnded("open"))])
    assert [(line["action"], line.get("result")) for line in logged] == [
        ("place_entry", "UNANSWERED"), ("run_end", "open"),
    ]


def test_a_repeated_report_is_logged_once() -> None:
    entries: list[Entry] = [(0, ENTRY), *[(n, report(n, ENTRY, OrderStatus.NEW)) for n in (1, 2)]]
    assert [line["action"] for line in lines(BRACKET, entries)] == ["place_entry", "order_update"]


def test_lookups_remarks_and_refused_cancels_are_logged() -> None:
    client_id = ENTRY.request.client_order_id
    logged = lines(BRACKET, [
        (0, ENTRY), (1, CommandUnresolved(1, "BTCUSDT", client_id, Action.PLACE, 5)),
        (1, QueryOrder("BTCUSDT", client_id)),
        (2, OrderNotFound(2, "BTCUSDT", client_id)), (3, report(3, ENTRY, OrderStatus.NEW)),
        (4, CancelOrder("BTCUSDT", client_id, False, "long.entry")),
        (5, CommandRejected(5, "BTCUSDT", client_id, Action.CANCEL, -2011, "Unknown order sent.")),
        (6, Remark("long", "excess", "more was closed than this group held")),
    ])
    assert [(line["action"], line.get("result")) for line in logged] == [
        ("reconcile", "UNRESOLVED"), ("reconcile", "ASKED"), ("reconcile", "NOT_FOUND"), ("place_entry", "ACCEPTED"),
        ("order_update", "ACCEPTED"), ("cancel_order", "SENT"), ("cancel_order", "REJECTED"), ("reconcile", "excess"),
    ]
    assert logged[-2]["error"] == "-2011 Unknown order sent."


def test_a_further_attempt_is_a_retry() -> None:
    request = type(ENTRY.request)("d1.1.0.0.1", "BTCUSDT", *[getattr(ENTRY.request, name) for name in (
        "side", "order_type", "quantity", "price",
    )])
    logged = lines(BRACKET, [(0, type(ENTRY)(request, "long.entry"))])
    assert [(line["action"], line["attempt"]) for line in logged] == [("retry_attempt", 2)]


def test_funding_and_a_liquidation_are_logged_with_their_figures() -> None:
    logged = [line for line in lines(BRACKET, liquidated()) if line["action"] == "reconcile"]
    assert [(line["level"], line["result"], line["request"]) for line in logged] == [
        ("INFO", "FUNDING", {"symbol": "BTCUSDT", "amount": "-0.024", "asset": "USDT"}),
        ("WARNING", "MARGIN_CALL", {"symbol": "BTCUSDT"}),
        ("ERROR", "LIQUIDATED", {"symbol": "BTCUSDT", "side": "SELL", "fee": "0.1"}),
        ("ERROR", "INSURANCE_CLEAR", {"amount": "-2.5", "asset": "USDT"}),
        ("ERROR", "INSURANCE_CLEAR", {"amount": "1.25", "asset": "USDT"}),
    ]
    assert (logged[2]["orderId"], logged[2]["executedQty"], logged[2]["avgPrice"]) == ("FAKE-9", "0.004", "50000")
