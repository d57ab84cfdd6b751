"""Broken plans whose text holds the code of each fault right before its place, like `price: ⟦price-tick⟧60000.05`.

A case begins with `=== what is wrong`.  A case with `steps` and no `version` gets the lines of `HEAD` before it.
"""

import re
from pathlib import Path
from typing import NamedTuple

HEAD = "version: 1\nname: x\ndefaults: {symbol: BTCUSDT}\n"
_MARKER = re.compile("⟦([a-z-]+)⟧")


class Case(NamedTuple):
    """A plan's text without the marks, and (code, line, column) of each fault."""

    title: str
    text: str
    faults: list[tuple[str, int, int]]


def read_cases(folder: Path) -> list[Case]:
    """The cases of all `.txt` files of a folder."""
    found = []
    for file in sorted(folder.glob("*.txt")):
        for block in re.split("^=== ", file.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
            title, _, body = block.removesuffix("\n").partition("\n")
            found.append(_case(f"{file.stem}: {title}", body))
    return found


def _case(title: str, body: str) -> Case:
    if "steps:" in body and "version:" not in body:
        body = HEAD + body
    lines, faults = [], []
    for number, line in enumerate(body.split("\n"), start=1):
        while mark := _MARKER.search(line):
            faults.append((mark.group(1), number, mark.start() + 1))
            line = line[: mark.start()] + line[mark.end():]
        lines.append(line)
    return Case(title, "\n".join(lines), faults)
