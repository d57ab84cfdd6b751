"""Everything that makes a plan invalid beyond its shape, one module a concern."""

from collections.abc import Mapping

from runner.domain.instrument import Instrument
from runner.graph.checks import limits, prices, protection, reach, references, sizes, sole, symbols
from runner.graph.checks.policy import Policy
from runner.graph.survey import Survey
from runner.plan.diagnostics import Fault
from runner.plan.model import Plan


def check_plan(plan: Plan, instruments: Mapping[str, Instrument], policy: Policy) -> tuple[Survey, list[Fault]]:
    """The plan's survey, and its faults, each once."""
    survey, faults = references.survey(plan)
    faults += references.sources(survey)
    faults += symbols.check(plan, instruments)
    faults += reach.check(survey)
    faults += protection.check(survey, policy)
    faults += sole.check(survey)
    for step in plan.steps:
        instrument = instruments.get(step.symbol)
        if instrument is not None and instrument.tradable:
            faults += prices.check(survey, step, instrument)
            faults += sizes.check(survey, step, instrument)
    faults += limits.check(plan, instruments)
    return survey, list(dict.fromkeys(faults))
