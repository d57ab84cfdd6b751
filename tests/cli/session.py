"""Runs the command as a user does: in a process of its own, in a folder of its own."""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Session:
    """A folder that commands are run in.  `env` comes on top of a bare environment."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    def __call__(
        self, *arguments: str | Path, stdin: bytes = b"", timeout: float = 60, env: dict[str, str] | None = None,
    ) -> "Ended":
        process = subprocess.run(
            [sys.executable, "-m", "runner", *map(str, arguments)], cwd=self.folder, input=stdin, timeout=timeout,
            capture_output=True, env=bare_environment() | self.env | (env or {}), check=False,
        )
        return Ended(process.returncode, process.stdout.decode(), process.stderr.decode())


@dataclass(frozen=True, slots=True)
class Ended:
    code: int
    out: str
    err: str


def bare_environment() -> dict[str, str]:
    """Ours, without what would change a command's behaviour."""
    dropped = {"MODE", "DEFAULT_SYMBOL", "DAKSH_STATE_DIR", "NO_COLOR", "COLUMNS", "PYTHONWARNINGS"}
    return {name: value for name, value in os.environ.items() if name not in dropped} | {"PYTHONWARNINGS": "error"}
