"""`bot.log` of the runs of an account: written by loguru, which turns the file over when it is large.

The lines are the formatter's, the same as a dry run's.  Loguru adds nothing to them: it files each under its own level,
keeps secrets out, and looks after the file.
"""

import json
import logging
import os
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from loguru import logger

from runner.domain.times import rfc3339
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
        self._ear: _Ear | None = None
        self._source: logging.Logger | None = None
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

    def listen(self, name: str, mode: str, run_id: str) -> None:
        """Take warnings and errors of our own code below `name`, that belong to no event of the run."""
        self._ear = _Ear(self, {"action": "defect", "mode": mode, "runId": run_id, "stepId": ""})
        self._source = logging.getLogger(name)
        self._source.addHandler(self._ear)

    def close(self) -> None:
        if self._source is not None and self._ear is not None:
            self._source.removeHandler(self._ear)
        logger.remove(self._sink)


class _Ear(logging.Handler):
    """Makes a record of the standard library's logging a line of the log."""

    def __init__(self, log: RunLog, common: dict[str, str]) -> None:
        super().__init__(logging.WARNING)
        self._log = log
        self._common = common

    def emit(self, record: logging.LogRecord) -> None:
        line = {
            "ts": rfc3339(int(record.created * 1_000)),
            "level": "ERROR" if record.levelno >= logging.ERROR else "WARNING",
            **self._common, "error": record.getMessage(),
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["trace"] = "".join(traceback.format_exception(*record.exc_info))
        self._log.write(json.dumps(line, ensure_ascii=False) + "\n")


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
