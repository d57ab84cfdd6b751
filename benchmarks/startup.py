"""What starting costs, as multiples of a bare interpreter in the same run, so that figures of two machines compare.

    python benchmarks/startup.py [--rounds 15] [--check]

Runs the installed package with this interpreter, every command in turn in each round, and takes each command's fastest
round.  `--check` exits 1 where a figure is over its budget.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "bracket.yaml"


@dataclass(frozen=True, slots=True)
class Case:
    """`budget` is the largest multiple of a bare start; `max_mb` the largest resident memory, 0 where there is none."""

    name: str
    arguments: tuple[str, ...]
    budget: int
    max_mb: int = 0
    rounds: int | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    seconds: float
    peak_mb: float


def plan_of(steps: int) -> str:
    """A plan of brackets on alternating symbols, each waiting for the one two before it."""
    lines = ["version: 1", f"name: steps-{steps}", "steps:"]
    for number in range(steps):
        symbol, price = ("BTCUSDT", 60000) if number % 2 == 0 else ("ETHUSDT", 3000)
        lines.append(f"  - id: s{number}")
        if number > 1:
            lines.append(f"    after: s{number - 2}")
        lines += [
            f"    symbol: {symbol}",
            "    bracket:",
            "      side: BUY",
            f"      quantity: {'0.004' if number % 2 == 0 else '0.100'}",
            f"      entry: {{type: LIMIT, price: {price}}}",
            f"      take_profit: {{price: {price * 102 // 100}}}",
            f"      stop_loss: {{stop_price: {price * 98 // 100}}}",
        ]
    return "\n".join(lines) + "\n"


def run_once(arguments: tuple[str, ...], folder: Path) -> Figure:
    """One start to its end: wall time, and peak resident memory."""
    with tempfile.TemporaryFile() as complaints:
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=complaints,
        )
        peak = 0.0
        if hasattr(os, "wait4"):
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            peak = usage.ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)
        else:
            process.wait()
        seconds = time.perf_counter() - started
        if process.returncode != 0:
            complaints.seek(0)
            raise SystemExit(f"{arguments} ended with {process.returncode}: {complaints.read().decode()}")
    return Figure(seconds, peak)


def measure(cases: list[Case], rounds: int, folder: Path) -> dict[str, Figure]:
    """The fastest time of each case and its highest memory, over all rounds."""
    figures: dict[str, Figure] = {}
    for number in range(rounds):
        for case in cases:
            if number >= (case.rounds or rounds):
                continue
            new = run_once(case.arguments, folder)
            old = figures.get(case.name, new)
            figures[case.name] = Figure(min(old.seconds, new.seconds), max(old.peak_mb, new.peak_mb))
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(description="What starting costs, as multiples of a bare interpreter.")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--check", action="store_true", help="exit 1 where a figure is over its budget")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for steps in (20, 10_000):
            (folder / f"steps-{steps}.yaml").write_text(plan_of(steps), encoding="utf-8")
        cases = [
            Case("python -c pass", ("-c", "pass"), 1),
            Case("validate, 20 steps", ("-m", "runner", "validate", "steps-20.yaml"), 15),
            Case("validate, 10,000 steps", ("-m", "runner", "validate", "steps-10000.yaml"), 200, rounds=3),
            Case("dry run of examples/bracket.yaml", ("-m", "runner", "run", "-q", str(EXAMPLE)), 20, 50),
        ]
        figures = measure(cases, options.rounds, folder)
    bare = figures[cases[0].name].seconds
    over = []
    print(f"{'command':<34} {'ms':>8} {'x bare':>8} {'budget':>8} {'MB':>6}")
    for case in cases:
        figure = figures[case.name]
        ratio = figure.seconds / bare
        if ratio > case.budget or (case.max_mb and figure.peak_mb > case.max_mb):
            over.append(case.name)
        print(f"{case.name:<34} {figure.seconds * 1000:>8.0f} {ratio:>8.1f} {case.budget:>8} {figure.peak_mb:>6.1f}")
    if over:
        print(f"over budget: {', '.join(over)}")
    return 1 if over and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
