"""Every broken plan of the corpus has exactly the faults that stand in it, each at its place.

A case begins with `=== what is wrong`.  `⟦code⟧` stands right before the place of each fault, and is taken out
before the plan is read.  A case with `steps` and no `version` gets the lines of `HEAD` before it.
"""

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from runner.errors import PlanInvalid
from runner.plan.load import load_plan

CORPUS = Path(__file__).parent / "corpus"
HEAD = "version: 1\nname: x\ndefaults: {symbol: BTCUSDT}\n"
MARKER = re.compile("⟦([a-z-]+)⟧")


class Case(NamedTuple):
    title: str
    text: str
    faults: list[tuple[str, int, int]]


def _case(title: str, body: str) -> Case:
    if "steps:" in body and "version:" not in body:
        body = HEAD + body
    lines, faults = [], []
    for number, line in enumerate(body.split("\n"), start=1):
        while found := MARKER.search(line):
            faults.append((found.group(1), number, found.start() + 1))
            line = line[: found.start()] + line[found.end() :]
        lines.append(line)
    return Case(title, "\n".join(lines), faults)


def cases() -> list[Case]:
    found = []
    for file in sorted(CORPUS.glob("*.txt")):
        for block in re.split("^=== ", file.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
            title, body = block.removesuffix("\n").split("\n", 1) if "\n" in block else (block, "")
            found.append(_case(f"{file.stem}: {title}", body))
    return found


CASES = cases()


@pytest.mark.parametrize("case", CASES, ids=[case.title for case in CASES])
def test_each_fault_of_a_broken_plan_is_told_at_its_place(case: Case) -> None:
    with pytest.raises(PlanInvalid) as caught:
        load_plan("x.yaml", case.text.encode())
    found = [(item.code, item.mark.line, item.mark.column) for item in caught.value.diagnostics]
    assert sorted(found) == sorted(case.faults)
    assert [place[1:] for place in found] == sorted(place[1:] for place in found)


def test_the_corpus_has_at_least_110_broken_plans_of_different_names() -> None:
    assert len({case.title for case in CASES}) == len(CASES) >= 110
