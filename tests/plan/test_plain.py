from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.plan.plain import NumberTooLong, disputed, read_plain


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("true", True),
        ("False", False),
        ("0", 0),
        ("-5", -5),
        ("+5", 5),
        ("0.10", Decimal("0.10")),
        (".5", Decimal("0.5")),
        ("1.0e+3", Decimal(1000)),
        ("-0.5", Decimal("-0.5")),
        ("60000.123456789012345678", Decimal("60000.123456789012345678")),
        ("BUY", "BUY"),
        ("2s", "2s"),
        ("-", "-"),
        ("2026-11-24T08:00:00Z", "2026-11-24T08:00:00Z"),
    ],
)
def test_a_plain_scalar_is_read_as_yaml_1_2_does(text: str, value: object) -> None:
    found = read_plain(text)
    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize(
    "text",
    [
        "on",
        "Off",
        "YES",
        "n",
        "010",
        "08",
        "0x1F",
        "0o10",
        "0b11",
        "1_000",
        "1e3",
        "1.5e3",
        "10:30",
        "1:30:00",
        "09:30",
        "2024-01-01",
        "2026-11-24T08:00:00Z",
        ".inf",
        "-.INF",
        ".nan",
        "=",
        "01.5",
    ],
)
def test_what_two_yamls_read_differently_stays_a_text_and_is_disputed(text: str) -> None:
    assert read_plain(text) == text
    assert disputed(text)


@pytest.mark.parametrize(
    "text", ["BUY", "2s", "1h30m", "50%", "2R", "once", "never", "-x", "1.2.3", "btc-breakout"]
)
def test_an_ordinary_word_is_not_disputed(text: str) -> None:
    assert not disputed(text)


def test_a_number_of_forty_digits_is_read_and_one_of_forty_one_is_not() -> None:
    assert read_plain("1" * 40) == int("1" * 40)
    with pytest.raises(NumberTooLong, match="41 digits"):
        read_plain("1" * 41)


@pytest.mark.parametrize("text", ["1.0e+41", "1.0e-41", "1.0e+0000001", "1.0e+" + "9" * 5000, "9" * 100_000])
def test_a_number_beyond_all_bounds_is_refused_before_it_is_converted(text: str) -> None:
    with pytest.raises(NumberTooLong):
        read_plain(text)


@settings(deadline=None)
@given(st.decimals(allow_nan=False, allow_infinity=False, places=8, min_value=-(10**20), max_value=10**20))
def test_a_decimal_comes_back_exactly_as_it_was_written(number: Decimal) -> None:
    text = format(number, "f")
    found = read_plain(text)
    assert isinstance(found, Decimal)
    assert format(found, "f") == text


@settings(deadline=None)
@given(st.text())
def test_every_text_is_a_scalar_or_too_long(text: str) -> None:
    try:
        found = read_plain(text)
    except NumberTooLong:
        return
    assert found is None or isinstance(found, str | int | Decimal)
