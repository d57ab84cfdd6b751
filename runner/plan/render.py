"""Diagnostics for people, with the faulty line and a caret run, and for machines.

What a plan says never reaches a terminal raw: control characters are shown as `\\xNN`.
"""

import re
import unicodedata
from collections.abc import Iterable

from runner.plan.diagnostics import Diagnostic, Severity, pointer

JSON_FORMAT = "1.0"
MOST_SHOWN = 50
TAB_WIDTH = 4
LINE_WIDTH = 110
_BEFORE_CARET = 40
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


def as_text(diagnostics: Iterable[Diagnostic], most: int = MOST_SHOWN) -> str:
    """A block for each of the first `most` diagnostics, a blank line between, and how many are left."""
    found = list(diagnostics)
    blocks = [_block(diagnostic) for diagnostic in found[:most]]
    if len(found) > most:
        blocks.append(f"… and {len(found) - most:,} more")
    return "\n\n".join(blocks)


def as_json(diagnostics: Iterable[Diagnostic]) -> dict[str, object]:
    """`format_version` and `diagnostics`; lines and columns count from 1, in code points, the end exclusive."""
    return {"format_version": JSON_FORMAT, "diagnostics": [_entry(diagnostic) for diagnostic in diagnostics]}


def counted(diagnostics: Iterable[Diagnostic]) -> str:
    """`2 errors, 1 warning`; empty when there is neither."""
    found = list(diagnostics)
    errors = sum(diagnostic.severity is Severity.ERROR for diagnostic in found)
    parts = [_number(errors, "error"), _number(len(found) - errors, "warning")]
    return ", ".join(part for part in parts if part)


def visible(text: str) -> str:
    """The text with every character that could steer a terminal, or hide, written out."""
    return _UNSAFE.sub(lambda match: _escaped(match.group()), text)


def _block(diagnostic: Diagnostic) -> str:
    mark = diagnostic.mark
    place = f"{visible(diagnostic.file)}:{mark.line}:{mark.column}"
    head = f"{place}: {diagnostic.severity}[{diagnostic.code}]: {visible(diagnostic.message)}"
    hint = visible(diagnostic.hint)
    if not diagnostic.line_text:
        return f"{head}\n  = {hint}" if hint else head
    line, indent, carets = _snippet(diagnostic.line_text, mark.column - 1, mark.end_column - 1)
    gutter = " " * len(str(mark.line))
    under = f"{' ' * indent}{'^' * carets} {hint}".rstrip()
    return f"{head}\n{gutter} |\n{mark.line} | {line}\n{gutter} | {under}"


def _snippet(line: str, begin: int, end: int) -> tuple[str, int, int]:
    """The line as shown, and in terminal columns where the carets begin and how many they are."""
    cut = ""
    if begin > LINE_WIDTH - _BEFORE_CARET:
        skipped = begin - _BEFORE_CARET
        line, begin, end, cut = line[skipped:], _BEFORE_CARET, end - skipped, "…"
    # Only what can be shown is measured: a line may have millions of characters.
    shown, widths = _drawn(line[: 2 * LINE_WIDTH])
    indent = len(cut) + sum(widths[:begin])
    carets = max(sum(widths[begin:end]), 1)
    kept, used = 0, len(cut)
    while kept < len(widths) and used + widths[kept] <= LINE_WIDTH:
        used += widths[kept]
        kept += 1
    text = "".join(shown[:kept])
    if kept < len(line):
        text += "…"
        carets = max(min(carets, used - indent + 1), 1)
    return f"{cut}{text}", indent, carets


def _drawn(text: str) -> tuple[list[str], list[int]]:
    """Each character as drawn, and the columns that it takes."""
    shown, widths = [], []
    column = 0
    for character in text:
        if character == "\t":
            drawn = " " * (TAB_WIDTH - column % TAB_WIDTH)
        elif _UNSAFE.match(character):
            drawn = _escaped(character)
        else:
            drawn = character
        width = len(drawn)
        if width == 1:
            if unicodedata.combining(character) or unicodedata.category(character) == "Mn":
                width = 0
            elif unicodedata.east_asian_width(character) in "WF":
                width = 2
        shown.append(drawn)
        widths.append(width)
        column += width
    return shown, widths


def _escaped(character: str) -> str:
    number = ord(character)
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}"


def _entry(diagnostic: Diagnostic) -> dict[str, object]:
    mark = diagnostic.mark
    return {
        "severity": diagnostic.severity.value,
        "code": diagnostic.code,
        "message": diagnostic.message,
        "hint": diagnostic.hint,
        "file": diagnostic.file,
        "range": {
            "start": {"line": mark.line, "column": mark.column},
            "end": {"line": mark.line, "column": mark.end_column},
        },
        "pointer": pointer(diagnostic.path),
    }


def _number(count: int, word: str) -> str:
    if not count:
        return ""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"
