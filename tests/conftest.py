"""What tests of several rooms share."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real market data, read in place; a test that asks for it is skipped where it is not there."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no real market data: the folder ../shared/data is not there")
    return folder


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees what the developer has set for runs of his own."""
    for name in (
        "MODE", "DEFAULT_SYMBOL", "DAKSH_STATE_DIR", "DAKSH_TIMINGS", "XDG_STATE_HOME", "BINANCE_API_KEY",
        "BINANCE_API_SECRET", "BINANCE_FUTURES_REST_URL", "BINANCE_FUTURES_WS_URL", "NO_COLOR",
    ):
        monkeypatch.delenv(name, raising=False)
