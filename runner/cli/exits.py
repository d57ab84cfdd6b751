"""The one place that maps what ended a command to its exit code, and to what the user reads.

A person's own fault is one clear line and a hint; a fault of ours is one line and a report in a file.
"""

import errno
import os
from collections.abc import Iterable, Sequence
from enum import IntEnum

import click

from runner.cli import console, environment
from runner.errors import (
    DakshError,
    EnvironmentFault,
    InternalError,
    JournalError,
    LockedElsewhere,
    OutcomeUnknown,
    PlanInvalid,
    Refused,
    UsageError,
)


class Exit(IntEnum):
    """The exit codes; 3, 4, 6 and 7 promise that nothing was sent."""

    OK = 0
    FAILED = 1
    USAGE = 2
    INVALID = 3
    ENVIRONMENT = 4
    UNKNOWN = 5
    LOCKED = 6
    REFUSED = 7
    BUG = 70
    INTERRUPTED = 130
    TERMINATED = 143


_OF_LIVE = frozenset({"aiohttp", "binance", "cryptography", "filelock", "loguru", "rich", "websockets"})
"""The packages that only demo and live runs need: the extra `live`."""


class Terminated(BaseException):
    """The process was asked to end (SIGTERM).  Like `KeyboardInterrupt`, no error, so nothing swallows it."""


_GRAVEST_FIRST = (
    Exit.BUG, Exit.UNKNOWN, Exit.TERMINATED, Exit.INTERRUPTED, Exit.FAILED, Exit.REFUSED, Exit.LOCKED, Exit.ENVIRONMENT,
    Exit.INVALID, Exit.USAGE, Exit.OK,
)
_OF_ERROR: dict[type[DakshError], Exit] = {
    UsageError: Exit.USAGE,
    PlanInvalid: Exit.INVALID,
    EnvironmentFault: Exit.ENVIRONMENT,
    JournalError: Exit.ENVIRONMENT,
    OutcomeUnknown: Exit.UNKNOWN,
    LockedElsewhere: Exit.LOCKED,
    Refused: Exit.REFUSED,
    InternalError: Exit.BUG,
}
_OF_RUN = {
    "succeeded": Exit.OK, "failed": Exit.FAILED, "stopped": Exit.FAILED, "open": Exit.OK,
    "interrupted": Exit.INTERRUPTED,
}


def gravest(codes: Iterable[int]) -> Exit:
    """The code of a command over several files; OK where there are none."""
    given = set(codes)
    return next((code for code in _GRAVEST_FIRST if code in given), Exit.OK)


def of_run(outcome: str, *, require_end: bool = False) -> Exit:
    """The code of a run by its outcome; one whose data ended first is as planned, unless an end is required."""
    if outcome == "open" and require_end:
        return Exit.FAILED
    return _OF_RUN[outcome]


def of_error(error: BaseException) -> Exit:
    """The code of what ended a command; whatever is not foreseen is a bug."""
    if isinstance(error, DakshError):
        return next((code for kind, code in _OF_ERROR.items() if isinstance(error, kind)), Exit.BUG)
    if isinstance(error, click.ClickException):
        return Exit.USAGE
    if isinstance(error, click.Abort | KeyboardInterrupt):
        return Exit.INTERRUPTED
    if isinstance(error, Terminated):
        return Exit.TERMINATED
    if isinstance(error, OSError) and error.errno is not None:
        return Exit.ENVIRONMENT
    if isinstance(error, ModuleNotFoundError) and _package(error) in _OF_LIVE:
        return Exit.ENVIRONMENT
    return Exit.BUG


def report(error: BaseException, argv: Sequence[str]) -> int:
    """Say what ended the command, and give its exit code."""
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, BrokenPipeError | SystemExit):  # click ends so when the reader of its own help goes away
        return Exit.OK
    code = of_error(error)
    match error:
        case PlanInvalid() if error.diagnostics:
            _report_plan(error)
        case DakshError() if code is not Exit.BUG:
            _report_line(code, error.message, error.hint)
        case click.ClickException():
            _report_line(code, _first_small(error.format_message()), _help_hint(error))
        case KeyboardInterrupt() | click.Abort():
            console.tell("interrupted; nothing was sent anywhere, so run it again when you like")
        case Terminated():
            console.tell("terminated; nothing was sent anywhere, so run it again when you like")
        case OSError() if code is Exit.ENVIRONMENT:
            _report_line(code, *_of_os_error(error))
        case ModuleNotFoundError() if code is Exit.ENVIRONMENT:
            _report_line(
                code, f"demo and live runs need the package {_package(error)}, which is not installed",
                "pip install 'daksh-run[live]'",
            )
        case _:
            _report_bug(error, argv)
    return code


def _report_line(code: Exit, message: str, hint: str) -> None:
    if console.active.json:
        console.result_json({"error": {"message": message, "hint": hint, "exit_code": int(code)}})
    console.complain(message, hint)


def _report_plan(error: PlanInvalid) -> None:
    from runner.cli import diagnostics

    if console.active.json:
        faults = diagnostics.as_json(error.diagnostics)
        console.result_json(
            {"error": {"message": error.message, "exit_code": int(Exit.INVALID), "diagnostics": faults}},
        )
    console.tell(diagnostics.as_text(error.diagnostics), at=-1)


def _package(error: ModuleNotFoundError) -> str:
    return (error.name or "").partition(".")[0]


def _of_os_error(error: OSError) -> tuple[str, str]:
    reason = (error.strerror or str(error)).lower()
    place = f"{error.filename}: " if error.filename else ""
    hint = "free some space, or choose another --state-dir" if error.errno == errno.ENOSPC else ""
    return f"{place}{reason}", hint


def _first_small(text: str) -> str:
    """Click's sentences, begun and ended as ours are."""
    text = text.strip().rstrip(".")
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def _help_hint(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "daksh-run"
    return f"see: {path} --help"


def _report_bug(error: BaseException, argv: Sequence[str]) -> None:
    import platform
    import tempfile
    import traceback

    from runner import __version__

    trace = environment.without_secrets("".join(traceback.format_exception(error)))
    text = (
        f"daksh-run {__version__}\nPython {platform.python_version()} on {platform.platform()}\n"
        f"arguments: {list(argv)!r}\n\n{trace}"
    )
    said = environment.without_secrets(str(error))[:200]
    summary = f"{type(error).__name__}: {said}" if said else type(error).__name__
    try:
        handle, path = tempfile.mkstemp(prefix="daksh-run-crash-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
        hint = f"please report it with the file {path}"
    except OSError:
        hint = "please report it; run it again with -v to see where it happened"
    _report_line(Exit.BUG, f"a bug in daksh-run ({summary})", hint)
    if console.active.verbosity > 0:
        console.tell(trace)
