"""Each example dry-runs to the orders and the money worked out for it in `expected.json`."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.session import Session
from tests.conftest import ROOT

EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))
EXPECTED = json.loads((Path(__file__).parent / "expected.json").read_text(encoding="utf-8"))
CANDLES = "BTCUSDT-1m-2025-05.csv.gz"
TRADES = "BTCUSDT-trades-2024-08-08.csv.gz"
QUOTES = "BTCUSDT-bookTicker-2024-08-08.csv.gz"


@pytest.fixture
def daksh(tmp_path: Path) -> Session:
    return Session(tmp_path)


def _run(daksh: Session, name: str, *arguments: str, code: int = 0) -> dict[str, Any]:
    ended = daksh("run", ROOT / "examples" / f"{name}.yaml", "--format", "json", *arguments)
    assert ended.code == code, ended.out + ended.err
    found: dict[str, Any] = json.loads(ended.out)
    return found


def _order(row: dict[str, str]) -> str:
    price, stop = row["price"] or row["limitPrice"] or "-", row["stopPrice"] or "-"
    return f"{row['type']} {row['side']} {row['qty']} {row['symbol']} price={price} stop={stop} {row['result']}"


def test_every_example_has_an_expected_result() -> None:
    assert [example.name for example in EXAMPLES] == sorted(EXPECTED)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_to_its_expected_result(example: Path, daksh: Session) -> None:
    found = _run(daksh, example.stem)
    steps = {
        step["step_id"]: step["outcome"] + (f" ({step['reason']})" if step["reason"] else "") for step in found["steps"]
    }
    assert {
        "outcome": found["outcome"], "steps": steps, "pnl": found["pnl"], "positions": found["positions"],
        "orders": [_order(row) for row in found["trades"]],
    } == EXPECTED[example.name]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_explained_and_valid_without_a_warning(example: Path, daksh: Session) -> None:
    lines = example.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "# yaml-language-server: $schema=../schemas/plan-v1.schema.json"
    assert sum("#" in line for line in lines) >= 8
    assert max(map(len, lines)) <= 120
    ended = daksh("validate", example)
    assert (ended.code, ended.out) == (0, "1 plan checked, valid\n")


def test_two_runs_export_the_same_bytes(daksh: Session) -> None:
    for _ in range(2):
        _run(daksh, "two-symbols")
    for form in ([], ["--fills"], ["--as", "json"]):
        first, second = daksh("export", "1", *form), daksh("export", "2", *form)
        assert first.code == second.code == 0
        assert first.out == second.out and len(first.out.splitlines()) > 5


def _sets(**values: object) -> list[str]:
    return [word for name, value in values.items() for word in ("--set", f"{name}={value}")]


@pytest.mark.parametrize(
    ("name", "sets"),
    [
        ("bracket", _sets(entry=95300, stop=94300, target=96300)),
        ("oco", _sets(entry=95500, target=97000, stop=94000, limit=93800)),
        ("twap", _sets(target=97000, stop=94000)),
    ],
    ids=["bracket", "oco", "twap"],
)
def test_an_example_runs_over_real_candles(name: str, sets: list[str], daksh: Session, shared_data: Path) -> None:
    found = _run(daksh, name, "--data", str(shared_data / CANDLES), *sets)
    assert found["outcome"] == "succeeded"
    assert found["positions"] == []
    assert "INVENTED" not in found["market"] and CANDLES in found["market"]


@pytest.mark.parametrize("data", [[TRADES], [QUOTES], [TRADES, QUOTES]], ids=["trades", "quotes", "both"])
@pytest.mark.parametrize(
    ("name", "sets"),
    [
        ("bracket", _sets(entry=61700, stop=61000, target=61800)),
        ("oco", _sets(entry=61650, target=61700, stop=61400, limit=61300)),
        ("twap", _sets(target=61700, stop=61400)),
    ],
    ids=["bracket", "oco", "twap"],
)
def test_an_example_runs_over_real_trades_and_quotes(
    name: str, sets: list[str], data: list[str], daksh: Session, shared_data: Path,
) -> None:
    files = [word for one in data for word in ("--data", str(shared_data / one))]
    found = _run(daksh, name, *files, *sets)
    assert found["outcome"] in ("succeeded", "open")
    assert found["orders"] > 1 and found["filled"] >= 1
    assert "INVENTED" not in found["market"]


def test_a_first_half_take_profit_leaves_a_stop_for_the_second_half(daksh: Session) -> None:
    orders = [_order(row) for row in _run(daksh, "bracket")["trades"]]
    assert orders[1].startswith("STOP_MARKET SELL 0.004")
    assert orders[-1] == "STOP_MARKET SELL 0.002 BTCUSDT price=- stop=59000 CANCELED"
