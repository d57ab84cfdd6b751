"""The control routes under `/sim/`: what moves the exchange from outside and looks into it.  JSON in and out.

They ask for no key and no signature; whoever reaches the port may use them.  What makes no sense is answered with HTTP
400 and `{"error": a sentence}`.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from runner.domain.times import DAY_MS
from runner.domain.values import ZERO, plain
from runner.errors import EnvironmentFault
from runner.venue.account import Account
from runner.venue.book import Book
from runner.venue.fapi.calls import Call
from runner.venue.fapi.door import Door
from runner.venue.fapi.eventlog import EventLog
from runner.venue.fapi.keys import BadPublicKey
from runner.venue.fapi.misbehaviour import Misbehaviour
from runner.venue.fapi.params import Params
from runner.venue.fapi.playback import Playback, read_speed, speed_words
from runner.venue.fapi.routes.asked import (
    AddAccount,
    Close,
    NotUnderstood,
    SetClock,
    SetFunding,
    SetLimits,
    SetPrice,
    Step,
    Transfer,
    asked,
    read_json,
)
from runner.venue.fapi.routes.led import price_data
from runner.venue.fapi.routes.table import ROUTES
from runner.venue.fapi.shown.events import user_events
from runner.venue.faults import Fault, FaultRefused, Listed, read_fault, read_faults
from runner.venue.refusals import Refusal

MOST_EVENTS = 1_000
MOST_STEP_MS = 366 * DAY_MS
_NUMBER = "{number:[0-9]+}"
_HANDLERS = {route.name: route.handler for route in ROUTES}
_to_json = json.JSONEncoder(ensure_ascii=False, indent=1, default=str).encode

Answer = Callable[[web.Request], Awaitable[Any]]


class Controls:
    """The routes of one exchange.  `faults_changed` is told the first number of faults that were added, `default` names
    the account that is meant where none is named, `markets` says what each symbol plays."""

    def __init__(
        self, door: Door, playback: Playback, misbehaviour: Misbehaviour, log: EventLog, *,
        faults_changed: Callable[[int], None], default: str, markets: Mapping[str, str],
    ) -> None:
        self._door = door
        self._exchange = door.exchange
        self._playback = playback
        self._plan = misbehaviour.plan
        self._log = log
        self._faults_changed = faults_changed
        self._default = default
        self._markets = markets
        self._table: dict[str, Answer] = {
            "GET /sim": self._overview,
            "GET /sim/clock": self._clock,
            "POST /sim/clock": self._set_clock,
            "POST /sim/price": self._price,
            "POST /sim/step": self._step,
            "GET /sim/faults": self._faults,
            "POST /sim/faults": self._add_faults,
            "DELETE /sim/faults": self._clear_faults,
            f"DELETE /sim/faults/{_NUMBER}": self._remove_fault,
            "GET /sim/orders": self._orders,
            "GET /sim/positions": self._positions,
            "GET /sim/balances": self._balances,
            "GET /sim/events": self._events,
            "GET /sim/requests": self._requests,
            "POST /sim/accounts": self._add_account,
            "POST /sim/funding": self._funding,
            "POST /sim/close": self._close,
            "POST /sim/adl": self._deleverage,
            "POST /sim/transfer": self._transfer,
            "GET /sim/limits": self._limits,
            "POST /sim/limits": self._set_limits,
            "GET /sim/rules": self._rules,
        }

    def routes(self) -> list[web.RouteDef]:
        """For `make_app`."""
        made = []
        for name, answer in self._table.items():
            method, path = name.split(" ")
            made.append(web.route(method, path, _answered(answer)))
        return [*made, web.route("*", "/sim{rest:(/.*)?}", _answered(self._unknown))]

    async def _unknown(self, request: web.Request) -> Any:
        raise NotUnderstood(f"There is no {request.method} {request.path}; GET /sim lists what there is.")

    # --- time and prices

    async def _overview(self, request: web.Request) -> Any:
        books = self._exchange.books
        return {
            "what": "a simulated Binance USDⓈ-M Futures exchange: no real exchange, no real money",
            "markets": {
                symbol: {"market": words, "last": plain(books[symbol].last_px), "mark": plain(books[symbol].mark_px),
                         "led_by_hand": symbol in self._playback.held}
                for symbol, words in self._markets.items()
            },
            "accounts": list(self._exchange.accounts),
            "clock": self._time(),
            "routes": [name.replace(_NUMBER, "{number}") for name in self._table],
        }

    async def _clock(self, request: web.Request) -> Any:
        return self._time()

    async def _set_clock(self, request: web.Request) -> Any:
        wish = asked(SetClock, await _body(request))
        if not wish.speed and wish.off_ms is None:
            raise NotUnderstood("Give a speed, off_ms, or both.")
        if abs(wish.off_ms or 0) > DAY_MS:
            raise NotUnderstood(f"off_ms is {wish.off_ms}, more than a day.")
        if wish.speed:
            try:
                speed = read_speed(wish.speed)
            except ValueError as error:
                raise NotUnderstood(f"{error}.") from None
            self._door.clock.run_at(speed)
        if wish.off_ms is not None:
            self._door.front.off_ms = wish.off_ms
        return self._time()

    async def _price(self, request: web.Request) -> Any:
        wish = asked(SetPrice, await _body(request))
        book = self._book(wish.symbol)
        if wish.follow:
            self._playback.held.discard(wish.symbol)
            return self._time()
        data = list(price_data(wish, book, self._door.at_ms()))
        if not data:
            raise NotUnderstood("Give a price, a bid with its ask, a mark, or \"follow\": true.")
        self._playback.held.add(wish.symbol)
        for datum in data:
            self._door.feed(datum)
        bid, ask = book.bid_ask()
        return {
            "symbol": wish.symbol, "at_ms": self._door.at_ms(), "last": plain(book.last_px),
            "mark": plain(book.mark_px), "bid": plain(bid), "ask": plain(ask),
        }

    async def _step(self, request: web.Request) -> Any:
        wish = asked(Step, await _body(request))
        match wish:
            case Step(ms=int(ms), until=None, data=None) if ms >= 0:
                fed = await self._playback.step_to(self._within_a_year(self._door.at_ms() + ms))
            case Step(ms=None, until=int(until), data=None):
                if until < self._door.at_ms():
                    raise NotUnderstood(f"until is {until}, which lies before now, {self._door.at_ms()}.")
                fed = await self._playback.step_to(self._within_a_year(until))
            case Step(ms=None, until=None, data=int(count)) if count > 0:
                fed = await self._playback.step_data(count)
            case _:
                raise NotUnderstood("Give exactly one of ms (0 or more), until (UTC ms), or data (a count above 0).")
        return {**self._time(), "fed": fed}

    def _within_a_year(self, until_ms: int) -> int:
        """A step goes through every funding time, so that one without bound would hold up everybody."""
        if until_ms - self._door.at_ms() > MOST_STEP_MS:
            raise NotUnderstood(f"A step goes at most 366 days, {MOST_STEP_MS} ms; take several.")
        return until_ms

    def _time(self) -> dict[str, Any]:
        return {
            "exchange_ms": self._door.at_ms(),
            "front_ms": self._door.front.now_ms(),
            "speed": speed_words(self._door.clock.speed),
            "data_fed": self._playback.fed,
            "next_datum_ms": self._playback.next_ms,
        }

    # --- faults

    async def _faults(self, request: web.Request) -> Any:
        return [_shown_fault(entry) for entry in self._plan.listed()]

    async def _add_faults(self, request: web.Request) -> Any:
        given = read_json(await _body(request))
        try:
            whole = isinstance(given, dict) and "faults" in given
            faults = read_faults(given) if whole else (read_fault(given),)
        except FaultRefused as refusal:
            place = f" ({'.'.join(map(str, refusal.path))})" if refusal.path else ""
            raise NotUnderstood(f"{refusal.message}{place}: {refusal.hint}.") from None
        numbers = [self._plan.add(fault) for fault in faults]
        if numbers:
            self._faults_changed(numbers[0])
        return {"numbers": numbers}

    async def _clear_faults(self, request: web.Request) -> Any:
        self._plan.clear()
        return {}

    async def _remove_fault(self, request: web.Request) -> Any:
        number = int(request.match_info["number"])
        if not self._plan.remove(number):
            raise NotUnderstood(f"There is no fault {number}.")
        return {}

    # --- looking in

    async def _orders(self, request: web.Request) -> Any:
        looks = {"orders": "GET /fapi/v1/openOrders", "conditionals": "GET /fapi/v1/openAlgoOrders"}
        if request.query.get("closed") == "true":
            looks = {"orders": "GET /fapi/v1/allOrders", "conditionals": "GET /fapi/v1/allAlgoOrders"}
        return self._looked(request, looks)

    async def _positions(self, request: web.Request) -> Any:
        return self._looked(request, {"positions": "GET /fapi/v3/positionRisk"})

    async def _balances(self, request: web.Request) -> Any:
        return self._looked(request, {"balances": "GET /fapi/v3/balance"})

    def _looked(self, request: web.Request, looks: dict[str, str]) -> Any:
        """What Binance's own queries say, of one account or of all; `symbol` where they take it."""
        wanted = request.query.get("account", "")
        accounts = [self._account(wanted)] if wanted else list(self._exchange.accounts.values())
        door = self._door
        params = Params({name: value for name, value in request.query.items() if name == "symbol"})
        return {
            account.name: {
                word: _HANDLERS[query](Call(door, params, door.front.now_ms(), door.at_ms(), account))
                for word, query in looks.items()
            }
            for account in accounts
        }

    async def _events(self, request: web.Request) -> Any:
        after = _whole(request, "after", 0)
        happened = self._log.after(after, min(_whole(request, "limit", MOST_EVENTS), MOST_EVENTS))
        instruments = {symbol: book.instrument for symbol, book in self._exchange.books.items()}
        shown = [
            {"number": each.number, "account": account, "event": event}
            for each in happened
            for account, event in user_events([each.fact], instruments.__getitem__, each.fact.at_ms)
        ]
        return {"events": shown, "last": happened[-1].number if happened else after}

    async def _requests(self, request: web.Request) -> Any:
        after, wanted = _whole(request, "after", 0), request.query.get("account")
        kept = self._door.requests.after(after, min(_whole(request, "limit", MOST_EVENTS), MOST_EVENTS))
        shown = [each.shown() for each in kept if wanted in (None, each.account)]
        return {"requests": shown, "last": kept[-1].number if kept else after}

    async def _limits(self, request: web.Request) -> Any:
        limits = self._door.limits
        return {"weight": limits.weight, "orders_10s": limits.orders_10s, "orders_1m": limits.orders_1m}

    async def _set_limits(self, request: web.Request) -> Any:
        wish = asked(SetLimits, await _body(request))
        for name in ("weight", "orders_10s", "orders_1m"):
            value = getattr(wish, name)
            if value != "same":
                setattr(self._door.limits, name, value)
        return await self._limits(request)

    async def _rules(self, request: web.Request) -> Any:
        rules = self._exchange.settings.rules
        return {name: getattr(rules, name) for name, _ in rules.fields()}

    # --- accounts

    async def _add_account(self, request: web.Request) -> Any:
        wish = asked(AddAccount, await _body(request))
        exchange, keys = self._exchange, self._door.keys
        key = wish.key or f"{wish.name}-key"
        if not wish.name or wish.name in exchange.accounts:
            raise NotUnderstood(f"The name {wish.name!r} is empty or taken; accounts: {', '.join(exchange.accounts)}.")
        if key in keys:
            raise NotUnderstood(f"The key {key!r} is taken.")
        if wish.balance is not None and wish.balance < ZERO:
            raise NotUnderstood(f"The balance is {plain(wish.balance)}, below zero.")
        most = min(book.contract.max_leverage for book in exchange.books.values())
        if wish.leverage is not None and not 1 <= wish.leverage <= most:
            raise NotUnderstood(f"The leverage is {wish.leverage}, not from 1 to {most}.")
        secret = wish.secret or f"{wish.name}-secret"
        if wish.public_key:
            try:
                keys.add_public_key(key, wish.public_key, wish.name)
            except BadPublicKey as error:
                raise NotUnderstood(f"{error}.") from None
        else:
            keys.add_secret(key, secret, wish.name)
        account = exchange.open_account(wish.name, wish.balance)
        if wish.leverage is not None:
            for symbol in exchange.books:
                exchange.set_leverage(account, symbol, wish.leverage, self._door.at_ms())
        if wish.hedge:
            exchange.set_hedge_mode(account, True, self._door.at_ms())
        self._door.publish()
        shown = {"account": wish.name, "api_key": key}
        return shown if wish.public_key else {**shown, "api_secret": secret}

    async def _funding(self, request: web.Request) -> Any:
        wish = asked(SetFunding, await _body(request))
        self._exchange.set_funding_rate(self._book(wish.symbol).symbol, wish.rate)
        return {"symbol": wish.symbol, "rate": plain(wish.rate)}

    async def _close(self, request: web.Request) -> Any:
        return await self._reduce(request, self._exchange.close_by_hand)

    async def _deleverage(self, request: web.Request) -> Any:
        return await self._reduce(request, self._exchange.deleverage)

    async def _reduce(self, request: web.Request, reduce: Callable[..., None]) -> Any:
        wish = asked(Close, await _body(request))
        account, symbol = self._account(wish.account), self._book(wish.symbol).symbol
        held = abs(account.holding(symbol, wish.position_side).qty)
        qty = held if wish.qty is None else wish.qty
        if not ZERO < qty <= held:
            raise NotUnderstood(f"{account.name} holds {plain(held)} of {symbol} {wish.position_side}.")
        reduce(account, symbol, wish.position_side, qty, self._door.at_ms())
        self._door.publish()
        return {"symbol": symbol, "closed": plain(qty)}

    async def _transfer(self, request: web.Request) -> Any:
        wish = asked(Transfer, await _body(request))
        account = self._account(wish.account)
        self._exchange.transfer(account, wish.amount, self._door.at_ms(), wish.asset)
        self._door.publish()
        return {"account": account.name, "asset": wish.asset, "wallet": plain(account.wallet(wish.asset))}

    def _account(self, name: str) -> Account:
        account = self._exchange.accounts.get(name or self._default)
        if account is None:
            raise NotUnderstood(f"There is no account {name!r}; accounts: {', '.join(self._exchange.accounts)}.")
        return account

    def _book(self, symbol: str) -> Book:
        book = self._exchange.books.get(symbol)
        if book is None:
            raise NotUnderstood(f"There is no symbol {symbol!r}; symbols: {', '.join(self._exchange.books)}.")
        return book


def _answered(answer: Answer) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def respond(request: web.Request) -> web.StreamResponse:
        status = 200
        try:
            value = await answer(request)
        except NotUnderstood as error:
            status, value = 400, {"error": str(error)}
        except Refusal as refusal:
            status, value = 400, {"error": refusal.message, "code": refusal.code}
        except EnvironmentFault as fault:  # a data file that breaks off in the middle of a step
            status, value = 400, {"error": fault.message}
        body = _to_json(value).encode("utf-8", "replace")
        return web.Response(body=body + b"\n", status=status, content_type="application/json")

    return respond


async def _body(request: web.Request) -> str:
    return (await request.read()).decode("utf-8", "replace")


def _shown_fault(entry: Listed) -> dict[str, Any]:
    given = {name: getattr(entry.fault, name) for name, _ in Fault.fields()}
    shown = {name: value for name, value in given.items() if value not in (None, "")}
    return {"number": entry.number, "met": entry.met, "happened": entry.happened, **shown}


def _whole(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise NotUnderstood(f"{name} is {text[:40]!r}: a whole number is needed.")
    return int(text)
