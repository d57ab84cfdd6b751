"""Gathers the faults of one plan, so that one mistake is told once, and a hopeless file soon.

A fault below, or at, a place that was already found wrong is an echo of the first and is dropped.
"""

from runner.plan.diagnostics import Fault, Path

MOST_FAULTS = 1_000


class TooManyFaults(Exception):
    """`MOST_FAULTS` are found; whoever mends those will run the check again."""


class Faults:
    """Faults in the order of their finding; `spoilt` are places that are already known to be wrong."""

    def __init__(self, spoilt: frozenset[Path] = frozenset()) -> None:
        self.found: list[Fault] = []
        self._wrong: set[Path] = set(spoilt)
        self._strange: dict[Path, list[tuple[str, str | None]]] = {}

    def add(self, code: str, message: str, path: Path, hint: str = "", *, at_key: bool = False) -> None:
        """A value that is wrong (or, with `at_key`, its key)."""
        if self.is_wrong(path):
            return
        self._wrong.add(path)
        self._take(Fault(code, message, path, hint, at_key=at_key))

    def silence(self, path: Path) -> None:
        """Nothing more is told of this place: its fault stands elsewhere."""
        self._wrong.add(path)

    def add_beside(self, code: str, message: str, path: Path, hint: str = "", *, at_key: bool = False) -> None:
        """A fault between values, which leaves each of them right: a missing key, a sum, a combination."""
        if not self.is_wrong(path):
            self._take(Fault(code, message, path, hint, at_key=at_key))

    def add_unknown_key(self, message: str, path: Path, hint: str, meant: str | None) -> None:
        """A key that the language does not have; `meant` is the one it was probably meant to be."""
        self.add("unknown-key", message, path, hint, at_key=True)
        self._strange.setdefault(path[:-1], []).append((str(path[-1]), meant))

    def explains_absence(self, path: Path, *keys: str, strangers: bool = False) -> bool:
        """Whether an unknown key of the mapping at `path` was meant as one of `keys`.

        With `strangers`, so does one that resembles nothing: `iceberg: {…}` is a step's kind, and one mistake.
        """
        return any(meant in keys or (strangers and meant is None) for _, meant in self._strange.get(path, ()))

    def _take(self, fault: Fault) -> None:
        self.found.append(fault)
        if len(self.found) >= MOST_FAULTS:
            raise TooManyFaults

    def is_wrong(self, path: Path) -> bool:
        wrong = self._wrong
        return bool(wrong) and any(path[:length] in wrong for length in range(len(path) + 1))
