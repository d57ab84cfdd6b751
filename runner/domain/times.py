"""Instants are integer UTC milliseconds since 1970; here they are read from, and written as, RFC 3339 text."""

import re
from datetime import datetime, timedelta, timezone

SECOND_MS = 1_000
MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MILLISECOND = timedelta(milliseconds=1)
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)")


def rfc3339(at_ms: int) -> str:
    """`2025-05-04T15:33:00.050Z`: always UTC, always with milliseconds."""
    return (_EPOCH + timedelta(milliseconds=at_ms)).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at_ms % 1000:03d}Z"


def parse_rfc3339(text: str) -> int:
    """Milliseconds of an RFC 3339 instant with an offset.

    Raises:
        ValueError: not RFC 3339, no offset, or no such date.
    """
    if not _RFC3339.fullmatch(text):
        raise ValueError(f"{text!r} is not an RFC 3339 time with an offset, like 2026-11-24T08:00:00Z")
    normal = text.upper().replace(" ", "T").replace("Z", "+00:00")
    normal = re.sub(r"(\.\d{3})\d+", r"\1", normal)
    return (datetime.fromisoformat(normal) - _EPOCH) // _MILLISECOND


def day_start(at_ms: int) -> int:
    """00:00 UTC of the instant's day."""
    return at_ms - at_ms % DAY_MS


_UNITS = (("d", DAY_MS), ("h", HOUR_MS), ("m", MINUTE_MS), ("s", SECOND_MS), ("ms", 1))
_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?")


def parse_duration(text: str) -> int:
    """Milliseconds of `250ms`, `2s`, `5m`, `1h30m`, `7d`: number-unit pairs, the largest unit first.

    Raises:
        ValueError: anything else.
    """
    match = _DURATION.fullmatch(text)
    if not text or match is None:
        raise ValueError(f"{text!r} is not a duration, like 250ms, 2s, 5m, 1h30m or 7d")
    return sum(int(amount) * unit for amount, (_, unit) in zip(match.groups(), _UNITS) if amount)


def duration(ms: int) -> str:
    """The shortest text that `parse_duration` reads as `ms`: `5400000` is `1h30m`."""
    parts = []
    rest = ms
    for name, unit in _UNITS:
        amount, rest = divmod(rest, unit)
        if amount:
            parts.append(f"{amount}{name}")
    return "".join(parts) or "0s"
