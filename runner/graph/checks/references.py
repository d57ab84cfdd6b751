"""Names: the steps, legs and outcomes that `after` waits for, and the steps that sizes, `of` and `cancel` speak of."""

from collections.abc import Iterator, Mapping

from runner.domain.sizes import FilledOf
from runner.graph.checks.places import Hints, body_path, fault
from runner.graph.model import Outcome
from runner.graph.order import topological
from runner.graph.scope import opens, side_of, source_of
from runner.graph.survey import Survey, Wait
from runner.graph.targets import has_leg, legs_words, outcome_of, outcomes_of, target_of
from runner.plan.diagnostics import Fault, Path
from runner.plan.model import BracketBody, CancelBody, Dependency, EntryBody, Plan, Step, TwapBody
from runner.plan.suggestions import listed


def survey(plan: Plan) -> tuple[Survey, list[Fault]]:
    """The plan's survey, and the faults in what its steps wait for."""
    places = {step.step_id: place for place, step in enumerate(plan.steps)}
    faults: list[Fault] = []
    hints = Hints(places)
    waits = [[
        wait for dependency in step.after
        if (wait := _wait(plan, places, dependency, hints, faults)) is not None
    ] for step in plan.steps]
    order, cycles = topological([[wait.source for wait in found] for found in waits])
    found = Survey(plan, plan.steps, places, waits, order)
    faults += [_cycle(found, cycle) for cycle in cycles]
    return found, faults


def sources(survey: Survey) -> Iterator[Fault]:
    """Faults in the steps that sizes, `of` and `cancel` name."""
    steps = {step.step_id: step for step in survey.steps}
    hints = Hints(steps)
    for step in survey.steps:
        body = step.body
        if isinstance(body, CancelBody):
            for index, name in enumerate(body.steps):
                path = (*body_path(step), "steps", index)
                yield from _opener(steps, hints, name, path, "nothing of it can be cancelled")
        elif isinstance(body, EntryBody | BracketBody) and isinstance(body.size, FilledOf):
            yield fault(
                "filled-opens", (*body_path(step), "quantity", "filled"),
                "the filled quantity of a step sizes its exits only",
                "write the quantity, or make the step an exit",
            )
        elif (source := source_of(body)) is not None:
            path = source_path(step)
            found = list(_opener(steps, hints, source, path, "there is nothing of it to exit from"))
            yield from found or _joined(step, steps[source], path)
            if isinstance(body, TwapBody) and isinstance(body.size, FilledOf) and body.size.step_id != source:
                yield fault(
                    "two-sources", (*body_path(step), "quantity", "filled"),
                    f"the quantity is that of {body.size.step_id!r}, but the step exits from {source!r}",
                    "name the same step in both, or leave `of` out",
                )


def _wait(
    plan: Plan, places: Mapping[str, int], dependency: Dependency, hints: Hints, faults: list[Fault],
) -> Wait | None:
    """The dependency as a wait, or None, with its fault, where it names nothing that exists."""
    target = target_of(dependency)
    at_key = bool(dependency.path) and dependency.path[-1] == dependency.target
    place = places.get(target.step_id)
    if place is None:
        faults.append(fault(
            "unknown-step", dependency.path, f"there is no step {target.step_id!r}",
            hints.near(target.step_id), at_key=at_key,
        ))
        return None
    step = plan.steps[place]
    if target.leg and not has_leg(step, target.leg):
        legs = legs_words(step)
        faults.append(fault(
            "unknown-leg", dependency.path, f"step {step.step_id!r} ({step.kind}) has no leg {target.leg!r}",
            f"its legs are {legs}" if legs else "a step of this kind has no legs", at_key=at_key,
        ))
        return None
    outcome = outcome_of(dependency, target)
    possible = outcomes_of(step, target.leg)
    if outcome not in possible:
        faults.append(fault(
            "impossible-outcome", dependency.path, f"{dependency.target!r} cannot come to {dependency.outcome!r}",
            f"it can come to {listed(each.value for each in Outcome if each in possible)}",
        ))
    return Wait(place, target, outcome, dependency.path)


def _cycle(survey: Survey, cycle: tuple[int, ...]) -> Fault:
    names = [survey.steps[place].step_id for place in (*cycle, cycle[0])]
    first = cycle[0]
    wait = next(wait for wait in survey.waits[first] if wait.source == cycle[-1])
    text = f"these steps wait for each other: {' -> '.join(names)}" if len(cycle) > 1 else \
        f"the step waits for itself: {' -> '.join(names)}"
    return fault("cycle", wait.path, text, "no step of a cycle can ever start: take one `after` out")


def _opener(steps: Mapping[str, Step], hints: Hints, name: str, path: Path, why: str) -> Iterator[Fault]:
    step = steps.get(name)
    if step is None:
        yield fault("unknown-step", path, f"there is no step {name!r}", hints.near(name))
    elif not opens(step.body):
        yield fault("nothing-opens", path, f"step {name!r} ({step.kind}) opens nothing: {why}")


def _joined(step: Step, source: Step, path: Path) -> Iterator[Fault]:
    if step.symbol != source.symbol:
        yield fault(
            "other-symbol", path,
            f"step {source.step_id!r} trades {source.symbol}, but this one {step.symbol}",
        )
    side, opened = side_of(step.body), side_of(source.body)
    if side is not None and side is opened:
        yield fault(
            "exit-side", (*body_path(step), "side"),
            f"{side.value} does not close what {source.step_id!r} opens by {side.value}",
            f"use {side.opposite.value}",
        )


def source_path(step: Step) -> Path:
    """Where an exiting step names the step whose group it joins."""
    named = isinstance(step.body, TwapBody) and step.body.of is not None
    return (*body_path(step), "of") if named else (*body_path(step), "quantity", "filled")
