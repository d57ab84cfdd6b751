"""How long an order that opens may work: GTD and its date.

Source: Binance USDⓈ-M Futures, "New Order": `goodTillDate` is mandatory for GTD, counts whole seconds, and lies more
than 600 s ahead; "New Algo Order" lists GTC, IOC, FOK and GTX for orders that wait for a trigger.
"""

from runner.domain.times import SECOND_MS
from runner.domain.values import OrderType, TimeInForce
from runner.plan.diagnostics import Path, pointer
from runner.plan.faults import Faults
from runner.plan.model import Body, BracketBody, EntryBody, OrderFields, TwapBody


def check(body: Body, in_force: TimeInForce, path: Path, faults: Faults) -> None:
    """Adds what is wrong with the date of a step's opening order, `path` being the place of its body."""
    match body:
        case EntryBody(order=order):
            _check_order(order, in_force, path, faults)
        case BracketBody(entry=order):
            _check_order(order, in_force, (*path, "entry"), faults)
        case TwapBody(order=order) if in_force is TimeInForce.GTD and order.type is OrderType.LIMIT:
            faults.add_beside(
                "good-till", f"{pointer(path)}: a slice of a TWAP works until the next is due, not GTD", path,
                "say another `time_in_force` in this step", at_key=True)
        case _:
            return


def _check_order(order: OrderFields, in_force: TimeInForce, path: Path, faults: Faults) -> None:
    place = (*path, "good_till")
    dated = order.good_till_ms is not None
    if faults.is_wrong((*path, "type")) or faults.is_wrong(place):
        return
    if order.type.limited and order.type.conditional and in_force is TimeInForce.GTD:
        faults.add_beside(
            "good-till", f"{pointer(path)}: the exchange takes GTD for LIMIT only, not for {order.type}", path,
            "say another `time_in_force` in this step, and `timeout` for how long it may wait", at_key=True)
    elif dated and order.type is not OrderType.LIMIT:
        faults.add(
            "good-till", f"{pointer(path)}: {order.type} has no good_till", place, "leave it out", at_key=True)
    elif dated and in_force is not TimeInForce.GTD:
        faults.add(
            "good-till", f"{pointer(path)}: good_till belongs to GTD, and this order is {in_force}", place,
            "add `time_in_force: GTD` to the step", at_key=True)
    elif not dated and order.type is OrderType.LIMIT and in_force is TimeInForce.GTD:
        if not faults.explains_absence(path, "good_till"):
            faults.add_beside(
                "good-till", f"{pointer(path)}: GTD needs good_till, the time at which the exchange cancels the order",
                path, "add `good_till: TIME`, like 2026-11-24T20:00:00Z")
    elif order.good_till_ms is not None and order.good_till_ms % SECOND_MS:
        faults.add("good-till", f"{pointer(place)}: the exchange counts whole seconds", place, "leave out the fraction")
