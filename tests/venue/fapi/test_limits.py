"""Weights, order counts, 429 and 418."""

import pytest

from runner.venue.fapi.errors import ApiError
from runner.venue.fapi.limits import Limits

NOON = 1_790_000_040_000  # the beginning of a minute


def test_weight_is_counted_by_address_and_by_minute() -> None:
    limits = Limits(weight=10)
    assert [limits.spend("a", 4, NOON), limits.spend("a", 5, NOON + 59_999)] == [4, 9]
    assert limits.spend("b", 4, NOON) == 4
    assert limits.spend("a", 1, NOON + 60_000) == 1


def test_beyond_the_weight_a_request_waits_for_the_next_minute() -> None:
    limits = Limits(weight=10)
    limits.spend("a", 10, NOON)
    with pytest.raises(ApiError) as refused:
        limits.spend("a", 1, NOON + 18_500)
    error = refused.value
    assert (error.http, error.code, error.headers) == (
        429, -1003, {"Retry-After": "42", "X-MBX-USED-WEIGHT-1M": "11"},
    )
    assert limits.spend("a", 1, NOON + 60_000) == 1


def test_who_goes_on_is_banned_twice_as_long_each_time() -> None:
    limits = Limits(weight=1, patience=2)
    now = NOON
    for minutes in (2, 4, 8):
        limits.spend("a", 1, now)
        statuses = []
        for _ in range(4):
            with pytest.raises(ApiError) as refused:
                limits.spend("a", 1, now)
            statuses.append(refused.value.http)
        assert statuses == [429, 429, 418, 418]
        until = now + minutes * 60_000
        assert refused.value.headers == {"Retry-After": str(minutes * 60)}
        assert f"banned until {until}" in refused.value.message
        with pytest.raises(ApiError):
            limits.spend("a", 0, until - 1)
        now = until
    assert limits.spend("b", 1, now) == 1


def test_orders_are_counted_by_account_in_both_windows() -> None:
    limits = Limits(orders_10s=3, orders_1m=4)
    assert [limits.count_orders("main", 1, 1, NOON) for _ in range(3)] == [(1, 1), (2, 2), (3, 3)]
    with pytest.raises(ApiError) as refused:
        limits.count_orders("main", 1, 1, NOON + 1)
    assert (refused.value.http, refused.value.code) == (429, -1015)
    with pytest.raises(ApiError) as refused:
        limits.count_orders("main", 1, 1, NOON + 10_000)
    assert "4 orders per 1 MINUTE" in refused.value.message


def test_a_lifted_limit_stops_nobody_and_is_shown_out_of_reach() -> None:
    limits = Limits(None, None, None)
    for _ in range(5000):
        assert limits.spend("a", 50, NOON) == 0
        limits.count_orders("main", 1, 1, NOON)
    assert [row["limit"] for row in (*limits.weight_rows(), *limits.order_rows())] == [1_000_000_000] * 3


def test_limits_are_shown_as_exchange_info_lists_them() -> None:
    assert Limits().order_rows() == [
        {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 300},
        {"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": 1200},
    ]
