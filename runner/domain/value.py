"""The base of every frozen value: compared, hashed and shown by type and content."""

from typing import Any, Self, TypeVar

import msgspec


class Value(msgspec.Struct, frozen=True):
    """A value that never changes.  Its class is built in C, which is what keeps the start of a run short."""

    def but(self, **changes: Any) -> Self:
        """The same value with other fields."""
        return msgspec.structs.replace(self, **changes)

    @classmethod
    def fields(cls) -> tuple[tuple[str, bool], ...]:
        """The name of each field, and whether it must be given."""
        return tuple((field.name, field.required) for field in msgspec.structs.fields(cls))


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
