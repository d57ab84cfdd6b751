"""What a simulated exchange says of itself."""

from decimal import Decimal
from typing import Any

import pytest

from runner.venue.exchange import Exchange
from runner.venue.honesty import assumed, not_simulated
from runner.venue.market import CandleEnd, CandleOpen, Datum, Mark, Point, Quote, Trade
from runner.venue.settings import Slippage, VenueSettings
from tests.venue.desk import BTC, COARSE

D = Decimal
POINT = Point("BTCUSDT", 1, D(60000))
TRADE = Trade("BTCUSDT", 1, D(60000), D(1), False)
QUOTE = Quote("BTCUSDT", 1, D(59999), D(1), D(60001), D(1))
MARK = Mark("BTCUSDT", 1, D(60000))
CANDLE = (
    CandleOpen("BTCUSDT", 1, D(60000)),
    CandleEnd("BTCUSDT", 60_000, 1, D(60000), D(60000), D(60000), D(60000), D(1)),
)
FUNDING = "funding 0.01 % paid each 8 h"
DEPTH = "depth 50,000 USDT a basis point"


def after(*data: Datum, **settings: Any) -> Exchange:
    exchange = Exchange({"BTCUSDT": BTC}, VenueSettings(**({"slippage": Slippage()} | settings)))
    exchange.begin(data[0])
    for datum in data:
        exchange.on_market(datum)
    return exchange


@pytest.mark.parametrize(("data", "expected"), [
    ([POINT], ["spread 2 ticks", DEPTH, "mark as last price", FUNDING]),
    (CANDLE, ["spread 2 ticks", DEPTH, "mark as last price", FUNDING]),
    ([TRADE], [DEPTH, "mark as last price", FUNDING]),
    ([TRADE, QUOTE], ["each further tick as deep as the best quote", "mark as last price", FUNDING]),
    ([POINT, MARK], ["spread 2 ticks", DEPTH, FUNDING]),
])
def test_what_the_data_do_not_have_is_named_with_its_figures(data: list[Datum], expected: list[str]) -> None:
    assert list(assumed(after(*data))) == expected


@pytest.mark.parametrize(("data", "expected"), [
    ([POINT], ["real funding rates", "queue position", "traded volume"]),
    (CANDLE, ["real funding rates", "queue position", "the way of the price inside a candle"]),
    ([TRADE, QUOTE], ["real funding rates", "queue position"]),
])
def test_what_is_missing_follows_from_the_data_too(data: list[Datum], expected: list[str]) -> None:
    assert list(not_simulated(after(*data))) == expected


def test_another_model_is_told_as_it_is_set() -> None:
    model = Slippage(half_spread_ticks=3, level_bps=D("2.5"), depth_quote=D(1000))
    exchange = after(POINT, slippage=model, funding_rate=D("0.00025"))
    assert list(assumed(exchange)) == [
        "spread 6 ticks", "depth 1,000 USDT each 2.5 basis points", "mark as last price",
        "funding rate 0.025 % each 8 h",
    ]
    assert list(not_simulated(exchange)) == ["queue position", "traded volume"]


def test_a_leverage_beyond_what_the_contract_allows_is_named_with_what_it_became() -> None:
    exchange = Exchange({"BTCUSDT": BTC, "COARSEUSDT": COARSE}, VenueSettings(leverage=100))
    assert "leverage 75 on COARSEUSDT: its most" in assumed(exchange)
    assert not any("leverage" in words for words in assumed(after(POINT, leverage=100)))


def test_without_a_model_spread_and_depth_are_missing() -> None:
    exchange = after(POINT, slippage=None)
    assert list(not_simulated(exchange))[-2:] == ["spread", "book depth"]


def test_a_symbol_whose_margin_table_is_not_binances_is_named() -> None:
    exchange = Exchange({"BTCUSDT": BTC, "COARSEUSDT": COARSE}, VenueSettings())
    assert assumed(exchange)[-1] == "margin brackets of COARSEUSDT"
