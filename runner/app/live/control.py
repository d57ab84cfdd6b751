"""Asking a live run to stop from another terminal: a small file beside its journal, which the run looks for."""

import json
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

from runner.app.live.folders import find_live
from runner.app.live.left import left_on_exchange
from runner.app.runs import CRASHED, state_of, told_again
from runner.errors import EnvironmentFault, UsageError
from runner.journal.folder import RunFile
from runner.journal.locks import is_held
from runner.journal.store import JournalReader

_LOOK_S = 0.1


class StopAnswer(NamedTuple):
    """What became of the run that was asked to stop.

    `ended`: it says itself how it ended, which is `outcome`; else its process died.  `left` is what it leaves on the
    exchange, a line each.
    """

    ended: bool
    outcome: str
    left: tuple[str, ...]


class StopRequests:
    """What others ask of this run, at `path`; what was asked of a process before this one is forgotten."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._clear()

    def take(self) -> bool | None:
        """Whether to close everything too, or None where nobody asks."""
        try:
            text = self._path.read_text(encoding="utf-8")
        except OSError:
            return None
        self._clear()
        return text.strip() == _text(flatten=True)

    def _clear(self) -> None:
        with suppress(OSError):
            self._path.unlink()


def request_stop(run: str, state_home: Path, *, flatten: bool) -> StopAnswer:
    """Ask a live run to stop, and wait until it has ended.  `flatten`: it closes what it opened, too.

    Raises:
        UsageError: there is no such run, or it does not run.
        EnvironmentFault, JournalError: its folder or its journal cannot be read or written.
    """
    file = find_live(state_home, run).file
    if not is_held(file.lock):
        state = _state(file)
        raise UsageError(
            f"the run {file.run_id} does not run: it is {state}",
            hint=f"take it up first: daksh-run resume {file.run_id}" if state in (CRASHED, "interrupted", "stopped")
            else f"see how it went: daksh-run show {file.run_id}",
        )
    _ask(file, flatten=flatten)
    while is_held(file.lock):
        time.sleep(_LOOK_S)
    with suppress(OSError):
        file.request.unlink()
    with closing(JournalReader(file.path)) as journal:
        row = journal.run()
        report, _ = told_again(journal, row)
    state = state_of(file, row)
    return StopAnswer(state != CRASHED, state, left_on_exchange(report))


def _ask(file: RunFile, *, flatten: bool) -> None:
    fresh = file.request.with_suffix(".stop.new")
    try:
        fresh.write_text(_text(flatten=flatten) + "\n", encoding="utf-8")
        fresh.replace(file.request)
    except OSError as error:
        raise EnvironmentFault(
            f"{file.request} cannot be written: {error.strerror or error}", hint="free some space on its disk",
        ) from error


def _text(*, flatten: bool) -> str:
    return json.dumps({"flatten": flatten})


def _state(file: RunFile) -> str:
    with closing(JournalReader(file.path)) as journal:
        return state_of(file, journal.run())
