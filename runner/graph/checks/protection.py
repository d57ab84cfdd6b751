"""Openers without a stop: nothing forbids them in a dry run, but their author should know."""

from collections.abc import Iterator

from runner.domain.sizes import FilledOf
from runner.graph.checks.places import body_path, fault
from runner.graph.model import Outcome
from runner.graph.scope import opens
from runner.graph.survey import Survey
from runner.plan.diagnostics import Fault, Severity
from runner.plan.model import BracketBody, OcoBody


def check(survey: Survey) -> Iterator[Fault]:
    """A step is protected by an OCO of what it fills that waits for its first fill, and for nothing else."""
    guarded = set()
    for place, step in enumerate(survey.steps):
        match step.body:
            case OcoBody(size=FilledOf(source)) if step.when is None:
                waits = survey.waits[place]
                if len(waits) == 1 and survey.steps[waits[0].source].step_id == source and (
                    waits[0].outcome is Outcome.FIRST_FILL and waits[0].target.leg in ("", "entry")
                ):
                    guarded.add(source)
            case _:
                pass
    for step in survey.steps:
        if opens(step.body) and not isinstance(step.body, BracketBody) and not step.unprotected_allowed:
            name = step.step_id
            if name not in guarded:
                yield fault(
                    "unprotected", body_path(step), f"step {name!r} may open without a stop",
                    f"add an `oco` of `{{filled: {name}}}` with `after: {{{name}: first_fill}}`, use a `bracket`, "
                    "or say `unprotected: allow`", at_key=True, severity=Severity.WARNING,
                )
