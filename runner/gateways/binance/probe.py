"""Whether a run would work here: what the exchange says of this machine's clock, the key, the account and its settings.

No order is sent, and nothing is set.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection

from aiohttp import ClientError

from runner.domain.account import AccountFacts
from runner.domain.value import Value
from runner.domain.values import trimmed
from runner.errors import EnvironmentFault
from runner.gateways.binance import rows
from runner.gateways.binance.answers import CLOCK_ADVICE
from runner.gateways.binance.exchange_rules import instruments
from runner.gateways.binance.keys import KEY_ADVICE, Credentials
from runner.gateways.binance.reading import Reading
from runner.gateways.binance.rest import OPENING_SAMPLES, Rest
from runner.gateways.binance.rows import UNREADABLE
from runner.gateways.binance.settings import Endpoints, Timings
from runner.gateways.binance.sockets import connected

_STREAM_ADVICE = "check the URL of the streams, and that a proxy or a firewall lets WebSockets through"


class Finding(Value, frozen=True):
    """What was found of one topic.  `ok` is None where it could not be looked at; `advice` says what to do, or is
    empty."""

    topic: str
    ok: bool | None
    text: str
    advice: str = ""


async def probe(
    endpoints: Endpoints, credentials: Credentials, timings: Timings, proxy: str | None, symbols: Collection[str],
) -> tuple[Finding, ...]:
    """All findings; where one thing fails, those that rest on it say that they could not be looked at."""
    rest = Rest(endpoints, credentials, timings, proxy)
    rest.begin()
    try:
        return tuple(await _Doctor(rest, endpoints, credentials, symbols).examined())
    finally:
        await rest.close()


class _Doctor:
    def __init__(
        self, rest: Rest, endpoints: Endpoints, credentials: Credentials, symbols: Collection[str],
    ) -> None:
        self._rest = rest
        self._endpoints = endpoints
        self._credentials = credentials
        self._symbols = tuple(dict.fromkeys(symbols))
        self._reading = Reading(rest)
        self._found: list[Finding] = []

    async def examined(self) -> list[Finding]:
        reached = await self._looked("exchange", self._exchange)
        if not reached:
            self._pass_over("the exchange cannot be reached", "clock", "key", "user stream", *self._symbols)
            return self._found
        self._clock()
        await self._looked("rules", self._rules)
        if self._credentials.missing:
            self._add("key", False, f"there is no {self._credentials.missing}", KEY_ADVICE)
            self._pass_over("there is no key", "account", "user stream")
        elif await self._looked("key", self._key):
            await self._looked("account", self._account)
            await self._looked("user stream", self._user_stream)
        else:
            self._pass_over("the key is not taken", "account", "user stream")
        self._limits()
        return self._found

    async def _looked(self, topic: str, look: Callable[[], Awaitable[None]]) -> bool:
        """Whether the look found what it looked for."""
        timings = self._rest.timings
        try:
            # Requests wait where the exchange has asked for a pause, or its limits are used up.
            async with asyncio.timeout(2 * (timings.connect_ms + timings.request_ms) / 1000):
                await look()
        except TimeoutError:
            self._add(topic, False, "no answer in time, or none allowed: the limits are used up", "wait a minute")
        except EnvironmentFault as error:
            self._add(topic, False, error.message, error.hint)
        except UNREADABLE:
            self._add(topic, False, "the exchange's answer cannot be read", "check the URL of the exchange")
        else:
            return True
        return False

    async def _exchange(self) -> None:
        await self._rest.renew_clock(OPENING_SAMPLES)
        through = " through the proxy" if self._rest.proxy else ""
        self._add("exchange", True, (
            f"{self._endpoints.rest} answers{through}, at best within {self._rest.clock.round_trip_ms:.1f} ms"
        ))

    def _clock(self) -> None:
        far_off = self._rest.clock_is_far_off
        self._add("clock", not far_off, self._rest.clock_words, CLOCK_ADVICE if far_off else "")

    async def _rules(self) -> None:
        await self._rest.learn_rules()
        known = await instruments(self._rest)
        for symbol in self._symbols:
            rules = known.get(symbol)
            if rules is None:
                self._add(symbol, False, "the exchange does not list it", "check the spelling, like BTCUSDT")
                continue
            self._add(symbol, rules.tradable, (
                f"{rules.status}, tick {trimmed(rules.tick_size)}, step {trimmed(rules.step_size)}, "
                f"smallest notional {trimmed(rules.min_notional)} {rules.quote_asset}"
            ), "" if rules.tradable else "it takes no orders now: wait, or trade another symbol")

    async def _key(self) -> None:
        await self._rest.read("v1/accountConfig")
        self._add("key", True, "the exchange takes its signature")

    async def _account(self) -> None:
        listed = [row["symbol"] for row in self._rest.exchange_info.get("symbols", ())]
        facts = await self._reading.account([symbol for symbol in self._symbols if symbol in listed])
        balances = map(rows.balance, await self._rest.read("v3/balance"))
        held = [one for one in map(rows.position, await self._rest.read("v3/positionRisk")) if one.qty]
        owned = ", ".join(f"{trimmed(one.wallet)} {one.asset}" for one in balances if one.wallet)
        self._add(
            "account", bool(owned), f"{facts.tag} owns {owned or 'nothing'}; open positions: {len(held)}",
            "" if owned else "transfer funds to the futures wallet",
        )
        self._settings(facts)

    def _settings(self, facts: AccountFacts) -> None:
        self._add(
            "permissions", facts.can_trade, f"the account may {'' if facts.can_trade else 'not '}trade",
            "" if facts.can_trade else "allow futures trading in the account and for the key",
        )
        self._add(
            "position mode", not facts.hedge_mode, "hedge mode" if facts.hedge_mode else "one-way mode",
            "set one-way mode in the preferences of the account" if facts.hedge_mode else "",
        )
        self._add(
            "asset mode", not facts.multi_assets, "multi-assets mode" if facts.multi_assets else "single-asset mode",
            "set single-asset mode in the preferences of the account" if facts.multi_assets else "",
        )
        for setting in facts.settings:
            self._add(f"{setting.symbol} settings", True, f"leverage {setting.leverage}, {setting.margin_type}")

    async def _user_stream(self) -> None:
        key = await self._rest.listen_key()
        timings = self._rest.timings
        url = f"{self._endpoints.ws}/private/ws?listenKey={key}"
        try:
            async with asyncio.timeout((timings.connect_ms + timings.request_ms) / 1000):
                socket = await connected(self._rest.session, url, timings)
        except (ClientError, OSError, ValueError) as error:
            why = "no answer in time" if isinstance(error, TimeoutError) else type(error).__name__
            self._add("user stream", False, f"{self._endpoints.ws} cannot be listened to ({why})", _STREAM_ADVICE)
            return
        with contextlib.suppress(ClientError, OSError):
            await socket.close()
        self._add("user stream", True, f"{self._endpoints.ws} can be listened to")

    def _limits(self) -> None:
        weight = self._rest.budget.weight
        orders = ", ".join(
            f"{window.limit} in {window.span_ms // 1000} s" for window in self._rest.budget.orders.values()
        )
        near = weight.used > weight.limit * 8 // 10
        self._add(
            "rate limits", not near,
            f"weight {weight.used} of {weight.limit} used in this minute, by all at this address; orders: {orders}",
            "something else at this address uses nearly all of it: stop that" if near else "",
        )

    def _pass_over(self, why: str, *topics: str) -> None:
        for topic in topics:
            self._add(topic, None, f"not looked at: {why}")

    def _add(self, topic: str, ok: bool | None, text: str, advice: str = "") -> None:
        self._found.append(Finding(topic, ok, text, advice))
