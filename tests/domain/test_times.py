"""Instants and durations as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.domain.times import DAY_MS, day_start, duration, parse_duration, parse_rfc3339, rfc3339


@pytest.mark.parametrize(("text", "ms"), [
    ("1970-01-01T00:00:00Z", 0), ("2025-01-01T00:00:00Z", 1_735_689_600_000),
    ("2025-01-01T02:00:00+02:00", 1_735_689_600_000),
    ("2024-12-31T19:30:00.25-04:30", 1_735_689_600_250), ("2025-01-01t00:00:00.123456789z", 1_735_689_600_123),
    ("2025-01-01 00:00:00Z", 1_735_689_600_000),
])
def test_rfc_3339_times_with_an_offset_are_read_to_the_millisecond(text: str, ms: int) -> None:
    assert parse_rfc3339(text) == ms


@pytest.mark.parametrize("text", [
    "2025-01-01", "2025-01-01T00:00:00", "2025-13-01T00:00:00Z", "2025-02-30T00:00:00Z", "now", "2025-01-01T00:00Z", "",
])
def test_what_is_no_such_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_rfc3339(text)


@given(st.integers(0, 4_000_000_000_000))
def test_a_written_time_reads_as_itself(ms: int) -> None:
    assert parse_rfc3339(rfc3339(ms)) == ms


@pytest.mark.parametrize(("text", "ms"), [
    ("250ms", 250), ("2s", 2_000), ("5m", 300_000), ("1h30m", 5_400_000), ("7d", 7 * DAY_MS), ("1m5ms", 60_005),
    ("0s", 0),
])
def test_durations_are_number_unit_pairs(text: str, ms: int) -> None:
    assert parse_duration(text) == ms


@pytest.mark.parametrize("text", ["", "5", "1m1h", "1.5h", "-1s", "1w", "5 m", "1h1h", "ms"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_duration(text)


@given(st.integers(0, 10**12))
def test_a_written_duration_reads_as_itself(ms: int) -> None:
    assert parse_duration(duration(ms)) == ms


def test_a_day_begins_at_midnight_utc() -> None:
    assert rfc3339(day_start(parse_rfc3339("2025-05-04T15:33:00.050Z"))) == "2025-05-04T00:00:00.000Z"
