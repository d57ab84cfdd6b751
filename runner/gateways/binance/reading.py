"""What is read of the account: whole snapshots, looks at one symbol, single orders, executions, settings.

Reads that belong together are made side by side.  Each read raises `NoAnswer` where it comes to nothing.
"""

import asyncio
import re
from collections import deque
from collections.abc import Awaitable, Collection, Iterable
from decimal import Decimal
from functools import partial
from typing import Any

from runner.domain.account import AccountFacts, SymbolSetting
from runner.domain.positions import Position
from runner.domain.reports import OrderReport, TradeReport
from runner.domain.snapshots import VenueSnapshot
from runner.domain.value import Value
from runner.domain.values import ZERO
from runner.errors import EnvironmentFault
from runner.gateways.binance import rows
from runner.gateways.binance.answers import UNKNOWN_ORDER_CODES, NoAnswer
from runner.gateways.binance.rest import Rest
from runner.gateways.binance.rows import Shown

_PAGE = 1_000
"""The most rows that Binance gives at once, of trades and of orders."""
_RECENT = 200
"""How many executions of a symbol are told again by each snapshot."""


class Purse(Value, frozen=True):
    """What an account has in the margin asset of a symbol, and its taker rate on the symbol, as a fraction."""

    asset: str
    wallet: Decimal
    unrealised: Decimal
    taker_fee: Decimal


class Reading:
    """Remembers which executions it has told, so that each snapshot has all that came since the one before."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._last_id: dict[str, int] = {}
        self._recent: dict[str, deque[TradeReport]] = {}
        self._taker_fees: dict[str, Decimal] = {}

    async def snapshot(
        self, symbols: Collection[str], prefix: str = "", *, urgent: bool = False,
    ) -> VenueSnapshot:
        """All of the account, with the executions of these symbols.

        Of those before the first snapshot there are those whose client order id begins with `prefix`, none where it is
        empty.  An `urgent` one goes before what is read on a period.
        """
        begun_ms = self._rest.now_ms()
        read = partial(self._rest.read, urgent=urgent)
        orders, conditionals, positions, balances, *traded = await _together(
            read("v1/openOrders"), read("v1/openAlgoOrders"), read("v3/positionRisk"), read("v3/balance"),
            *(self._new_trades(symbol, prefix, urgent) for symbol in symbols),
        )
        trades = sorted((one for told in traded for one in told), key=lambda one: (one.at_ms, int(one.trade_id)))
        return VenueSnapshot(
            self._rest.now_ms(), tuple(map(rows.balance, balances)), _held(positions),
            self._orders(orders, conditionals), tuple(trades), begun_ms,
        )

    async def look(self, symbol: str) -> VenueSnapshot:
        """The open orders and the position of one symbol."""
        begun_ms = self._rest.now_ms()
        paths = ("v1/openOrders", "v1/openAlgoOrders", "v3/positionRisk")
        orders, conditionals, positions = await _together(*(self._rest.read(path, symbol=symbol) for path in paths))
        return VenueSnapshot(
            self._rest.now_ms(), (), _held(positions), self._orders(orders, conditionals), begun_ms=begun_ms,
            symbols=(symbol,),
        )

    async def trades(self, symbol: str, order_id: str) -> tuple[TradeReport, ...]:
        """The executions of one order of the matching engine."""
        if not order_id.isdecimal():
            return ()
        found = await self._rest.read("v1/userTrades", urgent=True, symbol=symbol, orderId=order_id, limit=_PAGE)
        return tuple(await self._named(symbol, found))

    async def account(self, symbols: Collection[str]) -> AccountFacts:
        """What the account is set to, for these symbols too.

        Raises:
            NoAnswer: it cannot be read.
            EnvironmentFault: the account has no name, since it holds nothing.
        """
        read = self._rest.read
        config, balances, *configs = await _together(
            read("v1/accountConfig"), read("v3/balance"),
            *(read("v1/symbolConfig", symbol=symbol) for symbol in symbols),
        )
        tag = next((re.sub(r"[^A-Za-z0-9]", "", str(row.get("accountAlias"))) for row in balances), "")
        if not tag:
            raise EnvironmentFault("the futures account holds nothing", hint="transfer funds to the futures wallet")
        return AccountFacts(
            tag, bool(config["canTrade"]), bool(config["dualSidePosition"]), bool(config["multiAssetsMargin"]),
            tuple(
                SymbolSetting(str(row["symbol"]), int(row["leverage"]), str(row["marginType"]))
                for found in configs for row in found if row["symbol"] in symbols
            ),
        )

    async def purse(self, symbol: str) -> Purse:
        """What `Observed` tells of the account; the taker rate is read once."""
        asset = next(
            (str(row["marginAsset"]) for row in self._rest.exchange_info["symbols"] if row["symbol"] == symbol), "",
        )
        account, taker_fee = await _together(
            self._rest.read("v3/account", urgent=True), self._taker_fee(symbol),
        )
        own: Shown = next((row for row in account["assets"] if row["asset"] == asset), {})
        return Purse(
            asset, Decimal(own.get("walletBalance", 0)), Decimal(own.get("unrealizedProfit", 0)), taker_fee,
        )

    async def _taker_fee(self, symbol: str) -> Decimal:
        if symbol not in self._taker_fees:
            found = await self._rest.read("v1/commissionRate", urgent=True, symbol=symbol)
            self._taker_fees[symbol] = Decimal(found["takerCommissionRate"])
        return self._taker_fees[symbol]

    def _orders(self, orders: Iterable[Shown], conditionals: Iterable[Shown]) -> tuple[OrderReport, ...]:
        """The open orders of both worlds, read side by side: of one that triggered meanwhile each world may have told,
        then the order in the book counts."""
        names = self._rest.names
        told = [rows.conditional_report(row, names) for row in conditionals]
        in_book = [rows.order_report(row, names) for row in orders]
        known = {(one.symbol, one.client_order_id) for one in in_book}
        waiting = [one for one in told if (one.symbol, one.client_order_id) not in known]
        return (*in_book, *waiting)

    async def _new_trades(self, symbol: str, prefix: str, urgent: bool) -> list[TradeReport]:
        first = symbol not in self._recent
        recent = self._recent.get(symbol, deque())
        last_id = self._last_id.get(symbol, 0)
        found: list[Shown] = []
        while True:
            since: dict[str, Any] = {"fromId": last_id + 1} if last_id else {}
            page = await self._rest.read("v1/userTrades", urgent=urgent, symbol=symbol, limit=_PAGE, **since)
            found += page
            if not last_id or len(page) < _PAGE:
                break
            last_id = int(page[-1]["id"])
        told = await self._named(symbol, found) if prefix or not first else []
        if first:
            told = [one for one in told if one.client_order_id.startswith(prefix)]
        self._last_id[symbol] = max([last_id, *(int(row["id"]) for row in found)])
        self._recent[symbol] = deque([*recent, *told], _RECENT)
        return [*recent, *told]

    async def _named(self, symbol: str, found: Iterable[Shown]) -> list[TradeReport]:
        """Executions with the client order ids of their orders, the oldest first."""
        found = sorted(found, key=lambda row: int(row["id"]))
        names = self._rest.names
        nameless = sorted({int(row["orderId"]) for row in found if not names.client_of(symbol, str(row["orderId"]))})
        for order_id in nameless:
            # Each page names those that follow as well.
            if not names.client_of(symbol, str(order_id)):
                await self._learn_names(symbol, order_id)
        return [rows.trade_report(row, names.client_of(symbol, str(row["orderId"]))) for row in found]

    async def _learn_names(self, symbol: str, order_id: int) -> None:
        """Of the orders from this one on.  A conditional order says itself which one it has placed."""
        conditionals, orders = await _together(
            self._rest.read("v1/allAlgoOrders", urgent=True, symbol=symbol, limit=_PAGE),
            self._rest.read("v1/allOrders", urgent=True, symbol=symbol, orderId=order_id, limit=_PAGE),
        )
        for row in conditionals:
            if row.get("actualOrderId"):
                self._rest.names.learn(symbol, str(row["actualOrderId"]), str(row["clientAlgoId"]), triggered=True)
        for row in orders:
            self._rest.names.learn(symbol, str(row["orderId"]), str(row["clientOrderId"]))


async def look_up(rest: Rest, symbol: str, client_order_id: str) -> OrderReport | None:
    """An order by its client id, in both order worlds; None where neither knows it."""
    order, conditional = await _together(
        _found(rest, "v1/order", symbol=symbol, origClientOrderId=client_order_id),
        _found(rest, "v1/algoOrder", clientAlgoId=client_order_id),
    )
    placed = conditional and str(conditional.get("actualOrderId") or "")
    if placed and (order is None or str(order["orderId"]) != placed):
        order = await _found(rest, "v1/order", symbol=symbol, orderId=placed) or order
    return rows.looked_up(order, conditional, rest.names)


async def _found(rest: Rest, path: str, **params: str) -> Any:
    try:
        return await rest.read(path, urgent=True, **params)
    except NoAnswer as error:
        if error.code in UNKNOWN_ORDER_CODES:
            return None
        raise


def _held(positions: Iterable[Shown]) -> tuple[Position, ...]:
    return tuple(one for one in map(rows.position, positions) if one.qty != ZERO)


async def _together(*reads: Awaitable[Any]) -> list[Any]:
    """All of them side by side; where one comes to nothing the others are given up."""
    tasks = [asyncio.ensure_future(read) for read in reads]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
