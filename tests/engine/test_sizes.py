"""From a size as written to a quantity: computed ones round down, none is ever shrunk to fit."""

from decimal import Decimal

import pytest

from runner.domain.commands import OrderDenied, StepStarted
from runner.domain.events import Observed
from tests.engine.paper import Paper


def entry(size: str, order: str = "type: MARKET", **more: str) -> Paper:
    return Paper(f"  - id: a\n    entry: {{side: BUY, {size}, {order}}}\n", **more)  # type: ignore[arg-type]


def quantity(paper: Paper) -> str:
    (line,) = paper.said()
    return line.split()[4]


def denials(paper: Paper) -> list[tuple[str, str]]:
    return [(one.code, one.detail) for one in paper.commands if isinstance(one, OrderDenied)]


def test_an_explicit_quantity_is_taken_as_it_is() -> None:
    assert quantity(entry("quantity: 0.004")) == "0.004"


@pytest.mark.parametrize(("size", "order", "expected"), [
    ("notional: 500", "type: MARKET", "0.008"),  # 500 / 60,000 = 0.00833…
    ("notional: 500", "type: LIMIT, price: 50000", "0.01"),  # at its own limit
    ("notional: 500", "type: STOP_MARKET, stop_price: 62500", "0.008"),  # at its trigger
    ("notional: 500", "type: LIMIT, distance: 10000", "0.01"),  # at the limit that it will have, 50,000
    ("equity: 10%", "type: MARKET", "0.016"),  # 1,000 / 60,000 = 0.01666…
])
def test_a_computed_quantity_rounds_down(size: str, order: str, expected: str) -> None:
    assert quantity(entry(size, order)) == expected


def test_equity_is_wallet_and_unrealised_at_the_steps_start_not_at_the_runs() -> None:
    paper = Paper("  - id: a\n    when: {delay: 1m}\n    entry: {side: BUY, equity: 10%, type: MARKET}\n")
    paper.wallet = Decimal(20_000)
    paper.fire("when:a.start")
    assert quantity(paper) == "0.033"  # 2,000 / 60,000


def test_a_market_size_counts_at_the_opposite_best_quote() -> None:
    class Spread(Paper):
        def observe(self, symbol: str = "BTCUSDT") -> None:
            self.give(Observed(
                self.now_ms, symbol, Decimal(60_000), Decimal(60_000), Decimal(50_000), Decimal(62_500),
                Decimal(9_000), Decimal(1_000), Decimal("0.0005"),
            ))

    assert quantity(Spread("  - id: a\n    entry: {side: BUY, equity: 10%, type: MARKET}\n")) == "0.016"
    assert quantity(Spread("  - id: a\n    entry: {side: SELL, equity: 10%, type: MARKET}\n")) == "0.02"


def bracket(size: str, entry_order: str, stop: str, side: str = "BUY") -> Paper:
    return Paper(
        f"  - id: a\n    bracket: {{side: {side}, {size}, entry: {{{entry_order}}}, stop_loss: {{{stop}}}}}\n"
    )


@pytest.mark.parametrize(("entry_order", "stop", "side", "expected"), [
    # 100 / (1,000 + 0.0005 × (60,000 + 59,000) = 1,059.5) = 0.09438…
    ("type: LIMIT, price: 60000", "stop_price: 59000", "BUY", "0.094"),
    ("type: LIMIT, price: 60000", "distance: 1000", "BUY", "0.094"),
    # a MARKET entry at the best quote, 60,000; 2 % of it is 1,200: 100 / (1,200 + 0.0005 × 118,800) = 0.0793…
    ("type: MARKET", "distance: 2%", "BUY", "0.079"),
    ("type: MARKET", "stop_price: 59000", "BUY", "0.094"),
    # a sale, its stop above: 100 / (1,000 + 0.0005 × 121,000) = 0.0942…
    ("type: LIMIT, price: 60000", "stop_price: 61000", "SELL", "0.094"),
])
def test_risk_divides_by_the_distance_to_the_stop_and_both_taker_fees_and_rounds_down(
    entry_order: str, stop: str, side: str, expected: str,
) -> None:
    assert quantity(bracket("risk: 1%", entry_order, stop, side)) == expected


def test_a_computed_size_below_the_least_quantity_is_denied_before_anything_is_sent() -> None:
    paper = entry("notional: 100", price="200000")
    assert paper.said() == []
    assert denials(paper) == [("MIN_QTY", "minimum=0.001 computed=0")]
    assert paper.ends() == {"a": "failed denied"}


def test_a_computed_size_below_the_least_notional_is_denied_before_anything_is_sent() -> None:
    paper = Paper("  - id: a\n    entry: {side: BUY, equity: 0.8%, type: MARKET}\n", price="45000")
    assert paper.said() == []  # 80 / 45,000 is 0.001, worth 45, and BTCUSDT asks for 50
    assert denials(paper)[0][0] == "MIN_NOTIONAL"
    assert paper.ends() == {"a": "failed denied"}


def test_an_explicit_market_quantity_below_the_least_notional_at_the_mark_is_denied() -> None:
    paper = entry("quantity: 0.001", price="40000")
    assert paper.said() == []
    assert denials(paper)[0][0] == "MIN_NOTIONAL"


def test_a_reduce_only_order_is_exempt_from_the_least_notional() -> None:
    paper = Paper(
        "  - id: x\n    exit: {side: SELL, quantity: 0.001, type: MARKET}\n", price="40000",
        positions={"BTCUSDT": "0.001"},
    )
    assert paper.said() == ["place x.exit#0 MARKET SELL 0.001 reduce-only"]


def test_the_quantity_of_a_step_is_told_when_it_starts_and_none_where_it_has_none() -> None:
    paper = Paper("  - id: w\n    when: {delay: 1s}\n    wait: {}\n  - id: a\n    entry: {side: BUY, "
                  "notional: 500, type: MARKET}\n")
    told = {one.step_id: one.quantity for one in paper.commands if isinstance(one, StepStarted)}
    assert told == {"w": None, "a": Decimal("0.008")}


def test_a_share_of_the_position_rounds_down() -> None:
    paper = Paper(
        "  - id: x\n    exit: {side: SELL, quantity: {position: 50%}, type: MARKET}\n", positions={"BTCUSDT": "0.005"},
    )
    assert quantity(paper) == "0.002"


def test_a_short_position_is_shared_by_buying() -> None:
    paper = Paper(
        "  - id: x\n    exit: {side: BUY, quantity: {position: 100%}, type: MARKET}\n", positions={"BTCUSDT": "-0.005"},
    )
    assert paper.said() == ["place x.exit#0 MARKET BUY 0.005 reduce-only"]


def test_the_filled_of_a_step_is_its_open_quantity() -> None:
    paper = Paper(
        "  - id: a\n    entry: {side: BUY, quantity: 0.004, type: MARKET}\n"
        "  - id: x\n    after: a\n    exit: {side: SELL, quantity: {filled: a}, type: LIMIT, price: 61000}\n"
        "  - id: y\n    after: {x: first_fill}\n    twap: {side: SELL, quantity: {filled: a}, slices: 1, "
        "every: 1s, of: a}\n"
    )
    paper.fill("a.entry#0", "0.004")
    paper.accept("x.exit#0")
    paper.fill("x.exit#0", "0.001", "61000")
    assert "place y.slice.1#0 MARKET SELL 0.003 reduce-only" in paper.said()


def test_a_step_called_day_is_sized_as_any_other_beside_a_daily_loss() -> None:
    """The engine keeps its own observation of the day apart from the names that people give."""
    paper = Paper(
        "  - id: day\n    entry: {side: BUY, notional: 500, type: MARKET}\n", "limits: {max_daily_loss: 50}",
    )
    assert paper.said() == ["place day.entry#0 MARKET BUY 0.008"]
