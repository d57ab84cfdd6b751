"""What a plan would send, as the exchange would get it, and what it can cost at worst; without a market.

Source of the parameters: Binance USDⓈ-M `POST /fapi/v1/order` (MARKET and LIMIT) and `POST /fapi/v1/algoOrder` (all
conditional types, since 2025-12-09).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from runner.domain.instrument import shares
from runner.domain.sizes import FilledOf, Notional, Quantity, Size
from runner.domain.values import EXACT, ZERO, base36, trimmed
from runner.errors import InternalError
from runner.graph.fingerprint import JsonValue
from runner.graph.model import (
    DueTarget,
    ExecutionGraph,
    FillOffset,
    FixedPrice,
    FixedTarget,
    Group,
    MarkOffset,
    OpenTarget,
    OrderNode,
    Price,
    RiskOffset,
    Role,
    ShareTarget,
    StepPolicy,
)
from runner.graph.quantities import known_qty
from runner.graph.words import price_words, target_words

ORDER = "POST /fapi/v1/order"
ALGO_ORDER = "POST /fapi/v1/algoOrder"


@dataclass(frozen=True, slots=True)
class PlannedOrder:
    """One order node as the request that it would send first, without what signs it (time, window, signature).

    `request` holds what is known exactly, `at_run_time` in words what is settled only then.  `notional` is its worth
    in quote units at the worst price that is known, or None.
    """

    node_id: str
    endpoint: str
    request: Mapping[str, str]
    at_run_time: Mapping[str, str]
    notional: Decimal | None


@dataclass(frozen=True, slots=True)
class WorstCase:
    """If everything that opens is filled, in quote units by quote asset; before what a gap adds.

    `unpriced` are openers whose worth is not known, `unstopped` those whose loss no stop bounds.
    """

    notional: Mapping[str, Decimal]
    initial_margin: Mapping[str, Decimal]
    loss_at_stops: Mapping[str, Decimal]
    unpriced: tuple[str, ...]
    unstopped: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    orders: tuple[PlannedOrder, ...]
    worst: WorstCase


def preview(
    graph: ExecutionGraph, leverage: int, taker_fee: Decimal, prices: Mapping[str, Decimal],
) -> Preview:
    """The requests in the order of the graph, and the worst case.

    `taker_fee` is a fraction; `prices` are by symbol what the market is taken to stand at, where that is known:
    what fills at market is taken to fill there.
    """
    book = _Book(graph, prices)
    orders = tuple(
        book.planned(place, node) for place, node in enumerate(graph.nodes) if isinstance(node, OrderNode)
    )
    return Preview(orders, _worst(book, leverage, taker_fee))


def as_json(preview: Preview) -> dict[str, JsonValue]:
    """The preview as JSON values; numbers are text."""
    worst = preview.worst
    return {
        "orders": [{
            "node": order.node_id, "endpoint": order.endpoint, "request": dict(order.request),
            "at_run_time": dict(order.at_run_time),
            "notional": None if order.notional is None else trimmed(order.notional),
        } for order in preview.orders],
        "worst_case": {
            "notional": _amounts(worst.notional), "initial_margin": _amounts(worst.initial_margin),
            "loss_at_stops": _amounts(worst.loss_at_stops), "unpriced": list(worst.unpriced),
            "unstopped": list(worst.unstopped),
        },
    }


class _Book:
    """A graph with lookups, and the prices that its orders are taken to fill at."""

    def __init__(self, graph: ExecutionGraph, prices: Mapping[str, Decimal]) -> None:
        self.graph = graph
        self.prices = prices
        self.instruments = {instrument.symbol: instrument for instrument in graph.instruments}
        self.steps = {policy.step_id: policy for policy in graph.steps}
        self.nodes = {node.node_id: node for node in graph.nodes if isinstance(node, OrderNode)}
        self.groups = {group.group_id: group for group in graph.groups}

    def planned(self, place: int, node: OrderNode) -> PlannedOrder:
        instrument = self.instruments[node.symbol]
        conditional = node.order_type.conditional
        request = {"algoType": "CONDITIONAL"} if conditional else {}
        request |= {"symbol": node.symbol, "side": node.side.value, "type": node.order_type.value}
        later: dict[str, str] = {}
        quantity = self.quantity(node)
        exact = isinstance(node.target, FixedTarget | DueTarget) and self._settled(node)
        if node.close_position:
            request["closePosition"] = "true"
        elif quantity is not None and exact:
            request["quantity"] = trimmed(quantity)
        else:
            words = target_words(node, self.steps[node.step_id], instrument)
            bound = "at most" if self._settled(self.nodes[self._opener(node)]) else "about"
            later["quantity"] = words if quantity is None else f"{words}, {bound} {trimmed(quantity)}"
        named = {
            "price": node.price, "triggerPrice": node.trigger, "activatePrice": node.activation,
        }
        for name, price in named.items():
            if isinstance(price, FixedPrice):
                request[name] = trimmed(price.price)
            elif price is not None:
                later[name] = price_words(price)
        if node.callback_rate is not None:
            request["callbackRate"] = trimmed(node.callback_rate)
        if node.order_type.limited:
            request["timeInForce"] = node.time_in_force.value
        if node.good_till_ms is not None:
            request["goodTillDate"] = str(node.good_till_ms)
        if node.reduce_only and not node.close_position:
            request["reduceOnly"] = "true"
        if conditional:
            request["workingType"] = node.working_type.value
        else:
            request["newOrderRespType"] = "RESULT"
        request["clientAlgoId" if conditional else "newClientOrderId"] = f"<run>.{base36(place)}.0.0.0"
        price_now = self.fill_price(node)
        notional = None if quantity is None or price_now is None else instrument.notional(quantity, price_now)
        return PlannedOrder(node.node_id, ALGO_ORDER if conditional else ORDER, request, later, notional)

    def _opener(self, node: OrderNode) -> str:
        """The order whose size bounds this one: the first that opens in its group, or itself."""
        return next(iter(self.groups[node.group_id].openers), node.node_id)

    def _settled(self, node: OrderNode) -> bool:
        """Whether the size of the node's step is settled by the plan, without a market."""
        size, planned = self.steps[node.step_id].size, self.steps[node.step_id].planned_price
        return isinstance(size, Quantity) or (isinstance(size, Notional) and planned is not None)

    def quantity(self, node: OrderNode) -> Decimal | None:
        """The most that the order can be for, where the plan and the prices settle it."""
        policy = self.steps[node.step_id]
        instrument = self.instruments[node.symbol]
        match node.target:
            case FixedTarget(size):
                return known_qty(size, self.size_price(node, policy), instrument)
            case DueTarget(index):
                schedule = policy.schedule
                whole = self._size_qty(policy.size, node, policy)
                if schedule is None or whole is None or schedule.randomize:
                    return None
                return instrument.split(whole, schedule.slices)[index]
            case OpenTarget():
                return self.group_quantity(self.groups[node.group_id])
            case ShareTarget(weights, index):
                whole = self.group_quantity(self.groups[node.group_id])
                return None if whole is None else shares(whole, weights, instrument)[index]

    def group_quantity(self, group: Group) -> Decimal | None:
        """All that the group's step can open, or that the group asks to adopt."""
        if group.opener_step is None:
            return known_qty(group.adopts, None, self.instruments[group.symbol]) if group.adopts else None
        policy = self.steps[group.opener_step]
        return self._size_qty(policy.size, self.nodes[group.openers[0]], policy)

    def _size_qty(self, size: Size | None, node: OrderNode, policy: StepPolicy) -> Decimal | None:
        if isinstance(size, FilledOf):
            return self.group_quantity(self.groups[size.step_id])
        return None if size is None else known_qty(size, self.size_price(node, policy), self.instruments[node.symbol])

    def size_price(self, node: OrderNode, policy: StepPolicy) -> Decimal | None:
        """The price at which an amount becomes a quantity: the planned one, else the market's."""
        return policy.planned_price if policy.planned_price is not None else self.prices.get(node.symbol)

    def fill_price(self, node: OrderNode) -> Decimal | None:
        """What the order is taken to fill at, at worst: its limit, its trigger, or the market."""
        for price in (node.price, node.trigger):
            if price is not None:
                return self.resolved(price, node.symbol)
        return self.prices.get(node.symbol)

    def resolved(self, price: Price, symbol: str) -> Decimal | None:
        """The price as a number, if what it counts from is known."""
        match price:
            case FixedPrice(fixed):
                return fixed
            case MarkOffset():
                return self._moved(price, self.prices.get(symbol), symbol)
            case FillOffset(node_id):
                return self._moved(price, self.fill_price(self.nodes[node_id]), symbol)
            case RiskOffset(node_id=node_id, sign=sign, rounding=rounding, multiple=multiple, stop=stop):
                entry, stop_at = self.fill_price(self.nodes[node_id]), self.resolved(stop, symbol)
                if entry is None or stop_at is None:
                    return None
                risk = EXACT.multiply(multiple, abs(EXACT.subtract(entry, stop_at)))
                return self.instruments[symbol].round_price(EXACT.add(entry, risk * sign), rounding)

    def _moved(self, offset: MarkOffset | FillOffset, base: Decimal | None, symbol: str) -> Decimal | None:
        if base is None:
            return None
        move = offset.absolute if offset.fraction is None else EXACT.multiply(base, offset.fraction)
        if move is None:
            raise InternalError("an offset has neither an absolute nor a relative part")
        return self.instruments[symbol].round_price(EXACT.add(base, move * offset.sign), offset.rounding)


def _worst(book: _Book, leverage: int, taker_fee: Decimal) -> WorstCase:
    notional: dict[str, Decimal] = {}
    loss: dict[str, Decimal] = {}
    unpriced: list[str] = []
    unstopped: list[str] = []
    for group in book.graph.groups:
        if group.opener_step is None:
            continue
        opener = book.nodes[group.openers[0]]
        asset = book.instruments[group.symbol].quote_asset
        quantity, entry = book.group_quantity(group), book.fill_price(opener)
        if quantity is None or entry is None:
            unpriced.append(group.opener_step)
        else:
            notional[asset] = EXACT.add(notional.get(asset, ZERO), EXACT.multiply(quantity, entry))
        stop = next((book.nodes[node_id] for node_id in group.exits if book.nodes[node_id].role is Role.STOP), None)
        if stop is None:
            unstopped.append(group.opener_step)
        elif quantity is not None and entry is not None and (stop_at := book.fill_price(stop)) is not None:
            moved = (entry - stop_at) * group.entry_side.sign
            fees = EXACT.multiply(taker_fee, EXACT.add(entry, stop_at))
            lost = EXACT.multiply(quantity, EXACT.add(moved, fees))
            loss[asset] = EXACT.add(loss.get(asset, ZERO), max(lost, ZERO))
        elif quantity is not None and entry is not None:
            unstopped.append(group.opener_step)
    margin = {asset: EXACT.divide(amount, Decimal(leverage)) for asset, amount in notional.items()}
    return WorstCase(notional, margin, loss, tuple(unpriced), tuple(unstopped))


def _amounts(amounts: Mapping[str, Decimal]) -> dict[str, JsonValue]:
    return {asset: trimmed(amount) for asset, amount in amounts.items()}
