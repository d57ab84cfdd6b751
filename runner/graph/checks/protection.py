"""Openers without a stop: their author should know, and a policy may refuse them."""

from collections.abc import Iterator

from runner.graph.checks.places import body_path, fault
from runner.graph.checks.policy import Policy
from runner.graph.scope import guarded_by, opens
from runner.graph.survey import Survey
from runner.plan.diagnostics import Fault, Severity
from runner.plan.model import BracketBody


def check(survey: Survey, policy: Policy) -> Iterator[Fault]:
    severity = Severity.ERROR if policy.require_protection else Severity.WARNING
    guarded = {guarded_by(step) for step in survey.steps}
    for step in survey.steps:
        name = step.step_id
        if opens(step.body) and not (
            step.unprotected_allowed or name in guarded or isinstance(step.body, BracketBody)
        ):
            yield fault(
                "unprotected", body_path(step), f"step {name!r} may open without a stop",
                f"add an `oco` of `{{filled: {name}}}` with `after: {{{name}: first_fill}}`, use a `bracket`, "
                "or say `unprotected: allow`", at_key=True, severity=severity,
            )
