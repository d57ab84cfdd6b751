"""YAML bytes -> a tree of values, and where in the text each value and each key stands.

PyYAML's events are read one by one (libyaml's where it is built in, else the slow pure ones), so that nothing is
built, expanded or converted that the rules do not allow, and every refusal has a place.  Only mappings with text
keys, lists, and scalars exist in a plan: no anchors, aliases, merge keys, tags, or second document.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from runner.plan.diagnostics import Fault, Mark, Path
from runner.plan.faults import MOST_FAULTS
from runner.plan.model import Source
from runner.plan.plain import NumberTooLong, Scalar, disputed, read_plain

MAX_BYTES = 8 * 1024 * 1024
MAX_DEPTH = 64
MAX_STEPS = 20_000
MAX_VALUES = 400_000
MAX_KEYS = 1_000

Tree = Scalar | list["Tree"] | dict[str, "Tree"]


@dataclass(frozen=True, slots=True)
class Document:
    """A plan's text as values.

    `disputed` holds the paths of plain scalars that YAML 1.1 and 1.2 read differently (their value is their text);
    `faults` are those of the text itself, each with its mark, since a second key of one name has no path of its own;
    `spoilt` are the paths whose value could not be taken over.
    """

    tree: Tree
    source: Source
    disputed: frozenset[Path]
    faults: tuple[tuple[Fault, Mark], ...]
    spoilt: frozenset[Path]


class _Refused(Exception):
    """Reading cannot go on."""

    def __init__(self, code: str, message: str, mark: Mark, hint: str = "", path: Path = ()) -> None:
        super().__init__(message)
        self.fault = Fault(code, message, path, hint)
        self.mark = mark


_START = Mark(1, 1, 2)
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SCALAR, _ALIAS = yaml.ScalarEvent, yaml.AliasEvent
_MAPPING, _MAPPING_END = yaml.MappingStartEvent, yaml.MappingEndEvent
_SEQUENCE, _SEQUENCE_END = yaml.SequenceStartEvent, yaml.SequenceEndEvent
_VALUES = frozenset({_SCALAR, _ALIAS, _MAPPING, _SEQUENCE})
_NO_SHARING = "write a shared value once under `defaults` or `params` instead"


def read(name: str, data: bytes) -> Document:
    """The document in `data`; a text that cannot be read has `faults` and an empty tree."""
    sha256 = hashlib.sha256(data).hexdigest()
    builder = _Builder()
    lines: tuple[str, ...] = ()
    tree: Tree = {}
    try:
        text = _text(data)
        lines = tuple(_BREAK.split(text))
        tree = _root(builder, text)
    except _Refused as refusal:
        builder.faults.append((refusal.fault, refusal.mark))
        tree = {}
    source = Source(name, sha256, lines, builder.values, builder.keys)
    return Document(tree, source, frozenset(builder.disputed), tuple(builder.faults), frozenset(builder.spoilt))


def _text(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise _Refused(
            "too-large", f"the file has more than {MAX_BYTES // 1024 // 1024} MiB", _START,
            "split the plan, or keep market data in files of their own")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise _Refused("not-utf8", "the file is UTF-16", _START, "save it as UTF-8")
    data = data.removeprefix(b"\xef\xbb\xbf")
    control = _CONTROL.search(data)
    if control:
        line = data.count(b"\n", 0, control.start()) + 1
        raise _Refused(
            "binary", f"the file holds the control character 0x{control.group()[0]:02X}: it is not a text file",
            Mark(line, 1, 2), "a plan is a YAML text in UTF-8")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _Refused(
            "not-utf8", f"byte {error.start + 1} of the file is not UTF-8", Mark(line, 1, 2), "save it as UTF-8",
        ) from None


def _root(builder: "_Builder", text: str) -> Tree:
    events = _events(text)
    try:
        tree = builder.build(events)
    except yaml.MarkedYAMLError as error:
        raise _syntax(error, text) from None
    except yaml.YAMLError as error:
        raise _Refused("syntax", f"not YAML: {str(error).splitlines()[0]}", _START) from None
    if isinstance(tree, dict):
        return tree
    if () in builder.spoilt:
        return {}
    if tree is None:
        raise _Refused("empty", "the plan is empty", _START, "`daksh-run init` writes one to begin with")
    raise _Refused(
        "not-a-mapping", f"a plan is a mapping of keys, not {described(tree)}", builder.values.get((), _START),
        "begin with `version: 1`")


def _events(text: str) -> Iterator[Any]:
    loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
    return iter(yaml.parse(text, Loader=loader))


def _syntax(error: yaml.MarkedYAMLError, text: str) -> _Refused:
    mark = error.problem_mark or error.context_mark
    place = Mark(mark.line + 1, mark.column + 1, mark.column + 2) if mark else _START
    written = _BREAK.split(text.rstrip())
    if place.line > len(written):
        # The text breaks off: the end of what is written says more than the empty line behind it.
        place = Mark(len(written), len(written[-1]) + 1, len(written[-1]) + 2)
    problem = error.problem or error.context or "it cannot be parsed"
    hint = ""
    if "${" in written[min(place.line, len(written)) - 1]:
        hint = 'inside { } and [ ] a parameter needs quotes: "${name}"'
    elif "cannot start any token" in problem:
        hint = "indent with spaces, not tabs, and quote texts that begin with a sign like @, ` or %"
    elif "could not find expected ':'" in problem:
        hint = "a line in a mapping is `key: value`"
    elif "mapping values are not allowed" in problem:
        hint = "check the indentation, and quote texts that hold `: `"
    elif "block" in problem or "block" in (error.context or ""):
        hint = "check the indentation: keys of one mapping stand in one column"
    return _Refused("syntax", f"not YAML: {problem}", place, hint)


def described(value: object) -> str:
    """A value as a message names it: `'buy'`, `5`, `a list`."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case list():
            return "a list"
        case dict():
            return "a mapping"
        case str():
            return f"'{value}'" if len(value) <= 60 else f"'{value[:57]}…'"
    return str(value)


class _Builder:
    """Turns events into the tree; see `Document` for what it gathers beside it."""

    def __init__(self) -> None:
        self.values: dict[Path, Mark] = {}
        self.keys: dict[Path, Mark] = {}
        self.disputed: set[Path] = set()
        self.faults: list[tuple[Fault, Mark]] = []
        self.spoilt: set[Path] = set()
        self._plain: dict[str, Scalar] = {}

    def build(self, events: Iterator[Any]) -> Tree:
        values, keys, plain = self.values, self.keys, self._plain
        known_keys: set[str] = set()
        root: Tree = None
        seen = documents = 0
        # The open collections, outermost first; a mapping waits for a key while `key` is None.
        outer: list[tuple[dict[str, Tree] | list[Tree] | None, Path]] = []
        mapping: dict[str, Tree] | None = None
        sequence: list[Tree] | None = None
        path: Path = ()
        key: str | None = None
        new_mark = tuple.__new__  # a third of the cost of Mark(…), and this runs for each word of the file
        for event in events:
            kind = type(event)
            if kind is _SCALAR and mapping is not None and key is None:
                key = event.value
                here: Path = (*path, key)
                start, end = event.start_mark, event.end_mark
                line, column = start.line, start.column
                mark = new_mark(Mark, (line + 1, column + 1, (end.column if end.line == line else column + 1) + 1))
                if key not in known_keys or event.anchor is not None or event.tag is not None:
                    self._check_key(event, key, here, mark)
                    known_keys.add(key)
                if key in mapping:
                    self._second(key, path, keys[here], mark)
                else:
                    keys[here] = mark
                    if len(mapping) >= MAX_KEYS:
                        raise _Refused("too-large", f"more than {MAX_KEYS:,} keys in one mapping", mark, path=path)
                    if not mapping:
                        values[path] = mark  # a mapping is marked where its first key stands
                continue
            if kind is _MAPPING_END or kind is _SEQUENCE_END:
                container, path = outer.pop()
                mapping = container if type(container) is dict else None
                sequence = container if type(container) is list else None
                continue
            if kind not in _VALUES:
                if kind is yaml.DocumentStartEvent:
                    documents += 1
                    if documents > 1:
                        raise _Refused(
                            "documents", "a file holds one plan, not several documents", _mark(event),
                            "keep each plan in a file of its own")
                continue
            seen += 1
            if len(self.faults) >= MOST_FAULTS:
                raise _Refused("too-many-faults", f"reading stopped after {MOST_FAULTS:,} faults", _mark(event))
            if seen > MAX_VALUES:
                raise _Refused("too-large", f"the plan holds more than {MAX_VALUES:,} values", _mark(event))
            if mapping is not None:
                if key is None:
                    raise _Refused("key-type", f"a key is a text, not {_collection(event)}", _mark(event), path=path)
                here = (*path, key)
            elif sequence is not None:
                if len(sequence) >= MAX_STEPS:
                    what = "steps" if path == ("steps",) else "items in one list"
                    raise _Refused("too-many-steps", f"more than {MAX_STEPS:,} {what}", _mark(event), path=path)
                here = (*path, len(sequence))
            else:
                here = ()
            start, end = event.start_mark, event.end_mark
            line, column = start.line, start.column
            value: Tree
            if kind is _SCALAR:
                last = end.column if end.line == line and end.column > column else column + 1
                values[here] = new_mark(Mark, (line + 1, column + 1, last + 1))
                text = event.value
                if text in plain and event.implicit[0] and event.anchor is None and event.tag is None:
                    value = plain[text]  # plans say the same words again and again
                else:
                    value = self._scalar(event, here)
            elif kind is _ALIAS:
                values[here] = _mark(event)
                self._refuse_here("alias", f"aliases (*{event.anchor}) are not part of a plan", here, _NO_SHARING)
                value = None
            else:
                values[here] = new_mark(Mark, (line + 1, column + 1, column + 2))
                value = {} if kind is _MAPPING else []
                if event.anchor is not None or event.tag is not None:
                    self._decorated(event, here, values[here])
            if mapping is not None and key is not None:
                mapping[key] = value
                key = None
            elif sequence is not None:
                sequence.append(value)
            else:
                root = value
            if kind is _MAPPING or kind is _SEQUENCE:
                if len(outer) >= MAX_DEPTH:
                    raise _Refused("too-deep", f"more than {MAX_DEPTH} levels of nesting", _mark(event), path=here[:8])
                outer.append((mapping if mapping is not None else sequence, path))
                path = here
                mapping = value if type(value) is dict else None
                sequence = value if type(value) is list else None
        return root

    def _check_key(self, event: Any, key: str, here: Path, mark: Mark) -> None:
        plain = event.implicit[0]
        if plain and key == "<<":
            self.faults.append((
                Fault("merge-key", "merge keys (<<) are not part of a plan", here[:-1], _NO_SHARING), mark))
            self.spoilt.add(here)
        elif plain and _not_text(key):
            shown = key if len(key) <= 40 else f"{key[:40]}…"
            self.faults.append((
                Fault("key-type", f"the key {shown or 'null'} is not a text", here[:-1], f'quote it: "{shown}"'), mark))
            self.spoilt.add(here)
        if event.anchor is not None or event.tag is not None:
            self._decorated(event, here, mark)

    def _second(self, key: str, path: Path, first: Mark, mark: Mark) -> None:
        shown = key if len(key) <= 60 else f"{key[:60]}…"
        self.faults.append((Fault(
            "duplicate-key", f"the key '{shown}' is here for the second time", path,
            f"the first is in line {first.line}: keep one of them"), mark))

    def _scalar(self, event: Any, here: Path) -> Scalar:
        text: str = event.value
        if event.anchor is not None or event.tag is not None:
            self._decorated(event, here, self.values[here])
        if not event.implicit[0]:
            return text
        try:
            value = read_plain(text)
        except NumberTooLong as error:
            shown = text if len(text) <= 24 else f"{text[:20]}…"
            self._refuse_here("number-size", f"the number {shown} cannot be read: {error}", here, "use fewer digits")
            return 0
        if value is text and disputed(text):
            self.disputed.add(here)
        else:
            self._plain[text] = value
        return value

    def _decorated(self, event: Any, here: Path, mark: Mark) -> None:
        if event.anchor is not None:
            self.faults.append((
                Fault("anchor", f"anchors (&{event.anchor}) are not part of a plan", here, _NO_SHARING), mark))
        if event.tag is not None:
            self.faults.append((
                Fault("tag", f"tags ({event.tag}) are not part of a plan", here, "write the bare value"), mark))
            self.spoilt.add(here)

    def _refuse_here(self, code: str, message: str, here: Path, hint: str) -> None:
        self.faults.append((Fault(code, message, here, hint), self.values[here]))
        self.spoilt.add(here)


def _mark(event: Any) -> Mark:
    """The event's stretch of its first line."""
    start, end = event.start_mark, event.end_mark
    last = end.column if end.line == start.line else start.column + 1
    return Mark(start.line + 1, start.column + 1, max(last, start.column + 1) + 1)


def _not_text(text: str) -> bool:
    try:
        return read_plain(text) is not text
    except NumberTooLong:
        return True


def _collection(event: Any) -> str:
    match event:
        case yaml.MappingStartEvent():
            return "a mapping"
        case yaml.SequenceStartEvent():
            return "a list"
    return "an alias"
