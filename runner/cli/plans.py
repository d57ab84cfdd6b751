"""From a path on the command line to a checked plan; offline, and without writing anything."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from runner.app.instruments import load_instruments
from runner.cli import console, diagnostics, options
from runner.domain.instrument import Instrument
from runner.graph.compile import Compiled, compile_plan
from runner.plan.load import load_plan
from runner.plan.model import Plan

_SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Checked:
    """A plan that can be run."""

    plan: Plan
    compiled: Compiled


def check(name: str, content: bytes, sets: Mapping[str, str], instruments: Mapping[str, Instrument]) -> Checked:
    """The plan and its graph.

    Raises:
        PlanInvalid: with every fault.
    """
    plan = load_plan(name, content, sets)
    return Checked(plan, compile_plan(plan, instruments))


def open_plan(path: str, sets: Mapping[str, str], instruments: Path | None) -> Checked:
    """The plan at `path` (`-` is standard input), its warnings told on stderr."""
    checked = check(path, options.read_plan(path), sets, load_instruments(instruments))
    if checked.compiled.warnings:
        console.tell(diagnostics.as_text(checked.compiled.warnings) + "\n")
    return checked


def found_plans(path: str) -> Iterator[str]:
    """The plan files of a folder and of those in it, by name, without hidden ones; any other path as it is.

    Raises:
        click.BadParameter: a folder without any.
    """
    folder = Path(path)
    if path == "-" or not folder.is_dir():
        yield path
        return
    found = sorted(
        file for file in folder.rglob("*")
        if file.suffix in _SUFFIXES and file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(folder).parts)
    )
    if not found:
        raise click.BadParameter(f"{path}: there is no .yaml or .yml file in this folder")
    yield from map(str, found)
