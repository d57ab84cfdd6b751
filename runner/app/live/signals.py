"""Ctrl-C and SIGTERM: before a live run listens to them they end the command, whatever it was about; then the first
asks the run to stop, and the second leaves at once.
"""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Early:
    """Remembers the signals that come while it is entered.

    Whoever listened before raises an exception of each, and Python drops what a finaliser raises: `insist`, called
    before anything is sent, raises it again.
    """

    def __init__(self) -> None:
        self._before: dict[int, Any] = {}
        self._number: int | None = None

    def __enter__(self) -> "Early":
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                before = signal.getsignal(number)
                if callable(before):
                    self._before[number] = before
                    signal.signal(number, self._caught)
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def insist(self) -> None:
        if self._number is not None:
            self._before[self._number](self._number, None)

    def _caught(self, number: int, frame: FrameType | None) -> None:
        self._number = number
        self._before[number](number, frame)


class Caught:
    """`number` is that of the first signal, or None."""

    def __init__(self) -> None:
        self.number: int | None = None


@contextmanager
def listening(stop: Callable[[], None], leave: Callable[[], None]) -> Iterator[Caught]:
    """Listen for a while, in the event loop; the third signal is for whoever listened before.

    Outside of the main thread there is nothing to listen to.
    """
    caught = Caught()
    if threading.current_thread() is not threading.main_thread():
        yield caught
        return
    loop = asyncio.get_running_loop()
    before: dict[int, Any] = {}

    def release() -> None:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)
        before.clear()

    def take(number: int) -> None:
        if caught.number is None:
            caught.number = number
            stop()
        else:
            release()
            leave()

    for number in _SIGNALS:
        before[number] = signal.getsignal(number) or signal.SIG_DFL
        loop.add_signal_handler(number, take, number)
    try:
        yield caught
    finally:
        release()
