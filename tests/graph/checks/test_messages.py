"""What the messages and hints say: the figures that help."""

import pytest

from runner.errors import PlanInvalid
from runner.plan.diagnostics import Severity
from tests.graph.plans import compiled


def _told(steps: str) -> tuple[str, str]:
    with pytest.raises(PlanInvalid) as caught:
        compiled(steps)
    first = next(found for found in caught.value.diagnostics if found.severity is Severity.ERROR)
    return first.message, first.hint


@pytest.mark.parametrize(("body", "message", "hint"), [
    ("entry: {side: BUY, quantity: 0.0015, type: MARKET}",
     "steps[0].entry.quantity: 0.0015 is not on the step size 0.001 of BTCUSDT", "use 0.001 or 0.002"),
    ("entry: {side: BUY, quantity: 0.0004, type: MARKET}",
     "steps[0].entry.quantity: 0.0004 is not on the step size 0.001 of BTCUSDT", "use 0.001"),
    ("entry: {side: BUY, quantity: 0.004, type: LIMIT, price: 60000.05}",
     "steps[0].entry.price: 60000.05 is not on the tick 0.1 of BTCUSDT", "use 60000 or 60000.1"),
    ("entry: {side: BUY, quantity: 0.001, type: LIMIT, price: 40000}",
     "steps[0].entry.quantity: 0.001 at 40000 is worth 40 USDT, and BTCUSDT takes no opening order below 50",
     "use a quantity of at least 0.002"),
    ("twap: {side: BUY, quantity: 0.009, slices: 10, every: 2s}",
     "steps[0].twap.slices: 10 slices of 0.009 BTC are as small as 0, below the least quantity 0.001 of BTCUSDT",
     "use at most 9 slices"),
    ("twap: {side: BUY, quantity: 0.003, slices: 3, every: 2s, type: LIMIT, price: 20000}",
     ("steps[0].twap.slices: 3 slices of 0.003 BTC are as small as 0.001, below 0.003: the least notional"
     " of BTCUSDT is 50, at 20000"), "use at most 1 slice"),
    ("twap: {side: BUY, quantity: 0.001, slices: 3, every: 2s, type: LIMIT, price: 20000}",
     ("steps[0].twap.slices: 3 slices of 0.001 BTC are as small as 0, below 0.003: the least notional"
     " of BTCUSDT is 50, at 20000"), "raise the quantity: not one slice works"),
    ("bracket: {side: BUY, quantity: 0.004, entry: {type: LIMIT, price: 60000}, stop_loss: {stop_price: 61000}}",
     "steps[0].bracket.stop_loss.stop_price: the stop of a long must be below the entry 60000, and is 61000",
     "the sides may be the wrong way round"),
    ("bracket: {side: SELL, quantity: 0.004, entry: {type: LIMIT, price: 60000}, stop_loss: {stop_price: 60000}}",
     "steps[0].bracket.stop_loss.stop_price: the stop of a short must be above the entry 60000, and is 60000",
     "one tick is the least distance"),
])
def test_a_fault_names_its_figures_and_what_would_do(body: str, message: str, hint: str) -> None:
    assert _told(f"  - {{id: long, {body}}}\n") == (message, hint)


def test_a_cycle_is_shown_with_its_path() -> None:
    message, _ = _told(
        "  - {id: a, after: b, wait: {}, when: {delay: 1s}}\n  - {id: b, after: a, wait: {}, when: {delay: 1s}}\n"
    )
    assert message == "steps[0].after: these steps wait for each other: a -> b -> a"


def test_a_misspelt_step_is_met_with_the_nearest_one() -> None:
    _, hint = _told(
        "  - {id: long, entry: {side: BUY, quantity: 0.004, type: MARKET}}\n"
        "  - {id: pause, after: lnog, wait: {}, when: {delay: 1s}}\n"
    )
    assert hint == "did you mean 'long'?"


@pytest.mark.parametrize(("step", "leg", "hint"), [
    ("twap: {side: BUY, quantity: 0.009, slices: 3, every: 2s}", "slice.4", "its legs are slice.1 to slice.3"),
    ("exit: {side: SELL, quantity: 0.004, type: MARKET}", "entry", "its legs are exit"),
    ("oco: {side: SELL, quantity: 0.004, take_profit: {price: 62000}, stop_loss: {stop_price: 59000}}", "exit",
     "its legs are stop_loss, take_profit"),
    ("flatten: {}", "exit", "a step of this kind has no legs"),
])
def test_the_legs_that_a_step_has_are_listed(step: str, leg: str, hint: str) -> None:
    waiter = f"{{id: b, after: [a.{leg}], wait: {{}}, when: {{delay: 1s}}}}"
    assert _told(f"  - {{id: a, {step}}}\n  - {waiter}\n")[1] == hint


def test_the_outcomes_that_a_step_can_come_to_are_listed() -> None:
    message, hint = _told(
        "  - {id: a, flatten: {}}\n  - {id: b, after: {a: filled}, wait: {}, when: {delay: 1s}}\n"
    )
    assert message == "steps[1].after.a: 'a' cannot come to 'filled'"
    assert hint == "it can come to succeeded, failed, cancelled, skipped or any"
