"""Carries commands to the exchange: those for one order in sequence, those for different orders side by side.

Where the budget is short they go by their urgency.  What provably was not executed is tried again, what is unknown
never is: whoever asked looks it up.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, assert_never

from runner.domain.commands import CancelOrder, PlaceOrder, QueryOrder, ReadPosition
from runner.domain.events import (
    Action,
    AttemptFailed,
    AttemptMade,
    CommandRejected,
    CommandUnresolved,
    Event,
    OrderNotFound,
    PositionReport,
)
from runner.domain.orders import OrderStatus
from runner.domain.reports import OrderReport
from runner.domain.values import total
from runner.gateways.binance import rows
from runner.gateways.binance.answers import Answer, NoAnswer, Standing
from runner.gateways.binance.budget import Urgency
from runner.gateways.binance.reading import look_up
from runner.gateways.binance.rest import Rest
from runner.gateways.binance.rows import UNREADABLE

OrderCommand = PlaceOrder | CancelOrder | QueryOrder

_LOG = logging.getLogger(__name__)
_AGAIN = (Standing.NOT_SENT, Standing.THROTTLED)


class _Lane:
    """The commands for one order that wait for the one under way; `wait` is what that one itself waits for before it is
    sent, if it does, and `leave` ends the waiting for the answer of a placement.  With each `turn` another task goes on
    with the lane."""

    __slots__ = ("commands", "leave", "turn", "wait")

    def __init__(self) -> None:
        self.commands: deque[OrderCommand] = deque()
        self.turn = 0
        self.leave: Callable[[], None] | None = None
        self.wait: asyncio.Future[None] | None = None

    @property
    def withdrawn(self) -> bool:
        """Whether a placement under way need not be sent any more: its cancel follows."""
        return any(isinstance(command, CancelOrder) for command in self.commands)


class Lanes:
    """`tell` takes every answer as an event, the same fact perhaps again.  `trades_wanted` is called with the symbol,
    the order id and the client order id of an order that was looked up and has fills."""

    def __init__(
        self, rest: Rest, tell: Callable[[Event], None], trades_wanted: Callable[[str, str, str], None],
    ) -> None:
        self._rest = rest
        self._tell = tell
        self._trades_wanted = trades_wanted
        self._lanes: dict[str, _Lane] = {}
        self._placing: dict[str, _Work] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def submit(self, command: OrderCommand | ReadPosition) -> None:
        """Take a command and return at once."""
        if isinstance(command, ReadPosition):
            self._start(self._read_position(command.symbol))
            return
        client_id = _client_id(command)
        lane = self._lanes.get(client_id)
        if lane is None:
            lane = self._lanes[client_id] = _Lane()
            self._start(self._run(lane, client_id, command))
            return
        lane.commands.append(command)
        if isinstance(command, CancelOrder) and lane.wait is not None:
            lane.wait.cancel()

    def confirmed(self, client_order_id: str) -> None:
        """The exchange is known to have the order, from another source than the answer to its placement: what is asked
        of it does not wait for that answer."""
        lane = self._lanes.get(client_order_id)
        if lane is not None and lane.leave is not None:
            lane.leave()

    async def close(self) -> None:
        """Give up what is under way; what becomes of it is for the next run to find out."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _LOG.error("a lane has ended", exc_info=task.exception())

    async def _run(self, lane: _Lane, client_id: str, command: OrderCommand) -> None:
        turn = lane.turn
        while True:
            try:
                await self._carry_out(lane, command)
            except Exception:
                # Whatever went wrong, its outcome is open, and the lane is needed for what follows.
                _LOG.exception("a command for %s could not be carried out", client_id)
                now_ms = self._rest.now_ms()
                expires_ms = now_ms + self._rest.timings.recv_window_ms
                self._tell(CommandUnresolved(now_ms, _symbol(command), client_id, _action(command), expires_ms))
            if lane.turn != turn:
                return
            if not lane.commands:
                del self._lanes[client_id]
                return
            command = lane.commands.popleft()

    def _go_on(self, lane: _Lane, client_id: str) -> None:
        """Leave the command under way to itself, and carry out what comes after it."""
        lane.turn += 1
        if lane.commands:
            self._start(self._run(lane, client_id, lane.commands.popleft()))
        else:
            del self._lanes[client_id]

    async def _carry_out(self, lane: _Lane, command: OrderCommand) -> None:
        match command:
            case PlaceOrder():
                await self._place(lane, command)
            case CancelOrder():
                await self._cancel(lane, command)
            case QueryOrder():
                await self._query(lane, command)
            case _:
                assert_never(command)

    async def _place(self, lane: _Lane, command: PlaceOrder) -> None:
        request = command.request
        client_id = request.client_order_id
        urgency = Urgency.PROTECTION if command.protective else Urgency.OPENING
        # The engine has a bound of its own for what protects, and shorter pauses.
        pauses = () if command.protective else self._rest.timings.retry_pauses_ms
        work = _Work(self._rest, self._tell, lane, request.symbol, client_id, Action.PLACE, pauses)
        self._placing[client_id] = work
        answer = await work.carried_out(
            lambda: self._rest.place(request), lambda: self._rest.budget.ask(urgency, orders=1),
            lambda: self._go_on(lane, client_id), lambda: self._placing.get(client_id) is work,
        )
        if self._placing.get(client_id) is work:
            del self._placing[client_id]
        if answer is not None:
            read = rows.conditional_report if request.order_type.conditional else rows.order_report
            work.told(answer, lambda: read(answer.body, self._rest.names))

    async def _cancel(self, lane: _Lane, command: CancelOrder) -> None:
        symbol, client_id = command.symbol, command.client_order_id
        pauses = self._rest.timings.retry_pauses_ms
        work = _Work(self._rest, self._tell, lane, symbol, client_id, Action.CANCEL, pauses)
        answer = await work.carried_out(
            lambda: self._rest.cancel(symbol, client_id, conditional=command.conditional),
            lambda: self._rest.budget.ask(Urgency.CANCEL, weight=1),
            lambda: self._go_on(lane, client_id), lambda: False,
        )
        if answer is not None:
            work.told(answer, lambda: (
                self._cancelled(answer, command) if command.conditional
                else rows.order_report(answer.body, self._rest.names)
            ))

    def _cancelled(self, answer: Answer, command: CancelOrder) -> OrderReport:
        """The Algo service only says that it is done."""
        return OrderReport(
            self._rest.now_ms(), command.symbol, command.client_order_id, f"A{answer.body['algoId']}",
            OrderStatus.CANCELED,
        )

    async def _query(self, lane: _Lane, command: QueryOrder) -> None:
        symbol, client_id = command.symbol, command.client_order_id
        late_s = self._rest.timings.unanswered_ms / 1000
        timer = asyncio.get_running_loop().call_later(late_s, self._go_on, lane, client_id)
        try:
            found = await look_up(self._rest, symbol, client_id)
        except (NoAnswer, *UNREADABLE):
            now_ms = self._rest.now_ms()
            self._tell(CommandUnresolved(now_ms, symbol, client_id, Action.QUERY, now_ms))
            return
        finally:
            timer.cancel()
        if found is None:
            self._tell(OrderNotFound(self._rest.now_ms(), symbol, client_id))
            return
        self._tell(found)
        if found.filled_qty:
            self._trades_wanted(symbol, found.order_id, found.client_order_id)

    async def _read_position(self, symbol: str) -> None:
        """Until it is answered."""
        pauses = deque(self._rest.timings.retry_pauses_ms)
        while True:
            begun_ms = self._rest.now_ms()
            try:
                found = await self._rest.read("v3/positionRisk", urgent=True, symbol=symbol)
                qty = total(rows.position(row).qty for row in found if row["symbol"] == symbol)
            except (NoAnswer, *UNREADABLE):
                await asyncio.sleep(pauses[0] / 1000)
                if len(pauses) > 1:
                    pauses.popleft()
                continue
            self._tell(PositionReport(self._rest.now_ms(), symbol, qty, begun_ms))
            return


class _Work:
    """One request for an order, which is tried until what became of it is told."""

    def __init__(
        self, rest: Rest, tell: Callable[[Event], None], lane: _Lane, symbol: str, client_id: str, action: Action,
        pauses: tuple[int, ...],
    ) -> None:
        self._rest = rest
        self._tell = tell
        self._lane = lane
        self._symbol = symbol
        self._client_id = client_id
        self._action = action
        self._pauses = pauses
        self._late = False

    async def carried_out(
        self, send: Callable[[], Awaitable[Answer]], ask: Callable[[], asyncio.Future[None] | None],
        go_on: Callable[[], None], is_last: Callable[[], bool],
    ) -> Answer | None:
        """The answer of the try that was executed; None once it is told that none was, or that one is unknown.

        `ask` asks the budget.  Where an answer takes long its outcome is told as unknown, and `go_on` called; a no that
        comes afterwards is told while this `is_last` that was asked for the order.
        """
        pauses, attempt, cured = self._pauses, 1, False
        while True:
            if not await self._waited(ask()):
                self._rejected(0, "withdrawn before it was sent: its cancel follows", passing=True)
                return None
            if attempt > 1:
                self._tell(AttemptMade(self._rest.now_ms(), self._symbol, self._client_id, self._action, attempt))
            answer = await self._answered(send, go_on)
            if answer.standing is Standing.DONE:
                return answer
            if answer.standing is Standing.UNKNOWN:
                if not self._late:
                    self._unresolved(answer.sent_ms)
                return None
            if self._late:
                if is_last():
                    self._rejected(answer.code, answer.message, passing=answer.passing)
                return None
            if answer.standing not in _AGAIN:
                self._rejected(answer.code, answer.message, passing=answer.passing)
                return None
            cure = answer.clock_is_off and not cured
            pause_ms = 0 if cure else pauses[0] if pauses else None
            self._tell(AttemptFailed(
                self._rest.now_ms(), self._symbol, self._client_id, self._action, attempt, True,
                f"{answer.code} {answer.message}" if answer.code else answer.message, pause_ms,
            ))
            if pause_ms is None:
                self._rejected(answer.code, answer.message, passing=True)
                return None
            if cure:
                cured = True
                with contextlib.suppress(NoAnswer):
                    await self._rest.renew_clock()
            attempt, pauses = attempt + 1, pauses[1:]
            if pause_ms and not await self._waited(asyncio.ensure_future(asyncio.sleep(pause_ms / 1000))):
                self._rejected(answer.code, answer.message, passing=True)
                return None

    async def _answered(self, send: Callable[[], Awaitable[Answer]], go_on: Callable[[], None]) -> Answer:
        """Send it; while its answer takes long, or is not needed any more, the order is free for what else is asked."""
        sent_ms = self._rest.clock.stamp_ms()

        def leave() -> None:
            timer.cancel()
            self._lane.leave = None
            self._late = True
            go_on()

        def is_late() -> None:
            self._unresolved(sent_ms)
            leave()

        timer = asyncio.get_running_loop().call_later(self._rest.timings.unanswered_ms / 1000, is_late)
        self._lane.leave = leave if self._action is Action.PLACE else None
        try:
            return await send()
        finally:
            timer.cancel()
            if not self._late:
                self._lane.leave = None

    def told(self, answer: Answer, read: Callable[[], OrderReport]) -> None:
        """Tell what the answer says of the order; one that cannot be read leaves the outcome unknown."""
        try:
            report = read()
        except UNREADABLE:
            self._unresolved(answer.sent_ms)
        else:
            self._tell(report)

    async def _waited(self, wait: asyncio.Future[None] | None) -> bool:
        """Whether the request is to be sent, once `wait` is over; a placement whose cancel has come is not."""
        placing = self._action is Action.PLACE
        if placing and self._lane.withdrawn:
            if wait is not None:
                wait.cancel()
            return False
        if wait is None:
            return True
        self._lane.wait = wait if placing else None
        try:
            await wait
        except asyncio.CancelledError:
            if wait.cancelled() and placing and self._lane.withdrawn:
                return False
            raise
        finally:
            self._lane.wait = None
        return True

    def _rejected(self, code: int, message: str, *, passing: bool) -> None:
        self._tell(CommandRejected(
            self._rest.now_ms(), self._symbol, self._client_id, self._action, code, message, passing,
        ))

    def _unresolved(self, sent_ms: int) -> None:
        expires_ms = sent_ms + self._rest.timings.recv_window_ms
        self._tell(CommandUnresolved(self._rest.now_ms(), self._symbol, self._client_id, self._action, expires_ms))


def _client_id(command: OrderCommand) -> str:
    return command.request.client_order_id if isinstance(command, PlaceOrder) else command.client_order_id


def _symbol(command: OrderCommand) -> str:
    return command.request.symbol if isinstance(command, PlaceOrder) else command.symbol


def _action(command: OrderCommand) -> Action:
    match command:
        case PlaceOrder():
            return Action.PLACE
        case CancelOrder():
            return Action.CANCEL
        case _:
            return Action.QUERY
