import ast
from pathlib import Path

from runner.plan import codes
from runner.plan.codes import PLAN_CODES

ROOM = Path(codes.__file__).parent
CALLS = {"add", "add_beside", "_Refused", "Fault", "_refuse_here"}


def _codes_in_sources() -> set[str]:
    found = {"unknown-key"}  # by a call of its own, which the reading of the schema shares
    for file in ROOM.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                first = node.args[0] if node.args else None
                if name in CALLS and isinstance(first, ast.Constant) and isinstance(first.value, str):
                    found.add(first.value)
            if isinstance(node, ast.Return | ast.Assign | ast.AnnAssign) and file.name in (
                "schema.py",
                "scalars.py",
            ):
                found |= {
                    part.value
                    for part in ast.walk(node)
                    if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value in PLAN_CODES
                }
    return found


def test_every_code_of_the_sources_is_explained_and_every_explained_one_is_in_the_sources() -> None:
    assert _codes_in_sources() == set(PLAN_CODES)


def test_every_code_has_a_broken_plan_in_the_tests() -> None:
    texts = "".join(
        file.read_text(encoding="utf-8")
        for file in Path(__file__).parent.rglob("*")
        if file.suffix in (".txt", ".py")
    )
    assert [code for code in PLAN_CODES if f"⟦{code}⟧" not in texts and f'"{code}' not in texts] == []


def test_every_explanation_is_whole() -> None:
    for name, code in PLAN_CODES.items():
        assert all((code.title, code.explanation, code.example, code.fix)), name
        assert code.explanation.endswith("."), name
        assert not code.title.endswith("."), name
