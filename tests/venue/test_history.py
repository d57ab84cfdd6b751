"""What an account finds of its past, and how much room it takes."""

import tracemalloc
from decimal import Decimal

import pytest

from runner.domain.values import ZERO, OrderType, Side
from runner.venue.account import Account
from runner.venue.facts import AlgoState, Fill, Income, OrderState
from runner.venue.history import History
from runner.venue.requests import NewOrder
from runner.venue.settings import VenueSettings
from runner.venue.terms import AlgoStatus, IncomeType, PositionSide, Status
from tests.venue.desk import BTC, d

DAY = 86_400_000
START = 1_790_000_000_000


def order(number: int, client_id: str = "", *, symbol: str = "BTCUSDT", filled: str = "0.010", at: int = START,
          status: Status = Status.FILLED) -> OrderState:
    request = NewOrder(symbol, Side.BUY, OrderType.LIMIT, d("0.010"), client_id or f"o{number}", price=d("60000.10"))
    return OrderState(request, number, status, d(filled), d(filled) * d("60000.10"), at, at + 5)


def conditional(number: int, status: AlgoStatus = AlgoStatus.CANCELED, at: int = START, **more: object) -> AlgoState:
    request = NewOrder(
        "BTCUSDT", Side.SELL, OrderType.STOP_MARKET, d("0.010"), f"s{number}", trigger_price=d(58000), reduce_only=True,
    )
    return AlgoState(request, number, status, at, at + 5).but(**more)


def fill(number: int, order_id: int, *, symbol: str = "BTCUSDT", at: int = START) -> Fill:
    return Fill(
        number, order_id, symbol, Side.BUY, PositionSide.BOTH, d("60000.10"), d("0.010"), d("0.30"), "USDT", ZERO,
        False, at,
    )


def numbers(found: list[OrderState]) -> list[int]:
    return [state.order_id for state in found]


def test_a_closed_order_is_found_by_both_ids_just_as_it_was() -> None:
    history, state = History(10), order(7, "entry").but(algo_id=3, forced=True)
    history.add_order(state)
    assert history.order("BTCUSDT", 7, START) == state
    found = history.order("BTCUSDT", "entry", START)
    assert found == state
    assert str(found.request.quantity) == "0.010"
    assert history.order("BTCUSDT", 8, START) is None
    assert history.order("BTCUSDT", "other", START) is None
    assert history.order("ETHUSDT", 7, START) is None


def test_of_a_client_id_that_was_used_again_the_latest_order_answers() -> None:
    history = History(2)
    history.add_order(order(1, "same"))
    history.add_order(order(2, "same"))
    assert history.order("BTCUSDT", "same", START) == order(2, "same")
    assert history.order("BTCUSDT", 1, START) == order(1, "same")
    history.add_order(order(3, "x"))
    assert history.order("BTCUSDT", "same", START) == order(2, "same")


def test_one_client_id_on_two_symbols_names_two_orders() -> None:
    history = History(10)
    history.add_order(order(1, "same"))
    history.add_order(order(2, "same", symbol="ETHUSDT"))
    assert history.order("BTCUSDT", "same", START) == order(1, "same")


def test_one_client_id_on_two_symbols_names_two_conditional_orders() -> None:
    history, first = History(10), conditional(1)
    second = conditional(2).but(request=first.request.but(symbol="ETHUSDT"))
    history.add_conditional(first)
    history.add_conditional(second)
    assert history.conditional("s1", START, "BTCUSDT") == first
    assert history.conditional("s1", START, "ETHUSDT") == second
    assert history.conditional("s1", START) == second
    assert history.conditional("s2", START) is None


def test_a_conditional_order_is_found_by_both_ids_with_or_without_its_symbol() -> None:
    history = History(10)
    state = conditional(4, AlgoStatus.FINISHED, triggered_ms=START, order_id=9, actual_type=OrderType.MARKET,
                        filled_qty=d("0.010"), cost=d(580), reason="")
    history.add_conditional(state)
    assert history.conditional(4, START) == state
    assert history.conditional("s4", START, "BTCUSDT") == state
    assert history.conditional("s4", START, "ETHUSDT") is None
    assert history.conditionals("BTCUSDT", START) == [state]


def test_only_the_last_are_kept() -> None:
    history = History(3)
    for number in range(1, 6):
        history.add_order(order(number))
        for part in range(3):
            history.add_fill(fill(number * 10 + part, number))
            history.add_income(Income(number * 10 + part, IncomeType.COMMISSION, "USDT", d(-1), START, "BTCUSDT"))
    assert numbers(history.orders("", START)) == [3, 4, 5]
    assert history.order("BTCUSDT", "o2", START) is None
    assert len(history.fills("BTCUSDT", START)) == 6
    assert len(history.income(START)) == 12


@pytest.mark.parametrize(("status", "filled", "days", "found"), [
    (Status.CANCELED, "0", 3, True), (Status.CANCELED, "0", 4, False), (Status.EXPIRED, "0", 4, False),
    (Status.CANCELED, "0.001", 4, True), (Status.FILLED, "0.010", 90, True), (Status.FILLED, "0.010", 91, False),
])
def test_old_orders_are_lost_and_unfilled_ones_soon(status: Status, filled: str, days: int, found: bool) -> None:
    history = History(10)
    history.add_order(order(1, status=status, filled=filled))
    now = START + days * DAY
    assert (history.order("BTCUSDT", 1, now) is not None) is found
    assert bool(history.orders("BTCUSDT", now)) is found


@pytest.mark.parametrize(("status", "days", "found"), [
    (AlgoStatus.CANCELED, 3, True), (AlgoStatus.CANCELED, 4, False), (AlgoStatus.EXPIRED, 4, False),
    (AlgoStatus.REJECTED, 4, True), (AlgoStatus.REJECTED, 91, False),
])
def test_conditional_orders_are_lost_alike(status: AlgoStatus, days: int, found: bool) -> None:
    history = History(10)
    history.add_conditional(conditional(1, status))
    assert (history.conditional(1, START + days * DAY) is not None) is found


def test_ranges_go_by_id_and_time_and_end_at_the_newest_without_a_beginning() -> None:
    history = History(100)
    for number in (3, 1, 2, 5, 4):
        history.add_order(order(number, at=START + number))
    history.add_order(order(6, symbol="ETHUSDT", at=START + 6))
    now = START + 10
    assert numbers(history.orders("BTCUSDT", now)) == [1, 2, 3, 4, 5]
    assert numbers(history.orders("BTCUSDT", now, limit=2)) == [4, 5]
    assert numbers(history.orders("BTCUSDT", now, from_id=2, limit=2)) == [2, 3]
    assert numbers(history.orders("BTCUSDT", now, since_ms=START + 3)) == [3, 4, 5]
    assert numbers(history.orders("BTCUSDT", now, since_ms=START + 2, until_ms=START + 3)) == [2, 3]
    assert numbers(history.orders("", now)) == [1, 2, 3, 4, 5, 6]
    assert history.orders("XRPUSDT", now) == []


def test_executions_can_be_asked_of_one_order() -> None:
    history = History(10)
    history.add_fill(fill(1, 7))
    history.add_fill(fill(2, 8))
    history.add_fill(fill(3, 7, symbol="ETHUSDT"))
    assert history.fills("BTCUSDT", START, order_id=7) == [fill(1, 7)]
    assert history.fills("BTCUSDT", START) == [fill(1, 7), fill(2, 8)]


def test_income_can_be_asked_by_kind_and_symbol() -> None:
    history = History(10)
    deposit = Income(1, IncomeType.TRANSFER, "USDT", d(1000), START)
    fee = Income(2, IncomeType.COMMISSION, "USDT", d("-0.3"), START + 1, "BTCUSDT", 9, "note")
    history.add_income(deposit)
    history.add_income(fee)
    assert history.income(START + 1) == [deposit, fee]
    assert history.income(START + 1, kind=IncomeType.COMMISSION) == [fee]
    assert history.income(START + 1, symbol="BTCUSDT") == [fee]
    assert history.income(START + 1, until_ms=START) == [deposit]
    assert history.income(START + 1, limit=1) == [fee]


def test_a_closed_order_takes_less_than_a_kilobyte_and_a_half_all_told() -> None:
    """Each order comes from a conditional one, is filled once, and leaves two income rows."""
    account = Account("main", VenueSettings(keep_closed=2_000))
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(2_000):
        number += 8_389_765_519_001
        at, price, qty = number * 37, Decimal(60_000) + Decimal(number % 977) / 10, Decimal(number % 97 + 1) / 1000
        side = Side.BUY if number % 2 else Side.SELL
        request = NewOrder(
            "BTCUSDT", side, OrderType.STOP_MARKET, qty, f"st-a1-e1-{number}-abcdef", trigger_price=price,
        )
        booking = account.execute(BTC, PositionSide.BOTH, side, qty, price, False, number, at)
        account.history.add_fill(Fill(
            number, number, "BTCUSDT", side, PositionSide.BOTH, price, qty, booking.fee, "USDT", booking.realized,
            False, at,
        ))
        placed = request.but(order_type=OrderType.MARKET, trigger_price=None)
        account.history.add_order(OrderState(placed, number, Status.FILLED, qty, price * qty, at, at, number))
        account.history.add_conditional(AlgoState(
            request, number, AlgoStatus.FINISHED, at, at, at, number, OrderType.MARKET, qty, price * qty,
        ))
    used = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert used / 2_000 < 1_536
