"""Faults of a plan, each with a code, a place in the text, and what to do about it."""

from enum import StrEnum
from typing import NamedTuple

from runner.domain.value import Value

Path = tuple[str | int, ...]
"""The way to a value in the plan: `("steps", 0, "bracket", "entry", "price")`."""


class Mark(NamedTuple):
    """A stretch of one line: 1-based line and columns in code points; `end_column` is exclusive."""

    line: int
    column: int
    end_column: int


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


class Fault(Value, frozen=True):
    """A fault found in a parsed plan, placed by path; `Source.diagnose` turns it into a `Diagnostic`.

    `at_key` marks the key instead of the value.
    """

    code: str
    message: str
    path: Path
    hint: str = ""
    severity: Severity = Severity.ERROR
    at_key: bool = False


class Diagnostic(Value, frozen=True):
    """A fault placed in a file.  `file` is the name as the user gave it (`-` for standard input)."""

    code: str
    severity: Severity
    message: str
    hint: str
    file: str
    mark: Mark
    line_text: str
    path: Path

    @property
    def sort_key(self) -> tuple[int, int, str, str]:
        return self.mark.line, self.mark.column, self.code, self.message


def pointer(path: Path) -> str:
    """`steps[0].bracket.entry.price`, as messages name a place."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text
