"""Topological order and cycles."""

from hypothesis import given
from hypothesis import strategies as st

from runner.graph.order import topological

WAITS = st.integers(1, 14).flatmap(
    lambda count: st.lists(st.lists(st.integers(0, count - 1), max_size=3), min_size=count, max_size=count),
)


def test_steps_without_waits_keep_file_order() -> None:
    assert topological([[], [], []]) == ((0, 1, 2), ())


def test_a_step_goes_as_soon_as_all_that_it_waits_for_has_gone() -> None:
    assert topological([[2], [], [1, 3], []]) == ((1, 3, 2, 0), ())


def test_each_cycle_is_told_once_from_its_first_step_in_the_file_on() -> None:
    order, cycles = topological([[], [3], [1], [2], [3], [5]])
    assert order == (0,)
    assert cycles == ((1, 2, 3), (5,))


@given(WAITS)
def test_every_step_is_either_in_order_or_on_or_behind_a_cycle(waits: list[list[int]]) -> None:
    order, cycles = topological(waits)
    places = {step: place for place, step in enumerate(order)}
    assert all(places[source] < places[step] for step in order for source in waits[step])
    assert (len(order) == len(waits)) == (not cycles)
    for cycle in cycles:
        assert all(first in waits[second] for first, second in zip(cycle, (*cycle[1:], cycle[0])))
        assert min(cycle) == cycle[0]
        assert not set(cycle) & set(order)
    assert len({step for cycle in cycles for step in cycle}) == sum(map(len, cycles))
