"""Which API keys are known, and which cannot be any."""

import pytest

from runner.venue.fapi.errors import ApiError
from runner.venue.fapi.keys import BadPublicKey, KeyRing


def test_a_key_leads_to_its_account_and_shows_no_secret() -> None:
    ring = KeyRing()
    ring.add_secret("sim-key", "sim-secret", "main")
    key = ring.find("sim-key")
    assert key.account == "main" and "sim-key" in ring
    assert "secret" not in repr(key).replace("sim-key", "")
    assert ring.of("main") == (key,) and ring.of("other") == ()


@pytest.mark.parametrize(
    ("name", "wanted"), [(None, -2014), ("", -2014), ("a b", -2014), ("k" * 129, -2014), ("unknown", -2015)]
)
def test_a_malformed_and_an_unknown_key_are_told_apart(name: str | None, wanted: int) -> None:
    with pytest.raises(ApiError) as refused:
        KeyRing().find(name)
    assert (refused.value.code, refused.value.http) == (wanted, 401)


@pytest.mark.parametrize("pem", ["", "no pem", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"])
def test_what_is_no_public_key_is_refused(pem: str) -> None:
    with pytest.raises(BadPublicKey):
        KeyRing().add_public_key("ed", pem, "main")
