"""Why a run is refused before anything is sent."""

from decimal import Decimal

import pytest

from runner.app.live.preflight import refusals
from runner.domain.account import AccountFacts, SymbolSetting
from runner.domain.catalog import shipped_instruments
from runner.domain.orders import OrderStatus
from runner.domain.positions import Position
from runner.domain.reports import OrderReport
from runner.domain.snapshots import VenueSnapshot
from runner.domain.values import Side
from runner.graph.compile import compile_plan
from runner.graph.model import ExecutionGraph
from runner.plan.load import load_plan

BRACKET = """\
version: 1
name: long
defaults: {symbol: BTCUSDT}
steps:
  - id: long
    bracket:
      side: BUY
      quantity: 0.004
      entry: {type: LIMIT, price: 60000}
      stop_loss: {stop_price: 59000}
"""
ALLOWED = BRACKET.replace("  - id: long\n", "  - id: long\n    existing_position: allow\n")
EXITS = """\
version: 1
name: out
defaults: {symbol: BTCUSDT}
steps:
  - id: out
    oco:
      side: SELL
      quantity: 0.004
      take_profit: {price: 61000}
      stop_loss: {stop_price: 59000}
"""
FACTS = AccountFacts("abcd", True, False, False, (SymbolSetting("BTCUSDT", 5, "CROSSED"),))


def graph(text: str) -> ExecutionGraph:
    return compile_plan(load_plan("plan.yaml", text.encode()), shipped_instruments()).graph


def snapshot(*held: Position, orders: tuple[OrderReport, ...] = ()) -> VenueSnapshot:
    return VenueSnapshot(1_700_000_000_000, (), held, orders)


def order(
    side: Side = Side.BUY, symbol: str = "BTCUSDT", client_id: str = "web_1", *, closes: bool = False,
) -> OrderReport:
    return OrderReport(
        1, symbol, client_id, "77", OrderStatus.NEW, quantity=Decimal("0.01"), side=side, reduce_only=closes,
    )


def test_an_account_that_is_flat_and_as_wished_is_no_reason() -> None:
    wishing = BRACKET + "account: {leverage: 5, margin_type: CROSSED}\n"
    assert refusals(graph(wishing), FACTS, snapshot()) == ()


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (FACTS.but(can_trade=False), "may not trade"),
        (FACTS.but(hedge_mode=True), "hedge mode"),
        (FACTS.but(multi_assets=True), "multi-assets mode"),
        (FACTS.but(settings=(SymbolSetting("BTCUSDT", 20, "CROSSED"),)), "wants leverage 5, the account has 20"),
        (FACTS.but(settings=(SymbolSetting("BTCUSDT", 5, "ISOLATED"),)), "wants CROSSED margin, the account has ISOL"),
    ],
)
def test_what_the_account_is_set_to_is_checked(facts: AccountFacts, said: str) -> None:
    (reason,) = refusals(graph(BRACKET + "account: {leverage: 5, margin_type: CROSSED}\n"), facts, snapshot())
    assert said in reason


def test_a_symbol_whose_settings_are_not_known_is_not_taken_for_right() -> None:
    found = refusals(graph(BRACKET + "account: {leverage: 5}\n"), FACTS.but(settings=()), snapshot())
    assert found == ("BTCUSDT: the plan wants leverage 5, the account has none that is known",)


@pytest.mark.parametrize(("text", "qty", "said"), [
    (BRACKET, "0.5", "only with existing_position: allow"),
    (BRACKET, "-0.5", "only with existing_position: allow"),
    (ALLOWED, "-0.5", "opens on the other side"),
])
def test_a_position_of_others_is_a_reason(text: str, qty: str, said: str) -> None:
    (reason,) = refusals(graph(text), FACTS, snapshot(Position("BTCUSDT", Decimal(qty), Decimal(60000))))
    assert said in reason
    assert qty in reason


def test_a_position_on_the_same_side_is_none_where_it_is_allowed() -> None:
    held = Position("BTCUSDT", Decimal("0.5"), Decimal(60000))
    assert refusals(graph(ALLOWED), FACTS, snapshot(held, orders=(order(), order(Side.SELL, closes=True)))) == ()


def test_an_open_order_of_others_is_a_reason() -> None:
    (reason,) = refusals(graph(BRACKET), FACTS, snapshot(orders=(order(),)))
    assert "not this run's: BUY 0.01, order 77" in reason
    (reason,) = refusals(graph(ALLOWED), FACTS, snapshot(orders=(order(Side.SELL),)))
    assert "SELL 0.01" in reason


def test_an_order_of_another_run_is_named() -> None:
    (reason,) = refusals(graph(BRACKET), FACTS, snapshot(orders=(order(client_id="rabcd1.2.0.0.0"),)))
    assert "of the run rabcd1" in reason


def test_other_symbols_and_plans_that_only_close_are_left_alone() -> None:
    elsewhere = (Position("ETHUSDT", Decimal(1), Decimal(3000)),)
    assert refusals(graph(BRACKET), FACTS, snapshot(*elsewhere, orders=(order(symbol="ETHUSDT"),))) == ()
    held = Position("BTCUSDT", Decimal("0.5"), Decimal(60000))
    assert refusals(graph(EXITS), FACTS, snapshot(held, orders=(order(),))) == ()


def test_a_date_that_the_exchange_would_refuse_is_a_reason() -> None:
    dated = BRACKET.replace("  - id: long\n", "  - id: long\n    time_in_force: GTD\n").replace(
        "{type: LIMIT, price: 60000}", '{type: LIMIT, price: 60000, good_till: "2023-11-14T22:20:00Z"}',
    )
    (reason,) = refusals(graph(dated), FACTS, snapshot())
    assert "good_till" in reason
