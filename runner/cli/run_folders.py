"""Where runs are looked for: the state folder of dry runs, and the folders of the accounts that runs traded on."""

from collections.abc import Iterator
from pathlib import Path

from runner.app.live.folders import live_state_dirs
from runner.cli import environment
from runner.errors import UsageError
from runner.journal.folder import RunFile, StateFolder


def folders(mode: str, state_dir: Path | None) -> list[Path]:
    """Those of the mode's runs."""
    if mode == "dryrun":
        return [environment.state_dir(state_dir)]
    return [folder for folder in live_state_dirs(environment.state_home()) if folder.name.startswith(f"{mode}-")]


def all_folders(mode: str | None, state_dir: Path | None) -> list[Path]:
    """Those of all runs, or of the one mode that is asked for; a state folder that is named is the only one."""
    if state_dir is not None:
        return folders("dryrun", state_dir)
    modes = environment.MODES if mode is None else (mode,)
    return [folder for one in modes for folder in folders(one, None)]


def folder_of(run: str, mode: str | None, state_dir: Path | None) -> Path:
    """The folder of the run that is meant by a number, an id, or the beginning of an id.

    Folders number their runs each for itself: a number is one of the mode in force before it is one of another.

    Raises:
        UsageError: there is no such run, or several fit.
    """
    if state_dir is not None:
        return state_dir
    wanted = environment.mode(mode)
    modes = (wanted,) if mode is not None else (wanted, *(one for one in environment.MODES if one != wanted))
    for exact in (True, False):
        for one in modes:
            found = [pair for pair in _runs(one) if _fits(pair[1], run, exact=exact)]
            ids = sorted({file.run_id for _, file in found})
            if len(ids) > 1:
                raise UsageError(f"{run!r} may be any of {', '.join(ids[:5])}", hint="give more of the id")
            if found:
                return found[-1][0]
    places = ", ".join(str(folder) for folder in all_folders(mode, None))
    raise UsageError(f"there is no run {run[:40]!r} in {places}", hint="list them with: daksh-run runs")


def _runs(mode: str) -> Iterator[tuple[Path, RunFile]]:
    for folder in folders(mode, None):
        for file in StateFolder(folder).runs():
            yield folder, file


def _fits(file: RunFile, run: str, *, exact: bool) -> bool:
    if exact:
        return run in (file.run_id, str(file.number))
    return bool(run) and file.run_id.startswith(run)
