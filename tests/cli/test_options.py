from decimal import Decimal

import click
import pytest

from runner.cli.options import DecimalType, DurationType, MarketDataType, PairType, PriceOfType


@pytest.mark.parametrize("text", ["0.001", "62000", "1e-3", "0.010"])
def test_a_number_is_read_exactly(text: str) -> None:
    number = DecimalType().convert(text, None, None)
    assert number == Decimal(text) and number.as_tuple() == Decimal(text).as_tuple()


@pytest.mark.parametrize(
    "text", ["", "abc", "0", "-1", "NaN", "Infinity", "1" * 41, "9" * 5000, "1e99", "1e-99", "1e999999999"],
)
def test_what_is_no_number_above_zero_is_one_line(text: str) -> None:
    with pytest.raises(click.BadParameter) as error:
        DecimalType().convert(text, None, None)
    assert len(error.value.message) < 120 and "\n" not in error.value.message


@pytest.mark.parametrize(("text", "milliseconds"), [("2s", 2000), ("2", 2000), ("1m30s", 90_000), ("250ms", 250)])
def test_a_duration_is_milliseconds_and_a_bare_number_is_seconds(text: str, milliseconds: int) -> None:
    assert DurationType().convert(text, None, None) == milliseconds


@pytest.mark.parametrize("text", ["", "0s", "0", "-2s", "2 s", "two", "2.5s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        DurationType().convert(text, None, None)


def test_a_pair_is_split_at_its_first_equals_sign() -> None:
    assert PairType("NAME=VALUE").convert("note=a=b", None, None) == ("note", "a=b")
    assert PriceOfType("SYMBOL=PRICE").convert("BTCUSDT=60000.1", None, None) == ("BTCUSDT", Decimal("60000.1"))


@pytest.mark.parametrize("text", ["stop", "=1", "stop=", ""])
def test_what_is_no_pair_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="NAME=VALUE"):
        PairType("NAME=VALUE").convert(text, None, None)


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("a.csv", ("", "a.csv")),
        ("BTCUSDT=a.csv", ("BTCUSDT", "a.csv")),
        ("data/day=1/a.csv", ("", "data/day=1/a.csv")),
        ("ETHUSDT=day=1.csv", ("ETHUSDT", "day=1.csv")),
    ],
)
def test_market_data_may_name_its_symbol(text: str, pair: tuple[str, str]) -> None:
    assert MarketDataType().convert(text, None, None) == pair
