"""What `after` may name: a step, or one of its legs, and the outcomes that each can have."""

from dataclasses import dataclass

from runner.domain.values import OrderType
from runner.graph.legs import leg_name
from runner.graph.model import Outcome
from runner.plan.model import (
    BracketBody,
    Dependency,
    EntryBody,
    ExitBody,
    OcoBody,
    Step,
    StopLoss,
    TakeProfit,
    TwapBody,
)

FAILURES = frozenset({
    Outcome.FAILED, Outcome.ANY, Outcome.REJECTED, Outcome.DENIED, Outcome.EXPIRED, Outcome.WOULD_TRIGGER,
})
"""Outcomes by which a waiter says that it takes care of a failure."""

_STEP_ENDS = frozenset({Outcome.SUCCEEDED, Outcome.FAILED, Outcome.CANCELLED, Outcome.SKIPPED, Outcome.ANY})
_ORDER = frozenset({
    Outcome.PLACED, Outcome.FIRST_FILL, Outcome.FILLED, Outcome.REJECTED, Outcome.DENIED, Outcome.EXPIRED,
})
_LEG = _ORDER | {Outcome.CANCELLED, Outcome.SKIPPED, Outcome.SUCCEEDED, Outcome.ANY}


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


def legs_of(step: Step) -> dict[str, OrderType]:
    """The order types of a step's legs by name, in node order; empty for kinds without orders."""
    match step.body:
        case EntryBody(order=order):
            return {"entry": order.type}
        case ExitBody(order=order):
            return {"exit": order.type}
        case TwapBody(order=order, slices=slices):
            return {f"slice.{index + 1}": order.type for index in range(slices)}
        case OcoBody(take_profits=take_profits, stop_loss=stop):
            return _exit_types(take_profits, stop)
        case BracketBody(entry=order, take_profits=take_profits, stop_loss=stop):
            return {"entry": order.type} | _exit_types(take_profits, stop)
        case _:
            return {}


def outcomes_of(step: Step, leg: str) -> frozenset[Outcome]:
    """What the leg, or with an empty name the step, can come to."""
    legs = legs_of(step)
    if leg:
        return _LEG | _triggered(legs[leg])
    match step.body:
        case EntryBody(order=order) | ExitBody(order=order) | TwapBody(order=order):
            return _STEP_ENDS | _ORDER | _triggered(order.type)
        case BracketBody(entry=order):
            return _STEP_ENDS | _ORDER | _triggered(order.type)
        case OcoBody():
            return _STEP_ENDS | _ORDER | {Outcome.WOULD_TRIGGER}
        case _:
            return _STEP_ENDS


def _triggered(order_type: OrderType) -> frozenset[Outcome]:
    return frozenset({Outcome.WOULD_TRIGGER}) if order_type.conditional else frozenset()


def _exit_types(take_profits: tuple[TakeProfit, ...], stop: StopLoss) -> dict[str, OrderType]:
    types = {"stop_loss": OrderType.STOP_MARKET if stop.limit_price is None else OrderType.STOP}
    for index, take_profit in enumerate(take_profits):
        types[leg_name(index, len(take_profits))] = take_profit.type
    return types
