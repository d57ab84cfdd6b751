"""Keys are read from text or a file, refused with a reason, and never shown."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from runner.errors import EnvironmentFault
from runner.gateways.binance.keys import load_credentials

_PRIVATE = Ed25519PrivateKey.generate()


def pem(private: Ed25519PrivateKey | rsa.RSAPrivateKey = _PRIVATE, passphrase: bytes = b"") -> str:
    how = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how).decode()


def test_an_hmac_secret_is_taken_as_it_is_without_the_space_around_it() -> None:
    found = load_credentials(" key \n", "\tsecret123 ")
    assert (found.key.reveal(), found.secret.reveal(), found.ed25519) == ("key", "secret123", False)


@pytest.mark.parametrize("text", [
    pem(), pem().replace("\n", "\r\n"), pem().replace("\n", "\\n"), f"\n{pem()}\n\n", pem().replace("\n", "\\r\\n"),
], ids=["plain", "windows", "one line", "space around", "one line of windows"])
def test_a_pem_text_is_brought_to_one_form(text: str) -> None:
    found = load_credentials("key", text)
    assert found.ed25519
    assert found.secret.reveal() == pem()


def test_a_pem_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text(pem(), newline="\r\n")
    assert load_credentials("key", str(tmp_path / "key.pem")).secret.reveal() == pem()


@pytest.mark.parametrize(("key", "secret", "words"), [
    ("", "secret", "no API key"),
    ("key", " ", "no API secret"),
    ("käse", "secret", "the API key"),
    ("key", "~/nowhere/key.pem", "a file that is not there"),
    ("key", "two words", "neither an HMAC secret nor"),
    ("key", pem(passphrase=b"hidden"), "encrypted"),
    ("key", "-----BEGIN PRIVATE KEY-----\nbm90IGEga2V5\n-----END PRIVATE KEY-----", "no PEM"),
    ("key", pem(rsa.generate_private_key(65537, 2048)), "not an Ed25519 key"),
])
def test_what_is_no_key_is_refused_without_being_shown(key: str, secret: str, words: str) -> None:
    with pytest.raises(EnvironmentFault, match=words) as caught:
        load_credentials(key, secret)
    said = f"{caught.value} {caught.value.hint}"
    assert caught.value.hint
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    for part in (secret.strip(), *secret.splitlines()):
        assert not part.strip() or part not in said


def test_a_file_that_holds_no_key_is_refused_without_its_name(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("nothing")
    with pytest.raises(EnvironmentFault, match="no private key") as caught:
        load_credentials("key", str(tmp_path / "notes"))
    assert str(tmp_path) not in f"{caught.value} {caught.value.hint}"
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(EnvironmentFault, match="cannot be read"):
        load_credentials("key", str(tmp_path / "binary"))
