"""The exchange of the live tests, as a process of its own; each test has an account on it."""

from tests.live.conftest import stage, trader

__all__ = ["stage", "trader"]
