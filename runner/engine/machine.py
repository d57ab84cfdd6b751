"""The machine: one fact in, the intents that follow from it out.

`advance` takes the fact into the run's state, then settles what it touched, again and again until nothing changes:
outcomes travel along edges, groups bring their exits to their ledgers, steps come to their ends.  It is total and
deterministic: the same events give the same commands, and a fact that brings nothing new gives none.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import assert_never

from runner.domain.commands import Command, RunEnded, WatchPrice
from runner.domain.events import (
    AccountSeen,
    AttemptFailed,
    AttemptMade,
    CommandRejected,
    CommandUnresolved,
    DataEnded,
    Event,
    ForcedExecution,
    FundingExchanged,
    InsuranceCleared,
    MarginCalled,
    MarketGap,
    Observed,
    OrderNotFound,
    PositionReport,
    PriceTouched,
    RunResumed,
    RunStarted,
    StopRequested,
    StreamGap,
    TimerFired,
)
from runner.domain.orders import Order
from runner.domain.positions import Position
from runner.domain.reports import OrderReport, TradeReport
from runner.domain.snapshots import VenueSnapshot
from runner.domain.times import DAY_MS, day_start
from runner.domain.values import ZERO
from runner.engine import (
    closing,
    contingencies,
    ends,
    exits,
    external,
    flow,
    forced,
    gate,
    openers,
    orders,
    reconcile,
    resume,
)
from runner.engine.purse import Day
from runner.engine.settle import settle
from runner.engine.state import Run
from runner.graph.model import ExecutionGraph, Outcome

_DAY = "day:"  # no step can be called that


class Machine:
    """Runs one execution graph.  Its state is a function of the events given to `advance`, in their order."""

    def __init__(self, graph: ExecutionGraph) -> None:
        self._run = Run(graph)

    @property
    def ended(self) -> bool:
        """Whether the run is over: nothing that it started can change any more."""
        return self._run.ended

    def live_symbols(self) -> tuple[str, ...]:
        """The symbols with a live order, an open group, or an opener on its way."""
        run = self._run
        if run.ended:
            return ()
        open_ones = {symbol for symbol, groups in run.attended.items() if groups}
        return tuple(sorted(open_ones | {symbol for symbol, waiting in run.waiting.items() if waiting}))

    def agrees(self, snapshot: VenueSnapshot) -> bool:
        """Whether the snapshot tells nothing that is not held here already: to advance with it would change nothing."""
        return self._run.ended or reconcile.agrees(self._run, snapshot)

    def unresolved(self) -> tuple[str, ...]:
        """The client ids of the orders of which it is not known now whether the exchange holds them."""
        return tuple(one.client_order_id for _, one in self._run.orders.values() if one.asked)

    def at_stake(self) -> tuple[Order, ...]:
        """The orders that the exchange holds, or may hold."""
        return tuple(one.order for _, one in self._run.orders.values() if one.live)

    @property
    def timers(self) -> Mapping[str, int]:
        """The timers that are set, by id, and when each is due."""
        return MappingProxyType(self._run.timers)

    @property
    def watches(self) -> Mapping[str, WatchPrice]:
        """The price levels that are watched, by id."""
        return MappingProxyType(self._run.watches)

    def advance(self, event: Event) -> tuple[Command, ...]:
        """Take one fact in, give the intents that follow from it."""
        run = self._run
        run.out = []
        if run.ended and not (isinstance(event, RunResumed) and run.stopping == "stopped"):
            return ()
        if run.deferred is not None and not isinstance(event, RunResumed):
            if not (isinstance(event, VenueSnapshot) and not event.symbols):
                run.deferred.append(event)
                return ()
            facts, run.deferred = [event, *run.deferred], None
        else:
            facts = [event]
        for one in facts:  # all that is known counts before anything is done about it
            seen_ms, run.now_ms = run.now_ms, max(run.now_ms, one.at_ms)
            if not run.ended or isinstance(one, RunResumed):
                self._take(one, seen_ms)
        if run.deferred is None:
            self._settle()
        return tuple(run.out)

    def _settle(self) -> None:
        run = self._run
        while not run.ended:
            if run.outcomes:
                flow.propagate(run)
            elif run.dirty:
                group_id = next(iter(run.dirty))
                del run.dirty[group_id]
                group = run.groups.get(group_id)
                if group is not None:
                    settle(run, group)
                    run.attend(group)
                    resume.name_uncovered(run, group)
            elif run.check:
                step_id = next(iter(run.check))
                del run.check[step_id]
                ends.judge(run, run.steps[step_id])
            elif run.others.changes:
                external.follow(run)
            elif run.ready:
                flow.start_ready(run)
            elif run.tasks and self._tasks_changed():
                continue
            else:
                break
        if not run.ended:
            self._judge_end()

    def _tasks_changed(self) -> bool:
        before = self._run.running_steps
        ends.judge_tasks(self._run)
        return self._run.running_steps != before or bool(self._run.outcomes)

    def _take(self, event: Event, seen_ms: int) -> None:
        run = self._run
        match event:
            case RunStarted():
                self._start(event)
            case OrderReport() | TradeReport() | OrderNotFound():
                reconcile.fold_order(run, event)
            case ForcedExecution():
                forced.execute(run, event)
                reconcile.judge_positions(run, event.symbol)
            case FundingExchanged() | InsuranceCleared():
                forced.move_money(run, event)
            case AccountSeen(facts=facts):
                external.see_account(run, facts)
            case MarginCalled() | AttemptFailed() | AttemptMade() | StreamGap():
                pass  # for people: what a plan does about its losses is its stops
            case VenueSnapshot():
                reconcile.fold(run, event)
            case RunResumed():
                resume.take_on(run, event, seen_ms)
            case CommandRejected():
                contingencies.refused(run, event)
            case CommandUnresolved():
                orders.unresolved(run, event)
            case PositionReport():
                closing.fold_position(run, event)
                reconcile.judge_positions(run, event.symbol)
                ends.flatten_account(run, event)
            case Observed():
                for waiter in openers.observed(run, event):
                    self._informed(waiter)
            case TimerFired(timer_id=timer_id):
                due_ms = run.timers.get(timer_id)
                if due_ms is not None and due_ms > run.now_ms:
                    run.timer(timer_id, due_ms)  # what fired was an earlier setting
                elif due_ms is not None:
                    del run.timers[timer_id]
                    self._fired(timer_id)
            case PriceTouched(watch_id=watch_id):
                run.watches.pop(watch_id, None)
                node_id = run.judging.get(watch_id.rpartition("/")[0])
                if node_id is not None and run.judges[node_id].touched(watch_id, run.now_ms, run.emit):
                    flow.held(run, node_id)
            case MarketGap(symbol=symbol):
                for node_id, judge in list(run.judges.items()):
                    if judge.gap(symbol, run.now_ms, run.emit):
                        flow.held(run, node_id)
            case DataEnded():
                run.ended = True
                verdict = self._verdict()
                unfinished = run.running_steps or self._live()
                run.emit(RunEnded("open" if unfinished and verdict == "succeeded" else verdict, run.forced))
            case StopRequested(flatten=flatten):
                run.managing = False
                flow.stop(run, "stopped")
                if flatten:
                    for group in run.groups.values():
                        if not group.ended and (group.working or group.open > ZERO):
                            closing.flatten(run, group)
            case _:
                assert_never(event)

    def _start(self, event: RunStarted) -> None:
        run = self._run
        run.run_id, run.seed, run.pace = event.run_id, event.seed, event.pace
        for position in event.positions:
            run.book[position.symbol] = Position(position.symbol, position.qty, position.entry_px)
            run.held[position.symbol] = run.free[position.symbol] = position.qty
        if run.graph.limits.max_daily_loss is not None:
            self._new_day()
        external.begin(run, event.foreign)
        flow.begin(run)

    def _informed(self, waiter: str) -> None:
        run = self._run
        if waiter == _DAY:
            run.day = Day(day_start(run.now_ms), unrealised=gate.unrealised(run))
        elif waiter in run.steps:
            flow.begin_step(run, run.steps[waiter])
        else:
            openers.send(run, run.legs[waiter])

    def _fired(self, timer_id: str) -> None:
        run = self._run
        kind, _, name = timer_id.partition(":")
        match kind:
            case "when":
                node_id = run.judging.get(timer_id)
                if node_id is not None and run.judges[node_id].fired(timer_id, run.now_ms, run.emit):
                    flow.held(run, node_id)
            case "edge":
                flow.arrive(run, int(name))
            case "timeout":
                flow.timed_out(run, run.steps[name])
            case "bound":
                closing.bound_reached(run, run.groups[name])
            case "trigger":
                reason = exits.trigger_timeout(run, run.legs[name])
                if reason:
                    closing.start_closing(run, run.group_of(run.legs[name]), reason)
            case "retry" | "twin" | "whole":
                run.touch(run.legs[name].node.group_id)
            case "close" | "pause":
                run.touch(name)
            case "read":
                closing.read_position(run, run.groups[name])
            case "flat":
                ends.read_for_flatten(run, name)
            case "lookup":
                orders.look_up_again(run, name)
            case "price":
                self._stand_in(name)
            case "end":
                openers.cancel_last_slice(run, run.steps[name])
            case "day":
                self._new_day()

    def _stand_in(self, node_id: str) -> None:
        run = self._run
        leg = run.legs[node_id]
        if leg.anchor_px is None:
            quote = run.quotes.get(leg.node.symbol)
            leg.anchor_mark = leg.anchor_mark or (quote.mark_px if quote else None)
            leg.stand_in = True
            run.touch(leg.node.group_id)

    def _new_day(self) -> None:
        run = self._run
        start_ms = day_start(run.now_ms)
        run.timer(_DAY, start_ms + DAY_MS)
        exposed = set(gate.exposed_symbols(run))
        if exposed:
            openers.want(run, _DAY, exposed)
        else:
            run.day = Day(start_ms)

    # ---- the end --------------------------------------------------------------------------------------------------

    def _judge_end(self) -> None:
        run = self._run
        if run.now_ms < run.forced_until_ms:
            return
        if run.stopping == "stopped" and not run.managing:
            over = not any(run.opening.values()) and all(group.at_rest for group in run.groups.values())
        else:
            over = run.running_steps == 0 and not self._live()
        if over:
            run.ended = True
            run.emit(RunEnded(self._verdict(), run.forced))

    def _live(self) -> bool:
        return any(not group.ended and (group.live or group.closing) for group in self._run.groups.values())

    def _verdict(self) -> str:
        run = self._run
        if run.stopping == "stopped":
            return "stopped"
        failed = bool(run.forced) or any(step.outcome is Outcome.FAILED for step in run.steps.values())
        return "failed" if failed else "succeeded"
