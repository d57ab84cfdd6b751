"""The step of every run, and the loop without a loop."""

from pathlib import Path

import pytest

from runner.app.bootstrap import Task, prepare
from runner.app.executor import Executor, drive
from runner.app.market import Wishes
from runner.app.run import read_and_compile
from runner.domain.commands import Command
from runner.domain.events import Event, StopRequested
from runner.engine.machine import Machine
from runner.errors import InternalError
from runner.graph.fingerprint import fingerprint
from tests.app.plans import BRACKET, options


class _Waits:
    def __await__(self):  # type: ignore[no-untyped-def]
        yield


def test_a_coroutine_that_never_waits_needs_no_loop() -> None:
    async def answer() -> int:
        return 42

    assert drive(answer()) == 42


def test_a_coroutine_that_waits_is_a_bug() -> None:
    async def wait() -> None:
        await _Waits()

    with pytest.raises(InternalError, match="waited"):
        drive(wait())


class _Broken(Machine):
    def advance(self, event: Event) -> tuple[Command, ...]:
        raise InternalError("what was promised does not hold")


class _Kept:
    def __init__(self) -> None:
        self.entries: list[tuple[int, Event, tuple[Command, ...]]] = []

    def take(self, at_ms: int, event: Event, commands: tuple[Command, ...]) -> None:
        self.entries.append((at_ms, event, commands))


def test_an_event_that_the_machine_fails_over_is_kept_before_the_error_goes_on(tmp_path: Path) -> None:
    plan, compiled = read_and_compile(options(BRACKET, tmp_path))
    graph = compiled.graph
    task = Task(plan, graph, fingerprint(graph), Wishes((), {}, 1), tmp_path, lambda: False)
    clock, kept = prepare("dryrun", task).world.clock, _Kept()
    with pytest.raises(InternalError, match="promised"):
        Executor(_Broken(graph), clock, kept).take(StopRequested(7))
    assert kept.entries == [(clock.now_ms(), StopRequested(7), ())]
