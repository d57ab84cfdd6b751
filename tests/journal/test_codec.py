"""Every event and command survives its own text."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.domain.commands import PlaceOrder, SetTimer
from runner.domain.events import DataEnded, RunStarted
from runner.domain.orders import OrderRequest, OrderStatus
from runner.domain.positions import Position
from runner.domain.reports import OrderReport, TradeReport
from runner.domain.values import OrderType, Side
from runner.errors import InternalError, JournalError
from runner.journal.codec import TYPES, decode, encode, from_text

DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, places=8, min_value=-10**12, max_value=10**12)
st.register_type_strategy(Decimal, DECIMALS)
VALUES = {name: st.from_type(kind) for name, kind in TYPES.items()}


@pytest.mark.parametrize("name", sorted(TYPES))
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(data=st.data())
def test_every_type_reads_back_as_it_was(name: str, data: Any) -> None:
    value = data.draw(VALUES[name])
    written, text = encode(value)
    again = decode(written, text)
    assert (written, again) == (name, value)
    assert encode(again) == (name, text)


def test_the_text_is_canonical_and_in_full() -> None:
    request = OrderRequest("d1.0.0.0.0", "BTCUSDT", Side.BUY, OrderType.LIMIT, Decimal("0.00400"), Decimal("1E-7"))
    name, text = encode(PlaceOrder(request, "long.entry"))
    assert name == "PlaceOrder"
    assert text == (
        '{"node_id":"long.entry","protective":false,"reason":"","request":{"activation_price":null,'
        '"callback_rate":null,"client_order_id":"d1.0.0.0.0","close_position":false,"good_till_ms":null,'
        '"order_type":"LIMIT","price":"0.0000001",'
        '"quantity":"0.00400","reduce_only":false,"side":"BUY","symbol":"BTCUSDT","time_in_force":"GTC",'
        '"trigger_price":null,"working_type":"CONTRACT_PRICE"},"revision":0}'
    )


def test_tuples_of_values_and_enums_come_back_as_such() -> None:
    event = RunStarted(1, "d1", 7, (Position("BTCUSDT", Decimal("0.1"), Decimal(60000)),))
    assert decode(*encode(event)) == event
    report = decode(*encode(OrderReport(1, "BTCUSDT", "c", "FAKE-1", OrderStatus.NEW)))
    assert isinstance(report, OrderReport) and report.status is OrderStatus.NEW


def test_a_missing_field_takes_its_default() -> None:
    assert from_text(RunStarted, '{"at_ms":1,"run_id":"d1","seed":7}') == RunStarted(1, "d1", 7)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Nothing", "{}"),
        ("DataEnded", "{}"),
        ("DataEnded", "[]"),
        ("DataEnded", '{"at_ms":1,"more":2}'),
        ("DataEnded", '{"at_ms":1.5}'),
        ("DataEnded", '{"at_ms":NaN}'),
        ("DataEnded", '{"at_ms":true}'),
        ("DataEnded", '{"at_ms":"1"}'),
        ("DataEnded", '{"at_ms":'),
        ("DataEnded", "[" * 100_000),
        ("SetTimer", '{"timer_id":7,"at_ms":1}'),
        ("RunStarted", '{"at_ms":1,"run_id":"d1","seed":7,"positions":{}}'),
        ("RunStarted", '{"at_ms":1,"run_id":"d1","seed":7,"positions":[{"symbol":"X","qty":"NaN"}]}'),
        ("RunStarted", '{"at_ms":1,"run_id":"d1","seed":7,"positions":[{"symbol":"X","qty":"one"}]}'),
        ("OrderReport", '{"at_ms":1,"symbol":"X","client_order_id":"c","order_id":"1","status":"SOLD"}'),
    ],
)
def test_a_damaged_text_is_refused(name: str, text: str) -> None:
    with pytest.raises(JournalError):
        decode(name, text)


def test_only_events_and_commands_are_journaled() -> None:
    with pytest.raises(InternalError, match="Position"):
        encode(Position("BTCUSDT"))  # type: ignore[arg-type]


def test_no_decimal_that_is_no_number_is_journaled() -> None:
    trade = TradeReport(
        1, "X", "c", "1", "1", Side.BUY, Decimal("NaN"), Decimal(1), Decimal(0), "USDT", Decimal(0), True,
    )
    with pytest.raises(InternalError, match="NaN"):
        encode(trade)


def test_the_smallest_values_stay_small() -> None:
    assert encode(DataEnded(5)) == ("DataEnded", '{"at_ms":5}')
    assert encode(SetTimer("t", 5)) == ("SetTimer", '{"at_ms":5,"timer_id":"t"}')
