"""Rate limits: request weight of an address in a minute, order counts of an account in 10 seconds and in a minute.

Windows are fixed and aligned to the clock, as Binance's are.  Who goes on after 429 is banned: 2 minutes, doubled each
time, at most 3 days; meanwhile 418.  Source: Binance USDⓈ-M "General info: Limits".
"""

from dataclasses import dataclass

from runner.venue.fapi.errors import ApiError

TEN_SECONDS_MS = 10_000
MINUTE_MS = 60_000
WEIGHT_HEADER = "X-MBX-USED-WEIGHT-1M"
_FIRST_BAN_MS = 2 * MINUTE_MS
_LONGEST_BAN_MS = 3 * 24 * 60 * MINUTE_MS
_UNREACHED = 1_000_000_000


@dataclass(slots=True)
class _Counter:
    window: int = -1
    used: int = 0

    def add(self, amount: int, now_ms: int, length_ms: int) -> int:
        window = now_ms // length_ms
        if window != self.window:
            self.window, self.used = window, 0
        self.used += amount
        return self.used


@dataclass(slots=True)
class _Address:
    weight: _Counter
    refused: _Counter
    banned_until_ms: int = 0
    next_ban_ms: int = _FIRST_BAN_MS


@dataclass(slots=True)
class _Orders:
    ten_seconds: _Counter
    minute: _Counter


class Limits:
    """None lifts a limit; of weight nothing is counted then.  `patience` is how many requests of one minute are
    answered 429 before a ban."""

    def __init__(
        self, weight: int | None = 2400, orders_10s: int | None = 300, orders_1m: int | None = 1200, patience: int = 100
    ) -> None:
        self.weight = weight
        self.orders_10s = orders_10s
        self.orders_1m = orders_1m
        self.patience = patience
        self._addresses: dict[str, _Address] = {}
        self._accounts: dict[str, _Orders] = {}

    def spend(self, address: str, weight: int, now_ms: int) -> int:
        """Count a request; the weight used in this minute.  429 or 418 beyond the limit."""
        if self.weight is None:
            return 0
        known = self._addresses.get(address)
        if known is None:
            known = self._addresses[address] = _Address(_Counter(), _Counter())
        if now_ms < known.banned_until_ms:
            raise _banned(address, known.banned_until_ms, now_ms)
        used = known.weight.add(weight, now_ms, MINUTE_MS)
        if used > self.weight:
            if known.refused.add(1, now_ms, MINUTE_MS) > self.patience:
                known.banned_until_ms = now_ms + known.next_ban_ms
                known.next_ban_ms = min(2 * known.next_ban_ms, _LONGEST_BAN_MS)
                raise _banned(address, known.banned_until_ms, now_ms)
            message = (
                f"Too many requests; current limit of IP({address}) is {self.weight} requests per minute. "
                "Please use the websocket for live updates to avoid polling the API."
            )
            headers = {"Retry-After": _seconds(MINUTE_MS - now_ms % MINUTE_MS), WEIGHT_HEADER: str(used)}
            raise ApiError(-1003, message, 429, headers)
        return used

    def count_orders(self, account: str, ten_seconds: int, minute: int, now_ms: int) -> tuple[int, int]:
        """Count orders of an account; what both windows hold then.  429 with -1015 beyond a limit."""
        known = self._accounts.get(account)
        if known is None:
            known = self._accounts[account] = _Orders(_Counter(), _Counter())
        short = known.ten_seconds.add(ten_seconds, now_ms, TEN_SECONDS_MS)
        long = known.minute.add(minute, now_ms, MINUTE_MS)
        if self.orders_10s is not None and short > self.orders_10s:
            raise _too_many(self.orders_10s, "10 SECOND", TEN_SECONDS_MS - now_ms % TEN_SECONDS_MS)
        if self.orders_1m is not None and long > self.orders_1m:
            raise _too_many(self.orders_1m, "1 MINUTE", MINUTE_MS - now_ms % MINUTE_MS)
        return short, long

    def order_rows(self) -> list[dict[str, object]]:
        """The limits of new orders as `rateLimit/order` and `exchangeInfo` list them."""
        return [_row("ORDERS", "SECOND", 10, self.orders_10s), _row("ORDERS", "MINUTE", 1, self.orders_1m)]

    def weight_rows(self) -> list[dict[str, object]]:
        return [_row("REQUEST_WEIGHT", "MINUTE", 1, self.weight)]


def _row(kind: str, interval: str, number: int, limit: int | None) -> dict[str, object]:
    """A lifted limit is shown as one that nobody reaches, since clients expect one."""
    shown = _UNREACHED if limit is None else limit
    return {"rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": shown}


def _too_many(limit: int, interval: str, left_ms: int) -> ApiError:
    message = f"Too many new orders; current limit is {limit} orders per {interval}."
    return ApiError(-1015, message, 429, {"Retry-After": _seconds(left_ms)})


def _banned(address: str, until_ms: int, now_ms: int) -> ApiError:
    message = (
        f"Way too many requests; IP({address}) banned until {until_ms}. "
        "Please use the websocket for live updates to avoid bans."
    )
    return ApiError(-1003, message, 418, {"Retry-After": _seconds(until_ms - now_ms)})


def _seconds(span_ms: int) -> str:
    return str(max(1, -(-span_ms // 1000)))
