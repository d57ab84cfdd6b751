"""Order types and the prices that each needs, allows and forbids; take-profits and stop-losses."""

from collections.abc import Mapping
from decimal import Decimal

from runner.domain.values import EXACT, ONE, ZERO, OrderType, trimmed
from runner.plan import scalars
from runner.plan.diagnostics import Path, pointer
from runner.plan.faults import Faults
from runner.plan.model import Level, OrderFields, StopLoss, TakeProfit
from runner.plan.reader import Tree
from runner.plan.suggestions import listed

_PRICE_KEYS = ("price", "distance", "stop_price", "limit_price", "callback_rate", "activation_price")
_NEEDS: dict[OrderType, tuple[str, ...]] = {
    OrderType.MARKET: (),
    OrderType.LIMIT: (),  # price or distance, see `_level`
    OrderType.STOP: ("stop_price", "limit_price"),
    OrderType.TAKE_PROFIT: ("stop_price", "limit_price"),
    OrderType.STOP_MARKET: ("stop_price",),
    OrderType.TAKE_PROFIT_MARKET: ("stop_price",),
    OrderType.TRAILING_STOP_MARKET: ("callback_rate",),
}
_ALLOWS: dict[OrderType, tuple[str, ...]] = {
    OrderType.LIMIT: ("price", "distance"),
    OrderType.TRAILING_STOP_MARKET: ("activation_price",),
}
_LEAST_CALLBACK = Decimal("0.001")
_MOST_CALLBACK = Decimal("0.2")
_NO_LEVEL: Level = ONE


def read_order(body: Mapping[str, Tree], path: Path, faults: Faults, default: OrderType | None = None) -> OrderFields:
    """Type and prices of one order; without a `default` type, nothing is said of prices while the type is unknown."""
    type_ = scalars.word(OrderType, body.get("type"), default or OrderType.MARKET)
    if ("type" not in body and default is None) or faults.is_wrong((*path, "type")):
        return OrderFields(type_)
    needed = _NEEDS[type_]
    for key in needed:
        if key not in body and not faults.explains_absence(path, key):
            faults.add_beside("order-price", f"{pointer(path)}: {type_} needs {key}", path, f"add `{key}: …`")
    for key in _PRICE_KEYS:
        if key in body and key not in needed and key not in _ALLOWS.get(type_, ()):
            takes = (*needed, *_ALLOWS.get(type_, ()))
            faults.add(
                "order-price", f"{pointer(path)}: {type_} has no {key}", (*path, key),
                f"{type_} takes {listed(takes, 'and')}" if takes else f"leave it out: {type_} takes no price",
                at_key=True)

    def number(key: str) -> Decimal | None:
        return scalars.positive(body[key], (*path, key), faults) if key in body else None

    callback = None
    if "callback_rate" in body:
        callback = scalars.percentage(
            body["callback_rate"], (*path, "callback_rate"), faults, _LEAST_CALLBACK, _MOST_CALLBACK, zero_too=True)
    return OrderFields(
        type_, _level(body, "price", path, faults) if type_ is OrderType.LIMIT else None, number("stop_price"),
        number("limit_price"), callback, number("activation_price"),
        scalars.time(body["good_till"], (*path, "good_till"), faults) if "good_till" in body else None)


def _level(body: Mapping[str, Tree], key: str, path: Path, faults: Faults, *, risk: bool = False) -> Level:
    """Exactly one of the explicit price under `key` and `distance`."""
    if key in body and "distance" in body:
        last = [name for name in body if name in (key, "distance")][-1]
        faults.add_beside(
            "order-price", f"{pointer(path)}: {key} and distance are two ways to say one price", (*path, last),
            "keep one",
            at_key=True)
    elif key in body:
        return scalars.positive(body[key], (*path, key), faults)
    elif "distance" in body:
        return scalars.distance(body["distance"], (*path, "distance"), faults, risk=risk)
    elif not faults.explains_absence(path, key, "distance"):
        faults.add_beside(
            "order-price", f"{pointer(path)}: a price is missing", path, f"add exactly one of `{key}` and `distance`")
    return _NO_LEVEL


def read_take_profits(value: Tree, path: Path, faults: Faults) -> tuple[TakeProfit, ...]:
    """One take-profit, or a list whose portions sum to 100 %."""
    if isinstance(value, dict):
        return (_take_profit(value, path, faults),)
    if not isinstance(value, list):
        return ()
    found = []
    for index, entry in enumerate(value):
        if isinstance(entry, dict):
            found.append(_take_profit(entry, (*path, index), faults))
            if len(value) > 1 and "portion" not in entry and not faults.explains_absence((*path, index), "portion"):
                faults.add(
                    "portions", f"{pointer((*path, index))}: each take-profit of a list has a portion", (*path, index),
                    "add `portion: …%`, all together 100%")
    spoken = [(*path, index, "portion") for index in range(len(value))]
    whole = ZERO
    for leg in found:
        whole = EXACT.add(whole, leg.portion)
    if len(value) > 1 and whole != ONE and not any(faults.is_wrong(place) for place in spoken):
        faults.add_beside(
            "portions", f"{pointer(path)}: the portions sum to {trimmed(whole.scaleb(2, EXACT))}%, not 100%", path)
    return tuple(found)


def _take_profit(body: Mapping[str, Tree], path: Path, faults: Faults) -> TakeProfit:
    type_ = scalars.word(OrderType, body.get("type"), OrderType.TAKE_PROFIT)
    portion = ONE
    if "portion" in body:
        portion = scalars.percentage(body["portion"], (*path, "portion"), faults)
        if portion != ONE and isinstance(path[-1], str):
            faults.add(
                "portions", f"{pointer(path)}: a single take-profit closes the whole, not {body['portion']}",
                (*path, "portion"), "leave `portion` out, or write a list of take-profits that sum to 100%")
    return TakeProfit(type_, _level(body, "price", path, faults, risk=True), portion)


def read_stop_loss(value: Tree, path: Path, faults: Faults) -> StopLoss:
    """The stop-loss; a body that the schema has refused gives a harmless one."""
    if not isinstance(value, dict):
        return StopLoss(ONE)
    limit = scalars.positive(value["limit_price"], (*path, "limit_price"), faults) if "limit_price" in value else None
    closes = value.get("close_position") is True
    for key, why in (
        ("limit_price", "the exchange closes the position at market"),
        ("distance", "it may have to be replaced once the fill's price is known, and the exchange takes one at a time"),
    ):
        if closes and key in value:
            faults.add_beside(
                "close-position", f"{pointer(path)}: close_position has no {key}: {why}", (*path, key),
                "leave out one of the two" if key == "limit_price" else "write the `stop_price`", at_key=True)
    return StopLoss(_level(value, "stop_price", path, faults), limit, closes)
