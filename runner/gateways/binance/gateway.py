"""Binance USDⓈ-M Futures as the engine sees it: one queue of events, whatever becomes of requests, sockets and clocks.

Once it is open nothing raises: what fails is tried again, and what was missed is read again.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine
from contextlib import suppress
from decimal import Decimal
from typing import Any, TypeVar

from runner.domain.account import AccountFacts
from runner.domain.commands import Observe, PlaceOrder, QueryOrder, VenueCommand, WatchCommand
from runner.domain.events import (
    AccountSeen,
    Action,
    CommandRejected,
    Event,
    ForcedExecution,
    FundingExchanged,
    StreamGap,
)
from runner.domain.positions import Position
from runner.domain.reports import OrderReport, TradeReport
from runner.domain.snapshots import VenueSnapshot
from runner.errors import EnvironmentFault
from runner.gateways.binance.answers import NoAnswer, Standing
from runner.gateways.binance.keys import Credentials
from runner.gateways.binance.lanes import Lanes
from runner.gateways.binance.market import MarketStreams
from runner.gateways.binance.observing import Observing
from runner.gateways.binance.polling import Polling
from runner.gateways.binance.prices import LivePrices
from runner.gateways.binance.reading import Reading
from runner.gateways.binance.rest import Rest
from runner.gateways.binance.rows import UNREADABLE
from runner.gateways.binance.settings import Endpoints, Timings
from runner.gateways.binance.stream import UserStream
from runner.gateways.binance.told import HOUR_MS, Latest, Told
from runner.gateways.binance.userevents import UserEvents, Wallet, executed
from runner.gateways.binance.view import View

_LOG = logging.getLogger(__name__)
_CLOSE_S = 1.0
T = TypeVar("T")


class BinanceGateway:
    """Implements `LiveGateway` and `Prices` of `runner.ports`, for one account and the symbols of one run.

    `run_prefix` is what the client order ids of the run begin with; executions of its orders before the start are in
    the first snapshot.
    """

    def __init__(
        self, endpoints: Endpoints, credentials: Credentials, timings: Timings, *, symbols: Collection[str],
        run_prefix: str = "", proxy: str | None = None,
    ) -> None:
        self.rest = Rest(endpoints, credentials, timings, proxy)
        self._endpoints = endpoints
        self._timings = timings
        self._symbols = tuple(dict.fromkeys(symbols))
        self._run_prefix = run_prefix
        self._late_ms = timings.poll_ms * 2 // 3
        self._brief_s = timings.poll_ms / 12_000
        self._patience_s = 3 * (timings.connect_ms + timings.request_ms) / 1000
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._fetched: Latest[tuple[str, str], Decimal] = Latest()
        self._told = Told()
        self._view = View(self._symbols, self._late_ms)
        self._facts: AccountFacts | None = None
        self._trouble = ""
        self._deaf_ms = 0
        self._doubt = asyncio.Event()
        self._opened: asyncio.Future[VenueSnapshot] | None = None
        now_ms, put = self.rest.now_ms, self._queue.put_nowait
        self._reading = Reading(self.rest)
        self._lanes = Lanes(self.rest, self._tell, self._trades_wanted)
        self._prices = LivePrices(self._symbols, timings.stale_ms, now_ms, put)
        self._market = MarketStreams(endpoints, self.rest, self._prices, self._symbols, timings)
        self._stream = UserStream(
            endpoints, self.rest, timings, hear=self._hear, lost=self._lost, catch_up=self._catch_up,
        )
        self._events = UserEvents(
            self._symbols, self.rest.names, self._prices.mark_of, key_expired=self._stream.expired,
            config_changed=lambda: self._begin(self._reread()), puzzled=self._puzzled, unfinished=self._unfinished,
        )
        self._polling = Polling(self._reading.look, self._looked, timings)
        self._observing = Observing(
            self.rest, self._reading, self._prices, self._view, self._stream.caught_up, put,
        )

    # --- life

    async def open(self) -> VenueSnapshot:
        """Connect, and read the account once its events are followed.

        Raises:
            EnvironmentFault: the exchange cannot be reached, or does not take the key or the clock.
        """
        try:
            await self.rest.open()
            self._opened = asyncio.get_running_loop().create_future()
            for part in (self._stream.run, self._market.run, self._look_at_all):
                self._begin(self._lasting(part))
            self.rest.on_sleep.append(lambda slept_ms: self.distrust())
            async with asyncio.timeout(self._patience_s):
                return await self._opened
        except TimeoutError:
            await self.close()
            why = self._stream.trouble or self._trouble or "no answer in time"
            raise EnvironmentFault(
                f"the account cannot be followed at {self._endpoints.ws}: {why}",
                hint="check the address of the streams, and whether a proxy or a firewall lets WebSockets through",
            ) from None
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """End all that is under way; what is not sent by then is not sent."""
        for task in self._tasks:
            task.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await asyncio.gather(*self._tasks, self._polling.close(), self._lanes.close(), return_exceptions=True)
        await self.rest.close()
        self._queue.put_nowait(None)

    def now_ms(self) -> int:
        return self.rest.now_ms()

    # --- what is asked

    def submit(self, command: VenueCommand) -> None:
        if isinstance(command, Observe):
            if not self._observing.at_once(command.symbol):
                self._begin(self._observing.answer(command.symbol))
            return
        if isinstance(command, PlaceOrder):
            self._events.asked(command.request)
        self._lanes.submit(command)

    async def snapshot(self) -> VenueSnapshot:
        return await self._insist(lambda: self._read_all(urgent=True))

    async def account(self, symbols: Collection[str]) -> AccountFacts:
        """Raises EnvironmentFault where the account has no name, or its settings cannot be read for too long."""
        try:
            async with asyncio.timeout(self._patience_s):
                self._facts = await self._insist(lambda: self._reading.account(symbols))
        except TimeoutError:
            raise EnvironmentFault(
                f"the account's settings cannot be read: {self._trouble or 'no answer in time'}",
                hint="try again; if it lasts, see the exchange's own status page",
            ) from None
        return self._facts

    def attend(self, symbols: Collection[str]) -> None:
        self._polling.attend(symbols)

    def distrust(self) -> None:
        self._stream.give_up()
        self._market.distrust()

    def post(self, event: Event) -> None:
        self._queue.put_nowait(event)

    def watch(self, command: WatchCommand) -> None:
        self._prices.watch(command)

    async def events(self) -> AsyncIterator[Event]:
        while True:
            event = await self._queue.get()
            if event is None:
                return
            yield event

    # --- what is heard

    def _hear(self, frame: dict[str, Any]) -> None:
        """An event of the user stream, in the turn of the loop in which its frame was read."""
        try:
            for heard in self._events.read(frame):
                self._take(heard)
        except Exception:
            _LOG.exception("an event of the user stream could not be read: reading the account instead")
            self._doubt.set()

    def _take(self, heard: Event | Position | Wallet) -> None:
        if isinstance(heard, OrderReport):
            self._view.order(heard, self.now_ms())
            self._lanes.confirmed(heard.client_order_id)
        elif isinstance(heard, Wallet):
            self._view.wallet(heard.asset, heard.amount, self.now_ms())
            return
        elif isinstance(heard, Position):
            self._view.position(heard, self.now_ms())
            return
        if self._told.new(heard):
            self._queue.put_nowait(heard)

    def _tell(self, event: Event) -> None:
        """An answer to a request.  Whoever asked for an order waits for its report, also where it says nothing new."""
        match event:
            case OrderReport(client_order_id=client_id, status=status) if status.closed:
                self._events.over(client_id)
            case CommandRejected(client_order_id=client_id, action=Action.PLACE):
                self._events.over(client_id)
        if self._told.new(event) or isinstance(event, OrderReport):
            self._queue.put_nowait(event)
        if isinstance(event, OrderReport) and self._told.lacks_trades(event):
            self._begin(self._await_trades(event))

    def _lost(self, since_ms: int) -> None:
        self._deaf_ms = self._deaf_ms or since_ms
        self._queue.put_nowait(StreamGap(self.now_ms(), since_ms))

    def _show(self, snapshot: VenueSnapshot) -> None:
        """Tell a snapshot."""
        self._queue.put_nowait(self._noted(snapshot))
        for execution in map(executed, snapshot.trades):
            if isinstance(execution, ForcedExecution):
                self._tell(execution)
        for report in snapshot.orders:
            if self._told.lacks_trades(report):
                self._trades_wanted(report.symbol, report.order_id, report.client_order_id)

    def _noted(self, snapshot: VenueSnapshot) -> VenueSnapshot:
        """The snapshot without executions of the exchange's own orders, which are events of their own; all that it says
        counts as told."""
        trades = tuple(trade for trade in snapshot.trades if isinstance(executed(trade), TradeReport))
        for trade in trades:
            self._told.new(trade)
        for report in snapshot.orders:
            self._told.new(report)
        self._events.shown(snapshot.orders)
        return snapshot.but(trades=trades)

    # --- what is read

    async def _read_all(self, *, urgent: bool = False) -> VenueSnapshot:
        return await self._reading.snapshot(self._symbols, self._run_prefix, urgent=urgent)

    async def _catch_up(self) -> None:
        """Read the account after the user stream has connected."""
        snapshot = await self._insist(lambda: self._read_all(urgent=True))
        self._view.begin(snapshot)
        if self._opened is not None and not self._opened.done():
            self._opened.set_result(self._noted(snapshot))
        else:
            self._show(snapshot)
            deaf_ms, self._deaf_ms = self._deaf_ms, 0
            if deaf_ms // HOUR_MS != self.now_ms() // HOUR_MS:
                self._begin(self._tell_funding(deaf_ms))

    async def _tell_funding(self, since_ms: int) -> None:
        """Tell what was exchanged at a full hour while the stream was away; it is in no snapshot."""
        for symbol in self._symbols:
            for pause_ms in self._timings.reconnect_pauses_ms:
                try:
                    rows = await self.rest.read(
                        "v1/income", symbol=symbol, incomeType="FUNDING_FEE", startTime=since_ms, limit=1_000,
                    )
                except NoAnswer as error:
                    _LOG.warning("the funding of %s could not be read: %s", symbol, error)
                    await asyncio.sleep(pause_ms / 1000)
                    continue
                for row in rows:
                    self._tell(FundingExchanged(int(row["time"]), symbol, Decimal(row["income"]), str(row["asset"])))
                break

    async def _look_at_all(self) -> None:
        """Read everything again on its period, and where an event was not understood, while the stream is caught up."""
        shortest_ms = min(self._timings.poll_ms, self._timings.snapshot_ms)
        while True:
            await asyncio.sleep(shortest_ms / 1000)
            with suppress(TimeoutError):
                async with asyncio.timeout((self._timings.snapshot_ms - shortest_ms) / 1000):
                    await self._doubt.wait()
            await self._stream.caught_up.wait()
            self._doubt.clear()
            snapshot = await self._insist(self._read_all)
            self._view.read(snapshot)
            self._looked(snapshot)
            await self._reread()

    def _looked(self, snapshot: VenueSnapshot) -> int:
        """Tell what a look has shown; in how many ms to look again."""
        if self._stream.caught_up.is_set():
            if self._view.owes(snapshot):
                _LOG.warning("the user stream has not told what the exchange shows: connecting anew")
                self._stream.give_up()
            elif not snapshot.symbols and not self._view.indebted:
                self._stream.was_sound(snapshot.begun_ms - self._late_ms)
        self._show(snapshot)
        return self._late_ms if self._view.indebted else self._timings.poll_ms

    async def _reread(self) -> None:
        """Tell the account's settings where they have changed; where they cannot be read, the next period will tell."""
        before = self._facts
        try:
            self._facts = await self._reading.account(self._symbols)
        except (EnvironmentFault, *UNREADABLE) as error:
            _LOG.warning("the account's settings could not be read: %s", error)
        else:
            if self._facts != before:
                self._queue.put_nowait(AccountSeen(self.now_ms(), self._facts))

    def _trades_wanted(self, symbol: str, order_id: str, client_order_id: str) -> None:
        """An order was seen to have fills: read those executions of it that have not been told."""
        if not client_order_id.startswith(self._run_prefix):
            return
        report, key = self._told.order(symbol, client_order_id), (symbol, order_id)
        if report is None or not self._told.lacks_trades(report) or self._fetched.get(key) == report.filled_qty:
            return
        self._fetched[key] = report.filled_qty
        self._begin(self._fetch(report))

    async def _await_trades(self, report: OrderReport) -> None:
        """The stream is about to tell them; where it does not, they are read."""
        await asyncio.sleep(self._late_ms / 1000)
        self._trades_wanted(report.symbol, report.order_id, report.client_order_id)

    async def _fetch(self, report: OrderReport) -> None:
        """Tell the executions of an order; they may be listed a little later than its state says so."""
        for pause_ms in self._timings.reconnect_pauses_ms:
            for trade in await self._insist(lambda: self._reading.trades(report.symbol, report.order_id)):
                self._tell(executed(trade))
            if not self._told.lacks_trades(report):
                return
            await asyncio.sleep(pause_ms / 1000)
        self._fetched.pop((report.symbol, report.order_id))

    def _puzzled(self, symbol: str, order_id: str, client_ids: tuple[str, ...]) -> None:
        self._begin(self._resolve(symbol, order_id, client_ids))

    async def _resolve(self, symbol: str, order_id: str, client_ids: tuple[str, ...]) -> None:
        """Find out whether one of these conditional orders has placed an order."""
        await asyncio.sleep(self._brief_s)
        for client_id in client_ids:
            if not self._events.waits(symbol, order_id):
                return
            with suppress(Exception):
                shown = await self.rest.read("v1/algoOrder", urgent=True, clientAlgoId=client_id)
                if str(shown["actualOrderId"]) == order_id:
                    self.rest.names.learn(symbol, order_id, client_id, triggered=True)
                    break
        for heard in self._events.settle(symbol, order_id):
            self._take(heard)

    def _unfinished(self, symbol: str, client_id: str) -> None:
        self._begin(self._ask_end(symbol, client_id))

    async def _ask_end(self, symbol: str, client_id: str) -> None:
        """Look up how a conditional order has ended, unless the order that it placed says so meanwhile."""
        await asyncio.sleep(self._brief_s)
        if not self._events.ended(client_id):
            self._lanes.submit(QueryOrder(symbol, client_id))

    async def _insist(self, read: Callable[[], Awaitable[T]]) -> T:
        """Read until it is answered; while the gateway is being opened a definite no ends that."""
        failures, pauses_ms = 0, self._timings.reconnect_pauses_ms
        while True:
            try:
                return await read()
            except NoAnswer as error:
                _LOG.warning("a read came to nothing: %s", error)
                self._trouble = str(error)
                if error.standing is Standing.HALT and self._opened is not None and not self._opened.done():
                    self._opened.set_exception(error)
            except EnvironmentFault:
                raise
            except Exception:
                _LOG.exception("an answer could not be read")
            await asyncio.sleep(pauses_ms[min(failures, len(pauses_ms) - 1)] / 1000)
            failures += 1

    async def _lasting(self, part: Callable[[], Awaitable[None]]) -> None:
        """A part that is begun again where it ends: without it the run would be blind."""
        while True:
            try:
                await part()
            except Exception:
                _LOG.exception("a part of the gateway has failed: it begins again")
            await asyncio.sleep(self._timings.reconnect_pauses_ms[-1] / 1000)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _LOG.error("a part of the gateway ended", exc_info=task.exception())
