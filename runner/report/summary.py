"""What a run came to: counts, outcomes, money, and what stood without protection; in words and as JSON."""

from collections.abc import Iterator
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import NamedTuple

from runner.domain.times import duration
from runner.domain.values import EXACT, ZERO, plain, trimmed

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


class Uncovered(NamedTuple):
    """What a group held without a stop while no process was there to place one: at most `qty`, for `ms` until it was
    covered or closed."""

    group_id: str
    symbol: str
    qty: Decimal
    ms: int


class Lost(NamedTuple):
    """What the run held and others closed: `qty` is signed; at what price is not known, so it is in no result."""

    symbol: str
    qty: Decimal


class RunSummary(NamedTuple):
    """`unprotected_ms` is the time that stops did not cover what protected groups held, all of them together; it
    counts from the first fill, also where the step that protects starts later.  `liquidated` are the symbols on which
    the exchange closed positions by force.  `assumed` and `not_simulated` say in what the exchange of this run was not
    the real one.

    `outcome` is succeeded, failed, stopped, open, or empty while the run has not ended.  `never_protected` names the
    groups that held something without any stop meant for it, `naked_at_end` those whose stops fell short at the end.

    `closed_by_others` is what somebody else, or the exchange unheard, closed of what the run held.

    `resumed` is how often a new process took the run up, `uncovered` what was without a stop meanwhile.  `unresolved`
    names the orders of which it is not known whether the exchange holds them, `unpriced` those of whose fills no
    execution was told, so that they are missing in `money` and `positions`; each with its client order id.
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
    resumed: int = 0
    uncovered: tuple[Uncovered, ...] = ()
    unresolved: tuple[str, ...] = ()
    unpriced: tuple[str, ...] = ()
    closed_by_others: tuple[Lost, ...] = ()


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
    if summary.resumed:
        counts.append(f"resumed {_count(summary.resumed, 'time', 'times')}")
    parts = [f"{head}: {', '.join(counts)}", *_steps(summary), *_protection(summary)]
    if summary.money:
        parts.append("PnL " + ", ".join(map(_money, summary.money)))
    if summary.unpriced:
        parts.append(f"not in the PnL, since no price was told: {_some(list(summary.unpriced))}")
    parts += [
        f"CLOSED BY OTHERS, not in the PnL: {trimmed(lost.qty)} {lost.symbol}" for lost in summary.closed_by_others
    ]
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
        "resumed": summary.resumed,
        "uncovered": [
            {"group_id": one.group_id, "symbol": one.symbol, "qty": trimmed(one.qty), "ms": one.ms}
            for one in summary.uncovered
        ],
        "unresolved": list(summary.unresolved), "unpriced": list(summary.unpriced),
        "closed_by_others": [{"symbol": lost.symbol, "qty": trimmed(lost.qty)} for lost in summary.closed_by_others],
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
    if summary.unresolved:
        yield f"OUTCOME UNKNOWN: {_some(list(summary.unresolved))}"
    for one in summary.uncovered:
        yield (
            f"WITHOUT A STOP while no process was there: {one.group_id} {trimmed(one.qty)} {one.symbol}, "
            f"for {duration(one.ms)}"
        )
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
