"""The dry run's gateway over real data of Binance."""

import csv
import gzip
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest

from runner.domain.commands import PlaceOrder, SetTimer
from runner.domain.events import (
    CommandRejected,
    DataEnded,
    Event,
    FundingExchanged,
    MarketGap,
    TimerFired,
)
from runner.domain.orders import OrderRequest, OrderStatus
from runner.domain.reports import OrderReport, TradeReport
from runner.domain.values import OrderType, Side
from runner.gateways.dryrun import DryRunGateway
from runner.venue import honesty
from runner.venue.exchange import Exchange
from runner.venue.feeds.files import file_market
from runner.venue.feeds.merging import feed
from runner.venue.market import CandleEnd, CandleOpen, Datum, Quote, Trade
from runner.venue.settings import Slippage, VenueSettings
from tests.venue.desk import BTC

D = Decimal


def gateway(*paths: Path) -> tuple[DryRunGateway, Exchange]:
    return over(file_market(paths, "BTCUSDT"))


def over(market: Iterable[Datum]) -> tuple[DryRunGateway, Exchange]:
    data = feed([market])
    exchange = Exchange({"BTCUSDT": BTC}, VenueSettings())
    return DryRunGateway(exchange, exchange.open_account("dryrun"), data.firsts, data.data, 50), exchange


def place(to: DryRunGateway, name: str, side: str, kind: str, **prices: Decimal | bool) -> None:
    to.submit(PlaceOrder(OrderRequest(
        name, "BTCUSDT", Side(side), OrderType(kind), D("0.01"), **prices,  # type: ignore[arg-type]
    ), "node"))


def events(of: DryRunGateway) -> list[Event]:
    stream, told = of.events(), []
    while True:
        try:
            stream.__anext__().send(None)  # type: ignore[attr-defined]
        except StopIteration as done:
            told.append(done.value)
        except StopAsyncIteration:
            return told


@pytest.fixture
def month(shared_data: Path) -> Path:
    return shared_data / "BTCUSDT-1m-2025-05.csv.gz"


def test_a_month_of_candles_is_played_to_its_end_without_a_gap(month: Path) -> None:
    run, _ = gateway(month)
    place(run, "entry", "BUY", "MARKET")
    place(run, "stop", "SELL", "STOP_MARKET", trigger_price=D(80000), reduce_only=True)
    place(run, "profit", "SELL", "TAKE_PROFIT", trigger_price=D(130000), price=D(130000), reduce_only=True)
    told = events(run)
    assert told[-1] == DataEnded(1_748_964_720_000)
    assert not [event for event in told if isinstance(event, MarketGap)]


def test_a_stop_in_the_month_fills_in_the_candle_that_first_reaches_it(month: Path) -> None:
    level = D(94000)
    reaching = next(
        each for each in file_market([month], "BTCUSDT")
        if (isinstance(each, CandleEnd) and each.low <= level) or (isinstance(each, CandleOpen) and each.price <= level)
    )
    run, exchange = gateway(month)
    place(run, "entry", "BUY", "MARKET")
    place(run, "stop", "SELL", "STOP_MARKET", trigger_price=level, reduce_only=True)
    told = events(run)
    trades = [event for event in told if isinstance(event, TradeReport)]
    funding = [event for event in told if isinstance(event, FundingExchanged)]
    assert [(trade.client_order_id, trade.price, trade.at_ms) for trade in trades[1:]] == [
        ("stop", level if isinstance(reaching, CandleEnd) else reaching.price, reaching.at_ms),
    ]
    money = [trade.realized_pnl - trade.fee for trade in trades] + [event.amount for event in funding]
    assert exchange.accounts["dryrun"].wallet() == D(10000) + sum(money)
    assert {event.at_ms % (8 * 3_600_000) for event in funding} == {0} and max(event.amount for event in funding) < 0


def test_a_stop_that_a_real_gap_jumps_over_fills_at_the_open_behind_it(month: Path) -> None:
    data = list(file_market([month], "BTCUSDT"))
    ends = [(index, each) for index, each in enumerate(data) if isinstance(each, CandleEnd)]
    jump, index, before, after = max(
        (before.low - after.open, index, before, after) for (index, before), (_, after) in zip(ends, ends[1:])
    )
    assert jump > 2
    trigger = after.open + 1
    run, _ = over(data[index - 1:])
    place(run, "entry", "BUY", "MARKET")
    place(run, "stop", "SELL", "STOP_MARKET", trigger_price=trigger, reduce_only=True)
    stopped = [event for event in events(run) if isinstance(event, TradeReport)][1]
    assert (stopped.price, stopped.at_ms) == (after.open, after.opened_ms)
    assert before.low > trigger > stopped.price


def test_a_taker_pays_the_quote_of_its_moment_and_a_limit_fills_by_what_traded_through_it(shared_data: Path) -> None:
    paths = [shared_data / f"BTCUSDT-{kind}-2024-08-08.csv.gz" for kind in ("trades", "bookTicker")]
    data = list(file_market(paths, "BTCUSDT"))
    arrival = data[0].at_ms + 50
    quote = [each for each in data if isinstance(each, Quote) and each.at_ms <= arrival][-1]
    limit = quote.bid - 50
    through = [each for each in data if isinstance(each, Trade) and each.at_ms > arrival and each.price < limit]
    run, exchange = gateway(*paths)
    place(run, "taker", "BUY", "MARKET")
    place(run, "maker", "BUY", "LIMIT", price=limit)
    told = events(run)
    trades = [event for event in told if isinstance(event, TradeReport)]
    assert (trades[0].price, trades[0].qty, trades[0].maker) == (quote.ask, D("0.01"), False)
    assert sum(trade.qty for trade in trades[1:]) == min(D("0.01"), sum(each.qty for each in through))
    assert {(trade.price, trade.maker) for trade in trades[1:]} <= {(limit, True)}
    assert [trade.at_ms for trade in trades[1:]][:1] == [each.at_ms for each in through][:1]
    assert "spread" not in honesty.not_simulated(exchange)
    last = [event for event in told if isinstance(event, OrderReport)][-1]
    assert last.status is OrderStatus.FILLED if through else OrderStatus.NEW


# Many moments and limits, against the raw rows of the files, which are read here without any code of ours.


class Row(NamedTuple):
    """A row of the tape, or of the best quotes with `price` as the bid."""

    at_ms: int
    price: Decimal
    qty: Decimal
    ask: Decimal = D(0)
    ask_qty: Decimal = D(0)


def raw(folder: Path) -> tuple[list[Row], list[Row]]:
    def rows(kind: str) -> Iterator[dict[str, str]]:
        with gzip.open(folder / f"BTCUSDT-{kind}-2024-08-08.csv.gz", "rt", newline="") as file:
            yield from csv.DictReader(file)

    tape = [Row(int(row["time"]), D(row["price"]), D(row["qty"])) for row in rows("trades")]
    quotes = [
        Row(int(row["transaction_time"]), D(row["best_bid_price"]), D(row["best_bid_qty"]), D(row["best_ask_price"]),
            D(row["best_ask_qty"]))
        for row in rows("bookTicker")
    ]
    return tape, quotes


def quote_at(quotes: list[Row], at_ms: int) -> Row:
    return quotes[bisect_right(quotes, at_ms, key=lambda row: row.at_ms) - 1]


def carried_out(folder: Path, orders: list[tuple[int, OrderRequest]]) -> list[TradeReport]:
    """Every order sent so that it arrives at its instant; the fills of all, in the order they were told."""
    paths = [folder / f"BTCUSDT-{kind}-2024-08-08.csv.gz" for kind in ("trades", "bookTicker")]
    data = feed([file_market(paths, "BTCUSDT")])
    rules = BTC.but(max_num_orders=10_000)
    exchange = Exchange({"BTCUSDT": rules}, VenueSettings(balance=D(10**9), slippage=Slippage()))
    run = DryRunGateway(exchange, exchange.open_account("dryrun"), data.firsts, data.data, 50)
    for number, (at_ms, _) in enumerate(orders):
        run.schedule(SetTimer(str(number), at_ms - 50))
    told: list[TradeReport] = []
    stream = run.events()
    while True:
        try:
            stream.__anext__().send(None)  # type: ignore[attr-defined]
        except StopIteration as done:
            match done.value:
                case TimerFired(timer_id=number):
                    run.submit(PlaceOrder(orders[int(number)][1], "node"))
                case TradeReport():
                    told.append(done.value)
                case CommandRejected():
                    raise AssertionError(done.value) from None
        except StopAsyncIteration:
            return told


def moments(quotes: list[Row], count: int) -> list[int]:
    """Instants all over the file, none of them too near its ends."""
    first, last = quotes[0].at_ms + 100, quotes[-1].at_ms - 100
    return [first + (last - first) * number // count for number in range(count)]


def test_at_400_moments_a_market_order_pays_the_best_quote_of_that_moment(shared_data: Path) -> None:
    _, quotes = raw(shared_data)
    orders = [
        (at_ms, OrderRequest(str(number), "BTCUSDT", (Side.BUY, Side.SELL)[number % 2], OrderType.MARKET, D("0.05")))
        for number, at_ms in enumerate(moments(quotes, 400))
    ]
    fills: dict[str, list[TradeReport]] = {}
    for trade in carried_out(shared_data, orders):
        fills.setdefault(trade.client_order_id, []).append(trade)
    for at_ms, order in orders:
        quote = quote_at(quotes, at_ms)
        buys = order.side is Side.BUY
        best, shown = (quote.ask, quote.ask_qty) if buys else (quote.price, quote.qty)
        first, *beyond = fills[order.client_order_id]
        assert (first.price, first.qty, first.at_ms, first.maker) == (best, min(shown, D("0.05")), at_ms, False)
        # What is not shown there is taken at worse prices only.
        assert sum(trade.qty for trade in (first, *beyond)) == D("0.05")
        assert all(trade.price > best if buys else trade.price < best for trade in beyond)
    assert len({trades[0].price for trades in fills.values()}) > 100


@pytest.mark.parametrize("side", Side)
def test_200_limits_fill_only_by_what_the_tape_traded_through_them(side: Side, shared_data: Path) -> None:
    tape, quotes = raw(shared_data)
    orders = []
    for number, at_ms in enumerate(moments(quotes, 200)):
        quote = quote_at(quotes, at_ms)
        away = D("0.10") * (number * 7 % 300)
        price = quote.price - away if side is Side.BUY else quote.ask + away
        orders.append((at_ms, OrderRequest(str(number), "BTCUSDT", side, OrderType.LIMIT, D("0.2"), price)))
    told = [
        (trade.at_ms, trade.client_order_id, trade.price, trade.qty, trade.maker)
        for trade in carried_out(shared_data, orders)
    ]
    assert told == through(tape, orders)
    filled = {client_id for _, client_id, *_ in told}
    for at_ms, order in orders:
        reached = any((order.price - row.price) * side.sign > 0 for row in tape if row.at_ms > at_ms)
        assert reached or order.client_order_id not in filled
    assert 25 < len(filled) < 200


def through(
    tape: list[Row], orders: list[tuple[int, OrderRequest]],
) -> list[tuple[int, str, Decimal, Decimal, bool]]:
    """What the tape fills: each trade those that it goes through, the best price first, then the earliest."""
    left = {order.client_order_id: order.quantity for _, order in orders}
    fills = []
    for row in tape:
        sign = -orders[0][1].side.sign
        waiting = [
            (order.price * sign, at_ms, order) for at_ms, order in orders
            if at_ms < row.at_ms and left[order.client_order_id] and (row.price - order.price) * sign > 0
        ]
        shown = row.qty
        for _, _, order in sorted(waiting, key=lambda entry: entry[:2]):
            part = min(shown, left[order.client_order_id])
            if part:
                shown -= part
                left[order.client_order_id] -= part
                fills.append((row.at_ms, order.client_order_id, order.price, part, True))
    return fills
