"""The plan's JSON Schema: where it is found, and what it says of a tree, in our own words.

The schema is judged by jsonschema-rs, which lists every fault of a large plan in milliseconds; it decides shape
only.  Ranges and sums are judged exactly by the parser, since a validator may compare decimals as floats.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path as File
from typing import Any

import jsonschema_rs

from runner.errors import InternalError
from runner.plan.diagnostics import Path, pointer
from runner.plan.faults import Faults
from runner.plan.reader import Document, Tree, described
from runner.plan.suggestions import did_you_mean, listed, nearest

FILE_NAME = "plan-v1.schema.json"

_EXPECTED = {
    "text": ("type", "a text that is not empty"),
    "positive": ("number", "a number above zero, like 0.002"),
    "signed": ("number", "a number, like 0.5 or -0.5"),
    "count": ("integer", "a whole number above zero"),
    "whole": ("integer", "a whole number, 0 or more"),
    "duration": ("duration", "a duration, like 250ms, 2s, 5m, 1h30m or 7d"),
    "percentage": ("percentage", "a percentage, like 0.25%"),
    "distance": ("distance", "a distance: a percentage (2%), quote units per base unit (150), or multiples of R (2R)"),
    "time": ("time", "an RFC 3339 time with an offset, like 2026-11-24T08:00:00Z"),
    "symbol": ("symbol", "a symbol in capitals, like BTCUSDT"),
    "step_id": ("step-id", "a step's id: lower-case letters, digits, _ and -, beginning with a letter, at most 64"),
    "target": ("step-id", "a step's id or a leg of it, like long, long.entry, long.take_profit.2 or rebuy.slice.3"),
    "after": ("step-id", "a step or leg, a list of them, or a map of step to outcome"),
    "outcome": ("enum", "an outcome"),
}
"""By definition of the schema: the code of a value that is not so, and what was expected."""

_TYPES = {
    "object": "a mapping of keys", "array": "a list", "string": "a text", "number": "a number",
    "integer": "a whole number", "boolean": "true or false", "null": "nothing",
}


def load_schema() -> Mapping[str, Any]:
    """The schema, from the installed package, or from the checkout of an editable install.

    Raises:
        InternalError: it is in neither place.
    """
    parsed: Mapping[str, Any] = json.loads(schema_text())
    return parsed


def schema_text() -> str:
    """The schema file's own text."""
    room = File(__file__).parent.parent
    for folder in (room / "schemas", room.parent / "schemas"):
        file = folder / FILE_NAME
        if file.is_file():
            return file.read_text(encoding="utf-8")
    raise InternalError(f"{FILE_NAME} is missing from this installation", hint="install daksh-run again")


@cache
def _validator() -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(json.loads(schema_text()))


def check_shape(tree: Tree, document: Document, faults: Faults) -> None:
    """Adds what the schema finds wrong with `tree`, which is the document's with its parameters put in."""
    absent: list[tuple[Path, str]] = []
    for error in _validator().iter_errors(tree):
        path = _path_in(tree, error.instance_path)
        kind: Any = error.kind
        match kind.name:
            case "required":
                absent.append((path, kind.property))
            case "additionalProperties":
                _unknown_keys(tree, path, error.schema_path, kind.unexpected, faults)
            case _:
                _wrong_value(path, error.schema_path, kind, error.instance, document, faults)
    for path, key in absent:
        if not faults.explains_absence(path, key):
            where = f" in {pointer(path)}" if path else ""
            faults.add_beside("missing-key", f"the key '{key}' is missing{where}", path, f"add `{key}: …`")


def _unknown_keys(tree: Tree, path: Path, schema_path: list[str | int], keys: list[str], faults: Faults) -> None:
    allowed = [key for key in _properties(schema_path) if key != "$schema"]
    used = _at(tree, path)
    free = [key for key in allowed if not isinstance(used, dict) or key not in used]
    where = f" in {pointer(path)}" if path else ""
    for key in keys:
        meant = nearest(key, free)
        hint = f"did you mean '{meant}'?" if meant else ""
        if not meant and allowed:
            hint = f"the keys here are {listed(allowed, 'and')}"
        faults.add_unknown_key(f"unknown key {_shown(key)}{where}", (*path, key), hint, meant)


def _wrong_value(
    path: Path, schema_path: list[str | int], kind: Any, value: object, document: Document, faults: Faults,
) -> None:
    definition = _definition(schema_path)
    code, expected = _expectation(kind, definition)
    name = pointer(path) or "the plan"
    hint = ""
    if path in document.disputed and code != "enum":
        faults.add(
            "ambiguous",
            f"{name}: {described(value)} is read differently by YAML 1.1 and 1.2, and {expected} is expected", path,
            f"quote it if it is a text; otherwise write {expected}")
        return
    if kind.name == "enum" and isinstance(value, str):
        hint = did_you_mean(value, [str(option) for option in kind.options])
    elif isinstance(value, str) and definition == "symbol" and value.upper() != value:
        hint = f"did you mean '{value.upper()}'?"
    elif definition == "step_id" and isinstance(value, str) and value.lower() != value:
        hint = f"did you mean '{value.lower()}'?"
    elif definition == "percentage" and not isinstance(value, (dict, list, bool)) and value is not None:
        hint = f"did you mean '{value}%'?" if str(value).replace(".", "", 1).isdigit() else ""
    elif definition == "duration" and isinstance(value, int) and not isinstance(value, bool):
        hint = f"did you mean '{value}s'?"
    faults.add(code, f"{name}: {described(value)} is not {expected}", path, hint)


def _expectation(kind: Any, definition: str) -> tuple[str, str]:
    match kind.name:
        case "enum":
            return "enum", listed([str(option) for option in kind.options])
        case "const":
            return "version", str(kind.expected_value)
        case "minItems" | "minProperties":
            return "empty-list", "filled: at least one item is needed"
        case "maxItems":
            return "too-many-steps", f"a list of at most {kind.limit} items"
        case "exclusiveMinimum" | "minimum":
            return "range", _EXPECTED[definition][1]
        case "type" if definition not in _EXPECTED or _EXPECTED[definition][0] == "type":
            return "type", listed([_TYPES[name] for name in sorted(kind.types, reverse=True)])
    return _EXPECTED.get(definition, ("type", "a value that the schema allows"))


def _definition(schema_path: list[str | int]) -> str:
    return str(schema_path[1]) if len(schema_path) > 1 and schema_path[0] == "$defs" else ""


def _properties(schema_path: list[str | int]) -> list[str]:
    place: Any = load_schema()
    for part in schema_path[:-1]:
        place = place[part]
    return list(place.get("properties", {}))


def _path_in(tree: Tree, parts: list[str | int]) -> Path:
    """The validator's path with the plan's own keys: it gives the key '010' as the number 10, and leaves '' out."""
    found: list[str | int] = []
    for part in parts:
        while isinstance(tree, dict) and "" in tree and _key_in(tree, part) is None:
            found.append("")
            tree = tree[""]
        if isinstance(tree, dict):
            key = _key_in(tree, part)
            if key is None:
                break
            found.append(key)
            tree = tree[key]
        elif isinstance(tree, list):
            found.append(part)
            tree = tree[int(part)]
    return tuple(found)


def _key_in(tree: dict[str, Tree], part: str | int) -> str | None:
    """The key that the validator means by `part`, or None where there is none such."""
    if part in tree:
        return str(part)
    return next((key for key in tree if key.isdecimal() and int(key) == part), None)


def _at(tree: Tree, path: Path) -> Tree:
    for part in path:
        tree = tree[part]  # type: ignore[index]  # the validator's own path into this tree
    return tree


def _shown(key: str) -> str:
    return f"'{key}'" if len(key) <= 60 else f"'{key[:57]}…'"
