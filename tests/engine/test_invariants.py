"""The machine under any interleaving: what must hold after every fact, and that every run comes to its end.

`DAKSH_EXAMPLES=5000 pytest tests/engine/test_invariants.py` explores anew, at random; without it the examples are
always the same ones.
"""

import os

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.engine.adversary import World, commands_again
from tests.engine.invariants import check
from tests.engine.paper import graph_of
from tests.engine.scenarios import SCENARIOS, Scenario

GRAPHS = {scenario.name: graph_of(scenario.steps) for scenario in SCENARIOS}
EXAMPLES = int(os.environ.get("DAKSH_EXAMPLES", "0"))
PROFILE = settings(
    max_examples=EXAMPLES or 250,
    stateful_step_count=60,
    derandomize=not EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)

which = st.integers(0, 11)


class Interleavings(RuleBasedStateMachine):
    """Each rule is one thing that the world may do next."""

    world: World

    @initialize(scenario=st.sampled_from(SCENARIOS), prompt=st.booleans())
    def start(self, scenario: Scenario, prompt: bool) -> None:
        self.world = World(GRAPHS[scenario.name], scenario.positions, check, prompt=prompt)

    @precondition(lambda self: self.world.transit)
    @rule(pick=which)
    def a_request_is_served(self, pick: int) -> None:
        self.world.reach(pick)

    @precondition(lambda self: self.world.transit)
    @rule(pick=which, fate=st.integers(1, 4), code=st.integers(0, 7))
    def a_request_is_refused_or_its_answer_is_lost(self, pick: int, fate: int, code: int) -> None:
        self.world.reach(pick, fate, code)

    @precondition(lambda self: self.world.outbox)
    @rule(pick=which)
    def a_fact_arrives(self, pick: int) -> None:
        self.world.deliver(pick)

    @precondition(lambda self: self.world.repeatable)
    @rule(pick=st.integers(0, 40))
    def a_fact_arrives_again(self, pick: int) -> None:
        self.world.redeliver(pick)

    @rule()
    def all_requests_are_served_and_all_facts_arrive(self) -> None:
        self.world.settle()

    @rule(pick=which)
    def an_order_is_triggered(self, pick: int) -> None:
        self.world.trigger(pick)

    @rule(pick=which, tenths=st.sampled_from((10, 5, 3, 1)), told=st.integers(0, 3))
    def an_order_is_filled(self, pick: int, tenths: int, told: int) -> None:
        self.world.execute(pick, tenths, 3 - told)

    @rule(pick=which, expired=st.booleans())
    def the_exchange_ends_an_order(self, pick: int, expired: bool) -> None:
        self.world.end_unasked(pick, expired)

    @rule(pick=which, tenths=st.sampled_from((10, 3)))
    def somebody_closes_by_hand(self, pick: int, tenths: int) -> None:
        self.world.close_by_hand(pick, tenths)

    @rule(ms=st.sampled_from((10, 100, 500, 1_000, 3_000)))
    def time_passes(self, ms: int) -> None:
        self.world.pass_time(ms)

    @precondition(lambda self: self.world.timers)
    @rule()
    def a_timer_fires(self) -> None:
        self.world.fire()

    @precondition(lambda self: self.world.watches)
    @rule(pick=which)
    def a_level_is_touched(self, pick: int) -> None:
        self.world.touch(pick)

    @rule()
    def the_market_has_a_gap(self) -> None:
        self.world.gap()

    @precondition(lambda self: len(self.world.history) > 8)
    @rule(flatten=st.booleans())
    def somebody_stops_the_run(self, flatten: bool) -> None:
        self.world.stop(flatten=flatten)

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.drain(range(1, 12))
            assert commands_again(self.world) == [commands for _, commands in self.world.history]


TestInterleavings = Interleavings.TestCase
TestInterleavings.settings = PROFILE
