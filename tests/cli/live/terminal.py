"""A terminal of its own, with somebody at it who types and reads."""

import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import ioctl
from pathlib import Path

from tests.live.stage import BOUND_S, Trader, until

_AT_A_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", "runner", *sys.argv[1:]])
"""
"""Makes its standard input the terminal whose Ctrl-C it gets."""
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """The command at a terminal; `text` is everything that it wrote there so far."""

    def __init__(self, process: "subprocess.Popen[bytes]", end: int) -> None:
        self.process = process
        self._end = end
        self._parts: list[bytes] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def raw(self) -> str:
        return b"".join(self._parts).decode(errors="replace")

    @property
    def text(self) -> str:
        """Without control codes; what was drawn over is still there."""
        return _CONTROL.sub("", self.raw).replace("\r\n", "\n").replace("\r", "\n")

    def type(self, text: str) -> None:
        os.write(self._end, text.encode())

    def until(self, words: str) -> None:
        until(f"{words!r} on the terminal", lambda: words in self.text or self._over(words))

    def code(self) -> int:
        code = self.process.wait(BOUND_S)
        self._reader.join(BOUND_S)
        return code

    def _over(self, words: str) -> bool:
        assert self.process.poll() is None or words in self.text, f"it ended without {words!r}:\n{self.text}"
        return False

    def _read(self) -> None:
        while True:
            try:
                part = os.read(self._end, 65_536)
            except OSError:  # the other end is closed: the command has ended
                return
            if not part:
                return
            self._parts.append(part)


@contextmanager
def terminal(trader: Trader, *arguments: str | Path, columns: int = 80) -> Iterator[Terminal]:
    """The installed command, as the trader types it; it does not outlive the block."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))
    env = trader._environment() | {"TERM": "xterm-256color"}
    env.pop("NO_COLOR", None)
    process = subprocess.Popen(
        [sys.executable, "-c", _AT_A_TERMINAL, *map(str, arguments)], cwd=trader.folder, env=env, stdin=theirs,
        stdout=theirs, stderr=theirs, start_new_session=True,
    )
    os.close(theirs)
    shown = Terminal(process, ours)
    try:
        yield shown
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(ours)
