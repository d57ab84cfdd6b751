"""Signals before a live run listens."""

import os
import signal
from types import FrameType

import pytest

from runner.app.live.signals import Early


class Told(BaseException):
    """What the one who listened before makes of a signal."""


class Finalised:
    """An object that happens to go as a signal arrives: Python drops what its end raises."""

    def __del__(self) -> None:
        os.kill(os.getpid(), signal.SIGTERM)


def tell(number: int, frame: FrameType | None) -> None:
    raise Told(number)


@pytest.fixture(autouse=True)
def _somebody_listens() -> object:
    before = signal.signal(signal.SIGTERM, tell)
    yield
    signal.signal(signal.SIGTERM, before)


def test_a_signal_ends_the_command_as_ever() -> None:
    with pytest.raises(Told), Early():
        os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_signal_that_a_finaliser_swallowed_is_raised_again_before_anything_is_sent() -> None:
    with Early() as early:
        Finalised()
        with pytest.raises(Told):
            early.insist()


def test_without_a_signal_nothing_is_insisted_on_and_the_listener_has_its_place_again() -> None:
    with Early() as early:
        early.insist()
    assert signal.getsignal(signal.SIGTERM) is tell
