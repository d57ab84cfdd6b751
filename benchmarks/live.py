"""How fast a live run reacts, and how punctual it is, against the served exchange in this process.

    python benchmarks/live.py [--brackets 200] [--slices 1000] [--seconds 60] [--json] [--check]

Reaction: from the frame that tells a take-profit's fill, as it is received, to the cancel of the stop beside it, as the
exchange takes it; of the installed command, and of a bare aiohttp client that does nothing else, in turns.
Punctuality: TWAP slices of one run, due at distinct instants, order limits lifted: how late each starts.  `--check`
exits 1 where a bound is missed.
"""

import argparse
import asyncio
import hashlib
import hmac
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from runner.app.instruments import load_instruments
from runner.app.live.options import LiveOptions
from runner.app.live.preview import preview_live
from runner.app.run import RunOptions
from runner.domain.commands import PlaceOrder, SetTimer
from runner.domain.events import TimerFired
from runner.domain.values import OrderType, Side
from runner.gateways.binance.keys import Credentials, Secret
from runner.gateways.binance.settings import Endpoints
from runner.journal.store import JournalReader
from runner.venue.account import Account
from runner.venue.exchange import Exchange
from runner.venue.fapi.assembly import Assembled, assemble
from runner.venue.fapi.clock import FrontClock
from runner.venue.fapi.limits import Limits
from runner.venue.fapi.params import Params
from runner.venue.fapi.server import listen
from runner.venue.feeds.merging import feed
from runner.venue.market import Point
from runner.venue.requests import NewOrder
from runner.venue.settings import Slippage, VenueSettings

SYMBOL = "BTCUSDT"
CALM, PROFIT, STOP = Decimal(60000), Decimal(61000), Decimal(59000)
MOST_RATIO = 2.0
"""The reaction's p50, as a multiple of the bare client's."""
MOST_LATE_MS = 5.0
PATIENCE_S = 30.0
_BLOCKS = 4
"""Turns in which the brackets are played: what else the machine does falls on both."""


@dataclass(slots=True)
class Arrivals:
    """Sees every request as the exchange takes it up, and lets it pass.  Instants in ns: monotonic, and the wall's."""

    active: bool = True
    cancels: dict[str, list[int]] = field(default_factory=dict)
    orders: dict[str, list[tuple[int, str]]] = field(default_factory=dict)

    def before(self, route: str, account: Account | None, params: Params) -> None:
        if account is None:
            return
        if route == "DELETE /fapi/v1/algoOrder":
            self.cancels.setdefault(account.name, []).append(time.monotonic_ns())
        elif route == "POST /fapi/v1/order":
            self.orders.setdefault(account.name, []).append((time.time_ns(), params.values["newClientOrderId"]))

    def after(self, route: str, account: Account | None, params: Params, result: Any) -> Any:
        return result


@dataclass(slots=True)
class Ground:
    """The exchange, served; `arrivals` are its requests, `rest` where it is."""

    served: Assembled
    exchange: Exchange
    arrivals: Arrivals
    rest: str
    folder: Path

    def account(self, name: str) -> Account:
        self.served.door.keys.add_secret(f"{name}-key", f"{name}-secret", name)
        return self.exchange.open_account(name)

    def price(self, price: Decimal) -> None:
        self.served.door.feed(Point(SYMBOL, self.served.door.at_ms(), price))

    def place(self, account: Account, side: Side, kind: OrderType, client_id: str, trigger: Decimal | None) -> None:
        """Past the wire, for the client that places nothing itself."""
        request = NewOrder(
            SYMBOL, side, kind, Decimal("0.002"), client_id, trigger_price=trigger, reduce_only=trigger is not None,
            price=trigger if kind is OrderType.TAKE_PROFIT else None,
        )
        at_ms = self.served.door.at_ms()
        if kind.conditional:
            self.exchange.place_conditional(account, request, at_ms)
        else:
            self.exchange.place(account, request, at_ms)
        self.served.door.publish()

    def live(self, name: str) -> LiveOptions:
        ws = self.rest.replace("http", "ws", 1)
        return LiveOptions(
            "demo", Endpoints(self.rest, ws), Credentials(Secret(f"{name}-key"), Secret(f"{name}-secret")), self.folder,
        )

    def environment(self, name: str) -> dict[str, str]:
        return os.environ | {
            "BINANCE_API_KEY": f"{name}-key", "BINANCE_API_SECRET": f"{name}-secret",
            "BINANCE_FUTURES_REST_URL": self.rest, "BINANCE_FUTURES_WS_URL": self.rest.replace("http", "ws", 1),
            "XDG_STATE_HOME": str(self.folder / name), "NO_PROXY": "*", "NO_COLOR": "1",
        }


@asynccontextmanager
async def exchange_here(folder: Path) -> AsyncIterator[Ground]:
    exchange = Exchange(
        {SYMBOL: load_instruments(None)[SYMBOL]}, VenueSettings(balance=Decimal(1_000_000), slippage=Slippage()),
    )
    served = assemble(
        exchange, feed([(Point(SYMBOL, 0, CALM),)]), front=FrontClock(), speed=1.0, limits=Limits(None, None, None),
        faults=(), markets={SYMBOL: "led by the benchmark"},
    )
    arrivals = Arrivals()
    served.door.disturber = arrivals
    runner, port = await listen(served.app, "127.0.0.1", 0)
    tasks = served.tasks()
    try:
        yield Ground(served, exchange, arrivals, f"http://127.0.0.1:{port}", folder)
    finally:
        for task in tasks:
            task.cancel()
        await served.hub.close()
        await runner.cleanup()


async def until(what: str, found: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not found():
        if time.monotonic() > end:
            raise SystemExit(f"{what}: not within {PATIENCE_S:g} s")
        await asyncio.sleep(0.002)


# --- the two who react, each in a process of its own

def child(stamps: Path, arguments: list[str]) -> None:
    """The command itself, but that it notes when it received each fill of an exit."""
    from runner.cli.main import invoke
    from runner.gateways.binance.stream import UserStream

    received: list[int] = []
    heard = UserStream._heard

    def noted(self: UserStream, text: str) -> None:
        now = time.monotonic_ns()
        if _exit_filled(text):
            received.append(now)
        heard(self, text)

    UserStream._heard = noted  # type: ignore[method-assign]
    code = invoke(arguments)
    stamps.write_text(json.dumps(received))
    sys.exit(code)


async def bare(stamps: Path, rest: str, name: str, fills: int) -> None:
    """Nothing but aiohttp: hears the fill, and cancels the stop beside it."""
    from aiohttp import ClientSession

    received: list[int] = []
    key, secret = f"{name}-key", f"{name}-secret".encode()
    async with ClientSession(headers={"X-MBX-APIKEY": key}) as session:
        async with session.post(f"{rest}/fapi/v1/listenKey") as answer:
            listen_key = (await answer.json())["listenKey"]
        async with session.ws_connect(f"{rest.replace('http', 'ws', 1)}/private/ws?listenKey={listen_key}") as socket:
            print("ready", flush=True)
            async for message in socket:
                now = time.monotonic_ns()
                if not _exit_filled(message.data):
                    continue
                sibling = json.loads(message.data)["o"]["c"].replace("profit", "stop")
                now_ms = time.time_ns() // 1_000_000
                query = f"clientAlgoId={sibling}&symbol={SYMBOL}&recvWindow=5000&timestamp={now_ms}"
                signature = hmac.new(secret, query.encode(), hashlib.sha256).hexdigest()
                async with session.delete(f"{rest}/fapi/v1/algoOrder?{query}&signature={signature}") as answer:
                    await answer.read()
                received.append(now)
                if len(received) == fills:
                    break
    stamps.write_text(json.dumps(received))


def _exit_filled(text: str) -> bool:
    return '"X":"FILLED"' in text and '"R":true' in text and '"e":"ORDER_TRADE_UPDATE"' in text


# --- reaction

def brackets_plan(count: int) -> str:
    lines = ["version: 1", "name: reaction", f"defaults: {{symbol: {SYMBOL}}}", "steps:"]
    for number in range(count):
        lines.append(f"  - id: b{number}")
        if number:
            lines.append(f"    after: b{number - 1}")
        lines += [
            "    bracket:", "      side: BUY", "      quantity: 0.002", "      entry: {type: MARKET}",
            f"      take_profit: {{price: {PROFIT}}}", f"      stop_loss: {{stop_price: {STOP}}}",
        ]
    return "\n".join(lines) + "\n"


async def reaction(ground: Ground, count: int) -> tuple[list[float], list[float]]:
    """The reactions of the command and of the bare client, in ms."""
    block = count // _BLOCKS
    ours: list[float] = []
    theirs: list[float] = []
    for turn in range(_BLOCKS):
        theirs += await _bare_block(ground, f"bare{turn}", block)
        ours += await _our_block(ground, f"ours{turn}", block)
    return ours, theirs


async def _our_block(ground: Ground, name: str, count: int) -> list[float]:
    account = ground.account(name)
    plan = ground.folder / f"{name}.yaml"
    plan.write_text(brackets_plan(count))
    stamps = ground.folder / f"{name}.stamps"
    approval = await asyncio.to_thread(_approval, ground, name, plan)
    process = await _started(ground, name, "--child", str(stamps), "run", str(plan), "--mode", "demo",
                             "--approve", approval, "-q")
    for number in range(count):
        await until(f"the exits of bracket {number}", lambda: len(account.open.waiting) == 2)
        ground.price(PROFIT + 10)
        await until(f"the end of bracket {number}", lambda: not account.open.waiting)
        ground.price(CALM)
    await _ended(process, name)
    return _reactions(stamps, ground.arrivals.cancels[name])


async def _bare_block(ground: Ground, name: str, count: int) -> list[float]:
    account = ground.account(name)
    stamps = ground.folder / f"{name}.stamps"
    process = await _started(ground, name, "--bare", str(stamps), ground.rest, name, str(count))
    assert process.stdout is not None
    await process.stdout.readline()
    for number in range(count):
        ground.place(account, Side.BUY, OrderType.MARKET, f"entry-{number}", None)
        ground.place(account, Side.SELL, OrderType.STOP_MARKET, f"stop-{number}", STOP)
        ground.place(account, Side.SELL, OrderType.TAKE_PROFIT, f"profit-{number}", PROFIT)
        await asyncio.sleep(0.005)
        ground.price(PROFIT + 10)
        await until(f"the end of bracket {number}", lambda: not account.open.waiting)
        ground.price(CALM)
    await _ended(process, name)
    return _reactions(stamps, ground.arrivals.cancels[name])


def _reactions(stamps: Path, cancels: list[int]) -> list[float]:
    received: list[int] = json.loads(stamps.read_text())
    if len(received) != len(cancels):
        raise SystemExit(f"{stamps.stem}: {len(received)} fills, {len(cancels)} cancels")
    return [(cancel - fill) / 1e6 for fill, cancel in zip(received, cancels)]


# --- punctuality

def slices_plan(slices: int, seconds: int) -> str:
    """Twenty TWAPs, whose slices are due one after the other at even distances."""
    each, grid_ms = slices // 20, seconds * 1000 // slices
    lines = ["version: 1", "name: punctuality", f"defaults: {{symbol: {SYMBOL}}}", "steps:"]
    for number in range(20):
        lines += [
            f"  - id: t{number}", f"    when: {{delay: {(number + 1) * grid_ms}ms}}", "    unprotected: allow",
            f"    twap: {{side: BUY, quantity: {Decimal(each) / 1000}, slices: {each}, every: {20 * grid_ms}ms}}",
        ]
    return "\n".join(lines) + "\n"


async def punctuality(ground: Ground, slices: int, seconds: int) -> tuple[list[float], list[float]]:
    """How late each slice started, and how late its order was at the exchange, in ms."""
    ground.account("twap")
    plan = ground.folder / "twap.yaml"
    plan.write_text(slices_plan(slices, seconds))
    approval = await asyncio.to_thread(_approval, ground, "twap", plan)
    process = await _started(ground, "twap", "-m", "run", str(plan), "--mode", "demo", "--approve", approval, "-q")
    await _ended(process, "twap")
    (journal,) = (ground.folder / "twap").rglob("runs/*.sqlite")
    due = due_times(journal)
    arrived = {client_id: at_ns for at_ns, client_id in ground.arrivals.orders["twap"]}
    if len(due) != len(arrived):
        raise SystemExit(f"{len(due)} slices were due, {len(arrived)} arrived")
    late = [float(fired_ms - due_ms) for due_ms, fired_ms in due.values()]
    there = [arrived[client_id] / 1e6 - due_ms for client_id, (due_ms, _) in due.items()]
    return late, there


def due_times(journal: Path) -> dict[str, tuple[int, int]]:
    """When each order was due, and when its timer fired, by client order id; the exchange's clock, ms."""
    set_for: dict[str, int] = {}
    found: dict[str, tuple[int, int]] = {}
    due_ms = fired_ms = 0
    with closing(JournalReader(journal)) as reader:
        for entry in reader.entries():
            match entry.value:
                case SetTimer(timer_id=timer, at_ms=at_ms):
                    set_for[timer] = at_ms
                case TimerFired(timer_id=timer, at_ms=at_ms):
                    due_ms, fired_ms = set_for[timer], at_ms
                case PlaceOrder(request=request):
                    found[request.client_order_id] = due_ms, fired_ms
    return found


# --- processes

def _approval(ground: Ground, name: str, plan: Path) -> str:
    options = RunOptions(str(plan), plan.read_bytes(), ground.folder, mode="demo")
    return preview_live(options, ground.live(name)).approval_id


async def _started(ground: Ground, name: str, what: str, *arguments: str) -> asyncio.subprocess.Process:
    entry = ("-m", "runner") if what == "-m" else (__file__, what)
    said = (ground.folder / f"{name}.said").open("wb")
    with said:
        return await asyncio.create_subprocess_exec(
            sys.executable, *entry, *arguments, cwd=ground.folder, env=ground.environment(name),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE if what == "--bare" else said, stderr=said,
        )


async def _ended(process: asyncio.subprocess.Process, name: str) -> None:
    code = await process.wait()
    if code:
        raise SystemExit(f"{name} ended with {code}")


# --- figures

@dataclass(frozen=True, slots=True)
class Figure:
    name: str
    value: float
    unit: str
    most: float | None = None

    @property
    def missed(self) -> bool:
        return self.most is not None and self.value > self.most


def share(values: list[float], of: float) -> float:
    """The value that this share of all does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * of))]


async def measure(options: argparse.Namespace, folder: Path) -> list[Figure]:
    async with exchange_here(folder) as ground:
        ours, theirs = await reaction(ground, options.brackets)
        late, there = await punctuality(ground, options.slices, options.seconds)
    return [
        Figure("reaction, p50", share(ours, 0.5), "ms"),
        Figure("reaction, p99", share(ours, 0.99), "ms"),
        Figure("bare aiohttp, p50", share(theirs, 0.5), "ms"),
        Figure("bare aiohttp, p99", share(theirs, 0.99), "ms"),
        Figure("reaction, as a multiple of bare", share(ours, 0.5) / share(theirs, 0.5), "x", MOST_RATIO),
        Figure("slices", float(len(late)), ""),
        Figure("slice's start after its due time, p50", share(late, 0.5), "ms"),
        Figure("slice's start after its due time, p99", share(late, 0.99), "ms", MOST_LATE_MS),
        Figure("slice's order at the exchange, p50", share(there, 0.5), "ms"),
        Figure("slice's order at the exchange, p99", share(there, 0.99), "ms"),
    ]


def main() -> int:
    if sys.argv[1:2] == ["--child"]:
        child(Path(sys.argv[2]), sys.argv[3:])
    if sys.argv[1:2] == ["--bare"]:
        asyncio.run(bare(Path(sys.argv[2]), sys.argv[3], sys.argv[4], int(sys.argv[5])))
        return 0
    parser = argparse.ArgumentParser(description="How fast a live run reacts, and how punctual it is.")
    parser.add_argument("--brackets", type=int, default=200)
    parser.add_argument("--slices", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=60, help="over which the slices are spread")
    parser.add_argument("--json", action="store_true", help="the figures as one JSON object")
    parser.add_argument("--check", action="store_true", help="exit 1 where a bound is missed")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        figures = asyncio.run(measure(options, Path(name)))
    missed = [figure.name for figure in figures if figure.missed]
    if options.json:
        print(json.dumps({figure.name: {"value": round(figure.value, 4), "unit": figure.unit} for figure in figures}))
    else:
        for figure in figures:
            limit = f"at most {figure.most:g}" if figure.most is not None else ""
            print(f"{figure.name:<40} {figure.value:>10.3f} {figure.unit:<4} {limit}")
        if missed:
            print(f"missed: {', '.join(missed)}")
    return 1 if missed and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
