"""Typed reading of a request's parameters, with Binance's errors for what is missing or malformed.

Parameters come as texts by name, from the query string and a form body, or from a JSON object (WebSocket API, batch
rows).  What a call does not know is ignored, as Binance does.  Every error is a `Refusal`.
"""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar
from urllib.parse import unquote_plus

from runner.domain.values import plain
from runner.venue.fapi.errors import empty, illegal, not_valid
from runner.venue.refusals import No, Refusal, missing

Word = TypeVar("Word", bound=StrEnum)

MAX_PARAMETERS = 100
_DECIMAL = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?")
_DECIMAL_RANGE = r"^([0-9]{1,20})(\.[0-9]{1,20})?$"
_INTEGER = re.compile(r"-?[0-9]{1,19}")
_INTEGER_RANGE = r"^[0-9]{1,20}$"
_SYMBOL = re.compile(r"[A-Za-z0-9\-_.]{1,20}")
_SYMBOL_RANGE = r"^[A-Z0-9-_.]{1,20}$"
_MOST_INT = 2**63 - 1


class Params:
    """The parameters of one request: name to text."""

    __slots__ = ("values",)

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def text(self, name: str) -> str:
        value = self.values.get(name)
        if not value:
            raise missing(name)
        return value

    def maybe_text(self, name: str) -> str | None:
        value = self.values.get(name)
        if value == "":
            raise empty(name)
        return value

    def symbol(self) -> str:
        value = self.text("symbol")
        if not _SYMBOL.fullmatch(value):
            raise illegal("symbol", _SYMBOL_RANGE)
        return value

    def maybe_symbol(self) -> str:
        """Empty where none was sent."""
        return self.symbol() if self.maybe_text("symbol") is not None else ""

    def decimal(self, name: str) -> Decimal:
        return _decimal(name, self.text(name))

    def maybe_decimal(self, name: str) -> Decimal | None:
        value = self.maybe_text(name)
        return None if value is None else _decimal(name, value)

    def integer(self, name: str) -> int:
        """-1102 for a malformed one too, as that text says."""
        value = self.text(name)
        if not _INTEGER.fullmatch(value):
            raise missing(name)
        return _bounded(name, int(value))

    def maybe_integer(self, name: str) -> int | None:
        value = self.maybe_text(name)
        if value is None:
            return None
        if not _INTEGER.fullmatch(value):
            raise illegal(name, _INTEGER_RANGE)
        return _bounded(name, int(value))

    def limit(self, default: int, most: int) -> int:
        """`limit`, at least 1; -1130 above the most."""
        value = self.maybe_integer("limit")
        if value is None:
            return default
        if not 1 <= value <= most:
            raise not_valid("limit")
        return value

    def flag(self, name: str) -> bool:
        return self.maybe_flag(name) or False

    def maybe_flag(self, name: str) -> bool | None:
        value = self.maybe_text(name)
        if value is None:
            return None
        word = value.lower()
        if word not in ("true", "false"):
            raise not_valid(name)
        return word == "true"

    def word(self, name: str, words: type[Word], no: No | None = None) -> Word:
        """One of a closed set; `no` where it is not of it, else -1130."""
        return _word(name, self.text(name), words, no)

    def maybe_word(self, name: str, words: type[Word], no: No | None = None) -> Word | None:
        value = self.maybe_text(name)
        return None if value is None else _word(name, value, words, no)

    def rows(self, name: str) -> list[object]:
        """A JSON array."""
        text = self.text(name)
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            raise missing(name) from None
        if not isinstance(value, list):
            raise missing(name)
        return value


def _decimal(name: str, text: str) -> Decimal:
    if not _DECIMAL.fullmatch(text):
        raise illegal(name, _DECIMAL_RANGE)
    return Decimal(text)


def _bounded(name: str, value: int) -> int:
    if abs(value) > _MOST_INT:
        raise not_valid(name)
    return value


def _word(name: str, text: str, words: type[Word], no: No | None) -> Word:
    try:
        return words(text)
    except ValueError:
        raise (not_valid(name) if no is None else Refusal(*no)) from None


def from_json(row: Mapping[str, object]) -> Params:
    """Parameters that came as a JSON object: numbers and truth values as their texts, nulls as not sent.

    A list or an object within becomes its JSON text.  The JSON should be read with `parse_float=str`, so that a number
    keeps the digits that it was sent with.
    """
    values: dict[str, str] = {}
    for name, value in row.items():
        if isinstance(value, str):
            values[name] = value
        elif isinstance(value, bool):
            values[name] = "true" if value else "false"
        elif isinstance(value, Decimal):
            values[name] = plain(value)
        elif value is not None:
            values[name] = str(value) if isinstance(value, int) else json.dumps(value, separators=(",", ":"))
    return Params(values)


def from_form(query: str, body: str) -> Params:
    """Parameters of a query string and a form body; where a name is in both the query's counts.

    -1101 for a name twice in one of them, or for too many.
    """
    values = _pairs(query)
    if body:
        if not values:
            return Params(_pairs(body))
        values = {**_pairs(body), **values}
    return Params(values)


def _pairs(text: str) -> dict[str, str]:
    values: dict[str, str] = {}
    if not text:
        return values
    parts = text.split("&", MAX_PARAMETERS)
    if len(parts) > MAX_PARAMETERS:
        raise Refusal(-1101, f"Too many parameters; expected at most '{MAX_PARAMETERS}'.")
    for part in parts:
        name, _, value = part.partition("=")
        if "%" in part or "+" in part:
            name, value = unquote_plus(name), unquote_plus(value)
        if name in values:
            raise Refusal(-1101, "Duplicate values for a parameter detected.")
        if name:
            values[name] = value
    return values
