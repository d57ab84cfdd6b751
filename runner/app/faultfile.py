"""Faults from a file, YAML or JSON, with the line where something makes no sense."""

from pathlib import Path

from runner.errors import EnvironmentFault
from runner.plan.diagnostics import Fault as TextFault
from runner.plan.diagnostics import Mark
from runner.plan.reader import MAX_BYTES, Document, read
from runner.venue.faults import Fault, FaultRefused, read_faults

_HINT = "begin with `faults:` and a list under it; docs/exchange.md has every name"


def load_faults(path: Path) -> tuple[Fault, ...]:
    """The faults of a file, in its order.

    Raises:
        EnvironmentFault: it cannot be read, is no YAML or JSON, or a fault makes no sense.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise EnvironmentFault(f"{path}: the faults cannot be read: {reason}", hint=_HINT) from error
    document = read(str(path), content)
    if document.faults:
        fault, mark = document.faults[0]
        if fault.code in ("empty", "not-a-mapping"):
            raise _refused(path, mark, "there is no list 'faults'", _HINT)
        raise _refused(path, mark, fault.message, fault.hint or _HINT)
    try:
        return read_faults(document.tree)
    except FaultRefused as refusal:
        raise _refused(path, _place(document, refusal), refusal.message, refusal.hint) from None


def _place(document: Document, refusal: FaultRefused) -> Mark:
    return document.source.diagnose(TextFault("fault", refusal.message, refusal.path)).mark


def _refused(path: Path, mark: Mark, message: str, hint: str) -> EnvironmentFault:
    return EnvironmentFault(f"{path}:{mark.line}:{mark.column}: {message}", hint=hint)
