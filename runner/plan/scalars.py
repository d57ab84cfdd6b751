"""Scalars of the language from the values of the tree, exactly; each fault is added where the value stands.

The schema has judged the shape of a plan's own scalars before; what is found wrong here again is dropped as an echo.
"""

import re
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from runner.domain.sizes import Distance, DistanceKind
from runner.domain.times import parse_duration, parse_rfc3339
from runner.domain.values import EXACT, MAX_DIGITS, ONE, ZERO
from runner.plan.diagnostics import Path, pointer
from runner.plan.faults import Faults
from runner.plan.reader import described

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_HUNDRED = Decimal(100)
Word = TypeVar("Word", bound=StrEnum)
_LAST_MS = 253_402_214_400_000
"""The last day of the year 9999 in UTC, whatever the offset."""
MAX_DURATION_MS = 3_650 * 86_400_000


def number_of(value: object) -> Decimal:
    """An exact decimal.

    Raises:
        ValueError: no number, or one of more than `MAX_DIGITS` digits.
    """
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if isinstance(value, str) and len(value) <= 2 * MAX_DIGITS and _NUMBER.fullmatch(value):
        if sum(map(str.isdigit, value)) <= MAX_DIGITS:
            return Decimal(value)
        raise ValueError(f"{described(value)} has more than {MAX_DIGITS} digits")
    raise ValueError(f"{described(value)} is not a number")


def integer_of(value: object) -> int:
    """A whole number.

    Raises:
        ValueError: no whole number.
    """
    number = number_of(value)
    whole = int(number)
    if whole != number:
        raise ValueError(f"{described(value)} is not a whole number")
    return whole


def fraction_of(value: object) -> Decimal:
    """The fraction that a percentage stands for: `0.25%` is 0.0025.

    Raises:
        ValueError: no percentage.
    """
    if not isinstance(value, str) or not value.endswith("%"):
        raise ValueError(f"{described(value)} is not a percentage, like 0.25%")
    number = number_of(value[:-1])
    if number < ZERO:
        raise ValueError(f"{described(value)} is below 0%")
    return number.scaleb(-2, EXACT)


def duration_of(value: object) -> int:
    """Milliseconds of a duration of at most ten years.

    Raises:
        ValueError: no duration.
    """
    if not isinstance(value, str):
        raise ValueError(f"{described(value)} is not a duration, like 250ms, 2s, 5m, 1h30m or 7d")
    if len(value) > 40:
        raise ValueError(f"{described(value)} is longer than ten years")
    duration_ms = parse_duration(value)
    if duration_ms > MAX_DURATION_MS:
        raise ValueError(f"{described(value)} is longer than ten years")
    return duration_ms


def time_of(value: object) -> int:
    """UTC milliseconds of an RFC 3339 time.

    Raises:
        ValueError: no such time, or one without an offset.
    """
    if not isinstance(value, str):
        raise ValueError(f"{described(value)} is not an RFC 3339 time with an offset, like 2026-11-24T08:00:00Z")
    try:
        at_ms = parse_rfc3339(value)
    except ValueError:
        at_ms = -1
    if not 0 <= at_ms <= _LAST_MS:
        raise ValueError(
            f"{described(value)} is not an RFC 3339 time with an offset, like 2026-11-24T08:00:00Z, from 1970 on")
    return at_ms


def distance_of(value: object) -> Distance:
    """`2%`, `150` or `2R`.

    Raises:
        ValueError: none of these.
    """
    kind, text = DistanceKind.ABSOLUTE, value
    if isinstance(value, str) and value[-1:] in ("%", "R"):
        kind = DistanceKind.FRACTION if value.endswith("%") else DistanceKind.RISK
        text = value[:-1]
    number = number_of(text)
    if number <= ZERO:
        raise ValueError(f"{described(value)} is not above zero")
    return Distance(kind, number.scaleb(-2, EXACT) if kind is DistanceKind.FRACTION else number)


# ---- the same, where a fault is added and a harmless value stands in ------------------------------------------------


def positive(value: object, path: Path, faults: Faults) -> Decimal:
    """A number above zero."""
    try:
        number = number_of(value)
    except ValueError as error:
        faults.add("number", f"{pointer(path)}: {error}", path, "write a number above zero, like 0.002")
        return ONE
    if number <= ZERO:
        faults.add("range", f"{pointer(path)}: {described(value)} is not above zero", path)
        return ONE
    return number


def signed(value: object, path: Path, faults: Faults) -> Decimal:
    try:
        return number_of(value)
    except ValueError as error:
        faults.add("number", f"{pointer(path)}: {error}", path, "write a number, like 0.5 or -0.5")
        return ONE


def whole(value: object, path: Path, faults: Faults, low: int, high: int) -> int:
    """A whole number from `low` to `high`."""
    try:
        number = integer_of(value)
    except ValueError as error:
        faults.add("integer", f"{pointer(path)}: {error}", path, "write a whole number")
        return low
    if not low <= number <= high:
        faults.add("range", f"{pointer(path)}: {described(value)} is not from {low} to {high}", path)
        return low
    return number


def percentage(
    value: object, path: Path, faults: Faults, low: Decimal = ZERO, high: Decimal = ONE, *, zero_too: bool = False,
) -> Decimal:
    """A percentage as a fraction, above `low` (or, with `zero_too`, from it on) and at most `high`."""
    try:
        fraction = fraction_of(value)
    except ValueError as error:
        faults.add("percentage", f"{pointer(path)}: {error}", path, "write a percentage, like 0.25%")
        return high
    if fraction > high or fraction < low or (fraction == low and not zero_too):
        begin = "from" if zero_too else "above"
        limits = f"{begin} {low * _HUNDRED:f}% to {high * _HUNDRED:f}%"
        faults.add("range", f"{pointer(path)}: {described(value)} is not {limits}", path)
        return high
    return fraction


def duration(value: object, path: Path, faults: Faults, *, zero_too: bool = False) -> int:
    """A duration in milliseconds, above zero unless `zero_too`."""
    try:
        duration_ms = duration_of(value)
    except ValueError as error:
        faults.add("duration", f"{pointer(path)}: {error}", path)
        return 1
    if duration_ms == 0 and not zero_too:
        faults.add("range", f"{pointer(path)}: {described(value)} is not above zero", path)
        return 1
    return duration_ms


def time(value: object, path: Path, faults: Faults) -> int:
    try:
        return time_of(value)
    except ValueError as error:
        faults.add("time", f"{pointer(path)}: {error}", path)
        return 0


def distance(value: object, path: Path, faults: Faults, *, risk: bool = False) -> Distance:
    """A distance; multiples of R only with `risk`."""
    try:
        found = distance_of(value)
    except ValueError as error:
        code = "range" if "above zero" in str(error) else "distance"
        faults.add(code, f"{pointer(path)}: {error}", path, "write a distance, like 2% or 150")
        return Distance(DistanceKind.ABSOLUTE, ONE)
    if found.kind is DistanceKind.RISK and not risk:
        faults.add(
            "distance", f"{pointer(path)}: R is the distance from entry to stop, so only a take-profit can be a"
            f" multiple"
            f" of it, not {described(value)}", path, "write a percentage (2%) or quote units per base unit (150)")
    return found


def word(words: type[Word], value: object, default: Word) -> Word:
    """The word of a closed set; one that the schema has refused, or none, counts as the default."""
    if value is None:
        return default
    try:
        return words(str(value))
    except ValueError:
        return default
