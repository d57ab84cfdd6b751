"""Every fault of the exchange at every place that it can befall."""

from collections.abc import Callable

import pytest

from tests.live.crashing import PROTECTED_WITHIN_MS
from tests.live.faulttable import held
from tests.live.mishaps import Case, matrix, play_out
from tests.live.stage import Stage, Trader
from tests.live.test_faults import PASSES_MS


@pytest.mark.parametrize("case", matrix(), ids=lambda case: case.id)
def test_a_run_meets_a_fault_and_ends_as_the_table_says(
    case: Case, stage: Stage, trader: Trader, record_property: Callable[[str, object], None],
) -> None:
    record_property("title", f"fault: {case.fault}")
    fate = play_out(stage, trader, case.place.play, [(case.fault, case.wish())])
    record_property("most ms without a stop", fate.verdict.longest_ms)
    record_property("word", "as planned" if fate.end == "as planned" else f"exit {fate.exit}")
    assert fate.findings == [], fate.ended.said
    assert fate.verdict.longest_ms <= PROTECTED_WITHIN_MS + PASSES_MS, fate.verdict.uncovered
    assert fate.safe, fate.ended.said
    held(case, fate)
