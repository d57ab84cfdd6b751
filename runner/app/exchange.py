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

FUNDING_RATE = Decimal("0.0001")
"""Of each funding time until `/sim/funding` sets another: the interest part of Binance's rate, all that is known."""


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
    settings = VenueSettings(
        balance=options.balance, slippage=Slippage(), funding_rate=FUNDING_RATE, rules=options.rules,
    )
    exchange = Exchange({market.symbol: instruments[market.symbol] for market in markets}, settings)
    faults = load_faults(options.faults) if options.faults is not None else ()
    world = _World(markets, feed(market.data for market in markets), exchange, faults)
    asyncio.run(_serve(options, world, told))


def _require_packages() -> None:
    """Load the wire before any other work, so that what it lacks is told at once."""
    try:
        import runner.venue.fapi.assembly  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("runner"):
            raise
        raise EnvironmentFault(
            f"the served exchange needs the package {error.name}, which is not installed",
            hint="pip install 'daksh-run[exchange]'",
        ) from None


async def _serve(options: ExchangeOptions, world: _World, told: Callable[[Opened], None]) -> None:
    from runner.venue.fapi.assembly import assemble
    from runner.venue.fapi.clock import FrontClock
    from runner.venue.fapi.keys import DEFAULT_KEY, DEFAULT_SECRET
    from runner.venue.fapi.limits import Limits
    from runner.venue.fapi.server import listen

    markets = {market.symbol: market.words for market in world.markets}
    served = assemble(
        world.exchange, world.data, front=FrontClock(), speed=options.speed, faults=world.faults, markets=markets,
        limits=Limits() if options.limits else Limits(None, None, None),
    )
    try:
        runner, port = await listen(served.app, options.host, options.port)
    except OSError as error:
        raise EnvironmentFault(
            f"cannot listen at {options.host} port {options.port}: {(error.strerror or str(error)).lower()}",
            hint="choose another --port (0 takes a free one), or an address of this machine for --host",
        ) from error
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    tasks = served.tasks()
    told(Opened(options.host, port, DEFAULT_KEY, DEFAULT_SECRET, markets, len(world.faults)))
    try:
        await _until(stop, tasks)
    finally:
        for task in tasks:
            task.cancel()
        await served.hub.close()
        await runner.cleanup()


async def _until(stop: asyncio.Event, tasks: list[asyncio.Task[None]]) -> None:
    """Wait until the exchange is told to stop, or for the end of a task, which is an error."""
    waiting = asyncio.create_task(stop.wait())
    ended, _ = await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    for task in ended:
        task.result()
