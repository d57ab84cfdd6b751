"""Every fault of the exchange once, every class of request once, and pairs: the run ends as planned or fails safe.

The table of outcomes is `docs/faults.md`; the whole of it is played in the soak.
"""

from itertools import product

import pytest

from runner.venue.faults import FaultName
from tests.live.crashing import PROTECTED_WITHIN_MS
from tests.live.faulttable import PAGE, held, key, page, written
from tests.live.mishaps import (
    ENTRY,
    PROFIT,
    PROFITS,
    SIBLING,
    STOP,
    Case,
    Fault,
    in_every_run,
    matrix,
    placed,
    play_out,
)
from tests.live.stage import Stage, Trader

PASSES_MS = 1_500
"""How long a fault of the table lasts at most: a Retry-After of one second, and what is lost around it."""
ROWS = in_every_run()


def test_every_fault_is_in_every_run() -> None:
    assert {case.fault for case in ROWS} == set(FaultName)


def test_the_table_has_the_whole_matrix_and_nothing_else() -> None:
    assert set(written()) == {key(case) for case in matrix()}
    assert PAGE.read_text(encoding="utf-8") == page(written())


@pytest.mark.parametrize("case", ROWS, ids=lambda case: case.id)
def test_a_run_meets_a_fault_and_ends_as_the_table_says(case: Case, stage: Stage, trader: Trader) -> None:
    fate = play_out(stage, trader, case.place.play, [(case.fault, case.wish())])
    assert fate.findings == [], fate.ended.said
    assert fate.verdict.longest_ms <= PROTECTED_WITHIN_MS + PASSES_MS, fate.verdict.uncovered
    assert fate.safe, fate.ended.said
    held(case, fate)


LEVELS: tuple[tuple[tuple[str, Fault] | None, ...], ...] = (
    (None, ("lost_answer", placed(ENTRY)), ("unknown_503", {**placed(ENTRY), "executed": False}),
     ("unavailable_503", placed(ENTRY)), ("hanging_answer", placed(ENTRY))),
    (None, ("lost_answer", placed(STOP)), ("hanging_answer", {**placed(STOP), "executed": False}),
     ("clock_1021", placed(STOP)), ("slow_answer", {**placed(STOP), "delay_ms": 300})),
    (None, ("lost_answer", placed(PROFIT)), ("internal_503", placed(PROFIT)), ("duplicate_id_4116", placed(PROFIT)),
     ("would_trigger_2021", placed(PROFIT))),
    (None, ("lost_answer", placed(SIBLING)), ("unknown_order_2011", placed(SIBLING)),
     ("timeout_1007", {**placed(SIBLING), "executed": False}), ("slow_answer", {**placed(SIBLING), "delay_ms": 300})),
    (None, *((name, {"nth": 2, "count": 3, **more}) for name, more in (
        ("event_duplicated", {}), ("event_late", {"delay_ms": 300}), ("event_reordered", {}), ("event_missing", {}),
    ))),
    (None, *((name, placed(PROFITS)) for name in (
        "socket_dropped", "socket_frozen", "socket_silent", "listen_key_expired",
    ))),
)
"""At each of six places nothing, or one of four faults."""
PAIRS = [
    tuple(factor[level % 5] for factor, level in zip(LEVELS, (i, j, i + j, i + 2 * j, i + 3 * j, i + 4 * j)))
    for i, j in product(range(5), repeat=2)
]
"""25 runs in which any two levels of any two places meet: the orthogonal array L25(5^6)."""


def test_every_pair_of_faults_at_two_places_is_there() -> None:
    for first, second in product(range(6), repeat=2):
        if first < second:
            met = {(LEVELS[first].index(row[first]), LEVELS[second].index(row[second])) for row in PAIRS}
            assert len(met) == 25


@pytest.mark.parametrize("number", range(len(PAIRS)))
def test_a_run_meets_faults_at_several_places_and_ends_safely(number: int, stage: Stage, trader: Trader) -> None:
    fate = play_out(stage, trader, "single", [fault for fault in PAIRS[number] if fault is not None])
    assert fate.findings == [], fate.ended.said
    assert fate.verdict.longest_ms <= PROTECTED_WITHIN_MS + PASSES_MS, fate.verdict.uncovered
    assert fate.safe, fate.ended.said
