"""The stage of the live tests: one served exchange, accounts on it, and the command as it is installed.

Prices are led by hand, time is the wall's.  Whoever waits here waits for a fact, with a bound; nothing sleeps for time
to pass.
"""

import hashlib
import hmac
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from runner.app.live.options import LiveOptions
from runner.app.live.preview import preview_live
from runner.app.run import RunOptions
from runner.cli.timings import read_timings
from runner.gateways.binance.keys import Credentials, Secret
from runner.gateways.binance.settings import Endpoints
from tests.acceptance.served import Served, serving
from tests.cli.session import bare_environment

T = TypeVar("T")
BOUND_S = 40.0
"""Far longer than anything here takes, on a machine that does other things too."""
LOOK_S = 0.01

TIMINGS = {
    "recv_window": "300ms", "request": "600ms", "connect": "500ms", "retry_pauses": "25ms/50ms/100ms",
    "poll": "150ms", "snapshot": "1s", "heartbeat": "1s", "clock": "3s", "reconnect_pauses": "5ms/20ms/100ms",
    "retry_pause": "50ms", "twin_after": "200ms", "price_wait": "50ms", "lookup_pauses": "25ms/50ms/100ms/200ms",
    "expiry_margin": "50ms", "trust_after": "100ms", "agree_after": "50ms", "limit_wait": "50ms",
    "cancel_retry": "25ms", "settled_after": "50ms",
}
"""About a twentieth of what users wait; `stale` stays, since the mark price comes once a second at any scale."""


class TooLate(AssertionError):
    """What was waited for did not come."""


def until(what: str, found: Callable[[], T], seconds: float = BOUND_S) -> T:
    """The first value that is neither None nor False."""
    end = time.monotonic() + seconds
    while True:
        value = found()
        if value is not None and value is not False:
            return value
        if time.monotonic() > end:
            raise TooLate(f"{what}: not within {seconds:g} s")
        time.sleep(LOOK_S)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str
    cmdline: str

    @property
    def said(self) -> str:
        return f"exit {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


class Running:
    """The installed command in a process of its own; what it says goes to two files."""

    def __init__(self, arguments: tuple[str, ...], folder: Path, env: dict[str, str]) -> None:
        number = sum(1 for _ in folder.glob("said-*.out"))
        self._out, self._err = folder / f"said-{number}.out", folder / f"said-{number}.err"
        with self._out.open("w") as out, self._err.open("w") as err:
            self.process = subprocess.Popen(
                [sys.executable, *arguments], cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
            )
        self.cmdline = _cmdline(self.process.pid)

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None

    @property
    def out(self) -> str:
        return self._out.read_text(encoding="utf-8")

    @property
    def err(self) -> str:
        return self._err.read_text(encoding="utf-8")

    def kill(self) -> None:
        """As a power cut does it."""
        self.process.kill()
        self.process.wait()

    def tell(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self, seconds: float = BOUND_S) -> Ended:
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise TooLate(f"the command did not end within {seconds:g} s\n{self.out}\n{self.err}") from None
        return Ended(code, self.out, self.err, self.cmdline)


@dataclass(slots=True)
class Trader:
    """An account on the exchange, and its owner: a folder that commands are typed in, and a home for live state."""

    served: Served
    name: str
    key: str
    secret: str
    folder: Path
    home: Path
    cursor: int
    asked: int
    """The exchange's events and requests up to these numbers are of others."""
    timings: dict[str, str] = field(default_factory=lambda: dict(TIMINGS))
    env: dict[str, str] = field(default_factory=dict)
    running: list[Running] = field(default_factory=list)

    # --- commands

    def start(self, *arguments: str | Path, entry: tuple[str, ...] = ("-m", "runner"), **env: str) -> Running:
        made = Running((*entry, *map(str, arguments)), self.folder, self._environment() | env)
        self.running.append(made)
        return made

    def command(self, *arguments: str | Path, seconds: float = BOUND_S, **env: str) -> Ended:
        return self.start(*arguments, **env).wait(seconds)

    def plan(self, text: str, name: str = "plan.yaml") -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def approval(self, plan: Path) -> str:
        """The approval id that a person would copy from the preview, without the start of a process."""
        timings, pace = read_timings(self._timings)
        live = LiveOptions(
            "demo", Endpoints(self.served.rest, self.served.ws), Credentials(Secret(self.key), Secret(self.secret)),
            self.home, timings=timings, pace=pace,
        )
        return preview_live(RunOptions(str(plan), plan.read_bytes(), self.home, mode="demo"), live).approval_id

    def run(self, plan: Path, *arguments: str, approval: str = "", **more: Any) -> Running:
        """The plan's run, approved."""
        approve = approval or self.approval(plan)
        return self.start("run", plan, "--mode", "demo", "--approve", approve, *arguments, **more)

    def resume(self, *arguments: str, **more: Any) -> Running:
        """Take the last run of the account on."""
        return self.start("resume", self.run_id(), *arguments, **more)

    def run_id(self) -> str:
        """The id of the account's only or last run."""
        runs = self.journals()
        assert runs, f"no journal under {self.home}: {[*self.home.rglob('*')]}"
        return runs[-1].stem.partition("-")[2]

    def journals(self) -> list[Path]:
        return sorted(self.home.rglob("runs/*.sqlite"))

    def _environment(self) -> dict[str, str]:
        """What a user of this exchange sets; nothing of the developer's own."""
        return bare_environment() | {
            "BINANCE_API_KEY": self.key, "BINANCE_API_SECRET": self.secret,
            "BINANCE_FUTURES_REST_URL": self.served.rest, "BINANCE_FUTURES_WS_URL": self.served.ws,
            "XDG_STATE_HOME": str(self.home), "HOME": str(self.home), "NO_COLOR": "1", "NO_PROXY": "*",
            "DAKSH_TIMINGS": self._timings,
        } | self.env

    @property
    def _timings(self) -> str:
        return ",".join(f"{name}={value}" for name, value in self.timings.items())

    # --- the exchange's truth

    def orders(self, symbol: str = "BTCUSDT", *, closed: bool = True) -> dict[str, list[dict[str, Any]]]:
        """`orders` of the book and `conditionals`, as the exchange itself has them."""
        found: dict[str, list[dict[str, Any]]] = self.served.shown(
            f"orders?account={self.name}&symbol={symbol}&closed={'true' if closed else 'false'}"
        )[self.name]
        return found

    def held(self, symbol: str = "BTCUSDT") -> str:
        """The signed position, as text."""
        rows = self.served.shown(f"positions?account={self.name}&symbol={symbol}")[self.name]["positions"]
        return str(rows[0]["positionAmt"]) if rows else "0"

    def events(self) -> list[dict[str, Any]]:
        """What has happened to the account, the oldest first."""
        rows = paged(self.served, "events", self.cursor)[0]
        return [row["event"] for row in rows if row["account"] == self.name]

    def requests(self, *routes: str) -> list[dict[str, Any]]:
        """What was asked with the account's key, the oldest first; `routes` begin like this."""
        rows = paged(self.served, "requests", self.asked, self.name)[0]
        return [row for row in rows if not routes or row["route"].startswith(routes)]

    def fault(self, name: str, **more: Any) -> int:
        """A fault for this account alone, unless `more` says otherwise; its number."""
        return int(self.served.sim("faults", **{"name": name, "account": self.name, **more})["numbers"][0])

    # --- the owner's own hand

    def by_hand(self, method: str, path: str, **params: Any) -> Any:
        """A signed request, as the owner would send it in another window."""
        values = {**params, "timestamp": int(time.time() * 1000)}
        query = "&".join(f"{name}={value}" for name, value in values.items())
        signature = hmac.new(self.secret.encode(), query.encode(), hashlib.sha256).hexdigest()
        url = f"{self.served.rest}/fapi/{path}?{query}&signature={signature}"
        try:
            with urlopen(Request(url, headers={"X-MBX-APIKEY": self.key}, method=method), timeout=10) as answer:
                return json.load(answer)
        except HTTPError as error:
            raise AssertionError(f"{method} {path} {params}: {error.code} {error.read()!r}") from None

    def buy_by_hand(self, qty: str, symbol: str = "BTCUSDT", side: str = "BUY") -> None:
        self.by_hand("POST", "v1/order", symbol=symbol, side=side, type="MARKET", quantity=qty)


@dataclass(slots=True)
class Stage:
    """The exchange of one test process.  Every trader on it is new."""

    served: Served
    folder: Path
    _made: int = 0
    _cursor: int = 0
    _asked: int = 0

    def trader(self, balance: str = "10000", **body: Any) -> Trader:
        self._made += 1
        secret = hashlib.sha256(f"secret of trader {self._made}".encode()).hexdigest()
        self._cursor = paged(self.served, "events", self._cursor)[1]
        self._asked = paged(self.served, "requests", self._asked)[1]
        account = self.served.open_account(balance, secret=secret, key=secret[::-1], **body)
        folder = self.folder / account.name
        home = folder / "home"
        home.mkdir(parents=True)
        return Trader(self.served, account.name, account.key, secret, folder, home, self._cursor, self._asked)

    def price(self, price: str, symbol: str = "BTCUSDT", qty: str = "") -> None:
        """The market trades there; with `qty` one trade of that size."""
        more = {"qty": qty} if qty else {}
        self.served.sim("price", symbol=symbol, price=price, **more)


@contextmanager
def staged(folder: Path) -> Iterator[Stage]:
    """An exchange at the wall's pace, without limits, two symbols led by hand."""
    arguments = ("--speed", "1x", "--no-limits", "--price", "BTCUSDT=60000", "--price", "ETHUSDT=3000")
    with serving(folder, *arguments) as served:
        served.price("3000", "ETHUSDT")
        yield Stage(served, folder)


@contextmanager
def troupe(stage: Stage, **body: Any) -> Iterator[Trader]:
    """A trader of whose commands none outlives the block, and of whose faults none stays."""
    trader = stage.trader(**body)
    try:
        yield trader
    finally:
        for running in trader.running:
            if not running.ended:
                running.kill()
        stage.served._ask(Request(f"{stage.served.rest}/sim/faults", method="DELETE"))


def paged(served: Served, what: str, after: int, account: str = "") -> tuple[list[dict[str, Any]], int]:
    """All rows of `events` or `requests` after that number, and the last number."""
    rows: list[dict[str, Any]] = []
    while True:
        page = served.shown(f"{what}?after={after}" + (f"&account={account}" if account else ""))
        if page["last"] == after:
            return rows, after
        rows += page[what]
        after = page["last"]


def _cmdline(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""
