"""What identifies a graph, and what an approval of it covers."""

import hashlib
import json
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum

from runner.domain.value import Value
from runner.domain.values import trimmed
from runner.errors import InternalError
from runner.graph.model import ExecutionGraph
from runner.plan.model import Plan

JsonValue = None | bool | int | str | list["JsonValue"] | dict[str, "JsonValue"]


def json_value(value: object) -> JsonValue:
    """A frozen value as JSON: a class by its name under `is`, numbers as plain text without padding zeros."""
    match value:
        case None | bool():
            return value
        case Decimal():
            return trimmed(value)
        case Enum():
            return str(value.value)
        case int() | str():
            return value
        case list() | tuple():
            return [json_value(part) for part in value]
        case Mapping():
            return {str(key): json_value(part) for key, part in value.items()}
        case Value():
            named: dict[str, JsonValue] = {"is": type(value).__name__}
            return named | {name: json_value(getattr(value, name)) for name, _ in value.fields()}
        case _:
            raise InternalError(f"a {type(value).__name__} has no JSON form")


def canonical(value: object) -> bytes:
    """The one JSON text of a value: keys sorted, no spaces, UTF-8."""
    return json.dumps(json_value(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def fingerprint(graph: ExecutionGraph) -> str:
    """SHA-256, in hex, of the graph's canonical JSON."""
    return hashlib.sha256(canonical(graph)).hexdigest()


def approval_id(plan: Plan, graph: ExecutionGraph, account: str, mode: str) -> str:
    """SHA-256, in hex, over all that an approval covers.

    That is: the file's bytes, the parameters in force, the graph, with the rules of its instruments and its limits,
    the account and the mode.
    """
    return hashlib.sha256(canonical({
        "file": plan.source.sha256, "params": plan.params, "graph": graph, "account": account, "mode": mode,
    })).hexdigest()
