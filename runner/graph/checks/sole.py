"""Stops that the exchange sizes to the whole position: only where the plan holds nothing else on the symbol."""

from collections.abc import Iterator

from runner.domain.sizes import PositionShare
from runner.domain.values import ONE
from runner.graph.checks.ancestry import ended_before, members
from runner.graph.checks.places import body_path, fault
from runner.graph.scope import closes, opens, source_of
from runner.graph.survey import Survey
from runner.plan.diagnostics import Fault
from runner.plan.model import BracketBody, ExistingPosition, ExitBody, OcoBody, Step, TwapBody

_HINT = "leave `close_position` out: the stop then follows what the step itself has open"


def check(survey: Survey) -> Iterator[Fault]:
    if not any(_closes_position(step) for step in survey.steps):
        return
    rivals = _rivals(survey)
    beside = {_group(step): step for step in survey.steps if _opens_beside(step)}
    for place, step in enumerate(survey.steps):
        if not _closes_position(step):
            continue
        path = (*body_path(step), "stop_loss", "close_position")
        if place in rivals:
            yield fault(
                "shared-position", path, f"{rivals[place].step_id!r} may hold a part of the position in {step.symbol}"
                " at the same time, which the stop would close too",
                f"{_HINT}, or let one wait for the end of the other", at_key=True,
            )
        elif (alien := beside.get(_group(step))) is not None:
            yield fault(
                "shared-position", path, f"{alien.step_id!r} may open beside a position that is not the plan's"
                " (`existing_position: allow`), which the stop would close too", _HINT, at_key=True,
            )
        elif isinstance(step.body, OcoBody) and source_of(step.body) is None and not _whole(step.body):
            yield fault(
                "shared-position", path, "the step is for a quantity of its own, and the stop would close the whole"
                " position", f"size the step by `quantity: {{position: 100%}}`, or {_HINT}", at_key=True,
            )


def _rivals(survey: Survey) -> dict[int, Step]:
    """By the place of a stop of the whole position: a step of another group that may hold some of it meanwhile.

    Of two steps only the one that comes first in order can have ended before the other starts; what it held is gone
    by then only where it is a bracket.
    """
    holders = [place for place in survey.order if _group(survey.steps[place]) is not None]
    ended = ended_before(survey, holders)
    found: dict[int, Step] = {}
    met: dict[str, int] = {}
    groups: dict[str | None, int] = {}
    brackets = closers = 0
    for index, place in enumerate(holders):
        step, bit = survey.steps[place], 1 << index
        group = _group(step)
        others = met.get(step.symbol, 0) & ~groups.get(group, 0) & ~(ended[place] & brackets)
        if others and _closes_position(step):
            found[place] = survey.steps[next(members(others, holders))]
        for other in members(others & closers, holders):
            found.setdefault(other, step)
            closers &= ~(1 << holders.index(other))
        met[step.symbol] = met.get(step.symbol, 0) | bit
        groups[group] = groups.get(group, 0) | bit
        brackets |= bit if isinstance(step.body, BracketBody) else 0
        closers |= bit if _closes_position(step) and place not in found else 0
    return found


def _closes_position(step: Step) -> bool:
    return isinstance(step.body, BracketBody | OcoBody) and step.body.stop_loss.close_position


def _group(step: Step) -> str | None:
    """The group in which the step holds a position, or None where it holds none."""
    body = step.body
    if opens(body):
        return step.step_id
    if isinstance(body, ExitBody | OcoBody) or (isinstance(body, TwapBody) and closes(body)):
        return source_of(body) or step.step_id
    return None


def _opens_beside(step: Step) -> bool:
    return opens(step.body) and step.existing_position is ExistingPosition.ALLOW


def _whole(body: OcoBody) -> bool:
    return isinstance(body.size, PositionShare) and body.size.fraction == ONE
