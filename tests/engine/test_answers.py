"""What the exchange's refusals mean: the table, and that anything else is permanent."""

import pytest

from runner.engine.answers import REFUSALS, Refusal, refusal


@pytest.mark.parametrize(("code", "meaning"), [
    (-2021, Refusal.WOULD_TRIGGER), (-4142, Refusal.WOULD_TRIGGER), (-2022, Refusal.POSITION),
    (-4118, Refusal.POSITION), (-4116, Refusal.DUPLICATE), (-2011, Refusal.GONE), (-2013, Refusal.GONE),
    (-4117, Refusal.TRIGGERING), (-4016, Refusal.OUT_OF_BAND), (-4024, Refusal.OUT_OF_BAND),
])
def test_a_code_of_the_table_means_what_it_says(code: int, meaning: Refusal) -> None:
    assert refusal(code) is meaning


@pytest.mark.parametrize("code", [-2019, -1111, -4164, -4131, 0, -999_999])
def test_a_code_that_the_table_does_not_know_is_permanent(code: int) -> None:
    assert code not in REFUSALS
    assert refusal(code) is Refusal.PERMANENT
