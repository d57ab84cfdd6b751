"""An execution graph from the canonical text that a run keeps of it, the inverse of `fingerprint.canonical`."""

import json
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

from runner.domain.value import Value
from runner.errors import JournalError
from runner.graph.model import ExecutionGraph

_Reader = Callable[[Any], Any]
_READERS: dict[type[Value], _Reader] = {}


def graph_from(text: str | bytes) -> ExecutionGraph:
    """The graph whose canonical text this is.

    Raises:
        JournalError: it is none.
    """
    try:
        return cast(ExecutionGraph, _value_reader(ExecutionGraph)(json.loads(text, parse_float=_no_float)))
    except (ValueError, TypeError, KeyError, InvalidOperation, RecursionError) as error:
        raise JournalError(f"the graph that the run keeps cannot be read: {error}") from error


def _no_float(text: str) -> None:
    raise ValueError(f"{text} is a float")


def _value_reader(kind: type[Value]) -> _Reader:
    """Reads an object whose `is` names the class; readers are made once, since conditions hold conditions."""
    if kind not in _READERS:
        fields: dict[str, _Reader] = {}

        def read(plain: Any) -> Value:
            given = dict(_expect(dict, plain))
            if given.pop("is", None) != kind.__name__:
                raise ValueError(f"{str(plain)[:80]} is not a {kind.__name__}")
            unknown = given.keys() - fields.keys()
            if unknown:
                raise ValueError(f"a {kind.__name__} has no {', '.join(sorted(unknown))}")
            return kind(**{name: fields[name](value) for name, value in given.items()})

        _READERS[kind] = read
        hints = get_type_hints(kind)
        fields.update((name, _reader(hints[name])) for name, _ in kind.fields())
    return _READERS[kind]


def _reader(hint: Any) -> _Reader:
    if get_origin(hint) in (Union, UnionType):
        return _union_reader(get_args(hint))
    if get_origin(hint) is tuple:
        inner = _reader(get_args(hint)[0])
        return lambda plain: tuple(inner(part) for part in _expect(list, plain))
    if hint is Decimal:
        return lambda plain: Decimal(_expect(str, plain))
    if hint in (str, int, bool):
        return lambda plain: _expect(hint, plain)
    if issubclass(hint, Enum):
        return cast(_Reader, hint)
    return _value_reader(hint)


def _union_reader(kinds: tuple[Any, ...]) -> _Reader:
    """Reads one of several classes, by the name that each object gives; null where the union has None."""
    classes = {kind.__name__: _value_reader(kind) for kind in kinds if _is_value(kind)}
    others = [_reader(kind) for kind in kinds if kind is not NoneType and not _is_value(kind)]

    def read(plain: Any) -> Any:
        if plain is None and NoneType in kinds:
            return None
        if classes and isinstance(plain, dict):
            return classes[plain.get("is", "")](plain)
        if len(others) != 1:
            raise ValueError(f"{str(plain)[:80]} is not expected here")
        return others[0](plain)

    return read


def _is_value(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Value)


def _expect(kind: type[Any], plain: Any) -> Any:
    if type(plain) is not kind:
        raise TypeError(f"{str(plain)[:80]} is not a {kind.__name__}")
    return plain
