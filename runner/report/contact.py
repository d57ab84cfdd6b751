"""What a person must know of a run's contact to its exchange: lost and found again, taken up again, left unanswered."""

from decimal import Decimal
from typing import NamedTuple

from runner.domain.account import AccountFacts
from runner.domain.commands import Command
from runner.domain.events import (
    AccountSeen,
    Action,
    AttemptFailed,
    CommandUnresolved,
    Event,
    RunResumed,
    StopRequested,
    StreamGap,
)
from runner.domain.snapshots import VenueSnapshot
from runner.domain.times import duration, rfc3339
from runner.domain.values import trimmed
from runner.report.context import RunContext
from runner.report.orders import Orders

ACCOUNT, RUN = "account", "run"
"""Stand where other lines name a leg."""


class Note(NamedTuple):
    """`leg` and `text` are for people; `result` is the word in `bot.log`, empty where the log tells it otherwise, with
    `request` as its figures.  `matters`: people are told without asking for more."""

    leg: str
    text: str
    result: str = ""
    level: str = "WARNING"
    request: dict[str, object] | None = None
    matters: bool = True


class Contact:
    """Follows one run.  `orders` is the run's, kept up to date by whoever calls."""

    def __init__(self, context: RunContext, orders: Orders) -> None:
        self._symbols = {one.symbol for one in context.symbols}
        self._orders = orders
        self._facts: AccountFacts | None = None
        self._behind = False
        self._last_ms = 0
        self.lost_ms: int | None = None
        """Since when the account's events are missing, None while they are there."""

    def see(self, at_ms: int, value: Event | Command) -> tuple[Note, ...]:
        notes = self._notes(value)
        self._last_ms = at_ms
        return notes

    def _notes(self, value: Event | Command) -> tuple[Note, ...]:
        match value:
            case StreamGap(since_ms=since_ms):
                self._behind, self.lost_ms = True, since_ms
                text = f"the account's events were lost at {_clock(since_ms)}; everything is read again"
                return (Note(ACCOUNT, text, "STREAM_GAP", request={"since": rfc3339(since_ms)}),)
            case RunResumed():
                self._behind = True
                text = f"taken up again; the process before was last at work at {_clock(self._last_ms)}"
                return (Note(ACCOUNT, text, "RESUMED", request={"since": rfc3339(self._last_ms)}),)
            case VenueSnapshot(symbols=()) if self._behind:
                self._behind, self.lost_ms = False, None
                return (self._caught_up(value),)
            case AccountSeen(facts=facts):
                before, self._facts = self._facts, facts
                return _account(before, facts)
            case StopRequested(flatten=flatten):
                means = "and what the run holds is closed" if flatten else "what protects stays"
                return (Note(
                    RUN, f"stopping: nothing opens any more, {means}", "STOP_REQUESTED", request={"flatten": flatten},
                ),)
            case CommandUnresolved(action=Action.PLACE | Action.CANCEL):
                asked = "it was sent" if value.action is Action.PLACE else "its cancel was sent"
                text = f"UNKNOWN: {asked}, but there is no clear answer; it is looked up"
                return (Note(self._leg(value.client_order_id), text),)
            case AttemptFailed(retry_ms=pause_ms) if pause_ms is not None:
                what = "" if value.action is Action.PLACE else f" to {value.action.value} it"
                text = f"attempt {value.attempt}{what} failed: {value.error}; tried again in {duration(pause_ms)}"
                return (Note(self._leg(value.client_order_id), text),)
            case _:
                return ()

    def _caught_up(self, snapshot: VenueSnapshot) -> Note:
        ours = [
            order for order in snapshot.orders
            if not order.status.closed and self._orders.get(order.client_order_id) is not None
        ]
        held: dict[str, Decimal] = {
            position.symbol: position.qty for position in snapshot.positions
            if position.symbol in self._symbols and position.qty
        }
        words = [f"{len(ours)} order{'' if len(ours) == 1 else 's'} of this run open"]
        words += [f"position {qty:+f} {symbol}" for symbol, qty in sorted(held.items())] or ["no position"]
        figures: dict[str, object] = {
            "orders": len(ours), "positions": {symbol: trimmed(qty) for symbol, qty in sorted(held.items())},
        }
        return Note(ACCOUNT, f"everything was read again: {', '.join(words)}", "CAUGHT_UP", "INFO", figures)

    def _leg(self, client_order_id: str) -> str:
        known = self._orders.get(client_order_id)
        return known.placed.node_id if known is not None else ACCOUNT


def _account(before: AccountFacts | None, facts: AccountFacts) -> tuple[Note, ...]:
    words, known = _words(facts), _words(before) if before is not None else {}
    request: dict[str, object] = {"account": facts.tag, **words}
    changed = ", ".join(f"{name} {value}" for name, value in words.items() if known.get(name) != value)
    if before is None:
        return (Note(ACCOUNT, f"{facts.tag}: {changed}", "ACCOUNT", "INFO", request, matters=False),)
    if not changed:
        return ()
    return (Note(ACCOUNT, f"its settings are now: {changed}", "ACCOUNT_CHANGED", request=request),)


def _words(facts: AccountFacts) -> dict[str, str]:
    return {
        "mode": "hedge" if facts.hedge_mode else "one-way",
        "margin": "multi-asset" if facts.multi_assets else "single-asset",
        "trading": "allowed" if facts.can_trade else "forbidden",
    } | {one.symbol: f"leverage {one.leverage} {one.margin_type}" for one in facts.settings}


def _clock(at_ms: int) -> str:
    return f"{rfc3339(at_ms)[11:19]} UTC"
