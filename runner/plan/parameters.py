"""Parameters: typed values of a plan that `--set name=value` overrides and `${name}` puts in.

They are put in before the schema judges the plan, so a value that does not fit is a fault at the place of its use.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from runner.domain.times import duration as duration_text
from runner.domain.times import rfc3339
from runner.domain.values import Side
from runner.plan.diagnostics import Path, pointer
from runner.plan.faults import Faults
from runner.plan.reader import Tree, described
from runner.plan.scalars import duration_of, fraction_of, integer_of, number_of, time_of
from runner.plan.suggestions import did_you_mean, listed

TYPES = ("decimal", "integer", "string", "symbol", "side", "duration", "percentage", "time")
_ORDERED = frozenset({"decimal", "integer", "duration", "percentage", "time"})
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_USE = re.compile(r"\$\{([^}]*)\}")
_MOST_USES = 100
_LONGEST = 1_000
_SYMBOL = re.compile(r"[A-Z0-9_]{2,40}")

Value = str | int | Decimal


@dataclass(slots=True)
class Parameters:
    """`values` are those in force, as the tree takes them; `names` all that are declared."""

    values: dict[str, Value] = field(default_factory=dict)
    names: tuple[str, ...] = ()


def read_parameters(tree: Tree, sets: Mapping[str, str], faults: Faults) -> Parameters:
    """The plan's parameters with their values after `--set`."""
    declared = tree.get("params") if isinstance(tree, dict) else None
    entries = declared if isinstance(declared, dict) else {}
    found = Parameters(names=tuple(entries))
    for name, entry in entries.items():
        path: Path = ("params", name)
        if not _NAME.fullmatch(name):
            faults.add(
                "parameter-name", f"'{name}' is not a parameter's name: letters, digits and _, no digit first", path,
                at_key=True)
        elif isinstance(entry, dict):
            value = _value_in_force(name, entry, path, sets.get(name), faults)
            if value is not None:
                found.values[name] = value
    for name in sets:
        if name not in entries:
            place: Path = ("params",) if entries else ()
            hint = did_you_mean(name, entries) or (
                f"the parameters are {listed(entries, 'and')}" if entries else "the plan has no `params`")
            faults.add_beside(
                "unknown-parameter", f"--set {name}: the plan has no parameter '{name}'", place, hint, at_key=True)
    return found


def _value_in_force(
    name: str, entry: Mapping[str, Tree], path: Path, given: str | None, faults: Faults,
) -> Value | None:
    type_name = entry.get("type")
    if type_name not in TYPES or not isinstance(type_name, str):
        return None  # the schema tells it
    low, high = (_bound(entry, type_name, (*path, word), faults) for word in ("min", "max"))
    if low is not None and high is not None and _rank(low, type_name) > _rank(high, type_name):
        faults.add_beside(
            "parameter-definition", f"{pointer(path)}: its min {described(low)} is above its max {described(high)}",
            (*path, "min"), "swap them")
        return None
    raw = entry.get("choices")
    choices: list[Value] = []
    for index, choice in enumerate(raw if isinstance(raw, list) else []):
        value = _typed(choice, type_name, (*path, "choices", index), faults)
        if value is not None:
            choices.append(value)
    default = None
    if "default" in entry:
        default = _typed(entry["default"], type_name, (*path, "default"), faults)
        if default is not None:
            _check_bounds(
                default, type_name, low, high, choices, (*path, "default"), pointer((*path, "default")), faults)
    if given is None:
        if "default" not in entry:
            faults.add_beside(
                "missing-parameter", f"the parameter '{name}' has no default and is not set", path,
                f"run with --set {name}=…", at_key=True)
        return default
    try:
        value = convert(given, type_name)
    except ValueError as error:
        faults.add_beside("parameter-value", f"--set {name}={given}: {error}", path, at_key=True)
        return default
    _check_bounds(value, type_name, low, high, choices, path, f"--set {name}={given}", faults, at_key=True)
    return value


def convert(value: object, type_name: str) -> Value:
    """A value of the type `type_name`, in the form in which the plan's own text would have it.

    Raises:
        ValueError: it is not one.
    """
    match type_name:
        case "decimal":
            return number_of(value)
        case "integer":
            return integer_of(value)
        case "duration":
            return duration_text(duration_of(value))
        case "percentage":
            fraction_of(value)
            return str(value)
        case "time":
            return rfc3339(time_of(value))
    if not isinstance(value, str):
        raise ValueError(f"{described(value)} is not a text: quote it")
    if "${" in value:
        raise ValueError(f"{described(value)} is made of another parameter")
    if len(value) > _LONGEST:
        # Put in often enough, a long text would fill the memory.
        raise ValueError(f"{described(value)} has more than {_LONGEST:,} characters")
    if type_name == "symbol" and not _SYMBOL.fullmatch(value):
        raise ValueError(f"{described(value)} is not a symbol in capitals, like BTCUSDT")
    if type_name == "side" and value not in Side.__members__:
        raise ValueError(f"{described(value)} is not BUY or SELL")
    return value


def _typed(value: Tree, type_name: str, path: Path, faults: Faults) -> Value | None:
    if isinstance(value, str) and _USE.search(value):
        faults.add("parameter-definition", f"{pointer(path)}: a parameter cannot be made of another", path)
        return None
    try:
        return convert(value, type_name)
    except ValueError as error:
        faults.add("parameter-value", f"{pointer(path)}: {error}", path)
        return None


def _bound(entry: Mapping[str, Tree], type_name: str, path: Path, faults: Faults) -> Value | None:
    word = str(path[-1])
    if word not in entry:
        return None
    if type_name not in _ORDERED:
        faults.add(
            "parameter-definition", f"{pointer(path)}: a {type_name} has no {word}", path, "use `choices`", at_key=True)
        return None
    return _typed(entry[word], type_name, path, faults)


def _rank(value: Value, type_name: str) -> Decimal:
    match type_name:
        case "duration":
            return Decimal(duration_of(value))
        case "percentage":
            return fraction_of(value)
        case "time":
            return Decimal(time_of(value))
    return number_of(value)


def _check_bounds(
    value: Value, type_name: str, low: Value | None, high: Value | None, choices: list[Value], path: Path, name: str,
    faults: Faults, *, at_key: bool = False,
) -> None:
    if choices and value not in choices:
        faults.add(
            "parameter-value", f"{name}: {described(value)} is not {listed([str(choice) for choice in choices])}", path,
            did_you_mean(str(value), [str(choice) for choice in choices]), at_key=at_key)
    elif low is not None and _rank(value, type_name) < _rank(low, type_name):
        faults.add(
            "parameter-value", f"{name}: {described(value)} is below the min {described(low)}", path, at_key=at_key)
    elif high is not None and _rank(value, type_name) > _rank(high, type_name):
        faults.add(
            "parameter-value", f"{name}: {described(value)} is above the max {described(high)}", path, at_key=at_key)


def put_in(tree: Tree, parameters: Parameters, faults: Faults) -> None:
    """Replaces each `${name}` of the tree in place: whole by the typed value, inside a longer text by its text."""
    if isinstance(tree, dict):
        for key in tree:
            if key not in ("params", "$schema"):
                tree[key] = _put_in(tree[key], (key,), parameters, faults)


def _put_in(tree: Tree, path: Path, parameters: Parameters, faults: Faults) -> Tree:
    if isinstance(tree, dict):
        for key, value in tree.items():
            if isinstance(value, (dict, list, str)):
                tree[key] = _put_in(value, (*path, key), parameters, faults)
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            if isinstance(value, (dict, list, str)):
                tree[index] = _put_in(value, (*path, index), parameters, faults)
    elif isinstance(tree, str) and "${" in tree:
        return _filled_in(tree, path, parameters, faults)
    return tree


def _filled_in(text: str, path: Path, parameters: Parameters, faults: Faults) -> Tree:
    whole = _USE.fullmatch(text)
    if text.count("${") > _MOST_USES:
        faults.add("parameter-use", f"{pointer(path)}: more than {_MOST_USES} parameters in one text", path)
        return text
    if whole and whole.group(1) in parameters.values:
        return parameters.values[whole.group(1)]
    missing: list[str] = []

    def value_of(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in parameters.values:
            missing.append(name)
            return match.group()
        value = parameters.values[name]
        return format(value, "f") if isinstance(value, Decimal) else str(value)

    filled = _USE.sub(value_of, text)
    for name in missing[:1]:
        if name in parameters.names:
            faults.silence(path)  # why it has no value is told where it is declared
        else:
            hint = did_you_mean(name, parameters.names) or "declare it under `params`"
            faults.add("unknown-parameter", f"{pointer(path)}: there is no parameter '{name}'", path, hint)
    if "${" in _USE.sub("", text):
        faults.add(
            "parameter-use", f"{pointer(path)}: {described(text)} has a ${{ without its }}", path, "write ${name}")
    elif not missing and "${" in filled:
        # The schema lets such a text through, for editors; behind this line no use of a parameter is left in a plan.
        faults.add("parameter-use", f"{pointer(path)}: {described(text)} becomes the use of another parameter", path)
    return filled
