"""The invariants can fail: each of these faults, planted in the machine, is caught by them.

Each is hunted from a seed on that meets it at once, which costs little; should the rules change so that another does,
the hunt goes on until it comes to that one.
"""

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from msgspec.structs import replace

from runner.domain.commands import PlaceOrder
from runner.domain.events import CommandUnresolved
from runner.domain.instrument import Instrument
from runner.domain.pace import Pace
from runner.domain.reports import TradeReport
from runner.engine import closing, contingencies, exits, flow, machine, openers, orders
from runner.engine.schedule import planned
from runner.engine.state import GroupState, Leg, Revision, Run
from runner.graph.model import ExecutionGraph, Outcome, Role, Schedule
from tests.engine import adversary, test_invariants

QUICK = settings(
    max_examples=40, stateful_step_count=40, deadline=None, database=None,
    phases=[Phase.generate], suppress_health_check=list(HealthCheck), report_multiple_bugs=False,
)

Plant = Callable[[pytest.MonkeyPatch], None]


def hunt(machine: type[test_invariants.Interleavings], *seeds: int) -> None:
    """Try the examples that each seed gives, until one fails."""
    for number in seeds:
        run_state_machine_as_test(seed(number)(type(machine.__name__, (machine,), {})), settings=QUICK)


def forget_to_shrink_the_sibling(patch: pytest.MonkeyPatch) -> None:
    sound = exits.settle_by_cancel

    def settle(run: Run, group: GroupState, leg: Leg, wanted: Decimal) -> None:
        if not leg.live():
            sound(run, group, leg, wanted)

    patch.setattr(exits, "settle_by_cancel", settle)


def forget_to_shrink_the_stop(patch: pytest.MonkeyPatch) -> None:
    sound = exits.settle_stop

    def settle(run: Run, group: GroupState, leg: Leg, wanted: Decimal) -> None:
        standing = sum(one.order.leaves_qty for one in leg.revisions if one.standing)
        if standing <= wanted:
            sound(run, group, leg, wanted)

    patch.setattr(exits, "settle_stop", settle)


def protect_only_what_is_wholly_filled(patch: pytest.MonkeyPatch) -> None:
    def late(graph: ExecutionGraph) -> ExecutionGraph:
        return replace(graph, edges=tuple(
            replace(edge, on=Outcome.FILLED) if edge.on is Outcome.FIRST_FILL else edge for edge in graph.edges
        ))

    patch.setattr(test_invariants, "GRAPHS", {name: late(graph) for name, graph in test_invariants.GRAPHS.items()})


def send_again_what_is_unknown(patch: pytest.MonkeyPatch) -> None:
    def unresolved(run: Run, event: CommandUnresolved) -> None:
        found = run.orders.get(event.client_order_id)
        if found is not None and found[1].asked:
            leg, revision = found
            run.emit(PlaceOrder(revision.order.request, leg.node_id, revision.number))

    patch.setattr(orders, "unresolved", unresolved)


def cancel_the_exits_with_the_entry(patch: pytest.MonkeyPatch) -> None:
    sound = closing.cancel_opener

    def cancel(run: Run, leg: Leg, why: str) -> None:
        sound(run, leg, why)
        for other in run.group_of(leg).role(Role.STOP):
            for revision in other.live():
                orders.cancel(run, other, revision, why)

    patch.setattr(closing, "cancel_opener", cancel)


def drop_the_remainder_of_a_schedule(patch: pytest.MonkeyPatch) -> None:
    def even(schedule: Schedule, qty: Decimal, instrument: Instrument, seed: int, step_id: str) -> tuple[Decimal, ...]:
        parts = planned(schedule, qty, instrument, seed, step_id)
        return (*parts[:-1], min(parts))

    patch.setattr(flow, "planned", even)


def forget_what_a_report_told_before_its_trade(patch: pytest.MonkeyPatch) -> None:
    sound = orders.fold_trade

    def fold(run: Run, leg: Leg, revision: Revision, trade: TradeReport) -> None:
        revision.traded_qty = max(revision.traded_qty, revision.order.filled_qty)
        sound(run, leg, revision, trade)

    patch.setattr(orders, "fold_trade", fold)


def believe_the_first_not_found(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(adversary, "PACE", Pace(expiry_margin_ms=-60_000))


def send_all_slices_whole(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(openers, "slice_quantity", lambda schedule, plan, index, done, instrument: plan[index] * 2)


def take_a_refused_stop_for_a_standing_one(patch: pytest.MonkeyPatch) -> None:
    def hold(run: Run, leg: Leg) -> None:
        leg.held_until_ms = run.now_ms + 10**9

    patch.setattr(contingencies, "hold", hold)


def wait_for_a_stop_for_ever(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(closing, "bound_reached", lambda run, group: None)


def retry_a_refused_order_under_an_old_id(patch: pytest.MonkeyPatch) -> None:
    sound = contingencies.orders.rejected

    def rejected(run: Run, leg: Leg, revision: Revision) -> None:
        sound(run, leg, revision)
        leg.next_revision, leg.next_attempt = revision.number + 1, 0

    patch.setattr(orders, "rejected", rejected)


def let_a_stopped_run_end_at_once(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(machine.Machine, "_judge_end", _judge_end_at_once)


def _judge_end_at_once(self: machine.Machine) -> None:
    run = self._run
    if run.stopping == "stopped":
        run.ended = True
        run.emit(machine.RunEnded("stopped"))


MUTANTS: dict[Plant, int] = {
    forget_to_shrink_the_sibling: 0,
    forget_to_shrink_the_stop: 0,
    protect_only_what_is_wholly_filled: 0,
    send_again_what_is_unknown: 0,
    cancel_the_exits_with_the_entry: 0,
    drop_the_remainder_of_a_schedule: 0,
    forget_what_a_report_told_before_its_trade: 0,
    believe_the_first_not_found: 3,
    send_all_slices_whole: 0,
    take_a_refused_stop_for_a_standing_one: 0,
    wait_for_a_stop_for_ever: 1,
    retry_a_refused_order_under_an_old_id: 1,
    let_a_stopped_run_end_at_once: 0,
}


@pytest.mark.parametrize("plant", MUTANTS, ids=lambda plant: plant.__name__)
def test_the_invariants_catch(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        hunt(test_invariants.Interleavings, *range(MUTANTS[plant], MUTANTS[plant] + 40))


@pytest.mark.parametrize("number", sorted(set(MUTANTS.values())))
def test_the_sound_machine_is_not_caught_where_they_are(number: int) -> None:
    hunt(test_invariants.Interleavings, number)
