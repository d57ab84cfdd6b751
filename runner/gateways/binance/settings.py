"""Where the exchange is, who we are to it, and how long we wait for what.  All times in milliseconds."""

from runner.domain.value import Value


class Timings(Value, frozen=True):
    """How long we wait for what.

    `recv_window_ms`: how old a request may be when the exchange takes it.  `request_ms`: how long an answer is awaited
    before the request is given up; `unanswered_ms`: after how long without one the outcome of a placement or a cancel
    counts as unknown, while the answer is still awaited; `connect_ms`: how long a connection, before which nothing is
    sent.
    `retry_pauses_ms`: before the second, third, … try of what provably was not executed.  `poll_ms`: between two looks
    at the orders and the position of a symbol that is attended.  `snapshot_ms`: between two readings of everything.
    `stale_ms`: older prices are no prices.  `heartbeat_ms`: between pings of a socket; it is given up without an answer
    in half of that.  `keepalive_ms`, `rotate_ms`: of the listen key, and of a socket, which Binance closes after 24 h.
    `clock_ms`: between two measures of the exchange's clock.  `reconnect_pauses_ms`: before each new try to connect a
    socket, the last for all further ones.
    """

    recv_window_ms: int = 5_000
    request_ms: int = 5_000
    unanswered_ms: int = 500
    connect_ms: int = 2_000
    retry_pauses_ms: tuple[int, ...] = (500, 1_000, 2_000)
    poll_ms: int = 3_000
    snapshot_ms: int = 60_000
    stale_ms: int = 5_000
    heartbeat_ms: int = 5_000
    keepalive_ms: int = 1_500_000
    rotate_ms: int = 82_800_000
    clock_ms: int = 60_000
    reconnect_pauses_ms: tuple[int, ...] = (50, 100, 250, 500, 1_000, 2_000)


class Endpoints(Value, frozen=True):
    """`rest` like `https://fapi.binance.com`, without `/fapi`; `ws` like `wss://fstream.binance.com`, without
    `/private`."""

    rest: str
    ws: str
