"""Plans that are right although they look like wrong ones; the wrong ones are in the corpus."""

import pytest

from tests.graph.plans import BRACKET, compiled

LONG = "  - {id: long, entry: {side: BUY, quantity: 0.004, type: LIMIT, price: 60000}}\n"
SHORT = "entry: {side: SELL, quantity: 0.004, type: MARKET}}\n"


@pytest.mark.parametrize("after", [
    "long", "{long: any}", "{long: filled}", "{long: failed}", "{long: cancelled}", "{long.entry: filled}",
    "{long.entry: any}",
])
def test_an_opener_of_the_other_side_may_follow_the_end_of_an_entry(after: str) -> None:
    compiled(LONG + f"  - {{id: short, after: {after}, {SHORT}")


def test_an_opener_of_the_other_side_may_stand_before_the_one_that_it_waits_for() -> None:
    compiled(f"  - {{id: short, after: {{long: any}}, {SHORT}" + LONG)


def test_the_end_that_an_opener_waits_for_may_lie_several_steps_back() -> None:
    compiled(
        LONG + "  - {id: pause, after: {long: any}, wait: {}, when: {delay: 1s}}\n"
        f"  - {{id: short, after: {{pause: any}}, {SHORT}"
    )


def test_openers_of_opposite_sides_that_wait_for_different_ends_of_a_step_never_meet() -> None:
    compiled(
        "  - {id: signal, timeout: 1h, wait: {}, when: {price: {above: 60000}}}\n"
        "  - {id: long, after: signal, entry: {side: BUY, quantity: 0.004, type: MARKET}}\n"
        f"  - {{id: short, after: {{signal: failed}}, {SHORT}"
    )


def test_openers_of_opposite_sides_on_different_symbols_do_not_concern_each_other() -> None:
    compiled(LONG + f"  - {{id: short, symbol: ETHUSDT, {SHORT}")


def test_a_reducing_twap_is_no_opener() -> None:
    compiled(LONG + "  - {id: out, twap: {side: SELL, quantity: 0.004, slices: 2, every: 1s, reduce_only: true}}\n")


def test_a_step_may_wait_for_any_end_of_a_branch_that_is_not_taken() -> None:
    compiled(
        "  - {id: a, wait: {}, when: {delay: 1s}}\n"
        "  - {id: b, after: {a: failed}, wait: {}, when: {delay: 1s}}\n"
        "  - {id: c, after: {a: succeeded, b: any}, wait: {}, when: {delay: 1s}}\n"
        "  - {id: d, after: {a: succeeded, b: skipped}, wait: {}, when: {delay: 1s}}\n"
    )


def test_an_exit_may_wait_for_its_source_over_other_steps() -> None:
    compiled(
        LONG + "  - {id: pause, after: {long: first_fill}, wait: {}, when: {delay: 1s}}\n"
        "  - {id: out, after: pause, exit: {side: SELL, quantity: {filled: long}, type: MARKET}}\n"
    )


def test_one_oco_may_follow_the_end_of_another_of_the_same_entry() -> None:
    oco = "oco: {side: SELL, quantity: {filled: long}, take_profit: {price: 62000}, stop_loss: {stop_price: 59000}}}\n"
    compiled(
        LONG + f"  - {{id: a, after: {{long: first_fill}}, {oco}" + f"  - {{id: b, after: {{a: failed}}, {oco}"
    )


def test_a_bracket_may_be_closed_early_by_an_exit() -> None:
    compiled(BRACKET + (
        "  - {id: out, after: {long: filled}, when: {delay: 1h},"
        " exit: {side: SELL, quantity: {filled: long}, type: MARKET}}\n"
    ))
