"""`docs/faults.md`: what becomes of a run at each fault, written by the tests and held by them.

With `DAKSH_WRITE_FAULTS=1` a case writes its row; otherwise its row must stand there already.
"""

import fcntl
import os
import re

from tests.conftest import ROOT
from tests.live.mishaps import Case, Fate, matrix

PAGE = ROOT / "docs" / "faults.md"
WRITE = "DAKSH_WRITE_FAULTS"
HEAD = """\
# What becomes of a run when something goes wrong

This page is written by the tests (`tests/live`, `tests/soak`), which play every case against the
[served exchange](exchange.md) and hold each row: the fault by its name there, where it strikes, the run's exit code,
and how its steps ended. *As planned* is the plan's own end, all of it opened and all of it closed. In every case,
whatever the row says: no order stood twice, none was forgotten, nothing was left on the exchange, the position was
never without a stop, or a close on its way, for longer than `protected_within` after the fault had passed, and nothing
hung.

| fault | where | exit | the run's end |
| --- | --- | --- | --- |
"""
_ROW = re.compile(r"\| `([^`]+)`([^|]*) \| (.+?) \| (-?\d+) \| (.+) \|")


def row(case: Case, fate: Fate) -> str:
    name, _, done = case.title.partition(",")
    return f"| `{name}`{',' + done if done else ''} | {case.place.name} | {fate.exit} | {fate.end} |"


def key(case: Case) -> tuple[str, str]:
    return case.title, case.place.name


def written() -> dict[tuple[str, str], str]:
    """The page's rows by title and place."""
    rows = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines() if PAGE.is_file() else []:
        match = _ROW.fullmatch(line)
        if match is not None:
            rows[match[1] + match[2], match[3]] = line
    return rows


def page(rows: dict[tuple[str, str], str]) -> str:
    """The whole page, its rows in the order of the matrix."""
    return HEAD + "".join(rows[key(case)] + "\n" for case in matrix() if key(case) in rows)


def held(case: Case, fate: Fate) -> None:
    """The page says so; or from now on it does."""
    told = row(case, fate)
    if os.environ.get(WRITE):
        PAGE.parent.mkdir(exist_ok=True)
        with PAGE.open("a+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            rows = written() | {key(case): told}
            file.seek(0)
            file.truncate()
            file.write(page(rows))
        return
    assert written().get(key(case)) == told, f"{PAGE.name} says otherwise; write it anew with {WRITE}=1"
