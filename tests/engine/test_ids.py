"""Client order ids: short enough, of allowed characters, and readable back."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.engine.ids import OrderKey, client_order_id, link_id, order_key
from runner.errors import InternalError
from tests.engine.paper import Paper

ALLOWED = re.compile(r"[A-Za-z0-9._-]{1,36}")
NUMBERS = st.integers(0, 36**3 - 1)


def test_an_id_is_the_run_and_four_numbers_in_base_36() -> None:
    assert client_order_id(OrderKey("d1f0c2", 37, 0, 35, 36)) == "d1f0c2.11.0.z.10"


@given(st.from_regex(r"[a-z0-9-]{1,20}", fullmatch=True), NUMBERS, NUMBERS, NUMBERS, NUMBERS)
def test_every_id_can_be_read_back_and_fits_the_exchange(
    run_id: str, node: int, round_: int, revision: int, attempt: int,
) -> None:
    key = OrderKey(run_id, node, round_, revision, attempt)
    text = client_order_id(key)
    assert ALLOWED.fullmatch(text)
    assert order_key(text) == key


def test_an_id_that_the_exchange_would_not_take_is_refused_by_us() -> None:
    with pytest.raises(InternalError, match="36"):
        client_order_id(OrderKey("r" * 29, 0, 0, 0, 0))


@pytest.mark.parametrize("foreign", ["", "web_abc", "a.1.2.3", "a.1.2.3.4.5", ".1.2.3.4", "a.1.2.3.%"])
def test_ids_of_others_are_not_ours(foreign: str) -> None:
    assert order_key(foreign) is None


def test_two_orders_of_a_run_never_share_an_id() -> None:
    paper = Paper("  - id: t\n    twap: {side: BUY, quantity: 0.050, slices: 50, every: 1s}\n")
    for k in range(1, 50):
        paper.fill(f"t.slice.{k}#0", "0.001")
        paper.fire(f"edge:{k}")
    assert len(paper.sent) == 50
    assert all(ALLOWED.fullmatch(one) for one in paper.sent)


def test_a_link_id_names_run_and_step_and_is_empty_for_steps_without_a_prefix() -> None:
    assert link_id("OCO", "d1f0c2", "guard") == "OCO-d1f0c2-guard"
    assert link_id("", "d1f0c2", "guard") == ""
