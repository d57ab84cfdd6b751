"""What a run came to: counts, outcomes, money, and what stood without protection."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import NamedTuple

from runner.domain.commands import Command, GroupProtected, OrderDenied, RunEnded, StepEnded, StepStarted
from runner.domain.events import (
    Event,
    ForcedExecution,
    FundingExchanged,
    InsuranceCleared,
    Observed,
    RunStarted,
    TradeReport,
)
from runner.domain.orders import OrderStatus
from runner.domain.positions import Position
from runner.domain.values import EXACT, ZERO, plain, total, trimmed
from runner.graph.model import Role
from runner.report.context import RunContext
from runner.report.legs import Legs
from runner.report.orders import Change, KnownOrder, Orders

_CENT = Decimal("0.01")
_SHOWN = 5
"""How many steps of one outcome the line for people names."""


class StepResult(NamedTuple):
    """`outcome` is succeeded, failed, cancelled or skipped, `open` where the run ended first, or `waiting`."""

    step_id: str
    outcome: str
    reason: str
    detail: str


class Money(NamedTuple):
    """One asset's result.

    `realised` is before fees; a rebate is a fee below zero.  `funding` is below zero where it was paid.  `insurance` is
    what the insurance fund took as the fee of liquidations (below zero) and took over as debts (above).
    """

    asset: str
    realised: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO
    insurance: Decimal = ZERO

    @property
    def net(self) -> Decimal:
        return self.realised - self.fees + self.funding + self.insurance


class OpenPosition(NamedTuple):
    """What was still held; `last_px` and `unrealised` (before fees) are None where no price was seen."""

    symbol: str
    qty: Decimal
    entry_px: Decimal
    last_px: Decimal | None
    unrealised: Decimal | None


class RunSummary(NamedTuple):
    """`unprotected_ms` is the time that stops did not cover what protected groups held, all of them together; it
    counts from the first fill, also where the step that protects starts later.  `liquidated` are the symbols on which
    the exchange closed positions by force.  `assumed` and `not_simulated` say in what the exchange of this run was not
    the real one.

    `outcome` is succeeded, failed, stopped, open, or empty while the run has not ended.  `never_protected` names the
    groups that held something without any stop meant for it, `naked_at_end` those whose stops fell short at the end.
    """

    run_id: str
    plan: str
    mode: str
    fingerprint: str
    seed: int
    market: str
    outcome: str
    reason: str
    orders: int
    filled: int
    cancelled: int
    expired: int
    rejected: int
    denied: int
    steps: tuple[StepResult, ...]
    unprotected_ms: int
    never_protected: tuple[str, ...]
    naked_at_end: tuple[str, ...]
    latency_ms: int
    money: tuple[Money, ...]
    positions: tuple[OpenPosition, ...]
    not_simulated: tuple[str, ...]
    assumed: tuple[str, ...] = ()
    liquidated: tuple[str, ...] = ()


@dataclass(slots=True)
class _Exposure:
    """A group's clock of being without enough stops; `stops` is what its standing stops can still close."""

    open_qty: Decimal = ZERO
    stops: Decimal = ZERO
    since_ms: int | None = None
    total_ms: int = 0
    held: bool = False

    def add(self, at_ms: int, open_qty: Decimal, stops: Decimal) -> None:
        self.open_qty += open_qty
        self.stops += stops
        self.held = self.held or self.open_qty > ZERO
        if self.open_qty > self.stops and self.since_ms is None:
            self.since_ms = at_ms
        elif self.open_qty <= self.stops and self.since_ms is not None:
            self.total_ms += at_ms - self.since_ms
            self.since_ms = None


class Tally:
    """Folds the entries of one run.  `orders` is the run's, kept up to date by whoever calls."""

    def __init__(self, context: RunContext, orders: Orders) -> None:
        self._context = context
        self._orders = orders
        self._legs = Legs(context)
        self._steps = {step.step_id: StepResult(step.step_id, "waiting", "", "") for step in context.steps}
        self._denied = 0
        self._adopted_ms = 0
        self._end: RunEnded | None = None
        self._now_ms = 0
        self._money: dict[str, Money] = {}
        self._positions: dict[str, Position] = {}
        self._last_px: dict[str, Decimal] = {}
        self._counted: dict[str, tuple[Decimal, Decimal]] = {}
        self._forced: dict[tuple[str, str], ForcedExecution] = {}
        self._exposures = {group.group_id: _Exposure() for group in context.groups if group.opens}
        self._protected = {group.group_id for group in context.groups if group.protected}

    def see(self, at_ms: int, value: Event | Command, change: Change | None) -> None:
        self._now_ms = at_ms
        match value:
            case RunStarted(positions=positions):
                self._positions = {position.symbol: position for position in positions}
            case Observed():
                self._last_px[value.symbol] = value.last_px
            case StepStarted(step_id=step_id):
                self._steps[step_id] = StepResult(step_id, "open", "", "")
            case StepEnded():
                self._steps[value.step_id] = StepResult(value.step_id, value.outcome, value.reason, value.detail)
            case OrderDenied():
                self._denied += 1
            case GroupProtected(group_id=group_id) if group_id not in self._exposures:
                # What a group adopts is in none of its orders, so that only the machine knows since when it is held.
                self._adopted_ms += value.unprotected_ms
            case FundingExchanged(asset=asset, amount=amount):
                money = self._of(asset)
                self._money[asset] = money._replace(funding=money.funding + amount)
            case InsuranceCleared(asset=asset, amount=amount):
                money = self._of(asset)
                self._money[asset] = money._replace(insurance=money.insurance + amount)
            case ForcedExecution() if (value.order_id, value.trade_id) not in self._forced:
                self._forced[value.order_id, value.trade_id] = value
                self._expose(at_ms, value)
                self._executed(value)
            case RunEnded():
                self._end = value
            case _:
                pass
        if change is not None:
            self._changed(at_ms, change)

    def positions(self) -> Iterator[Position]:
        """What is held now, by symbol."""
        return (position for _, position in sorted(self._positions.items()) if position.qty != ZERO)

    def summary(self, not_simulated: tuple[str, ...] = (), assumed: tuple[str, ...] = ()) -> RunSummary:
        context = self._context
        ends = [known.order.status for known in self._orders]
        return RunSummary(
            context.run_id, context.plan, context.mode, context.fingerprint, context.seed, context.market,
            outcome=self._end.outcome if self._end else "",
            reason=self._end.reason if self._end else "",
            orders=len(ends),
            filled=ends.count(OrderStatus.FILLED),
            cancelled=ends.count(OrderStatus.CANCELED),
            expired=ends.count(OrderStatus.EXPIRED),
            rejected=ends.count(OrderStatus.REJECTED),
            denied=self._denied,
            steps=tuple(self._steps.values()),
            unprotected_ms=self._adopted_ms + sum(
                exposure.total_ms + (self._now_ms - exposure.since_ms if exposure.since_ms is not None else 0)
                for group_id, exposure in self._exposures.items() if group_id in self._protected
            ),
            never_protected=tuple(
                group_id for group_id, exposure in self._exposures.items()
                if exposure.held and group_id not in self._protected
            ),
            naked_at_end=tuple(
                group_id for group_id, exposure in self._exposures.items()
                if exposure.since_ms is not None and group_id in self._protected
            ),
            latency_ms=context.latency_ms,
            money=tuple(money for _, money in sorted(self._money.items())),
            positions=tuple(self._marked(position) for position in self.positions()),
            not_simulated=not_simulated,
            assumed=assumed,
            liquidated=tuple(sorted({forced.symbol for forced in self._forced.values()})),
        )

    def _changed(self, at_ms: int, change: Change) -> None:
        known = change.known
        if change.trade is not None:
            self._executed(change.trade)
        leg = self._legs.leg(known.placed.node_id)
        if (exposure := self._exposures.get(leg.group_id)) is not None:
            client_id = known.placed.request.client_order_id
            before_qty, before_stops = self._counted.get(client_id, (ZERO, ZERO))
            open_qty, stops = self._counted[client_id] = _counts(known, leg.role)
            exposure.add(at_ms, open_qty - before_qty, stops - before_stops)
            self._share_excess(at_ms, leg.symbol, exposure)

    def _expose(self, at_ms: int, forced: ForcedExecution) -> None:
        """Take what the exchange closed by force from the groups that held it; first what none of them held."""
        groups = {group.group_id for group in self._context.groups if group.symbol == forced.symbol}
        exposures = [exposure for group_id, exposure in self._exposures.items() if group_id in groups]
        position = self._positions.get(forced.symbol) or Position(forced.symbol)
        left = forced.qty - max(abs(position.qty) - total(exposure.open_qty for exposure in exposures), ZERO)
        for exposure in exposures:
            part = max(min(left, exposure.open_qty), ZERO)
            exposure.add(at_ms, -part, ZERO)
            left -= part

    def _share_excess(self, at_ms: int, symbol: str, exposure: _Exposure) -> None:
        """What a group's exits closed beyond its own holding was the others', in file order."""
        for group in self._context.groups:
            other = self._exposures.get(group.group_id)
            if exposure.open_qty >= ZERO:
                return
            if other is not None and group.symbol == symbol and other.open_qty > ZERO:
                part = min(-exposure.open_qty, other.open_qty)
                other.add(at_ms, -part, ZERO)
                exposure.add(at_ms, part, ZERO)

    def _of(self, asset: str) -> Money:
        return self._money.get(asset) or Money(asset)

    def _executed(self, trade: TradeReport | ForcedExecution) -> None:
        money = self._of(trade.fee_asset)
        self._money[trade.fee_asset] = money._replace(
            realised=money.realised + trade.realized_pnl, fees=money.fees + trade.fee,
        )
        self._last_px[trade.symbol] = trade.price
        position = self._positions.get(trade.symbol) or Position(trade.symbol)
        self._positions[trade.symbol], _ = position.after(trade.side, trade.qty, trade.price)

    def _marked(self, position: Position) -> OpenPosition:
        last = self._last_px.get(position.symbol)
        return OpenPosition(
            position.symbol, position.qty, position.entry_px, last,
            None if last is None else position.unrealised(last),
        )


def _counts(known: KnownOrder, role: str) -> tuple[Decimal, Decimal]:
    """What an order adds to its group's open quantity, and how much it can still close as a stop."""
    if role == Role.OPENER.value:
        return known.filled_qty, ZERO
    request = known.placed.request
    stands = role == Role.STOP.value and known.order.confirmed and request.order_type.conditional
    return -known.filled_qty, request.quantity - known.filled_qty if stands else ZERO


_HEADS = {"succeeded": "done", "failed": "failed", "stopped": "stopped", "open": "the data ended"}


def as_text(summary: RunSummary) -> str:
    """One line for people.  Money is rounded against the user, to hundredths."""
    head = _HEADS.get(summary.outcome, "cut short")
    if summary.outcome == "failed" and summary.reason:
        head += f" ({summary.reason})"
    counts = [_count(summary.orders, "order", "orders")]
    for number, word in (
        (summary.filled, "filled"), (summary.cancelled, "cancelled"), (summary.expired, "expired"),
        (summary.rejected, "rejected"), (summary.denied, "denied"),
    ):
        if number:
            counts.append(f"{number} {word}")
    if summary.liquidated:
        counts.append(f"LIQUIDATED on {', '.join(summary.liquidated)}")
    parts = [f"{head}: {', '.join(counts)}", *_steps(summary), *_protection(summary)]
    if summary.money:
        parts.append("PnL " + ", ".join(map(_money, summary.money)))
    parts += [f"still open: {_position(position)}" for position in summary.positions]
    if summary.assumed:
        parts.append(f"assumed: {', '.join(summary.assumed)}")
    if summary.not_simulated:
        parts.append(f"not simulated: {', '.join(summary.not_simulated)}")
    return "; ".join(parts)


def as_json_value(summary: RunSummary) -> dict[str, object]:
    """The summary as JSON takes it: numbers of money and base units as strings, counts and milliseconds as integers."""
    return {
        "run_id": summary.run_id, "plan": summary.plan, "mode": summary.mode, "fingerprint": summary.fingerprint,
        "seed": summary.seed, "market": summary.market, "outcome": summary.outcome, "reason": summary.reason,
        "orders": summary.orders, "filled": summary.filled, "cancelled": summary.cancelled,
        "expired": summary.expired, "rejected": summary.rejected, "denied": summary.denied,
        "steps": [
            {"step_id": step.step_id, "outcome": step.outcome, "reason": step.reason, "detail": step.detail}
            for step in summary.steps
        ],
        "unprotected_ms": summary.unprotected_ms, "never_protected": list(summary.never_protected),
        "naked_at_end": list(summary.naked_at_end), "latency_ms": summary.latency_ms,
        "pnl": [
            {
                "asset": money.asset, "net": trimmed(money.net), "realised": trimmed(money.realised),
                "fees": trimmed(money.fees), "funding": trimmed(money.funding), "insurance": trimmed(money.insurance),
            }
            for money in summary.money
        ],
        "positions": [
            {
                "symbol": position.symbol, "qty": trimmed(position.qty), "entry_px": trimmed(position.entry_px),
                "last_px": None if position.last_px is None else trimmed(position.last_px),
                "unrealised": None if position.unrealised is None else trimmed(position.unrealised),
            }
            for position in summary.positions
        ],
        "liquidated": list(summary.liquidated), "assumed": list(summary.assumed),
        "not_simulated": list(summary.not_simulated),
    }


def _steps(summary: RunSummary) -> Iterator[str]:
    """What came of the steps that did not simply succeed."""
    for outcome in ("failed", "cancelled", "skipped"):
        ended = [step for step in summary.steps if step.outcome == outcome]
        if ended:
            yield _some([f"{step.step_id} {outcome}" + (f" ({step.reason})" if step.reason else "") for step in ended])
    unfinished = [step.step_id for step in summary.steps if step.outcome in ("open", "waiting")]
    if unfinished:
        yield f"{'left working' if summary.outcome == 'succeeded' else 'unfinished'}: {_some(unfinished)}"


def _some(words: list[str]) -> str:
    """The first few of them, and how many more there are."""
    more = f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
    return ", ".join(words[:_SHOWN]) + more


def _protection(summary: RunSummary) -> Iterator[str]:
    if summary.naked_at_end:
        yield f"UNPROTECTED AT THE END: {', '.join(summary.naked_at_end)}"
    if summary.never_protected:
        yield f"without a stop: {', '.join(summary.never_protected)}"
    if summary.unprotected_ms:
        latency = f" (latency {summary.latency_ms} ms)" if summary.latency_ms else ""
        yield f"unprotected {summary.unprotected_ms} ms{latency}"


def _money(money: Money) -> str:
    """`+3.83 USDT after fees 0.17 and funding 0.06`."""
    costs = [f"fees {_rounded(money.fees, ROUND_CEILING)}"]
    if money.funding:
        received = " received" if money.funding > ZERO else ""
        rounding = ROUND_FLOOR if money.funding > ZERO else ROUND_CEILING
        costs.append(f"funding {_rounded(abs(money.funding), rounding)}{received}")
    if money.insurance < ZERO:
        costs.append(f"the fee of the liquidation {_rounded(-money.insurance, ROUND_CEILING)}")
    words = " and ".join(filter(None, (", ".join(costs[:-1]), costs[-1])))
    borne = f", {_rounded(money.insurance, ROUND_FLOOR)} borne by the insurance fund" if money.insurance > ZERO else ""
    return f"{_signed(money.net)} {money.asset} after {words}{borne}"


def _position(position: OpenPosition) -> str:
    sign = "+" if position.qty > ZERO else ""
    words = f"{sign}{trimmed(position.qty)} {position.symbol} from {_price(position.entry_px)}"
    if position.last_px is None or position.unrealised is None:
        return words
    return f"{words}, {_signed(position.unrealised)} at the last price {_price(position.last_px)}"


def _price(price: Decimal) -> str:
    return trimmed(EXACT.plus(price).quantize(Decimal("1E-8"), context=EXACT))


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _signed(value: Decimal) -> str:
    text = _rounded(value, ROUND_FLOOR)
    return text if text.startswith("-") else f"+{text}"


def _rounded(value: Decimal, rounding: str) -> str:
    return plain(value.quantize(_CENT, rounding=rounding, context=EXACT))
