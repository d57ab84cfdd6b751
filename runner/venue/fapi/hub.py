"""The WebSocket streams of the exchange: who is connected, to what he listens, and telling it to him.

Source: Binance USDⓈ-M "Websocket Market Streams", "User Data Streams".

Sockets come on `/public`, `/market` and `/private`, each with `/ws` (raw)
and `/stream` (combined), and on the legacy `/ws` and `/stream`.  A name that is not served on a socket's path, or not
at all, is accepted and silent; so is a listen key that nobody has.  Nothing here waits for a client.
"""

import asyncio
import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSCloseCode, web

from runner.venue.facts import Fact
from runner.venue.fapi.door import Door
from runner.venue.fapi.shown.events import Event, listen_key_expired, user_events
from runner.venue.fapi.streams import control
from runner.venue.fapi.streams.control import Malformed, Method
from runner.venue.fapi.streams.deliveries import Deliveries, Frame
from runner.venue.fapi.streams.lobby import Lobby
from runner.venue.fapi.streams.market import MarketStreams
from runner.venue.fapi.streams.names import Path, Stream, stream
from runner.venue.fapi.streams.socket import MAX_QUEUE, Socket, State
from runner.venue.fapi.wsapi import Session
from runner.venue.faults import FaultPlan, Place
from runner.venue.market import Datum

TICK_S = 0.05
_LOG = logging.getLogger(__name__)
_to_json = json.JSONEncoder(separators=(",", ":")).encode


class Hub:
    """The door's audience."""

    def __init__(self, door: Door, faults: FaultPlan | None = None, *, max_queue: int = MAX_QUEUE) -> None:
        self.faults = FaultPlan() if faults is None else faults
        self._rules = door.exchange.settings.rules
        self._door = door
        self._lobby = Lobby(door.front.now_ms, max_queue)
        self.clients: set[Client] = set()
        self._listeners: dict[str, dict[Client, None]] = {}
        self._market = MarketStreams(door, self._tell)
        self._deliveries = Deliveries(self.faults, door.front.now_ms, self._expire)

    # --- what the exchange tells

    def publish(self, facts: Sequence[Fact]) -> None:
        """Tell each account that listens what has happened to it."""
        try:
            self._publish(facts)
        except Exception:
            _LOG.exception("defect of the user streams")

    def _publish(self, facts: Sequence[Fact]) -> None:
        self._market.heard(facts)
        heard = {name for name in {fact.account for fact in facts} if self._hears(name)}
        if heard:
            told = (fact for fact in facts if fact.account in heard)
            instrument = self._door.exchange.venue.instrument
            for account, event in user_events(told, instrument, self._door.at_ms()):
                self._tell_user(account, event)

    def on_datum(self, datum: Datum) -> None:
        """Tell what a datum has changed to whoever listens to market data."""
        del datum
        try:
            self._market.flush()
        except Exception:
            _LOG.exception("defect of the market streams")

    def tick(self) -> None:
        """Do what is due by the clocks; called often."""
        now = self._door.front.now_ms()
        for key in self._door.listen_keys.due(now):
            self._end_key(key.text, deleted=key.deleted)
        self._deliveries.tick()
        self._market.flush()
        self._lobby.tick()

    def faults_changed(self, first: int = 0) -> None:
        """Faults from the number `first` on were added: they may be for a socket that is open already."""
        for client in tuple(self.clients):
            self._meet_faults(client, first)

    # --- life

    def routes(self) -> list[web.RouteDef]:
        """The paths of the sockets, for `make_app`."""
        paths = [f"{'/' + path if path else ''}/{kind}" for path in Path for kind in ("ws", "stream")]
        streams = [web.route("GET", each, self._serve) for path in paths for each in (path, path + "/{names:.*}")]
        return [*streams, web.route("GET", "/ws-fapi/v1", self._serve_api)]

    async def run(self) -> None:
        """Tick until cancelled."""
        while True:
            await asyncio.sleep(TICK_S)
            try:
                self.tick()
            except Exception:
                _LOG.exception("defect of the streams at a tick")

    async def close(self) -> None:
        """Close all sockets: the exchange shuts down."""
        await self._lobby.close()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        first, second = [*request.path.split("/"), ""][1:3]
        path = Path(first) if first in list(Path) else Path.LEGACY
        kind = second if path else first
        return await self._lobby.host(request, lambda socket: Client(self, socket, path, kind, kind == "stream"))

    async def _serve_api(self, request: web.Request) -> web.StreamResponse:
        address = request.remote or ""
        return await self._lobby.host(request, lambda socket: Session(self._door, socket, address), hurried=True)

    # --- a client's requests

    def came(self, client: "Client", request: web.Request) -> None:
        """Take up what a client's URL asks for."""
        self.clients.add(client)
        names = [name for name in request.match_info.get("names", "").split("/") if name]
        names += [name for value in request.query.getall("streams", []) for name in value.split("/") if name]
        wanted: dict[str, frozenset[str]] = {}
        key = ""
        for name, value in request.query.items():
            if name == "listenKey" and value:
                key = value
                wanted[key] = frozenset()
            elif name == "events" and key:
                wanted[key] = frozenset(event for event in value.split("/") if event)
        if len(names) + len(wanted) > control.MAX_STREAMS:
            client.socket.close("Too many subscriptions")
            return
        self._subscribe(client, names)
        if client.path in (Path.PRIVATE, Path.LEGACY):
            for key, events in wanted.items():
                self._listen(client, key, events)
        self._meet_faults(client)

    def said(self, client: "Client", text: str) -> None:
        """Do what a client's message asks for."""
        try:
            request = control.read(text)
            result = self._do(client, request)
        except Malformed as malformed:
            client.socket.answer(_to_json(malformed.body))
            if malformed.fatal:
                client.socket.close("Invalid JSON")
            return
        client.socket.answer(_to_json(control.answer(request.id, result)))
        if request.method is Method.SUBSCRIBE:
            new = not client.wanted
            self._subscribe(client, request.streams)
            if new and client.wanted:
                self._meet_faults(client)

    def _meet_faults(self, client: "Client", first: int = 0) -> None:
        """A socket is open, or a user stream on it; one on the private path is none before it has a listen key."""
        if client.wanted or client.path is not Path.PRIVATE:
            place = Place(route=client.route, account=self._account_of(client))
            self._deliveries.connected(client.socket, place, tuple(client.wanted), first)

    def went(self, client: "Client") -> None:
        for name in tuple(client.names):
            self._unsubscribe(client, name)
        self.clients.discard(client)
        self._deliveries.forget(client.socket)

    def _do(self, client: "Client", request: control.Request) -> Any:
        match request.method:
            case Method.SUBSCRIBE:
                if len(client.names.keys() | set(request.streams)) > control.MAX_STREAMS:
                    raise control.too_many(request.id)
            case Method.UNSUBSCRIBE:
                for name in request.streams:
                    self._unsubscribe(client, name)
            case Method.LIST_SUBSCRIPTIONS:
                return list(client.names)
            case Method.SET_PROPERTY:
                client.combined = request.combined
            case Method.GET_PROPERTY:
                return client.combined
        return None

    # --- subscriptions

    def _subscribe(self, client: "Client", names: Iterable[str]) -> None:
        for name in names:
            if name in client.names:
                continue
            found = stream(name)
            if found is not None:
                client.names[name] = None
                if self._served(client, found):
                    if name not in self._listeners:
                        self._market.watch(found)
                    self._listeners.setdefault(name, {})[client] = None
            elif client.path in (Path.PRIVATE, Path.LEGACY) and "@" not in name:
                self._listen(client, name, frozenset())
            else:
                client.names[name] = None

    def _served(self, client: "Client", found: Stream) -> bool:
        if client.path is Path.LEGACY:
            return self._rules.legacy_streams_deliver or found.path is Path.PUBLIC
        return client.path is found.path

    def _listen(self, client: "Client", key: str, events: frozenset[str]) -> None:
        """Let a client hear the events of a listen key, good or not."""
        client.names[key] = None
        client.wanted[key] = events
        if client.path is Path.PRIVATE or self._rules.legacy_streams_deliver:
            self._listeners.setdefault(key, {})[client] = None

    def _unsubscribe(self, client: "Client", name: str) -> None:
        client.names.pop(name, None)
        client.wanted.pop(name, None)
        listeners = self._listeners.get(name)
        if listeners is not None:
            listeners.pop(client, None)
            if not listeners:
                del self._listeners[name]
                if stream(name) is not None:
                    self._market.unwatch(name)

    # --- telling

    def _tell(self, name: str, payload: object) -> None:
        """A payload of a market stream to all who listen to it."""
        text = _to_json(payload)
        for client in self._listeners[name]:
            client.socket.tell(client.frame(name, text))

    def _hears(self, account: str) -> bool:
        key = self._door.listen_keys.of(account, self._door.front.now_ms())
        return key is not None and key.text in self._listeners

    def _tell_user(self, account: str, event: Event) -> None:
        key = self._door.listen_keys.of(account, self._door.front.now_ms())
        if key is None:
            return
        text = _to_json(event)
        for client in tuple(self._listeners.get(key.text, ())):
            wanted = client.wanted[key.text]
            if not wanted or event["e"] in wanted:
                frame = Frame(event, client.frame(key.text, text), key.text, client.route, account)
                self._deliveries.deliver(client.socket, frame)

    def _account_of(self, client: "Client") -> str:
        """Whose events a client hears: those of its first good listen key; empty where there is none."""
        now = self._door.front.now_ms()
        owners = (self._door.listen_keys.account_of(key, now) for key in client.wanted)
        return next((owner for owner in owners if owner is not None), "")

    def _expire(self, key: str) -> None:
        account = self._door.listen_keys.account_of(key, self._door.front.now_ms())
        if account is not None:
            self._door.listen_keys.expire(account)

    def _end_key(self, key: str, *, deleted: bool) -> None:
        """A key has ended: its listeners hear of that and then nothing more, or are closed where it was deleted."""
        text = _to_json(listen_key_expired(key, self._door.at_ms()))
        for client in tuple(self._listeners.get(key, ())):
            if client.socket.state is State.FROZEN:
                continue
            if deleted and self._rules.deleted_listen_key_closes:
                client.socket.close("The listen key was closed", WSCloseCode.OK)
            elif not deleted:
                client.socket.tell(client.frame(key, text))


@dataclass(eq=False, slots=True)
class Client:
    """One stream socket: its path, whether its frames say their stream, all names it asked for, and for each listen
    key which events it wants (none: all)."""

    hub: Hub
    socket: Socket
    path: Path
    kind: str
    """The last part of its path, `ws` or `stream`."""
    combined: bool
    names: dict[str, None] = field(default_factory=dict)
    wanted: dict[str, frozenset[str]] = field(default_factory=dict)

    @property
    def route(self) -> str:
        """What faults know it by: `/private/ws`, also for a legacy socket with a listen key."""
        path = Path.PRIVATE if self.wanted else self.path
        return f"{'/' + path if path else ''}/{self.kind}"

    def frame(self, name: str, text: str) -> str:
        """The payload of a stream as this client gets it."""
        return f'{{"stream":{_to_json(name)},"data":{text}}}' if self.combined else text

    def greet(self, request: web.Request) -> None:
        self.hub.came(self, request)

    def heard(self, text: str) -> None:
        self.hub.said(self, text)

    def left(self) -> None:
        self.hub.went(self)
