"""How each step of a run stands now, for a table that is drawn again and again."""

from decimal import Decimal
from typing import NamedTuple

from runner.domain.commands import CancelTimer, Command, PlaceOrder, SetTimer, StepEnded, StepStarted
from runner.domain.events import Event, TimerFired
from runner.domain.orders import OrderStatus
from runner.domain.value import Record, fresh
from runner.domain.values import ZERO
from runner.graph.model import Role
from runner.report.context import RunContext
from runner.report.legs import Legs
from runner.report.orders import Change, KnownOrder, Orders

_DUE_WORDS = {
    "edge": "next order", "when": "condition", "timeout": "timeout", "trigger": "trigger timeout",
    "bound": "close unless protected", "end": "end", "lookup": "look-up",
}


class LegRow(NamedTuple):
    """An order that is not closed: `name` as in the plan, `result` its state in the words of the reports."""

    name: str
    result: str


class StepRow(NamedTuple):
    """`state` is waiting, open, or the step's outcome; `reason` why it ended so.  `entered` is what its openers filled,
    `exited` what its exits did, `wanted` what was asked for, None where that is not known.

    `due_ms` is the instant of the next thing that it will do by the clock, `due` what; None and empty without one.
    """

    step_id: str
    state: str
    reason: str
    entered: Decimal
    exited: Decimal
    wanted: Decimal | None
    orders: tuple[LegRow, ...]
    due_ms: int | None
    due: str


class _Step(Record):
    state: str = "waiting"
    reason: str = ""
    wanted: Decimal | None = None
    entered: Decimal = ZERO
    exited: Decimal = ZERO
    open: dict[str, KnownOrder] = fresh(dict)
    timers: dict[str, int] = fresh(dict)


class Board:
    """Follows one run.  `orders` is the run's, kept up to date by whoever calls."""

    def __init__(self, context: RunContext, orders: Orders) -> None:
        self._orders = orders
        self._legs = Legs(context)
        self._steps = {step.step_id: _Step() for step in context.steps}
        self._edges = {
            index: self._steps[facts.step_id] for facts in context.steps if facts.first_edge >= 0
            for index in range(facts.first_edge, facts.last_edge + 1)
        }
        self._filled: dict[str, Decimal] = {}

    def see(self, value: Event | Command, change: Change | None) -> None:
        if change is not None:
            self._changed(change.known)
        match value:
            case StepStarted(step_id=step_id, quantity=quantity) if (step := self._steps.get(step_id)) is not None:
                step.state, step.wanted = "open", quantity
            case StepEnded(step_id=step_id, outcome=outcome) if (step := self._steps.get(step_id)) is not None:
                step.state, step.reason = outcome, value.reason
            case PlaceOrder(request=request):
                known = self._orders.get(request.client_order_id)
                step = self._step(value.node_id)
                if known is not None and step is not None:
                    step.open[request.client_order_id] = known
            case SetTimer(timer_id=timer_id) if (step := self._waiting(timer_id)) is not None:
                step.timers[timer_id] = value.at_ms
            case CancelTimer(timer_id=timer_id) | TimerFired(timer_id=timer_id) if (
                step := self._waiting(timer_id)
            ) is not None:
                step.timers.pop(timer_id, None)
            case _:
                pass

    def rows(self) -> tuple[StepRow, ...]:
        """The steps in the plan's order."""
        return tuple(self._row(step_id, step) for step_id, step in self._steps.items())

    def _row(self, step_id: str, step: _Step) -> StepRow:
        # A timeout is for what is still to be opened.
        whole = step.wanted is not None and step.entered >= step.wanted
        timers = [item for item in step.timers.items() if not (whole and item[0].startswith("timeout:"))]
        timer_id, due_ms = min(timers, key=lambda item: item[1], default=("", None))
        due = _DUE_WORDS.get(timer_id.partition(":")[0], "next try") if timer_id else ""
        orders = tuple(
            LegRow(known.placed.node_id.partition(".")[2], known.result) for known in step.open.values()
        )
        return StepRow(
            step_id, step.state, step.reason, step.entered, step.exited, step.wanted, orders, due_ms, due,
        )

    def _changed(self, known: KnownOrder) -> None:
        step = self._step(known.placed.node_id)
        if step is None:
            return
        client_id = known.placed.request.client_order_id
        more = known.filled_qty - self._filled.get(client_id, ZERO)
        self._filled[client_id] = known.filled_qty
        if self._legs.leg(known.placed.node_id).role == Role.OPENER.value:
            step.entered += more
        else:
            step.exited += more
        if known.order.status.closed:
            step.open.pop(client_id, None)
        elif known.order.status is not OrderStatus.PENDING_NEW:
            step.open[client_id] = known

    def _step(self, node_id: str) -> _Step | None:
        return self._steps.get(node_id.partition(".")[0])

    def _waiting(self, timer_id: str) -> _Step | None:
        """The step that a timer is of; groups are called as the step that opens them, nodes begin with their step."""
        kind, _, name = timer_id.partition(":")
        if kind == "lookup":
            known = self._orders.get(name)
            return self._step(known.placed.node_id) if known is not None else None
        return self._edges.get(int(name)) if kind == "edge" else self._step(name)
