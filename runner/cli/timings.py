"""`DAKSH_TIMINGS`: the waits of a live run as text, like `recv_window=300ms,retry_pauses=25ms/50ms/100ms,poll=150ms`.

The names are the fields of `Timings` and `Pace` without their `_ms`; the durations of a name that holds several stand
between slashes.
"""

from typing import TypeVar

from runner.domain.pace import Pace
from runner.domain.times import parse_duration
from runner.domain.value import Value
from runner.errors import UsageError
from runner.gateways.binance.settings import Timings

VARIABLE = "DAKSH_TIMINGS"
LONGEST_WINDOW_MS = 60_000
"""Binance USDⓈ-M Futures, "Timing security": recvWindow is at most 60,000 ms."""

V = TypeVar("V", bound=Value)


def read_timings(text: str) -> tuple[Timings, Pace]:
    """Both, with the given fields changed.

    Raises:
        UsageError: an unknown name, one given twice, or what is no duration.
    """
    timings, pace = Timings(), Pace()
    known = _names(timings) | _names(pace)
    given: dict[str, int | tuple[int, ...]] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = (word.strip() for word in part.partition("="))
        if name not in known:
            raise _wrong(f"{name[:40]!r} is none of its names", f"its names are {', '.join(sorted(known))}")
        if name in given:
            raise _wrong(f"{name} is given twice", "keep one")
        if not equals:
            raise _wrong(f"{name} has no value", f"write {name}=250ms")
        given[name] = _durations(name, value, several=known[name])
    timings, pace = _changed(timings, given), _changed(pace, given)
    if timings.recv_window_ms > LONGEST_WINDOW_MS:
        raise _wrong("recv_window is longer than Binance takes", "write at most 60s")
    return timings, pace


def _names(value: Value) -> dict[str, bool]:
    """The names of the durations, and whether each holds several."""
    return {
        name.removesuffix("_ms"): isinstance(getattr(value, name), tuple) for name, _ in value.fields()
    }


def _durations(name: str, text: str, *, several: bool) -> int | tuple[int, ...]:
    durations = tuple(_duration(name, part.strip()) for part in text.split("/"))
    if several:
        return durations
    if len(durations) > 1:
        raise _wrong(f"{name} is one duration, not {len(durations)}", f"write {name}=250ms")
    return durations[0]


def _duration(name: str, text: str) -> int:
    try:
        duration = parse_duration(text)
    except ValueError:
        duration = 0
    if duration <= 0:
        raise _wrong(f"{name}: {text[:40]!r} is not a duration above zero", "write one like 250ms, 2s or 1m30s")
    return duration


def _changed(value: V, given: dict[str, int | tuple[int, ...]]) -> V:
    names = [name for name, _ in value.fields()]
    return value.but(**{name: given[short] for name in names if (short := name.removesuffix("_ms")) in given})


def _wrong(message: str, hint: str) -> UsageError:
    return UsageError(f"{VARIABLE}: {message}", hint=hint)
