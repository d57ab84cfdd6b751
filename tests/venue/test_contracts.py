"""Leverage brackets and the maintenance margin that follows from them."""

from decimal import Decimal
from itertools import pairwise

import pytest

from runner.venue.contracts import Bracket, shipped_contract
from tests.venue.desk import d
from tests.venue.ledger import PLAIN

SYMBOLS = ("BTCUSDT", "ETHUSDT", "DOGEUSDT")


@pytest.mark.parametrize(("symbol", "cums"), [
    ("BTCUSDT", [0, 300, 1500, 12000, 132000]), ("DOGEUSDT", [0, 280, 655, 6280, 16280]),
])
def test_the_shipped_brackets_subtract_what_binance_says(symbol: str, cums: list[int]) -> None:
    assert [bracket.cum for bracket in shipped_contract(symbol).brackets][:5] == cums


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_brackets_follow_each_other_without_a_gap_and_get_stricter(symbol: str) -> None:
    brackets = shipped_contract(symbol).brackets
    assert [bracket.number for bracket in brackets] == list(range(1, len(brackets) + 1))
    assert brackets[0].floor == 0
    for before, after in pairwise(brackets):
        assert before.cap == after.floor
        assert before.max_leverage > after.max_leverage
        assert before.rate < after.rate


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_maintenance_grows_without_a_jump(symbol: str) -> None:
    contract = shipped_contract(symbol)
    for bracket in contract.brackets[:-1]:
        beyond = contract.maintenance(bracket.cap + Decimal("0.01")) - contract.maintenance(bracket.cap)
        assert 0 < beyond <= Decimal("0.005")


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_maintenance_is_always_below_the_initial_margin_of_the_leverage_allowed(symbol: str) -> None:
    contract = shipped_contract(symbol)
    for bracket in contract.brackets[:-1]:
        assert contract.maintenance(bracket.cap) < bracket.cap / bracket.max_leverage


@pytest.mark.parametrize(("notional", "number", "maintenance"), [
    ("0", 1, "0"), ("10000", 1, "100"), ("10000.01", 2, "100.0005"), ("50000", 2, "2100"), ("60000", 3, "4600"),
    ("900000", 3, "214600"),
])
def test_the_bracket_is_that_of_the_notional(notional: str, number: int, maintenance: str) -> None:
    assert PLAIN.bracket(d(notional)).number == number
    assert PLAIN.maintenance(d(notional)) == d(maintenance)


@pytest.mark.parametrize(("leverage", "most"), [(20, 10_000), (15, 10_000), (10, 50_000), (1, 200_000), (21, 0)])
def test_a_leverage_may_hold_what_the_last_bracket_that_allows_it_may(leverage: int, most: int) -> None:
    assert PLAIN.max_notional(leverage) == most


def test_the_first_bracket_has_the_largest_leverage() -> None:
    assert PLAIN.max_leverage == 20
    assert PLAIN.brackets[1] == Bracket(2, 10, d(10_000), d(50_000), d("0.05"), d(400))
