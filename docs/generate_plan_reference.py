"""Writes `plan-reference.md`, which stands beside it, from the schema; with `--check` only says whether it is so."""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from runner.plan.schema import load_schema

PAGE = Path(__file__).with_name("plan-reference.md")
_HEAD = """\
# Plan reference

Every key of a plan, version 1. Generated from `schemas/plan-v1.schema.json` by
`python docs/generate_plan_reference.py`; edit the schema, not this page.

Wherever a single value may stand, `${name}` may stand too: the value of the parameter `name`.
"""
_SCALARS = frozenset({
    "text", "positive", "signed", "count", "whole", "duration", "percentage", "distance", "time", "symbol", "step_id",
    "target", "outcome", "side", "order_type", "working_type", "time_in_force", "on_immediate_trigger",
    "existing_position", "margin_type",
})
_HIDDEN = frozenset({"reference_text"})
_TYPES = {
    "object": "mapping", "array": "list", "string": "text", "number": "number", "integer": "whole number",
    "boolean": "true or false", "null": "nothing",
}


def as_markdown(schema: Mapping[str, Any]) -> str:
    """The page."""
    definitions: Mapping[str, Any] = schema["$defs"]
    blocks = [_HEAD, "\n".join(_section("The plan", schema, schema)), "## Kinds of values\n"]
    blocks.append("\n".join(_value_rows(definitions)))
    for name, definition in definitions.items():
        if name not in _SCALARS and name not in _HIDDEN:
            blocks.append("\n".join(_section(_title(name, definition), definition, schema)))
    return "\n".join(blocks)


def _section(title: str, definition: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    yield f"## {title}"
    yield ""
    yield str(definition["description"])
    yield ""
    properties: Mapping[str, Any] = definition.get("properties", {})
    required = frozenset(definition.get("required", ()))
    if properties:
        yield "| key | value | meaning | default | example |"
        yield "| --- | --- | --- | --- | --- |"
    for key, value in properties.items():
        needed = " (required)" if key in required else ""
        default = _code(value["default"]) if "default" in value else ""
        example = _code(value["examples"][0])
        yield f"| `{key}`{needed} | {_kind(value, schema)} | {_cell(value['description'])} | {default} | {example} |"
    if properties:
        yield ""
    yield "```yaml"
    for example in definition["examples"]:
        yield _flow(example)
    yield "```"
    yield ""


def _value_rows(definitions: Mapping[str, Any]) -> Iterator[str]:
    yield "| value | meaning | written |"
    yield "| --- | --- | --- |"
    for name in definitions:
        if name in _SCALARS:
            definition = definitions[name]
            words = definition.get("else", {}).get("enum") or definition["examples"]
            written = ", ".join(_code(word) for word in words)
            yield f"| <a id=\"{name}\"></a>{definition['title']} | {_cell(definition['description'])} | {written} |"
    yield ""


def _kind(value: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    if "$ref" in value:
        name = value["$ref"].removeprefix("#/$defs/")
        definition = schema["$defs"][name]
        anchor = name if name in _SCALARS else _anchor(_title(name, definition))
        return f"[{definition['title'].lower()}](#{anchor})"
    words = value.get("enum") or value.get("else", {}).get("enum")
    if words:
        return ", ".join(_code(word) for word in words)
    if "const" in value:
        return _code(value["const"])
    if value["type"] == "array":
        return f"list of {_kind(value['items'], schema)}"
    types = [value["type"]] if isinstance(value["type"], str) else value["type"]
    inner = value.get("additionalProperties") or next(iter(value.get("patternProperties", {}).values()), None)
    if types == ["object"] and inner:
        return f"mapping of name to {_kind(inner, schema)}"
    return " or ".join(_TYPES[name] for name in types)


def _title(name: str, definition: Mapping[str, Any]) -> str:
    return f"{definition['title']} (`{name}`)"


def _anchor(title: str) -> str:
    kept = "".join(letter for letter in title.lower() if letter.isalnum() or letter in " -_")
    return kept.replace(" ", "-")


def _code(value: object) -> str:
    return f"`{_cell(_flow(value))}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _flow(value: object) -> str:
    """A value as a person writes it in YAML, on one line."""
    match value:
        case dict():
            return "{" + ", ".join(f"{key}: {_flow(inner)}" for key, inner in value.items()) + "}"
        case list():
            return "[" + ", ".join(_flow(inner) for inner in value) + "]"
        case str() if value and not any(sign in value for sign in ':{}[],&*#?|<>=!@`"%\\') and value[:1].isalpha():
            return value
        case str() if value[:1].isdigit() and value.rstrip("%").replace(".", "", 1).isalnum() and not value.isdigit():
            return value if not value.replace(".", "", 1).isdigit() else json.dumps(value)
    return json.dumps(value, ensure_ascii=False)


def main(arguments: list[str]) -> int:
    """Writes the page, or with `--check` compares it."""
    page = as_markdown(load_schema())
    if "--check" not in arguments:
        PAGE.write_text(page, encoding="utf-8")
        return 0
    if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == page:
        return 0
    print(f"{PAGE.name} is not what the schema says: run python docs/generate_plan_reference.py", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
