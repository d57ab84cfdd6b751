"""Verifies signed requests: the signature, then its time.

Source: Binance USDⓈ-M "General info: SIGNED endpoint security", the reference's section 1, and what clients send: the
payload is the query string followed by the form body, as received, without the signature.  python-binance signs its
values before it percent-encodes the body; the official SDK signs all into the query and repeats some in the body.
Both work on Binance, so both forms are verified too.
"""

import hashlib
import hmac
from base64 import b64decode
from collections.abc import Iterator
from urllib.parse import unquote_plus

from cryptography.exceptions import InvalidSignature

from runner.venue.fapi.errors import ApiError, missing
from runner.venue.fapi.keys import ApiKey
from runner.venue.fapi.params import Params
from runner.venue.refusals import Refusal

DEFAULT_WINDOW_MS = 5000
MAX_WINDOW_MS = 60_000
_AHEAD_MS = 1000
_MARK = "signature="
BAD_SIGNATURE = ApiError(-1022, "Signature for this request is not valid.")


def check_time(params: Params, now_ms: int) -> None:
    """-1102 without a timestamp, -1131 for a window above a minute, -1021 outside of it."""
    timestamp = params.integer("timestamp")
    window = params.maybe_integer("recvWindow")
    if window is None:
        window = DEFAULT_WINDOW_MS
    if not 0 <= window <= MAX_WINDOW_MS:
        raise Refusal(-1131, f"recvWindow must be less than {MAX_WINDOW_MS}.")
    if timestamp >= now_ms + _AHEAD_MS:
        raise Refusal(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
    if now_ms - timestamp > window:
        raise Refusal(-1021, "Timestamp for this request is outside of the recvWindow.")


def check_signature(key: ApiKey, query: str, body: str) -> None:
    """-1102 without a signature, -1022 for a wrong one."""
    rest, signature = _take(query)
    tail, other = _take(body)
    signature = signature or other
    if not signature:
        raise missing("signature")
    for payload in _payloads(rest, tail):
        if _verifies(key, payload, signature):
            return
    raise BAD_SIGNATURE


def check_words(key: ApiKey, payload: str, signature: str) -> None:
    """Verify a signature over one given payload (WebSocket API: parameters sorted by name); -1022."""
    if not _verifies(key, payload, signature):
        raise BAD_SIGNATURE


def _take(text: str) -> tuple[str, str]:
    """The text without its signature, and that; both as they came."""
    if _MARK not in text:
        return text, ""
    head, mark, signature = text.rpartition("&" + _MARK)
    if mark and "&" not in signature:
        return head, signature
    kept = []
    for part in text.split("&"):
        if part.startswith(_MARK):
            signature = part[len(_MARK):]
        else:
            kept.append(part)
    return "&".join(kept), signature


def _payloads(query: str, body: str) -> Iterator[str]:
    whole = query + body
    yield whole
    if "%" in whole or "+" in whole:
        yield unquote_plus(query) + unquote_plus(body)
    if query and body and set(body.split("&")) <= set(query.split("&")):
        yield query


def _verifies(key: ApiKey, payload: str, signature: str) -> bool:
    data = payload.encode("utf-8", "surrogateescape")
    if key.public_key is None:
        expected = hmac.new(key.secret, data, hashlib.sha256).hexdigest()
        return hmac.compare_digest(expected.encode(), signature.lower().encode("utf-8", "surrogateescape"))
    try:
        # A plus that a client forgot to encode is read as a space.
        raw = b64decode(unquote_plus(signature).replace(" ", "+"), validate=True)
        key.public_key.verify(raw, data)
    except (ValueError, InvalidSignature):
        return False
    return True
