"""The machine under any interleaving: what must hold after every fact, and that every run comes to its end.

`DAKSH_EXAMPLES=5000 pytest tests/engine/test_invariants.py` explores anew, at random; without it the examples are
always the same ones.
"""

import os
from collections.abc import Callable

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.engine.adversary import ANSWER_LOST, LATE, REFUSED, REQUEST_LOST, TWICE, World, commands_again
from tests.engine.invariants import check
from tests.engine.paper import graph_of
from tests.engine.scenarios import SCENARIOS, Scenario

GRAPHS = {scenario.name: graph_of(scenario.steps) for scenario in SCENARIOS}
EXAMPLES = int(os.environ.get("DAKSH_EXAMPLES", "0"))
PROFILE = settings(
    max_examples=EXAMPLES or 500,
    stateful_step_count=60,
    derandomize=not EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)

which = st.integers(0, 11)
Condition = Callable[["Interleavings"], bool]


def running(more: Callable[[World], object]) -> Condition:
    """A rule's condition: the run goes on, and there is something to act on."""
    return lambda self: not self.world.verdict and bool(more(self.world))


class Interleavings(RuleBasedStateMachine):
    """Each rule is one thing that the world may do next."""

    world: World

    @initialize(scenario=st.sampled_from(SCENARIOS), prompt=st.booleans(), ahead=st.integers(0, 4), tenths=which)
    def start(self, scenario: Scenario, prompt: bool, ahead: int, tenths: int) -> None:
        """A run that has gone well so far: `ahead` fills have come and been answered."""
        self.world = World(GRAPHS[scenario.name], scenario.positions, check, prompt=prompt)
        for _ in range(ahead):
            self.world.settle()
            if not self.world.execute(0, min(tenths, 10)):
                self.world.trigger(0)

    @precondition(running(lambda world: world.transit))
    @rule(pick=which)
    def a_request_is_served(self, pick: int) -> None:
        self.world.reach(pick)

    @precondition(running(lambda world: world.transit))
    @rule(pick=which, code=st.integers(0, 6))
    def a_request_is_refused(self, pick: int, code: int) -> None:
        self.world.reach(pick, REFUSED, code)

    @precondition(running(lambda world: world.transit))
    @rule(pick=which, fate=st.sampled_from((ANSWER_LOST, REQUEST_LOST, LATE, TWICE)))
    def an_answer_is_lost(self, pick: int, fate: int) -> None:
        self.world.reach(pick, fate)

    @precondition(running(lambda world: any(one.lost for one in world.transit)))
    @rule(pick=which)
    def a_request_given_up_on_arrives(self, pick: int) -> None:
        self.world.arrive_late(pick)

    @precondition(running(lambda world: world.outbox))
    @rule(pick=which)
    def a_fact_arrives(self, pick: int) -> None:
        self.world.deliver(pick)

    @precondition(running(lambda world: world.outbox))
    @rule(picks=st.lists(which, min_size=2, max_size=6))
    def several_facts_arrive(self, picks: list[int]) -> None:
        for pick in picks:
            self.world.deliver(pick)

    @precondition(running(lambda world: world.repeatable))
    @rule(pick=st.integers(0, 40))
    def a_fact_arrives_again(self, pick: int) -> None:
        self.world.redeliver(pick)

    @precondition(running(lambda world: world.transit or world.outbox))
    @rule()
    def all_requests_are_served_and_all_facts_arrive(self) -> None:
        self.world.settle()

    @precondition(running(lambda world: world.orders(lambda one: one.waiting)))
    @rule(pick=which)
    def an_order_is_triggered(self, pick: int) -> None:
        self.world.trigger(pick)

    @precondition(running(lambda world: world.orders(lambda one: one.executable)))
    @rule(pick=which, tenths=st.sampled_from((10, 5, 3, 1)), told=st.sampled_from((3, 7, 2, 5, 1, 0)))
    def an_order_is_filled(self, pick: int, tenths: int, told: int) -> None:
        self.world.execute(pick, tenths, told)

    @precondition(running(lambda world: len(world.history) > 12 and world.orders(lambda one: one.live)))
    @rule(pick=which, expired=st.booleans())
    def the_exchange_ends_an_order(self, pick: int, expired: bool) -> None:
        self.world.end_unasked(pick, expired)

    @precondition(running(lambda world: world.orders(lambda one: not one.live)))
    @rule(pick=which)
    def the_exchange_forgets_an_order(self, pick: int) -> None:
        self.world.forget(pick)

    @precondition(running(lambda world: len(world.history) > 16 and any(world.exchange.positions.values())))
    @rule(pick=which, tenths=st.sampled_from((10, 3)))
    def somebody_closes_by_hand(self, pick: int, tenths: int) -> None:
        self.world.close_by_hand(pick, tenths)

    @precondition(running(lambda world: len(world.history) > 16 and any(world.exchange.positions.values())))
    @rule(pick=which, tenths=st.sampled_from((10, 3)))
    def the_exchange_closes_by_force(self, pick: int, tenths: int) -> None:
        self.world.force(pick, tenths)

    @rule(ms=st.sampled_from((10, 100, 500, 1_000, 3_000)))
    def time_passes(self, ms: int) -> None:
        self.world.pass_time(ms)

    @precondition(running(lambda world: world.timers))
    @rule()
    def a_timer_fires(self) -> None:
        self.world.fire()

    @precondition(running(lambda world: world.watches))
    @rule(pick=which)
    def a_level_is_touched(self, pick: int) -> None:
        self.world.touch(pick)

    @precondition(running(lambda world: world.watches))
    @rule()
    def the_market_has_a_gap(self) -> None:
        self.world.gap()

    @precondition(running(lambda world: len(world.history) > 24))
    @rule(flatten=st.booleans())
    def somebody_stops_the_run(self, flatten: bool) -> None:
        self.world.stop(flatten=flatten)

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.drain(range(1, 12))
            assert commands_again(self.world) == [commands for _, commands in self.world.history]


TestInterleavings = Interleavings.TestCase
TestInterleavings.settings = PROFILE
