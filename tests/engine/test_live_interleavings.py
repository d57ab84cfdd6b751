"""The machine of a live run under any interleaving: it dies and is replayed at any moment, streams fall silent,
snapshots come late, and other people trade on the account.

`DAKSH_EXAMPLES=3000 pytest tests/engine/test_live_interleavings.py` explores anew, at random.
"""

from collections.abc import Callable

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import initialize, precondition, rule

from runner.domain.commands import Command, Remark
from runner.domain.events import Event
from runner.domain.values import Side
from runner.engine.replay import replay
from runner.graph.fingerprint import canonical
from runner.graph.stored import graph_from
from runner.journal.codec import decode, encode
from tests.engine.adversary import World
from tests.engine.downtime import LiveWorld, sent
from tests.engine.invariants import check
from tests.engine.scenarios import SCENARIOS, Scenario
from tests.engine.test_invariants import EXAMPLES, GRAPHS, PROFILE, Interleavings, which


def live_check(world: World, event: Event, commands: tuple[Command, ...]) -> None:
    assert isinstance(world, LiveWorld)
    placed = sent(commands)
    if world.blind:
        assert not placed, f"{placed} are sent before anything is known again"
        return
    changes = [one for one in commands if isinstance(one, Remark) and one.code == "external_change"]
    world.written_off = world.written_off or bool(changes)
    check(world, event, commands)
    for command in placed:
        if command.request.reduce_only:
            continue
        assert not world.halted, f"{command} opens after somebody else changed something"
        strange = command.request.symbol in world.known_strangers.values()
        assert not strange, f"{command} opens beside {world.known_strangers}"
    assert world.hands or not changes, f"{changes}, and nobody has touched anything"
    world.halted = world.halted or bool(changes)


def live(more: Callable[[LiveWorld], object]) -> Callable[["LiveInterleavings"], bool]:
    return lambda self: not self.world.verdict and bool(more(self.world))


class LiveInterleavings(Interleavings):
    """What the world may do to a live run, beside all that it may do to any."""

    world: LiveWorld

    @initialize(scenario=st.sampled_from(SCENARIOS), prompt=st.booleans(), ahead=st.integers(0, 4), tenths=which)
    def start(self, scenario: Scenario, prompt: bool, ahead: int, tenths: int) -> None:
        self.world = LiveWorld(GRAPHS[scenario.name], scenario.positions, live_check, prompt=prompt)
        for _ in range(ahead):
            World.settle(self.world)
            if not self.world.execute(0, min(tenths, 10)):
                self.world.trigger(0)

    @precondition(live(lambda world: True))
    @rule(dropped=st.integers(0, 3), unsent=st.booleans(), asleep_ms=st.sampled_from((0, 100, 3_000, 60_000)))
    def the_process_dies_and_another_takes_the_run_on(self, dropped: int, unsent: bool, asleep_ms: int) -> None:
        self.world.crash(dropped, unsent, asleep_ms)

    @precondition(lambda self: self.world.verdict == "stopped" and self.world.crashes < 3)
    @rule()
    def a_stopped_run_is_taken_on(self) -> None:
        self.world.crash(0, False, 1_000)

    @precondition(live(lambda world: world.streamed))
    @rule()
    def the_streams_fall_silent(self) -> None:
        self.world.lose_streams()

    @precondition(live(lambda world: True))
    @rule(symbol=st.sampled_from(("", "BTCUSDT", "BTCUSDT")), drops=st.booleans())
    def somebody_begins_to_look(self, symbol: str, drops: bool) -> None:
        self.world.drops = drops
        self.world.look(symbol)

    @precondition(live(lambda world: len(world.history) > 16 and world.orders(lambda one: one.live)))
    @rule(pick=which)
    def somebody_cancels_by_hand(self, pick: int) -> None:
        self.world.cancel_by_hand(pick)

    @precondition(live(lambda world: len(world.history) > 16))
    @rule(pick=which, tenths=st.sampled_from((10, 5, 2)))
    def somebody_amends_by_hand(self, pick: int, tenths: int) -> None:
        self.world.amend_by_hand(pick, tenths)

    @precondition(live(lambda world: len(world.history) > 12))
    @rule(side=st.sampled_from(Side), reduce_only=st.booleans())
    def somebody_places_an_order(self, side: Side, reduce_only: bool) -> None:
        self.world.place_by_hand(side, reduce_only)

    @precondition(live(lambda world: world.strangers))
    @rule(pick=which)
    def an_order_of_somebody_ends(self, pick: int) -> None:
        self.world.end_stranger(pick)

    @precondition(live(lambda world: len(world.history) > 20))
    @rule(steps=st.integers(1, 9))
    def somebody_adds_to_the_position(self, steps: int) -> None:
        self.world.buy_by_hand(steps)

    def teardown(self) -> None:
        super().teardown()
        if hasattr(self, "world"):
            entries = [decode(*encode(one)) for event, said in self.world.history for one in (event, *said)]
            replay(graph_from(canonical(self.world.graph)), entries)


TestLiveInterleavings = LiveInterleavings.TestCase
TestLiveInterleavings.settings = settings(PROFILE, max_examples=EXAMPLES or 120)
