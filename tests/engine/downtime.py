"""The adversary of a live run: its process dies and another takes the run on, streams fall silent, snapshots come late,
and other people trade on the account."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec

from runner.domain.commands import CancelOrder, Command, Observe, PlaceOrder, QueryOrder, ReadPosition
from runner.domain.events import Event, ForcedExecution, RunResumed, RunStarted, StreamGap
from runner.domain.orders import OrderStatus
from runner.domain.positions import Position
from runner.domain.reports import OrderReport, TradeReport
from runner.domain.snapshots import VenueSnapshot
from runner.domain.values import ZERO, OrderType, Side
from runner.engine.machine import Machine
from runner.engine.replay import replay
from tests.engine.adversary import RECV_WINDOW_MS, World
from tests.engine.counterparty import Held


@dataclass
class LiveWorld(World):
    """`blind`: the machine waits for its first snapshot after a resume, and keeps back what it is told meanwhile.
    `hands`: how often anybody but the run has changed something on the account."""

    blind: bool = False
    drops: bool = False
    waiting: list[Event] = field(default_factory=list)
    streamed: list[Event] = field(default_factory=list)
    executions: list[TradeReport] = field(default_factory=list)
    strangers: dict[str, OrderReport] = field(default_factory=dict)
    known_strangers: dict[str, str] = field(default_factory=dict)
    hands: int = 0
    crashes: int = 0
    halted: bool = False

    # ---- what the machine is told ---------------------------------------------------------------------------------

    def give(self, event: Event) -> None:
        if not isinstance(event, VenueSnapshot):
            World.give(self, event)
            return
        agreed = self.machine.agrees(event)
        if agreed and self.drops:
            return
        before = digest(self.machine) if agreed else None
        overdue = self.timers.get("forced:", self.now_ms + 1) <= self.now_ms  # the end that it would bring is due
        World.give(self, event)
        if agreed:
            said = next(commands for known, commands in reversed(self.history) if known is event)
            if overdue and self.verdict:
                return
            assert not said, f"{event} agrees, and brings {said}"
            after = digest(self.machine)
            changed = {name: (before[name], after[name]) for name in before or {} if before[name] != after[name]}
            assert not changed, f"{event} agrees, and changes {changed}"

    def _note(self, event: Event) -> None:
        if self.verdict and not isinstance(event, RunResumed):
            return  # a run that has ended takes nothing in
        match event:
            case RunResumed():
                self.verdict = ""
                self.blind = True
                for told in self.told.values():
                    told.cancelling = False
                    told.querying = 0
            case VenueSnapshot():
                if self.blind and event.symbols:
                    self.waiting.append(event)
                    return
                waiting, self.waiting = self.waiting, []
                self.blind = False
                for fact in (*event.orders, *event.trades, *waiting):
                    self._note(fact)
                self._note_strangers(event)
            case ForcedExecution():
                self.written_off = True
            case _ if self.blind:
                self.waiting.append(event)
            case OrderReport() if event.client_order_id not in self.told:
                if event.status.closed:
                    self.known_strangers.pop(event.client_order_id, None)
                else:
                    self.known_strangers[event.client_order_id] = event.symbol
            case OrderReport(quantity=Decimal() as quantity):
                self.told[event.client_order_id].held_to(quantity, event.limit_px, event.at_ms)
                World._note(self, event)
            case _:
                World._note(self, event)

    def _note_strangers(self, snapshot: VenueSnapshot) -> None:
        shown = {report.client_order_id for report in snapshot.orders}
        gone = [name for name, symbol in self.known_strangers.items() if snapshot.covers(symbol) and name not in shown]
        for name in gone:
            del self.known_strangers[name]

    # ---- facts that are pushed, and may be lost -------------------------------------------------------------------

    def trigger(self, pick: int) -> bool:
        return self._pushed(World.trigger, pick)

    def execute(self, pick: int, tenths: int = 10, told: int = 3) -> bool:
        return self._pushed(World.execute, pick, tenths, told)

    def end_unasked(self, pick: int, expired: bool) -> bool:
        self.hands += not expired
        return self._pushed(World.end_unasked, pick, expired)

    def close_by_hand(self, pick: int, tenths: int) -> bool:
        self.hands += 1
        return self._pushed(World.close_by_hand, pick, tenths)

    def force(self, pick: int, tenths: int) -> bool:
        self.hands += 1  # its fact may be lost, and then it looks like one
        return self._pushed(World.force, pick, tenths)

    def _pushed(self, move: Any, *arguments: Any) -> bool:
        before = len(self.outbox)
        done: bool = move(self, *arguments)
        self.streamed.extend(self.outbox[before:])
        self.executions.extend(one for one in self.outbox[before:] if isinstance(one, TradeReport))
        return done

    def _push(self, event: Event) -> None:
        self.outbox.append(event)
        self.streamed.append(event)

    def lose_streams(self) -> bool:
        """What was pushed and has not arrived is lost; a whole snapshot follows."""
        lost = [one for one in self.outbox if any(one is other for other in self.streamed)]
        self.outbox = [one for one in self.outbox if not any(one is other for other in lost)]
        self.streamed = []
        self.written_off = self.written_off or any(isinstance(one, ForcedExecution) for one in lost)
        self.give(StreamGap(self.now_ms, self.now_ms - 1_000))
        self.look("")
        return True

    # ---- snapshots ------------------------------------------------------------------------------------------------

    def look(self, symbol: str) -> bool:
        """Somebody begins to read a snapshot, which arrives whenever it does."""
        self.outbox.append(self.snapshot(symbol))
        return True

    def snapshot(self, symbol: str = "") -> VenueSnapshot:
        """What the exchange holds now."""
        wanted = [symbol] if symbol else ["BTCUSDT", "ETHUSDT"]
        mine = [self._shown(one) for one in self.orders(lambda one: one.live and one.request.symbol in wanted)]
        theirs = [one for one in self.strangers.values() if one.symbol in wanted]
        held = {one: qty for one, qty in self.exchange.positions.items() if qty and one in wanted}
        return VenueSnapshot(
            self.now_ms, (), tuple(Position(one, qty, Decimal(60_000)) for one, qty in held.items()),
            tuple(mine + theirs), () if symbol else tuple(self.executions), self.now_ms, (symbol,) if symbol else (),
        )

    def _shown(self, one: Held) -> OrderReport:
        request = one.request
        return OrderReport(
            self.now_ms, request.symbol, request.client_order_id, one.order_id, one.status, one.filled, one.avg_px,
            quantity=ZERO if request.close_position else request.quantity, trigger_px=request.trigger_price,
            limit_px=request.price, side=request.side, reduce_only=request.reduce_only,
            close_position=request.close_position,
        )

    # ---- moves of the process -------------------------------------------------------------------------------------

    def crash(self, dropped: int, unsent: bool, asleep_ms: int) -> bool:
        """The process dies.  Its last facts may not have been kept yet, and of what it kept it may not have sent the
        orders; whatever it has sent may still arrive, and no answer to it comes.  Another process takes the run on."""
        for _ in range(dropped):
            event, commands = self.history[-1]
            places = [one for one in commands if isinstance(one, PlaceOrder)]
            if isinstance(event, RunStarted | RunResumed) or not all(self._unsent(one) for one in places):
                break
            self.history.pop()
            self._never_send(places)
        if unsent:
            self._never_send([one for one in self.history[-1][1] if isinstance(one, PlaceOrder) and self._unsent(one)])
        self.outbox, self.streamed, self.repeatable = [], [], []
        self.forgotten.clear()
        self.transit = [one for one in self.transit if not isinstance(one.command, QueryOrder | ReadPosition | Observe)]
        for request in self.transit:
            request.lost = True
        self._replay()
        self.now_ms += asleep_ms
        self._expire()
        self.crashes += 1
        self.give(RunResumed(self.now_ms, self.now_ms + RECV_WINDOW_MS))
        self.look("")
        return True

    def _unsent(self, command: PlaceOrder) -> bool:
        return any(one.command is command and not one.lost for one in self.transit)

    def _never_send(self, commands: list[PlaceOrder]) -> None:
        """Nor is the cancel of what was not sent: it only withdraws it."""
        unsent = {one.request.client_order_id for one in commands}
        self.transit = [
            one for one in self.transit if not any(one.command is other for other in commands)
            and not (isinstance(one.command, CancelOrder) and one.command.client_order_id in unsent)
        ]

    def _replay(self) -> None:
        """All that is left of the former process is its journal."""
        entries = [entry for event, commands in self.history for entry in (event, *commands)]
        replayed = replay(self.graph, entries)
        self.machine = replayed.machine
        transit, now_ms = self.transit, self.now_ms
        self.told, self.trades, self.ended_steps, self.bare_since_ms = {}, set(), set(), {}
        self.waiting, self.blind, self.verdict, self.transit = [], False, "", []
        self.known_strangers, self.halted = {}, False
        for event, commands in self.history:
            self._note(event)
            for command in commands:
                self._send(command)
        self.ended_steps = {
            one.step_id for _, commands in self.history for one in commands if type(one).__name__ == "StepEnded"
        }
        self.transit, self.now_ms = transit, now_ms
        self.timers, self.watches = dict(replayed.timers), dict(replayed.watches)

    def forget(self, pick: int) -> bool:
        """The exchange forgets what nobody asks for any more."""
        asked = {name for name, one in self.told.items() if not one.ended}
        if any(one.request.client_order_id in asked for one in self.orders(lambda one: not one.live)):
            return False
        return World.forget(self, pick)

    # ---- moves of other people ------------------------------------------------------------------------------------

    def cancel_by_hand(self, pick: int) -> bool:
        live = self.orders(lambda one: one.live)
        if not live:
            return False
        order = live[pick % len(live)]
        self.exchange.end(order, OrderStatus.CANCELED)
        self.hands += 1
        self._push(OrderReport(
            self.now_ms, order.request.symbol, order.request.client_order_id, order.order_id, order.status,
            order.filled, order.avg_px,
        ))
        return True

    def amend_by_hand(self, pick: int, tenths: int) -> bool:
        """A resting LIMIT order is made smaller, at another price."""
        live = self.orders(lambda one: one.live and one.request.order_type is OrderType.LIMIT)
        if not live:
            return False
        order = live[pick % len(live)]
        steps = max(int(order.leaves * 1_000) * tenths // 10, 1)
        price = (order.request.price or ZERO) - 10
        order.request = order.request.but(quantity=order.filled + Decimal(steps) / 1_000, price=price)
        self.hands += 1
        self._push(self._shown(order))
        return True

    def place_by_hand(self, side: Side, reduce_only: bool) -> bool:
        name = f"web_{len(self.strangers) + self.hands}"
        self.strangers[name] = OrderReport(
            self.now_ms, "BTCUSDT", name, f"W{name}", OrderStatus.NEW, quantity=Decimal("0.5"),
            limit_px=Decimal(50_000), side=side, reduce_only=reduce_only,
        )
        self.hands += 1
        self._push(self.strangers[name])
        return True

    def end_stranger(self, pick: int) -> bool:
        if not self.strangers:
            return False
        name = sorted(self.strangers)[pick % len(self.strangers)]
        self._push(self.strangers.pop(name).but(status=OrderStatus.CANCELED, at_ms=self.now_ms))
        return True

    def buy_by_hand(self, steps: int) -> bool:
        """Somebody adds to the position, on its side; where there is none he buys."""
        held = self.exchange.positions.get("BTCUSDT", ZERO)
        added = Decimal(steps) / 1_000 * (-1 if held < ZERO else 1)
        self.exchange.positions["BTCUSDT"] = held + added
        self.beside["BTCUSDT"] = self.beside.get("BTCUSDT", ZERO) + abs(added)
        self.hands += 1
        self._push_position("BTCUSDT")
        return True

    # ---- the benign end -------------------------------------------------------------------------------------------

    def settle(self) -> None:
        World.settle(self)
        for _ in range(3):
            self.now_ms += 1
            snapshot = self.snapshot()
            if self.machine.agrees(snapshot):
                return
            self.give(snapshot)
            World.settle(self)


def digest(machine: Machine) -> dict[str, Any]:
    """All of a machine's state that may bear on what it does next."""
    run = machine._run
    state = {name: value for name, value in vars(run).items() if name not in _APART}
    state["legs"] = {leg.node_id: _plain(leg) for leg in run.legs.values()}
    state["groups"] = {name: _plain(group) for name, group in run.groups.items()}
    state["steps"] = {name: (step.phase, step.outcome, step.cancelled, step.qty) for name, step in run.steps.items()}
    state["others"] = (
        dict(run.others.positions), sorted(run.others.orders), set(run.others.named), dict(run.others.differences),
        run.others.account, list(run.others.changes),
    )
    state["judges"] = sorted(run.judges)
    return {name: msgspec.json.encode(repr(value)) for name, value in state.items()}


_APART = frozenset({
    "graph", "out", "now_ms", "instruments", "nodes", "legs", "node_index", "groups", "holders", "steps", "edges_out",
    "orders", "opening", "attended", "others", "judges", "position_judges", "dirty", "check",
})
_TIMES = frozenset({"told_ms", "position_ms", "node", "spec", "legs", "by_role", "working", "first_filled"})


def _plain(record: Any) -> Any:
    if isinstance(record, msgspec.Struct) and not record.__struct_config__.frozen:
        return {
            name: _plain(getattr(record, name)) for name in record.__struct_fields__ if name not in _TIMES
        }
    return [_plain(part) for part in record] if isinstance(record, list) else record


def sent(commands: tuple[Command, ...]) -> list[PlaceOrder]:
    return [one for one in commands if isinstance(one, PlaceOrder)]

