"""What can happen and what can meet: steps that can never start, sources without a path, orders that would fight."""

from collections.abc import Iterator

from runner.domain.values import Side
from runner.graph.checks.ancestry import Facts, ancestors, ended_before, facts, implies_start, members
from runner.graph.checks.places import body_path, fault
from runner.graph.checks.references import source_path
from runner.graph.scope import opens, side_of, source_of
from runner.graph.survey import Survey
from runner.plan.diagnostics import Fault
from runner.plan.model import BracketBody, OcoBody


def check(survey: Survey) -> Iterator[Fault]:
    known, contested = facts(survey)
    yield from _unreachable(survey, known, contested)
    yield from _pathless(survey)
    yield from _opposite(survey, known)
    yield from _second_exits(survey, known)


def _unreachable(survey: Survey, known: list[Facts], contested: list[int]) -> Iterator[Fault]:
    """Steps that wait for one step to have ended in two ways; not those that merely wait for such a step."""
    dead: set[int] = set()
    if not contested:
        return
    for place in survey.order:
        clash = known[place].against(known[place])
        if not clash:
            continue
        dead.add(place)
        if any(wait.source in dead and implies_start(wait) for wait in survey.waits[place]):
            continue
        step = survey.steps[place]
        source = survey.steps[next(members(clash, contested))]
        yield fault(
            "unreachable", (*step.path, "after"),
            f"the step can never start: what it waits for needs {source.step_id!r} to end in two ways",
            "make it two steps, or wait for `any`", at_key=True,
        )


def _pathless(survey: Survey) -> Iterator[Fault]:
    """`{filled: x}` and `of: x` without `after` leading back to x."""
    joins = {
        place: survey.places[source] for place, step in enumerate(survey.steps)
        if (source := source_of(step.body)) is not None and source in survey.places
    }
    asked = sorted(set(joins.values()))
    before = ancestors(survey, asked)
    bits = {place: 1 << index for index, place in enumerate(asked)}
    ordered = set(survey.order) if joins else set()
    for place, origin in joins.items():
        if place in ordered and not before[place] & bits[origin] and opens(survey.steps[origin].body):
            name = survey.steps[origin].step_id
            yield fault(
                "no-path", source_path(survey.steps[place]),
                f"the step does not wait for {name!r}, so nothing of it may be filled when this starts",
                f"add `after: {{{name}: first_fill}}`",
            )


def _opposite(survey: Survey, known: list[Facts]) -> Iterator[Fault]:
    """Openers of opposite sides on one symbol, neither of which waits for the other's end."""
    sides: dict[str, set[Side]] = {}
    for step in survey.steps:
        if opens(step.body) and (side := side_of(step.body)) is not None:
            sides.setdefault(step.symbol, set()).add(side)
    asked = [
        place for place in survey.order
        if opens((step := survey.steps[place]).body) and len(sides[step.symbol]) > 1
    ]
    ended = ended_before(survey, asked)
    met: dict[tuple[str, Side], int] = {}
    for index, place in enumerate(asked):
        step = survey.steps[place]
        side = side_of(step.body) or Side.BUY
        others = met.get((step.symbol, side.opposite), 0) & ~ended[place]
        met[step.symbol, side] = met.get((step.symbol, side), 0) | 1 << index
        for other in members(others, asked):
            if known[place].against(known[other]):
                continue
            first, second = sorted((place, other))
            earlier, later = survey.steps[first], survey.steps[second]
            yield fault(
                "opposite-openers", (*body_path(later), "side"),
                f"{later.step_id!r} may open on {step.symbol} while {earlier.step_id!r}, of the other side, still can",
                f"let one wait for the end of the other, like `after: {{{earlier.step_id}: any}}`",
            )
            break


def _second_exits(survey: Survey, known: list[Facts]) -> Iterator[Fault]:
    """OCOs of a step that has exits already, by its own or by another OCO that may live at the same time."""
    guards: dict[str, list[int]] = {}
    for place in survey.order:
        body = survey.steps[place].body
        if isinstance(body, OcoBody) and (source := source_of(body)) is not None and source in survey.places:
            if isinstance(survey.steps[survey.places[source]].body, BracketBody):
                yield fault(
                    "second-exits", source_path(survey.steps[place]),
                    f"{source!r} is a bracket, which has its own take-profit and stop-loss",
                    "open by an `entry` or `twap`, or leave the OCO out",
                )
            else:
                guards.setdefault(source, []).append(place)
    asked = [place for places in guards.values() if len(places) > 1 for place in places]
    ended = ended_before(survey, asked)
    bits = {place: 1 << index for index, place in enumerate(asked)}
    for source, places in guards.items():
        for index, place in enumerate(places):
            for other in places[:index]:
                if not ended[place] & bits[other] and not known[place].against(known[other]):
                    later = survey.steps[max(place, other)]
                    yield fault(
                        "second-exits", source_path(later),
                        f"{source!r} is protected by {survey.steps[min(place, other)].step_id!r} already",
                        "let one wait for the end of the other, or join them into one",
                    )
                    break
