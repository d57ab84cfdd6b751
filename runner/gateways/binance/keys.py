"""The API key and what signs with it, held so that neither can be shown by accident."""

from typing import NoReturn


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
        return "PRIVATE KEY-----" in self.secret.reveal()

    def __repr__(self) -> str:
        return "Credentials(…)"
