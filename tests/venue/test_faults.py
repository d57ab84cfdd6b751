from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.venue.faults import (
    KINDS,
    Fault,
    FaultName,
    FaultPlan,
    FaultRefused,
    Place,
    Seam,
    read_fault,
    read_faults,
)

POST_ORDER = Place("POST /fapi/v1/order", ("bot-1",))


def plan(*faults: dict[str, object]) -> FaultPlan:
    return FaultPlan(map(read_fault, faults))


def happenings(faults: FaultPlan, place: Place, times: int, seam: Seam = Seam.REQUEST) -> list[bool]:
    return [faults.take(seam, place) is not None for _ in range(times)]


def test_every_name_has_a_meaning_and_can_be_read_with_nothing_else() -> None:
    assert set(KINDS) == set(FaultName)
    for name in FaultName:
        fault = read_fault({"name": str(name)})
        for key, value in KINDS[name].parameters.items():
            assert getattr(fault, key) == value


def test_an_empty_plan_does_nothing() -> None:
    faults = FaultPlan()
    assert not faults.active
    assert faults.take(Seam.REQUEST, POST_ORDER) is None


def test_a_fault_happens_at_its_nth_time_and_then_count_times() -> None:
    faults = plan({"name": "lost_answer", "nth": 2, "count": 3})
    assert happenings(faults, POST_ORDER, 7) == [False, True, True, True, False, False, False]


def test_a_fault_without_a_count_happens_once() -> None:
    assert happenings(plan({"name": "lost_answer"}), POST_ORDER, 3) == [True, False, False]


def test_a_fault_can_happen_always() -> None:
    assert happenings(plan({"name": "lost_answer", "count": "always"}), POST_ORDER, 50) == [True] * 50


def test_only_what_matches_is_counted() -> None:
    faults = plan({"name": "lost_answer", "nth": 2})
    assert faults.take(Seam.REQUEST, POST_ORDER) is None
    assert faults.take(Seam.REQUEST, Place("GET /fapi/v1/order", ("bot-1",))) is None
    assert faults.take(Seam.EVENT, Place(event="ORDER_TRADE_UPDATE")) is None
    assert faults.take(Seam.REQUEST, POST_ORDER) is not None


def test_of_two_faults_at_one_place_the_first_goes_first_and_the_second_at_the_next_time() -> None:
    faults = plan({"name": "lost_answer"}, {"name": "slow_answer"})
    taken = [faults.take(Seam.REQUEST, POST_ORDER) for _ in range(3)]
    assert [fault and fault.name for fault in taken] == [FaultName.LOST_ANSWER, FaultName.SLOW_ANSWER, None]


@pytest.mark.parametrize(("pattern", "client_id", "meant"), [
    ("bot-*", "bot-1", True), ("bot-*", "other", False), ("*", "", True), ("*-sl-?", "a-sl-1", True),
    ("BOT-*", "bot-1", False),
])
def test_a_client_id_is_a_pattern(pattern: str, client_id: str, meant: bool) -> None:
    faults = plan({"name": "lost_answer", "client_id": pattern})
    assert happenings(faults, Place("POST /fapi/v1/order", (client_id,)), 1) == [meant]


def test_a_fault_of_one_account_leaves_the_others_alone() -> None:
    faults = plan({"name": "lost_answer", "account": "a", "count": "always"})
    for account, meant in (("a", True), ("b", False), ("", False)):
        assert happenings(faults, POST_ORDER._replace(account=account), 2) == [meant, meant]


def test_one_matching_order_of_a_batch_is_enough() -> None:
    faults = plan({"name": "lost_answer", "client_id": "b"})
    assert happenings(faults, Place("POST /fapi/v1/batchOrders", ("a", "b")), 1) == [True]


def test_a_route_is_a_pattern_and_goes_before_the_names_own_routes() -> None:
    faults = plan({"name": "lost_answer", "route": "GET /fapi/*"})
    assert happenings(faults, Place("GET /fapi/v3/account"), 1) == [True]
    faults = plan({"name": "lost_answer", "route": "GET /fapi/*"})
    assert happenings(faults, POST_ORDER, 1) == [False]


def test_a_fault_of_the_wire_has_routes_of_its_own_where_none_is_given() -> None:
    cancel = Place("DELETE /fapi/v1/order", ("bot-1",))
    assert happenings(plan({"name": "unknown_order_2011"}), POST_ORDER, 1) == [False]
    assert happenings(plan({"name": "unknown_order_2011"}), cancel, 1) == [True]
    assert happenings(plan({"name": "would_trigger_2021"}), POST_ORDER, 1) == [False]
    assert happenings(plan({"name": "would_trigger_2021"}), Place("algoOrder.place"), 1) == [True]
    assert happenings(plan({"name": "too_many_429"}), Place("GET /fapi/v1/time"), 1) == [True]


def test_overload_lets_pass_what_only_closes() -> None:
    faults = plan({"name": "overloaded_1008"})
    assert happenings(faults, POST_ORDER._replace(exempt=True), 1) == [False]
    assert happenings(faults, POST_ORDER, 1) == [True]


def test_an_event_is_meant_by_its_name_its_status_and_its_order() -> None:
    filled = Place(client_ids=("a",), event="ORDER_TRADE_UPDATE", status="FILLED")
    faults = plan({"name": "event_missing", "event": "ORDER_TRADE_UPDATE", "status": "FILLED", "client_id": "a"})
    for other in (filled._replace(status="NEW"), filled._replace(event="ALGO_UPDATE"),
                  filled._replace(client_ids=("b",))):
        assert faults.take(Seam.EVENT, other) is None
    assert faults.take(Seam.EVENT, filled) is not None


def test_an_event_fault_without_an_event_means_any() -> None:
    assert happenings(plan({"name": "event_late"}), Place(event="ACCOUNT_UPDATE"), 1, Seam.EVENT) == [True]


def test_a_socket_fault_without_an_event_waits_for_a_socket_not_for_an_event() -> None:
    faults = plan({"name": "socket_dropped"})
    at_event = Place("/private/ws", event="ORDER_TRADE_UPDATE")
    assert happenings(faults, at_event, 1, Seam.SOCKET) == [False]
    assert happenings(faults, Place("/market/ws"), 1, Seam.SOCKET) == [False]
    assert happenings(faults, Place("/private/ws"), 1, Seam.SOCKET) == [True]


def test_a_position_can_be_closed_at_a_request_or_at_an_event() -> None:
    faults = plan({"name": "closed_by_hand"})
    assert happenings(faults, POST_ORDER, 1, Seam.POSITION) == [True]
    faults = plan({"name": "closed_by_adl", "event": "ORDER_TRADE_UPDATE", "status": "FILLED"})
    assert happenings(faults, POST_ORDER, 1, Seam.POSITION) == [False]
    filled = Place(client_ids=("a",), event="ORDER_TRADE_UPDATE", status="FILLED")
    assert happenings(faults, filled, 1, Seam.POSITION) == [True]


def test_what_is_listed_says_how_often_it_was_met_and_happened() -> None:
    faults = plan({"name": "lost_answer", "nth": 2})
    happenings(faults, POST_ORDER, 3)
    (entry,) = faults.listed()
    assert (entry.number, entry.met, entry.happened) == (1, 3, 1)


def test_a_fault_that_was_removed_does_not_happen() -> None:
    faults = plan({"name": "lost_answer"}, {"name": "slow_answer"})
    assert faults.remove(1)
    assert not faults.remove(1)
    taken = faults.take(Seam.REQUEST, POST_ORDER)
    assert taken is not None
    assert taken.name is FaultName.SLOW_ANSWER
    faults.clear()
    assert not faults.active


def test_an_order_is_hidden_until_its_time_and_for_its_account_alone() -> None:
    faults = FaultPlan()
    faults.hide("sim", "a", 2_000)
    assert faults.active
    assert faults.hides("sim", "a", 1_999)
    assert not faults.hides("other", "a", 1_999)
    assert not faults.hides("sim", "b", 1_999)
    assert not faults.hides("sim", "a", 2_000)
    assert not faults.active


@given(st.lists(st.sampled_from(["a", "b", "c"]), max_size=40), st.integers(1, 5), st.integers(1, 5))
def test_the_same_places_in_the_same_order_give_the_same_faults(ids: list[str], nth: int, count: int) -> None:
    def run() -> list[bool]:
        faults = plan({"name": "lost_answer", "client_id": "[ab]", "nth": nth, "count": count})
        return [faults.take(Seam.REQUEST, Place("POST /fapi/v1/order", (each,))) is not None for each in ids]

    assert run() == run()
    assert sum(run()) == max(0, min(count, sum(each in "ab" for each in ids) - nth + 1))


@pytest.mark.parametrize(("given", "path", "words"), [
    ([], (), "there is no list 'faults'"),
    ({"faults": {}}, (), "there is no list 'faults'"),
    ({"faults": [], "seed": 1}, ("seed",), "unknown key 'seed' beside faults"),
    ({"faults": ["lost_answer"]}, ("faults", 0), "a fault is a mapping of keys"),
    ({"faults": [{}]}, ("faults", 0), "a fault has no name"),
    ({"faults": [{"name": "lost_anser"}]}, ("faults", 0, "name"), "'lost_anser' is no fault's name"),
    ({"faults": [{"name": ["x"]}]}, ("faults", 0, "name"), "['x'] is no fault's name"),
    ({"faults": [{"name": "lost_answer", "nth": 0}]}, ("faults", 0, "nth"), "nth is 0"),
    ({"faults": [{"name": "lost_answer", "nth": "2"}]}, ("faults", 0, "nth"), "expected `int`, got `str`"),
    ({"faults": [{"name": "lost_answer", "nth": True}]}, ("faults", 0, "nth"), "expected `int`, got `bool`"),
    ({"faults": [{"name": "lost_answer", "count": "never"}]}, ("faults", 0, "count"), "invalid enum value 'never'"),
    ({"faults": [{"name": "lost_answer", "often": 2}]}, ("faults", 0), "object contains unknown field `often`"),
    ({"faults": [{"name": "lost_answer", "delay_ms": 5}]}, ("faults", 0, "delay_ms"), "takes no 'delay_ms'"),
    ({"faults": [{"name": "lost_answer", "event": "X"}]}, ("faults", 0, "event"), "takes no 'event'"),
    ({"faults": [{"name": "event_late", "route": "X"}]}, ("faults", 0, "route"), "takes no 'route'"),
    ({"faults": [{"name": "event_late", "delay_ms": -1}]}, ("faults", 0, "delay_ms"), "delay_ms is -1"),
    ({"faults": [{"name": "closed_by_hand", "qty": 0}]}, ("faults", 0, "qty"), "qty is 0"),
])
def test_what_makes_no_sense_is_refused_with_its_place(given: object, path: tuple[object, ...], words: str) -> None:
    with pytest.raises(FaultRefused) as refused:
        read_faults(given)
    assert refused.value.path == path
    assert words in refused.value.message
    assert refused.value.hint


def test_a_near_name_is_suggested() -> None:
    with pytest.raises(FaultRefused) as refused:
        read_fault({"name": "lost_anser"})
    assert refused.value.hint == "did you mean 'lost_answer'?"


def test_a_quantity_is_exact_however_it_comes() -> None:
    for qty in ("0.1", Decimal("0.1")):
        assert read_fault({"name": "closed_by_hand", "qty": qty}).qty == Decimal("0.1")


def test_a_parameter_that_is_given_goes_before_the_names_default() -> None:
    assert read_fault({"name": "unknown_503"}).executed is True
    assert read_fault({"name": "unknown_503", "executed": False}).executed is False
    assert isinstance(read_fault({"name": "unknown_503"}), Fault)
