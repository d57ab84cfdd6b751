"""The installed command killed with SIGKILL at seeded moments, and resumed each time until its run ends."""

import pytest

from tests.live.crashing import PROTECTED_WITHIN_MS, survive
from tests.live.plays import PLAYS
from tests.live.stage import Stage, Trader

NAMES = sorted(PLAYS)


@pytest.mark.parametrize("seed", range(20))
def test_a_run_that_is_killed_and_resumed_comes_to_its_end(seed: int, stage: Stage, trader: Trader) -> None:
    survived = survive(stage, trader, NAMES[seed % len(NAMES)], seed)
    assert survived.verdict.findings == [], survived.ended.said
    assert survived.ended.code == 0, survived.ended.said
    assert survived.unprotected_ms <= PROTECTED_WITHIN_MS
