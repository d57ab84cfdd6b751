"""The bases of values and records, whose classes are built in C: that keeps the start of a run short."""

from typing import Any, Generic, Self, TypeVar

import msgspec

T = TypeVar("T")


class Value(msgspec.Struct, frozen=True):
    """A value that never changes: compared, hashed and shown by type and content."""

    def but(self, **changes: Any) -> Self:
        """The same value with other fields."""
        return msgspec.structs.replace(self, **changes)

    @classmethod
    def fields(cls) -> tuple[tuple[str, bool], ...]:
        """The name of each field, and whether it must be given."""
        known = _FIELDS.get(cls)
        if known is None:
            known = _FIELDS[cls] = tuple((field.name, field.required) for field in msgspec.structs.fields(cls))
        return known


_FIELDS: dict[type[Value], tuple[tuple[str, bool], ...]] = {}


class Record(msgspec.Struct):
    """What an engine room remembers and changes: a slotted object of its fields, compared by content."""


def fresh(kind: type[T]) -> T:
    """The default of a record's field: for each record a new one of this kind."""
    default: T = msgspec.field(default_factory=kind)
    return default


V = TypeVar("V", bound=Value)


def converted(kind: type[V], plain: object) -> V:
    """A value of this kind from mappings, lists, texts and numbers, as decoded from JSON or YAML.

    Raises:
        ValueError: it does not fit; the text says what, and where: "Expected `int`, got `str` - at `$.nth`".
    """
    try:
        return msgspec.convert(plain, kind)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None


class Packing(Generic[V]):
    """Keeps values of one kind as bytes, in about a fifth of the room; values in them are packed along."""

    def __init__(self, kind: type[V]) -> None:
        self._kind = kind
        self._inner = [(number, inner) for number, inner in enumerate(_types(kind)) if _is_value(inner)]
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(_row(kind)).decode

    def pack(self, value: V) -> bytes:
        row: Any = msgspec.structs.astuple(value)
        if self._inner:
            row = list(row)
            for number, _ in self._inner:
                row[number] = msgspec.structs.astuple(row[number])
        return self._encode(row)

    def unpack(self, packed: bytes) -> V:
        row: Any = self._decode(packed)
        if self._inner:
            row = list(row)
            for number, inner in self._inner:
                row[number] = inner(*row[number])
        return self._kind(*row)


def _types(kind: type[Value]) -> list[Any]:
    return [field.type for field in msgspec.structs.fields(kind)]


def _is_value(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Value)


def _row(kind: type[Value]) -> Any:
    """The type of a value's fields in their order."""
    return tuple.__class_getitem__(tuple(_row(inner) if _is_value(inner) else inner for inner in _types(kind)))
