"""Each fact about an order counts once, however and whenever it comes."""

from decimal import Decimal

from runner.domain.commands import CancelOrder
from runner.domain.events import Action, CommandRejected
from runner.domain.orders import OrderStatus
from runner.report.orders import Orders
from tests.report.stories import ENTRY, STOP, report, trade


def test_an_order_is_unanswered_until_the_exchange_speaks_of_it() -> None:
    orders = Orders()
    assert orders.see(0, ENTRY) is None
    known, = orders
    assert (known.result, known.answered_ms) == ("UNANSWERED", None)
    change = orders.see(5, report(5, ENTRY, OrderStatus.NEW))
    assert change is not None and change.answered and change.status is OrderStatus.NEW
    assert (known.result, known.answered_ms, known.order.order_id) == ("ACCEPTED", 5, "FAKE-1")


def test_facts_about_orders_of_others_are_passed_over() -> None:
    orders = Orders()
    assert orders.see(0, report(0, ENTRY, OrderStatus.NEW)) is None
    assert orders.see(0, trade(0, ENTRY, "1", "1", "0")) is None
    assert orders.see(0, CancelOrder("BTCUSDT", "x", False, "long.entry")) is None
    assert list(orders) == [] and orders.get("x") is None


def test_an_order_sent_again_under_its_own_id_is_one_order() -> None:
    orders = Orders()
    orders.see(0, ENTRY)
    orders.see(9, ENTRY)
    assert [known.sent_ms for known in orders] == [0]


def test_the_highest_figure_counts_from_whatever_source() -> None:
    orders = Orders()
    orders.see(0, ENTRY)
    orders.see(1, report(1, ENTRY, OrderStatus.PARTIALLY_FILLED, "0.003", "60000"))
    known, = orders
    assert known.filled_qty == Decimal("0.003")
    change = orders.see(2, trade(2, ENTRY, "0.001", "60000", "0"))
    assert change is not None and change.trade is not None and change.status is None
    assert (known.filled_qty, known.traded_qty) == (Decimal("0.003"), Decimal("0.001"))
    assert orders.see(3, trade(3, ENTRY, "0.001", "60000", "0")) is None
    orders.see(4, trade(4, ENTRY, "0.003", "60000", "0", trade_id="2"))
    assert known.result == "FILLED"


def test_a_fill_that_comes_after_the_cancel_is_kept() -> None:
    orders = Orders()
    orders.see(0, ENTRY)
    orders.see(1, report(1, ENTRY, OrderStatus.NEW))
    orders.see(2, CancelOrder("BTCUSDT", ENTRY.request.client_order_id, False, "long.entry", "timed_out"))
    orders.see(3, report(3, ENTRY, OrderStatus.CANCELED))
    change = orders.see(4, trade(4, ENTRY, "0.001", "60000", "0"))
    known, = orders
    assert change is not None and change.trade is not None
    assert (known.result, known.filled_qty, known.cancel_reason) == ("CANCELED", Decimal("0.001"), "timed_out")


def test_only_a_refused_placement_rejects_the_order() -> None:
    orders = Orders()
    orders.see(0, STOP)
    client_id = STOP.request.client_order_id
    assert orders.see(1, CommandRejected(1, "BTCUSDT", client_id, Action.CANCEL, -2011, "Unknown order sent.")) is None
    change = orders.see(2, CommandRejected(2, "BTCUSDT", client_id, Action.PLACE, -2021, "Would trigger."))
    assert change is not None and change.answered and change.status is OrderStatus.REJECTED
    assert next(iter(orders)).result == "REJECTED"
