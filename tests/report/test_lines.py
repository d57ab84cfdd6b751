"""The lines that a person reads."""

from runner.domain.commands import Remark
from runner.domain.orders import OrderStatus
from runner.domain.values import OrderType, Side
from runner.report.lines import LineKind
from tests.report.stories import (
    BRACKET,
    ENTRY,
    OCO,
    TWAP,
    Entry,
    bracket,
    liquidated,
    oco_refused,
    place,
    report,
    told,
    twap_denied,
)


def texts(lines: list[object]) -> list[str]:
    return [str(line) for line in lines]


def test_a_bracket_is_told_as_the_design_shows_it() -> None:
    _, lines = told(BRACKET, bracket())
    assert [str(line) for line in lines if line.kind is not LineKind.DETAIL] == [
        "05-04 15:33:00  long.entry        LIMIT BUY 0.004 BTCUSDT @ 60000.0        accepted",
        "05-04 18:04:00  long.entry        FILLED 0.004 @ 60000.0, maker",
        "05-04 18:04:00  long.stop_loss    STOP_MARKET SELL 0.004 trigger 59000.0   accepted, reduce-only",
        "05-04 18:04:00  long.take_profit  TAKE_PROFIT SELL 0.004 @ 61000.0         accepted, reduce-only",
        "05-05 01:22:00  long.take_profit  FILLED 0.004 @ 61000.0, taker",
        "05-05 01:22:00  long.stop_loss    CANCELED, the position is closed",
    ]
    assert [line.text for line in lines if line.kind is LineKind.DETAIL] == ["TRIGGERED"]


def test_a_refused_order_shows_the_exchanges_code_and_the_step_its_reason() -> None:
    _, lines = told(OCO, oco_refused())
    assert [(line.leg.strip(), line.text, line.kind) for line in lines] == [
        (
            "guard.stop_loss",
            "STOP SELL 0.001 BTCUSDT trigger 59000.0 @ 58800.0   REJECTED -2021 Order would immediately trigger.",
            LineKind.REJECTED,
        ),
        (
            "guard.take_profit", "TAKE_PROFIT SELL 0.001 BTCUSDT @ 62000.0   accepted, reduce-only",
            LineKind.ACCEPTED,
        ),
        ("guard", "failed: would_trigger, stop=59000", LineKind.STEP),
    ]


def test_partial_fills_duplicates_and_denials() -> None:
    _, lines = told(TWAP, twap_denied())
    assert [str(line) for line in lines] == [
        "15:33:00.100  build.slice.1  MARKET BUY 0.003 BTCUSDT                 accepted",
        "15:33:00.100  build.slice.1  PARTIALLY_FILLED 0.001 @ 60000.0, taker, 0.001 of 0.003",
        "15:33:00.100  build.slice.1  FILLED 0.002 @ 60000.55, taker",
        "15:33:00.250  build.slice.2  DENIED MAX_ORDER_NOTIONAL limit=150 would_be=180",
        "15:33:00.250  build          failed: denied",
    ]


def test_an_order_that_ends_half_filled_says_how_much() -> None:
    entries: list[Entry] = [
        (0, ENTRY), (1, report(1, ENTRY, OrderStatus.NEW)),
        (2, report(2, ENTRY, OrderStatus.PARTIALLY_FILLED, "0.001", "60000")),
        (3, report(3, ENTRY, OrderStatus.EXPIRED, "0.001", "60000", "GTX")),
        (3, report(3, ENTRY, OrderStatus.EXPIRED, "0.001", "60000", "GTX")),
    ]
    _, lines = told(BRACKET, entries)
    assert [line.text for line in lines][1:] == ["EXPIRED, 0.001 of 0.004 filled, GTX"]


def test_a_report_of_rejection_is_one_line() -> None:
    _, lines = told(BRACKET, [(0, ENTRY), (1, report(1, ENTRY, OrderStatus.REJECTED, reason="no margin"))])
    assert [(line.text, line.kind) for line in lines] == [("REJECTED, no margin", LineKind.REJECTED)]


def test_a_remark_is_a_line() -> None:
    _, lines = told(BRACKET, [(0, Remark("long", "closing", "closing long at market"))])
    assert [(line.leg.strip(), line.text, line.kind) for line in lines] == [
        ("long", "closing long at market", LineKind.REMARK),
    ]


def test_a_trailing_stop_shows_its_rate() -> None:
    command = place("long.stop_loss", "9", Side.SELL, OrderType.TRAILING_STOP_MARKET, "0.004", reduce_only=True)
    request = type(command.request)(
        **{
            name: getattr(command.request, name)
            for name in ("client_order_id", "symbol", "side", "order_type", "quantity", "reduce_only")
        },
        callback_rate=command.request.quantity * 250, activation_price=command.request.quantity * 10_000_000,
    )
    command = type(command)(request, command.node_id)
    _, lines = told(BRACKET, [(0, command), (1, report(1, command, OrderStatus.NEW))])
    assert lines[0].text.startswith("TRAILING_STOP_MARKET SELL 0.004 callback 1% from 40000.0   accepted")


def test_funding_and_a_liquidation_are_told_under_their_symbol() -> None:
    _, lines = told(BRACKET, liquidated())
    assert [str(line) for line in lines[2:]] == [
        "05-04 16:00:00  BTCUSDT           funding paid, 0.024 USDT",
        "05-04 17:00:00  BTCUSDT           MARGIN CALL: its losses come near its liquidation",
        "05-04 17:00:00  BTCUSDT           LIQUIDATED SELL 0.004 @ 50000.0, by the exchange, fee 0.1",
        "05-04 17:00:00  USDT              the fee of the liquidation, 2.5 USDT",
        "05-04 17:00:00  USDT              a debt that the insurance fund took over, 1.25 USDT",
        "05-04 17:00:00  long              failed: liquidated",
    ]
