"""The invariants of a live run can fail: each of these faults, planted in what only a live run needs, is caught."""

import pytest

from runner.domain.events import RunResumed
from runner.engine import external, gate, openers, reconcile, resume
from runner.engine.state import Leg, Revision, Run
from tests.engine.test_live_interleavings import LiveInterleavings
from tests.engine.test_mutants import Plant, hunt


def wait_for_the_answers_of_a_process_that_is_gone(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(resume, "_question", lambda run, leg, revision, expires_ms: None)


def go_on_before_anything_is_known_again(patch: pytest.MonkeyPatch) -> None:
    sound = resume.take_on

    def take_on(run: Run, event: RunResumed, seen_ms: int) -> None:
        sound(run, event, seen_ms)
        run.deferred = None

    patch.setattr(resume, "take_on", take_on)


def believe_at_once_that_nothing_arrived(patch: pytest.MonkeyPatch) -> None:
    sound = resume._question

    def question(run: Run, leg: Leg, revision: Revision, expires_ms: int) -> None:
        sound(run, leg, revision, expires_ms)
        if revision.expires_ms is not None:
            revision.expires_ms = run.now_ms - 60_000

    patch.setattr(resume, "_question", question)


def look_for_nothing_that_is_missing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(reconcile, "_missing", lambda run, snapshot: [])


def take_every_snapshot_for_known(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(reconcile, "agrees", lambda run, snapshot: run.deferred is None)


def open_although_somebody_changed_something(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(external, "stop", lambda run, why: None)


def open_beside_others(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(gate, "_existing", lambda run, leg: None)


def send_an_opener_again_without_looking(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(openers.gate, "judge", lambda *given: None)


MUTANTS: dict[Plant, int] = {
    wait_for_the_answers_of_a_process_that_is_gone: 0,
    go_on_before_anything_is_known_again: 1,
    believe_at_once_that_nothing_arrived: 0,
    look_for_nothing_that_is_missing: 0,
    take_every_snapshot_for_known: 0,
    open_although_somebody_changed_something: 18,
    open_beside_others: 0,
    send_an_opener_again_without_looking: 1,
}


@pytest.mark.parametrize("plant", MUTANTS, ids=lambda plant: plant.__name__)
def test_the_invariants_catch(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        hunt(LiveInterleavings, *range(MUTANTS[plant], MUTANTS[plant] + 40))


@pytest.mark.parametrize("number", sorted(set(MUTANTS.values())))
def test_the_sound_machine_is_not_caught_where_they_are(number: int) -> None:
    hunt(LiveInterleavings, number)
