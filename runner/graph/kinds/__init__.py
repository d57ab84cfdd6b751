"""One compile rule a step kind; this table is the whole list."""

from collections.abc import Callable

from runner.graph.kinds import bracket, cancel, entry, exit, flatten, oco, twap, wait
from runner.graph.scope import Parts, Scope
from runner.plan.model import Step

RULES: dict[str, Callable[[Step, Scope], Parts]] = {
    "entry": entry.compile_step,
    "exit": exit.compile_step,
    "oco": oco.compile_step,
    "bracket": bracket.compile_step,
    "twap": twap.compile_step,
    "wait": wait.compile_step,
    "cancel": cancel.compile_step,
    "flatten": flatten.compile_step,
}
