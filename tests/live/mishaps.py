"""What can go wrong, as cases: a play, and the faults of the exchange that it meets at a named place.

The matrix holds every fault at every place that it can befall; the first case of each fault, and one case for each
class of request, are played in every test run, the rest in the soak.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from runner.app.instruments import load_instruments
from runner.domain.values import base36
from runner.graph.compile import compile_plan
from runner.plan.load import load_plan
from runner.venue.faults import KINDS, FaultName, Seam
from tests.live.judge import Verdict, judge, truth
from tests.live.plays import PLAYS, Director
from tests.live.stage import Ended, Stage, Trader

Fault = dict[str, Any]
NOTHING_SENT = "nothing was sent"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a fault strikes: in which play, at which route, event, or order (a leg's name, empty for any)."""

    name: str
    play: str
    route: str = ""
    leg: str = ""
    event: str = ""
    status: str = ""


ENTRY = Place("entry's placement", "single", "POST /fapi/v1/order", "long.entry")
STOP = Place("stop's placement", "single", "POST /fapi/v1/algoOrder", "long.stop_loss")
PROFIT = Place("take-profit's placement", "single", "POST /fapi/v1/algoOrder", "long.take_profit")
SLICE = Place("slice's placement", "twap", "POST /fapi/v1/order", "build.slice.3")
SIBLING = Place("sibling's cancel", "single", "DELETE /fapi/v1/algoOrder", "long.stop_loss")
OTHER = Place("take-profit's cancel", "single stopped", "DELETE /fapi/v1/algoOrder", "long.take_profit")
RESIZED = Place("smaller stop's placement", "bracket", "POST /fapi/v1/algoOrder", "long.stop_loss")
TIMEOUT = Place("entry's cancel", "timed out", "DELETE /fapi/v1/order", "long.entry")
ENTERED = Place("entry's fill", "single", "", "long.entry", "ORDER_TRADE_UPDATE", "FILLED")
STOPS = Place("stop's acceptance", "single", "", "long.stop_loss", "ALGO_UPDATE", "NEW")
GUARDED = Place("take-profit's acceptance", "single", "", "long.take_profit", "ALGO_UPDATE", "NEW")
PROFITS = Place("take-profit's fill", "single", "", "long.take_profit", "ORDER_TRADE_UPDATE", "FILLED")
STOPPED = Place("stop's fill", "single stopped", "", "long.stop_loss", "ORDER_TRADE_UPDATE", "FILLED")
TRIGGER = Place("stop's trigger", "single stopped", "", "long.stop_loss")
READS = tuple(
    Place(f"`{route}`", "single", route) for route in (
        "GET /fapi/v1/time", "GET /fapi/v1/exchangeInfo", "GET /fapi/v1/openOrders", "GET /fapi/v1/openAlgoOrders",
        "GET /fapi/v3/positionRisk", "GET /fapi/v3/balance", "GET /fapi/v1/userTrades", "POST /fapi/v1/listenKey",
    )
)

_UNSIGNED = ("GET /fapi/v1/time", "GET /fapi/v1/exchangeInfo")
"""Nobody knows whose they are."""
_PLACEMENTS = (ENTRY, STOP, PROFIT, SLICE, RESIZED)
_CANCELS = (SIBLING, OTHER, TIMEOUT)
_EVENTS = (ENTERED, STOPPED, STOPS, PROFITS)
_ANY_REQUEST = (*_PLACEMENTS, *_CANCELS)
_SAFE_AT: dict[FaultName, tuple[Place, ...]] = {
    FaultName.OVERLOADED_1008: (ENTRY, SLICE),
    FaultName.UNKNOWN_ORDER_2011: _CANCELS,
    FaultName.WOULD_TRIGGER_2021: (STOP, PROFIT, RESIZED),
    FaultName.REDUCE_ONLY_2022: (STOP, PROFIT, RESIZED),
    FaultName.OVER_CLOSE_4118: (STOP, PROFIT, RESIZED),
    FaultName.DUPLICATE_ID_4116: _PLACEMENTS,
    FaultName.UNSEEN_ORDER: _PLACEMENTS,
    FaultName.STOP_REJECTED: (TRIGGER,),
    FaultName.PARTIAL_FILL_IN_CANCEL: (TIMEOUT,),
    FaultName.CLOSED_BY_HAND: (GUARDED, ENTERED, STOPS),
    FaultName.CLOSED_BY_ADL: (GUARDED, ENTERED, STOPS),
}
"""The faults that befall fewer places than others of their seam."""

PARAMETERS: dict[FaultName, Fault] = {
    FaultName.TOO_MANY_429: {"retry_after_s": 1},
    FaultName.BANNED_418: {"retry_after_s": 1},
    FaultName.SLOW_ANSWER: {"delay_ms": 200},
    FaultName.UNSEEN_ORDER: {"delay_ms": 300},
    FaultName.EVENT_LATE: {"delay_ms": 300},
}
"""Scaled like the run's own waits; a second is the least that Retry-After can say."""


@dataclass(frozen=True, slots=True)
class Case:
    """One fault at one place; `executed` where it is not its name's own default."""

    fault: FaultName
    place: Place
    executed: bool | None = None

    @property
    def title(self) -> str:
        done = {None: "", True: ", executed", False: ", not executed"}[self.executed]
        return f"{self.fault}{done}"

    @property
    def id(self) -> str:
        return f"{self.title} at {self.place.name}"

    def wish(self) -> Fault:
        """What the exchange is told."""
        more: Fault = dict(PARAMETERS.get(self.fault, {}))
        if self.executed is not None:
            more["executed"] = self.executed
        return {**placed(self.place), **more}


def placed(place: Place) -> Fault:
    wish: Fault = {}
    if place.leg:
        wish["client_id"] = pattern(place.play, place.leg)
    for name in ("route", "event", "status"):
        if getattr(place, name):
            wish[name] = getattr(place, name)
    if place.route in _UNSIGNED:
        wish["account"] = ""
    return wish


def matrix() -> list[Case]:
    """Every fault at every place, the places of a fault in the order of their weight."""
    cases: list[Case] = []
    for name in FaultName:
        kind = KINDS[name]
        for place in _SAFE_AT.get(name) or (_EVENTS if kind.seam in (Seam.EVENT, Seam.SOCKET) else _ANY_REQUEST):
            cases.append(Case(name, place))
            if "executed" in kind.parameters:
                cases.append(Case(name, place, not kind.parameters["executed"]))
    for place in READS:
        cases += [Case(name, place) for name in (FaultName.SLOW_ANSWER, FaultName.TOO_MANY_429)]
    return cases


def in_every_run() -> list[Case]:
    """Each fault once, and each class of request once."""
    chosen: dict[str, Case] = {}
    for case in matrix():
        chosen.setdefault(case.fault, case)
    classes = {case.place.name: case for case in reversed(matrix()) if case.place in (*_ANY_REQUEST, *READS)}
    return list(dict.fromkeys([*chosen.values(), *classes.values()]))


@cache
def pattern(play: str, leg: str) -> str:
    """The client ids of a leg, all its revisions; a leg without its number is each of them."""
    plan = load_plan(play, PLAYS[play].plan.encode(), {})
    nodes = compile_plan(plan, load_instruments(None)).graph.nodes
    (found,) = (base36(at) for at, node in enumerate(nodes) if node.node_id == leg or node.node_id == f"{leg}.1")
    return f"*.{found}.0.*"


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a case: the row of the table, and what must not be."""

    exit: int
    end: str
    verdict: Verdict
    ended: Ended

    @property
    def findings(self) -> list[str]:
        return self.verdict.findings

    @property
    def safe(self) -> bool:
        """It ended by itself, with an exit code that says how: also before it had begun, where nothing was sent."""
        return self.exit in (0, 1) or (self.exit == 4 and self.end == NOTHING_SENT)


def play_out(stage: Stage, trader: Trader, play: str, faults: list[tuple[str, Fault]]) -> Fate:
    """Play it with these faults, to the end of the run."""
    scene = PLAYS[play]
    director = Director(stage, trader, scene)
    plan = trader.plan(scene.plan)
    approval = trader.approval(plan)
    for name, wish in faults:
        trader.fault(name, **wish)
    ended = director.end(trader.run(plan, "--format", "json", approval=approval))
    verdict = judge(trader)
    return Fate(ended.code, _end(ended, trader, scene.quantity), verdict, ended)


def _end(ended: Ended, trader: Trader, quantity: Any) -> str:
    """In words for the table: as planned, or which steps ended how."""
    try:
        found = json.loads(ended.out)
    except ValueError:
        return "no summary"
    if "outcome" not in found:
        return NOTHING_SENT if ended.code in (4, 6, 7) else str(found)
    known = truth(trader)
    whole = known.filled(reduces=False) == known.filled(reduces=True) == quantity
    if found["outcome"] == "succeeded" and whole:
        return "as planned"
    return "; ".join(_steps(found))


def _steps(found: dict[str, Any]) -> Iterator[str]:
    for step in found["steps"]:
        reason = f" ({step['reason']})" if step["reason"] else ""
        yield f"{step['step_id']} {step['outcome']}{reason}"
