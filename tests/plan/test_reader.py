import sys
import time
from collections.abc import Callable
from decimal import Decimal

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.plan import reader
from runner.plan.diagnostics import Mark
from runner.plan.reader import read
from tests.plan.plans import HEAD, WAIT, faults


def test_values_and_keys_have_their_places() -> None:
    document = read("x", b"version: 1\nsteps:\n  - {id: a, when: 'x y'}\n")
    assert document.source.values[("version",)] == Mark(1, 10, 11)
    assert document.source.keys[("version",)] == Mark(1, 1, 8)
    assert document.source.values[("steps", 0, "when")] == Mark(3, 19, 24)
    assert document.source.keys[("steps", 0, "id")] == Mark(3, 6, 8)


def test_a_mapping_is_marked_at_its_first_key_and_an_empty_one_at_its_brace() -> None:
    document = read("x", b"a:\n  b: 1\nc: {}\nd: {e: 1}\n")
    assert document.source.values[("a",)] == Mark(2, 3, 4)
    assert document.source.values[("c",)] == Mark(3, 4, 5)
    assert document.source.values[("d",)] == Mark(4, 5, 6)


def test_columns_count_code_points() -> None:
    document = read("x", "{'日本': x}".encode())
    assert document.source.values[("日本",)] == Mark(1, 8, 9)


def test_a_value_over_several_lines_is_marked_on_its_first() -> None:
    document = read("x", b"a: 'one\n  two'\n")
    assert document.tree == {"a": "one two"}
    assert document.source.values[("a",)].line == 1


def test_a_byte_order_mark_is_no_part_of_the_plan() -> None:
    assert read("x", b"\xef\xbb\xbfa: 1\n").tree == {"a": 1}


@pytest.mark.parametrize("separator", ["\n", "\r\n", "\r"])
def test_lines_are_cut_where_the_places_count_them(separator: str) -> None:
    document = read("x", separator.join(["a: 1", "b: 2", "c: 3"]).encode())
    assert document.source.lines[document.source.keys[("c",)].line - 1] == "c: 3"


def test_numbers_are_exact() -> None:
    document = read("x", b"a: 60000.123456789012345678901234567890\nb: '0.10'\n")
    assert document.tree == {"a": Decimal("60000.123456789012345678901234567890"), "b": "0.10"}


def test_the_pure_reader_gives_the_same_as_libyaml(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (HEAD + WAIT + "description: 'a b'\nlimits: {max_daily_loss: 010}\n").encode()
    fast = read("x", text)
    monkeypatch.setattr(yaml, "__with_libyaml__", False)
    slow = read("x", text)
    assert slow == fast


@pytest.mark.parametrize(
    "text", ["a: [x]]", "a: &x 1\nb: *x", "a: !!str 1", "---\na: 1\n---\nb: 1", "a: 1\na: 2", "a: b: c"]
)
def test_the_pure_reader_refuses_the_same_as_libyaml(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fast = [(fault.code, mark.line) for fault, mark in read("x", text.encode()).faults]
    monkeypatch.setattr(yaml, "__with_libyaml__", False)
    assert [(fault.code, mark.line) for fault, mark in read("x", text.encode()).faults] == fast != []


HOSTILE: dict[str, Callable[[], bytes]] = {
    "too-large": lambda: b"a: 1\n" * 20_000_000,
    "too-deep": lambda: b"[" * 10_000,
    "too-deep, in blocks": lambda: "".join(f"{' ' * level}a:\n" for level in range(2_000)).encode(),
    "binary": lambda: bytes(range(256)) * 1000,
    "not-utf8": lambda: b"name: \xe9\n",
    "not-utf8, but UTF-16": lambda: "name: x\n".encode("utf-16"),
    "number-size": lambda: b"version: 1\nname: x\nlimits: {max_daily_loss: " + b"9" * 5_000 + b"}\n",
    "anchor": lambda: (
        b"a: &a [x]\n"
        + b"".join(b"%c: &%c [%s]\n" % (98 + n, 98 + n, b",".join([b"*%c" % (97 + n)] * 9)) for n in range(9))
    ),
    "too-large, of values": lambda: b"[" + b"[%s]," % (b"1," * 1_000) * 1_000 + b"]",
    "too-many-steps, in a list": lambda: b"[" + b"1," * 2_000_000 + b"]",
    "too-many-steps": lambda: b"version: 1\nname: x\nsteps:\n" + b"- {id: a}\n" * 20_001,
    "syntax": lambda: b"a: '" + b"x\n" * 1_000_000,
    "syntax, of a long key": lambda: b"k" * 4_000_000 + b": 1\n",
    "duplicate-key": lambda: b"a: 1\n" * 500_000,
    "too-large, of keys": lambda: b"".join(b"k%d: 1\n" % n for n in range(500_000)),
    "unknown-key, in every step": lambda: (
        b"version: 1\nname: x\nsteps:\n"
        + b"".join(b"- {id: a%d, %s}\n" % (n, b", ".join(b"k%d: 1" % k for k in range(15))) for n in range(10_000))
    ),
    "enum": lambda: (
        b"version: 1\nname: x\nsteps:\n" + b"- {id: a, entry: {side: x, type: y, quantity: z}}\n" * 20_000
    ),
    "unknown-parameter": lambda: (
        b"version: 1\nname: x\nsteps:\n" + b"- {id: a, timeout: '${p}', wait: {}}\n" * 20_000
    ),
    "parameter-use": lambda: b"name: '" + b"${p}" * 1_000_000 + b"'\n",
    "parameter-value": lambda: (
        b"params: {p: {type: string, default: " + b"x" * 1_000_000 + b"}}\nname: '${p}${p}'\n"
    ),
}


@pytest.mark.parametrize("name", list(HOSTILE))
def test_a_hostile_file_ends_soon_with_a_clean_fault(name: str) -> None:
    content = HOSTILE[name]()
    begun = time.process_time()
    found = faults(content)
    if sys.gettrace() is None:  # coverage slows what it watches several times
        assert time.process_time() - begun < 3
    assert name.split(",")[0] in {item.code for item in found}
    assert len(found) <= 2 * 1_000 + 2


@settings(deadline=None)
@given(st.binary())
def test_no_bytes_at_all_raise_anything_but_faults(content: bytes) -> None:
    assert all(item.code and item.mark.line >= 1 and item.mark.column >= 1 for item in faults(content))


@settings(deadline=None)
@given(st.text(alphabet="abc:{}[],&*!|>'\"#%@`-?~<=01.\n \t", max_size=60))
def test_no_yaml_raises_anything_but_faults(text: str) -> None:
    faults(text)


def test_the_garbage_collector_is_as_it_was_before() -> None:
    import gc

    assert gc.isenabled()
    faults("a: [")
    assert gc.isenabled()
    gc.disable()
    try:
        faults("a: [")
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_the_bounds_are_those_of_the_language() -> None:
    assert (reader.MAX_BYTES, reader.MAX_DEPTH, reader.MAX_STEPS) == (8 * 1024 * 1024, 64, 20_000)
