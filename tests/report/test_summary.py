"""What a run came to."""

import json
from decimal import Decimal

from runner.domain.commands import RunEnded, StepEnded, StepStarted
from runner.domain.events import (
    FundingExchanged,
    InsuranceCleared,
    Observed,
    RunStarted,
)
from runner.domain.orders import OrderStatus
from runner.domain.positions import Position
from runner.report.summary import as_json_value, as_text
from tests.report.stories import (
    BRACKET,
    ENTRY,
    OCO,
    STOP,
    TWAP,
    D,
    Entry,
    bracket,
    liquidated,
    oco_refused,
    report,
    told,
    trade,
    twap_denied,
)


def test_a_bracket_ends_as_the_design_shows_it() -> None:
    summary = told(BRACKET, bracket())[0].summary(("funding", "liquidation"))
    assert as_text(summary) == (
        "done: 3 orders, 2 filled, 1 cancelled; unprotected 100 ms (latency 50 ms); PnL +3.83 USDT after fees 0.17; "
        "not simulated: funding, liquidation"
    )
    assert summary.steps[0].outcome == "succeeded"


def test_failures_denials_and_missing_stops_are_named() -> None:
    text = as_text(told(TWAP, twap_denied())[0].summary())
    assert text == (
        "failed (build): 1 order, 1 filled, 1 denied; build failed (denied); without a stop: build; "
        "PnL -0.10 USDT after fees 0.10; still open: +0.003 BTCUSDT from 60000.36666667, "
        "+0.00 at the last price 60000.55"
    )
    assert as_text(told(OCO, oco_refused())[0].summary()).startswith("failed: 2 orders, 1 rejected; guard failed")


def test_a_run_that_is_cut_off_shows_what_is_unfinished_and_naked() -> None:
    summary = told(BRACKET, [
        (0, RunStarted(0, "d1", 1)), (0, StepStarted("long")), (0, ENTRY),
        (10, trade(10, ENTRY, "0.004", "60000", "0.048")),
        (10, report(10, ENTRY, OrderStatus.FILLED, "0.004", "60000")),
        (10, STOP), (60, Observed(60, "BTCUSDT", D(59500), D(59500), D(59499), D(59501), D(9999), D(-2), D("0.0005"))),
    ])[0].summary()
    assert summary.naked_at_end == ("long",)
    assert summary.unprotected_ms == 50
    text = as_text(summary)
    assert text.startswith("cut short: 2 orders, 1 filled; unfinished: long; UNPROTECTED AT THE END: long")
    assert "still open: +0.004 BTCUSDT from 60000, -2.00 at the last price 59500" in text


def test_steps_that_did_not_succeed_are_named_a_few_of_them() -> None:
    ends: list[Entry] = [(0, StepEnded(f"s{number}", "skipped", "never")) for number in range(7)]
    text = as_text(told(BRACKET, [*ends, (0, StepEnded("long", "cancelled")), (0, RunEnded("stopped"))])[0].summary())
    assert text == (
        "stopped: 0 orders; long cancelled; s0 skipped (never), s1 skipped (never), s2 skipped (never), "
        "s3 skipped (never), s4 skipped (never) and 2 more"
    )


def test_positions_from_the_start_are_counted() -> None:
    start = RunStarted(0, "d1", 1, (Position("BTCUSDT", Decimal("-0.5"), Decimal(60000)),))
    summary = told(BRACKET, [(0, start), (1, RunEnded("succeeded"))])[0].summary()
    assert "still open: -0.5 BTCUSDT from 60000" in as_text(summary)


def test_money_is_rounded_against_the_user() -> None:
    summary = told(BRACKET, [
        (0, ENTRY), (1, trade(1, ENTRY, "0.004", "60000", "0.001", pnl="0.008")), (2, RunEnded("succeeded")),
    ])[0].summary()
    assert "PnL +0.00 USDT after fees 0.01" in as_text(summary)


def test_json_has_every_figure_as_text_and_is_stable() -> None:
    value = as_json_value(told(BRACKET, bracket())[0].summary())
    assert json.loads(json.dumps(value)) == value
    assert value["pnl"] == [
        {"asset": "USDT", "net": "3.83", "realised": "4", "fees": "0.17", "funding": "0", "insurance": "0"},
    ]
    assert (value["orders"], value["filled"], value["cancelled"], value["unprotected_ms"]) == (3, 2, 1, 100)
    assert value["positions"] == []
    assert value["steps"] == [{"step_id": "long", "outcome": "succeeded", "reason": "", "detail": ""}]


def test_funding_and_a_liquidation_are_named_and_counted() -> None:
    summary = told(BRACKET, liquidated())[0].summary(("queue position",), ("mark price = last price",))
    (money,) = summary.money
    assert (money.realised, money.fees, money.funding, money.insurance) == (D(-40), D("0.148"), D("-0.024"), D("-1.25"))
    assert money.net == D("-41.422")
    assert (summary.outcome, summary.liquidated, summary.positions) == ("failed", ("BTCUSDT",), ())
    assert summary.naked_at_end == ()
    assert as_text(summary) == (
        "failed (liquidated): 1 order, 1 filled, LIQUIDATED on BTCUSDT; long failed (liquidated); "
        "unprotected 5219950 ms (latency 50 ms); "
        "PnL -41.43 USDT after fees 0.15, funding 0.03 and the fee of the liquidation 1.25; "
        "assumed: mark price = last price; not simulated: queue position"
    )


def test_funding_received_and_a_debt_borne_by_others_are_said_as_such() -> None:
    entries: list[Entry] = [
        (0, ENTRY), (1, trade(1, ENTRY, "0.004", "60000", "0.05", pnl="-100")),
        (2, FundingExchanged(2, "BTCUSDT", D("0.029"), "USDT")), (3, InsuranceCleared(3, D(7), "USDT")),
        (4, RunEnded("failed", "liquidated")),
    ]
    text = as_text(told(BRACKET, entries)[0].summary())
    assert "PnL -93.03 USDT after fees 0.05 and funding 0.02 received, 7.00 borne by the insurance fund" in text
