"""What a person or a script reads: results on stdout, everything else on stderr.

A reader that goes away (`daksh-run show X | head`) ends the output, not the command: the stream is pointed at nothing,
the command goes on to its end, and the exit code stays the command's own.
"""

import json
import os
import shutil
import sys
from dataclasses import dataclass
from typing import Any, TextIO

import click

from runner.errors import UsageError


@dataclass(slots=True)
class Console:
    """How this process speaks.  `verbosity` is -1 for `-q`, 0, or 1 for `-v`; `color` is auto, always or never."""

    json: bool = False
    verbosity: int = 0
    color: str = "auto"


active = Console()
"""A process has one stdout, so it has one console; the options of the command that runs fill it."""


def result(text: str) -> None:
    """A line, or lines, of the command's result."""
    _write(sys.stdout, text)


def result_line(text: str, color: str | None = None) -> None:
    """One line of the result; a terminal narrower than the line has it broken between words, and set in."""
    text = fitted(sys.stdout, text)
    _write(sys.stdout, styled(text, color) if color else text)


def result_json(value: Any) -> None:
    """The command's result as one JSON document; keys keep their order, numbers of money are strings."""
    _write(sys.stdout, json.dumps(value, ensure_ascii=False, indent=2))


def result_bytes(content: bytes) -> None:
    """A file's content as it is, where its bytes are promised."""
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        _discard(sys.stdout)


def tell(text: str, *, at: int = 0) -> None:
    """Progress and advice, shown where the verbosity is at least `at`."""
    if active.verbosity >= at:
        _write(sys.stderr, fitted(sys.stderr, text))


def complain(message: str, hint: str = "") -> None:
    """An error: one line of what is wrong, and one of what to do."""
    text = fitted(sys.stderr, f"error: {message}")
    _write(sys.stderr, text.replace("error:", styled("error:", "red", stream=sys.stderr), 1))
    if hint:
        _write(sys.stderr, fitted(sys.stderr, f"  {hint}"))


def width() -> int:
    """Columns of the terminal, 80 where there is none."""
    return shutil.get_terminal_size().columns


def colored(stream: TextIO | None = None) -> bool:
    """Whether to colour what goes to the stream (stdout unless said)."""
    if active.color != "auto":
        return active.color == "always"
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return not plain and (stream or sys.stdout).isatty()


def styled(text: str, color: str, *, stream: TextIO | None = None) -> str:
    return click.style(text, fg=color, bold=color == "red" or None) if colored(stream) else text


def prepare() -> None:
    """Start a command: the console's defaults, and streams that take every character, also where they were closed."""
    active.json, active.verbosity, active.color = False, 0, "auto"
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - for the process's life
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def flush() -> None:
    """Hand over what is still buffered of the result.

    Raises:
        OSError: it cannot be written, but for a reader that has gone away.
    """
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _discard(sys.stdout)


def close() -> None:
    """The last thing: what cannot be handed over now is dropped without a word."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            _discard(stream)


def ask(question: str) -> str:
    """A line that the user types, empty where he ends the input instead."""
    sys.stderr.write(question)
    sys.stderr.flush()
    return sys.stdin.readline()


def read_stdin(limit: int) -> bytes:
    """At most `limit` bytes of standard input."""
    if sys.stdin is None or sys.stdin.closed:
        raise UsageError("standard input is closed, so there is no plan to read from '-'")
    return sys.stdin.buffer.read(limit)


def fitted(stream: TextIO, text: str) -> str:
    """A single line as it fits on the terminal; what goes elsewhere, and what has lines of its own, stays as it is."""
    columns = width()
    if len(text) <= columns or "\n" in text or not stream.isatty():
        return text
    import textwrap

    return textwrap.fill(
        text, columns, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False,
        replace_whitespace=False,
    )


def _write(stream: TextIO, text: str) -> None:
    try:
        stream.write(text + "\n")
    except BrokenPipeError:
        _discard(stream)


def _discard(stream: TextIO) -> None:
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, stream.fileno())
    os.close(nothing)
