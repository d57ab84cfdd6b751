"""The judge sees what must not be: each test does one such thing by hand, under ids like ours."""

from decimal import Decimal

import pytest

from tests.live.judge import judge, truth, uncovered
from tests.live.stage import Stage, Trader

ORDER = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.004"}
EXIT = {"symbol": "BTCUSDT", "side": "SELL", "algoType": "CONDITIONAL", "quantity": "0.004", "reduceOnly": "true"}


@pytest.fixture
def market(stage: Stage) -> Stage:
    stage.price("60000")
    return stage


def findings(trader: Trader, word: str) -> list[str]:
    return [sentence for sentence in judge(trader).findings if sentence.startswith(word)]


def test_an_account_that_did_nothing_is_clean(trader: Trader) -> None:
    verdict = judge(trader)
    assert (verdict.findings, verdict.uncovered) == ([], [])


def test_an_order_that_stays_is_an_orphan(market: Stage, trader: Trader) -> None:
    trader.by_hand("POST", "v1/order", **ORDER, price="59000", newClientOrderId="rx.1.0.0.0")
    assert len(findings(trader, "orphan")) == 1
    trader.by_hand("DELETE", "v1/order", symbol="BTCUSDT", origClientOrderId="rx.1.0.0.0")
    assert findings(trader, "orphan") == []


def test_an_order_of_somebody_else_is_none(market: Stage, trader: Trader) -> None:
    trader.by_hand("POST", "v1/order", **ORDER, price="59000", newClientOrderId="by-hand")
    assert judge(trader).findings == []


def test_the_same_id_twice_and_a_second_attempt_beside_the_first_are_seen(market: Stage, trader: Trader) -> None:
    for client_id in ("rx.1.0.0.0", "rx.1.0.0.0", "rx.2.0.0.0", "rx.2.0.0.1", "rx.2.0.1.0"):
        trader.by_hand("POST", "v1/order", **_market(client_id))
    sentences = findings(trader, "twice")
    assert [sentence.split()[1:3] for sentence in sentences] == [
        ["rx.1.0.0.0", "stands"], ["node", "1"], ["node", "2"],
    ]


def _market(client_id: str) -> dict[str, str]:
    return {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.004", "newClientOrderId": client_id}


def test_what_no_journal_holds_is_forgotten_and_what_is_held_is_left(market: Stage, trader: Trader) -> None:
    trader.by_hand("POST", "v1/order", **_market("rx.1.0.0.0"))
    assert len(findings(trader, "forgotten")) == 1
    assert len(findings(trader, "left")) == 1


def test_a_triggered_stop_and_its_order_are_one(market: Stage, trader: Trader) -> None:
    trader.by_hand("POST", "v1/order", **_market("rx.1.0.0.0"))
    trader.by_hand("POST", "v1/algoOrder", **EXIT, type="STOP_MARKET", triggerPrice="59000", clientAlgoId="rx.2.0.0.0")
    market.price("58990")
    known = truth(trader)
    assert [order.status for order in known.held] == ["FINISHED", "FILLED", "FILLED"]
    assert known.position == {"BTCUSDT": Decimal(0)}
    assert known.filled(reduces=True) == known.filled(reduces=False) == Decimal("0.004")
    assert findings(trader, "twice") == findings(trader, "executed") == []


def test_the_time_without_a_stop_is_measured(market: Stage, trader: Trader) -> None:
    trader.by_hand("POST", "v1/order", **_market("rx.1.0.0.0"))
    (span,) = judge(trader).uncovered
    assert span.qty == Decimal("0.004")
    trader.by_hand("POST", "v1/algoOrder", **EXIT, type="STOP_MARKET", triggerPrice="59000", clientAlgoId="rx.2.0.0.0")
    trader.by_hand("DELETE", "v1/algoOrder", clientAlgoId="rx.2.0.0.0")
    opened = [event["T"] for event in trader.events() if event["e"] == "ACCOUNT_UPDATE"]
    spans = list(uncovered(trader.events()))
    assert spans[0].from_ms == opened[0] and spans[0].until_ms > opened[0]
    trader.by_hand("POST", "v1/order", **{**_market("rx.3.0.0.0"), "side": "SELL", "reduceOnly": "true"})
    assert [span.qty for span in judge(trader).uncovered][-1] == Decimal("0.004")
    assert judge(trader).uncovered[-1].until_ms == trader.events()[-1]["T"]


def test_a_key_in_a_file_is_seen(trader: Trader) -> None:
    (trader.home / "bot.log").write_text(f"signed with {trader.secret[:30]}")
    assert findings(trader, "key") == ["key: in bot.log"]
