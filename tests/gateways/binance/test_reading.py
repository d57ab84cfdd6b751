"""Whole snapshots, looks at a symbol, executions under their orders' ids, settings: before the served exchange."""

from decimal import Decimal

import pytest

from runner.domain.account import SymbolSetting
from runner.domain.commands import PlaceOrder
from runner.domain.orders import OrderStatus
from runner.domain.positions import Position
from runner.errors import EnvironmentFault
from runner.gateways.binance.answers import NoAnswer, Standing
from runner.gateways.binance.exchange_rules import instruments
from runner.gateways.binance.reading import Reading, look_up
from runner.gateways.binance.rest import Rest
from runner.gateways.binance.rows import Names
from tests.gateways.binance.peer import Peer, Says, with_peer
from tests.gateways.binance.stage import KEYS, QUICK, SYMBOL, Stage, told
from tests.gateways.contract import order
from tests.venue.desk import BTC

D = Decimal


async def placed(rest: Rest, *orders: PlaceOrder) -> None:
    for each in orders:
        assert (await rest.place(each.request)).standing is Standing.DONE


def test_the_first_snapshot_has_the_runs_own_executions_and_each_later_one_all_that_came_since() -> None:
    async def story(stage: Stage, rest: Rest) -> None:
        await placed(rest, order("BUY", "MARKET", id="run.1"), order("BUY", "MARKET", id="other.1"))
        fresh, own = Reading(rest), Reading(rest)
        assert (await fresh.snapshot([SYMBOL])).trades == ()
        assert [one.client_order_id for one in (await own.snapshot([SYMBOL], "run.")).trades] == ["run.1"]
        await placed(rest, order("SELL", "MARKET", id="run.2"), order("SELL", "MARKET", id="other.2"))
        assert [one.client_order_id for one in (await fresh.snapshot([SYMBOL])).trades] == ["run.2", "other.2"]
        assert [one.client_order_id for one in (await own.snapshot([SYMBOL], "run.")).trades] == [
            "run.1", "run.2", "other.2",
        ]
        again = await own.snapshot([SYMBOL], "run.")
        assert [one.client_order_id for one in again.trades] == ["run.1", "run.2", "other.2"], "told again"
        assert (await own.snapshot([])).trades == ()

    told(story)


def test_more_executions_than_fit_on_a_page_are_all_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.gateways.binance.reading._PAGE", 5)

    async def story(stage: Stage, rest: Rest) -> None:
        reading = Reading(rest)
        await placed(rest, order("BUY", "MARKET", id="first"))
        assert (await reading.snapshot([SYMBOL])).trades == ()
        await placed(rest, *(order("BUY", "MARKET", "0.002", id=f"n.{n}") for n in range(12)))
        trades = (await reading.snapshot([SYMBOL])).trades
        assert [one.client_order_id for one in trades] == [f"n.{n}" for n in range(12)]

    told(story)


def test_what_a_conditional_order_placed_goes_by_its_id_also_where_nobody_here_saw_it() -> None:
    async def story(stage: Stage, rest: Rest) -> None:
        await placed(
            rest, order("BUY", "MARKET", id="run.entry"),
            order("SELL", "STOP_MARKET", trigger_price="59500", reduce_only=True, id="run.stop"),
            order("BUY", "STOP", trigger_price="60500", price="60500", id="run.limit"),
        )
        stage.trade("59400")
        stage.trade("60600")
        stage.trade("61000")
        rest.names = Names()
        seen = await Reading(rest).snapshot([SYMBOL], "run.")
        assert [one.client_order_id for one in seen.trades] == ["run.entry", "run.stop"]
        (resting,) = seen.orders
        assert (resting.client_order_id, resting.status) == ("run.limit", OrderStatus.TRIGGERED)
        assert resting.order_id.isdecimal()
        found = await look_up(rest, SYMBOL, "run.stop")
        assert found is not None and found.status is OrderStatus.FILLED
        trades = await Reading(rest).trades(SYMBOL, found.order_id)
        assert [(one.client_order_id, one.qty) for one in trades] == [("run.stop", D("0.010"))]
        assert await Reading(rest).trades(SYMBOL, "A1") == ()

    told(story)


def test_a_look_has_the_orders_and_the_position_of_one_symbol() -> None:
    async def story(stage: Stage, rest: Rest) -> None:
        before_ms = rest.now_ms()
        reading, spent = Reading(rest), rest.budget.weight.used
        empty = await reading.look(SYMBOL)
        assert rest.budget.weight.used - spent == 7
        assert (empty.symbols, empty.orders, empty.positions) == ((SYMBOL,), (), ())
        assert before_ms <= empty.begun_ms <= empty.at_ms
        await placed(
            rest, order("BUY", "MARKET"), order("BUY", "LIMIT", price="59000", id="limit"),
            order("SELL", "STOP_MARKET", trigger_price="59500", id="stop"),
        )
        full = await reading.look(SYMBOL)
        assert full.positions == (Position(SYMBOL, D("0.010"), D("60000.1")),)
        assert {one.client_order_id for one in full.orders} == {"limit", "stop"}

    told(story)


@pytest.mark.parametrize("route", [
    "GET /fapi/v1/openOrders", "GET /fapi/v1/openAlgoOrders", "GET /fapi/v3/positionRisk", "GET /fapi/v3/balance",
    "GET /fapi/v1/userTrades",
])
def test_a_snapshot_that_lacks_a_part_is_none(route: str) -> None:
    async def story(stage: Stage, rest: Rest) -> None:
        stage.fault("unavailable_503", route=route)
        reading = Reading(rest)
        with pytest.raises(NoAnswer):
            await reading.snapshot([SYMBOL])
        assert (await reading.snapshot([SYMBOL])).balances

    told(story)


def test_the_account_is_told_with_the_settings_of_the_symbols() -> None:
    async def story(stage: Stage, rest: Rest) -> None:
        facts = await Reading(rest).account([SYMBOL])
        assert facts.tag.isalnum()
        assert (facts.can_trade, facts.hedge_mode, facts.multi_assets) == (True, False, False)
        assert facts.settings == (SymbolSetting(SYMBOL, 5, "CROSSED"),)
        stage.me.hedge = True
        assert (await Reading(rest).account([])).hedge_mode

    told(story)


def test_an_account_that_holds_nothing_has_no_name() -> None:
    async def story(peer: Peer) -> None:
        peer.by_path["/fapi/v3/balance"] = Says(body="[]")
        rest = Rest(peer.endpoints, KEYS, QUICK)
        rest.begin()
        with pytest.raises(EnvironmentFault, match="holds nothing"):
            await Reading(rest).account([])
        await rest.close()

    with_peer(story)


def test_the_purse_of_a_symbol_is_that_of_its_margin_asset_and_the_fee_is_read_once() -> None:
    async def story(stage: Stage, rest: Rest) -> None:
        reading = Reading(rest)
        purse = await reading.purse(SYMBOL)
        assert (purse.asset, purse.wallet, purse.unrealised, purse.taker_fee) == ("USDT", D(10000), 0, D("0.0005"))
        spent = rest.budget.weight.used
        await placed(rest, order("BUY", "MARKET"))
        stage.trade("60500")
        later = await reading.purse(SYMBOL)
        assert later.unrealised == D("0.010") * (D(60500) - D("60000.1"))
        assert rest.budget.weight.used - spent == 5

    told(story)


def test_the_instruments_are_those_of_this_exchange_and_one_without_rules_stops_nobody() -> None:
    async def story(stage: Stage, rest: Rest) -> None:
        assert await instruments(rest) == {SYMBOL: BTC.but(max_num_orders=5)}
        rest.exchange_info = {"symbols": [{"symbol": "NEWUSDT"}, *rest.exchange_info["symbols"]]}
        assert list(await instruments(rest)) == [SYMBOL]

    told(story)
