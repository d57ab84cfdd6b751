"""Several streams of market data become one, in the order of time."""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from operator import attrgetter
from typing import NamedTuple

from runner.errors import EnvironmentFault
from runner.venue.market import CandleEnd, CandleOpen, Datum


class Feed(NamedTuple):
    """All data of a run: the first datum of each symbol, and all of them, those included, in the order of time."""

    firsts: tuple[Datum, ...]
    data: Iterator[Datum]


def feed(markets: Iterable[Iterable[Datum]]) -> Feed:
    """One feed from the data of each symbol, one iterable a symbol.  At equal times the earlier listed goes first.

    Raises:
        EnvironmentFault: a symbol has no data at all, or a file is broken at its start.
    """
    firsts, streams = [], []
    for market in markets:
        data = iter(market)
        first = next(data, None)
        if first is None:
            raise EnvironmentFault("a symbol's market has no data", hint="Give a data file with at least one row.")
        firsts.append(first)
        streams.append(chain((first,), data))
    return Feed(tuple(firsts), merged(streams))


def merged(streams: Sequence[Iterator[Datum]]) -> Iterator[Datum]:
    """By time, stable; a single stream is passed on as it is."""
    return streams[0] if len(streams) == 1 else heapq.merge(*streams, key=attrgetter("at_ms"))


def without_overlap(data: Iterable[Datum], names: str) -> Iterator[Datum]:
    """The data of one symbol, as long as no two candles cover the same instant.

    Raises:
        EnvironmentFault: a candle begins before the one before it has ended: the same minutes twice, or two intervals.
    """
    ended = 0
    for datum in data:
        if isinstance(datum, CandleOpen):
            if datum.at_ms < ended:
                raise EnvironmentFault(
                    f"{names}: two candles cover {datum.at_ms} ms",
                    hint="Give each minute once, and candles of one interval only.",
                )
            ended = datum.at_ms + 1
        elif isinstance(datum, CandleEnd):
            ended = datum.at_ms
        yield datum
