"""Listen keys: one an account, good for 60 minutes from its last renewal, on the front's clock.

Source: Binance USDⓈ-M "User data streams": POST gives the active key again and renews it; PUT renews; DELETE ends it
for every consumer; what is not there is -1125.  A key's text follows from the account and how many it had.
"""

import hashlib
from dataclasses import dataclass

from runner.venue.fapi.errors import ApiError

VALID_MS = 60 * 60_000


@dataclass(slots=True)
class ListenKey:
    """`deleted` is whether it was ended by a DELETE, which its listeners see as a close, and not as an expiry."""

    text: str
    account: str
    expires_ms: int
    deleted: bool = False


class ListenKeys:
    """The active listen keys.  Whoever serves the streams asks `due` now and then and tells those who listened."""

    def __init__(self, valid_ms: int = VALID_MS, salt: str = "") -> None:
        self._valid_ms = valid_ms
        self._salt = salt
        self._active: dict[str, ListenKey] = {}
        self._by_account: dict[str, ListenKey] = {}
        self._ended: list[ListenKey] = []
        self._made = 0

    def open(self, account: str, now_ms: int) -> ListenKey:
        self._expire(now_ms)
        key = self._by_account.get(account)
        if key is None:
            self._made += 1
            digest = hashlib.sha256(f"{self._salt}/{account}/{self._made}".encode()).hexdigest()
            key = ListenKey(digest, account, 0)
            self._active[key.text] = self._by_account[account] = key
        key.expires_ms = now_ms + self._valid_ms
        return key

    def renew(self, account: str, now_ms: int) -> ListenKey:
        """-1125 where the account has none."""
        self._expire(now_ms)
        key = self._by_account.get(account)
        if key is None:
            raise ApiError(-1125, "This listenKey does not exist.")
        key.expires_ms = now_ms + self._valid_ms
        return key

    def close(self, account: str, now_ms: int) -> None:
        """End the account's key; one that is not there is no error.  It shows up in `due`."""
        self._expire(now_ms)
        key = self._by_account.get(account)
        if key is not None:
            key.deleted = True
            self._drop(key)

    def of(self, account: str, now_ms: int) -> ListenKey | None:
        """The account's key, while it is good."""
        key = self._by_account.get(account)
        return key if key is not None and key.expires_ms > now_ms else None

    def account_of(self, text: str, now_ms: int) -> str | None:
        """Whose key it is, while it is good."""
        self._expire(now_ms)
        key = self._active.get(text)
        return None if key is None else key.account

    def expire(self, account: str) -> None:
        """End the account's key before its time: a fault."""
        key = self._by_account.get(account)
        if key is not None:
            self._drop(key)

    def due(self, now_ms: int) -> list[ListenKey]:
        """The keys that have ended since the last call, by time or by hand; the caller takes them."""
        self._expire(now_ms)
        ended, self._ended = self._ended, []
        return ended

    def _expire(self, now_ms: int) -> None:
        for key in [key for key in self._active.values() if key.expires_ms <= now_ms]:
            self._drop(key)

    def _drop(self, key: ListenKey) -> None:
        del self._active[key.text]
        del self._by_account[key.account]
        self._ended.append(key)
