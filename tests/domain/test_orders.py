"""What reports do to an order."""

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.domain.orders import CLOSED, TRANSITIONS, Order, OrderRequest, OrderStatus
from runner.domain.values import ZERO, OrderType, Side

REQUEST = OrderRequest("r.1.0.0.0", "BTCUSDT", Side.BUY, OrderType.LIMIT, D("0.010"), D(60000))
NEW = Order(REQUEST).after(OrderStatus.NEW, order_id="7")


def test_every_status_has_a_row_and_closed_ones_lead_to_a_fill_at_most() -> None:
    assert set(TRANSITIONS) == set(OrderStatus)
    assert all(TRANSITIONS[status] <= {OrderStatus.FILLED} for status in CLOSED)
    assert [status for status in OrderStatus if status.closed] == [
        OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.REJECTED,
    ]


def test_an_accepted_order_is_confirmed_and_all_of_it_is_left() -> None:
    assert (NEW.status, NEW.order_id, NEW.confirmed, NEW.leaves_qty) == (OrderStatus.NEW, "7", True, D("0.010"))
    assert not Order(REQUEST).confirmed


def test_a_part_makes_partially_filled_and_the_whole_filled() -> None:
    part = NEW.after(OrderStatus.PARTIALLY_FILLED, filled_qty=D("0.004"), avg_px=D(59999))
    assert (part.status, part.leaves_qty, part.avg_px) == (OrderStatus.PARTIALLY_FILLED, D("0.006"), D(59999))
    whole = part.after(OrderStatus.PARTIALLY_FILLED, filled_qty=D("0.010"))
    assert (whole.status, whole.leaves_qty) == (OrderStatus.FILLED, ZERO)


def test_a_report_of_less_is_stale_and_changes_nothing() -> None:
    part = NEW.after(OrderStatus.PARTIALLY_FILLED, filled_qty=D("0.004"), avg_px=D(59999))
    assert part.after(OrderStatus.PARTIALLY_FILLED, filled_qty=D("0.002"), avg_px=D(1)) == part
    assert part.after(OrderStatus.NEW) == part


def test_a_fill_that_overtook_the_cancel_still_counts() -> None:
    gone = NEW.after(OrderStatus.CANCELED)
    assert (gone.status, gone.leaves_qty) == (OrderStatus.CANCELED, ZERO)
    assert gone.after(OrderStatus.FILLED, filled_qty=D("0.010")).status is OrderStatus.FILLED


def test_a_rejection_is_final() -> None:
    rejected = Order(REQUEST).after(OrderStatus.REJECTED)
    assert rejected.after(OrderStatus.NEW).status is OrderStatus.REJECTED


def test_a_stop_of_the_whole_position_may_execute_more_than_it_was_sent_for() -> None:
    request = OrderRequest(
        "r.2.0.0.0", "BTCUSDT", Side.SELL, OrderType.STOP_MARKET, D("0.004"), trigger_price=D(59000), reduce_only=True,
        close_position=True,
    )
    order = Order(request).after(OrderStatus.NEW).after(OrderStatus.TRIGGERED)
    part = order.after(OrderStatus.PARTIALLY_FILLED, filled_qty=D("0.003"))
    assert part.leaves_qty == D("0.001")
    more = part.after(OrderStatus.PARTIALLY_FILLED, filled_qty=D("0.006"))
    assert (more.status, more.leaves_qty) == (OrderStatus.PARTIALLY_FILLED, ZERO)
    assert more.after(OrderStatus.FILLED, filled_qty=D("0.010")).status is OrderStatus.FILLED
    assert part.after(OrderStatus.FILLED, filled_qty=D("0.003")).status is OrderStatus.FILLED


@pytest.mark.parametrize("status", [OrderStatus.TRIGGERED, OrderStatus.CANCELED])
def test_a_trigger_is_remembered(status: OrderStatus) -> None:
    assert NEW.after(OrderStatus.TRIGGERED).after(status).triggered


REPORTS = st.lists(
    st.tuples(st.sampled_from(OrderStatus), st.integers(0, 10).map(lambda steps: D(steps) / 1000)), max_size=10,
)


@given(REPORTS)
def test_fills_only_grow_and_a_repeated_report_changes_nothing(reports: list[tuple[OrderStatus, D]]) -> None:
    order = Order(REQUEST)
    for status, filled in reports:
        after = order.after(status, filled_qty=filled)
        assert after.filled_qty >= order.filled_qty
        assert after.after(status, filled_qty=filled) == after
        order = after
    assert ZERO <= order.leaves_qty <= REQUEST.quantity
