"""Listen keys: one an account, renewed, expired, ended."""

import pytest

from runner.venue.fapi.errors import ApiError
from runner.venue.fapi.listening import VALID_MS, ListenKeys


def test_an_active_key_is_given_again_and_renewed() -> None:
    keys = ListenKeys()
    first = keys.open("main", 0)
    assert len(first.text) == 64
    assert keys.open("main", 1000).text == first.text
    assert keys.account_of(first.text, VALID_MS + 999) == "main"
    assert keys.account_of(first.text, VALID_MS + 1000) is None
    assert keys.open("main", VALID_MS + 1000).text != first.text
    assert keys.open("other", 0).text != first.text


def test_a_key_ends_an_hour_after_its_last_renewal() -> None:
    keys = ListenKeys()
    key = keys.open("main", 0)
    keys.renew("main", 30_000)
    assert keys.due(VALID_MS + 29_999) == []
    assert keys.due(VALID_MS + 30_000) == [key] and not key.deleted
    assert keys.due(VALID_MS + 30_001) == []
    with pytest.raises(ApiError) as refused:
        keys.renew("main", VALID_MS + 30_000)
    assert refused.value.code == -1125


def test_a_deleted_key_is_told_apart_from_an_expired_one() -> None:
    keys = ListenKeys()
    key = keys.open("main", 0)
    keys.close("main", 1)
    assert keys.account_of(key.text, 1) is None
    assert [ended.deleted for ended in keys.due(1)] == [True]
    keys.close("main", 2)
    assert keys.due(2) == []
