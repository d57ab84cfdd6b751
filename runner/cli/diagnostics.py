"""Faults of plans on a terminal (the plan's own rendering, coloured) and as JSON."""

import re
import sys
from collections.abc import Iterable
from typing import Any, TextIO

from runner.cli import console
from runner.plan import render
from runner.plan.diagnostics import Diagnostic

_HEAD = re.compile(r"^(.*?: )(error|warning)(\[[a-z0-9-]+\])", re.MULTILINE)
_CARETS = re.compile(r"^( *\| +)(\^+)", re.MULTILINE)
_COLORS = {"error": "red", "warning": "yellow"}


def as_text(found: Iterable[Diagnostic], *, stream: TextIO | None = None) -> str:
    """A block for each, coloured where the stream (stderr unless said) takes colours."""
    target = stream or sys.stderr
    text = render.as_text(found)
    if not console.colored(target):
        return text
    text = _HEAD.sub(
        lambda match: match[1] + console.styled(match[2] + match[3], _COLORS[match[2]], stream=target), text,
    )
    return _CARETS.sub(lambda match: match[1] + console.styled(match[2], "green", stream=target), text)


def as_json(found: Iterable[Diagnostic]) -> Any:
    """A list of objects."""
    return render.as_json(found)["diagnostics"]
