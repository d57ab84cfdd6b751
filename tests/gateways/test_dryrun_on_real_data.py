"""The dry run's gateway over real data of Binance."""

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from time import perf_counter

import pytest

from runner.domain.commands import PlaceOrder
from runner.domain.events import DataEnded, Event, FundingExchanged, MarketGap, OrderReport, TradeReport
from runner.domain.orders import OrderRequest, OrderStatus
from runner.domain.values import OrderType, Side
from runner.gateways.dryrun import DryRunGateway
from runner.venue import honesty
from runner.venue.exchange import Exchange
from runner.venue.feeds.files import file_market
from runner.venue.feeds.merging import feed
from runner.venue.market import CandleEnd, CandleOpen, Datum, Quote, Trade
from runner.venue.settings import VenueSettings
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


def test_a_month_with_a_resting_bracket_is_a_matter_of_a_second(month: Path) -> None:
    start = perf_counter()
    run, _ = gateway(month)
    place(run, "entry", "BUY", "MARKET")
    place(run, "stop", "SELL", "STOP_MARKET", trigger_price=D(80000), reduce_only=True)
    place(run, "profit", "SELL", "TAKE_PROFIT", trigger_price=D(130000), price=D(130000), reduce_only=True)
    told = events(run)
    assert perf_counter() - start < 3
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
