"""Ctrl-C and SIGTERM during a live run: the first asks it to stop, the second leaves at once."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


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
