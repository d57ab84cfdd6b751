"""What the user stream owes: it is told from what a look shows, and from nothing else."""

from decimal import Decimal

import pytest

from runner.domain.orders import OrderStatus
from runner.domain.positions import Position
from runner.domain.reports import OrderReport
from runner.domain.snapshots import Balance, VenueSnapshot
from runner.gateways.binance.view import View

D = Decimal
S = "BTCUSDT"
LATE_MS = 2_000
NEW, PART, FILLED, GONE = (
    OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED, OrderStatus.CANCELED,
)


def order(status: OrderStatus = NEW, filled: str = "0", client_id: str = "a", symbol: str = S) -> OrderReport:
    return OrderReport(0, symbol, client_id, "7", status, D(filled))


def look(begun_ms: int, *orders: OrderReport, held: str = "0", symbols: tuple[str, ...] = (S,)) -> VenueSnapshot:
    positions = (Position(S, D(held), D(60000)),) if D(held) else ()
    return VenueSnapshot(begun_ms + 5, (), positions, orders, (), begun_ms, symbols)


@pytest.fixture
def view() -> View:
    """Of a stream that connected at 0 and found nothing."""
    view = View([S], LATE_MS)
    view.begin(look(0, symbols=()))
    return view


def test_a_quiet_stream_owes_nothing(view: View) -> None:
    assert not any(view.owes(look(begun_ms)) for begun_ms in range(0, 60_000, 3_000))
    assert not view.indebted


def test_an_order_that_a_look_shows_and_the_stream_has_not_told_is_owed_and_then_too_long(view: View) -> None:
    assert not view.owes(look(10_000, order()))
    assert view.indebted
    assert not view.owes(look(11_999, order()))
    assert view.owes(look(12_000, order()))


def test_a_debt_is_paid_when_the_stream_tells_it(view: View) -> None:
    assert not view.owes(look(10_000, order()))
    view.order(order(), 10_100)
    assert not view.owes(look(13_000, order())) and not view.indebted
    assert not view.owes(look(16_000, order(PART, "0.004"))), "a fill is a debt of its own"
    assert view.owes(look(18_000, order(PART, "0.004")))


def test_an_order_that_is_gone_is_owed_unless_its_end_was_told(view: View) -> None:
    view.order(order(), 100)
    view.order(order(client_id="b"), 100)
    view.order(order(GONE, client_id="b"), 200)
    assert not view.owes(look(3_000))
    assert view.owes(look(6_000))


def test_an_order_told_while_the_look_was_under_way_is_not_owed(view: View) -> None:
    view.order(order(), 3_000)
    assert not view.owes(look(3_000)) and not view.indebted


def test_a_look_that_is_older_than_what_the_stream_has_told_shows_no_debt(view: View) -> None:
    view.order(order(), 100)
    view.order(order(PART, "0.004"), 200)
    view.order(order(FILLED, "0.010"), 300)
    for begun_ms in (250, 5_000):
        assert not view.owes(look(begun_ms, order(PART, "0.004"))) and not view.indebted
    view.order(order(NEW), 400)
    assert not view.owes(look(6_000)), "an older report does not bring an order back"


def test_a_position_that_differs_is_owed_unless_the_stream_has_just_told_another(view: View) -> None:
    assert not view.owes(look(10_000, held="0.010"))
    assert view.owes(look(12_000, held="0.010"))
    view.position(Position(S, D("0.010"), D(60000)), 12_500)
    assert not view.owes(look(13_000, held="0.020")), "what is read may lag behind what was pushed"
    assert not view.owes(look(14_501, held="0.020"))
    assert view.owes(look(16_501, held="0.020"))


def test_others_symbols_and_symbols_that_a_look_does_not_cover_are_no_debts(view: View) -> None:
    view.order(order(client_id="b"), 100)
    for begun_ms in (3_000, 6_000):
        assert not view.owes(look(begun_ms, order(symbol="ETHUSDT"), order(client_id="b")))
        assert not view.owes(look(begun_ms, symbols=("ETHUSDT",)))


def test_a_look_at_one_symbol_leaves_the_debts_of_another() -> None:
    view = View([S, "ETHUSDT"], LATE_MS)
    view.begin(look(0, symbols=()))
    assert not view.owes(look(10_000, order()))
    assert not view.owes(look(12_000, symbols=("ETHUSDT",)))
    assert view.owes(look(12_500, order()))


def test_a_snapshot_after_a_connect_settles_all_debts(view: View) -> None:
    view.order(order(client_id="old"), 100)
    assert not view.owes(look(10_000, order(), held="0.010"))
    view.order(order(client_id="pushed"), 20_100)
    view.position(Position(S, D("0.020"), D(60000)), 20_100)
    view.begin(look(20_000, order(), held="0.010", symbols=()))
    assert not view.indebted
    assert view.held() == [Position(S, D("0.020"), D(60000))], "what was pushed since is newer"
    shown = order(), order(client_id="pushed")
    assert not view.owes(look(23_000, *shown, held="0.020")) and not view.indebted


def test_a_wallet_is_as_it_was_told_last() -> None:
    view = View([S], LATE_MS)
    assert view.wallet_of("USDT") is None
    view.begin(VenueSnapshot(5, (Balance("USDT", D(100), D(90)),), (), (), (), 0))
    view.wallet("USDT", D(99), 10)
    view.read(VenueSnapshot(15, (Balance("USDT", D(100), D(90)), Balance("USDC", D(5), D(5))), (), (), (), 8))
    assert (view.wallet_of("USDT"), view.wallet_of("USDC")) == (D(99), D(5))
    view.read(VenueSnapshot(25, (Balance("USDT", D(98), D(90)),), (), (), (), 20))
    assert view.wallet_of("USDT") == D(98)
