"""What can go wrong on purpose: faults by name and place, and the plan that says when each of them happens.

Pure and without chance: the same places asked for in the same order give the same faults.  Whoever carries requests,
events and sockets asks `FaultPlan.take` at its seam, and does what the fault's name says.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from difflib import get_close_matches
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any, Literal, NamedTuple

from runner.domain.value import Value, converted
from runner.domain.values import ZERO
from runner.venue.terms import PositionSide


class Seam(StrEnum):
    """Where the course of things can be disturbed; each is asked for at one place of the code."""

    REQUEST = "request"  # before a request is handled: it is answered otherwise than it should be
    PLACEMENT = "placement"  # after an order was accepted
    BEFORE_CANCEL = "before a cancel"
    EVENT = "event"  # before an event is sent to a user stream
    SOCKET = "socket"  # an open socket
    TRIGGER = "trigger"  # a conditional order's trigger is met
    POSITION = "position"  # before a request is handled, or after an event has happened


class FaultName(StrEnum):
    LOST_ANSWER = "lost_answer"
    UNKNOWN_503 = "unknown_503"
    UNAVAILABLE_503 = "unavailable_503"
    INTERNAL_503 = "internal_503"
    OVERLOADED_1008 = "overloaded_1008"
    TIMEOUT_1007 = "timeout_1007"
    CLOCK_1021 = "clock_1021"
    UNKNOWN_ORDER_2011 = "unknown_order_2011"
    WOULD_TRIGGER_2021 = "would_trigger_2021"
    REDUCE_ONLY_2022 = "reduce_only_2022"
    DUPLICATE_ID_4116 = "duplicate_id_4116"
    OVER_CLOSE_4118 = "over_close_4118"
    TOO_MANY_429 = "too_many_429"
    BANNED_418 = "banned_418"
    SLOW_ANSWER = "slow_answer"
    HANGING_ANSWER = "hanging_answer"
    UNSEEN_ORDER = "unseen_order"
    EVENT_DUPLICATED = "event_duplicated"
    EVENT_LATE = "event_late"
    EVENT_REORDERED = "event_reordered"
    EVENT_MISSING = "event_missing"
    SOCKET_DROPPED = "socket_dropped"
    SOCKET_FROZEN = "socket_frozen"
    SOCKET_SILENT = "socket_silent"
    LISTEN_KEY_EXPIRED = "listen_key_expired"
    STOP_REJECTED = "stop_rejected"
    PARTIAL_FILL_IN_CANCEL = "partial_fill_in_cancel"
    CLOSED_BY_HAND = "closed_by_hand"
    CLOSED_BY_ADL = "closed_by_adl"


_ANY = ("*",)
_PLACES = ("POST /fapi/v1/order", "POST /fapi/v1/batchOrders", "POST /fapi/v1/algoOrder", "order.place",
           "algoOrder.place")
_PLACES_CONDITIONAL = ("POST /fapi/v1/algoOrder", "algoOrder.place")
_CANCELS = ("DELETE /fapi/v1/order", "DELETE /fapi/v1/algoOrder", "order.cancel", "algoOrder.cancel")
_CANCELS_IN_BOOK = ("DELETE /fapi/v1/order", "DELETE /fapi/v1/allOpenOrders", "DELETE /fapi/v1/batchOrders",
                    "order.cancel")
_CHANGES = (*_PLACES, "PUT /fapi/v1/order", "PUT /fapi/v1/batchOrders", "order.modify", *_CANCELS,
            "DELETE /fapi/v1/allOpenOrders", "DELETE /fapi/v1/batchOrders", "DELETE /fapi/v1/algoOpenOrders")
_USER_STREAM = ("/private*",)


class Kind(NamedTuple):
    """What one name means: its seam, the routes it matches where none is given, and its parameters with their
    defaults.  None as a default means that there is none and none is needed."""

    seam: Seam
    routes: tuple[str, ...]
    parameters: Mapping[str, Any] = {}


KINDS: Mapping[FaultName, Kind] = {
    FaultName.LOST_ANSWER: Kind(Seam.REQUEST, _CHANGES),
    FaultName.UNKNOWN_503: Kind(Seam.REQUEST, _CHANGES, {"executed": True}),
    FaultName.UNAVAILABLE_503: Kind(Seam.REQUEST, _CHANGES, {"executed": False}),
    FaultName.INTERNAL_503: Kind(Seam.REQUEST, _CHANGES, {"executed": False}),
    FaultName.OVERLOADED_1008: Kind(Seam.REQUEST, _CHANGES),
    FaultName.TIMEOUT_1007: Kind(Seam.REQUEST, _CHANGES, {"executed": True}),
    FaultName.CLOCK_1021: Kind(Seam.REQUEST, _CHANGES),
    FaultName.UNKNOWN_ORDER_2011: Kind(Seam.REQUEST, _CANCELS),
    FaultName.WOULD_TRIGGER_2021: Kind(Seam.REQUEST, _PLACES_CONDITIONAL),
    FaultName.REDUCE_ONLY_2022: Kind(Seam.REQUEST, _PLACES),
    FaultName.DUPLICATE_ID_4116: Kind(Seam.REQUEST, _PLACES),
    FaultName.OVER_CLOSE_4118: Kind(Seam.REQUEST, _PLACES),
    FaultName.TOO_MANY_429: Kind(Seam.REQUEST, _ANY, {"retry_after_s": None}),
    FaultName.BANNED_418: Kind(Seam.REQUEST, _ANY, {"retry_after_s": 120}),
    FaultName.SLOW_ANSWER: Kind(Seam.REQUEST, _ANY, {"delay_ms": 2_000}),
    FaultName.HANGING_ANSWER: Kind(Seam.REQUEST, _CHANGES, {"executed": True}),
    FaultName.UNSEEN_ORDER: Kind(Seam.PLACEMENT, _PLACES, {"delay_ms": 2_000}),
    FaultName.EVENT_DUPLICATED: Kind(Seam.EVENT, _ANY),
    FaultName.EVENT_LATE: Kind(Seam.EVENT, _ANY, {"delay_ms": 2_000}),
    FaultName.EVENT_REORDERED: Kind(Seam.EVENT, _ANY, {"behind": 1}),
    FaultName.EVENT_MISSING: Kind(Seam.EVENT, _ANY),
    FaultName.SOCKET_DROPPED: Kind(Seam.SOCKET, _USER_STREAM, {"delay_ms": 0}),
    FaultName.SOCKET_FROZEN: Kind(Seam.SOCKET, _USER_STREAM, {"delay_ms": 0}),
    FaultName.SOCKET_SILENT: Kind(Seam.SOCKET, _USER_STREAM, {"delay_ms": 0}),
    FaultName.LISTEN_KEY_EXPIRED: Kind(Seam.SOCKET, _USER_STREAM, {"delay_ms": 0}),
    FaultName.STOP_REJECTED: Kind(Seam.TRIGGER, _ANY, {"reason": "Margin is insufficient."}),
    FaultName.PARTIAL_FILL_IN_CANCEL: Kind(Seam.BEFORE_CANCEL, _CANCELS_IN_BOOK, {"qty": None}),
    FaultName.CLOSED_BY_HAND: Kind(Seam.POSITION, _CHANGES, {"qty": None, "symbol": None, "position_side": None}),
    FaultName.CLOSED_BY_ADL: Kind(Seam.POSITION, _CHANGES, {"qty": None, "symbol": None, "position_side": None}),
}
_EVENT_PLACES = (Seam.EVENT, Seam.SOCKET, Seam.POSITION)
_ROUTE_PLACES = (Seam.REQUEST, Seam.PLACEMENT, Seam.BEFORE_CANCEL, Seam.SOCKET, Seam.POSITION)


class Fault(Value, frozen=True, forbid_unknown_fields=True):
    """One fault: its name, its place, how often, and what its name needs to know.

    The place: `route` is a pattern like `POST /fapi/v1/order`, a method of the WebSocket API (`order.place`), or for
    sockets a path (`/private*`); empty means the routes that belong to the name.  `client_id` is a pattern of client
    order ids, `event` and `status` are for events (`ORDER_TRADE_UPDATE`, `FILLED`); `account` is the name of the only
    account that it concerns.  It happens at the `nth` time that its place comes by, and at the next ones, `count` times
    in all.

    Parameters, None where the name has its own default: `executed` whether the request is carried out all the same;
    `delay_ms` real milliseconds; `retry_after_s` seconds; `behind` how many later events go first; `qty` base units;
    `reason` as told to the user.
    """

    name: FaultName
    route: str = ""
    client_id: str = "*"
    event: str = ""
    status: str = ""
    account: str = ""
    nth: int = 1
    count: int | Literal["always"] = 1
    executed: bool | None = None
    delay_ms: int | None = None
    retry_after_s: int | None = None
    behind: int | None = None
    qty: Decimal | None = None
    symbol: str | None = None
    position_side: PositionSide | None = None
    reason: str | None = None

    @property
    def kind(self) -> Kind:
        return KINDS[self.name]


class Place(NamedTuple):
    """Something that comes by: a request, an event, a socket.

    `client_ids` are those of the orders that it is about (a batch has several); `exempt` says that it only closes, so
    that Binance's overload protection lets it pass; `account` is whose it is, empty where that is not known.
    """

    route: str = ""
    client_ids: tuple[str, ...] = ()
    event: str = ""
    status: str = ""
    exempt: bool = False
    account: str = ""


class FaultRefused(Exception):
    """A fault makes no sense.  `path` leads to the place in what was given: `("faults", 0, "nth")`."""

    def __init__(self, message: str, path: tuple[str | int, ...], hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.hint = hint


class Listed(NamedTuple):
    """A fault of the plan with its number, how often its place came by, and how often it happened."""

    number: int
    fault: Fault
    met: int
    happened: int


class FaultPlan:
    """The faults to come, in the order given.  At each place the first one that is due happens, and no other."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._listed: dict[int, Listed] = {}
        self._numbers = 0
        self._unseen: dict[tuple[str, str], int] = {}
        for fault in faults:
            self.add(fault)

    def add(self, fault: Fault) -> int:
        """Put a fault behind the others; its number is for `remove`."""
        self._numbers += 1
        self._listed[self._numbers] = Listed(self._numbers, fault, 0, 0)
        return self._numbers

    def remove(self, number: int) -> bool:
        """Whether there was a fault of that number."""
        return self._listed.pop(number, None) is not None

    def clear(self) -> None:
        """Forget all faults, also what hides orders at present."""
        self._listed.clear()
        self._unseen.clear()

    def listed(self) -> tuple[Listed, ...]:
        return tuple(self._listed.values())

    def take(self, seam: Seam, place: Place, first: int = 0) -> Fault | None:
        """The fault that happens here and now, which is thereby counted; None, as nearly always.

        Only faults from the number `first` on are asked: a place that was there before them comes by for them alone.
        """
        if not self._listed:
            return None
        taken = None
        for entry in tuple(self._listed.values()):
            if entry.number < first or entry.fault.kind.seam is not seam or not _matches(entry.fault, place):
                continue
            entry = entry._replace(met=entry.met + 1)
            if taken is None and _due(entry):
                taken = entry.fault
                entry = entry._replace(happened=entry.happened + 1)
            self._listed[entry.number] = entry
        return taken

    def hide(self, account: str, client_id: str, until_ms: int) -> None:
        """Queries do not see the order before that instant (UTC ms of the clock that `hides` is asked with)."""
        self._unseen[account, client_id] = until_ms

    def hides(self, account: str, client_id: str, now_ms: int) -> bool:
        until_ms = self._unseen.get((account, client_id))
        if until_ms is None:
            return False
        if now_ms >= until_ms:
            del self._unseen[account, client_id]
            return False
        return True

    @property
    def active(self) -> bool:
        """Whether anything may go wrong at all."""
        return bool(self._listed or self._unseen)


def read_faults(plain: object) -> tuple[Fault, ...]:
    """The faults of `{"faults": [...]}`, as decoded from YAML or JSON.

    Raises:
        FaultRefused: the first thing in it that makes no sense.
    """
    if not isinstance(plain, Mapping) or not isinstance(plain.get("faults"), list):
        raise FaultRefused("there is no list 'faults'", (), "begin with `faults:` and a list under it")
    strange = next((key for key in plain if key != "faults"), None)
    if strange is not None:
        raise FaultRefused(f"unknown key {strange!r} beside faults", (strange,), "leave it out")
    return tuple(read_fault(entry, ("faults", place)) for place, entry in enumerate(plain["faults"]))


def read_fault(plain: object, path: tuple[str | int, ...] = ()) -> Fault:
    """One fault as decoded from YAML or JSON, with its name's defaults filled in.

    Raises:
        FaultRefused: it makes no sense.
    """
    if not isinstance(plain, Mapping):
        raise FaultRefused("a fault is a mapping of keys", path, "like `{name: lost_answer, nth: 2}`")
    name = plain.get("name")
    if name not in list(FaultName):
        near = get_close_matches(str(name), list(FaultName), 1)
        was = "has no name" if name is None else f"{name!r} is no fault's name"
        hint = f"did you mean '{near[0]}'?" if near else f"the names are {', '.join(FaultName)}"
        raise FaultRefused(f"a fault {was}" if name is None else was, (*path, "name") if name else path, hint)
    try:
        fault = converted(Fault, plain)
    except ValueError as error:
        message, _, place = str(error).partition(" - at `$.")
        key = place.removesuffix("`")
        where = (*path, key) if key in plain else path
        raise FaultRefused(message[:1].lower() + message[1:], where, _keys(name)) from None
    _judge(fault, plain, path)
    defaults = {key: value for key, value in fault.kind.parameters.items() if getattr(fault, key) is None}
    return fault.but(**defaults)


_PARAMETERS = frozenset(key for kind in KINDS.values() for key in kind.parameters)


def _judge(fault: Fault, plain: Mapping[str, Any], path: tuple[str | int, ...]) -> None:
    seam = fault.kind.seam
    for key in plain:
        needless = key in _PARAMETERS and key not in fault.kind.parameters
        needless = needless or (key in ("event", "status") and seam not in _EVENT_PLACES)
        needless = needless or (key == "route" and seam not in _ROUTE_PLACES)
        if needless:
            raise FaultRefused(f"{fault.name} takes no {key!r}", (*path, key), _keys(fault.name))
    for key, least in (("nth", 1), ("count", 1), ("delay_ms", 0), ("retry_after_s", 0), ("behind", 1)):
        value = getattr(fault, key)
        if isinstance(value, int) and value < least:
            raise FaultRefused(f"{key} is {value}", (*path, key), f"it is a whole number from {least} on")
    if fault.qty is not None and not (fault.qty.is_finite() and fault.qty > ZERO):
        raise FaultRefused(f"qty is {fault.qty}", (*path, "qty"), "it is a quantity above zero, like 0.002")


def _keys(name: str) -> str:
    kind = KINDS[FaultName(name)]
    keys = ["name", *(["route"] if kind.seam in _ROUTE_PLACES else []), "client_id", "account"]
    keys += ["event", "status"] if kind.seam in _EVENT_PLACES else []
    return f"{name} takes {', '.join([*keys, 'nth', 'count', *kind.parameters])}"


def _due(entry: Listed) -> bool:
    fault = entry.fault
    return entry.met >= fault.nth and (fault.count == "always" or entry.happened < fault.count)


def _matches(fault: Fault, place: Place) -> bool:
    if place.exempt and fault.name is FaultName.OVERLOADED_1008:
        return False
    if fault.account and fault.account != place.account:
        return False
    if fault.event != place.event and (fault.event or fault.kind.seam is not Seam.EVENT):
        return False
    if fault.status and fault.status != place.status:
        return False
    if place.route:
        routes = (fault.route,) if fault.route else fault.kind.routes
        if not any(fnmatchcase(place.route, route) for route in routes):
            return False
    return fault.client_id == "*" or any(fnmatchcase(each, fault.client_id) for each in place.client_ids)
