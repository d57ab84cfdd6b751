"""python-binance, as it is installed, lives a whole life on the served exchange: only its base URLs are changed."""

import asyncio
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from typing import Any

import pytest

from tests.acceptance.heard import Heard
from tests.acceptance.keys import key_pair
from tests.acceptance.served import SYMBOL, Account, Served, require

require("binance", "python-binance")
with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # it imports names that websockets is about to drop
    from binance import AsyncClient, BinanceSocketManager
    from binance.exceptions import BinanceAPIException


MARKET = {"symbol": SYMBOL, "side": "BUY", "type": "MARKET", "quantity": "0.010"}
LIMIT = {**MARKET, "type": "LIMIT", "timeInForce": "GTC", "price": "59000.0"}
STOP = {**MARKET, "side": "SELL", "type": "STOP_MARKET", "triggerPrice": "59000.0"}


@asynccontextmanager
async def connected(exchange: Served, account: Account, **arguments: Any) -> AsyncIterator[AsyncClient]:
    client = AsyncClient(account.key, account.secret, **arguments)
    client.FUTURES_URL = f"{exchange.rest}/fapi"
    client.ws_future._url = f"{exchange.ws}/ws-fapi/v1"
    try:
        yield client
    finally:
        await client.close_connection()


@asynccontextmanager
async def listening(socket: Any) -> AsyncIterator[Heard]:
    """What a socket of python-binance brings, until the end of the block."""
    socket.TIMEOUT = 0.2  # it leaves an idle socket only after so long
    heard = Heard()

    async def read() -> None:
        while True:
            heard.hear(await socket.recv())

    async with socket:
        reading = asyncio.create_task(read())
        try:
            yield heard
        finally:
            while not reading.done():  # in Python 3.11 its wait_for may swallow a cancellation
                reading.cancel()
                await asyncio.wait([reading], timeout=0.1)


def sockets(exchange: Served, client: AsyncClient) -> BinanceSocketManager:
    manager = BinanceSocketManager(client)
    manager.FSTREAM_URL = f"{exchange.ws}/"
    return manager


def live(life: Callable[[AsyncClient], Coroutine[Any, Any, None]], exchange: Served, account: Account) -> None:
    async def run() -> None:
        async with connected(exchange, account) as client:
            await life(client)

    asyncio.run(run())


async def position(client: AsyncClient) -> Decimal:
    """Signed quantity on the symbol; a flat account has no row."""
    rows = await client.futures_position_information(symbol=SYMBOL)
    return sum((Decimal(row["positionAmt"]) for row in rows), Decimal(0))


def test_rules_and_settings_can_be_read_and_changed(exchange: Served, account: Account) -> None:
    async def life(client: AsyncClient) -> None:
        await client.futures_ping()
        assert abs((await client.futures_time())["serverTime"] - client.timestamp_offset) > 0
        rules = await client.futures_exchange_info()
        btc = next(row for row in rules["symbols"] if row["symbol"] == SYMBOL)
        filters = {row["filterType"]: row for row in btc["filters"]}
        assert Decimal(filters["PRICE_FILTER"]["tickSize"]) == Decimal("0.1")
        assert {row["rateLimitType"] for row in rules["rateLimits"]} == {"REQUEST_WEIGHT", "ORDERS"}
        changed = await client.futures_change_leverage(symbol=SYMBOL, leverage=20)
        assert (changed["leverage"], changed["symbol"]) == (20, SYMBOL)
        config = await client.futures_symbol_config(symbol=SYMBOL)
        assert (config[0]["leverage"], config[0]["marginType"]) == (20, "CROSSED")
        assert (await client.futures_change_margin_type(symbol=SYMBOL, marginType="ISOLATED"))["code"] == 200
        with pytest.raises(BinanceAPIException) as already:
            await client.futures_change_margin_type(symbol=SYMBOL, marginType="ISOLATED")
        assert already.value.code == -4046
        await client.futures_change_margin_type(symbol=SYMBOL, marginType="CROSSED")
        assert await client.futures_get_position_mode() == {"dualSidePosition": False}
        await client.futures_change_position_mode(dualSidePosition="true")
        assert (await client.futures_account_config())["dualSidePosition"] is True
        await client.futures_change_position_mode(dualSidePosition="false")
        assert await client.futures_get_multi_assets_mode() == {"multiAssetsMargin": False}
        brackets = await client.futures_leverage_bracket(symbol=SYMBOL)
        assert brackets[0]["brackets"][0]["initialLeverage"] == 150
        assert Decimal((await client.futures_commission_rate(symbol=SYMBOL))["takerCommissionRate"]) > 0
        balances = {row["asset"]: row for row in await client.futures_account_balance()}
        assert Decimal(balances["USDT"]["availableBalance"]) == 10000
        for version in (2, 3):
            assert Decimal((await client.futures_account(version=version))["totalWalletBalance"]) == 10000
        assert [row["limit"] for row in await client.futures_v1_get_rate_limit_order()] == [300, 1200]

    live(life, exchange, account)


def test_the_market_can_be_read(exchange: Served, account: Account) -> None:
    async def life(client: AsyncClient) -> None:
        exchange.price("60010")
        assert Decimal((await client.futures_symbol_ticker(symbol=SYMBOL))["price"]) == 60010
        mark = await client.futures_mark_price(symbol=SYMBOL)
        assert Decimal(mark["markPrice"]) == 60010 and mark["nextFundingTime"] > mark["time"]
        best = await client.futures_orderbook_ticker(symbol=SYMBOL)
        assert Decimal(best["bidPrice"]) <= 60010 <= Decimal(best["askPrice"])
        depth = await client.futures_order_book(symbol=SYMBOL, limit=5)
        assert depth["bids"] and depth["asks"] and depth["lastUpdateId"] > 0
        assert await client.futures_klines(symbol=SYMBOL, interval="1m")
        assert Decimal((await client.futures_ticker(symbol=SYMBOL))["lastPrice"]) == 60010

    live(life, exchange, account)


def test_entries_fill_at_once_later_and_in_part(exchange: Served, account: Account) -> None:
    async def life(client: AsyncClient) -> None:
        entry = await client.futures_create_order(
            symbol=SYMBOL, side="BUY", type="MARKET", quantity="0.010", newOrderRespType="RESULT",
            newClientOrderId="market-entry",
        )
        assert (entry["status"], entry["clientOrderId"], entry["executedQty"]) == ("FILLED", "market-entry", "0.010")
        asked = await client.futures_get_order(symbol=SYMBOL, origClientOrderId="market-entry")
        assert asked["orderId"] == entry["orderId"] and Decimal(asked["avgPrice"]) >= 60000
        trades = await client.futures_account_trades(symbol=SYMBOL)
        assert sum(Decimal(row["qty"]) for row in trades) == Decimal("0.010")
        assert all(Decimal(row["commission"]) > 0 and not row["maker"] for row in trades)

        resting = await client.futures_create_order(
            symbol=SYMBOL, side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.020", price="59000.0",
            newClientOrderId="limit-entry",
        )
        assert resting["status"] == "NEW"
        assert [row["orderId"] for row in await client.futures_get_open_orders(symbol=SYMBOL)] == [resting["orderId"]]
        exchange.sim("price", symbol=SYMBOL, price="58999.9", qty="0.005")
        partly = await client.futures_get_order(symbol=SYMBOL, orderId=resting["orderId"])
        assert (partly["status"], partly["executedQty"]) == ("PARTIALLY_FILLED", "0.005")
        exchange.price("58990")
        whole = await client.futures_get_order(symbol=SYMBOL, orderId=resting["orderId"])
        assert (whole["status"], Decimal(whole["avgPrice"])) == ("FILLED", Decimal(59000))
        assert await position(client) == Decimal("0.030")
        filled = await client.futures_account_trades(symbol=SYMBOL, orderId=resting["orderId"])
        assert len(filled) == 2 and all(row["maker"] for row in filled)

    live(life, exchange, account)


def test_a_resting_order_is_amended_cancelled_and_counted_down(exchange: Served, account: Account) -> None:
    async def life(client: AsyncClient) -> None:
        order = await client.futures_create_order(
            symbol=SYMBOL, side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.010", price="59000.0"
        )
        amended = await client.futures_modify_order(
            symbol=SYMBOL, side="BUY", orderId=order["orderId"], quantity="0.020", price="58500.0"
        )
        assert (amended["origQty"], Decimal(amended["price"])) == ("0.020", Decimal(58500))
        history = await client._request_futures_api(
            "get", "orderAmendment", True, data={"symbol": SYMBOL, "orderId": order["orderId"]}
        )
        assert [row["amendment"]["origQty"] for row in history] == [{"before": "0.010", "after": "0.020"}]
        cancelled = await client.futures_cancel_order(symbol=SYMBOL, orderId=order["orderId"])
        assert cancelled["status"] == "CANCELED"

        for price in ("58000.0", "57900.0"):
            await client.futures_create_order(
                symbol=SYMBOL, side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.010", price=price
            )
        assert (await client.futures_cancel_all_open_orders(symbol=SYMBOL))["code"] == 200
        assert await client.futures_get_open_orders(symbol=SYMBOL) == []

        rows = [{**LIMIT, "price": price} for price in ("57000.0", "56900.05")]
        placed = await client.futures_place_batch_order(batchOrders=rows)
        assert placed[0]["status"] == "NEW" and placed[1]["code"] == -4014
        gone = await client.futures_cancel_orders(symbol=SYMBOL, orderidlist=[placed[0]["orderId"]])
        assert gone[0]["status"] == "CANCELED"

        last = await client.futures_create_order(
            symbol=SYMBOL, side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.010", price="57000.0"
        )
        counting = await client.futures_countdown_cancel_all(symbol=SYMBOL, countdownTime=5000)
        assert counting == {"symbol": SYMBOL, "countdownTime": "5000"}
        exchange.step(4000)
        assert (await client.futures_get_order(symbol=SYMBOL, orderId=last["orderId"]))["status"] == "NEW"
        exchange.step(2000)
        assert (await client.futures_get_order(symbol=SYMBOL, orderId=last["orderId"]))["status"] == "CANCELED"

    live(life, exchange, account)


def test_a_position_is_protected_by_conditional_orders_and_flattened(exchange: Served, account: Account) -> None:
    async def life(client: AsyncClient) -> None:
        await client.futures_create_order(symbol=SYMBOL, side="BUY", type="MARKET", quantity="0.020")
        # This way python-binance sends to the Algo service by itself, under an id of its own.
        stop = await client.futures_create_order(
            symbol=SYMBOL, side="SELL", type="STOP_MARKET", stopPrice="59000.0", quantity="0.010", reduceOnly="true"
        )
        target = await client.futures_create_algo_order(
            symbol=SYMBOL, side="SELL", type="TAKE_PROFIT_MARKET", triggerPrice="61000.0", quantity="0.010",
            reduceOnly="true", clientAlgoId="target",
        )
        trailing = await client.futures_create_algo_order(
            symbol=SYMBOL, side="SELL", type="TRAILING_STOP_MARKET", activatePrice="61500.0", callbackRate="1",
            quantity="0.010", reduceOnly="true", clientAlgoId="trailing",
        )
        assert (stop["algoStatus"], stop["orderType"]) == ("NEW", "STOP_MARKET")
        assert (trailing["algoStatus"], target["clientAlgoId"]) == ("NEW", "target")
        assert await client.futures_get_open_orders(symbol=SYMBOL) == []
        waiting = await client.futures_get_open_algo_orders(symbol=SYMBOL)
        assert {row["algoId"] for row in waiting} == {stop["algoId"], target["algoId"], trailing["algoId"]}

        exchange.price("61000")
        ended = await client.futures_get_algo_order(clientAlgoId="target")
        assert (ended["algoStatus"], ended["actualQty"]) == ("FINISHED", "0.010")
        child = await client.futures_get_order(symbol=SYMBOL, orderId=ended["actualOrderId"])
        assert (child["status"], child["type"]) == ("FILLED", "MARKET")
        assert await position(client) == Decimal("0.010")

        cancelled = await client.futures_cancel_algo_order(algoId=stop["algoId"])
        assert (cancelled["algoId"], cancelled["code"], cancelled["msg"]) == (stop["algoId"], "200", "success")
        exchange.price("61600")
        exchange.price("60900")
        assert (await client.futures_get_algo_order(clientAlgoId="trailing"))["algoStatus"] == "FINISHED"
        assert await position(client) == 0

        await client.futures_create_order(symbol=SYMBOL, side="SELL", type="MARKET", quantity="0.020")
        await client.futures_create_algo_order(
            symbol=SYMBOL, side="BUY", type="STOP_MARKET", triggerPrice="62000.0", closePosition="true"
        )
        flat = await client.futures_create_order(
            symbol=SYMBOL, side="BUY", type="MARKET", quantity="0.020", reduceOnly="true", newOrderRespType="RESULT"
        )
        assert flat["status"] == "FILLED" and await position(client) == 0
        assert await client.futures_get_open_algo_orders(symbol=SYMBOL) == []
        await client.futures_create_algo_order(
            symbol=SYMBOL, side="BUY", type="STOP_MARKET", triggerPrice="62000.0", quantity="0.010"
        )
        assert (await client.futures_cancel_all_algo_open_orders(symbol=SYMBOL))["code"] == 200
        kinds = {row["incomeType"] for row in await client.futures_income_history(symbol=SYMBOL)}
        assert {"REALIZED_PNL", "COMMISSION"} <= kinds

    live(life, exchange, account)


def test_the_user_stream_tells_of_orders_balances_and_settings(exchange: Served, account: Account) -> None:
    async def life(client: AsyncClient) -> None:
        async with listening(sockets(exchange, client).futures_user_socket()) as heard:
            await client.futures_change_leverage(symbol=SYMBOL, leverage=10)
            assert (await heard.until("ACCOUNT_CONFIG_UPDATE"))["l"] == 10
            await client.futures_create_order(
                symbol=SYMBOL, side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.010", price="59000.0",
                newClientOrderId="one",
            )
            await client.futures_modify_order(
                symbol=SYMBOL, side="BUY", origClientOrderId="one", quantity="0.020", price="59000.0"
            )
            exchange.sim("price", symbol=SYMBOL, price="58999.9", qty="0.005")
            await client.futures_cancel_order(symbol=SYMBOL, origClientOrderId="one")
            states = []
            for execution in ("NEW", "AMENDMENT", "TRADE", "CANCELED"):
                told = await heard.until("ORDER_TRADE_UPDATE", c="one", x=execution)
                states.append((told["X"], told["q"], float(told["z"])))
            assert states == [
                ("NEW", "0.010", 0), ("NEW", "0.020", 0), ("PARTIALLY_FILLED", "0.020", 0.005),
                ("CANCELED", "0.020", 0.005),
            ]
            lite = await heard.until("TRADE_LITE", c="one")
            assert (lite["l"], lite["L"], lite["m"]) == ("0.005", "59000.0", True)
            moved = await heard.until("ACCOUNT_UPDATE", m="ORDER")
            assert moved["P"][0]["pa"] == "0.005" and moved["B"][0]["a"] == "USDT"

            exchange.price("60000")
            with suppress(BinanceAPIException):  # -5021, where the exchange refuses instead of expiring
                await client.futures_create_order(
                    symbol=SYMBOL, side="BUY", type="LIMIT", timeInForce="IOC", quantity="0.010", price="59500.0",
                    newClientOrderId="two",
                )
            assert (await heard.until("ORDER_TRADE_UPDATE", c="two", x="EXPIRED"))["er"] == "2"
            exchange.sim("transfer", account=account.name, amount="500")
            assert (await heard.until("ACCOUNT_UPDATE", m="DEPOSIT"))["B"][0]["bc"] == "500.00000000"
            exchange.sim("faults", name="listen_key_expired")
            assert "listenKey" in await heard.until("listenKeyExpired")

    live(life, exchange, account)


def test_the_user_stream_tells_of_conditional_orders_in_every_state(exchange: Served, account: Account) -> None:
    async def life(client: AsyncClient) -> None:
        def stop(name: str, trigger: str, **more: Any) -> Awaitable[Any]:
            more = {"quantity": "0.010", **more} if "closePosition" not in more else more
            return client.futures_create_algo_order(
                symbol=SYMBOL, side="SELL", type="STOP_MARKET", triggerPrice=trigger, clientAlgoId=name, **more
            )

        async with listening(sockets(exchange, client).futures_user_socket()) as heard:
            await client.futures_create_order(symbol=SYMBOL, side="BUY", type="MARKET", quantity="0.010")
            await stop("cancelled", "58000.0")
            await client.futures_cancel_algo_order(clientAlgoId="cancelled")
            await stop("filled", "59000.0", reduceOnly="true")
            await stop("whole", "58000.0", closePosition="true")
            await stop("rejected", "58500.0", reduceOnly="true")
            exchange.price("58900")
            done = await heard.until("ALGO_UPDATE", caid="filled", X="FINISHED")
            assert done["aq"] == "0.010"
            child = await heard.until("ORDER_TRADE_UPDATE", c="filled", X="FILLED")
            assert str(child["i"]) == done["ai"] and child["o"] == "MARKET"
            told = [event["o"]["X"] for event in heard.all("ALGO_UPDATE", caid="filled")]
            assert told == ["NEW", "TRIGGERING", "TRIGGERED", "FINISHED"]
            assert (await heard.until("ALGO_UPDATE", caid="whole", X="EXPIRED"))["f"] == "GTE_GTC"
            assert float((await heard.until("ALGO_UPDATE", caid="cancelled", X="CANCELED")).get("aq", "0")) == 0
            exchange.price("58400")
            assert (await heard.until("ALGO_UPDATE", caid="rejected", X="REJECTED"))["rm"]

    live(life, exchange, account)


def test_the_user_stream_tells_of_funding_a_margin_call_and_the_liquidation(exchange: Served, account: Account) -> None:
    async def life(client: AsyncClient) -> None:
        async with listening(sockets(exchange, client).futures_user_socket()) as heard:
            await client.futures_change_leverage(symbol=SYMBOL, leverage=50)
            await client.futures_create_order(symbol=SYMBOL, side="BUY", type="MARKET", quantity="5")
            exchange.sim("funding", symbol=SYMBOL, rate="0.0001")
            exchange.step(8 * 3_600_000)
            paid = await heard.until("ACCOUNT_UPDATE", m="FUNDING_FEE")
            assert Decimal(paid["B"][0]["bc"]) < 0 and paid["S"] == SYMBOL
            exchange.price("58300")
            called = await heard.until("MARGIN_CALL")
            assert called["p"][0]["s"] == SYMBOL
            exchange.price("57900")
            forced = await heard.until("ORDER_TRADE_UPDATE", o="LIQUIDATION", X="FILLED")
            assert forced["c"].startswith("autoclose-")
            assert await position(client) == 0

    live(life, exchange, account)


def test_market_streams_bring_prices(exchange: Served, account: Account) -> None:
    async def life(client: AsyncClient) -> None:
        manager = sockets(exchange, client)
        names = ["btcusdt@aggTrade", "btcusdt@markPrice@1s", "btcusdt@kline_1m"]
        async with (
            listening(manager.futures_multiplex_socket(names)) as market,
            listening(manager.symbol_ticker_futures_socket(SYMBOL)) as public,
        ):
            for price in ("60020", "60030"):
                exchange.sim("price", symbol=SYMBOL, price=price, qty="0.010")
                exchange.step(3000)
            for name in names:
                await market.until_stream(name)
            await public.until_stream("btcusdt@bookTicker")

    live(life, exchange, account)


def test_orders_go_over_the_websocket_api(exchange: Served, account: Account) -> None:
    async def life(client: AsyncClient) -> None:
        client.ws_future.TIMEOUT = 2
        try:
            placed = await client.ws_futures_create_order(
                symbol=SYMBOL, side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.010", price="59000.0"
            )
            assert placed["status"] == "NEW"
            edited = await client.ws_futures_edit_order(
                symbol=SYMBOL, side="BUY", orderId=placed["orderId"], quantity="0.020", price="58900.0"
            )
            assert edited["origQty"] == "0.020"
            asked = await client.ws_futures_get_order(symbol=SYMBOL, orderId=placed["orderId"])
            assert asked["status"] == "NEW"
            cancelled = await client.ws_futures_cancel_order(symbol=SYMBOL, orderId=placed["orderId"])
            assert cancelled["status"] == "CANCELED"
            stop = await client.ws_futures_create_algo_order(
                algoType="CONDITIONAL", symbol=SYMBOL, side="BUY", type="STOP_MARKET", triggerPrice="61000.0",
                quantity="0.010",
            )
            assert (await client.ws_futures_cancel_algo_order(algoId=stop["algoId"]))["msg"] == "success"
            assert await client.ws_futures_v2_account_position(symbol=SYMBOL) == []
            balance = await client.ws_futures_v2_account_balance()
            assert Decimal(next(row for row in balance if row["asset"] == "USDT")["balance"]) == 10000
            assert Decimal((await client.ws_futures_get_all_tickers(symbol=SYMBOL))["price"]) == 60000
            assert (await client.ws_futures_get_order_book(symbol=SYMBOL, limit=5))["bids"]
            with pytest.raises(BinanceAPIException) as unknown:
                await client.ws_futures_cancel_order(symbol=SYMBOL, orderId=999999999)
            assert unknown.value.code == -2011
        finally:
            await client.ws_future.close()

    live(life, exchange, account)


def test_an_ed25519_key_signs_reads_and_orders(exchange: Served) -> None:
    private, public = key_pair()
    account = exchange.open_account(public_key=public)

    async def life() -> None:
        async with connected(exchange, account, private_key=private) as client:
            order = await client.futures_create_order(
                symbol=SYMBOL, side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.010", price="59000.0"
            )
            assert (await client.futures_get_order(symbol=SYMBOL, orderId=order["orderId"]))["status"] == "NEW"
            assert (await client.futures_cancel_order(symbol=SYMBOL, orderId=order["orderId"]))["status"] == "CANCELED"

    asyncio.run(life())


async def _twice(client: AsyncClient) -> None:
    for _ in range(2):
        await client.futures_create_order(**LIMIT, newClientOrderId="same")


async def _late(client: AsyncClient) -> None:
    client.timestamp_offset = -60_000
    await client.futures_create_order(**LIMIT)


async def _conditional_among_orders(client: AsyncClient) -> None:
    # Not by its own method, which sends such a type to the Algo service.
    await client._request_futures_api("post", "order", True, data={**STOP, "stopPrice": "59000"})


async def _badly_signed(client: AsyncClient) -> None:
    client.API_SECRET = "another"
    await client.futures_create_order(**LIMIT)


REFUSALS: dict[str, tuple[tuple[int, ...], Callable[[AsyncClient], Awaitable[Any]]]] = {
    "a bad tick": ((-4014,), lambda client: client.futures_create_order(**{**LIMIT, "price": "59000.05"})),
    "a bad step": ((-4023, -1111), lambda client: client.futures_create_order(**{**LIMIT, "quantity": "0.0105"})),
    "too small a notional": (
        (-4164,), lambda client: client.futures_create_order(**{**LIMIT, "quantity": "0.001", "price": "20000.0"}),
    ),
    "a duplicate id": ((-4116,), _twice),
    "a stop that would trigger": (
        (-2021,), lambda client: client.futures_create_algo_order(**{**STOP, "triggerPrice": "61000.0"}),
    ),
    "a reduce-only order without a position": (
        (-2022,), lambda client: client.futures_create_order(**MARKET, reduceOnly="true"),
    ),
    "a bad signature": ((-1022,), _badly_signed),
    "an old timestamp": ((-1021,), _late),
    "a conditional type among orders": ((-4120,), _conditional_among_orders),
    "the cancel of an unknown order": (
        (-2011,), lambda client: client.futures_cancel_order(symbol=SYMBOL, orderId=999999999),
    ),
    "the query of an unknown order": (
        (-2013,), lambda client: client.futures_get_order(symbol=SYMBOL, origClientOrderId="nobody"),
    ),
    "more than the margin allows": (
        (-2019,), lambda client: client.futures_create_order(**{**MARKET, "quantity": "100"}),
    ),
    "an unknown symbol": ((-1121,), lambda client: client.futures_create_order(**{**MARKET, "symbol": "NOPEUSDT"})),
}


@pytest.mark.parametrize("what", REFUSALS)
def test_a_refusal_has_binances_code(what: str, exchange: Served, account: Account) -> None:
    codes, ask = REFUSALS[what]

    async def life(client: AsyncClient) -> None:
        with pytest.raises(BinanceAPIException) as refused:
            await ask(client)
        assert refused.value.code in codes and refused.value.status_code == 400

    live(life, exchange, account)


def test_an_unknown_key_is_refused(exchange: Served) -> None:
    async def life(client: AsyncClient) -> None:
        with pytest.raises(BinanceAPIException) as refused:
            await client.futures_account_balance()
        assert (refused.value.code, refused.value.status_code) == (-2015, 401)

    live(life, exchange, Account("nobody", "A" * 64, "secret"))
