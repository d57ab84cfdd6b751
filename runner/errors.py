"""Every error that leaves a room, as one tree.

DakshError
├── UsageError          the command was called wrongly                          exit 2
├── PlanInvalid         a plan's text, schema, references, or prices are wrong  exit 3
├── EnvironmentFault    keys, network, clock, instruments or a data file        exit 4
├── OutcomeUnknown      an order may or may not exist                           exit 5
├── LockedElsewhere     another process holds what is needed                    exit 6
├── Refused             approval, limit, halt mark, or a changed plan           exit 7
├── JournalError        the journal cannot be read, or was changed
└── InternalError       a bug in daksh-run                                      exit 70

The exit code of each is chosen in one place, `runner.cli.exits`.
"""

from collections.abc import Sequence
from typing import Any


class DakshError(Exception):
    """Base of every error that daksh-run raises on purpose.

    `hint` says what to do next; it is shown on a line of its own.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(DakshError):
    """The command was called wrongly."""


class PlanInvalid(DakshError):
    """A plan cannot be run; `diagnostics` holds every fault, in file order."""

    def __init__(self, message: str, diagnostics: Sequence[Any] = (), *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.diagnostics = tuple(diagnostics)


class EnvironmentFault(DakshError):
    """Something outside the plan is missing or broken: keys, network, clock, instruments, a data file."""


class OutcomeUnknown(DakshError):
    """The exchange may or may not hold an order of ours."""


class LockedElsewhere(DakshError):
    """Another process holds the run, or the account and symbol."""


class Refused(DakshError):
    """A rule of the user forbids going on: an approval, a limit, a halt mark."""


class JournalError(DakshError):
    """A journal cannot be read, or what it holds does not fit together."""


class InternalError(DakshError):
    """A promise of our own code was broken."""
