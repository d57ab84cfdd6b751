"""`daksh-run validate`: every fault of plans, offline, without writing anything."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from runner.app.instruments import load_instruments
from runner.cli import console, diagnostics, exits, options, plans
from runner.cli.exits import Exit
from runner.domain.instrument import Instrument
from runner.errors import DakshError, PlanInvalid
from runner.plan.diagnostics import Diagnostic
from runner.plan.render import counted


@dataclass(slots=True)
class _Finding:
    """What was found at one path: diagnostics, or why it could not be checked."""

    file: str
    code: Exit = Exit.OK
    diagnostics: tuple[Diagnostic, ...] = ()
    error: str = ""
    hint: str = ""


@click.command("validate", epilog="Example: daksh-run validate plans/ --set stop=59200")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@options.sets
@options.instruments
@options.output
def command(paths: tuple[str, ...], sets: dict[str, str], instruments: Path | None) -> int:
    """Check plans and show every fault: files, folders (all their .yaml and .yml files), or - for standard input.

    Needs no network and writes nothing.
    """
    rules = load_instruments(instruments)
    findings = []
    for path in paths:
        try:
            for file in plans.found_plans(path):
                findings.append(_examine(file, sets, rules))
        except click.BadParameter as error:
            findings.append(_Finding(path, Exit.USAGE, error=error.message))
    if console.active.json:
        console.result_json(_as_json(findings))
    else:
        _show(findings)
    return exits.gravest(finding.code for finding in findings)


def _examine(file: str, sets: dict[str, str], rules: Mapping[str, Instrument]) -> _Finding:
    try:
        checked = plans.check(file, options.read_plan(file), sets, rules)
    except PlanInvalid as error:
        return _Finding(file, Exit.INVALID, error.diagnostics, "" if error.diagnostics else error.message, error.hint)
    except click.BadParameter as error:
        return _Finding(file, Exit.USAGE, error=error.message)
    except DakshError as error:
        return _Finding(file, exits.of_error(error), error=error.message, hint=error.hint)
    except OSError as error:
        return _Finding(file, exits.of_error(error), error=f"{file}: {(error.strerror or str(error)).lower()}")
    return _Finding(file, diagnostics=checked.compiled.warnings)


def _show(findings: list[_Finding]) -> None:
    for finding in findings:
        if finding.diagnostics:
            console.result(diagnostics.as_text(finding.diagnostics, stream=sys.stdout) + "\n")
        if finding.error:
            console.complain(finding.error, finding.hint)
    console.result(_summary(findings))


def _summary(findings: list[_Finding]) -> str:
    """`3 plans checked, 1 invalid: 2 errors, 1 warning`."""
    read = [finding for finding in findings if finding.code in (Exit.OK, Exit.INVALID)]
    invalid = sum(finding.code is Exit.INVALID for finding in read)
    counts = counted(one for finding in read for one in finding.diagnostics)
    parts = [f"{len(read)} plan{'' if len(read) == 1 else 's'} checked"]
    if len(read) < len(findings):
        parts.append(f"{len(findings) - len(read)} could not be read")
    if read:
        parts.append(f"{invalid} invalid" if invalid else "valid" if len(read) == 1 else "all valid")
    return ", ".join(parts) + (f": {counts}" if counts else "")


def _as_json(findings: list[_Finding]) -> dict[str, Any]:
    return {
        "plans": [
            {
                "file": finding.file,
                "valid": finding.code is Exit.OK,
                "diagnostics": diagnostics.as_json(finding.diagnostics),
                **({"error": finding.error} if finding.error else {}),
            }
            for finding in findings
        ],
        "exit_code": int(exits.gravest(finding.code for finding in findings)),
    }
