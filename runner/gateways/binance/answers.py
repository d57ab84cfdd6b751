"""What each answer of Binance, and each failure to get one, says about the request: one table, held as data.

The first row that fits decides.  Sources, each row's in its last field: Binance USDⓈ-M Futures "General Info" (HTTP
return codes, limits, timing security) and "Error Codes"; *seen*: not in those pages, but observed on the exchange;
*aiohttp*, *python-binance*: the documentation of those libraries' exceptions.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

import aiohttp

from runner.errors import EnvironmentFault


class Standing(StrEnum):
    """How a request stands.  Of all but UNKNOWN it is certain whether it was executed; only DONE was.

    NOT_SENT: it never reached the exchange.  REJECTED: it is no for this request.  THROTTLED: it was not executed for a
    reason that passes by itself.  ALREADY_SO: it was not executed since what is asked for is so already, or what it
    speaks of is gone: to be looked up.  HALT: nothing of this key or this address is executed.
    """

    DONE = "done"
    NOT_SENT = "not sent"
    REJECTED = "rejected"
    THROTTLED = "throttled"
    UNKNOWN = "unknown"
    ALREADY_SO = "already so"
    HALT = "halt"


class Reply(NamedTuple):
    """An HTTP answer.  `code` and `message` are the exchange's own, or 0 and the text of a body without them; `body` is
    None where it is no JSON."""

    status: int
    code: int
    message: str
    headers: Mapping[str, str]
    body: Any


class Answer(NamedTuple):
    """What became of one request.  `sent_ms` is the timestamp that it was signed with, by the exchange's clock."""

    standing: Standing
    status: int
    code: int
    message: str
    body: Any
    sent_ms: int

    @property
    def passing(self) -> bool:
        """Whether it was certainly not executed, for a reason that passes by itself."""
        return self.standing in (Standing.NOT_SENT, Standing.THROTTLED) or self.status == BANNED

    @property
    def clock_is_off(self) -> bool:
        return self.code in CLOCK_CODES


class NoAnswer(EnvironmentFault):
    """A read came to nothing; `path` was read."""

    def __init__(self, answer: Answer, path: str) -> None:
        said = [str(answer.code or ""), answer.message, f"(HTTP {answer.status})" if answer.status else ""]
        words = " ".join(word for word in said if word)
        super().__init__(
            f"the exchange does not answer: {words}" if not answer.status else
            f"the exchange refuses to say {path}: {words}", hint=_hint(answer),
        )
        self.standing = answer.standing
        self.status = answer.status
        self.code = answer.code


class Row(NamedTuple):
    """Fits a reply if each field that is not empty does; `text` is the whole message, as a regular expression."""

    standing: Standing
    source: str
    codes: tuple[int, ...] = ()
    statuses: range | tuple[int, ...] = ()
    text: str = ""

    def fits(self, reply: Reply) -> bool:
        return (
            (not self.codes or reply.code in self.codes)
            and (not self.statuses or reply.status in self.statuses)
            and (not self.text or re.fullmatch(self.text, reply.message, re.DOTALL) is not None)
        )


BANNED = 418
TOO_MANY = 429
CLOCK_CODES = (-1021, -5028)
UNKNOWN_ORDER_CODES = (-2011, -2013)
_HTTP = "General Info: HTTP Return Codes"
_LIMITS = "General Info: Limits"
_CODES = "Error Codes"

ROWS: tuple[Row, ...] = (
    # What the status alone decides, whatever the body says.
    Row(Standing.HALT, _LIMITS, statuses=(BANNED,)),
    Row(Standing.THROTTLED, _LIMITS, statuses=(TOO_MANY,)),
    Row(Standing.HALT, _HTTP, statuses=(403,)),
    Row(Standing.HALT, "seen: a restricted location", statuses=(451,)),
    # Three kinds of 503; only the second says for certain that nothing was done.
    Row(Standing.UNKNOWN, _HTTP, statuses=(503,), text=r"Unknown error.*"),
    Row(Standing.THROTTLED, _HTTP, codes=(0,), statuses=(503,), text=r"Service Unavailable\.?"),
    # "Internal error; unable to process your request" is called a failure there; an order is looked up all the same.
    Row(Standing.UNKNOWN, _HTTP, codes=(-1001,)),
    Row(Standing.UNKNOWN, _CODES, codes=(-1000, -1006, -1007)),
    Row(Standing.THROTTLED, _CODES, codes=(-1003, -1008, -1015, -1016)),
    # Judged by the timestamp, before anything is done.
    Row(Standing.THROTTLED, "General Info: Timing security", codes=CLOCK_CODES),
    Row(Standing.THROTTLED, _CODES, codes=(-4117,)),
    Row(Standing.HALT, _CODES, codes=(
        -1002, -1022, -1099, -2014, -2015, -2017, -2023, -4087, -4088, -4109, -4189, -4192, -4402, -4403,
    )),
    Row(Standing.HALT, _CODES, codes=(-4061,)),
    Row(Standing.ALREADY_SO, _CODES, codes=(
        -1125, -2011, -2013, -2022, -2024, -4046, -4059, -4116, -4118, -4171, -5027,
    )),
    Row(Standing.ALREADY_SO, "seen: one closePosition order a direction", codes=(-4130,)),
    Row(Standing.REJECTED, "seen: closePosition needs a position", codes=(-4509,)),
    Row(Standing.REJECTED, "seen", codes=(-4136, -4500, -5000)),
    Row(Standing.REJECTED, _CODES, codes=(
        -1013, -1014, *range(-1106, -1099), -1111, *range(-1118, -1113), -1120, -1121, -1122, -1128, -1130,
        -2010, -2018, -2019, -2020, -2021, -2025, -2026, -2027, -2028,
        *range(-4007, -4000), -4013, -4014, -4015, -4016, -4023, -4024, -4028, -4045, -4047, -4048, -4062, -4067, -4068,
        -4082, -4083, -4105, -4106, -4107, -4120, -4131, -4135, -4137, -4138, -4140, -4141, -4142, -4161, -4164,
        -4183, -4184, -4210, -4211, -4400, -4401, -4531,
        -5021, -5022, -5024, -5025, -5026, -5029, *range(-5041, -5036), -5043, -5047,
    )),
    # A code that is not listed, or none.
    Row(Standing.UNKNOWN, _HTTP, statuses=(408,)),
    Row(Standing.HALT, _HTTP, statuses=(401,)),
    Row(Standing.REJECTED, _HTTP, statuses=range(400, 500)),
    Row(Standing.UNKNOWN, _HTTP),
)

FAILURES: tuple[tuple[type[Exception], str, Standing, str], ...] = (
    # Refused, no such host, no TLS, no proxy: nothing was written.
    (aiohttp.ClientConnectorError, "", Standing.NOT_SENT, "aiohttp"),
    (aiohttp.ClientHttpProxyError, "", Standing.NOT_SENT, "aiohttp"),
    (aiohttp.ConnectionTimeoutError, "", Standing.NOT_SENT, "aiohttp"),
    (aiohttp.InvalidURL, "", Standing.NOT_SENT, "aiohttp"),
    (RuntimeError, "Session is closed", Standing.NOT_SENT, "aiohttp"),
    # Anything else may have happened after the request was written: timeouts, dropped and reset connections, answers
    # that cannot be read.
    (Exception, "", Standing.UNKNOWN, "aiohttp, python-binance"),
)


def judged(reply: Reply) -> Standing:
    """How a request stands that was answered so.  A negative code is a refusal even under HTTP 200."""
    if 200 <= reply.status < 300 and reply.code >= 0:
        return Standing.UNKNOWN if reply.body is None else Standing.DONE
    return next(row.standing for row in ROWS if row.fits(reply))


def failed(error: Exception) -> Standing:
    """How a request stands that ended in an exception."""
    return next(
        standing for kind, text, standing, _ in FAILURES
        if isinstance(error, kind) and (not text or text in str(error))
    )


def failure_words(error: Exception) -> str:
    """What went wrong, in words that hold nothing of the request."""
    if isinstance(error, TimeoutError) and not isinstance(error, aiohttp.ConnectionTimeoutError):
        return "no answer in time"
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return f"the proxy answers HTTP {error.status}"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"no connection to {error.host}:{error.port} ({error.os_error.strerror or type(error).__name__})"
    return f"{type(error).__name__}"


CLOCK_ADVICE = "set this machine's clock by NTP"
_KEY_HINT = (
    "check BINANCE_API_KEY: that it is of this exchange (demo and production have keys of their own), may trade"
    " futures, and may be used from this address"
)
_HINTS = {
    -1022: "check BINANCE_API_SECRET: it is not the secret of this key",
    -1021: CLOCK_ADVICE,
    -5028: CLOCK_ADVICE,
    -2014: _KEY_HINT,
    -2015: _KEY_HINT,
    -2017: "the key is locked: see the API management of the account",
    -1002: _KEY_HINT,
    -4109: "the futures account is not active",
}


def _hint(answer: Answer) -> str:
    """What a person can do about it."""
    if answer.code in _HINTS:
        return _HINTS[answer.code]
    if answer.standing is Standing.NOT_SENT:
        return "check the network, the proxy, and the URL of the exchange"
    if answer.status in (BANNED, TOO_MANY):
        return "this address asked too much: wait, and run less at once from it"
    if answer.status in (403, 451):
        return "the exchange refuses this address: its firewall, or a restricted location"
    return "try again; if it lasts, see the exchange's own status page"
