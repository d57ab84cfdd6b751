"""Which executions of a run's orders are known by their figures alone: their prices and fees come with their trades."""

from collections.abc import Iterator
from decimal import Decimal

from runner.domain.commands import Command, PlaceOrder
from runner.domain.events import Event
from runner.domain.reports import OrderReport, TradeReport
from runner.domain.snapshots import VenueSnapshot
from runner.domain.values import ZERO


class Executions:
    """What was told of each order of the run: how much of it is filled, and how much of that its trades tell."""

    def __init__(self) -> None:
        self._symbols: dict[str, str] = {}
        self._filled: dict[str, Decimal] = {}
        self._traded: dict[str, Decimal] = {}
        self._trades: set[tuple[str, str, str]] = set()

    def see(self, value: Event | Command) -> None:
        match value:
            case PlaceOrder(request=request):
                self._symbols[request.client_order_id] = request.symbol
            case OrderReport(client_order_id=client_id) if client_id in self._symbols:
                self._filled[client_id] = max(self._filled.get(client_id, ZERO), value.filled_qty)
            case TradeReport(client_order_id=client_id) if client_id in self._symbols:
                key = (value.symbol, value.order_id, value.trade_id)
                if key not in self._trades:
                    self._trades.add(key)
                    self._traded[client_id] = self._traded.get(client_id, ZERO) + value.qty
            case VenueSnapshot(orders=orders, trades=trades):
                for order in orders:
                    self.see(order)
                for trade in trades:
                    self.see(trade)
            case _:
                pass

    def unpriced(self) -> Iterator[tuple[str, str]]:
        """The symbol and the client order id of each order whose trades are not all there."""
        for client_id, filled in self._filled.items():
            if filled > self._traded.get(client_id, ZERO):
                yield self._symbols[client_id], client_id
