"""Where live runs are kept: one folder for each mode and account, whatever folder the user stands in."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from runner.domain.values import base36
from runner.errors import EnvironmentFault, UsageError
from runner.journal.folder import RunFile, StateFolder

_FOLDER = re.compile(r"(demo|live)-[A-Za-z0-9]+")
_TAG_PART = 4


class FoundRun(NamedTuple):
    """A live run.  `folder` is that of its account."""

    mode: str
    folder: Path
    file: RunFile


def account_folder(state_home: Path, mode: str, tag: str) -> Path:
    """`tag` is the exchange's own short name of the account, so that all its keys and terminals share the folder."""
    return state_home / f"{mode}-{_plain(tag)}"


def live_run_id(tag: str, started_ms: int) -> str:
    """All of a run's id but its number in the folder.

    It is short enough that the client order ids of 20,000 steps stay within 36 characters, and holds no point, which
    parts them.
    """
    return f"r{_plain(tag)[:_TAG_PART].lower()}{base36(started_ms)}"


def live_state_dirs(state_home: Path) -> list[Path]:
    """The folders of all accounts, sorted.

    Raises:
        EnvironmentFault: they cannot be read.
    """
    try:
        return sorted(path for path in state_home.iterdir() if _FOLDER.fullmatch(path.name))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise EnvironmentFault(
            f"{state_home} cannot be read: {error.strerror or error}", hint="set XDG_STATE_HOME to a folder of yours",
        ) from error


def find_live(state_home: Path, run: str) -> FoundRun:
    """The live run that is meant by a number, an id, or the beginning of an id.

    Raises:
        UsageError: there is none, or several.
        EnvironmentFault: a folder cannot be read.
    """
    runs = [
        FoundRun(folder.name.partition("-")[0], folder, file)
        for folder in live_state_dirs(state_home) for file in StateFolder(folder).runs()
    ]
    file = find_run((each.file for each in runs), run, f"live run {run!r} in {state_home}")
    return next(each for each in runs if each.file is file)


def find_run(files: Iterable[RunFile], run: str, words: str) -> RunFile:
    """The run that is meant; of several with the same id the latest.  `words` name what is looked for.

    Raises:
        UsageError: there is none, or several ids fit.
    """
    files = list(files)
    exact = [file for file in files if run in (file.run_id, str(file.number))]
    begun = [file for file in files if run and file.run_id.startswith(run)]
    found = exact or begun
    if not found:
        raise UsageError(f"there is no {words}", hint="list them with: daksh-run runs")
    ids = sorted({file.run_id for file in found})
    if len(ids) > 1:
        raise UsageError(f"{run!r} may be any of {', '.join(ids[:5])}", hint="give more of the id")
    return found[-1]


def _plain(tag: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9]", "", tag)
    if not plain:
        raise EnvironmentFault(f"the exchange names this account {tag[:40]!r}, which names nothing")
    return plain
