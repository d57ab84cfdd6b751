"""What a mode may refuse of a plan that is valid."""

from runner.graph.checks.policy import stale_dates
from tests.graph.plans import BRACKET, graph

DATED = """\
  - id: dip
    time_in_force: GTD
    entry: {side: BUY, quantity: 0.004, type: LIMIT, price: 60000, good_till: 2026-11-24T08:00:00Z}
"""
TILL_MS = 1_795_507_200_000


def test_a_date_must_lie_more_than_600_seconds_ahead() -> None:
    dated = graph(DATED)
    assert stale_dates(dated, TILL_MS - 600_001) == ()
    (told,) = stale_dates(dated, TILL_MS - 600_000)
    assert told == (
        "dip.entry: its good_till 2026-11-24T08:00:00.000Z is not more than 600 seconds ahead: give a later time"
    )
    assert stale_dates(graph(BRACKET), 2 * TILL_MS) == ()
