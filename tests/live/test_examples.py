"""Each example plan, live over the wire, comes to what its dry run comes to on the same way of the market.

The market stops at a few prices, and goes on when the exchange has the orders that the dry run has there.  Waits of
minutes in the plans are cut to what a test can wait, in both runs alike.
"""

import json
from pathlib import Path

import pytest

from runner.domain.commands import PlaceOrder, WatchPrice
from runner.domain.events import PriceTouched
from tests.conftest import ROOT
from tests.live.compared import Prices, dry, lived
from tests.live.judge import journal, judge
from tests.live.stage import Ended, Stage, TooLate, Trader, troupe, until

BTC, ETH = "BTCUSDT", "ETHUSDT"
CUTS = {"delay: 10m": "delay: 300ms", "every: 10s": "every: 400ms", "every: 2s": "every: 400ms"}
WAYS: dict[str, list[Prices]] = {
    "bracket": [{BTC: "60200"}, {BTC: "59900"}, {BTC: "61100"}, {BTC: "62300"}],
    "live-bracket": [
        {ETH: "3010", BTC: "60200"}, {BTC: "59900"}, {BTC: "61200"}, {ETH: "2990"}, {BTC: "58900"},
    ],
    "limit": [{BTC: "60000"}, {BTC: "59400"}, {BTC: "60500"}],
    "market": [{BTC: "60000"}],
    "oco": [{BTC: "60000"}, {BTC: "59300"}, {BTC: "62200"}],
    "stop-limit": [{BTC: "60000"}, {BTC: "60550"}, {BTC: "60900"}, {BTC: "59800"}],
    "twap": [{BTC: "60000"}, {BTC: "60400"}, {BTC: "58900"}],
    "two-symbols": [
        {ETH: "3000", BTC: "60000"}, {ETH: "3010", BTC: "60700"}, {ETH: "2985"}, {BTC: "62300"},
    ],
}
POSITIONS = {"oco": ("0.010", "60000")}


def test_every_example_is_here() -> None:
    assert sorted(WAYS) == sorted(path.stem for path in (ROOT / "examples").glob("*.yaml"))


@pytest.mark.parametrize("name", sorted(WAYS))
def test_an_example_comes_to_the_same_as_its_dry_run(name: str, stage: Stage, tmp_path: Path) -> None:
    text = (ROOT / "examples" / f"{name}.yaml").read_text(encoding="utf-8")
    for long, short in CUTS.items():
        text = text.replace(long, short)
    way = WAYS[name]
    balance = text.partition("balance: ")[2].split()[0]
    symbols = sorted({symbol for stop in way for symbol in stop})
    with troupe(stage, balance=balance) as trader:
        if name in POSITIONS:
            qty, price = POSITIONS[name]
            stage.price(str(int(price) + 100))
            trader.by_hand("POST", "v1/order", symbol=BTC, side="BUY", type="LIMIT", timeInForce="GTC", quantity=qty,
                           price=price)
            stage.price(str(int(price) - 10))
        trader.timings["twin_after"] = "10s"  # a machine under load answers late, which is no matter of the plans
        _go(stage, way[0])
        plan = trader.plan(text)
        running = trader.run(plan, "--format", "json")
        until("the run's first wish", lambda: _wishes(trader))
        for number, stop in enumerate(way):
            if number:
                _go(stage, stop)
            expected = dry(text, way[:number + 1], tmp_path)
            try:
                until("the dry run's orders", lambda: lived(trader, symbols).orders == expected.orders)  # noqa: B023
            except TooLate:
                assert lived(trader, symbols).orders == expected.orders, f"at {stop}\n{running.out}{running.err}"
        ended = running.wait()
        there = lived(trader, symbols)
        assert there.fills == expected.fills
        assert there.positions == expected.positions
        _same_end(ended, expected.outcome, expected.steps)
        assert judge(trader, symbols, over=not expected.positions).findings == []


def _wishes(trader: Trader) -> bool:
    """Whether the run has asked for an order, or, having seen a price, to be told of the next."""
    kept = [value for path in trader.journals() for value in journal(path)]
    seen = next((at for at, value in enumerate(kept) if isinstance(value, PriceTouched)), len(kept))
    return any(isinstance(value, PlaceOrder) for value in kept) or \
        any(isinstance(value, WatchPrice) for value in kept[seen:])


def _go(stage: Stage, stop: Prices) -> None:
    for symbol, price in stop.items():
        stage.price(price, symbol)


def _same_end(ended: Ended, outcome: str, steps: tuple[tuple[str, str], ...]) -> None:
    assert ended.code == 0, ended.said
    found = json.loads(ended.out)
    assert (found["outcome"], tuple((step["step_id"], step["outcome"]) for step in found["steps"])) == (outcome, steps)
