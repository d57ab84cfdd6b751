"""Verifies signed requests: the signature, then its time.

The payload is the query string followed by the form body, byte for byte as received, without the signature.  A client
that percent-encodes what it has signed is refused, as by Binance: python-binance does so for values with `:`, `/` or
spaces.  Source: Binance USDⓈ-M "General info: SIGNED endpoint security".
"""

import hashlib
import hmac
from base64 import b64decode
from urllib.parse import unquote

from cryptography.exceptions import InvalidSignature

from runner.venue.fapi.keys import ApiKey
from runner.venue.fapi.params import Params
from runner.venue.refusals import Refusal, missing

DEFAULT_WINDOW_MS = 5000
MAX_WINDOW_MS = 60_000
_AHEAD_MS = 1000
_MARK = "signature="


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
    check_text(key, rest + tail, signature)


def check_text(key: ApiKey, payload: str, signature: str) -> None:
    """Verify the signature over a payload; -1022."""
    if not _verifies(key, payload, signature):
        raise Refusal(-1022, "Signature for this request is not valid.")


def _take(text: str) -> tuple[str, str]:
    """The text without its signature, and that; both as they came."""
    if _MARK not in text:
        return text, ""
    head, mark, signature = text.rpartition("&" + _MARK)
    if mark and "&" not in signature:
        return head, signature
    kept, signature = [], ""
    for part in text.split("&"):
        if part.startswith(_MARK):
            signature = part[len(_MARK):]
        else:
            kept.append(part)
    return "&".join(kept), signature


def _verifies(key: ApiKey, payload: str, signature: str) -> bool:
    data = payload.encode("utf-8", "surrogateescape")
    if key.public_key is None:
        expected = hmac.new(key.secret, data, hashlib.sha256).hexdigest()
        return hmac.compare_digest(expected.encode(), signature.lower().encode("utf-8", "surrogateescape"))
    try:
        raw = b64decode(unquote(signature), validate=True)
        key.public_key.verify(raw, data)
    except (ValueError, InvalidSignature):
        return False
    return True
