"""The codes that `explain` knows."""

import re
from pathlib import Path

import runner.graph.checks
from runner.graph.codes import GRAPH_CODES
from runner.plan.codes import PLAN_CODES


def test_every_code_of_a_check_is_explained_and_every_explained_code_is_one_of_a_check() -> None:
    folder = Path(str(runner.graph.checks.__file__)).parent
    used = set()
    for file in folder.glob("*.py"):
        used |= set(re.findall(r'fault\(\s*"([a-z-]+)"', file.read_text(encoding="utf-8")))
    assert used == set(GRAPH_CODES)


def test_no_code_has_two_meanings() -> None:
    assert not set(GRAPH_CODES) & set(PLAN_CODES)
