"""The loop itself."""

import pytest

from runner.app.executor import drive
from runner.errors import InternalError


class _Waits:
    def __await__(self):  # type: ignore[no-untyped-def]
        yield


def test_a_coroutine_that_never_waits_needs_no_loop() -> None:
    async def answer() -> int:
        return 42

    assert drive(answer()) == 42


def test_a_coroutine_that_waits_is_a_bug() -> None:
    async def wait() -> None:
        await _Waits()

    with pytest.raises(InternalError, match="waited"):
        drive(wait())
