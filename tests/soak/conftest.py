"""What the soak came to, for `docs/soak.md`.

The soak is run by `python -m pytest tests/soak` alone (`norecursedirs` in setup.cfg).  With `DAKSH_WRITE_SOAK=1` its
figures are written to the page.
"""

import os
import platform
from collections import Counter
from datetime import UTC, datetime

import pytest

from tests.conftest import ROOT
from tests.live.conftest import stage, trader

__all__ = ["stage", "trader"]

PAGE = ROOT / "docs" / "soak.md"
WRITE = "DAKSH_WRITE_SOAK"
_began = datetime.now(UTC)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Runs in the process that has all reports, also under pytest-xdist."""
    reports = [
        report for word in ("passed", "failed") for report in terminalreporter.stats.get(word, ())
        if report.when == "call"
    ]
    if os.environ.get(WRITE) and reports:
        PAGE.write_text(page(reports), encoding="utf-8")


def page(reports: list[pytest.TestReport]) -> str:
    minutes = (datetime.now(UTC) - _began).total_seconds() / 60
    lines = [
        "# The soak", "",
        "Written by `python -m pytest -n 2 tests/soak`, which is not part of the ordinary tests. Each run is the",
        "installed command in a process of its own, over the wire, against the [served exchange](exchange.md), on an",
        "account of its own, judged by the exchange's own orders, executions and events.", "",
        f"Last run {_began:%Y-%m-%d}, {minutes:.0f} minutes, Python {platform.python_version()}, {os.cpu_count()} CPUs",
        "",
        "| what | runs | as it must be | figures |", "| --- | --- | --- | --- |",
    ]
    for title, some in _by_title(reports).items():
        good = sum(report.passed for report in some)
        lines.append(f"| {title} | {len(some)} | {good} | {_figures(some)} |")
    bad = [report.nodeid for report in reports if not report.passed]
    lines += ["", "Not as it must be:", "", *(f"- `{name}`" for name in bad)] if bad else []
    return "\n".join(lines) + "\n"


def _by_title(reports: list[pytest.TestReport]) -> dict[str, list[pytest.TestReport]]:
    found: dict[str, list[pytest.TestReport]] = {}
    for report in reports:
        title = str(dict(report.user_properties).get("title", report.nodeid.partition("[")[0]))
        found.setdefault(title, []).append(report)
    return dict(sorted(found.items()))


def _figures(reports: list[pytest.TestReport]) -> str:
    """Counted words, sums of what is counted, and the largest of what is measured."""
    sums: Counter[str] = Counter()
    most: dict[str, int] = {}
    words: Counter[str] = Counter()
    for report in reports:
        for name, value in report.user_properties:
            if name.startswith("sum of "):
                sums[name.removeprefix("sum of ")] += int(str(value))
            elif name.startswith("most "):
                most[name.removeprefix("most ")] = max(most.get(name.removeprefix("most "), 0), int(str(value)))
            elif name == "word":
                words[str(value)] += 1
    parts = [f"{count} {name}" for name, count in sums.items()]
    parts += [f"{name} at most {value}" for name, value in most.items()]
    parts += [f"{count} x {word}" for word, count in words.most_common()]
    return "; ".join(parts)
