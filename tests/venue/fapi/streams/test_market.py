"""Market streams over the wire: what each tells of the data that are played, and how often."""

import asyncio
from typing import Any

from runner.venue.market import CandleEnd, CandleOpen, Mark, Point, Quote, Trade
from runner.venue.settings import Rules, Slippage
from runner.venue.terms import ExecutionType
from tests.venue.fapi.earshot import Wire, over_wire, wire
from tests.venue.fapi.told import AT, d, fill, order, request, told

MINUTE = AT - AT % 60_000


def trade(price: str, at: int = 0, qty: str = "0.5", maker: bool | None = True) -> Trade:
    return Trade("BTCUSDT", AT + at, d(price), d(qty), maker)


def quote(bid: str, at: int = 0, bid_qty: str = "1.2", ask_qty: str = "0.8") -> Quote:
    return Quote("BTCUSDT", AT + at, d(bid), d(bid_qty), d(bid) + d("0.1"), d(ask_qty))


def move(served: Wire, span: int) -> None:
    """Let the exchange's time pass."""
    served.door.clock.set(served.door.at_ms() + span)
    served.hub.tick()


@over_wire
async def test_every_trade_is_an_aggregate_of_its_own_with_the_ids_of_rest(served: Wire) -> None:
    async with served.socket("/market/ws/btcusdt@aggTrade") as ears:
        await ears.heard()
        served.feed(trade("60000.1", 200), trade("60000.2", 201, maker=False))
        move(served, 100)
        first, second = await ears.heard()
        assert first == {
            "e": "aggTrade", "E": AT + 200, "s": "BTCUSDT", "a": 2, "p": "60000.10", "q": "0.500", "nq": "0.500",
            "f": 2, "l": 2, "T": AT + 200, "m": True, "st": 1,
        }
        assert (second["a"], second["p"], second["m"], second["E"]) == (3, "60000.20", False, AT + 301)


@over_wire
async def test_trades_are_told_at_once(served: Wire) -> None:
    async with served.socket("/public/ws/btcusdt@trade") as ears:
        await ears.heard()
        served.feed(trade("60000.1", 1), trade("60000.2", 2))
        frames = await ears.heard()
        assert [frame["t"] for frame in frames] == [2, 3]
        assert frames[0] == {
            "e": "trade", "E": AT + 1, "T": AT + 1, "s": "BTCUSDT", "t": 2, "p": "60000.10", "q": "0.500",
            "X": "MARKET", "m": True, "st": 1,
        }


@over_wire
async def test_the_mark_is_told_each_second_or_each_third_and_in_a_list_for_all(served: Wire) -> None:
    names = "btcusdt@markPrice@1s/btcusdt@markPrice/!markPrice@arr@1s"
    async with served.socket(f"/market/stream?streams={names}") as ears:
        served.hub.tick()
        first = {frame["stream"]: frame["data"] for frame in await ears.heard()}
        assert first["btcusdt@markPrice@1s"] == {
            "e": "markPriceUpdate", "E": AT, "s": "BTCUSDT", "p": "60000.00000000", "ap": "60000.00000000",
            "i": "60000.00000000", "P": "60000.00000000", "r": "0.00000000", "T": 1790006400000, "st": 1,
        }
        assert first["!markPrice@arr@1s"] == [first["btcusdt@markPrice@1s"]]
        served.feed(Mark("BTCUSDT", AT + 900, d("60001.23")))
        assert await ears.heard() == []
        move(served, 100)
        second = {frame["stream"]: frame["data"] for frame in await ears.heard()}
        assert second.keys() == {"btcusdt@markPrice@1s", "!markPrice@arr@1s"}
        assert second["btcusdt@markPrice@1s"]["p"] == "60001.23000000"
        move(served, 2000)
        assert len(await ears.heard()) == 3


@over_wire
async def test_streams_go_on_by_the_wall_clock_where_the_exchanges_time_stands_still(served: Wire) -> None:
    async with served.socket("/market/ws/btcusdt@markPrice@1s") as ears:
        served.hub.tick()
        await ears.heard()
        served.pass_ms(999)
        assert await ears.heard() == []
        served.pass_ms(1)
        assert [frame["E"] for frame in await ears.heard()] == [AT]


@over_wire
async def test_the_best_of_the_book_is_told_when_it_changes(served: Wire) -> None:
    async with served.socket("/public/ws/btcusdt@bookTicker") as ears:
        await ears.heard()
        served.feed(quote("60000.0", 1), quote("60000.0", 2), quote("60000.3", 3))
        frames = await ears.heard()
        assert [frame["E"] for frame in frames] == [AT + 1, AT + 3]
        number = frames[0].pop("u")
        assert frames[1]["u"] > number
        assert frames[0] == {
            "e": "bookTicker", "E": AT + 1, "T": AT + 1, "s": "BTCUSDT", "ps": "BTCUSDT", "b": "60000.00",
            "B": "1.200", "a": "60000.10", "A": "0.800", "st": 1,
        }


@over_wire
async def test_the_users_orders_stand_in_the_shown_book(served: Wire) -> None:
    async with served.socket("/public/ws/btcusdt@bookTicker") as ears:
        served.feed(quote("60000.0", 1))
        await ears.heard()
        exchange = served.door.exchange
        served.feed(quote("60000.0", 2, bid_qty="0.5"))
        exchange.place(exchange.accounts["default"], request("LIMIT", qty="0.1", price=d(60000)), AT + 3)
        served.hub.tick()
        frames = await ears.heard()
        assert [frame["B"] for frame in frames][-1] == "0.600"


@over_wire
async def test_a_stream_of_differences_fits_the_snapshot_of_rest(served: Wire) -> None:
    async with served.socket("/public/ws/btcusdt@depth@100ms") as ears:
        served.feed(quote("60000.0", 100))
        await ears.heard()
        snapshot = served.door.ladders.read("BTCUSDT")
        served.feed(quote("60000.1", 200))
        move(served, 100)
        served.feed(quote("60000.0", 400))
        move(served, 100)
        first, second = await ears.heard()
        assert first["U"] <= snapshot.update_id <= first["u"] and second["pu"] == first["u"]
        assert ["60000.10", "1.200"] in first["b"] and ["60000.10", "0.000"] in first["a"]
        assert ["60000.10", "0.000"] in second["b"]
        assert first.keys() == {"e", "E", "T", "s", "ps", "U", "u", "pu", "b", "a", "st"}


@over_wire
async def test_a_partial_book_tells_its_best_levels(served: Wire) -> None:
    async with served.socket("/public/ws/btcusdt@depth5@100ms") as ears:
        served.feed(quote("60000.0", 100))
        served.hub.tick()
        await ears.heard()
        served.feed(quote("60000.1", 300))
        (frame,) = await ears.heard()
        assert (frame["e"], len(frame["b"]), len(frame["a"])) == ("depthUpdate", 5, 5)
        assert (frame["b"][0], frame["b"][1][0], frame["a"][0]) == (
            ["60000.10", "1.200"], "60000.00", ["60000.20", "0.800"],
        )


@over_wire
async def test_the_open_candle_is_told_as_it_grows_and_once_more_when_it_closes(served: Wire) -> None:
    async with served.socket("/market/ws/btcusdt@kline_1m") as ears:
        await ears.heard()
        served.feed(trade("60010", 300), trade("59990", 600))
        frames = [frame["k"] for frame in await ears.heard()]
        assert frames[-1] == {
            "t": MINUTE, "T": MINUTE + 59_999, "s": "BTCUSDT", "i": "1m", "f": 1, "L": 3, "o": "60000.00",
            "c": "59990.00", "h": "60010.00", "l": "59990.00", "v": "1.000", "n": 3, "x": False, "q": "60000",
            "V": "0.000", "Q": "0", "B": "0",
        }
        served.door.clock.set(MINUTE + 60_000)
        served.hub.tick()
        closed, opened = [frame["k"] for frame in await ears.heard()]
        assert (closed["t"], closed["x"], closed["c"]) == (MINUTE, True, "59990.00")
        assert (opened["t"], opened["x"], opened["o"]) == (MINUTE + 60_000, False, "59990.00")


@over_wire
async def test_no_closed_candle_is_left_out_when_time_jumps(served: Wire) -> None:
    async with served.socket("/market/ws/btcusdt@kline_1m") as ears:
        served.hub.tick()
        await ears.heard()
        served.door.clock.set(MINUTE + 180_000)
        served.hub.tick()
        frames = [(frame["k"]["t"], frame["k"]["x"]) for frame in await ears.heard()]
        assert frames == [(MINUTE + n * 60_000, n < 3) for n in range(4)]


@over_wire
async def test_continuous_candles_name_pair_and_contract(served: Wire) -> None:
    async with served.socket("/market/ws/btcusdt_perpetual@continuousKline_1m") as ears:
        served.hub.tick()
        (frame,) = await ears.heard()
        assert (frame["e"], frame["ps"], frame["ct"]) == ("continuous_kline", "BTCUSDT", "PERPETUAL")
        assert "s" not in frame["k"] and frame["k"]["i"] == "1m"


def test_the_datas_own_candles_are_told_too() -> None:
    async def run() -> None:
        first = CandleOpen("BTCUSDT", MINUTE, d(60000))
        async with wire(first=first) as served, served.socket("/market/ws/btcusdt@kline_1m") as ears:
            served.hub.tick()
            await ears.heard()
            end = MINUTE + 60_000
            served.feed(CandleEnd("BTCUSDT", end, MINUTE, d(60000), d(60050), d(59950), d(60020), d(7)))
            frames = [frame["k"] for frame in await ears.heard()]
            closed = frames[0]
            assert (closed["x"], closed["h"], closed["l"], closed["c"], closed["v"]) == (
                True, "60050.00", "59950.00", "60020.00", "7.000",
            )

    asyncio.run(run())


@over_wire
async def test_tickers_tell_the_day_each_second(served: Wire) -> None:
    names = "btcusdt@ticker/btcusdt@miniTicker/!ticker@arr/!miniTicker@arr"
    async with served.socket(f"/market/stream?streams={names}") as ears:
        await ears.heard()
        served.feed(trade("60600", 1))
        move(served, 1000)
        told_: dict[str, Any] = {frame["stream"]: frame["data"] for frame in await ears.heard()}
        ticker, mini = told_["btcusdt@ticker"], told_["btcusdt@miniTicker"]
        assert (ticker["e"], ticker["p"], ticker["P"], ticker["c"], ticker["n"]) == (
            "24hrTicker", "600.00", "1.000", "60600.00", 2,
        )
        assert mini == {
            "e": "24hrMiniTicker", "E": ticker["E"], "s": "BTCUSDT", "c": "60600.00", "o": "60000.00",
            "h": "60600.00", "l": "60000.00", "v": "0.500", "q": "30300", "ps": "BTCUSDT", "st": 1,
        }
        assert isinstance(told_["!ticker@arr"], list) and isinstance(told_["!miniTicker@arr"], list)


@over_wire
async def test_only_the_latest_fill_of_a_liquidation_is_told_within_a_second(served: Wire) -> None:
    async with served.socket("/market/ws/!forceOrder@arr") as ears:
        served.hub.tick()
        await ears.heard()
        asked = request(side="SELL", client_order_id="autoclose-1")
        for filled in ("0.004", "0.01"):
            forced = order("FILLED", filled, str(d(filled) * 60000), asked=asked, forced=True)
            served.publish(told(ExecutionType.CALCULATED, forced, fill("0.004")))
        move(served, 999)
        assert await ears.heard() == []
        move(served, 1)
        (frame,) = await ears.heard()
        assert (frame["e"], frame["o"]["s"], frame["o"]["S"], frame["o"]["z"]) == (
            "forceOrder", "BTCUSDT", "SELL", "0.010",
        )


@over_wire
async def test_streams_of_the_wrong_path_or_an_unknown_symbol_are_silent(served: Wire) -> None:
    async with served.socket("/public/ws/btcusdt@aggTrade/nosuchusdt@bookTicker/!contractInfo") as ears:
        served.feed(trade("60001", 500))
        move(served, 5000)
        assert await ears.heard() == []


@over_wire
async def test_an_unsubscribed_stream_is_silent_and_another_listener_goes_on(served: Wire) -> None:
    async with served.socket("/public/ws/btcusdt@trade") as one, served.socket("/public/ws/btcusdt@trade") as two:
        await one.heard(), await two.heard()
        await one.ask("UNSUBSCRIBE", ["btcusdt@trade"])
        served.feed(trade("60001", 1))
        assert (len(await one.heard()), len(await two.heard())) == (0, 1)


def test_the_legacy_path_can_tell_public_data_alone_as_on_production() -> None:
    async def run() -> None:
        rules, path = Rules(legacy_streams_deliver=False), "/ws/btcusdt@trade/btcusdt@aggTrade"
        async with wire(rules=rules) as served, served.socket(path) as ears:
            await ears.heard()
            served.feed(trade("60001", 500))
            move(served, 1000)
            assert [frame["e"] for frame in await ears.heard()] == ["trade"]

    asyncio.run(run())


def test_a_stated_slippage_makes_a_book_of_a_path() -> None:
    async def run() -> None:
        async with wire(slippage=Slippage()) as served, served.socket("/public/ws/btcusdt@bookTicker") as ears:
            served.hub.tick()
            (frame,) = await ears.heard()
            assert d(frame["b"]) < 60000 < d(frame["a"])

    asyncio.run(run())


@over_wire
async def test_a_point_is_a_trade_without_a_quantity(served: Wire) -> None:
    async with served.socket("/market/ws/btcusdt@aggTrade") as ears:
        await ears.heard()
        served.feed(Point("BTCUSDT", AT + 500, d(60100)))
        (frame,) = await ears.heard()
        assert (frame["p"], frame["q"]) == ("60100.00", "0.000")
