"""What `after` may name: a step, or one of its legs, and the outcomes that each can have."""

from dataclasses import dataclass

from runner.graph.legs import leg_name
from runner.graph.model import Outcome
from runner.plan.model import (
    BracketBody,
    CancelBody,
    Dependency,
    EntryBody,
    ExitBody,
    FlattenBody,
    OcoBody,
    Step,
    TakeProfit,
    TwapBody,
    WaitBody,
)

_STEP_ENDS = frozenset({Outcome.SUCCEEDED, Outcome.FAILED, Outcome.CANCELLED, Outcome.SKIPPED, Outcome.ANY})
_ORDER = frozenset({Outcome.PLACED, Outcome.FIRST_FILL, Outcome.FILLED})
_LEG = _ORDER | {Outcome.CANCELLED, Outcome.SKIPPED, Outcome.ANY}


@dataclass(frozen=True, slots=True)
class Target:
    """A dependency's target taken apart: `leg` is empty where the step as a whole is meant."""

    step_id: str
    leg: str

    @property
    def node_id(self) -> str:
        return f"{self.step_id}.{self.leg or 'end'}"


def target_of(dependency: Dependency) -> Target:
    step_id, _, leg = dependency.target.partition(".")
    return Target(step_id, leg)


def outcome_of(dependency: Dependency, target: Target) -> Outcome:
    """What the waiter's edge waits for: of a leg, to have succeeded is to be filled."""
    outcome = Outcome(dependency.outcome)
    return Outcome.FILLED if target.leg and outcome is Outcome.SUCCEEDED else outcome


def legs_of(step: Step) -> tuple[str, ...]:
    """The names of a step's legs in node order; none for kinds without orders."""
    match step.body:
        case EntryBody():
            return ("entry",)
        case ExitBody():
            return ("exit",)
        case TwapBody(slices=slices):
            return tuple(f"slice.{index + 1}" for index in range(slices))
        case OcoBody(take_profits=take_profits):
            return _exit_names(take_profits)
        case BracketBody(take_profits=take_profits):
            return ("entry", *_exit_names(take_profits))
        case _:
            return ()


def outcomes_of(step: Step, leg: str) -> frozenset[Outcome]:
    """What the leg, or with an empty name the step, can come to."""
    if leg:
        return _LEG
    return _STEP_ENDS if isinstance(step.body, WaitBody | CancelBody | FlattenBody) else _STEP_ENDS | _ORDER


def _exit_names(take_profits: tuple[TakeProfit, ...]) -> tuple[str, ...]:
    return ("stop_loss", *(leg_name(index, len(take_profits)) for index in range(len(take_profits))))
