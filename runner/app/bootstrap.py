"""The composition root: the one place that knows the mode, and which parts make its world."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from runner.app.executor import World
from runner.app.market import Wishes, choose_markets, header_words
from runner.domain.times import SECOND_MS
from runner.errors import Refused
from runner.gateways.dryrun import DryRunGateway
from runner.graph.fingerprint import canonical
from runner.graph.model import ExecutionGraph
from runner.journal.store import Durability
from runner.plan.model import Plan
from runner.venue import honesty
from runner.venue.exchange import Exchange
from runner.venue.feeds.merging import feed
from runner.venue.market import Datum
from runner.venue.settings import Slippage, VenueSettings
from runner.venue.terms import MarginType


class Prepared(NamedTuple):
    """A world, and what the run's journal and reports say of it.

    `sources` identifies its data and settings, `market` names them for people; `assumed` and `not_simulated` are asked
    at the end.
    """

    world: World
    run_id: str
    seed: int
    sources: str
    market: str
    latency_ms: int
    precise: bool
    durability: Durability
    assumed: Callable[[], tuple[str, ...]]
    not_simulated: Callable[[], tuple[str, ...]]


class Task(NamedTuple):
    """What is to be run: a plan with its graph and fingerprint, the command line's wishes, the plan's folder.

    `stop_wanted` says whether someone asked the run to stop.
    """

    plan: Plan
    graph: ExecutionGraph
    fingerprint: str
    wishes: Wishes
    base: Path
    stop_wanted: Callable[[], bool]


def prepare(mode: str, task: Task) -> Prepared:
    """Everything that a run of this mode needs.

    Raises:
        Refused: a run of this mode is approved first, on a connected account.
        UsageError, EnvironmentFault: as `choose_markets` says.
    """
    if mode not in _MODES:
        raise Refused(f"a {mode} run needs an approval, and has none; nothing was sent", hint="use --mode dryrun")
    return _MODES[mode](task)


def _dry_run(task: Task) -> Prepared:
    graph, settings = task.graph, task.plan.dryrun
    markets = choose_markets(task.plan, graph.instruments, task.wishes, task.base)
    seed = 1 if task.wishes.seed is None else task.wishes.seed
    exchange = Exchange(
        {instrument.symbol: instrument for instrument in graph.instruments},
        VenueSettings(
            settings.balance, settings.leverage, settings.maker_fee, settings.taker_fee, settings.fill_on_touch,
            settings.positions, slippage=Slippage(), margin_type=MarginType(settings.margin_type),
        ),
    )
    data = feed(market.data() for market in markets)
    account = exchange.open_account("dryrun")
    gateway = DryRunGateway(exchange, account, data.firsts, _until(task.stop_wanted, data.data), settings.latency_ms)
    rules = canonical((
        settings.balance, settings.leverage, settings.maker_fee, settings.taker_fee, settings.latency_ms,
        settings.fill_on_touch, settings.positions,
    )).decode()
    sources = "\n".join([*(f"{market.symbol} {market.identity}" for market in markets), rules])
    return Prepared(
        World(gateway, gateway, gateway, frozenset(position.symbol for position in settings.positions)),
        run_id="d" + sha256(f"{task.fingerprint}\n{sources}\n{seed}".encode()).hexdigest()[:10],
        seed=seed, sources=sources, market=header_words(markets), latency_ms=settings.latency_ms,
        precise=any(market.precise for market in markets) or _quicker_than_seconds(graph),
        durability=Durability("OFF", 5_000), assumed=lambda: honesty.assumed(exchange),
        not_simulated=lambda: honesty.not_simulated(exchange),
    )


def _until(stop_wanted: Callable[[], bool], data: Iterable[Datum]) -> Iterator[Datum]:
    """The data, as long as nobody wants the run to stop: it may be long until the next event."""
    for datum in data:
        if stop_wanted():
            return
        yield datum


def _quicker_than_seconds(graph: ExecutionGraph) -> bool:
    return any(step.schedule is not None and step.schedule.every_ms % SECOND_MS for step in graph.steps)


_MODES: Mapping[str, Callable[[Task], Prepared]] = {"dryrun": _dry_run}
