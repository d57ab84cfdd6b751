"""Stops that the exchange sizes to the whole position: only where the plan holds nothing else on the symbol."""

from collections.abc import Iterator

from runner.domain.sizes import PositionShare
from runner.domain.values import ONE
from runner.graph.checks.ancestry import ended_before
from runner.graph.checks.places import body_path, fault
from runner.graph.scope import closes, opens, source_of
from runner.graph.survey import Survey
from runner.plan.diagnostics import Fault
from runner.plan.model import BracketBody, ExistingPosition, ExitBody, OcoBody, Step, TwapBody

_HINT = "leave `close_position` out: the stop then follows what the step itself has open"


def check(survey: Survey) -> Iterator[Fault]:
    asked = [place for place in survey.order if isinstance(survey.steps[place].body, BracketBody)]
    closers = [place for place, step in enumerate(survey.steps) if _closes_position(step)]
    if not closers:
        return
    ended = ended_before(survey, asked)
    bits = {place: 1 << index for index, place in enumerate(asked)}
    for place in closers:
        step = survey.steps[place]
        path = (*body_path(step), "stop_loss", "close_position")
        others = (
            other for index, other in enumerate(survey.steps)
            if other.symbol == step.symbol and _group(other) not in (None, _group(step))
            and not (ended[place] & bits.get(index, 0) or ended[index] & bits.get(place, 0))
        )
        rival = next(others, None)
        alien = next((one for one in survey.steps if _group(one) == _group(step) and _beside(one)), None)
        if rival is not None:
            yield fault(
                "shared-position", path, f"{rival.step_id!r} may hold a part of the position in {step.symbol} at the"
                " same time, which the stop would close too", f"{_HINT}, or let one wait for the end of the other",
                at_key=True,
            )
        elif alien is not None:
            yield fault(
                "shared-position", path, f"{alien.step_id!r} may open beside a position that is not the plan's"
                " (`existing_position: allow`), which the stop would close too", _HINT, at_key=True,
            )
        elif isinstance(step.body, OcoBody) and source_of(step.body) is None and not _whole(step.body):
            yield fault(
                "shared-position", path, "the step is for a quantity of its own, and the stop would close the whole"
                " position", f"size the step by `quantity: {{position: 100%}}`, or {_HINT}", at_key=True,
            )


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


def _beside(step: Step) -> bool:
    return opens(step.body) and step.existing_position is ExistingPosition.ALLOW


def _whole(body: OcoBody) -> bool:
    return isinstance(body.size, PositionShare) and body.size.fraction == ONE
