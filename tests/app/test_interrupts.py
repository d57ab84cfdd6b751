"""Ctrl-C and SIGTERM."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from runner.app.interrupts import Interrupts


def test_the_first_signal_is_noted_and_the_second_goes_to_who_listened_before() -> None:
    heard = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
    try:
        with Interrupts() as interrupts:
            assert not interrupts.wanted()
            os.kill(os.getpid(), signal.SIGTERM)
            assert (interrupts.wanted(), interrupts.signal, heard) == (True, signal.SIGTERM, [])
            os.kill(os.getpid(), signal.SIGTERM)
            assert heard == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_afterwards_everything_is_as_it_was() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ZeroDivisionError), Interrupts():
        raise ZeroDivisionError
    assert signal.getsignal(signal.SIGINT) is before


def test_outside_of_the_main_thread_nothing_is_listened_to() -> None:
    before = signal.getsignal(signal.SIGINT)

    def listen() -> bool:
        with Interrupts() as interrupts:
            return interrupts.wanted()

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(listen).result() is False
    assert signal.getsignal(signal.SIGINT) is before
