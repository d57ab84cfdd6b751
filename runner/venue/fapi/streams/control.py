"""What a client says on a stream socket, and the answers: SUBSCRIBE and its kin, with Binance's errors.

Source: USDⓈ-M "Live Subscribing/Unsubscribing to streams".  An error is `{"error": {"code", "msg"}, "id"}`, without
the id where none could be read.  Ids are unsigned integers or texts, as the servers take them in 2026.
"""

import json
from enum import StrEnum
from typing import NamedTuple

MAX_STREAMS = 1024
_MOST_ID = 2**64 - 1


class Method(StrEnum):
    SUBSCRIBE = "SUBSCRIBE"
    UNSUBSCRIBE = "UNSUBSCRIBE"
    LIST_SUBSCRIPTIONS = "LIST_SUBSCRIPTIONS"
    SET_PROPERTY = "SET_PROPERTY"
    GET_PROPERTY = "GET_PROPERTY"


class Request(NamedTuple):
    """A well-formed request.  `streams` belongs to (UN)SUBSCRIBE; `combined` is what SET_PROPERTY sets it to."""

    method: Method
    id: int | str
    streams: tuple[str, ...] = ()
    combined: bool = False


class Malformed(Exception):
    """A request that is answered with an error; `fatal` where the socket is closed after it."""

    def __init__(self, code: int, message: str, id: int | str | None = None, *, fatal: bool = False) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.id = id
        self.fatal = fatal

    @property
    def body(self) -> dict[str, object]:
        told: dict[str, object] = {"error": {"code": self.code, "msg": self.message}}
        return told if self.id is None else told | {"id": self.id}


def read(text: str) -> Request:
    """A client's message as a request.

    Raises:
        Malformed: it is none; with code 3 where it is no JSON.
    """
    try:
        row = json.loads(text)
    except ValueError as error:
        raise Malformed(3, f"Invalid JSON: {_syntax(text, error)}", fatal=True) from None
    except RecursionError:
        raise Malformed(3, "Invalid JSON: recursion limit exceeded at line 1 column 128", fatal=True) from None
    if not isinstance(row, dict):
        raise Malformed(2, f"Invalid request: invalid type, expected struct Request at line 1 column {len(text)}")
    id = _id(row.get("id"))
    method = _method(row, text, id)
    params = row.get("params", [])
    if not isinstance(params, list):
        raise Malformed(2, "Invalid request: params must be an array", id)
    match method:
        case Method.SUBSCRIBE | Method.UNSUBSCRIBE:
            if not all(isinstance(name, str) for name in params):
                raise Malformed(2, "Invalid request: stream name must be a string", id)
            return Request(method, id, tuple(params))
        case Method.LIST_SUBSCRIPTIONS:
            if params:
                raise Malformed(2, "Invalid request: too many parameters", id)
            return Request(method, id)
        case Method.GET_PROPERTY:
            _property(params, 1, id)
            return Request(method, id)
        case Method.SET_PROPERTY:
            _property(params, 2, id)
            if len(params) < 2 or not isinstance(params[1], bool):
                raise Malformed(1, "Invalid value type: expected Boolean", id)
            return Request(method, id, combined=params[1])


def answer(id: int | str, result: object) -> dict[str, object]:
    return {"result": result, "id": id}


def too_many(id: int | str) -> Malformed:
    """More than MAX_STREAMS on one socket."""
    return Malformed(4, "Too many subscriptions", id)


def _id(value: object) -> int | str:
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_ID):
        return value
    raise Malformed(2, "Invalid request: request ID must be an unsigned integer")


def _method(row: dict[str, object], text: str, id: int | str) -> Method:
    if "method" not in row:
        raise Malformed(2, f"Invalid request: missing field `method` at line 1 column {len(text)}", id)
    name = row["method"]
    try:
        return Method(str(name))
    except ValueError:
        known = ", ".join(f"`{method.value}`" for method in Method)
        column = text.find(str(name)) + len(str(name)) + 1
        was = f"unknown variant `{str(name)[:64]}`, expected one of {known}"
        raise Malformed(2, f"Invalid request: {was} at line 1 column {column}", id) from None


def _property(params: list[object], most: int, id: int | str) -> None:
    if not params or not isinstance(params[0], str):
        raise Malformed(2, "Invalid request: property name must be a string", id)
    if len(params) > most:
        raise Malformed(2, "Invalid request: too many parameters", id)
    if params[0] != "combined":
        raise Malformed(0, "Unknown property", id)


def _syntax(text: str, error: ValueError) -> str:
    """Where JSON breaks, in the words of Binance's parser."""
    if not isinstance(error, json.JSONDecodeError):
        return "expected value at line 1 column 1"
    if error.pos >= len(text.rstrip()):
        return f"EOF while parsing a value at line {error.lineno} column {max(0, error.colno - 1)}"
    return f"expected value at line {error.lineno} column {error.colno}"
