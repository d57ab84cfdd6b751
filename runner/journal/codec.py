"""Events and commands as canonical JSON text, and back.

A value is an object of its fields, keys sorted, no spaces, ASCII only; decimals are strings in full (`"0.00400"`),
enums their own values, instants integers, tuples arrays.  There are no floats.  The same value always gives the same
text.  A field that is missing takes its default, so that an older journal stays readable; an unknown one is damage.
"""

import json
from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from enum import Enum
from types import NoneType, UnionType
from typing import Any, NamedTuple, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from runner.domain.commands import Command
from runner.domain.events import Event
from runner.domain.value import Value
from runner.domain.values import plain
from runner.errors import InternalError, JournalError

EVENTS: dict[str, type[Any]] = {kind.__name__: kind for kind in get_args(Event)}
COMMANDS: dict[str, type[Any]] = {kind.__name__: kind for kind in get_args(Command)}
TYPES: dict[str, type[Any]] = EVENTS | COMMANDS
"""Every type that a journal can hold, by the name that it has there."""

T = TypeVar("T")
_Step = Callable[[Any], Any]


class _Field(NamedTuple):
    name: str
    write: _Step
    read: _Step
    required: bool


def encode(value: Event | Command) -> tuple[str, str]:
    """The type's name and the value's canonical text."""
    name = type(value).__name__
    if TYPES.get(name) is not type(value):
        raise InternalError(f"{name} is neither an event nor a command")
    return name, to_text(value)


def decode(name: str, text: str) -> Event | Command:
    """The value again.

    Raises:
        JournalError: a type that we do not know, or a text that is not such a value.
    """
    kind = TYPES.get(name)
    if kind is None:
        raise JournalError(f"the journal holds a {name!r}, which is neither an event nor a command")
    return cast(Event | Command, from_text(kind, text))


def to_text(value: Any) -> str:
    """The canonical text of a `Value` or a NamedTuple or a NamedTuple."""
    return canonical(_write_object(value))


def from_text(kind: type[T], text: str) -> T:
    """A `kind` from its canonical text.

    Raises:
        JournalError: the text is not one.
    """
    try:
        return cast(T, _object_reader(kind)(json.loads(text, parse_float=_no_float, parse_constant=_no_float)))
    except (ValueError, TypeError, InvalidOperation, RecursionError) as error:
        raise JournalError(f"{text[:80]!r} is not a {kind.__name__}: {error}") from error


def canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _no_float(text: str) -> None:
    raise ValueError(f"{text} is a float")


_KNOWN: dict[type[Any], tuple[_Field, ...]] = {}


def _fields(kind: type[Any]) -> tuple[_Field, ...]:
    if kind not in _KNOWN:
        hints = get_type_hints(kind)
        _KNOWN[kind] = tuple(_Field(name, *_steps(hints[name]), required) for name, required in _names(kind))
    return _KNOWN[kind]


def _names(kind: type[Any]) -> Iterator[tuple[str, bool]]:
    """The fields of a `Value` or a NamedTuple, and whether each must be given."""
    if issubclass(kind, Value):
        yield from kind.fields()
    else:
        for name in kind._fields:
            yield name, name not in kind._field_defaults


def _steps(hint: Any) -> tuple[_Step, _Step]:
    """How a field of the type `hint` is written and read."""
    if get_origin(hint) in (Union, UnionType):
        inner = [part for part in get_args(hint) if part is not NoneType]
        if len(inner) == 1:
            write, read = _steps(inner[0])
            return (lambda value: None if value is None else write(value)), (
                lambda value: None if value is None else read(value)
            )
    elif get_origin(hint) is tuple and get_args(hint)[1:] == (...,):
        write, read = _steps(get_args(hint)[0])
        return (lambda value: [write(part) for part in value]), (
            lambda value: tuple(read(part) for part in _expect(list, value))
        )
    elif hint is Decimal:
        return _write_decimal, _read_decimal
    elif isinstance(hint, type):
        if hint in (str, int, bool):
            return (lambda value: value), (lambda value: _expect(hint, value))
        if issubclass(hint, Enum):
            return (lambda value: value.value), hint
        if issubclass(hint, Value) or hasattr(hint, "_fields"):
            return _write_object, _object_reader(hint)
    raise InternalError(f"the journal cannot hold a field of the type {hint}")


def _write_object(value: Any) -> dict[str, object]:
    return {field.name: field.write(getattr(value, field.name)) for field in _fields(type(value))}


def _object_reader(kind: type[Any]) -> _Step:
    def read(value: object) -> object:
        table = dict(_expect(dict, value))
        found = {}
        for field in _fields(kind):
            if field.name in table:
                found[field.name] = field.read(table.pop(field.name))
            elif field.required:
                raise ValueError(f"{field.name} is missing")
        if table:
            raise ValueError(f"{', '.join(sorted(table))} is unknown")
        return kind(**found)

    return read


def _write_decimal(value: Decimal) -> str:
    if not value.is_finite():
        raise InternalError(f"{value} cannot be journaled")
    return plain(value)


def _read_decimal(value: object) -> Decimal:
    number = Decimal(_expect(str, value))
    if not number.is_finite():
        raise ValueError(f"{value!r} is not a number")
    return number


def _expect(kind: type[Any], value: Any) -> Any:
    if type(value) is not kind:
        raise TypeError(f"{value!r} is not a {kind.__name__}")
    return value
