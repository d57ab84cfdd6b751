"""Each refusal with its code, at the last value that passes and the first that does not."""

import pytest

from runner.domain.positions import Position
from runner.domain.values import OrderType
from runner.venue.filters import MAX_CALLBACK, MIN_CALLBACK
from tests.venue.desk import Desk, code, d, states

BTC_LONG = (Position("BTCUSDT", d("0.5"), d(60000)),)


def _answer(desk: Desk, *args: object, **more: object) -> int:
    """The code of the refusal, or 0 where the order is accepted."""
    told = desk.order(*args, **more)  # type: ignore[arg-type]
    return 0 if states(told) else code(told)


@pytest.mark.parametrize(("qty", "expected"), [
    ("0", -4003), ("-0.001", -4003), ("0.0009", -4004), ("0.001", 0), ("1000", 0), ("1000.001", -4005),
    ("0.0015", -1111), ("0.00150", -1111), ("0.0020", 0),
])
def test_the_quantity_of_a_limit(qty: str, expected: int) -> None:
    assert _answer(Desk(balance=d(10**9)), "BUY", "LIMIT", qty, 59000) == expected


@pytest.mark.parametrize(("kind", "qty", "expected"), [
    ("MARKET", "120", 0), ("MARKET", "120.001", -4005), ("STOP_MARKET", "120", 0), ("STOP_MARKET", "120.001", -4005),
    ("STOP", "120.001", 0), ("TAKE_PROFIT_MARKET", "120.001", -4005), ("TAKE_PROFIT", "120.001", 0),
    ("TRAILING_STOP_MARKET", "120.001", -4005),
])
def test_what_becomes_a_market_order_has_the_market_lot_size(kind: str, qty: str, expected: int) -> None:
    up, limited = not kind.startswith("TAKE"), OrderType(kind).limited
    stop = None if kind in ("MARKET", "TRAILING_STOP_MARKET") else 61000 if up else 59000
    more = {"callback_rate": d(1)} if kind.startswith("TRAILING") else {}
    assert _answer(Desk(balance=d(10**9)), "BUY", kind, qty, stop if limited else None, stop=stop, **more) == expected


@pytest.mark.parametrize(("qty", "expected"), [("5", 0), ("7", -4023), ("7.5", -1111), ("4", -4004), ("105", -4005)])
def test_a_quantity_off_a_coarse_step(qty: str, expected: int) -> None:
    assert _answer(Desk(), "BUY", "MARKET", qty, symbol="COARSEUSDT") == expected


@pytest.mark.parametrize(("price", "expected"), [
    ("59000.1", 0), ("59000.10", 0), ("59000.05", -4014), ("59000.123", -1111), ("0", -4001), ("-1", -4001),
    ("556.70", -4013), ("4529764.1", -4002),
])
def test_the_price_of_a_limit(price: str, expected: int) -> None:
    assert _answer(Desk(), "BUY", "LIMIT", "0.01", price) == expected


def test_a_price_off_a_coarse_tick() -> None:
    assert _answer(Desk(), "BUY", "LIMIT", 5, "9.99", symbol="COARSEUSDT") == -4014
    assert _answer(Desk(), "BUY", "LIMIT", 5, "9.95", symbol="COARSEUSDT") == 0


@pytest.mark.parametrize(("stop", "expected"), [("61000.05", 0), ("0", -4001), ("500", -4013), ("5000000", -4002)])
def test_a_trigger_has_the_price_range_but_not_the_tick(stop: str, expected: int) -> None:
    assert _answer(Desk(), "BUY", "STOP_MARKET", "0.01", stop=stop) == expected


@pytest.mark.parametrize(("side", "price", "expected"), [
    ("BUY", "63000", 0), ("BUY", "63000.1", -4016), ("SELL", "57000", 0), ("SELL", "56999.9", -4024),
    ("BUY", "40000", 0), ("SELL", "80000", 0),
])
def test_a_limit_is_held_to_the_percent_band_around_the_mark(side: str, price: str, expected: int) -> None:
    assert _answer(Desk(60000), side, "LIMIT", "0.01", price) == expected


@pytest.mark.parametrize(("side", "stop", "price", "expected"), [
    ("BUY", 70000, "73500", 0), ("BUY", 70000, "73500.1", -4183),
    ("SELL", 50000, "47500", 0), ("SELL", 50000, "47499.9", -4184),
])
def test_the_limit_of_a_stop_is_held_to_the_band_around_its_trigger(
    side: str, stop: int, price: str, expected: int,
) -> None:
    assert _answer(Desk(60000), side, "STOP", "0.01", price, stop=stop) == expected


@pytest.mark.parametrize(("side", "bid", "ask", "expected"), [
    ("BUY", "59999", "63000", 0), ("BUY", "59999", "63000.1", -4131),
    ("SELL", "57000", "60001", 0), ("SELL", "56999.9", "60001", -4131),
])
def test_a_market_order_is_refused_where_the_best_quote_is_outside_the_band(
    side: str, bid: str, ask: str, expected: int,
) -> None:
    desk = Desk(60000)
    desk.quote(bid, "1", ask, "1")
    assert _answer(desk, side, "MARKET", "0.01") == expected


@pytest.mark.parametrize(("kind", "qty", "price", "ro", "expected"), [
    ("LIMIT", "0.001", "50000", False, 0), ("LIMIT", "0.001", "49999.9", False, -4164),
    ("MARKET", "0.001", None, False, 0),
])
def test_the_notional_of_an_opening_order(kind: str, qty: str, price: str | None, ro: bool, expected: int) -> None:
    assert _answer(Desk(60000), "BUY", kind, qty, price, ro=ro) == expected


def test_the_notional_of_a_market_order_is_reckoned_at_the_mark() -> None:
    desk = Desk(60000)
    desk.mark("49999.9")
    assert _answer(desk, "BUY", "MARKET", "0.001") == -4131
    desk.quote("49999", "1", "50000", "1")
    assert _answer(desk, "BUY", "MARKET", "0.001") == -4164


@pytest.mark.parametrize("kind", ["LIMIT", "MARKET"])
def test_reduce_only_orders_are_exempt_from_the_notional(kind: str) -> None:
    desk = Desk(40000, positions=BTC_LONG)
    assert _answer(desk, "SELL", kind, "0.001", 40000 if kind == "LIMIT" else None) == -4164
    assert _answer(desk, "SELL", kind, "0.001", 40000 if kind == "LIMIT" else None, ro=True) == 0


@pytest.mark.parametrize(("rate", "expected"), [
    (MIN_CALLBACK, 0), (MAX_CALLBACK, 0), (MIN_CALLBACK - d("0.01"), -1130), (MAX_CALLBACK + d("0.1"), -1130),
])
def test_the_callback_rate_has_bounds(rate: object, expected: int) -> None:
    assert _answer(Desk(), "SELL", "TRAILING_STOP_MARKET", "0.01", callback_rate=rate) == expected


@pytest.mark.parametrize(("kind", "prices", "expected"), [
    ("LIMIT", {}, -1102), ("STOP", {"stop": 61000}, -1102), ("STOP", {"price": 61000}, -1102),
    ("STOP_MARKET", {}, -1102), ("TRAILING_STOP_MARKET", {}, -1102),
    ("MARKET", {"price": 61000}, -1106), ("STOP_MARKET", {"price": 61000, "stop": 61000}, -1106),
    ("LIMIT", {"price": 59000, "stop": 61000}, -1106),
    ("TRAILING_STOP_MARKET", {"stop": 61000, "callback_rate": d(1)}, -1106),
    ("MARKET", {"callback_rate": d(1)}, -1106),
])
def test_parameters_are_sent_where_the_type_needs_them_and_only_there(
    kind: str, prices: dict[str, object], expected: int,
) -> None:
    assert _answer(Desk(), "BUY", kind, "0.01", **prices) == expected


@pytest.mark.parametrize(("client_id", "expected"), [
    ("a" * 36, 0), ("a" * 37, -4015), ("with space", -4015), ("ä", -4015), ("x.Y-z_1:/", 0),
])
def test_the_client_order_id_has_its_pattern(client_id: str, expected: int) -> None:
    assert _answer(Desk(), "BUY", "LIMIT", "0.01", 59000, id=client_id) == expected
