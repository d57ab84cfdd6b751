"""Signatures and their time, as Binance documents them and as its clients send them."""

import hashlib
import hmac
from base64 import b64encode
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from runner.venue.fapi.keys import ApiKey, KeyRing
from runner.venue.fapi.params import from_form
from runner.venue.fapi.signing import check_signature, check_time
from runner.venue.refusals import Refusal

DOCUMENTED = ApiKey("k", "a", b"2b5eb11e18796d12d88f13dc27dbbd02c2cc51ff7059765ed9821957d82bb4d9")
PAYLOAD = (
    "symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=9000&timeInForce=GTC&recvWindow=5000&timestamp=1591702613943"
)
SIGNATURE = "3c661234138461fcc7a7d8746c6558c9842d4e10870d2ecbedf7777cad694af9"


@pytest.mark.parametrize(
    ("query", "body"),
    [
        (f"{PAYLOAD}&signature={SIGNATURE}", ""),
        ("", f"{PAYLOAD}&signature={SIGNATURE}"),
        ("", f"signature={SIGNATURE}&{PAYLOAD}"),
        (f"{PAYLOAD[:31]}", f"{PAYLOAD[31:]}&signature={SIGNATURE}"),
        (f"{PAYLOAD[:31]}&signature={SIGNATURE.upper()}", PAYLOAD[31:]),
    ],
    ids=["in the query", "in the body", "not last", "mixed", "mixed, in capitals"],
)
def test_the_documented_signature_verifies_wherever_it_stands(query: str, body: str) -> None:
    check_signature(DOCUMENTED, query, body)


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        (f"{PAYLOAD}&signature={'0' * 64}", -1022),
        (f"{PAYLOAD}0&signature={SIGNATURE}", -1022),
        (f"{PAYLOAD}&signature=é", -1022),
        (f"{PAYLOAD}&signature=", -1102),
        (PAYLOAD, -1102),
        (f"{PAYLOAD}&asignature={SIGNATURE}", -1102),
    ],
)
def test_a_wrong_or_missing_signature_is_refused(query: str, wanted: int) -> None:
    with pytest.raises(Refusal) as refused:
        check_signature(DOCUMENTED, query, "")
    assert refused.value.code == wanted


def test_a_body_that_was_encoded_after_it_was_signed_is_refused() -> None:
    signed = "newClientOrderId=a:b/c&timestamp=1"
    signature = hmac.new(DOCUMENTED.secret, signed.encode(), hashlib.sha256).hexdigest()
    check_signature(DOCUMENTED, "", f"{signed}&signature={signature}")
    with pytest.raises(Refusal) as refused:
        check_signature(DOCUMENTED, "", f"newClientOrderId=a%3Ab%2Fc&timestamp=1&signature={signature}")
    assert refused.value.code == -1022


def test_an_ed25519_signature_verifies_as_encoded_base64() -> None:
    private = Ed25519PrivateKey.generate()
    pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    ring = KeyRing()
    key = ring.add_public_key("ed", pem, "main")
    signature = b64encode(private.sign(PAYLOAD.encode())).decode()
    check_signature(key, f"{PAYLOAD}&signature={quote(signature, safe='')}", "")
    check_signature(key, f"{PAYLOAD}&signature={signature}", "")
    for wrong in ("AAAA", "%%%", SIGNATURE, quote(signature[:-4] + "AAA=", safe="")):
        with pytest.raises(Refusal) as refused:
            check_signature(key, f"{PAYLOAD}&signature={wrong}", "")
        assert refused.value.code == -1022


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("timestamp=10000", None),
        ("timestamp=10999", None),
        ("timestamp=11000", -1021),
        ("timestamp=5000", None),
        ("timestamp=4999", -1021),
        ("timestamp=4999&recvWindow=5001", None),
        ("timestamp=9999&recvWindow=0", -1021),
        ("timestamp=10000&recvWindow=0", None),
        ("timestamp=1&recvWindow=60000", None),
        ("timestamp=10000&recvWindow=60001", -1131),
        ("timestamp=10000&recvWindow=-1", -1131),
        ("timestamp=10000&recvWindow=x", -1100),
        ("timestamp=-1", -1021),
        ("timestamp=", -1102),
        ("timestamp=now", -1102),
        ("", -1102),
    ],
)
def test_a_request_is_taken_within_its_window_alone(query: str, wanted: int | None) -> None:
    params = from_form(query, "")
    if wanted is None:
        check_time(params, 10_000)
        return
    with pytest.raises(Refusal) as refused:
        check_time(params, 10_000)
    assert refused.value.code == wanted
