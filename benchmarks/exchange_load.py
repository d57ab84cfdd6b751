"""What the served exchange bears: signed orders a second, how long an answer takes, and what a closed order costs.

    python benchmarks/exchange_load.py [--seconds 30] [--rate 1050] [--accounts 50] [--json] [--check]

Starts `daksh-run exchange` as a process of its own, opens the accounts, and lets them all trade at once from this
process: each on a connection of its own, the next request after the last answer, limit and market orders,
conditional orders and cancels, every request signed.  Afterwards one account alone closes orders until nothing more is
kept of it, and then as many again as are kept: by then the memory must have stopped growing.  `--check` exits 1 where
a bound is missed.
"""

import argparse
import asyncio
import contextlib
import hmac
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

SYMBOL = "BTCUSDT"
PRICE = "60000"
KEPT = 10_000
"""Closed orders that the exchange keeps of an account."""

LEAST_RATE = 1000.0
"""Orders a second, placements only."""
MOST_BYTES = 1536.0
"""Of memory, for a closed order that is kept."""
MOST_BYTES_BEYOND = 100.0
"""Of memory, for a closed order that pushes out an older one: what the allocator's noise needs."""


@dataclass(frozen=True, slots=True)
class Step:
    """One request of the round that every account goes again and again; `{n}` stands for the round's number."""

    method: str
    path: str
    params: str
    places: bool = False
    """Whether it is an order of its own, which ends within the round."""


def _order(text: str) -> Step:
    return Step("POST", "/fapi/v1/order", f"symbol={SYMBOL}&{text}", places=True)


def _conditional(text: str) -> Step:
    return Step("POST", "/fapi/v1/algoOrder", f"algoType=CONDITIONAL&symbol={SYMBOL}&{text}", places=True)


ROUND = (
    _order("side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.010&price=58000.0&newClientOrderId=a-{n}"),
    _order("side=BUY&type=MARKET&quantity=0.010&newClientOrderId=b-{n}"),
    _conditional("side=SELL&type=STOP_MARKET&quantity=0.010&triggerPrice=57000.0&reduceOnly=true&clientAlgoId=c-{n}"),
    _conditional("side=SELL&type=TAKE_PROFIT_MARKET&quantity=0.010&triggerPrice=63000.0&clientAlgoId=d-{n}"),
    _order("side=SELL&type=LIMIT&timeInForce=GTX&quantity=0.010&price=62000.0&reduceOnly=true&newClientOrderId=e-{n}"),
    Step("DELETE", "/fapi/v1/order", f"symbol={SYMBOL}&origClientOrderId=a-{{n}}"),
    _order("side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.010&price=57500.0&newClientOrderId=f-{n}"),
    Step("DELETE", "/fapi/v1/algoOrder", "clientAlgoId=c-{n}"),
    _order("side=SELL&type=MARKET&quantity=0.010&newClientOrderId=g-{n}"),
    _order("side=BUY&type=LIMIT&timeInForce=IOC&quantity=0.010&price=59000.0&newClientOrderId=h-{n}"),
    Step("DELETE", "/fapi/v1/allOpenOrders", f"symbol={SYMBOL}"),
    Step("DELETE", "/fapi/v1/algoOpenOrders", f"symbol={SYMBOL}"),
)


ALONE = (
    _order("side=BUY&type=MARKET&quantity=0.010&newClientOrderId=b-{n}"),
    _order("side=SELL&type=MARKET&quantity=0.010&newClientOrderId=s-{n}"),
)
"""Orders that leave the most behind: each an execution, a fee, and every second one a profit or loss."""
FULL = 37_000
"""Such orders, until the exchange has something to push out of all that it keeps of an account, and the allocator has
found its form."""


@dataclass(slots=True)
class Tally:
    """Of all accounts together; `waits` are seconds from a request to its answer."""

    placed: int = 0
    waits: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)

    def wait(self, share: float) -> float:
        """The wait that `share` of all requests do not exceed, in ms."""
        if not self.waits:
            return 0.0
        ordered = sorted(self.waits)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000


class Trader(asyncio.Protocol):
    """One account on one connection: sends the round's next request as soon as it is due and the last is answered."""

    def __init__(
        self, host: str, key: str, secret: str, steps: tuple[Step, ...], tally: Tally, gap: float, stop_at: float,
        orders: int,
    ) -> None:
        """`gap` in seconds between requests; ends after the round in which the loop's time reaches `stop_at`, or in
        which so many `orders` have been placed."""
        self._steps = steps
        self._secret = secret.encode()
        self._heads = tuple(
            f"{step.method} {step.path} HTTP/1.1\r\nHost: {host}\r\nX-MBX-APIKEY: {key}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ".encode()
            for step in steps
        )
        self._tally = tally
        self._gap = gap
        self._stop_at = stop_at
        self._left = orders
        self._loop = asyncio.get_running_loop()
        self._due = self._loop.time()
        self._sent_at = 0.0
        self._at = 0
        self._buffer = b""
        self.done: asyncio.Future[None] = self._loop.create_future()
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self._tally.errors["connection lost"] += 1
            self.done.set_result(None)

    def data_received(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return
        lowered = head.lower()
        at = lowered.index(b"content-length:") + 15
        length = int(lowered[at:].split(b"\r", 1)[0])
        if len(rest) < length:
            return
        self._buffer = b""
        self._answered(head[9:12], rest)

    def _answered(self, status: bytes, body: bytes) -> None:
        now = self._loop.time()
        self._tally.waits.append(now - self._sent_at)
        step = self._steps[self._at % len(self._steps)]
        if status != b"200":
            self._tally.errors[f"{step.method} {step.path}: {status.decode()} {body[:120].decode()}"] += 1
        if step.places:
            self._tally.placed += 1
            self._left -= 1
        self._at += 1
        ended = self._left <= 0 or now >= self._stop_at
        if ended and self._at % len(self._steps) == 0:
            self.done.set_result(None)
            self._transport.close()
            return
        self._due += self._gap
        if self._due > now:
            self._loop.call_at(self._due, self._send)
        else:
            self._send()

    def _send(self) -> None:
        number, index = divmod(self._at, len(self._steps))
        text = self._steps[index].params.replace("{n}", str(number))
        payload = f"{text}&recvWindow=5000&timestamp={int(time.time() * 1000)}".encode()
        signature = hmac.digest(self._secret, payload, "sha256").hex().encode()
        length = len(payload) + len(signature) + 11
        self._sent_at = self._loop.time()
        self._transport.write(
            b"%b%d\r\n\r\n%b&signature=%b" % (self._heads[index], length, payload, signature)
        )


@dataclass(frozen=True, slots=True)
class Served:
    """The exchange in its own process."""

    process: "subprocess.Popen[str]"
    host: str
    port: int

    def sim(self, route: str, **body: Any) -> Any:
        request = Request(
            f"http://{self.host}:{self.port}/sim/{route}", json.dumps(body).encode(),
            {"Content-Type": "application/json"}, method="POST",
        )
        with urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def resident(self) -> float:
        """Bytes of memory that the process holds; 0 where the system does not tell."""
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
                if line.startswith("VmRSS:"):
                    return float(line.split()[1]) * 1024
        return 0.0


@contextlib.contextmanager
def served(folder: Path) -> Iterator[Served]:
    """The exchange on a free port, with a price that stands; ended at the end."""
    with (folder / "exchange.log").open("w+") as complaints:
        process = subprocess.Popen(
            [sys.executable, "-m", "runner", "exchange", "--port", "0", "--path", f"{SYMBOL}=0s:{PRICE}"],
            cwd=folder, stdout=subprocess.PIPE, stderr=complaints, text=True,
        )
        try:
            yield _started(process, complaints)
        finally:
            process.terminate()
            process.wait(timeout=10)
            if process.stdout is not None:
                process.stdout.close()


def _started(process: "subprocess.Popen[str]", complaints: Any) -> Served:
    assert process.stdout is not None
    for line in process.stdout:
        if "http://" in line:
            host, _, port = line.split("http://", 1)[1].split()[0].rstrip("/").partition(":")
            return Served(process, host, int(port))
    complaints.seek(0)
    raise SystemExit(f"the exchange did not start: {complaints.read()}")


async def trade(
    exchange: Served, accounts: list[tuple[str, str]], steps: tuple[Step, ...], *, gap: float = 0.0,
    seconds: float = 1e9, orders: int = 10**9,
) -> tuple[Tally, float]:
    """All accounts trade, each on its connection; the tally, and how long it took."""
    loop = asyncio.get_running_loop()
    tally = Tally()
    started = loop.time()

    def trader(key: str, secret: str) -> Callable[[], Trader]:
        host = f"{exchange.host}:{exchange.port}"
        return lambda: Trader(host, key, secret, steps, tally, gap, started + seconds, orders)

    traders = []
    for index, (key, secret) in enumerate(accounts):
        _, protocol = await loop.create_connection(trader(key, secret), exchange.host, exchange.port)
        traders.append(protocol)
        if gap and index + 1 < len(accounts):
            await asyncio.sleep(gap / len(accounts))
    await asyncio.gather(*(protocol.done for protocol in traders))
    return tally, loop.time() - started


@dataclass(frozen=True, slots=True)
class Bound:
    """A measured figure with what it must reach, or must not exceed."""

    name: str
    value: float
    unit: str
    least: float | None = None
    most: float | None = None

    @property
    def missed(self) -> bool:
        return (self.least is not None and self.value < self.least) or (
            self.most is not None and self.value > self.most
        )


def measure(options: argparse.Namespace, folder: Path) -> tuple[list[Bound], Counter[str]]:
    """Together at the asked rate, then one account alone until nothing more is kept."""
    places = sum(step.places for step in ROUND)
    per_account = options.rate / options.accounts * len(ROUND) / places
    with served(folder) as exchange:
        accounts = []
        for number in range(options.accounts + 1):
            made = exchange.sim("accounts", name=f"load-{number}", balance="100000")
            accounts.append((str(made["api_key"]), str(made["api_secret"])))
        lone = accounts.pop()
        exchange.sim("limits", weight=None)
        warm, _ = asyncio.run(trade(exchange, accounts, ROUND, seconds=0.0))
        before = exchange.resident()
        tally, took = asyncio.run(trade(exchange, accounts, ROUND, gap=1 / per_account, seconds=options.seconds))
        kept = (exchange.resident() - before) / max(1, tally.placed)
        exchange.sim("limits", weight=None, orders_10s=None, orders_1m=None)
        filling, filling_took = asyncio.run(trade(exchange, [lone], ALONE, orders=FULL))
        full = exchange.resident()
        beyond, _ = asyncio.run(trade(exchange, [lone], ALONE, orders=KEPT))
        grown = (exchange.resident() - full) / max(1, beyond.placed)
    errors = warm.errors + tally.errors + filling.errors + beyond.errors
    return [
        Bound("orders a second", tally.placed / took, "/s", least=LEAST_RATE),
        Bound("requests a second", len(tally.waits) / took, "/s"),
        Bound("seconds", took, "s"),
        Bound("errors", float(sum(errors.values())), "", most=0),
        Bound("answer, p50", tally.wait(0.5), "ms"),
        Bound("answer, p99", tally.wait(0.99), "ms"),
        Bound("one account alone", filling.placed / filling_took, "/s"),
        Bound("memory a closed order, kept", kept, "bytes", most=MOST_BYTES),
        Bound("memory a closed order, beyond", grown, "bytes", most=MOST_BYTES_BEYOND),
    ], errors


def main() -> int:
    parser = argparse.ArgumentParser(description="What the served exchange bears.")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--rate", type=float, default=1050, help="orders a second that all accounts together try")
    parser.add_argument("--accounts", type=int, default=50)
    parser.add_argument("--json", action="store_true", help="the figures as one JSON object")
    parser.add_argument("--check", action="store_true", help="exit 1 where a bound is missed")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        bounds, errors = measure(options, Path(name))
    missed = [bound.name for bound in bounds if bound.missed]
    if options.json:
        figures = {bound.name: {"value": round(bound.value, 3), "unit": bound.unit} for bound in bounds}
        print(json.dumps({"figures": figures, "errors": dict(errors), "missed": missed}, indent=2))
    else:
        for bound in bounds:
            limit = f"at least {bound.least:g}" if bound.least is not None else ""
            limit = f"at most {bound.most:g}" if bound.most is not None else limit
            print(f"{bound.name:<32} {bound.value:>10.1f} {bound.unit:<6} {limit}")
        for text, times in errors.most_common(10):
            print(f"{times} x {text}")
        if missed:
            print(f"missed: {', '.join(missed)}")
    return 1 if missed and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
