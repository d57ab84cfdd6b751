"""From a tree to a frozen `Plan`, with every default filled in.

The tree may be one that the schema has refused: what it refused is skipped, so that the faults that only the parser
can see are told together with the schema's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from runner.domain.values import TimeInForce, WorkingType
from runner.plan import lifetimes, scalars
from runner.plan.bodies import KINDS
from runner.plan.conditions import read_condition
from runner.plan.diagnostics import Path, pointer
from runner.plan.dryrun import MOST_LEVERAGE, read_dryrun
from runner.plan.faults import Faults
from runner.plan.model import (
    AccountSettings,
    Dependency,
    DryRunSettings,
    ExistingPosition,
    Limits,
    OnFailure,
    OnImmediateTrigger,
    OnTimeout,
    Step,
)
from runner.plan.reader import Tree
from runner.plan.suggestions import listed

_ONLY_FOR: dict[str, tuple[str, ...]] = {
    "on_timeout": ("oco", "exit"),
    "unprotected": ("entry", "twap"),
    "time_in_force": ("entry", "bracket", "twap"),
    "on_immediate_trigger": ("entry", "bracket"),
    "timeout": ("entry", "exit", "oco", "bracket", "twap", "wait"),
    "working_type": ("entry", "exit", "oco", "bracket"),
    "existing_position": ("entry", "bracket", "twap"),
}
"""Keys that would do nothing on other kinds; said there, they are a mistake."""
_WITHOUT_SYMBOL = frozenset({"wait", "cancel"})
_FAILURE_OUTCOMES = frozenset({"failed", "any"})


@dataclass(frozen=True, slots=True)
class Inherited:
    """What a step takes over from `defaults`; times in milliseconds."""

    symbol: str = ""
    working_type: WorkingType = WorkingType.CONTRACT_PRICE
    time_in_force: TimeInForce = TimeInForce.GTC
    protected_within_ms: int = 2_000
    trigger_timeout_ms: int = 3_000
    on_immediate_trigger: OnImmediateTrigger = OnImmediateTrigger.FAIL
    existing_position: ExistingPosition = ExistingPosition.REFUSE


def read_account(value: Tree, faults: Faults) -> AccountSettings:
    """What the account must be set to."""
    entries = value if isinstance(value, dict) else {}
    margin = entries.get("margin_type")
    return AccountSettings(
        scalars.whole(entries["leverage"], ("account", "leverage"), faults, 1, MOST_LEVERAGE)
        if "leverage" in entries else None,
        margin if isinstance(margin, str) else None)


def read_limits(value: Tree, faults: Faults) -> Limits:
    entries = value if isinstance(value, dict) else {}
    caps = {
        key: scalars.positive(entries[key], ("limits", key), faults)
        for key in ("max_order_notional", "max_position_notional", "max_daily_loss") if key in entries
    }
    return Limits(**caps)


def read_settings(tree: Mapping[str, Tree], faults: Faults) -> tuple[AccountSettings, Limits, DryRunSettings]:
    """What a plan says beside its steps."""
    account = read_account(tree.get("account"), faults)
    return account, read_limits(tree.get("limits"), faults), read_dryrun(tree.get("dryrun"), account, faults)


def read_steps(tree: Mapping[str, Tree], faults: Faults) -> tuple[Step, ...]:
    """The steps in file order; a step whose kind is not known is left out, and its fault is told."""
    defaults = tree.get("defaults")
    inherited = _inherit(Inherited(), defaults if isinstance(defaults, dict) else {}, ("defaults",), faults)
    entries = tree.get("steps")
    found: list[Step] = []
    first_of: dict[str, int] = {}
    for index, entry in enumerate(entries if isinstance(entries, list) else []):
        if not isinstance(entry, dict):
            continue
        path: Path = ("steps", index)
        step_id = entry.get("id")
        if isinstance(step_id, str):
            if step_id in first_of:
                faults.add(
                    "duplicate-step", f"{pointer((*path, 'id'))}: '{step_id}' is the id of"
                    f" steps[{first_of[step_id]}] too",
                    (*path, "id"), "give each step an id of its own")
            first_of.setdefault(step_id, index)
        step = _step(entry, str(step_id), path, inherited, faults)
        if step is not None:
            found.append(step)
    return _continued(found, entries, faults)


def _inherit(base: Inherited, entry: Mapping[str, Tree], path: Path, faults: Faults) -> Inherited:
    """`base` with what the mapping says itself."""
    said: dict[str, object] = {}
    for key, words in (
        ("working_type", WorkingType), ("time_in_force", TimeInForce), ("on_immediate_trigger", OnImmediateTrigger),
        ("existing_position", ExistingPosition),
    ):
        if key in entry:
            said[key] = scalars.word(words, entry[key], getattr(base, key))
    for key in ("protected_within", "trigger_timeout"):
        if key in entry:
            said[f"{key}_ms"] = scalars.duration(entry[key], (*path, key), faults)
    if "symbol" in entry:
        said["symbol"] = str(entry["symbol"])
    return replace(base, **said) if said else base  # type: ignore[arg-type]  # each value has its key's type


def _step(entry: dict[str, Tree], step_id: str, path: Path, inherited: Inherited, faults: Faults) -> Step | None:
    kinds = [key for key in entry if key in KINDS]
    if len(kinds) != 1:
        if kinds:
            faults.add_beside(
                "step-kind", f"{pointer(path)}: {listed(kinds, 'and')} are several kinds of one step", (*path,
                kinds[1]),
                "make two steps of it", at_key=True)
        elif not faults.explains_absence(path, *KINDS, strangers=True):
            faults.add_beside(
                "step-kind", f"{pointer(path)}: the step has no kind", path, f"add exactly one of {listed(KINDS)}")
        return None
    kind = kinds[0]
    own = _inherit(inherited, entry, path, faults)
    body = entry[kind]
    for key, kinds_of in _ONLY_FOR.items():
        if key in entry and kind not in kinds_of:
            faults.add(
                "not-for-kind", f"{pointer(path)}: {key} does nothing on a {kind}", (*path, key),
                f"it is for {listed(kinds_of, 'and')}: leave it out here", at_key=True)
    if not own.symbol and kind not in _WITHOUT_SYMBOL and not faults.explains_absence(path, "symbol"):
        faults.add_beside(
            "missing-symbol", f"{pointer(path)}: the step has no symbol", path,
            "add `symbol` to the step or to `defaults`")
    # A step that misses its symbol is told once, not again by each of its conditions.
    symbol = own.symbol or ("" if kind in _WITHOUT_SYMBOL else "?")
    if kind == "wait" and "when" not in entry and not faults.explains_absence(path, "when"):
        faults.add_beside("missing-key", f"{pointer(path)}: a wait has a `when`", path, "add `when: …`")
    read = KINDS[kind](body if isinstance(body, dict) else {}, (*path, kind), faults)
    lifetimes.check(read, own.time_in_force, (*path, kind), faults)
    return Step(
        step_id=step_id,
        kind=kind,
        body=read,
        symbol=own.symbol,
        after=_after(entry.get("after"), (*path, "after")),
        when=read_condition(entry["when"], (*path, "when"), symbol, faults) if "when" in entry else None,
        timeout_ms=scalars.duration(entry["timeout"], (*path, "timeout"), faults) if "timeout" in entry else None,
        on_timeout=scalars.word(OnTimeout, entry.get("on_timeout"), OnTimeout.KEEP),
        on_failure=scalars.word(OnFailure, entry.get("on_failure"), OnFailure.STOP),
        time_in_force=own.time_in_force,
        working_type=own.working_type,
        protected_within_ms=own.protected_within_ms,
        trigger_timeout_ms=own.trigger_timeout_ms,
        on_immediate_trigger=own.on_immediate_trigger,
        unprotected_allowed=entry.get("unprotected") == "allow",
        path=path,
        existing_position=own.existing_position,
    )


def _after(value: Tree, path: Path) -> tuple[Dependency, ...]:
    match value:
        case str():
            return (Dependency(value, "succeeded", path),)
        case list():
            return tuple(Dependency(str(target), "succeeded", (*path, index)) for index, target in enumerate(value))
        case dict():
            return tuple(Dependency(target, str(outcome), (*path, target)) for target, outcome in value.items())
    return ()


def _continued(steps: list[Step], entries: Tree, faults: Faults) -> tuple[Step, ...]:
    """The steps, where one whose failure another waits for has `on_failure: continue`."""
    awaited: dict[str, Dependency] = {}
    for step in steps:
        for dependency in step.after:
            if dependency.outcome in _FAILURE_OUTCOMES:
                awaited.setdefault(dependency.target.split(".")[0], dependency)
    if not awaited:
        return tuple(steps)
    found = []
    for step in steps:
        waiting = awaited.get(step.step_id)
        if waiting is not None:
            entry = entries[step.path[1]] if isinstance(entries, list) and isinstance(step.path[1], int) else None
            if isinstance(entry, dict) and "on_failure" in entry and step.on_failure is not OnFailure.CONTINUE:
                faults.add(
                    "contradiction",
                    f"{pointer(step.path)}: on_failure is {step.on_failure}, but {pointer(waiting.path)} waits for"
                    f" its failure",
                    (*step.path, "on_failure"), "leave `on_failure` out: such a step has `continue`")
            step = step.but(on_failure=OnFailure.CONTINUE)
        found.append(step)
    return tuple(found)
