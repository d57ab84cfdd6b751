"""Runs the command as a user does: in a process of its own, in a folder of its own."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Session:
    """A folder that commands are run in.  `env` comes on top of a bare environment."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    @property
    def _state(self) -> dict[str, str]:
        return {"XDG_STATE_HOME": str(self.folder / ".state")}

    def __call__(
        self, *arguments: str | Path, stdin: bytes = b"", timeout: float = 60, env: dict[str, str] | None = None,
    ) -> "Ended":
        began = _spent()
        process = subprocess.run(
            [sys.executable, "-m", "runner", *map(str, arguments)], cwd=self.folder, input=stdin, timeout=timeout,
            capture_output=True, env=bare_environment() | self._state | self.env | (env or {}), check=False,
        )
        return Ended(process.returncode, process.stdout.decode(), process.stderr.decode(), _spent() - began)


@dataclass(frozen=True, slots=True)
class Ended:
    """`seconds` is what it cost: processor time where the system tells it, which neighbours do not change."""

    code: int
    out: str
    err: str
    seconds: float


def _spent() -> float:
    try:
        import resource
    except ImportError:
        return time.monotonic()
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def bare_environment() -> dict[str, str]:
    """Ours, without what would change a command's behaviour."""
    dropped = {
        "MODE", "DEFAULT_SYMBOL", "DAKSH_STATE_DIR", "DAKSH_TIMINGS", "XDG_STATE_HOME", "BINANCE_API_KEY",
        "BINANCE_API_SECRET", "BINANCE_FUTURES_REST_URL", "BINANCE_FUTURES_WS_URL", "NO_COLOR", "COLUMNS",
        "PYTHONWARNINGS",
    }
    return {name: value for name, value in os.environ.items() if name not in dropped} | {"PYTHONWARNINGS": "error"}
