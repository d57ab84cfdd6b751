"""Plans that the tests of this room begin with."""

from runner.errors import PlanInvalid
from runner.plan.diagnostics import Diagnostic
from runner.plan.load import load_plan
from runner.plan.model import Plan

HEAD = "version: 1\nname: x\ndefaults: {symbol: BTCUSDT}\n"
WAIT = "steps:\n  - {id: a, wait: {}, when: {delay: 1s}}\n"


def load(body: str, **sets: str) -> Plan:
    """The plan of a body without its usual first lines."""
    return load_plan("x.yaml", (HEAD + body).encode(), sets)


def faults(text: str | bytes, **sets: str) -> tuple[Diagnostic, ...]:
    """The faults of a whole text; none where it is a plan."""
    try:
        load_plan("x.yaml", text.encode() if isinstance(text, str) else text, sets)
    except PlanInvalid as error:
        return error.diagnostics
    return ()


def body_faults(body: str, **sets: str) -> tuple[Diagnostic, ...]:
    """The faults of a body without its usual first lines."""
    return faults(HEAD + body, **sets)
