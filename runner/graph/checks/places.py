"""Where the parts of a step stand in its text, and faults at those places."""

from collections.abc import Iterable
from itertools import islice

from runner.domain.sizes import Distance
from runner.plan.diagnostics import Fault, Path, Severity, pointer
from runner.plan.model import Level, Source, Step
from runner.plan.suggestions import did_you_mean


def fault(
    code: str, path: Path, text: str, hint: str = "", *, at_key: bool = False, severity: Severity = Severity.ERROR,
) -> Fault:
    """A fault whose message begins with its place, like `steps[0].entry.price: …`."""
    return Fault(code, f"{pointer(path)}: {text}", path, hint, severity, at_key)


def body_path(step: Step) -> Path:
    return (*step.path, step.kind)


def level_path(base: Path, key: str, level: Level) -> Path:
    """The place of a price that may be written as a `distance` instead."""
    return (*base, "distance" if isinstance(level, Distance) else key)


def take_profit_path(source: Source, base: Path, index: int) -> Path:
    """The place of a take-profit, which may stand in a list or alone."""
    listed = (*base, "take_profit", index)
    return listed if listed in source.values else (*base, "take_profit")


def symbol_path(source: Source, step: Step) -> Path:
    """The place of a step's symbol: its own, or the default's."""
    own = (*step.path, "symbol")
    return own if own in source.values else ("defaults", "symbol")


_MOST_HINTS = 20
_MOST_COMPARED = 2000


class Hints:
    """Did-you-mean, for the first faults of a plan only: each hint costs a look at thousands of names."""

    def __init__(self, known: Iterable[str]) -> None:
        self._known = known
        self._left = _MOST_HINTS

    def near(self, name: str) -> str:
        """A hint that names the known word nearest to `name`, or nothing."""
        self._left -= 1
        if self._left < 0:
            return ""
        alike = (word for word in self._known if abs(len(word) - len(name)) <= 2)
        return did_you_mean(name, islice(alike, _MOST_COMPARED))
