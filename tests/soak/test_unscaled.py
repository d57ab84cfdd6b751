"""With the waits that users have: a stream that says nothing as a stop fills, and a crash."""

from collections.abc import Callable

import pytest

from tests.live.crashing import PROTECTED_WITHIN_MS, survive
from tests.live.mishaps import STOPPED, placed, play_out
from tests.live.reaction import cancelled_after_ms
from tests.live.stage import Stage, Trader

BOUND_MS = 5_000


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("fault", ["socket_dropped", "socket_frozen", "socket_silent", "listen_key_expired"])
def test_the_sibling_of_a_filled_stop_is_cancelled_within_five_seconds(
    fault: str, number: int, stage: Stage, trader: Trader, record_property: Callable[[str, object], None],
) -> None:
    record_property("title", f"unscaled: {fault} as a stop fills")
    trader.timings = {}
    fate = play_out(stage, trader, "single stopped", [(fault, placed(STOPPED))])
    assert (fate.exit, fate.findings) == (0, []), fate.ended.said
    record_property("most ms until the sibling is cancelled", cancelled_after_ms(trader))
    assert cancelled_after_ms(trader) <= BOUND_MS


@pytest.mark.parametrize("seed", range(6))
def test_a_run_that_is_killed_and_resumed_comes_to_its_end(
    seed: int, stage: Stage, trader: Trader, record_property: Callable[[str, object], None],
) -> None:
    record_property("title", "unscaled: killed and resumed")
    trader.timings = {}
    survived = survive(stage, trader, ("bracket", "oco", "twap")[seed % 3], seed, most=2)
    record_property("sum of kills", survived.kills)
    record_property("most ms without a stop while a process was there", survived.unprotected_ms)
    assert survived.well, f"{survived.verdict.findings}\n{survived.ended.said}"
    assert survived.unprotected_ms <= PROTECTED_WITHIN_MS
