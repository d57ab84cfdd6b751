"""Binance's official SDK, as it is installed, lives a whole life on the served exchange: only its URLs are changed.

It checks the types of all that it is sent, and warns where one is wrong: no warning is allowed here.
"""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest

from tests.acceptance.heard import Heard
from tests.acceptance.keys import key_pair
from tests.acceptance.served import SYMBOL, Account, Served, require

require("binance_sdk_derivatives_trading_usds_futures", "binance-sdk-derivatives-trading-usds-futures")
from binance_common.configuration import (  # noqa: E402
    ConfigurationRestAPI,
    ConfigurationWebSocketAPI,
    ConfigurationWebSocketStreams,
)
from binance_common.errors import BadRequestError, UnauthorizedError  # noqa: E402
from binance_sdk_derivatives_trading_usds_futures.derivatives_trading_usds_futures import (  # noqa: E402
    DerivativesTradingUsdsFutures,
)
from binance_sdk_derivatives_trading_usds_futures.rest_api.models import (  # noqa: E402
    PlaceMultipleOrdersBatchOrdersParameterInner as BatchRow,
)

# It opens its sockets with an argument that aiohttp is about to drop.
pytestmark = pytest.mark.filterwarnings("ignore:parameter 'timeout':DeprecationWarning")

LIMIT: dict[str, Any] = {
    "symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "time_in_force": "GTC", "quantity": 0.01, "price": 59000.0,
}
MARKET: dict[str, Any] = {"symbol": SYMBOL, "side": "BUY", "type": "MARKET", "quantity": 0.01}
STOP: dict[str, Any] = {
    "algo_type": "CONDITIONAL", "symbol": SYMBOL, "side": "SELL", "type": "STOP_MARKET", "quantity": 0.01,
    "trigger_price": 59000.0,
}


def client_of(exchange: Served, account: Account, private_key: str | None = None) -> DerivativesTradingUsdsFutures:
    credentials: dict[str, Any] = {"api_key": account.key, "api_secret": account.secret or None}
    if private_key is not None:
        credentials["private_key"] = private_key
    return DerivativesTradingUsdsFutures(
        config_rest_api=ConfigurationRestAPI(**credentials, base_path=exchange.rest, timeout=5000, retries=0),
        config_ws_api=ConfigurationWebSocketAPI(**credentials, stream_url=f"{exchange.ws}/ws-fapi/v1"),
        config_ws_streams=ConfigurationWebSocketStreams(stream_url=exchange.ws),
    )


class Told:
    """Calls of the SDK's REST client, off the event loop, each giving its model."""

    def __init__(self, client: DerivativesTradingUsdsFutures) -> None:
        self._rest = client.rest_api

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(self._rest, name)
        return lambda **arguments: call(**arguments).data()


@pytest.fixture
def rest(exchange: Served, account: Account) -> Told:
    return Told(client_of(exchange, account))


@pytest.fixture(autouse=True)
def _unsuspecting(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """The SDK found nothing of another type than it should have."""
    with caplog.at_level(logging.WARNING):
        yield
    found = [record.getMessage() for record in caplog.records if "parse" in record.getMessage()
             or "match" in record.getMessage() or "Unknown" in record.getMessage()]
    assert not found, found


def plain(model: Any) -> dict[str, Any]:
    """An event of the SDK as Binance's JSON object."""
    model = model.actual_instance
    assert not isinstance(model, dict), f"the SDK could not read {model}"
    kind = type(model).__name__
    words = re.findall("[A-Z][a-z]+", kind)
    name = "listenKeyExpired" if kind == "ListenKeyExpired" else "_".join(words).upper()
    return {"e": name, **model.model_dump(by_alias=True, exclude_none=True)}


@asynccontextmanager
async def listening(exchange: Served, account: Account) -> AsyncIterator[tuple[Told, Heard]]:
    """The REST client, and what the user stream brings until the end of the block."""
    client = client_of(exchange, account)
    rest = Told(client)
    heard = Heard()
    key = (await asyncio.to_thread(rest.start_user_data_stream)).listen_key
    streams = client.websocket_streams
    await streams.create_connection()
    try:
        stream = await streams.user_data(key)
        stream.on("message", lambda event: heard.hear(plain(event)))
        # It does not say when the exchange has taken its subscription.
        for leverage in range(6, 60):
            await asyncio.to_thread(rest.change_initial_leverage, symbol=SYMBOL, leverage=leverage)
            await asyncio.sleep(0.02)
            if heard.events:
                break
        yield rest, heard
    finally:
        await streams.close_connection()


def position(rest: Told) -> Decimal:
    """Signed quantity on the symbol; a flat account has no row."""
    return sum((Decimal(row.position_amt) for row in rest.position_information_v3(symbol=SYMBOL)), Decimal(0))


def test_rules_and_settings_can_be_read_and_changed(exchange: Served, rest: Told) -> None:
    rest.test_connectivity()
    assert rest.check_server_time().server_time > 1_700_000_000_000
    rules = rest.exchange_information()
    btc = next(row for row in rules.symbols if row.symbol == SYMBOL)
    filters = {row.filter_type: row for row in btc.filters}
    assert Decimal(filters["PRICE_FILTER"].tick_size) == Decimal("0.1")
    assert filters["MIN_NOTIONAL"].notional and filters["MAX_NUM_ORDERS"].limit == 200
    changed = rest.change_initial_leverage(symbol=SYMBOL, leverage=20)
    assert (changed.leverage, changed.symbol) == (20, SYMBOL) and changed.max_notional_value
    config = rest.symbol_configuration(symbol=SYMBOL)[0]
    assert (config.leverage, config.margin_type, config.is_auto_add_margin) == (20, "CROSSED", False)
    assert rest.change_margin_type(symbol=SYMBOL, margin_type="ISOLATED").code == 200
    assert rest.change_margin_type(symbol=SYMBOL, margin_type="CROSSED").code == 200
    assert rest.get_current_position_mode().dual_side_position is False
    assert rest.change_position_mode(dual_side_position="true").code == 200
    assert rest.futures_account_configuration().dual_side_position is True
    assert rest.change_position_mode(dual_side_position="false").code == 200
    assert rest.get_current_multi_assets_mode().multi_assets_margin is False
    brackets = rest.notional_and_leverage_brackets(symbol=SYMBOL).actual_instance
    first = (brackets[0] if isinstance(brackets, list) else brackets).brackets[0]
    assert (first.initial_leverage, first.notional_floor) == (150, 0)
    assert Decimal(rest.user_commission_rate(symbol=SYMBOL).taker_commission_rate) > 0
    assert [row.limit for row in rest.query_user_rate_limit()] == [300, 1200]
    for balances in (rest.futures_account_balance_v3(), rest.futures_account_balance_v2()):
        assert next(row for row in balances if row.asset == "USDT").balance.startswith("10000")
    for whole in (rest.account_information_v3(), rest.account_information_v2()):
        assert Decimal(whole.total_wallet_balance) == 10000


def test_the_market_can_be_read(exchange: Served, rest: Told) -> None:
    exchange.sim("price", symbol=SYMBOL, price="60010", qty="0.010")
    assert Decimal(rest.symbol_price_ticker_v2(symbol=SYMBOL).actual_instance.price) == 60010
    mark = rest.mark_price(symbol=SYMBOL).actual_instance
    assert Decimal(mark.mark_price) == 60010 and mark.next_funding_time > mark.time
    best = rest.symbol_order_book_ticker(symbol=SYMBOL).actual_instance
    assert Decimal(best.bid_price) <= 60010 <= Decimal(best.ask_price)
    assert rest.order_book(symbol=SYMBOL, limit=5).bids
    assert Decimal(rest.recent_trades_list(symbol=SYMBOL)[-1].price) == 60010
    assert Decimal(rest.compressed_aggregate_trades_list(symbol=SYMBOL)[-1].p) == 60010
    assert rest.kline_candlestick_data(symbol=SYMBOL, interval="1m")
    assert Decimal(rest.ticker24hr_price_change_statistics(symbol=SYMBOL).actual_instance.last_price) == 60010
    assert rest.get_funding_rate_info() is not None


def test_entries_fill_at_once_later_and_in_part(exchange: Served, rest: Told) -> None:
    entry = rest.new_order(**MARKET, new_client_order_id="market-entry", new_order_resp_type="RESULT")
    assert (entry.status, entry.client_order_id, entry.executed_qty) == ("FILLED", "market-entry", "0.010")
    asked = rest.query_order(symbol=SYMBOL, orig_client_order_id="market-entry")
    assert asked.order_id == entry.order_id and Decimal(asked.avg_price) >= 60000
    trades = rest.account_trade_list(symbol=SYMBOL)
    assert sum(Decimal(row.qty) for row in trades) == Decimal("0.010")
    assert all(Decimal(row.commission) > 0 and row.maker is False for row in trades)

    resting = rest.new_order(**{**LIMIT, "quantity": 0.02})
    assert resting.status == "NEW"
    assert rest.query_current_open_order(symbol=SYMBOL, order_id=resting.order_id).status == "NEW"
    assert [row.order_id for row in rest.current_all_open_orders(symbol=SYMBOL)] == [resting.order_id]
    exchange.sim("price", symbol=SYMBOL, price="58999.9", qty="0.005")
    partly = rest.query_order(symbol=SYMBOL, order_id=resting.order_id)
    assert (partly.status, partly.executed_qty) == ("PARTIALLY_FILLED", "0.005")
    exchange.price("58990")
    assert rest.query_order(symbol=SYMBOL, order_id=resting.order_id).status == "FILLED"
    assert {row.order_id for row in rest.all_orders(symbol=SYMBOL)} == {entry.order_id, resting.order_id}
    assert position(rest) == Decimal("0.030")
    held = rest.position_information_v2(symbol=SYMBOL)[0]
    assert (held.position_amt, held.margin_type) == ("0.030", "cross")


def test_a_resting_order_is_amended_cancelled_and_counted_down(exchange: Served, rest: Told) -> None:
    order = rest.new_order(**LIMIT)
    amended = rest.modify_order(
        symbol=SYMBOL, side="BUY", order_id=order.order_id, quantity=0.02, price=58500.0, modify_id=7
    )
    assert (amended.orig_qty, amended.modify_id) == ("0.020", 7)
    history = rest.get_order_modify_history(symbol=SYMBOL, order_id=order.order_id)
    assert (history[0].amendment.orig_qty.before, history[0].amendment.orig_qty.after) == ("0.010", "0.020")
    assert rest.cancel_order(symbol=SYMBOL, order_id=order.order_id).status == "CANCELED"

    rows = [BatchRow.model_validate({
        "symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": quantity, "price": price,
    }) for quantity, price in ((0.01, 57000), (0.01, 56900.05), (1, 40000))]
    placed = rest.place_multiple_orders(batch_orders=rows)
    assert [placed[0].status, placed[1].code, placed[2].orig_qty] == ["NEW", -4014, "1.000"]
    gone = rest.cancel_multiple_orders(symbol=SYMBOL, order_id_list=[placed[0].order_id, placed[2].order_id])
    assert [row.status for row in gone] == ["CANCELED", "CANCELED"]
    rest.new_order(**LIMIT)
    assert rest.cancel_all_open_orders(symbol=SYMBOL).code == 200
    assert rest.current_all_open_orders(symbol=SYMBOL) == []

    last = rest.new_order(**LIMIT)
    counting = rest.auto_cancel_all_open_orders(symbol=SYMBOL, countdown_time=5000)
    assert (counting.symbol, counting.countdown_time) == (SYMBOL, "5000")
    exchange.step(6000)
    assert rest.query_order(symbol=SYMBOL, order_id=last.order_id).status == "CANCELED"
    assert rest.test_order(**LIMIT).orig_qty == "0.010"


def test_a_position_is_protected_by_conditional_orders_and_flattened(exchange: Served, rest: Told) -> None:
    rest.new_order(**{**MARKET, "quantity": 0.02})
    stop = rest.new_algo_order(**STOP, reduce_only="true")
    target = rest.new_algo_order(
        **{**STOP, "type": "TAKE_PROFIT_MARKET", "trigger_price": 61000.0}, reduce_only="true", client_algo_id="target"
    )
    trailing = rest.new_algo_order(
        algo_type="CONDITIONAL", symbol=SYMBOL, side="SELL", type="TRAILING_STOP_MARKET", quantity=0.01,
        activate_price=61500.0, callback_rate=1.0, reduce_only="true",
    )
    assert (stop.algo_status, stop.order_type, target.client_algo_id) == ("NEW", "STOP_MARKET", "target")
    assert rest.current_all_open_orders(symbol=SYMBOL) == []
    waiting = {row.algo_id for row in rest.current_all_algo_open_orders(symbol=SYMBOL)}
    assert waiting == {stop.algo_id, target.algo_id, trailing.algo_id}

    exchange.price("61000")
    ended = rest.query_algo_order(client_algo_id="target")
    assert (ended.algo_status, ended.actual_qty) == ("FINISHED", "0.010")
    child = rest.query_order(symbol=SYMBOL, order_id=int(ended.actual_order_id))
    assert (child.status, child.type) == ("FILLED", "MARKET")
    cancelled = rest.cancel_algo_order(algo_id=stop.algo_id)
    assert (cancelled.algo_id, cancelled.code, cancelled.msg) == (stop.algo_id, "200", "success")
    exchange.price("61600")
    exchange.price("60900")
    assert rest.query_algo_order(algo_id=trailing.algo_id).algo_status == "FINISHED"
    assert position(rest) == 0
    assert len(rest.query_all_algo_orders(symbol=SYMBOL)) == 3

    rest.new_order(**{**MARKET, "side": "SELL", "quantity": 0.02})
    rest.new_algo_order(**{**STOP, "side": "BUY", "trigger_price": 62000.0})
    flat = rest.new_order(**{**MARKET, "quantity": 0.02}, reduce_only="true", new_order_resp_type="RESULT")
    assert flat.status == "FILLED" and position(rest) == 0
    assert rest.cancel_all_algo_open_orders(symbol=SYMBOL).code == 200
    assert rest.current_all_algo_open_orders(symbol=SYMBOL) == []
    assert {"REALIZED_PNL", "COMMISSION"} <= {row.income_type for row in rest.get_income_history(symbol=SYMBOL)}


def test_the_user_stream_tells_of_every_event(exchange: Served, account: Account) -> None:
    async def life() -> None:
        async with listening(exchange, account) as (rest, heard):
            def ask(name: str, **arguments: Any) -> Any:
                return asyncio.to_thread(getattr(rest, name), **arguments)

            assert (await heard.until("ACCOUNT_CONFIG_UPDATE"))["s"] == SYMBOL
            await ask("new_order", **LIMIT, new_client_order_id="one")
            await ask("modify_order", symbol=SYMBOL, side="BUY", orig_client_order_id="one", quantity=0.02,
                      price=59000.0, modify_id=7)
            exchange.sim("price", symbol=SYMBOL, price="58999.9", qty="0.005")
            await ask("cancel_order", symbol=SYMBOL, orig_client_order_id="one")
            for execution, status in (("NEW", "NEW"), ("AMENDMENT", "NEW"), ("TRADE", "PARTIALLY_FILLED"),
                                      ("CANCELED", "CANCELED")):
                assert (await heard.until("ORDER_TRADE_UPDATE", c="one", x=execution))["X"] == status
            assert (await heard.until("ORDER_TRADE_UPDATE", c="one", x="AMENDMENT"))["M"] == "7"
            assert (await heard.until("TRADE_LITE", c="one"))["l"] == "0.005"
            assert (await heard.until("ACCOUNT_UPDATE", m="ORDER"))["P"][0]["pa"] == "0.005"

            exchange.price("60000")
            await ask("new_order", **{**LIMIT, "time_in_force": "IOC"}, new_client_order_id="two")
            assert (await heard.until("ORDER_TRADE_UPDATE", c="two", x="EXPIRED"))["er"] == "2"
            await ask("new_algo_order", **{**STOP, "quantity": 0.005}, reduce_only="true", client_algo_id="filled")
            await ask("new_algo_order", **{**STOP, "trigger_price": 58000.0}, client_algo_id="cancelled")
            await ask("cancel_algo_order", client_algo_id="cancelled")
            del_quantity = {key: value for key, value in STOP.items() if key != "quantity"}
            await ask("new_algo_order", **{**del_quantity, "trigger_price": 58000.0}, close_position="true",
                      client_algo_id="whole")
            await ask("new_algo_order", **{**STOP, "trigger_price": 58500.0}, reduce_only="true",
                      client_algo_id="rejected")
            exchange.price("58900")
            assert (await heard.until("ALGO_UPDATE", caid="filled", X="FINISHED"))["aq"] == "0.005"
            told = [event["o"]["X"] for event in heard.all("ALGO_UPDATE", caid="filled")]
            assert told == ["NEW", "TRIGGERING", "TRIGGERED", "FINISHED"]
            await heard.until("ALGO_UPDATE", caid="cancelled", X="CANCELED")
            await heard.until("ALGO_UPDATE", caid="whole", X="EXPIRED")
            exchange.price("58400")
            assert (await heard.until("ALGO_UPDATE", caid="rejected", X="REJECTED"))["rm"]

            exchange.price("60000")
            await ask("change_initial_leverage", symbol=SYMBOL, leverage=50)
            await ask("new_order", **{**MARKET, "quantity": 5.0})
            exchange.sim("funding", symbol=SYMBOL, rate="0.0001")
            exchange.step(8 * 3_600_000)
            assert Decimal((await heard.until("ACCOUNT_UPDATE", m="FUNDING_FEE"))["B"][0]["bc"]) < 0
            exchange.price("58300")
            assert (await heard.until("MARGIN_CALL"))["p"][0]["s"] == SYMBOL
            exchange.price("57900")
            forced = await heard.until("ORDER_TRADE_UPDATE", o="LIQUIDATION", X="FILLED")
            assert forced["c"].startswith("autoclose-")
            assert await asyncio.to_thread(position, rest) == 0
            assert await ask("users_force_orders", symbol=SYMBOL)
            exchange.sim("faults", name="listen_key_expired")
            await heard.until("listenKeyExpired")

    asyncio.run(life())


def test_market_streams_bring_prices(exchange: Served, account: Account) -> None:
    async def life() -> None:
        streams = client_of(exchange, account).websocket_streams
        await streams.create_connection()
        try:
            heard: dict[str, list[Any]] = {}
            for stream in (
                await streams.aggregate_trade_streams("btcusdt"),
                await streams.mark_price_stream("btcusdt", update_speed="1s"),
                await streams.kline_candlestick_streams("btcusdt", "1m"),
                await streams.individual_symbol_book_ticker_streams("btcusdt"),
                await streams.partial_book_depth_streams("btcusdt", 5),
                await streams.diff_book_depth_streams("btcusdt", update_speed="100ms"),
                await streams.individual_symbol_ticker_streams("btcusdt"),
            ):
                stream.on("message", heard.setdefault(stream._stream, []).append)
            for number in range(100):
                exchange.sim("price", symbol=SYMBOL, price=str(60000 + number % 2), qty="0.010")
                exchange.step(1000)
                await asyncio.sleep(0.05)
                if all(heard.values()):
                    break
            assert all(heard.values()), heard
        finally:
            await streams.close_connection()

    asyncio.run(life())


def test_orders_go_over_the_websocket_api(exchange: Served, account: Account) -> None:
    async def life() -> None:
        api = client_of(exchange, account).websocket_api
        await api.create_connection()
        try:
            placed = (await api.new_order(**LIMIT)).data().result
            assert placed.status == "NEW"
            edited = (await api.modify_order(
                symbol=SYMBOL, side="BUY", order_id=placed.order_id, quantity=0.02, price=58900.0
            )).data().result
            assert edited.orig_qty == "0.020"
            asked = (await api.query_order(symbol=SYMBOL, order_id=placed.order_id)).data().result
            assert asked.status == "NEW"
            answer = await api.cancel_order(symbol=SYMBOL, order_id=placed.order_id)
            assert answer.data().result.status == "CANCELED" and answer.rate_limits
            stop = (await api.new_algo_order(**STOP)).data().result
            gone = (await api.cancel_algo_order(algo_id=stop.algo_id)).data().result
            assert (gone.algo_id, gone.code) == (stop.algo_id, "200")
            unknown = await api.cancel_order(symbol=SYMBOL, order_id=999999999)
            assert unknown.data()["error"]["code"] == -2011
        finally:
            await api.close_connection()

    asyncio.run(life())


def test_an_ed25519_key_signs_reads_and_orders(exchange: Served) -> None:
    private, public = key_pair()
    account = exchange.open_account(public_key=public)
    client = client_of(exchange, account, private)
    rest = Told(client)
    order = rest.new_order(**LIMIT)
    assert rest.query_order(symbol=SYMBOL, order_id=order.order_id).status == "NEW"
    assert rest.cancel_order(symbol=SYMBOL, order_id=order.order_id).status == "CANCELED"

    async def life() -> None:
        api = client.websocket_api
        await api.create_connection()
        try:
            assert (await api.new_order(**LIMIT)).data().result.status == "NEW"
        finally:
            await api.close_connection()

    asyncio.run(life())


def _twice(rest: Told) -> None:
    for _ in range(2):
        rest.new_order(**LIMIT, new_client_order_id="same")


REFUSALS: dict[str, tuple[tuple[int, ...], Callable[[Told], Any]]] = {
    "a bad tick": ((-4014,), lambda rest: rest.new_order(**{**LIMIT, "price": 59000.05})),
    "a bad step": ((-4023, -1111), lambda rest: rest.new_order(**{**LIMIT, "quantity": 0.0105})),
    "too small a notional": ((-4164,), lambda rest: rest.new_order(**{**LIMIT, "quantity": 0.001, "price": 20000.0})),
    "a duplicate id": ((-4116,), _twice),
    "a stop that would trigger": ((-2021,), lambda rest: rest.new_algo_order(**{**STOP, "trigger_price": 61000.0})),
    "a reduce-only order without a position": ((-2022,), lambda rest: rest.new_order(**MARKET, reduce_only="true")),
    "a conditional type among orders": (
        (-4120,), lambda rest: rest.new_order(symbol=SYMBOL, side="SELL", type="STOP_MARKET", quantity=0.01),
    ),
    "the cancel of an unknown order": ((-2011,), lambda rest: rest.cancel_order(symbol=SYMBOL, order_id=999999999)),
    "the query of an unknown order": ((-2013,), lambda rest: rest.query_order(symbol=SYMBOL, order_id=999999999)),
    "more than the margin allows": ((-2019,), lambda rest: rest.new_order(**{**MARKET, "quantity": 100.0})),
}


@pytest.mark.parametrize("what", REFUSALS)
def test_a_refusal_has_binances_code(what: str, rest: Told) -> None:
    codes, ask = REFUSALS[what]
    with pytest.raises(BadRequestError) as refused:
        ask(rest)
    assert refused.value.status_code in codes


def test_a_bad_signature_and_an_old_timestamp_are_refused(
    exchange: Served, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BadRequestError) as refused:
        Told(client_of(exchange, Account(account.name, account.key, "another"))).new_order(**LIMIT)
    assert refused.value.status_code == -1022
    with pytest.raises(UnauthorizedError) as unknown:
        Told(client_of(exchange, Account("nobody", "A" * 64, "secret"))).futures_account_balance_v3()
    assert unknown.value.status_code == -2015
    from binance_common import utils

    late = utils.get_timestamp() - 60_000
    monkeypatch.setattr(utils, "get_timestamp", lambda: late)
    with pytest.raises(BadRequestError) as old:
        Told(client_of(exchange, account)).new_order(**LIMIT)
    assert old.value.status_code == -1021
