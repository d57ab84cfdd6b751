"""The served exchange, put together: instruments, markets, faults, the exchange itself and the wire before it."""

import asyncio
import signal
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from runner.app.faultfile import load_faults
from runner.app.instruments import load_instruments
from runner.app.played import PlayedMarket, Sources, played_markets
from runner.errors import EnvironmentFault
from runner.venue.exchange import Exchange
from runner.venue.faults import Fault
from runner.venue.feeds.merging import Feed, feed
from runner.venue.settings import Rules, Slippage, VenueSettings

ACCOUNT = "sim"
"""The account of the default key."""


class ExchangeOptions(NamedTuple):
    """What the command line asks for.  `speed` is 0 for stepwise; `limits` whether the rate limits are in force."""

    host: str
    port: int
    sources: Sources
    speed: float
    balance: Decimal
    faults: Path | None
    instruments: Path | None
    limits: bool
    rules: Rules


class Opened(NamedTuple):
    """What people need to know of an exchange that listens; `markets` says what each symbol plays."""

    host: str
    port: int
    key: str
    secret: str
    markets: Mapping[str, str]
    faults: int


class _World(NamedTuple):
    """All that was read before anything is served."""

    markets: tuple[PlayedMarket, ...]
    data: Feed
    exchange: Exchange
    faults: tuple[Fault, ...]


def serve(options: ExchangeOptions, told: Callable[[Opened], None]) -> None:
    """Serve until SIGINT or SIGTERM; `told` is called once, as soon as the exchange listens.

    Raises:
        UsageError: the markets asked for do not go together.
        EnvironmentFault: a file cannot be read, the port cannot be had, or the packages of the wire are missing.
    """
    _require_packages()
    instruments = load_instruments(options.instruments)
    markets = played_markets(options.sources, instruments)
    settings = VenueSettings(balance=options.balance, slippage=Slippage(), rules=options.rules)
    exchange = Exchange({market.symbol: instruments[market.symbol] for market in markets}, settings)
    faults = load_faults(options.faults) if options.faults is not None else ()
    world = _World(markets, feed(market.data for market in markets), exchange, faults)
    asyncio.run(_serve(options, world, told))


def _require_packages() -> None:
    try:
        import aiohttp  # noqa: F401 - asked for here, so that its absence is told before any work
        import cryptography  # noqa: F401
    except ModuleNotFoundError as error:
        raise EnvironmentFault(
            f"the served exchange needs the package {error.name}, which is not installed",
            hint="pip install 'daksh-run[exchange]'",
        ) from None


async def _serve(options: ExchangeOptions, world: _World, told: Callable[[Opened], None]) -> None:
    from runner.venue.fapi.clock import FrontClock, VenueClock
    from runner.venue.fapi.door import Door
    from runner.venue.fapi.eventlog import EventLog
    from runner.venue.fapi.hub import Hub
    from runner.venue.fapi.keys import DEFAULT_KEY, DEFAULT_SECRET
    from runner.venue.fapi.limits import Limits
    from runner.venue.fapi.misbehaviour import Misbehaviour, Witnessing
    from runner.venue.fapi.playback import Playback, shifted
    from runner.venue.fapi.routes.control import Controls
    from runner.venue.fapi.server import listen, make_app
    from runner.venue.faults import FaultPlan

    exchange, plan, front = world.exchange, FaultPlan(world.faults), FrontClock()
    began_ms = front.now_ms()
    shift_ms = began_ms - min(first.at_ms for first in world.data.firsts)
    for first in world.data.firsts:
        exchange.begin(shifted(first, shift_ms))
    exchange.advance(began_ms)
    exchange.open_account(ACCOUNT)
    door = Door(
        exchange, front, VenueClock(front, began_ms, options.speed),
        limits=Limits() if options.limits else Limits(None, None, None),
    )
    door.keys.add_secret(DEFAULT_KEY, DEFAULT_SECRET, ACCOUNT)
    misbehaviour = Misbehaviour(door, plan)
    door.disturber = misbehaviour
    exchange.veto = misbehaviour.veto
    hub = Hub(door, plan)
    log = EventLog(Witnessing(hub, misbehaviour))
    door.audience = log
    door.publish()
    playback = Playback(door, world.data.data, shift_ms)
    words = {market.symbol: market.words for market in world.markets}
    controls = Controls(
        door, playback, misbehaviour, log, faults_changed=hub.faults_changed, default=ACCOUNT, markets=words,
    )
    try:
        runner, port = await listen(
            make_app(door, [*controls.routes(), *hub.routes()]), options.host, options.port,
        )
    except OSError as error:
        raise EnvironmentFault(
            f"cannot listen at {options.host} port {options.port}: {(error.strerror or str(error)).lower()}",
            hint="choose another with --port; 0 takes a free one",
        ) from error
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    tasks = [asyncio.create_task(playback.run()), asyncio.create_task(hub.run())]
    told(Opened(options.host, port, DEFAULT_KEY, DEFAULT_SECRET, words, len(world.faults)))
    try:
        await _until(stop, tasks)
    finally:
        for task in tasks:
            task.cancel()
        await hub.close()
        await runner.cleanup()


async def _until(stop: asyncio.Event, tasks: list[asyncio.Task[None]]) -> None:
    """Wait until the exchange is told to stop, or for the end of a task, which is an error."""
    waiting = asyncio.create_task(stop.wait())
    ended, _ = await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    for task in ended:
        task.result()
