"""The gateway as a whole on the served exchange: its answers, the faults of its streams, its looks, its end."""

import asyncio
import gc
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from decimal import Decimal

import pytest

from runner.domain.commands import CancelOrder, Observe, PlaceOrder, QueryOrder, ReadPosition
from runner.domain.events import (
    AccountSeen,
    Event,
    FundingExchanged,
    Observed,
    OrderNotFound,
    PositionReport,
    StopRequested,
    StreamGap,
)
from runner.domain.orders import OrderStatus
from runner.domain.reports import OrderReport
from runner.domain.snapshots import VenueSnapshot
from runner.domain.values import Side
from runner.errors import EnvironmentFault
from runner.gateways.binance.gateway import BinanceGateway
from runner.gateways.binance.keys import Credentials, Secret
from runner.gateways.binance.prices import LivePrices
from runner.gateways.binance.settings import Endpoints
from runner.gateways.binance.stream import UserStream
from runner.gateways.binance.view import View
from tests.gateways.binance.ear import Ear, heard, listening, order, reports, statuses, trades
from tests.gateways.binance.stage import KEYS, QUICK, SYMBOL, Stage

FILLED, NEW, TRIGGERED = OrderStatus.FILLED, OrderStatus.NEW, OrderStatus.TRIGGERED
D = Decimal


def whole(event: VenueSnapshot) -> bool:
    return not event.symbols


# ---- life and answers ---------------------------------------------------------------------------------------------


def test_the_first_snapshot_is_returned_and_the_account_told_on_demand() -> None:
    async def story(stage: Stage, ear: Ear) -> None:
        assert [(one.asset, one.wallet) for one in ear.first.balances] == [("USDT", D(10000))]
        assert ear.first.symbols == () and ear.first.begun_ms <= ear.first.at_ms <= ear.gateway.now_ms()
        facts = await ear.gateway.account([SYMBOL])
        setting = facts.setting(SYMBOL)
        assert setting is not None and (setting.leverage, facts.hedge_mode) == (5, False)
        assert ear.told == []

    heard(story)


def test_an_order_is_followed_by_the_stream_to_its_fill() -> None:
    async def story(stage: Stage, ear: Ear) -> None:
        entry = order("BUY", "MARKET")
        ear.gateway.submit(entry)
        position = await ear.next(PositionReport)
        assert (position.qty, position.begun_ms) == (D("0.010"), None)
        assert statuses(ear.told, entry)[-1] is FILLED
        (trade,) = trades(ear.told, entry)
        assert (trade.side, trade.qty, trade.fee_asset, trade.maker) == (Side.BUY, D("0.010"), "USDT", False)
        last = reports(ear.told, entry)[-1]
        assert (last.avg_px, last.quantity, last.side, last.reduce_only) == (
            trade.price, D("0.010"), Side.BUY, False,
        )

    heard(story)


def test_a_stop_is_told_under_its_own_id_before_and_after_its_trigger() -> None:
    async def story(stage: Stage, ear: Ear) -> None:
        await ear.place(order("BUY", "MARKET"))
        stop = order("SELL", "STOP_MARKET", trigger_price="59500", reduce_only=True)
        await ear.place(stop)
        stage.trade("59400")
        await ear.status(stop, FILLED)
        told = reports(ear.told, stop)
        assert list(dict.fromkeys(one.status for one in told)) == [NEW, TRIGGERED, FILLED]
        before, after = dict.fromkeys(one.order_id for one in told)
        assert before.startswith("A") and after.isdecimal()
        assert {one.trigger_px for one in told} == {D(59500)}
        (trade,) = trades(ear.told, stop)
        assert trade.order_id == after

    heard(story)


def test_an_answer_to_a_query_comes_although_it_says_nothing_new() -> None:
    async def story(stage: Stage, ear: Ear) -> None:
        resting = order("BUY", "LIMIT", price="59000")
        await ear.place(resting)
        for _ in range(2):
            ear.gateway.submit(QueryOrder(SYMBOL, resting.request.client_order_id))
            assert (await ear.next(OrderReport)).status is NEW
        ear.gateway.submit(QueryOrder(SYMBOL, "run.never"))
        assert (await ear.next(OrderNotFound)).client_order_id == "run.never"
        ear.gateway.submit(ReadPosition(SYMBOL))
        read = await ear.next(PositionReport, lambda event: event.begun_ms is not None)
        assert read.qty == 0

    heard(story)


def test_what_is_posted_comes_through_the_same_queue() -> None:
    async def story(stage: Stage, ear: Ear) -> None:
        asked = StopRequested(ear.gateway.now_ms())
        ear.gateway.post(asked)
        await ear.until(lambda told: told == [asked])

    heard(story)


def test_others_orders_and_positions_on_the_symbol_are_told_with_all_that_names_them() -> None:
    async def story(stage: Stage, ear: Ear) -> None:
        async with listening(stage, run_prefix="web.") as other:
            by_hand = order("BUY", "LIMIT", price="59000", id="web_by_hand")
            other.gateway.submit(by_hand)
            (told, *_) = [await ear.next(OrderReport, lambda event: event.client_order_id == "web_by_hand")]
            assert (told.side, told.quantity, told.limit_px, told.reduce_only, told.status) == (
                Side.BUY, D("0.010"), D(59000), False, NEW,
            )
            other.gateway.submit(order("BUY", "MARKET", "0.005"))
            assert (await ear.next(PositionReport)).qty == D("0.005")

    heard(story)


def test_the_runs_executions_from_before_the_start_are_in_the_first_snapshot_and_others_are_not() -> None:
    async def live() -> None:
        async with Stage() as stage:
            async with listening(stage) as before:
                ours, others = order("BUY", "MARKET"), order("BUY", "MARKET", id="web_1")
                await before.place(ours, others)
                await before.status(others, FILLED)
                await before.status(ours, FILLED)
            async with listening(stage) as after:
                assert [one.client_order_id for one in after.first.trades] == [ours.request.client_order_id]
                assert [one.qty for one in after.first.positions] == [D("0.020")]
            async with listening(stage, run_prefix="") as fresh:
                assert fresh.first.trades == ()

    asyncio.run(live())


def test_funding_is_told_once_and_changes_what_is_owned() -> None:
    async def story(stage: Stage, ear: Ear) -> None:
        await ear.place(order("BUY", "MARKET"))
        ear.gateway.submit(Observe(SYMBOL))
        before = await ear.next(Observed)
        stage.fault("event_duplicated", event="ACCOUNT_UPDATE", count="always")
        eight_hours = 28_800_000
        waiting = asyncio.create_task(ear.next(FundingExchanged))
        await stage.served.playback.step_to((stage.door.at_ms() // eight_hours + 1) * eight_hours)
        funding = await waiting
        ear.gateway.submit(Observe(SYMBOL))
        after = await ear.next(Observed)
        assert after.wallet == before.wallet + funding.amount
        assert sum(isinstance(event, FundingExchanged) for event in ear.told) == 1

    heard(story)


def test_funding_that_the_stream_missed_is_read_and_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(stage: Stage, ear: Ear) -> None:
        await ear.place(order("BUY", "MARKET"))
        eight_hours = 28_800_000
        stage.fault("socket_silent")
        waiting = asyncio.create_task(ear.next(FundingExchanged))
        await stage.served.playback.step_to((stage.door.at_ms() // eight_hours + 1) * eight_hours)
        later_ms = stage.door.at_ms() + 5
        monkeypatch.setattr(ear.gateway.rest.clock, "now_ms", lambda: later_ms)
        for _ in range(2):
            ear.gateway.distrust()
            await ear.next(StreamGap)
            await ear.next(VenueSnapshot, whole)
        funding = await waiting
        assert (funding.symbol, funding.asset, funding.amount) == (SYMBOL, "USDT", D("-0.06"))
        assert sum(isinstance(event, FundingExchanged) for event in ear.told) == 1

    heard(story)


def test_a_changed_setting_is_read_and_told() -> None:
    async def story(stage: Stage, ear: Ear) -> None:
        await ear.gateway.account([SYMBOL])
        told = asyncio.create_task(ear.next(AccountSeen))
        stage.exchange.set_leverage(stage.me, SYMBOL, 7, stage.door.at_ms())
        stage.door.publish()
        setting = (await told).facts.setting(SYMBOL)
        assert setting is not None and setting.leverage == 7

    heard(story)


def test_settings_that_cannot_be_read_are_not_waited_for_for_ever_and_hold_up_no_look_at_the_whole() -> None:
    async def story(stage: Stage, ear: Ear) -> None:
        stage.fault("unavailable_503", route="GET /fapi/v1/symbolConfig", count="always")
        with pytest.raises(EnvironmentFault, match=r"settings cannot be read: .*symbolConfig"):
            await ear.gateway.account([SYMBOL])
        for _ in range(3):
            await ear.next(VenueSnapshot, whole)

    heard(story, QUICK.but(snapshot_ms=150, request_ms=400, connect_ms=100))


# ---- streams that fail --------------------------------------------------------------------------------------------


async def guarded(ear: Ear) -> PlaceOrder:
    """A long position with its stop, all of it told."""
    ear.gateway.submit(order("BUY", "MARKET"))
    await ear.next(PositionReport)
    stop = order("SELL", "STOP_MARKET", trigger_price="59500", reduce_only=True)
    await ear.place(stop)
    return stop


def executed(ear: Ear, of: PlaceOrder) -> Decimal:
    """How much of an order is known to be executed, from all that was told."""
    found = {one.trade_id: one.qty for one in trades(ear.told, of)}
    for event in ear.told:
        if isinstance(event, VenueSnapshot):
            found |= {
                one.trade_id: one.qty for one in event.trades
                if one.client_order_id == of.request.client_order_id
            }
    return sum(found.values(), D(0))


def ids(told: list[Event]) -> set[str]:
    return {event.client_order_id for event in told if isinstance(event, OrderReport)}


async def flat_is_known(ear: Ear) -> None:
    """A look, or the stream, has shown that nothing is held."""
    await ear.until(lambda told: any(
        (isinstance(event, VenueSnapshot) and not event.positions and not event.orders)
        or (isinstance(event, PositionReport) and event.qty == 0)
        for event in told
    ))


@pytest.mark.parametrize("fault", ["socket_dropped", "socket_frozen", "socket_silent", "listen_key_expired"])
def test_a_stream_that_fails_at_the_fill_of_a_stop_is_replaced_and_the_fill_known(fault: str) -> None:
    async def story(stage: Stage, ear: Ear) -> None:
        stop = await guarded(ear)
        ear.gateway.attend([SYMBOL])
        stage.fault(fault, event="ORDER_TRADE_UPDATE", client_id=stop.request.client_order_id)
        stage.trade("59400")
        await flat_is_known(ear)
        await ear.until(lambda told: any(isinstance(event, StreamGap) for event in told))
        await ear.until(lambda told: any(isinstance(event, VenueSnapshot) and whole(event) for event in told))
        assert executed(ear, stop) == D("0.010")
        gap = next(place for place, event in enumerate(ear.told) if isinstance(event, StreamGap))
        assert any(isinstance(event, VenueSnapshot) and whole(event) for event in ear.told[gap:])
        later = order("BUY", "LIMIT", price="59000")
        await ear.place(later)
        ear.gateway.submit(CancelOrder(SYMBOL, later.request.client_order_id, False, "node"))
        await ear.status(later, OrderStatus.CANCELED)

    heard(story)


def test_a_stream_that_has_fallen_silent_before_is_found_out_by_what_a_look_shows() -> None:
    async def story(stage: Stage, ear: Ear) -> None:
        stage.fault("socket_silent")
        ear.gateway.attend([SYMBOL])
        resting = order("BUY", "LIMIT", price="59000")
        ear.gateway.submit(resting)
        gap = await ear.next(StreamGap)
        assert gap.since_ms <= gap.at_ms
        again = await ear.next(VenueSnapshot, whole)
        assert [one.client_order_id for one in again.orders] == [resting.request.client_order_id]

    heard(story)


def test_an_event_that_is_missing_is_found_by_looks_and_its_execution_told() -> None:
    async def story(stage: Stage, ear: Ear) -> None:
        stage.fault("event_missing", event="ORDER_TRADE_UPDATE", status="FILLED")
        resting = order("BUY", "LIMIT", price="59900")
        await ear.place(resting)
        ear.gateway.attend([SYMBOL])
        stage.trade("59800")
        await ear.next(StreamGap)
        await ear.until(lambda told: executed(ear, resting) == D("0.010"))

    heard(story)


def test_the_end_of_a_triggered_order_that_was_missed_is_looked_up_at_once() -> None:
    async def story(stage: Stage, ear: Ear) -> None:
        stop = await guarded(ear)
        stage.fault(
            "event_missing", event="ORDER_TRADE_UPDATE", client_id=stop.request.client_order_id, count="always",
        )
        stage.trade("59400")
        await ear.status(stop, FILLED)
        await ear.until(lambda told: sum((one.qty for one in trades(told, stop)), D(0)) == D("0.010"))
        assert not any(isinstance(event, StreamGap) for event in ear.told)

    heard(story)


def test_an_order_under_an_id_of_the_exchanges_own_is_traced_to_the_stop_that_placed_it() -> None:
    async def story(stage: Stage, ear: Ear) -> None:
        stop = await guarded(ear)
        (private,) = [client for client in stage.served.hub.clients if client.wanted]
        for event in ("ORDER_TRADE_UPDATE", "ALGO_UPDATE"):
            stage.fault("event_missing", event=event, count="always")
        stage.trade("59400")
        frames = [
            {"e": "ORDER_TRADE_UPDATE", "E": 1, "T": 1, "o": {
                "s": SYMBOL, "c": "engine", "S": "SELL", "o": "MARKET", "f": "GTC", "q": "0.010", "p": "0",
                "ap": price, "x": execution, "X": status, "i": order_id, "l": filled, "z": filled, "L": price, "T": 1,
                "t": trade_id, "m": False, "R": True, "cp": False, "rp": "0", "er": "0",
            }}
            for order_id, execution, status, filled, price, trade_id in (
                (2, "NEW", "NEW", "0", "0", 0), (2, "TRADE", "FILLED", "0.010", "59399.9", 2),
                (77, "NEW", "NEW", "0", "0", 0),
            )
        ]
        for frame in frames:
            private.socket.tell(json.dumps(frame))
        await ear.status(stop, FILLED)
        (trade,) = trades(ear.told, stop)
        assert trade.order_id == "2"
        await ear.until(lambda told: "engine" in ids(told))
        assert [one.order_id for one in reports(ear.told, order("SELL", "MARKET", id="engine"))] == ["77"]

    heard(story)


@pytest.mark.parametrize("fault", [
    {"name": "event_duplicated"}, {"name": "event_late", "delay_ms": 60}, {"name": "event_reordered", "behind": 2},
    {"name": "event_missing", "nth": 3, "count": 3},
])
def test_events_that_come_twice_late_or_never_leave_the_truth_known_and_nothing_twice(fault: dict[str, object]) -> None:
    async def story(stage: Stage, ear: Ear) -> None:
        ear.gateway.attend([SYMBOL])
        stage.fault(**{"count": "always", **fault})
        entry = order("BUY", "MARKET")
        stop = order("SELL", "STOP_MARKET", trigger_price="59500", reduce_only=True)
        ear.gateway.submit(entry)
        await ear.until(lambda told: executed(ear, entry) == D("0.010"))
        ear.gateway.submit(stop)
        await ear.until(lambda told: bool(statuses(told, stop)))
        stage.trade("59400")
        await flat_is_known(ear)
        ear.gateway.submit(QueryOrder(SYMBOL, stop.request.client_order_id))
        await ear.status(stop, FILLED)
        await ear.until(lambda told: executed(ear, stop) == D("0.010"))
        assert len(trades(ear.told, entry)) <= 1 and len(trades(ear.told, stop)) <= 1

    heard(story)


STRANGE = (
    '{"e":"ORDER_TRADE_UPDATE"}', '{"e":"ORDER_TRADE_UPDATE","T":1,"E":1,"o":{}}',
    '{"e":"ORDER_TRADE_UPDATE","T":"x","E":1,"o":[1]}', '{"e":"ALGO_UPDATE","o":null}',
    '{"e":"ACCOUNT_UPDATE","T":1,"a":{"B":[{"a":"USDT"}]}}', '{"e":"MARGIN_CALL"}', '{"e":{}}', '{"e":["x"]}',
    '{"e":"listenKeyExpired","listenKey":7}', '{"o":1}', "[[]]", "12", "{",
)


def test_events_of_a_strange_shape_end_nothing_and_the_account_is_read_instead() -> None:
    async def story(stage: Stage, ear: Ear) -> None:
        resting = order("BUY", "LIMIT", price="59000")
        await ear.place(resting)
        (private,) = [client for client in stage.served.hub.clients if client.wanted]
        reading = asyncio.create_task(ear.next(VenueSnapshot, whole))
        for text in STRANGE:
            private.socket.tell(text)
        assert [one.client_order_id for one in (await reading).orders] == [resting.request.client_order_id]
        ear.gateway.submit(CancelOrder(SYMBOL, resting.request.client_order_id, False, "node"))
        await ear.status(resting, OrderStatus.CANCELED)
        assert not any(isinstance(event, StreamGap) for event in ear.told)

    heard(story, QUICK.but(snapshot_ms=600_000))


def test_a_part_that_fails_begins_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(owner: type, name: str) -> None:
        """The next call fails, those after it do not."""
        real = getattr(owner, name)

        def fail(*given: object) -> None:
            monkeypatch.setattr(owner, name, real)
            raise RuntimeError("a defect")

        monkeypatch.setattr(owner, name, fail)

    async def story(stage: Stage, ear: Ear) -> None:
        for owner, name in ((View, "begin"), (View, "order"), (UserStream, "_came"), (LivePrices, "check")):
            failing(owner, name)
            ear.gateway.distrust()
            await ear.next(StreamGap)
            await ear.next(VenueSnapshot, whole)
            resting = order("BUY", "LIMIT", price="59000")
            await ear.place(resting)
            ear.gateway.submit(Observe(SYMBOL))
            await ear.next(Observed)

    heard(story, QUICK.but(snapshot_ms=600_000))


def test_nothing_is_missed_while_the_stream_is_rotated() -> None:
    async def story(stage: Stage, ear: Ear) -> None:
        entries = [order("BUY", "MARKET", "0.001") for _ in range(40)]
        for entry in entries:
            ear.gateway.submit(entry)
            await ear.status(entry, FILLED)
            await ear.until(lambda told, entry=entry: bool(trades(told, entry)))  # type: ignore[misc]
        assert not any(isinstance(event, StreamGap) for event in ear.told)
        assert len(stage.served.hub.clients) >= 3

    heard(story, QUICK.but(rotate_ms=30, heartbeat_ms=400))


def test_distrust_reads_everything_again() -> None:
    async def story(stage: Stage, ear: Ear) -> None:
        ear.gateway.distrust()
        await ear.next(StreamGap)
        await ear.until(lambda told: any(isinstance(event, VenueSnapshot) and whole(event) for event in told))

    heard(story)


def test_everything_is_read_again_on_its_period() -> None:
    async def story(stage: Stage, ear: Ear) -> None:
        first, second = await ear.next(VenueSnapshot, whole), await ear.next(VenueSnapshot, whole)
        assert first.at_ms < second.begun_ms

    heard(story, QUICK.but(snapshot_ms=30))


# ---- observing ----------------------------------------------------------------------------------------------------


def test_what_is_observed_follows_the_market_and_the_account() -> None:
    async def story(stage: Stage, ear: Ear) -> None:
        ear.gateway.submit(Observe(SYMBOL))
        seen = await ear.next(Observed)
        assert (seen.last_px, seen.mark_px, seen.bid_px, seen.ask_px) == (
            D(60000), D(60000), D("59999.9"), D("60000.1"),
        )
        assert (seen.wallet, seen.unrealised, seen.taker_fee) == (D(10000), 0, D("0.0005"))
        entry = order("BUY", "MARKET")
        ear.gateway.submit(entry)
        await ear.next(PositionReport)
        (trade,) = trades(ear.told, entry)
        ear.gateway.submit(Observe(SYMBOL))
        seen = await ear.next(Observed)
        assert seen.wallet == D(10000) - trade.fee
        assert seen.unrealised == trade.qty * (seen.mark_px - trade.price)

    heard(story)


def test_nothing_is_observed_while_the_user_stream_is_away() -> None:
    async def story(stage: Stage, ear: Ear) -> None:
        stage.fault("unavailable_503", route="POST /fapi/v1/listenKey", count=3)
        ear.gateway.distrust()
        await ear.next(StreamGap)
        ear.gateway.submit(Observe(SYMBOL))
        await ear.next(Observed)
        kinds = [type(event) for event in ear.told if isinstance(event, StreamGap | Observed | VenueSnapshot)]
        assert kinds == [StreamGap, VenueSnapshot, Observed]

    heard(story)


# ---- opening and closing ------------------------------------------------------------------------------------------


def test_a_wrong_key_an_unreachable_host_and_a_clock_that_is_off_end_the_opening() -> None:
    async def fails(endpoints: Endpoints, keys: Credentials) -> str:
        gateway = BinanceGateway(endpoints, keys, QUICK, symbols=[SYMBOL])
        with pytest.raises(EnvironmentFault) as fault:
            await gateway.open()
        return f"{fault.value.message} {fault.value.hint}"

    async def live() -> None:
        async with Stage() as stage:
            assert "-2015" in await fails(stage.endpoints, Credentials(Secret("nobody"), Secret("nothing")))
            assert "-1022" in await fails(stage.endpoints, Credentials(KEYS.key, Secret("nothing")))
            deaf = Endpoints(stage.endpoints.rest, "ws://127.0.0.1:9")
            quick = QUICK.but(connect_ms=50, request_ms=200)
            with pytest.raises(EnvironmentFault, match=r"127\.0\.0\.1:9"):
                await BinanceGateway(deaf, KEYS, quick, symbols=[SYMBOL]).open()
        assert "127.0.0.1" in await fails(stage.endpoints, KEYS)
        async with Stage(off_ms=60_000) as late:
            assert "clock" in await fails(late.endpoints, KEYS)

    asyncio.run(live())


_ABSOLUTE = re.compile(rb"(?:http|ws)://exchange\.invalid(\S*)")


@asynccontextmanager
async def proxy(to: Endpoints) -> AsyncIterator[tuple[str, list[str]]]:
    """A proxy that passes all that is for one host on to one place; its URL, and what it was asked for."""
    asked: list[str] = []
    port = int(to.rest.rpartition(":")[2])

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while part := await reader.read(65_536):
                asked.extend(path.decode() for path in _ABSOLUTE.findall(part))
                writer.write(_ABSOLUTE.sub(rb"\1", part))
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onward, outward = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(copy(reader, outward), copy(onward, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


def test_requests_and_sockets_go_through_the_proxy() -> None:
    async def live() -> None:
        async with Stage() as stage, proxy(stage.endpoints) as (url, asked):
            stage.endpoints = Endpoints("http://exchange.invalid", "ws://exchange.invalid")
            async with listening(stage, proxy=url) as ear:
                entry = order("BUY", "MARKET")
                ear.gateway.submit(entry)
                await ear.until(lambda told: bool(trades(told, entry)))
            for start in ("/fapi/v1/listenKey", "/private/ws", "/market/ws", "/public/ws"):
                assert any(path.startswith(start) for path in asked), (start, asked)

    asyncio.run(live())


def test_closing_leaves_no_task_and_no_socket_whatever_hangs() -> None:
    def own() -> list[str]:
        """The gateway's tasks, by the names of their files."""
        files = (getattr(task.get_coro(), "cr_code", None) for task in asyncio.all_tasks() if not task.done())
        return [code.co_filename for code in files if code is not None and "gateways/binance/" in code.co_filename
                and "tests" not in code.co_filename]

    async def live() -> None:
        async with Stage() as stage:
            async with listening(stage) as ear:
                ear.gateway.attend([SYMBOL])
                ear.gateway.submit(Observe(SYMBOL))
                await ear.next(Observed)
                await ear.gateway.rest.read("v1/time")
                stage.fault("hanging_answer", route="GET*", count="always")
                ear.gateway.submit(QueryOrder(SYMBOL, "run.any"))
                await asyncio.sleep(0)
                assert len(own()) > 5 and len(stage.served.hub.clients) == 3
                loop = asyncio.get_running_loop()
                began_s = loop.time()
                await ear.gateway.close()
                assert loop.time() - began_s < 1
                assert own() == []
            async with asyncio.timeout(5):
                while stage.served.hub.clients:
                    await asyncio.sleep(0.005)
            gc.collect()

    asyncio.run(live())
