"""240 runs of bracket, OCO and TWAP plans, killed at random moments and resumed until they end."""

from collections.abc import Callable

import pytest

from tests.live.crashing import NAMES, PROTECTED_WITHIN_MS, survive
from tests.live.stage import Stage, Trader

RUNS = 240


@pytest.mark.parametrize("seed", range(1_000, 1_000 + RUNS))
def test_a_run_that_is_killed_and_resumed_comes_to_its_end(
    seed: int, stage: Stage, trader: Trader, record_property: Callable[[str, object], None],
) -> None:
    name = NAMES[seed % len(NAMES)]
    record_property("title", f"killed and resumed: {name}")
    survived = survive(stage, trader, name, seed, most=5)
    record_property("sum of kills", survived.kills)
    record_property("most ms without a stop while a process was there", survived.unprotected_ms)
    record_property("word", f"exit {survived.ended.code}")
    assert survived.well, f"{survived.verdict.findings}\n{survived.ended.said}"
    assert survived.unprotected_ms <= PROTECTED_WITHIN_MS
