"""The fences between the rooms."""

import ast
import configparser
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

RUNNER = ROOT / "runner"
PURE = ("domain", "plan", "graph", "engine", "venue")
MODULES = sorted(RUNNER.rglob("*.py"))
CLOCKS = {"now", "utcnow", "today", "time", "time_ns", "monotonic", "perf_counter", "urandom", "uuid4"}
WORDS_NOT_USED = re.compile(r"(^|_)(bot|manager|helper|helpers|util|utils|handler|handlers|data|info)(_|$)")


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _pure() -> Iterator[Path]:
    for path in MODULES:
        parts = path.relative_to(RUNNER).parts
        if parts[0] in PURE and parts[:2] not in (("venue", "feeds"), ("venue", "fapi")):
            yield path


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def test_the_import_contracts_hold() -> None:
    found = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()",
         "--no-cache", "--no-logo"],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_a_module_has_at_most_400_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_a_module_says_what_it_holds_and_its_name_says_what_is_inside(path: Path) -> None:
    assert ast.get_docstring(_tree(path)), "no docstring"
    assert not WORDS_NOT_USED.search(path.stem)


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_there_is_no_type_checking_block(path: Path) -> None:
    assert "TYPE_CHECKING" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_nothing_is_left_unfinished(path: Path) -> None:
    marks = r"\bTODO\b|\bFIXME\b|\bXXX\b|raise NotImplementedError|pragma: no cover"
    assert re.search(marks, path.read_text(encoding="utf-8")) is None


@pytest.mark.parametrize("path", list(_pure()), ids=_name)
def test_a_pure_room_has_no_clock_and_no_float(path: Path) -> None:
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Call):
            match node.func:
                case ast.Name(id="float"):
                    pytest.fail(f"line {node.lineno}: float()")
                case ast.Attribute(attr=attribute) if attribute in CLOCKS and not node.args:
                    pytest.fail(f"line {node.lineno}: {attribute}() reads a clock or chance")


@pytest.mark.parametrize(
    "path", [path for path in MODULES if path.relative_to(RUNNER).parts[0] not in ("app", "cli")], ids=_name,
)
def test_the_mode_is_not_seen_outside_app_and_cli(path: Path) -> None:
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.If | ast.IfExp | ast.While):
            words = {part.id for part in ast.walk(node.test) if isinstance(part, ast.Name)}
            words |= {part.attr for part in ast.walk(node.test) if isinstance(part, ast.Attribute)}
            seen = {word for word in words if re.fullmatch(r"mode|is_live|dry_?run|is_dry_?run", word, re.IGNORECASE)}
            assert not seen, f"line {node.lineno}: {seen}"


def test_the_package_list_names_every_room_and_the_schemas() -> None:
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    rooms = {".".join(path.parent.relative_to(ROOT).parts) for path in MODULES if path.name == "__init__.py"}
    assert set(settings["options"]["packages"].split()) == rooms | {"runner.schemas"}


def test_nothing_that_ships_names_a_place_of_this_machine() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    place = f"{ROOT.parent.as_posix()}/"
    for name in listed:
        content = (ROOT / name).read_bytes() if (ROOT / name).is_file() else b""
        assert place.encode() not in content, name
