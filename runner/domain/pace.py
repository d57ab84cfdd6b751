"""The pauses and bounds by which a run waits, in milliseconds; a run's first event carries them, so that a replay waits
the same.

Sources: plan language, *The bound*, *Unknown outcomes*, *Sizes and the position*.
"""

from runner.domain.value import Value


class Pace(Value, frozen=True):
    """`retry_pause_ms`: the longest pause between tries of an exit.  `twin_after_ms`: a protective order unknown for so
    long is joined by a second one.  `price_wait_ms`: how long a fill without a price is waited for before the mark
    stands in for it.  `lookup_pauses_ms`: between the queries for an order without a clear answer, the last for all
    further ones.  `expiry_margin_ms`: added to timestamp + recvWindow before an order that is not found counts as never
    accepted; Binance takes a timestamp of up to 1,000 ms ahead of its clock.  `trust_after_ms`: a position read counts
    only if begun so long after our last fill.  `agree_after_ms`: between two reads that must agree.  `limit_wait_ms`:
    how long a market close waits for resting LIMIT exits to be cancelled.  `cancel_retry_ms`: before an order is looked
    up whose cancel was refused for a reason that passes.  `settled_after_ms`: how long a run goes on after a forced
    execution.
    """

    retry_pause_ms: int = 1_000
    twin_after_ms: int = 500
    price_wait_ms: int = 500
    lookup_pauses_ms: tuple[int, ...] = (500, 1_000, 2_000, 4_000)
    expiry_margin_ms: int = 1_000
    trust_after_ms: int = 2_000
    agree_after_ms: int = 1_000
    limit_wait_ms: int = 500
    cancel_retry_ms: int = 500
    settled_after_ms: int = 1_000
