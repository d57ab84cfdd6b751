"""The installed command killed with SIGKILL at seeded moments, and resumed each time until its run ends."""

import pytest

from tests.live.crashing import NAMES, PROTECTED_WITHIN_MS, survive
from tests.live.stage import Stage, Trader


@pytest.mark.parametrize("seed", range(20))
def test_a_run_that_is_killed_and_resumed_comes_to_its_end(seed: int, stage: Stage, trader: Trader) -> None:
    survived = survive(stage, trader, NAMES[seed % len(NAMES)], seed)
    assert survived.well, f"{survived.verdict.findings}\n{survived.ended.said}"
    assert survived.unprotected_ms <= PROTECTED_WITHIN_MS
