"""The parts of one served exchange, put together: what stands behind the door, and who is told what happens."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aiohttp import web

from runner.venue.exchange import Exchange
from runner.venue.fapi.clock import FrontClock, VenueClock
from runner.venue.fapi.door import Door
from runner.venue.fapi.eventlog import EventLog
from runner.venue.fapi.hub import Hub
from runner.venue.fapi.keys import DEFAULT_KEY, DEFAULT_SECRET
from runner.venue.fapi.limits import Limits
from runner.venue.fapi.misbehaviour import Misbehaviour, Witnessing
from runner.venue.fapi.playback import Playback, shifted
from runner.venue.fapi.routes.control import Controls
from runner.venue.fapi.server import make_app
from runner.venue.faults import Fault, FaultPlan
from runner.venue.feeds.merging import Feed

ACCOUNT = "sim"
"""The account of the default key."""


@dataclass(frozen=True, slots=True)
class Assembled:
    """`app` is what a server serves, while `tasks` run."""

    door: Door
    playback: Playback
    hub: Hub
    app: web.Application

    def tasks(self) -> list[asyncio.Task[None]]:
        """What keeps the exchange going; they end only by being cancelled, or by an error in the data."""
        return [asyncio.create_task(self.playback.run()), asyncio.create_task(self.hub.run())]


def assemble(
    exchange: Exchange, data: Feed, *, front: FrontClock, speed: float, limits: Limits, faults: Iterable[Fault],
    markets: Mapping[str, str],
) -> Assembled:
    """A served exchange whose first datum is now, with one account and the default key.

    `exchange` is new, `data` are of its symbols, `speed` 0 is stepwise; `markets` says what each symbol plays.
    """
    began_ms = front.now_ms()
    shift_ms = began_ms - min(first.at_ms for first in data.firsts)
    for first in data.firsts:
        exchange.begin(shifted(first, shift_ms))
    exchange.advance(began_ms)
    exchange.open_account(ACCOUNT)
    door = Door(exchange, front, VenueClock(front, began_ms, speed), limits=limits)
    door.keys.add_secret(DEFAULT_KEY, DEFAULT_SECRET, ACCOUNT)
    misbehaviour = Misbehaviour(door, FaultPlan(faults))
    door.disturber = misbehaviour
    exchange.veto = misbehaviour.veto
    hub = Hub(door, misbehaviour.plan)
    log = EventLog(Witnessing(hub, misbehaviour))
    door.audience = log
    playback = Playback(door, data.data, shift_ms)
    controls = Controls(
        door, playback, misbehaviour, log, faults_changed=hub.faults_changed, default=ACCOUNT, markets=markets,
    )
    return Assembled(door, playback, hub, make_app(door, [*controls.routes(), *hub.routes()]))
