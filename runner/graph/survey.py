"""A plan's steps as the checks and the compiler walk them: by place, in order, with what each waits for."""

from collections.abc import Sequence
from dataclasses import dataclass

from runner.graph.model import Outcome
from runner.graph.targets import Target
from runner.plan.diagnostics import Path
from runner.plan.model import Plan, Step


@dataclass(frozen=True, slots=True)
class Wait:
    """One thing that a step waits for; `source` is the place of the step it names."""

    source: int
    target: Target
    outcome: Outcome
    path: Path


@dataclass(frozen=True, slots=True)
class Survey:
    """`waits` holds, by place, what each step waits for as far as it exists; `order` the places, topologically.

    Steps on a cycle or behind one are in no order.
    """

    plan: Plan
    steps: Sequence[Step]
    places: dict[str, int]
    waits: Sequence[Sequence[Wait]]
    order: Sequence[int]
