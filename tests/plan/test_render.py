import json
import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.plan.diagnostics import Diagnostic, Mark, Severity
from runner.plan.render import LINE_WIDTH, as_json, as_text, counted, visible
from tests.plan.plans import body_faults, faults


def _diagnostic(line: str, column: int, end: int, **said: str) -> Diagnostic:
    return Diagnostic(
        said.get("code", "enum"),
        Severity(said.get("severity", "error")),
        said.get("message", "m"),
        said.get("hint", ""),
        said.get("file", "plans/bad.yaml"),
        Mark(7, column, end),
        line,
        ("steps", 0, "side"),
    )


def test_a_fault_shows_its_place_its_line_and_what_to_do() -> None:
    said = {"message": "steps[0].entry.side: 'buy' is not BUY or SELL", "hint": "did you mean 'BUY'?"}
    assert as_text([_diagnostic("    side: buy", 11, 14, **said)]) == (
        "plans/bad.yaml:7:11: error[enum]: steps[0].entry.side: 'buy' is not BUY or SELL\n"
        "  |\n"
        "7 |     side: buy\n"
        "  |           ^^^ did you mean 'BUY'?"
    )


def test_the_gutter_is_as_wide_as_the_line_number() -> None:
    (found,) = faults("version: 1\nname: x\n" + "\n" * 97 + "steps: []\n")
    lines = as_text([found]).splitlines()
    assert [line.index("|") for line in lines[1:]] == [4, 4, 4]
    assert lines[2] == "100 | steps: []"


@pytest.mark.parametrize(
    ("line", "column", "end", "shown", "under"),
    [
        ("\tside: buy", 8, 11, "    side: buy", "          ^^^"),
        ("日本: buy", 5, 8, "日本: buy", "      ^^^"),
        ("'日本'", 2, 4, "'日本'", " ^^^^"),
        ("e\u0301: buy", 5, 8, "e\u0301: buy", "   ^^^"),
        ("a: \x1b[31m", 4, 9, "a: \\x1b[31m", "   ^^^^^^^^"),
        ("a: \u202ebuy", 5, 8, "a: \\u202ebuy", "         ^^^"),
    ],
)
def test_the_caret_stands_under_its_text_whatever_the_line_holds(
    line: str,
    column: int,
    end: int,
    shown: str,
    under: str,
) -> None:
    lines = as_text([_diagnostic(line, column, end)]).splitlines()
    assert lines[2:] == [f"7 | {shown}", f"  | {under}"]


def test_a_very_long_line_is_cut_around_the_fault() -> None:
    line = "a" * 5_000 + "BAD" + "b" * 5_000
    lines = as_text([_diagnostic(line, 5_001, 5_004)]).splitlines()
    text, under = lines[2][4:], lines[3][4:]
    assert text.startswith("…a") and text.endswith("b…") and len(text) <= LINE_WIDTH + 2
    assert text[under.index("^") : under.index("^") + 3] == "BAD" and under.count("^") == 3


def test_carets_end_where_the_line_is_cut() -> None:
    lines = as_text([_diagnostic("x: " + "9" * 5_000, 4, 5_004)]).splitlines()
    assert len(lines[3]) <= len(lines[2])


def test_a_fault_at_the_end_of_a_line_has_one_caret_behind_it() -> None:
    lines = as_text([_diagnostic("a: [", 5, 6)]).splitlines()
    assert lines[3] == "  |     ^"


def test_a_fault_of_an_empty_file_has_no_snippet() -> None:
    (found,) = faults("")
    text = as_text([found])
    assert text == "x.yaml:1:1: error[empty]: the plan is empty\n  = `daksh-run init` writes one to begin with"


def test_no_more_than_fifty_are_shown_and_the_rest_is_counted() -> None:
    text = as_text([_diagnostic("side: buy", 7, 10)] * 53)
    assert text.count("error[enum]") == 50
    assert text.endswith("\n\n… and 3 more")


def test_the_json_has_places_and_pointers() -> None:
    found = body_faults("steps:\n  - {id: a, entry: {side: buy, type: MARKET, quantity: 1}}\n")
    assert as_json(found) == {
        "format_version": "1.0",
        "diagnostics": [
            {
                "severity": "error",
                "code": "enum",
                "message": "steps[0].entry.side: 'buy' is not BUY or SELL",
                "hint": "did you mean 'BUY'?",
                "file": "x.yaml",
                "range": {"start": {"line": 5, "column": 27}, "end": {"line": 5, "column": 30}},
                "pointer": "steps[0].entry.side",
            }
        ],
    }
    json.dumps(as_json(found))


@pytest.mark.parametrize(
    ("severities", "text"),
    [
        ([], ""),
        (["error"], "1 error"),
        (["error", "error", "warning"], "2 errors, 1 warning"),
        (["warning"] * 1_200, "1,200 warnings"),
    ],
)
def test_faults_are_counted_by_severity(severities: list[str], text: str) -> None:
    assert counted([_diagnostic("", 1, 2, severity=severity) for severity in severities]) == text


@settings(deadline=None)
@given(st.text(min_size=0, max_size=300), st.integers(1, 320), st.integers(0, 40), st.text(max_size=20))
def test_whatever_a_line_holds_nothing_that_steers_a_terminal_comes_out(
    line: str,
    column: int,
    length: int,
    hint: str,
) -> None:
    text = as_text([_diagnostic(line, column, column + length, hint=hint, message=line, file=line)])
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    assert not any(unicodedata.category(letter) == "Cc" for letter in text.replace("\n", ""))
    assert "^" in text or not line


def test_escapes_are_written_out() -> None:
    assert visible("a\x1b[2J\nb\x9b") == "a\\x1b[2J\\x0ab\\x9b"
