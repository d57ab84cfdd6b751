"""The trading rules in force."""

from decimal import Decimal
from pathlib import Path

import pytest

from runner.app.instruments import load_instruments
from runner.errors import EnvironmentFault


def test_without_a_file_the_shipped_rules_hold() -> None:
    assert load_instruments(None)["BTCUSDT"].tick_size == Decimal("0.1")


def test_a_saved_exchange_info_is_read(shared_data: Path) -> None:
    rules = load_instruments(shared_data / "exchangeInfo-2025-08.json")
    assert len(rules) == 25
    assert rules["ETHUSDT"].step_size == Decimal("0.001")


@pytest.mark.parametrize(
    ("content", "word"),
    [("", "not JSON"), ("[" * 100_000, "not JSON"), ("\x00\xff", "not JSON"), ("{}", "symbols"), ("[1.5]", "symbols")],
)
def test_a_file_that_is_something_else_is_named(tmp_path: Path, content: str, word: str) -> None:
    file = tmp_path / "rules.json"
    file.write_bytes(content.encode("latin-1"))
    with pytest.raises(EnvironmentFault, match=word) as fault:
        load_instruments(file)
    assert str(file) in fault.value.message
    assert "exchangeInfo" in fault.value.hint


def test_a_folder_or_a_missing_file_is_named(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.json", Path("a\0b")):
        with pytest.raises(EnvironmentFault, match="cannot be read"):
            load_instruments(path)
