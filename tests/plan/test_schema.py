import json
import re
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import jsonschema_rs
import pytest
from jsonschema.protocols import Validator

from runner.errors import InternalError
from runner.plan import schema
from runner.plan.faults import Faults
from runner.plan.parameters import put_in, read_parameters
from runner.plan.reader import Tree, read
from runner.plan.schema import load_schema, schema_text
from tests.conftest import ROOT
from tests.plan.plans import HEAD, body_faults
from tests.plan.test_corpus import CASES

SCHEMA = load_schema()
LATER = (
    "on_loss",
    "repeat",
    "iceberg",
    "ladder",
    "notify",
    "indicator",
    "atr",
)


def _schemas(place: Any, name: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Each named schema: definitions and properties."""
    for group in ("$defs", "properties"):
        for key, value in place.get(group, {}).items():
            yield f"{name}/{key}", value
            yield from _schemas(value, f"{name}/{key}")


def _referee() -> Validator:
    """jsonschema, told that whole Decimals are integers, as the standard has it."""
    base = jsonschema.Draft202012Validator
    checker = base.TYPE_CHECKER.redefine(
        "integer",
        lambda checker, value: (
            (isinstance(value, int) and not isinstance(value, bool))
            or (isinstance(value, Decimal) and value == int(value))
        ),
    )
    return jsonschema.validators.extend(base, type_checker=checker)(SCHEMA)


def _filled(text: str) -> Tree:
    document = read("x", text.encode())
    put_in(document.tree, read_parameters(document.tree, {}, Faults()), Faults())
    return document.tree


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_the_schema_stays_in_the_subset_that_editors_understand() -> None:
    used = set(
        re.findall(
            r'"(oneOf|anyOf|allOf|not|unevaluated\w+|prefixItems|\$dynamicRef|dependent\w+)"\s*:', schema_text()
        )
    )
    assert used == {"not"}  # the condition of that name, a property
    assert "not" in SCHEMA["$defs"]["condition"]["properties"]


def test_nothing_of_a_later_stage_is_in_the_schema() -> None:
    keys = {name.rsplit("/", 1)[-1] for name, _ in _schemas(SCHEMA)}
    words = set(re.findall(r"\w+", schema_text()))
    assert [word for word in LATER if word in keys | words] == []


def test_every_property_and_definition_has_title_description_and_examples() -> None:
    for name, value in _schemas(SCHEMA):
        assert value.get("title") and value.get("description", "").endswith((".", "…")) and value.get("examples"), (
            name
        )


def test_every_example_and_default_is_valid() -> None:
    for name, value in _schemas(SCHEMA):
        validator = jsonschema.Draft202012Validator({"$defs": SCHEMA["$defs"], **value})
        for example in [*value["examples"], *([value["default"]] if "default" in value else [])]:
            assert [error.message for error in validator.iter_errors(example)] == [], name


def test_every_mapping_of_the_language_refuses_unknown_keys() -> None:
    for name, value in _schemas(SCHEMA):
        if "properties" in value or value.get("type") == "object":
            assert "additionalProperties" in value, name


@pytest.mark.parametrize("case", CASES, ids=[case.title for case in CASES])
def test_jsonschema_and_jsonschema_rs_agree_on_the_corpus(case: Any) -> None:
    tree = _filled(case.text)
    fast = jsonschema_rs.Draft202012Validator(SCHEMA)
    ours = {(schema._path_in(tree, error.instance_path), error.kind.name) for error in fast.iter_errors(tree)}
    theirs = {(tuple(error.absolute_path), str(error.validator)) for error in _referee().iter_errors(tree)}
    assert ours == theirs


def test_the_schema_of_an_installed_package_is_found_before_the_checkouts(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    installed = tmp_path / "runner" / "schemas"
    installed.mkdir(parents=True)
    (tmp_path / "schemas").mkdir()
    monkeypatch.setattr(schema, "__file__", str(tmp_path / "runner" / "plan" / "schema.py"))
    with pytest.raises(InternalError, match="missing"):
        schema_text()
    (tmp_path / "schemas" / schema.FILE_NAME).write_text("of the checkout")
    assert schema_text() == "of the checkout"
    (installed / schema.FILE_NAME).write_text("of the package")
    assert schema_text() == "of the package"


def test_the_checkouts_schema_is_the_one_in_schemas() -> None:
    assert schema_text() == (ROOT / "schemas" / schema.FILE_NAME).read_text(encoding="utf-8")


def test_the_plan_reference_is_as_the_schema_would_have_it(tmp_path: Path) -> None:
    import runpy

    generator = tmp_path / "generate_plan_reference.py"
    shutil.copy(ROOT / "docs" / "generate_plan_reference.py", generator)
    page = runpy.run_path(str(generator))["as_markdown"](json.loads(schema_text()))
    assert page == (ROOT / "docs" / "plan-reference.md").read_text(encoding="utf-8")


def test_every_link_of_the_plan_reference_leads_somewhere() -> None:
    page = (ROOT / "docs" / "plan-reference.md").read_text(encoding="utf-8")
    headings = {
        "".join(letter for letter in title.lower() if letter.isalnum() or letter in " -_").replace(" ", "-")
        for title in re.findall(r"^## (.+)$", page, flags=re.MULTILINE)
    } | set(re.findall(r'<a id="([^"]+)">', page))
    assert set(re.findall(r"\]\(#([^)]+)\)", page)) <= headings


HINTS = [
    ("  - {id: a, entry: {side: buy, type: MARKET, quantity: 1}}", "did you mean 'BUY'?"),
    ("  - {id: a, entry: {side: SEL, type: MARKET, quantity: 1}}", "did you mean 'SELL'?"),
    ("  - {id: a, entry: {side: BUY, type: stop-market, quantity: 1}}", "did you mean 'STOP_MARKET'?"),
    ("  - {id: a, Timeout: 5s, wait: {}, when: {delay: 1s}}", "did you mean 'timeout'?"),
    ("  - {id: a, on-failure: stop, wait: {}, when: {delay: 1s}}", "did you mean 'on_failure'?"),
    ("  - {id: a, timeout: 90, wait: {}, when: {delay: 1s}}", "did you mean '90s'?"),
    ("  - {id: a, symbol: ethusdt, wait: {}, when: {delay: 1s}}", "did you mean 'ETHUSDT'?"),
    ("  - {id: Long, wait: {}, when: {delay: 1s}}", "did you mean 'long'?"),
    ("  - {id: a, entry: {side: BUY, type: MARKET, equity: 10}}", "did you mean '10%'?"),
    ("  - {id: a, flatten: {zzzz: 1}}", "the keys here are scope"),
]


@pytest.mark.parametrize(("step", "hint"), HINTS)
def test_a_fault_says_what_was_probably_meant(step: str, hint: str) -> None:
    assert [item.hint for item in body_faults(f"steps:\n{step}\n")] == [hint]


def test_a_suggestion_is_never_a_key_that_is_already_there() -> None:
    (found,) = body_faults("steps:\n  - {id: a, timeout: 5s, timeouts: 5s, wait: {}, when: {delay: 1s}}\n")
    assert "'timeout'" not in found.hint


def test_a_message_names_the_place_and_what_stands_there() -> None:
    (found,) = body_faults("steps:\n  - {id: a, entry: {side: buy, type: MARKET, quantity: 1}}\n")
    assert found.message == "steps[0].entry.side: 'buy' is not BUY or SELL"
    assert HEAD.count("\n") + 2 == found.mark.line


@pytest.mark.parametrize(
    "number", ["1234567890123456789012345678901234567890", "0.000000000000000000000000000000000000001"]
)
def test_a_number_of_forty_digits_passes_the_schema(number: str) -> None:
    assert (
        body_faults(
            f"limits: {{max_daily_loss: {number}}}\nsteps:\n  - {{id: a, wait: {{}}, when: {{delay: 1s}}}}\n"
        )
        == ()
    )
