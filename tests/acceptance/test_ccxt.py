"""ccxt, as it is installed, lives a whole life on the served exchange: only its base URLs are changed."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.acceptance.keys import key_pair
from tests.acceptance.served import SYMBOL, Account, Served, require

require("ccxt", "ccxt")
import ccxt.pro  # noqa: E402

BTC = "BTC/USDT:USDT"
PATIENCE_S = 5.0
MARKET = {"symbol": SYMBOL, "side": "BUY", "type": "MARKET", "quantity": "0.010"}
LIMIT = {**MARKET, "type": "LIMIT", "timeInForce": "GTC", "price": "59000.0"}
STOP = {**MARKET, "side": "SELL", "type": "STOP_MARKET", "triggerPrice": "59000.0"}


@asynccontextmanager
async def connected(exchange: Served, account: Account) -> AsyncIterator[Any]:
    client = ccxt.pro.binanceusdm({
        "apiKey": account.key,
        "secret": account.secret,
        "enableRateLimit": False,
        "options": {"fetchCurrencies": False},  # it would ask the spot exchange for them
    })
    urls = client.urls["api"]
    for name, url in urls.items():
        if name.startswith("fapi"):
            urls[name] = url.replace("https://fapi.binance.com", exchange.rest)
    urls["ws"]["linear"] = f"{exchange.ws}/ws"
    urls["ws"]["ws-api"]["linear"] = f"{exchange.ws}/ws-fapi/v1"
    try:
        yield client
    finally:
        await client.close()


def live(life: Callable[[Any], Coroutine[Any, Any, None]], exchange: Served, account: Account) -> None:
    async def run() -> None:
        async with connected(exchange, account) as client:
            await life(client)

    asyncio.run(run())


async def soon(awaited: Awaitable[Any]) -> Any:
    return await asyncio.wait_for(awaited, PATIENCE_S)


async def contracts(client: Any) -> float:
    """Signed quantity on the symbol."""
    return sum(
        row["contracts"] * (1 if row["side"] == "long" else -1) for row in await client.fetch_positions([BTC])
    )


def test_rules_and_settings_can_be_read_and_changed(exchange: Served, account: Account) -> None:
    async def life(client: Any) -> None:
        markets = await client.load_markets()
        market = markets[BTC]
        assert (market["precision"], market["active"]) == (
            {**market["precision"], "price": 0.1, "amount": 0.001}, True,
        )
        assert market["limits"]["cost"]["min"] > 0 and market["limits"]["market"]["max"] > 0
        assert abs(await client.fetch_time() - client.milliseconds()) < 5000
        assert (await client.set_leverage(20, BTC))["leverage"] in (20, "20")
        assert (await client.fetch_leverage(BTC))["longLeverage"] == 20
        await client.set_margin_mode("isolated", BTC)
        with pytest.raises(ccxt.MarginModeAlreadySet):
            await client.set_margin_mode("isolated", BTC)
        await client.set_margin_mode("cross", BTC)
        assert (await client.fetch_margin_mode(BTC))["marginMode"] == "cross"
        assert (await client.fetch_position_mode(BTC))["hedged"] is False
        await client.set_position_mode(True, BTC)
        assert (await client.fetch_position_mode(BTC))["hedged"] is True
        await client.set_position_mode(False, BTC)
        balance = await client.fetch_balance()
        assert (balance["USDT"]["free"], balance["USDT"]["total"]) == (10000, 10000)
        assert (await client.fetch_trading_fee(BTC))["taker"] > 0
        assert (await client.fetch_leverage_tiers([BTC]))[BTC][0]["maxLeverage"] == 150

    live(life, exchange, account)


def test_the_market_can_be_read(exchange: Served, account: Account) -> None:
    async def life(client: Any) -> None:
        exchange.sim("price", symbol=SYMBOL, price="60010", qty="0.010")
        assert (await client.fetch_ticker(BTC))["last"] == 60010
        book = await client.fetch_order_book(BTC, 5)
        assert book["bids"][0][0] <= 60010 <= book["asks"][0][0]
        assert (await client.fetch_trades(BTC))[-1]["price"] == 60010
        assert (await client.fetch_ohlcv(BTC, "1m"))[-1][4] == 60010
        assert (await client.fetch_funding_rate(BTC))["markPrice"] == 60010
        best = await client.fetch_bids_asks([BTC])
        assert best[BTC]["bid"] <= 60010 <= best[BTC]["ask"]

    live(life, exchange, account)


def test_entries_fill_at_once_later_and_in_part(exchange: Served, account: Account) -> None:
    async def life(client: Any) -> None:
        entry = await client.create_order(BTC, "market", "buy", 0.01, None, {"clientOrderId": "market-entry"})
        assert (entry["status"], entry["clientOrderId"], entry["filled"]) == ("closed", "market-entry", 0.01)
        asked = await client.fetch_order(entry["id"], BTC)
        assert asked["average"] >= 60000 and asked["status"] == "closed"
        trades = await client.fetch_my_trades(BTC)
        assert sum(row["amount"] for row in trades) == 0.01
        assert all(row["takerOrMaker"] == "taker" and row["fee"]["cost"] > 0 for row in trades)

        resting = await client.create_order(BTC, "limit", "buy", 0.02, 59000)
        assert resting["status"] == "open"
        assert [row["id"] for row in await client.fetch_open_orders(BTC)] == [resting["id"]]
        exchange.sim("price", symbol=SYMBOL, price="58999.9", qty="0.005")
        partly = await client.fetch_order(resting["id"], BTC)
        assert (partly["status"], partly["filled"], partly["remaining"]) == ("open", 0.005, 0.015)
        exchange.price("58990")
        whole = await client.fetch_order(resting["id"], BTC)
        assert (whole["status"], whole["average"]) == ("closed", 59000)
        held = (await client.fetch_positions([BTC]))[0]
        assert (held["side"], held["contracts"], held["marginMode"]) == ("long", 0.03, "cross")
        assert held["entryPrice"] > 59000 and held["maintenanceMargin"] > 0

    live(life, exchange, account)


def test_a_resting_order_is_amended_cancelled_and_counted_down(exchange: Served, account: Account) -> None:
    async def life(client: Any) -> None:
        order = await client.create_order(BTC, "limit", "buy", 0.01, 59000)
        edited = await client.edit_order(order["id"], BTC, "limit", "buy", 0.02, 58500)
        assert (edited["id"], edited["amount"], edited["price"]) == (order["id"], 0.02, 58500)
        assert (await client.cancel_order(order["id"], BTC))["status"] == "canceled"

        rows = [{"symbol": BTC, "type": "limit", "side": "buy", "amount": 0.01, "price": price}
                for price in (57000, 56900, 56800)]
        placed = await client.create_orders(rows)
        assert [row["status"] for row in placed] == ["open"] * 3
        gone = await client.cancel_orders([row["id"] for row in placed[:2]], BTC)
        assert [row["status"] for row in gone] == ["canceled"] * 2
        await client.cancel_all_orders(BTC)
        assert await client.fetch_open_orders(BTC) == []

        last = await client.create_order(BTC, "limit", "buy", 0.01, 57000)
        await client.fapiPrivatePostCountdownCancelAll({"symbol": SYMBOL, "countdownTime": 5000})
        exchange.step(6000)
        assert (await client.fetch_order(last["id"], BTC))["status"] == "canceled"

    live(life, exchange, account)


def test_a_position_is_protected_by_conditional_orders_and_flattened(exchange: Served, account: Account) -> None:
    async def life(client: Any) -> None:
        await client.create_order(BTC, "market", "buy", 0.02)
        stop = await client.create_order(
            BTC, "market", "sell", 0.01, None, {"stopLossPrice": 59000, "reduceOnly": True}
        )
        target = await client.create_order(
            BTC, "limit", "sell", 0.01, 61000, {"takeProfitPrice": 61000, "reduceOnly": True, "clientOrderId": "target"}
        )
        trailing = await client.create_order(
            BTC, "market", "sell", 0.01, None,
            {"trailingPercent": 1, "trailingTriggerPrice": 61500, "reduceOnly": True},
        )
        assert (stop["status"], stop["triggerPrice"]) == ("open", 59000)
        assert await client.fetch_open_orders(BTC) == []
        waiting = await client.fetch_open_orders(BTC, params={"trigger": True})
        assert {row["id"] for row in waiting} == {stop["id"], target["id"], trailing["id"]}

        exchange.price("61010")
        ended = await client.fetch_order(target["id"], BTC, {"trigger": True})
        assert (ended["info"]["algoStatus"], ended["clientOrderId"]) == ("FINISHED", "target")
        child = await client.fetch_order(ended["info"]["actualOrderId"], BTC)
        assert (child["status"], child["type"]) == ("closed", "limit")
        assert await contracts(client) == 0.01
        await client.cancel_order(stop["id"], BTC, {"trigger": True})
        exchange.price("61600")
        exchange.price("60900")
        done = await client.fetch_order(trailing["id"], BTC, {"trigger": True})
        assert done["info"]["algoStatus"] == "FINISHED"
        assert await contracts(client) == 0

        await client.create_order(BTC, "market", "sell", 0.02)
        await client.create_order(BTC, "market", "buy", 0.02, None, {"stopLossPrice": 62000})
        flat = await client.create_order(BTC, "market", "buy", 0.02, None, {"reduceOnly": True})
        assert flat["status"] == "closed" and await contracts(client) == 0
        await client.cancel_all_orders(BTC, {"trigger": True})
        assert await client.fetch_open_orders(BTC, params={"trigger": True}) == []

    live(life, exchange, account)


def test_the_user_stream_is_watched(exchange: Served, account: Account) -> None:
    async def life(client: Any) -> None:
        watching = asyncio.create_task(soon(client.watch_orders(BTC)))
        await soon(client.watch_positions([BTC]))  # the snapshot, on the same socket
        order = await client.create_order(BTC, "limit", "buy", 0.01, 59000)
        told = (await watching)[-1]
        assert (told["id"], told["status"]) == (order["id"], "open")
        balance = asyncio.create_task(soon(client.watch_balance()))
        trades = asyncio.create_task(soon(client.watch_my_trades(BTC)))
        positions = asyncio.create_task(soon(client.watch_positions([BTC])))
        watching = asyncio.create_task(soon(client.watch_orders(BTC)))
        await asyncio.sleep(0)
        exchange.price("58990")
        assert (await watching)[-1]["status"] == "closed"
        trade = (await trades)[-1]
        assert (trade["order"], trade["price"], trade["takerOrMaker"]) == (order["id"], 59000, "maker")
        assert (await positions)[-1]["contracts"] == 0.01
        assert (await balance)["USDT"]["total"] < 10000

        watching = asyncio.create_task(soon(client.watch_orders(BTC)))
        await asyncio.sleep(0)
        stop = await client.create_order(BTC, "market", "sell", 0.01, None, {"stopLossPrice": 58000})
        told = (await watching)[-1]
        assert (told["id"], told["info"]["X"], told["triggerPrice"]) == (stop["id"], "NEW", 58000)
        watching = asyncio.create_task(soon(client.watch_orders(BTC)))
        await asyncio.sleep(0)
        await client.cancel_order(stop["id"], BTC, {"trigger": True})
        assert (await watching)[-1]["status"] == "canceled"

    live(life, exchange, account)


def test_market_streams_are_watched(exchange: Served, account: Account) -> None:
    async def life(client: Any) -> None:
        await client.load_markets()
        watched = {
            "trades": client.watch_trades(BTC),
            "mark": client.watch_mark_price(BTC),
            "ticker": client.watch_ticker(BTC),
            "best": client.watch_bids_asks([BTC]),
            "candles": client.watch_ohlcv(BTC, "1m"),
            "book": client.watch_order_book(BTC),
        }
        tasks = {name: asyncio.create_task(soon(awaited)) for name, awaited in watched.items()}
        for number in range(100):
            exchange.sim("price", symbol=SYMBOL, price=str(60000 + number % 2), qty="0.010")
            exchange.step(1000)
            _, waiting = await asyncio.wait(tasks.values(), timeout=0.05)
            if not waiting:
                break
        brought = {name: await task for name, task in tasks.items()}
        assert brought["trades"][-1]["price"] in (60000, 60001)
        assert brought["mark"]["markPrice"] in (60000, 60001)
        assert brought["ticker"]["last"] in (60000, 60001)
        assert brought["best"][BTC]["bid"] < brought["best"][BTC]["ask"]
        assert brought["candles"][-1][4] in (60000, 60001)
        assert brought["book"]["bids"][0][0] < brought["book"]["asks"][0][0]

    live(life, exchange, account)


def test_orders_go_over_the_websocket_api(exchange: Served, account: Account) -> None:
    async def life(client: Any) -> None:
        placed = await soon(client.create_order_ws(BTC, "limit", "buy", 0.01, 59000))
        assert placed["status"] == "open"
        edited = await soon(client.edit_order_ws(placed["id"], BTC, "limit", "buy", 0.02, 58900))
        assert edited["amount"] == 0.02
        assert (await soon(client.fetch_order_ws(placed["id"], BTC)))["status"] == "open"
        assert (await soon(client.cancel_order_ws(placed["id"], BTC)))["status"] == "canceled"
        stop = await soon(client.create_order_ws(BTC, "market", "sell", 0.01, None, {"stopLossPrice": 58000}))
        assert stop["status"] == "open"
        await soon(client.cancel_order_ws(stop["id"], BTC, {"trigger": True}))
        assert await soon(client.fetch_positions_ws([BTC])) == []
        assert (await soon(client.fetch_balance_ws()))["USDT"]["total"] == 10000
        assert (await soon(client.fetch_order_book_ws(BTC, 5)))["bids"]
        with pytest.raises(ccxt.OrderNotFound):
            await soon(client.cancel_order_ws("999999999", BTC))

    live(life, exchange, account)


def test_an_ed25519_key_signs_reads_and_orders(exchange: Served) -> None:
    private, public = key_pair()
    made = exchange.open_account(public_key=public)
    # What is longer it takes for an RSA key.
    account = Account(made.name, made.key, private.strip())

    async def life(client: Any) -> None:
        order = await client.create_order(BTC, "limit", "buy", 0.01, 59000)
        assert (await client.fetch_order(order["id"], BTC))["status"] == "open"
        assert (await client.cancel_order(order["id"], BTC))["status"] == "canceled"
        over_socket = await soon(client.create_order_ws(BTC, "limit", "buy", 0.01, 59000))
        assert over_socket["status"] == "open"

    live(life, exchange, account)


async def _twice(client: Any) -> None:
    for _ in range(2):
        await client.fapiPrivatePostOrder({**LIMIT, "newClientOrderId": "same"})


async def _late(client: Any) -> None:
    client.nonce = lambda: client.milliseconds() - 60_000
    await client.fapiPrivatePostOrder({**LIMIT})


async def _badly_signed(client: Any) -> None:
    client.secret = "another"
    await client.fapiPrivatePostOrder({**LIMIT})


REFUSALS: dict[str, tuple[tuple[int, ...], type[Exception], Callable[[Any], Awaitable[Any]]]] = {
    "a bad tick": (
        (-4014,), ccxt.BaseError, lambda client: client.fapiPrivatePostOrder({**LIMIT, "price": "59000.05"}),
    ),
    "a bad step": (
        (-4023, -1111), ccxt.BaseError, lambda client: client.fapiPrivatePostOrder({**LIMIT, "quantity": "0.0105"}),
    ),
    "too small a notional": (
        (-4164,), ccxt.BaseError, lambda client: client.create_order(BTC, "limit", "buy", 0.001, 20000),
    ),
    "a duplicate id": ((-4116,), ccxt.BaseError, _twice),
    "a stop that would trigger": (
        (-2021,), ccxt.BaseError,
        lambda client: client.create_order(BTC, "market", "sell", 0.01, None, {"stopLossPrice": 61000}),
    ),
    "a reduce-only order without a position": (
        (-2022,), ccxt.BaseError,
        lambda client: client.create_order(BTC, "market", "buy", 0.01, None, {"reduceOnly": True}),
    ),
    "a bad signature": ((-1022,), ccxt.AuthenticationError, _badly_signed),
    "an old timestamp": ((-1021,), ccxt.InvalidNonce, _late),
    "a conditional type among orders": (
        (-4120,), ccxt.BaseError, lambda client: client.fapiPrivatePostOrder({**STOP, "stopPrice": "59000"}),
    ),
    "the cancel of an unknown order": (
        (-2011,), ccxt.OrderNotFound, lambda client: client.cancel_order("999999999", BTC),
    ),
    "the query of an unknown order": (
        (-2013,), ccxt.OrderNotFound, lambda client: client.fetch_order("999999999", BTC),
    ),
    "more than the margin allows": (
        (-2019,), ccxt.BaseError, lambda client: client.create_order(BTC, "market", "buy", 100),
    ),
}


@pytest.mark.parametrize("what", REFUSALS)
def test_a_refusal_has_binances_code(what: str, exchange: Served, account: Account) -> None:
    codes, kind, ask = REFUSALS[what]

    async def life(client: Any) -> None:
        with pytest.raises(kind) as refused:
            await ask(client)
        found = re.search(r"\{.*\}", str(refused.value))
        assert found and json.loads(found.group())["code"] in codes, refused.value

    live(life, exchange, account)
