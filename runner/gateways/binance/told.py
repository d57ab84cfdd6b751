"""What has been told already, so that a fact which comes twice is told once.

The same execution comes by the user stream, by the list of trades and by a snapshot; a socket that is replaced speaks
at the same time as its successor.  Memory is bounded: what was forgotten may be told again, and whoever hears it keeps
executions apart by their ids himself.
"""

from collections.abc import Hashable, ItemsView
from decimal import Decimal
from typing import Generic, TypeVar

from runner.domain.events import Event, ForcedExecution, FundingExchanged, InsuranceCleared, PositionReport
from runner.domain.reports import OrderReport, TradeReport
from runner.domain.values import ZERO

MOST = 20_000
HOUR_MS = 3_600_000
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Latest(Generic[K, V]):
    """A mapping of the latest keys that were set, `most` of them."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._values: dict[K, V] = {}

    def __setitem__(self, key: K, value: V) -> None:
        self._values.pop(key, None)
        self._values[key] = value
        if len(self._values) > self._most:
            del self._values[next(iter(self._values))]

    def __contains__(self, key: K) -> bool:
        return key in self._values

    def get(self, key: K) -> V | None:
        return self._values.get(key)

    def pop(self, key: K) -> V | None:
        return self._values.pop(key, None)

    def items(self) -> ItemsView[K, V]:
        return self._values.items()

    def __len__(self) -> int:
        return len(self._values)


class Told:
    def __init__(self, most: int = MOST) -> None:
        self._once: Latest[Hashable, None] = Latest(most)
        self._traded: Latest[tuple[str, str], Decimal] = Latest(most)
        self._orders: Latest[tuple[str, str], OrderReport] = Latest(most)
        self._positions: dict[str, PositionReport] = {}

    def new(self, event: Event) -> bool:
        """Whether it says anything that was not said before; from now on it has been said."""
        match event:
            case TradeReport() | ForcedExecution():
                return self._execution(event)
            case FundingExchanged(at_ms, symbol, _, asset):
                # At most once an hour; the list of incomes may show another millisecond than the stream.
                return self._first(("funding", round(at_ms / HOUR_MS), symbol, asset))
            case InsuranceCleared(at_ms, amount, asset):
                return self._first(("insurance", at_ms, amount, asset))
            case OrderReport():
                return self._order(event)
            case PositionReport(begun_ms=None):
                return self._position(event)
            case _:
                return True

    def lacks_trades(self, report: OrderReport) -> bool:
        """Whether the order has filled more than the executions say that were told of it."""
        return report.filled_qty > (self._traded.get((report.symbol, report.order_id)) or ZERO)

    def order(self, symbol: str, client_order_id: str) -> OrderReport | None:
        """What was said of an order last."""
        return self._orders.get((symbol, client_order_id))

    def _first(self, key: Hashable) -> bool:
        if key in self._once:
            return False
        self._once[key] = None
        return True

    def _execution(self, event: TradeReport | ForcedExecution) -> bool:
        if not self._first((event.symbol, event.order_id, event.trade_id)):
            return False
        key = event.symbol, event.order_id
        self._traded[key] = (self._traded.get(key) or ZERO) + event.qty
        return True

    def _order(self, report: OrderReport) -> bool:
        key = report.symbol, report.client_order_id
        last = self._orders.get(key)
        self._orders[key] = report
        return last is None or last.but(at_ms=report.at_ms, mark_px=report.mark_px) != report

    def _position(self, report: PositionReport) -> bool:
        """Pushed positions of a symbol come in the order of time: an older one comes from a socket that lags."""
        last = self._positions.get(report.symbol)
        if last is not None and (report.at_ms < last.at_ms or report == last):
            return False
        self._positions[report.symbol] = report
        return True
