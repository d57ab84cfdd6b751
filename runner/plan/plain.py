"""What a plain (unquoted) YAML scalar means: YAML 1.2's core schema, exact, and wary of what YAML 1.1 reads otherwise.

Numbers never pass through a float: a whole number becomes an `int`, any other an exact `Decimal` of its own text.
"""

import re
from decimal import Decimal

from runner.domain.values import MAX_DIGITS

MAX_EXPONENT = 40

Scalar = str | int | Decimal | bool | None


class NumberTooLong(ValueError):
    """A number beyond `MAX_DIGITS` digits or an exponent beyond `MAX_EXPONENT`."""


_WORDS: dict[str, Scalar] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}
_BOOLEANS_OF_1_1 = frozenset(
    form for word in ("yes", "no", "on", "off", "y", "n") for form in (word, word.capitalize(), word.upper()))
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"[-+]?(?:(?:0|[1-9][0-9]*)\.[0-9]*|\.[0-9]+)(?:[eE]([-+][0-9]+))?")
_DISPUTED = re.compile(
    r"[-+]?0[0-9]+"                                                 # 010: octal, or ten
    r"|[-+]?0[0-9_]*\.[0-9_]*"                                      # 010.5
    r"|[-+]?0[xX][0-9a-fA-F_]+|0o[0-7]+|[-+]?0b[01_]+"              # 0x1F, 0o10, 0b11
    r"|[-+]?[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?"         # 1_000, 1e3
    r"|\.[0-9]+[eE][0-9]+"
    r"|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?"            # 10:30 is 630 in base 60
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt \t].*)?"                # dates
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_NUMBER_STARTS = frozenset("0123456789+-.")


def read_plain(text: str) -> Scalar:
    """The value of a plain scalar; what is no number, truth value or null is the text itself.

    Raises:
        NumberTooLong: more digits, or a larger exponent, than the runner takes.
    """
    if text[:1] in _NUMBER_STARTS and text:
        if _INTEGER.fullmatch(text):
            _check_digits(text)
            return int(text)
        match = _DECIMAL.fullmatch(text)
        if match:
            exponent = match.group(1)
            mantissa = text[: match.start(1) - 1] if exponent else text
            _check_digits(mantissa)
            if exponent and (len(exponent) > 4 or abs(int(exponent)) > MAX_EXPONENT):
                raise NumberTooLong(f"its exponent is beyond {MAX_EXPONENT}")
            return Decimal(text)
        return text
    return _WORDS.get(text, text)


def disputed(text: str) -> bool:
    """Whether YAML 1.1 and 1.2 read this plain text, which is no number of ours, as different things."""
    if text[:1] in _NUMBER_STARTS:
        return _DISPUTED.fullmatch(text) is not None
    return text in _BOOLEANS_OF_1_1 or text == "="


def _check_digits(text: str) -> None:
    # Counted before anything is converted: converting a very long number costs quadratic time.
    if len(text) > MAX_DIGITS and sum(map(str.isdigit, text)) > MAX_DIGITS:
        raise NumberTooLong(f"it has {sum(map(str.isdigit, text))} digits; at most {MAX_DIGITS} are read")
