"""The way in: a plan's bytes to a frozen `Plan`, or every fault at once."""

import gc
from collections.abc import Mapping

from runner.errors import PlanInvalid
from runner.plan import scalars
from runner.plan.diagnostics import Diagnostic, Fault, Mark
from runner.plan.faults import MOST_FAULTS, Faults, TooManyFaults
from runner.plan.model import OnExternalChange, Plan
from runner.plan.parameters import Parameters, put_in, read_parameters
from runner.plan.parse import read_settings, read_steps
from runner.plan.reader import Document, read
from runner.plan.schema import check_shape


def load_plan(name: str, data: bytes, sets: Mapping[str, str] = {}) -> Plan:
    """The plan in `data`.

    `name` is what messages call the file (`-` for standard input); `sets` are the texts of `--set name=value`.

    The cyclic garbage collector is paused meanwhile: it would scan the growing tree again and again.

    Raises:
        PlanInvalid: with every fault as a `Diagnostic`, in file order.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return _load(read(name, data), data, sets)
    finally:
        if was_enabled:
            gc.enable()


def _load(document: Document, data: bytes, sets: Mapping[str, str]) -> Plan:
    faults = Faults(document.spoilt)
    try:
        return _judged(document, data, sets, faults)
    except TooManyFaults:
        faults.found.append(Fault("too-many-faults", f"the check stopped after {MOST_FAULTS:,} faults", ()))
        raise _invalid(document, faults) from None


def _judged(document: Document, data: bytes, sets: Mapping[str, str], faults: Faults) -> Plan:
    tree = document.tree
    if not isinstance(tree, dict) or (document.faults and not tree):
        raise _invalid(document, faults)
    parameters = read_parameters(tree, sets, faults) if sets or "params" in tree else Parameters()
    if b"${" in data:
        put_in(tree, parameters, faults)
    check_shape(tree, document, faults)
    steps = read_steps(tree, faults)
    account, limits, dryrun = read_settings(tree, faults)
    change = scalars.word(OnExternalChange, tree.get("on_external_change"), OnExternalChange.HALT)
    if faults.found or document.faults:
        raise _invalid(document, faults)
    return Plan(
        str(tree["name"]), str(tree.get("description", "")), parameters.values, limits, dryrun, steps, document.source,
        account, change)


def _invalid(document: Document, faults: Faults) -> PlanInvalid:
    source = document.source
    found = [_placed(document, fault, mark) for fault, mark in document.faults]
    found += [source.diagnose(fault) for fault in faults.found]
    found.sort(key=lambda diagnostic: diagnostic.sort_key)
    count = "1 error" if len(found) == 1 else f"{len(found)} errors"
    return PlanInvalid(f"{source.name}: {count}", found)


def _placed(document: Document, fault: Fault, mark: Mark) -> Diagnostic:
    lines = document.source.lines
    text = lines[mark.line - 1] if mark.line <= len(lines) else ""
    return Diagnostic(
        fault.code, fault.severity, fault.message, fault.hint, document.source.name, mark, text, fault.path)
