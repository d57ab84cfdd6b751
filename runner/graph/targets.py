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


def has_leg(step: Step, leg: str) -> bool:
    """Whether the step has an order of that name."""
    if isinstance(step.body, TwapBody):
        name, _, number = leg.partition(".")
        return name == "slice" and number.isdecimal() and 1 <= int(number) <= step.body.slices
    return leg in _legs(step)


def legs_words(step: Step) -> str:
    """The step's legs for a message, in node order; empty for kinds without orders."""
    if isinstance(step.body, TwapBody):
        return f"slice.1 to slice.{step.body.slices}"
    return ", ".join(_legs(step))


def outcomes_of(step: Step, leg: str) -> frozenset[Outcome]:
    """What the leg, or with an empty name the step, can come to."""
    if leg:
        return _LEG
    return _STEP_ENDS if isinstance(step.body, WaitBody | CancelBody | FlattenBody) else _STEP_ENDS | _ORDER


def _legs(step: Step) -> tuple[str, ...]:
    match step.body:
        case EntryBody():
            return ("entry",)
        case ExitBody():
            return ("exit",)
        case OcoBody(take_profits=take_profits):
            return _exit_names(take_profits)
        case BracketBody(take_profits=take_profits):
            return ("entry", *_exit_names(take_profits))
        case _:
            return ()


def _exit_names(take_profits: tuple[TakeProfit, ...]) -> tuple[str, ...]:
    return ("stop_loss", *(leg_name(index, len(take_profits)) for index in range(len(take_profits))))
