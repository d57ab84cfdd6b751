"""The order of steps: topological, ties by file order; and the cycles that would forbid one."""

import heapq
from collections.abc import Sequence


def topological(waits: Sequence[Sequence[int]]) -> tuple[tuple[int, ...], tuple[tuple[int, ...], ...]]:
    """Orders steps, named by their place in the file, by what each waits for.

    Returns:
        The order, without the steps that are on a cycle or behind one; and the cycles, each once, from its first
        step in the file on, in the direction in which one step would let the next begin.
    """
    followers: list[list[int]] = [[] for _ in waits]
    open_waits = [0] * len(waits)
    for index, sources in enumerate(waits):
        for source in set(sources):
            followers[source].append(index)
            open_waits[index] += 1
    ready = [index for index, count in enumerate(open_waits) if not count]
    order: list[int] = []
    while ready:
        index = heapq.heappop(ready)
        order.append(index)
        for follower in followers[index]:
            open_waits[follower] -= 1
            if not open_waits[follower]:
                heapq.heappush(ready, follower)
    if len(order) == len(waits):
        return tuple(order), ()
    return tuple(order), _cycles(waits, set(range(len(waits))).difference(order))


def _cycles(waits: Sequence[Sequence[int]], stuck: set[int]) -> tuple[tuple[int, ...], ...]:
    """Walks back from each stuck step: every one waits for another stuck step, so each walk ends in a cycle."""
    found: list[tuple[int, ...]] = []
    seen: set[int] = set()
    for first in sorted(stuck):
        walk: list[int] = []
        places: dict[int, int] = {}
        index = first
        while index not in seen:
            seen.add(index)
            places[index] = len(walk)
            walk.append(index)
            index = min(source for source in waits[index] if source in stuck)
        if index in places:
            cycle = walk[places[index]:][::-1]
            start = cycle.index(min(cycle))
            found.append(tuple(cycle[start:] + cycle[:start]))
    return tuple(found)
