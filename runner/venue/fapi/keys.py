"""API keys: which account each belongs to, and what its signatures are verified with.

A key has an HMAC secret or an Ed25519 public key, as Binance's have.  Names of keys are not secrets here; secrets stay
in this object and are shown nowhere.
"""

import re
from dataclasses import dataclass, field

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from runner.venue.fapi.errors import ApiError

DEFAULT_KEY = "sim-key"
DEFAULT_SECRET = "sim-secret"
_WELL_FORMED = re.compile(r"[A-Za-z0-9_-]{1,128}")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """`secret` verifies HMAC signatures where there is no `public_key`."""

    name: str
    account: str
    secret: bytes = field(default=b"", repr=False)
    public_key: Ed25519PublicKey | None = field(default=None, repr=False)


class BadPublicKey(ValueError):
    """The text is no Ed25519 public key in PEM."""


class KeyRing:
    """All API keys of the exchange by name."""

    def __init__(self) -> None:
        self._keys: dict[str, ApiKey] = {}

    def add_secret(self, name: str, secret: str, account: str) -> ApiKey:
        key = ApiKey(name, account, secret=secret.encode())
        self._keys[name] = key
        return key

    def add_public_key(self, name: str, pem: str, account: str) -> ApiKey:
        """Raises `BadPublicKey`."""
        try:
            loaded = load_pem_public_key(pem.encode())
        except (ValueError, UnsupportedAlgorithm) as error:
            raise BadPublicKey("an Ed25519 public key in PEM is needed (-----BEGIN PUBLIC KEY-----)") from error
        if not isinstance(loaded, Ed25519PublicKey):
            raise BadPublicKey("only Ed25519 public keys are known here")
        key = ApiKey(name, account, public_key=loaded)
        self._keys[name] = key
        return key

    def find(self, name: str | None) -> ApiKey:
        """The key by the text of its header; -2014 where it cannot be one, -2015 where nobody has it."""
        key = self._keys.get(name or "")
        if key is not None:
            return key
        if name is None or not _WELL_FORMED.fullmatch(name):
            raise ApiError(-2014, "API-key format invalid.", 401)
        raise ApiError(-2015, "Invalid API-key, IP, or permissions for action.", 401)

    def of(self, account: str) -> tuple[ApiKey, ...]:
        return tuple(key for key in self._keys.values() if key.account == account)

    def __contains__(self, name: str) -> bool:
        return name in self._keys
