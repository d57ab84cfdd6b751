"""The user stream is cut, frozen, or silent just as a stop fills: the sibling is cancelled in time all the same."""

import pytest

from tests.live.mishaps import STOPPED, placed, play_out
from tests.live.reaction import cancelled_after_ms
from tests.live.stage import Stage, Trader

BOUND_MS = 1_000
"""Users are promised 5 s, of which 3 s are a poll's period; polls are twenty times as frequent here, the machine is as
slow as ever."""


@pytest.mark.parametrize("fault", ["socket_dropped", "socket_frozen", "socket_silent", "listen_key_expired"])
def test_the_sibling_of_a_filled_stop_is_cancelled_though_the_stream_says_nothing(
    fault: str, stage: Stage, trader: Trader,
) -> None:
    fate = play_out(stage, trader, "single stopped", [(fault, placed(STOPPED))])
    assert (fate.exit, fate.findings) == (0, []), fate.ended.said
    assert cancelled_after_ms(trader) <= BOUND_MS


def test_without_a_fault_it_is_cancelled_at_once(stage: Stage, trader: Trader) -> None:
    fate = play_out(stage, trader, "single stopped", [])
    assert (fate.exit, fate.findings) == (0, []), fate.ended.said
    assert cancelled_after_ms(trader) <= BOUND_MS // 2
