"""The REST calls, each signed by the exchange's clock, counted in the budget, and its answer classified."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp

from runner.domain.orders import OrderRequest
from runner.errors import EnvironmentFault, InternalError
from runner.gateways.binance import wire
from runner.gateways.binance.answers import (
    CLOCK_ADVICE,
    Answer,
    NoAnswer,
    Reply,
    Standing,
    failed,
    failure_words,
    judged,
)
from runner.gateways.binance.budget import Budget, Urgency
from runner.gateways.binance.client import Client
from runner.gateways.binance.clock import ExchangeClock
from runner.gateways.binance.keys import Credentials
from runner.gateways.binance.rows import UNREADABLE, Names
from runner.gateways.binance.settings import Endpoints, Timings

OPENING_SAMPLES = 5
MOST_OFF_MS = 10_000
"""A clock that is further off is not only measured: other things on that machine go by it too."""
_SLEPT_MS = 250
_BEAT_S = 1.0
_PUBLIC = frozenset({"v1/time", "v1/ping", "v1/exchangeInfo", "v1/premiumIndex", "v1/ticker/bookTicker",
                     "v2/ticker/price", "v1/ticker/price"})
_WEIGHTS: Mapping[str, int] = {
    "v1/time": 1, "v1/ping": 1, "v1/exchangeInfo": 1, "v1/premiumIndex": 1, "v1/ticker/bookTicker": 2,
    "v2/ticker/price": 1, "v1/order": 1, "v1/algoOrder": 1, "v1/openOrders": 1, "v1/openAlgoOrders": 1,
    "v1/commissionRate": 20, "v1/income": 30, "v1/listenKey": 1,
}
_OTHER_WEIGHT = 5
_WEIGHTS_OF_ALL = {"v1/openOrders": 40, "v1/openAlgoOrders": 40, "v1/premiumIndex": 10, "v1/ticker/bookTicker": 5}
"""Without a symbol.  Source: Binance USDⓈ-M Futures, the page of each."""

Send = Callable[[], Awaitable[Reply]]


class Rest:
    """May be constructed anywhere, and is opened where the event loop runs.

    `on_sleep` is called with the milliseconds that this machine has slept.
    """

    def __init__(
        self, endpoints: Endpoints, credentials: Credentials, timings: Timings, proxy: str | None = None,
        clock: ExchangeClock | None = None,
    ) -> None:
        self.timings = timings
        self.clock = clock or ExchangeClock()
        self.budget = Budget(self.clock.now_ms)
        self.names = Names()
        self.on_sleep: list[Callable[[int], None]] = []
        self.exchange_info: Mapping[str, Any] = {}
        self._endpoints = endpoints
        self._credentials = credentials
        self._proxy = proxy
        self._opened: Client | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._renewing: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Measure the clock, try the key, and read the limits and rules.

        Raises:
            EnvironmentFault: there is no network, the key is not taken, or this machine's clock is far off.
        """
        self.begin()
        try:
            await self.renew_clock(OPENING_SAMPLES)
            if self.clock_is_far_off:
                raise EnvironmentFault(self.clock_words, hint=CLOCK_ADVICE)
            await self.learn_rules()
            await self.read("v1/accountConfig")
        except BaseException:
            await self.close()
            raise
        self._keeping = asyncio.create_task(self._keep_clock())

    def begin(self) -> None:
        """Make the client, without a request: the first step of `open`."""
        self._opened = Client(
            self._endpoints, self._credentials, self.timings, self._proxy, self.clock.stamp_ms,
        )

    async def learn_rules(self) -> None:
        """Read the exchange's limits and the rules of its symbols."""
        info = await self.read("v1/exchangeInfo")
        if not isinstance(info, Mapping):
            raise EnvironmentFault("the exchange gives no rules", hint="check the URL of the exchange")
        self.exchange_info = info
        self.budget.learn(info)

    @property
    def clock_is_far_off(self) -> bool:
        return abs(self.clock.offset_ms) > MOST_OFF_MS

    @property
    def clock_words(self) -> str:
        off_ms = round(self.clock.offset_ms)
        late = "behind" if off_ms > 0 else "ahead of"
        return f"this machine's clock is {abs(off_ms)} ms {late} the exchange's"

    async def close(self) -> None:
        for task in (self._keeping, self._renewing):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, EnvironmentFault):
                    await task
        self._keeping = self._renewing = None
        self.budget.close()
        if self._opened is not None:
            await self._opened.close()

    def now_ms(self) -> int:
        """The exchange's clock; it never goes back."""
        return self.clock.now_ms()

    @property
    def session(self) -> aiohttp.ClientSession:
        """For sockets: it has the same proxy."""
        session: aiohttp.ClientSession = self._client.session
        return session

    @property
    def proxy(self) -> str | None:
        return self._client.proxy

    # Commands.  Whoever gives them has asked the budget.

    async def place(self, request: OrderRequest) -> Answer:
        if request.order_type.conditional:
            conditional = wire.new_conditional(request)
            return await self._sent(lambda: self._client.futures_create_algo_order(**conditional))
        parameters = wire.new_order(request)
        return await self._sent(lambda: self._client.futures_create_order(**parameters))

    async def cancel(self, symbol: str, client_order_id: str, *, conditional: bool) -> Answer:
        if conditional:
            return await self._sent(lambda: self._client.futures_cancel_algo_order(clientAlgoId=client_order_id))
        return await self._sent(
            lambda: self._client.futures_cancel_order(symbol=symbol, origClientOrderId=client_order_id),
        )

    # Reads.

    async def read(self, path: str, /, *, urgent: bool = False, **params: str | int) -> Any:
        """The body of `GET /fapi/<path>`, once the budget allows it; one try, and a second by a renewed clock.

        Raises:
            NoAnswer: it came to nothing.
        """
        weight = _WEIGHTS.get(path, _OTHER_WEIGHT)
        if "symbol" not in params:
            weight = _WEIGHTS_OF_ALL.get(path, weight)
        urgency = Urgency.LOOKUP if urgent else Urgency.READ
        version, _, name = path.partition("/")

        def send() -> Awaitable[Reply]:
            signed = path not in _PUBLIC
            given = {"data": dict(params)} if signed or params else {}
            asked: Awaitable[Reply] = self._client._request_futures_api("get", name, signed, int(version[1:]), **given)
            return asked

        await self.budget.admit(urgency, weight=weight)
        answer = await self._sent(send)
        if answer.clock_is_off:
            await self.renew_clock()
            await self.budget.admit(urgency, weight=weight)
            answer = await self._sent(send)
        if answer.standing is not Standing.DONE:
            raise NoAnswer(answer, path)
        return answer.body

    async def listen_key(self) -> str:
        """The key of the user stream, a new one or the one that is active.  Raises NoAnswer."""
        answer = await self._of_stream("post")
        key = answer.body.get("listenKey") if isinstance(answer.body, Mapping) else None
        if not isinstance(key, str) or not key:
            raise NoAnswer(answer, "v1/listenKey")
        return key

    async def keep_alive(self) -> None:
        """Extend the key of the user stream; the code is -1125 where there is none.  Raises NoAnswer."""
        await self._of_stream("put")

    async def renew_clock(self, samples: int = 1) -> None:
        """Measure the exchange's clock; who asks while that is being done waits for the same measure.

        Raises:
            NoAnswer: it does not say.
        """
        if self._renewing is None or self._renewing.done():
            self._renewing = asyncio.create_task(self._renew(samples))
            # Who asked may have gone by the time it fails.
            self._renewing.add_done_callback(lambda task: task.cancelled() or task.exception())
        await asyncio.shield(self._renewing)

    async def _renew(self, samples: int) -> None:
        await self.clock.measure(self._server_ms, samples)

    async def _server_ms(self) -> int:
        body = await self.read("v1/time", urgent=True)
        try:
            return int(body["serverTime"])
        except UNREADABLE:
            strange = Answer(Standing.UNKNOWN, 200, 0, "no time in the answer", body, 0)
            raise NoAnswer(strange, "v1/time") from None

    async def _keep_clock(self) -> None:
        """Renew the measure on its period, and at once where this machine has slept."""
        loop = asyncio.get_running_loop()
        period_s = self.timings.clock_ms / 1000
        due_s = loop.time() + period_s
        while True:
            await asyncio.sleep(min(_BEAT_S, period_s))
            slept_ms = self.clock.slept_ms()
            if slept_ms > _SLEPT_MS:
                for told in self.on_sleep:
                    told(round(slept_ms))
                due_s = loop.time()
            if loop.time() >= due_s:
                try:
                    await self.renew_clock(3)
                except NoAnswer:
                    continue
                due_s = loop.time() + period_s

    async def _of_stream(self, method: str) -> Answer:
        await self.budget.admit(Urgency.LOOKUP, weight=_WEIGHTS["v1/listenKey"])
        answer = await self._sent(lambda: self._client._request_futures_api(method, "listenKey", False, data={}))
        if answer.standing is not Standing.DONE:
            raise NoAnswer(answer, "v1/listenKey")
        return answer

    async def _sent(self, send: Send) -> Answer:
        """Send one request once, now."""
        sent_ms = self.clock.stamp_ms()
        try:
            reply = await send()
        except InternalError:
            raise
        except Exception as error:
            return Answer(failed(error), 0, 0, failure_words(error), None, sent_ms)
        self.budget.note(reply)
        return Answer(judged(reply), reply.status, reply.code, reply.message, reply.body, sent_ms)

    @property
    def _client(self) -> Client:
        if self._opened is None:
            raise InternalError("a request before the gateway was opened")
        return self._opened
