"""The exchange as its users start it: a process of its own on a free port, which moves only when it is told to."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from threading import Timer
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

SYMBOL = "BTCUSDT"
START_S = 30
_NUMBERS = count(1)


def require(module: str, package: str) -> None:
    """Skip the calling test module where the client is not installed."""
    if find_spec(module) is None:
        pytest.skip(f"{package} is not installed; .ci/run installs the clients", allow_module_level=True)


@dataclass(frozen=True, slots=True)
class Account:
    """An account on the exchange, with its API key."""

    name: str
    key: str
    secret: str = ""


@dataclass(frozen=True, slots=True)
class Served:
    rest: str
    """Like `http://127.0.0.1:9001`."""

    @property
    def ws(self) -> str:
        return self.rest.replace("http", "ws", 1)

    def sim(self, route: str, /, **body: Any) -> Any:
        """Tell the exchange: `POST /sim/{route}`."""
        return self._ask(Request(
            f"{self.rest}/sim/{route}", json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST"
        ))

    def shown(self, route: str) -> Any:
        """Ask the exchange: `GET /sim/{route}`."""
        return self._ask(Request(f"{self.rest}/sim/{route}"))

    def _ask(self, request: Request) -> Any:
        try:
            with urlopen(request, timeout=10) as answer:
                return json.load(answer)
        except HTTPError as error:
            raise AssertionError(f"{request.full_url} {request.data!r}: {error.code} {error.read()!r}") from None

    def price(self, price: str, symbol: str = SYMBOL) -> None:
        self.sim("price", symbol=symbol, price=price)

    def step(self, ms: int) -> None:
        self.sim("step", ms=ms)

    def open_account(self, balance: str = "10000", **body: Any) -> Account:
        """An account that no other test has."""
        name = f"account-{next(_NUMBERS)}"
        made = self.sim("accounts", name=name, balance=balance, **body)
        return Account(name, made["api_key"], made.get("api_secret", ""))


@contextmanager
def serving(folder: Path, *arguments: str) -> Iterator[Served]:
    """The exchange, until the end of the block; what it complained of is in the folder's `exchange.log`."""
    log = folder / "exchange.log"
    with log.open("w") as complaints:
        process = subprocess.Popen(
            [sys.executable, "-m", "runner", "exchange", "--port", "0", "--speed", "step", *arguments],
            cwd=folder, stdout=subprocess.PIPE, stderr=complaints, text=True, env={**os.environ, "NO_COLOR": "1"},
        )
        assert process.stdout is not None
        overdue = Timer(START_S, process.kill)
        overdue.start()
        with process.stdout:
            try:
                told = (re.search(r"http://[\w.:]+", line) for line in process.stdout)
                address = next((match.group() for match in told if match), "")
                overdue.cancel()
                assert address, f"the exchange did not start: {log.read_text()}"
                exchange = Served(address)
                exchange.price("60000")
                yield exchange
            finally:
                overdue.cancel()
                process.terminate()
                process.wait(timeout=10)
    assert process.returncode == 0, f"the exchange ended with {process.returncode}: {log.read_text()}"
    assert "Traceback" not in log.read_text(), log.read_text()
