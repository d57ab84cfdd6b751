"""Events on their way to the sockets of a user stream, and the one place where faults get at them.

An event can be lost, told twice, told late, or told after later ones; a socket can be dropped, frozen or silenced, at
its connect or at one of its events (which is lost with it); a listen key can run out early.  Waits are by the front's
clock, and end at the hub's tick.
"""

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple

from runner.venue.fapi.shown.events import Event
from runner.venue.fapi.streams.socket import Socket, State
from runner.venue.faults import Fault, FaultName, FaultPlan, Place, Seam

HELD_MS = 5000
"""How long an event waits for later ones that it is to be told after."""


class Frame(NamedTuple):
    """One event for one socket: by which listen key and on which route, whose it is, and the text of the frame."""

    event: Event
    text: str
    key: str
    route: str
    account: str


@dataclass(slots=True)
class _Held:
    """An event that is told after `left` more, or at `until_ms`."""

    frame: Frame
    left: int
    until_ms: int


@dataclass(slots=True)
class Deliveries:
    """`expire` lets a listen key run out now."""

    faults: FaultPlan
    now_ms: Callable[[], int]
    expire: Callable[[str], None]
    _due: list[tuple[int, int, Callable[[], None]]] = field(default_factory=list)
    _numbers: "count[int]" = field(default_factory=count)
    _held: dict[Socket, deque[_Held]] = field(default_factory=dict)

    def connected(self, socket: Socket, place: Place, keys: tuple[str, ...], first: int = 0) -> None:
        """A socket is open, or faults from the number `first` on were added while it was."""
        fault = self.faults.take(Seam.SOCKET, place, first)
        if fault is not None:
            self._befall(socket, fault, keys)

    def deliver(self, socket: Socket, frame: Frame) -> None:
        """Tell an event to a socket, or what the faults make of that."""
        if not self.faults.active:
            self._tell(socket, frame)
            return
        place = _place(frame)
        befalls = self.faults.take(Seam.SOCKET, place)
        if befalls is not None:
            self._befall(socket, befalls, (frame.key,))
            return
        fault = self.faults.take(Seam.EVENT, place)
        match fault.name if fault is not None else None:
            case FaultName.EVENT_MISSING:
                return
            case FaultName.EVENT_DUPLICATED:
                self._tell(socket, frame)
                self._tell(socket, frame)
            case FaultName.EVENT_LATE:
                self._after(_delay(fault), lambda: self._tell(socket, frame))
            case FaultName.EVENT_REORDERED:
                behind = 1 if fault is None or fault.behind is None else fault.behind
                held = _Held(frame, behind, self.now_ms() + HELD_MS)
                self._held.setdefault(socket, deque()).append(held)
            case _:
                self._tell(socket, frame)

    def tick(self) -> None:
        """Do what has waited long enough."""
        now = self.now_ms()
        while self._due and self._due[0][0] <= now:
            heapq.heappop(self._due)[2]()
        for socket in tuple(self._held):
            self._release(socket, lambda held: held.until_ms <= now)

    def forget(self, socket: Socket) -> None:
        """The socket is closed."""
        self._held.pop(socket, None)

    def _tell(self, socket: Socket, frame: Frame) -> None:
        socket.tell(frame.text)
        held = self._held.get(socket)
        if held:
            for each in held:
                each.left -= 1
            self._release(socket, lambda each: each.left <= 0)

    def _release(self, socket: Socket, ripe: Callable[[_Held], bool]) -> None:
        held = self._held[socket]
        told = [each for each in held if ripe(each)]
        for each in told:
            held.remove(each)
            socket.tell(each.frame.text)
        if not held:
            del self._held[socket]

    def _befall(self, socket: Socket, fault: Fault, keys: tuple[str, ...]) -> None:
        def act() -> None:
            match fault.name:
                case FaultName.SOCKET_DROPPED:
                    socket.cut()
                case FaultName.SOCKET_FROZEN:
                    socket.state = State.FROZEN
                case FaultName.SOCKET_SILENT:
                    socket.state = State.SILENT
                case FaultName.LISTEN_KEY_EXPIRED:
                    for key in keys:
                        self.expire(key)
                case _:
                    raise ValueError(f"{fault.name} does not befall sockets")

        self._after(_delay(fault), act)

    def _after(self, delay_ms: int, act: Callable[[], None]) -> None:
        if delay_ms <= 0:
            act()
        else:
            heapq.heappush(self._due, (self.now_ms() + delay_ms, next(self._numbers), act))


def _delay(fault: Fault | None) -> int:
    return 0 if fault is None or fault.delay_ms is None else fault.delay_ms


def _place(frame: Frame) -> Place:
    """Where an event stands among the faults: by its name, its client order id and its status."""
    event = frame.event
    order = event.get("o", event)
    if not isinstance(order, dict):
        order = event
    client_id = order.get("c") or order.get("caid") or ""
    return Place(
        frame.route, (str(client_id),), event=str(event["e"]), status=str(order.get("X", "")), account=frame.account,
    )
