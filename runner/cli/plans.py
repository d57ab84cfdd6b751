"""From a path on the command line to a checked plan; offline, and without writing anything."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import click

from runner.cli import console, diagnostics, options
from runner.domain.catalog import instruments_from_exchange_info, shipped_instruments
from runner.domain.instrument import Instrument
from runner.errors import EnvironmentFault
from runner.graph.compile import Compiled, compile_plan
from runner.plan.load import load_plan
from runner.plan.model import Plan

_MAX_INSTRUMENTS_BYTES = 64 * 1024 * 1024


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
    checked = check(path, options.read_plan(path), sets, known_instruments(instruments))
    if checked.compiled.warnings:
        console.tell(diagnostics.as_text(checked.compiled.warnings))
    return checked


@cache
def known_instruments(file: Path | None) -> Mapping[str, Instrument]:
    """The shipped instruments, or those of a saved `exchangeInfo` body.

    Raises:
        EnvironmentFault: the file cannot be read, or is not that.
    """
    if file is None:
        return shipped_instruments()
    import json
    from decimal import Decimal

    try:
        with open(file, "rb") as opened:
            content = opened.read(_MAX_INSTRUMENTS_BYTES + 1)
        if len(content) > _MAX_INSTRUMENTS_BYTES:
            raise EnvironmentFault(f"{file}: too large to be an exchangeInfo body")
        body = json.loads(content, parse_float=Decimal)
    except OSError as error:
        raise EnvironmentFault(f"{file}: {(error.strerror or str(error)).lower()}") from error
    except (ValueError, RecursionError) as error:
        raise EnvironmentFault(
            f"{file}: it is no JSON", hint="save the body of GET /fapi/v1/exchangeInfo as it is",
        ) from error
    return instruments_from_exchange_info(body)


def found_plans(path: str) -> Iterator[str]:
    """The plan files of a folder, by name; any other path as it is.

    Raises:
        click.BadParameter: a folder without any.
    """
    folder = Path(path)
    if path == "-" or not folder.is_dir():
        yield path
        return
    found = sorted(
        file for file in folder.rglob("*")
        if file.suffix in (".yaml", ".yml") and not any(part.startswith(".") for part in file.relative_to(folder).parts)
        and file.is_file()
    )
    if not found:
        raise click.BadParameter(f"{path}: there is no .yaml or .yml file in this folder")
    yield from map(str, found)
