"""What a person reads while a run goes on: one line a change, as frozen values without any control codes."""

from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from runner.domain.commands import Command, OrderDenied, Remark, StepEnded
from runner.domain.events import (
    Event,
    ForcedExecution,
    FundingExchanged,
    InsuranceCleared,
    MarginCalled,
)
from runner.domain.orders import OrderRequest, OrderStatus
from runner.domain.reports import OrderReport
from runner.domain.times import rfc3339
from runner.domain.values import EXACT, ZERO, OrderType, plain, trimmed
from runner.report.contact import ACCOUNT, Note
from runner.report.context import LegFacts, RunContext
from runner.report.orders import Change, KnownOrder

_ORDER_WIDTH = 38
"""How far an order's own words reach before its state, so that states stand in a column."""
_LATE_MS = 1_000
"""What was learnt later than this after it happened says when it did."""


class LineKind(StrEnum):
    """What a line is about, for its colour.  DETAIL is for those who ask for more."""

    ACCEPTED = "accepted"
    FILLED = "filled"
    ENDED = "ended"
    REJECTED = "rejected"
    DENIED = "denied"
    FORCED = "forced"
    MONEY = "money"
    STEP = "step"
    REMARK = "remark"
    DETAIL = "detail"


class Line(NamedTuple):
    """`stamp` is the time as text, `leg` the node or step padded to the run's longest."""

    at_ms: int
    stamp: str
    leg: str
    text: str
    kind: LineKind

    def __str__(self) -> str:
        return f"{self.stamp}  {self.leg}  {self.text}"


class LineWriter:
    """Turns the entries of one run into lines."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._first_day = ""
        self._places = {one.symbol: one.price_places for one in context.symbols}
        self._legs = {leg.node_id: leg for leg in context.legs}
        self._opening = {group.group_id for group in context.groups if group.opens}
        names = [leg.node_id for leg in context.legs] + [step.step_id for step in context.steps]
        self._width = min(max(map(len, names), default=0), 40)

    def of(
        self, at_ms: int, value: Event | Command, change: Change | None, notes: tuple[Note, ...], told_ms: int,
    ) -> tuple[Line, ...]:
        """The lines of one entry; `change` is what it changed of an order, `told_ms` when that happened."""
        if change is not None:
            return self._of_order(at_ms, value, change, told_ms)
        if notes:
            return tuple(
                self._line(at_ms, note.leg, note.text, LineKind.REMARK if note.matters else LineKind.DETAIL)
                for note in notes
            )
        match value:
            case OrderDenied(node_id=node_id, code=code, detail=detail):
                return (self._line(at_ms, node_id, f"DENIED {code} {detail}".rstrip(), LineKind.DENIED),)
            case StepEnded(step_id=step_id, outcome=outcome, reason=reason, detail=detail) if outcome != "succeeded":
                words = ", ".join(filter(None, (reason, detail)))
                return (self._line(at_ms, step_id, f"{outcome}: {words}" if words else outcome, LineKind.STEP),)
            case ForcedExecution(symbol=symbol, cause=cause):
                words = (
                    f"{cause.upper()} {value.side} {trimmed(value.qty)} @ {self.price(symbol, value.price)}, "
                    f"by the exchange, fee {trimmed(value.fee)}"
                )
                return (self._line(at_ms, symbol, words, LineKind.FORCED),)
            case MarginCalled(symbols=symbols):
                words = "MARGIN CALL: its losses come near its liquidation"
                return tuple(self._line(at_ms, symbol, words, LineKind.FORCED) for symbol in symbols)
            case FundingExchanged(symbol=symbol, amount=amount, asset=asset):
                way = "paid" if amount < ZERO else "received"
                return (self._line(at_ms, symbol, f"funding {way}, {trimmed(abs(amount))} {asset}", LineKind.MONEY),)
            case InsuranceCleared(amount=amount, asset=asset):
                words = "the fee of the liquidation" if amount < ZERO else "a debt that the insurance fund took over"
                return (self._line(at_ms, asset, f"{words}, {trimmed(abs(amount))} {asset}", LineKind.FORCED),)
            case Remark(step_id=step_id, text=text):
                return (self._line(at_ms, step_id or ACCOUNT, text, LineKind.REMARK),)
            case _:
                return ()

    def stamp(self, at_ms: int) -> str:
        """`05-04 15:33:00`, with or without the date and milliseconds as the run needs them.

        A day that is not the first is always named.
        """
        text = rfc3339(at_ms)
        self._first_day = self._first_day or text[:10]
        dated = self._context.dated or text[:10] != self._first_day
        return text[5 if dated else 11 : 23 if self._context.precise else 19].replace("T", " ")

    def price(self, symbol: str, price: Decimal) -> str:
        """The price with at least the digits of the symbol's tick."""
        places = self._places.get(symbol, 0)
        text = trimmed(price)
        if len(text.partition(".")[2]) >= places:
            return text
        return plain(price.quantize(Decimal(1).scaleb(-places), context=EXACT))

    def _of_order(self, at_ms: int, value: Event | Command, change: Change, told_ms: int) -> tuple[Line, ...]:
        known = change.known
        late = f", {self.stamp(told_ms)} already" if at_ms - told_ms > _LATE_MS else ""
        request = known.placed.request
        node_id = known.placed.node_id
        lines = []
        if known.refusal is not None and change.status is OrderStatus.REJECTED:
            words = f"{self._order(known)}   REJECTED {known.refusal.code} {known.refusal.message}".rstrip()
            return (self._line(at_ms, node_id, words, LineKind.REJECTED),)
        if change.answered and change.status is not OrderStatus.REJECTED:
            state = "accepted" + (
                ", closes the position" if request.close_position else ", reduce-only" if request.reduce_only else ""
            )
            lines.append(self._line(at_ms, node_id, f"{self._order(known)}   {state}", LineKind.ACCEPTED))
        if change.trade is not None:
            trade = change.trade
            # The exchange sizes a close of the position itself, so that no quantity of ours says when it is whole.
            whole = request.close_position or known.filled_qty >= request.quantity
            done = "FILLED" if whole else "PARTIALLY_FILLED"
            part = "" if whole else f", {trimmed(known.filled_qty)} of {trimmed(request.quantity)}"
            lines.append(self._line(
                at_ms, node_id,
                f"{done} {trimmed(trade.qty)} @ {self.price(trade.symbol, trade.price)}, "
                f"{'maker' if trade.maker else 'taker'}{part}{late}",
                LineKind.FILLED,
            ))
        elif change.status in (OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.REJECTED):
            filled = f"{trimmed(known.filled_qty)} of {trimmed(request.quantity)} filled" if known.filled_qty else ""
            words = ", ".join(filter(None, (change.status.value, filled, known.cancel_reason or known.end_reason)))
            kind = LineKind.REJECTED if change.status is OrderStatus.REJECTED else LineKind.ENDED
            lines.append(self._line(at_ms, node_id, words + late, kind))
        elif change.status is OrderStatus.TRIGGERED and isinstance(value, OrderReport):
            lines.append(self._line(at_ms, node_id, "TRIGGERED", LineKind.DETAIL))
        return tuple(lines)

    def _line(self, at_ms: int, leg: str, text: str, kind: LineKind) -> Line:
        return Line(at_ms, self.stamp(at_ms), f"{leg:<{self._width}}", text, kind)

    def _order(self, known: KnownOrder) -> str:
        """`LIMIT BUY 0.004 BTCUSDT @ 60000.0`; the symbol is left out where the leg's own opener names it."""
        request = known.placed.request
        words = [request.order_type.value, request.side.value]
        words += [] if request.close_position else [trimmed(request.quantity)]
        leg = self._legs.get(known.placed.node_id)
        if not (request.reduce_only and leg is not None and self._follows_an_opener(leg)):
            words.append(request.symbol)
        return f"{' '.join(words + self._prices(request)):<{_ORDER_WIDTH}}"

    def _follows_an_opener(self, leg: LegFacts) -> bool:
        return leg.group_id in self._opening

    def _prices(self, request: OrderRequest) -> list[str]:
        words = []
        if request.order_type is OrderType.TRAILING_STOP_MARKET and request.callback_rate is not None:
            words.append(f"callback {trimmed(request.callback_rate)}%")
        if request.activation_price is not None:
            words.append(f"from {self.price(request.symbol, request.activation_price)}")
        if request.trigger_price is not None and request.trigger_price != request.price:
            words.append(f"trigger {self.price(request.symbol, request.trigger_price)}")
        if request.price is not None:
            words.append(f"@ {self.price(request.symbol, request.price)}")
        return words
