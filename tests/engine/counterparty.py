"""A small model of the exchange, written apart from `runner/venue`: one-way positions, reduce-only, no prices.

Nothing happens here by itself.  Whoever drives it says when an order is triggered, executed or ended; the model only
refuses what the exchange could not do: a reduce-only order never opens or flips, a closed order never executes, and a
conditional order does not execute before its trigger.  A stop of the whole position needs one, is alone on its side,
takes its size at its trigger, and ends with the position.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from runner.domain.orders import OrderRequest, OrderStatus
from runner.domain.values import EXACT, ZERO, Side


@dataclass(slots=True)
class Held:
    """An order that the exchange has accepted, as it truly stands; `size` is what a stop of the whole position took at
    its trigger."""

    request: OrderRequest
    order_id: str
    status: OrderStatus = OrderStatus.NEW
    filled: Decimal = ZERO
    quote: Decimal = ZERO
    triggered: bool = False
    size: Decimal | None = None

    @property
    def live(self) -> bool:
        return not self.status.closed

    @property
    def leaves(self) -> Decimal:
        whole = self.request.quantity if self.size is None else self.size
        return whole - self.filled if self.live else ZERO

    @property
    def executable(self) -> bool:
        return self.live and (self.triggered or not self.request.order_type.conditional)

    @property
    def waiting(self) -> bool:
        """Whether it still waits for its trigger."""
        return self.live and not self.triggered and self.request.order_type.conditional

    @property
    def avg_px(self) -> Decimal | None:
        return EXACT.divide(self.quote, self.filled) if self.filled else None


@dataclass(frozen=True, slots=True)
class Execution:
    trade_id: str
    side: Side
    qty: Decimal
    price: Decimal


class Counterparty:
    """`orders` by client id; `positions` signed, by symbol; `entered` and `left` what opening and reduce-only orders
    have executed of each symbol, `lapsed` the orders that have ended with their position since it was last emptied."""

    def __init__(self, positions: Mapping[str, Decimal]) -> None:
        self.orders: dict[str, Held] = {}
        self.positions = dict(positions)
        self.entered: dict[str, Decimal] = {}
        self.left: dict[str, Decimal] = {}
        self.lapsed: list[Held] = []
        self._numbers = 0

    def accept(self, request: OrderRequest) -> int | None:
        """Take an order on; returns the code of a refusal that is not a matter of choice, or None."""
        known = self.orders.get(request.client_order_id)
        if known is not None and known.live:
            return -4116
        if request.reduce_only and not request.order_type.conditional and self.closable(request) == ZERO:
            return -2022
        if request.close_position:
            if self.closable(request) == ZERO:
                return -4509
            if self.closers(request.symbol, request.side):
                return -4130
        assert known is None, f"{request.client_order_id} was sent, closed, and sent again"
        self._numbers += 1
        self.orders[request.client_order_id] = Held(request, f"X{self._numbers}")
        return None

    def closers(self, symbol: str, side: Side) -> list[Held]:
        """Stops of the whole position that wait for their trigger."""
        return [
            one for one in self.orders.values()
            if one.waiting and one.request.close_position and (one.request.symbol, one.request.side) == (symbol, side)
        ]

    def closable(self, request: OrderRequest) -> Decimal:
        """How much of a position stands against the side of a reduce-only order."""
        return max(-self.positions.get(request.symbol, ZERO) * request.side.sign, ZERO)

    def trigger(self, order: Held) -> None:
        assert order.waiting
        order.triggered = True
        order.status = OrderStatus.TRIGGERED
        if order.request.close_position:
            order.size = self.closable(order.request)

    def execute(self, order: Held, qty: Decimal) -> Execution | None:
        """Fill up to `qty`; None where a reduce-only order finds nothing to close, which ends it.

        A reduce-only order that meets less than it asks for takes what there is and ends.
        """
        assert order.executable
        request = order.request
        part = min(qty, order.leaves)
        room = self.closable(request) if request.reduce_only else part
        part = min(part, room)
        if part == ZERO:
            order.status = OrderStatus.EXPIRED
            return None
        price = request.price or request.trigger_price or Decimal(60_000)
        order.filled += part
        order.quote += EXACT.multiply(part, price)
        self.positions[request.symbol] = self.positions.get(request.symbol, ZERO) + part * request.side.sign
        account = self.left if request.reduce_only else self.entered
        account[request.symbol] = account.get(request.symbol, ZERO) + part
        if order.leaves == ZERO:
            order.status = OrderStatus.FILLED
        elif request.reduce_only and room == part:
            order.status = OrderStatus.EXPIRED
        else:
            order.status = OrderStatus.PARTIALLY_FILLED
        self._lapse(request.symbol)
        self._numbers += 1
        return Execution(f"t{self._numbers}", request.side, part, price)

    def end(self, order: Held, status: OrderStatus) -> None:
        assert order.live
        order.status = status

    def cancel(self, client_id: str, conditional: bool) -> int | None:
        """Cancel in the order world that was asked for; a code where it is not there any more."""
        order = self.orders.get(client_id)
        if order is None or not order.live or order.waiting is not conditional:
            return -2011
        order.status = OrderStatus.CANCELED
        return None

    def close_by_hand(self, symbol: str, qty: Decimal) -> None:
        """Somebody closes up to `qty` of the position on another screen."""
        held = self.positions.get(symbol, ZERO)
        part = min(qty, abs(held))
        self.positions[symbol] = held - part if held > ZERO else held + part
        self._lapse(symbol)

    def _lapse(self, symbol: str) -> None:
        """With the position its stops end that were for the whole of it."""
        if self.positions.get(symbol, ZERO) == ZERO:
            for side in Side:
                for order in self.closers(symbol, side):
                    order.status = OrderStatus.EXPIRED
                    self.lapsed.append(order)

