"""`bot.log` of the runs of an account: written by loguru, which turns the file over when it is large.

The lines are the formatter's, the same as a dry run's.  Loguru adds nothing to them: it files each under its own level,
keeps secrets out, and looks after the file.
"""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from loguru import logger

from runner.gateways.binance.keys import Secret

ROTATION_BYTES = 10_000_000
KEPT_FILES = 20
REDACTED = "[secret]"

logger.configure(handlers=[])  # loguru's own of the terminal: what a person is shown is the command line's


class RunLog:
    """Adds lines to the log at `path`; any of the `secrets` that got into one is taken out of it.

    Several runs of an account have the same log open: each line is one write to its end, and where one of them turns
    the file over, the others follow.
    """

    def __init__(
        self, path: Path, secrets: Iterable[Secret] = (), *, rotation_bytes: int = ROTATION_BYTES,
        kept_files: int = KEPT_FILES,
    ) -> None:
        self._secrets = tuple(text for secret in secrets for text in _texts(secret))
        self._bound = logger.bind(log=self)
        self._sink = logger.add(
            path, format=_line, filter=lambda record: record["extra"].get("log") is self, level="DEBUG",
            rotation=rotation_bytes, retention=kept_files, encoding="utf-8", colorize=False, backtrace=False,
            diagnose=False, watch=True, opener=_private,
        )

    def write(self, text: str) -> None:
        """Lines as the formatter makes them, each ending with a newline."""
        for line in filter(None, text.split("\n")):
            for secret in self._secrets:
                line = line.replace(secret, REDACTED)
            self._bound.bind(line=line).log(json.loads(line)["level"], "")

    def close(self) -> None:
        logger.remove(self._sink)


def _line(record: Any) -> str:
    """Loguru formats what this returns once more; the line itself is an argument, so that its braces stay."""
    return "{extra[line]}\n"


def _private(path: str, flags: int) -> int:
    """For the user alone: it names what he holds."""
    return os.open(path, flags, 0o600)


def _texts(secret: Secret) -> tuple[str, ...]:
    """The secret as it is, and as JSON would hold it."""
    text = secret.reveal()
    return (text, json.dumps(text)[1:-1]) if text else ()
