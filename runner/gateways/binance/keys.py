"""The API key and what signs with it, held so that neither can be shown by accident."""

import re
from pathlib import Path
from typing import NoReturn

from runner.errors import EnvironmentFault

_MARK = "PRIVATE KEY-----"
KEY_ADVICE = "give it in BINANCE_API_KEY and BINANCE_API_SECRET, by the environment or .env"


class Secret:
    """A text that is never shown: not printed, not logged, not pickled; `reveal` gives it to the one who signs."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return "Secret(…)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written anywhere")


class Credentials:
    """`key` is the API key, `secret` the HMAC secret, or the text of an Ed25519 private key in PEM."""

    __slots__ = ("key", "secret")

    def __init__(self, key: Secret, secret: Secret) -> None:
        self.key = key
        self.secret = secret

    @property
    def ed25519(self) -> bool:
        return _MARK in self.secret.reveal()

    @property
    def missing(self) -> str:
        """What of them is not there, in words; empty where both are."""
        return "" if self.key and self.secret else "API secret" if self.key else "API key"

    def __repr__(self) -> str:
        return "Credentials(…)"


def load_credentials(key: str, secret: str) -> Credentials:
    """The credentials of a key, whose secret is an HMAC secret, an Ed25519 key in PEM, or the path of a PEM file.

    Raises:
        EnvironmentFault: one is missing, or is nothing of that; no text of either is in it.
    """
    key, secret = key.strip(), secret.strip()
    missing = Credentials(Secret(key), Secret(secret)).missing
    if missing:
        raise EnvironmentFault(f"there is no {missing}", hint=KEY_ADVICE)
    if not re.fullmatch(r"[\x21-\x7e]+", key):
        raise EnvironmentFault("the API key has characters that no key has", hint=KEY_ADVICE)
    if _MARK not in secret and not re.fullmatch(r"[A-Za-z0-9]{32,}", secret) and _is_file(secret):
        secret = _read(Path(secret).expanduser())
        if _MARK not in secret:
            raise EnvironmentFault("the file of the API secret holds no private key in PEM", hint=KEY_ADVICE)
    if _MARK in secret:
        secret = _normal(secret)
    elif "/" in secret or secret.endswith(".pem"):
        raise EnvironmentFault("the API secret names a file that is not there", hint=KEY_ADVICE)
    elif not re.fullmatch(r"[\x21-\x7e]+", secret):
        raise EnvironmentFault("the API secret is neither an HMAC secret nor a private key in PEM", hint=KEY_ADVICE)
    return Credentials(Secret(key), Secret(secret))


def _is_file(text: str) -> bool:
    try:
        return Path(text).expanduser().is_file()
    except (OSError, ValueError, RuntimeError):
        return False


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        raise EnvironmentFault("the file of the API secret cannot be read", hint=KEY_ADVICE) from None


def _normal(pem: str) -> str:
    """The PEM text of an Ed25519 key with line ends of its own; in one line, as .env files hold it, `\\n` is one."""
    # Only who signs with such a key needs the package, and the core install is without it.
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    text = pem.replace("\\n", "\n").replace("\\r", "").replace("\r", "").strip() + "\n"
    if "ENCRYPTED" in text:
        raise EnvironmentFault(
            "the private key is encrypted", hint="give a key without a passphrase: openssl pkey -in KEY -out PLAIN",
        )
    try:
        loaded = serialization.load_pem_private_key(text.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise EnvironmentFault("the private key is no PEM that can be read", hint=KEY_ADVICE) from None
    if not isinstance(loaded, Ed25519PrivateKey):
        raise EnvironmentFault(
            "the private key is not an Ed25519 key", hint="make an Ed25519 or an HMAC key; RSA keys are not taken",
        )
    return loaded.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption(),
    ).decode()
