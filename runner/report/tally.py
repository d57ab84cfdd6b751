"""Folding a run's entries into what it came to."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from runner.domain.commands import Command, GroupProtected, OrderDenied, RunEnded, StepEnded, StepStarted
from runner.domain.events import (
    Event,
    ForcedExecution,
    FundingExchanged,
    InsuranceCleared,
    Observed,
    PositionReport,
    RunResumed,
    RunStarted,
)
from runner.domain.orders import OrderStatus
from runner.domain.positions import Position
from runner.domain.reports import TradeReport
from runner.domain.snapshots import VenueSnapshot
from runner.domain.value import Record
from runner.domain.values import ZERO, total
from runner.graph.model import Role
from runner.report.context import RunContext
from runner.report.legs import Legs
from runner.report.orders import Change, KnownOrder, Orders
from runner.report.summary import Lost, Money, OpenPosition, RunSummary, StepResult, Uncovered

POSITION_GONE = "position_gone"
"""The reason of a step whose group lost what it held to somebody else."""


class _Exposure(Record):
    """A group's clock of being without enough stops; `stops` is what its standing stops can still close, `whole` how
    many stand for all of the position.  `away`: the present spell reaches into a time when no process was there;
    `away_ms` are the like that are over, `worst` is the most that lay bare in one.
    """

    open_qty: Decimal = ZERO
    stops: Decimal = ZERO
    whole: int = 0
    since_ms: int | None = None
    total_ms: int = 0
    held: bool = False
    away: bool = False
    away_ms: int = 0
    worst: Decimal = ZERO

    @property
    def bare(self) -> Decimal:
        return ZERO if self.whole else max(self.open_qty - self.stops, ZERO)

    def add(self, at_ms: int, open_qty: Decimal, stops: Decimal, whole: int = 0) -> None:
        self.open_qty += open_qty
        self.stops += stops
        self.whole += whole
        self.held = self.held or self.open_qty > ZERO
        if self.bare and self.since_ms is None:
            self.since_ms = at_ms
        elif not self.bare and self.since_ms is not None:
            spell_ms = max(at_ms - self.since_ms, 0)
            self.total_ms += spell_ms
            self.away_ms += spell_ms if self.away else 0
            self.since_ms, self.away = None, False

    def unwatched(self) -> None:
        """It is as it is while no process is there."""
        if self.bare:
            self.away, self.worst = True, max(self.worst, self.bare)

    def running_ms(self, now_ms: int) -> int:
        """How long the present spell lasts."""
        return now_ms - self.since_ms if self.since_ms is not None else 0


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
        self._accounts: dict[str, Decimal] = {}
        self._traded_ms: dict[str, int] = {}
        self._lost: dict[str, Decimal] = {}
        self._resumed = 0
        self._away_until_ms = -1
        self._counted: dict[str, tuple[Decimal, Decimal, int]] = {}
        self._forced: dict[tuple[str, str], ForcedExecution] = {}
        self._exposures = {group.group_id: _Exposure() for group in context.groups if group.opens}
        self._protected = {group.group_id for group in context.groups if group.protected}

    def see(self, at_ms: int, value: Event | Command, change: Change | None) -> None:
        self._now_ms = max(self._now_ms, at_ms)
        match value:
            case RunStarted(positions=positions):
                self._positions = {position.symbol: position for position in positions}
            case RunResumed():
                self._resumed += 1
                self._away_until_ms = at_ms
                for exposure in self._exposures.values():
                    exposure.unwatched()
                if self._end is not None and self._end.outcome == "stopped":
                    self._end = None  # any other end is one for good
            case Observed():
                self._last_px[value.symbol] = value.last_px
            case StepStarted(step_id=step_id):
                self._steps[step_id] = StepResult(step_id, "open", "", "")
            case PositionReport(symbol=symbol, qty=qty, begun_ms=begun_ms):
                self._account_holds(symbol, qty, value.at_ms if begun_ms is None else begun_ms)
            case VenueSnapshot(begun_ms=begun_ms):
                held = {position.symbol: position.qty for position in value.positions}
                for symbol in self._positions:
                    if value.covers(symbol):
                        self._account_holds(symbol, held.get(symbol, ZERO), begun_ms)
            case StepEnded():
                if value.reason == POSITION_GONE:
                    self._write_off(at_ms, value.step_id)
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
        """What is held now, by symbol: never more than the account was last said to hold."""
        for symbol, position in sorted(self._positions.items()):
            left = position.but(qty=position.qty - self._missing(symbol))
            if left.qty != ZERO:
                yield left

    def _account_holds(self, symbol: str, qty: Decimal, since_ms: int) -> None:
        """Only what speaks of a time after the run's last execution counts."""
        if since_ms >= self._traded_ms.get(symbol, 0):
            self._accounts[symbol] = qty

    def _missing(self, symbol: str) -> Decimal:
        """What the run holds by its own executions and the account does not hold.

        It counts only if none of them is still to be told.
        """
        own, account = self._positions[symbol].qty, self._accounts.get(symbol)
        if account is None or any(_untold(known) for known in self._orders if known.placed.request.symbol == symbol):
            return ZERO
        if own > ZERO:
            return max(own - max(account, ZERO), ZERO)
        return min(own - min(account, ZERO), ZERO)

    def _write_off(self, at_ms: int, step_id: str) -> None:
        """The machine is sure that what the step's group held is held no more."""
        groups = {leg.group_id: leg.symbol for leg in self._context.legs if leg.step_id == step_id}
        for group_id, symbol in groups.items():
            own = self._positions.get(symbol) or Position(symbol)
            exposure = self._exposures.get(group_id)
            part = own.qty if exposure is None else min(exposure.open_qty, abs(own.qty)).copy_sign(own.qty)
            if exposure is not None:
                exposure.add(at_ms, -exposure.open_qty, ZERO)
            self._positions[symbol] = own.but(qty=own.qty - part)
            self._lost[symbol] = self._lost.get(symbol, ZERO) + part

    def _others_closed(self) -> Iterator[Lost]:
        for symbol in sorted(self._positions):
            lost = self._lost.get(symbol, ZERO) + self._missing(symbol)
            if lost != ZERO:
                yield Lost(symbol, lost)

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
                exposure.total_ms + exposure.running_ms(self._now_ms)
                for group_id, exposure in self._exposures.items() if group_id in self._protected
            ),
            never_protected=tuple(
                group_id for group_id, exposure in self._exposures.items()
                if exposure.held and group_id not in self._protected
            ),
            naked_at_end=tuple(
                group.group_id for group in context.groups if group.protected
                and (exposure := self._exposures.get(group.group_id)) is not None and exposure.since_ms is not None
                and not self._flat(group.symbol)
            ),
            latency_ms=context.latency_ms,
            money=tuple(money for _, money in sorted(self._money.items())),
            positions=tuple(self._marked(position) for position in self.positions()),
            not_simulated=not_simulated,
            assumed=assumed,
            liquidated=tuple(sorted({forced.symbol for forced in self._forced.values()})),
            resumed=self._resumed,
            uncovered=tuple(
                Uncovered(
                    group.group_id, group.symbol, exposure.worst,
                    exposure.away_ms + (exposure.running_ms(self._now_ms) if exposure.away else 0),
                )
                for group in context.groups if group.protected
                and (exposure := self._exposures.get(group.group_id)) is not None and exposure.worst
            ),
            unresolved=_named(
                known for known in self._orders if known.order.status is OrderStatus.UNKNOWN and not known.gone
            ),
            unpriced=_named(known for known in self._orders if _untold(known)),
            closed_by_others=tuple(self._others_closed()),
        )

    def _changed(self, at_ms: int, change: Change) -> None:
        known = change.known
        if change.trade is not None:
            self._executed(change.trade)
        leg = self._legs.leg(known.placed.node_id)
        if (exposure := self._exposures.get(leg.group_id)) is not None:
            client_id = known.placed.request.client_order_id
            before = self._counted.get(client_id, (ZERO, ZERO, 0))
            now = self._counted[client_id] = _counts(known, leg.role)
            exposure.add(at_ms, now[0] - before[0], now[1] - before[1], now[2] - before[2])
            self._share_excess(at_ms, leg.symbol, exposure)
            if at_ms < self._away_until_ms:
                exposure.unwatched()

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

    def _flat(self, symbol: str) -> bool:
        position = self._positions.get(symbol)
        return position is None or position.qty == self._missing(symbol)

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
        self._accounts.pop(trade.symbol, None)
        self._traded_ms[trade.symbol] = max(trade.at_ms, self._traded_ms.get(trade.symbol, 0))
        position = self._positions.get(trade.symbol) or Position(trade.symbol)
        self._positions[trade.symbol], _ = position.after(trade.side, trade.qty, trade.price)

    def _marked(self, position: Position) -> OpenPosition:
        last = self._last_px.get(position.symbol)
        return OpenPosition(
            position.symbol, position.qty, position.entry_px, last,
            None if last is None else position.unrealised(last),
        )


def _counts(known: KnownOrder, role: str) -> tuple[Decimal, Decimal, int]:
    """What an order adds to its group's open quantity, how much it can still close as a stop, and whether it is one for
    all of the position."""
    if role == Role.OPENER.value:
        return known.filled_qty, ZERO, 0
    request = known.placed.request
    stands = role == Role.STOP.value and known.order.confirmed and request.order_type.conditional
    if request.close_position:
        return -known.filled_qty, ZERO, int(stands)
    return -known.filled_qty, request.quantity - known.filled_qty if stands else ZERO, 0


def _untold(known: KnownOrder) -> bool:
    """Whether executions of it are still to be told."""
    return known.traded_qty < known.order.filled_qty


def _named(orders: Iterable[KnownOrder]) -> tuple[str, ...]:
    return tuple(f"{known.placed.node_id} ({known.placed.request.client_order_id})" for known in orders)
