"""A preview in words and as JSON: the requests, the worst case, and for a demo or live run the account."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Any

from runner.domain.account import AccountFacts
from runner.domain.snapshots import VenueSnapshot
from runner.domain.values import EXACT, plain, trimmed
from runner.graph.preview import PlannedOrder, Preview, as_json
from runner.graph.reference import ReferencePrice

SHOWN = 12
"""How much of a fingerprint or an approval id people are shown; `--approve` takes that much of it."""


@dataclass(frozen=True, slots=True)
class Account:
    """Where a demo or live run would go.  `refusals` say why it would be refused now."""

    host: str
    facts: AccountFacts
    snapshot: VenueSnapshot
    refusals: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """Everything that a preview shows; `account` is None for a dry run."""

    plan: str
    mode: str
    fingerprint: str
    approval_id: str
    prices: Mapping[str, ReferencePrice]
    leverage: int
    preview: Preview
    account: Account | None = None

    def as_json(self) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "plan": self.plan, "mode": self.mode, "fingerprint": self.fingerprint, "approval_id": self.approval_id,
        }
        if self.account is not None:
            shown |= _account_json(self.account)
        return shown | {
            "prices": {
                symbol: {"price": trimmed(known.price), "why": known.why} for symbol, known in self.prices.items()
            },
            "leverage": self.leverage, **as_json(self.preview),
        }

    def as_text(self) -> str:
        approval = f"approval id {self.approval_id[:SHOWN]} ({self.mode})"
        parts = [f"{self.plan}   fingerprint {self.fingerprint[:SHOWN]}   {approval}"]
        if self.account is not None:
            parts.append("\n".join(_account_lines(self.account)))
        parts += map(_order, self.preview.orders)
        parts.append("\n".join(_worst(self.preview, self.leverage, self.prices)))
        if self.account is not None and self.account.refusals:
            parts.append("\n".join(f"REFUSED NOW: {reason}" for reason in self.account.refusals))
        return "\n\n".join(parts)


def _account_json(account: Account) -> dict[str, Any]:
    facts, snapshot = account.facts, account.snapshot
    return {
        "host": account.host,
        "account": {
            "tag": facts.tag, "can_trade": facts.can_trade, "hedge_mode": facts.hedge_mode,
            "multi_assets": facts.multi_assets,
            "settings": {
                one.symbol: {"leverage": one.leverage, "margin_type": one.margin_type} for one in facts.settings
            },
            "balances": {
                one.asset: {"wallet": trimmed(one.wallet), "available": trimmed(one.available)}
                for one in snapshot.balances
            },
            "positions": {
                one.symbol: {"qty": trimmed(one.qty), "entry_px": trimmed(one.entry_px)}
                for one in snapshot.positions if one.qty
            },
            "open_orders": len(snapshot.orders),
        },
        "refusals": list(account.refusals),
    }


def _account_lines(account: Account) -> list[str]:
    facts, snapshot = account.facts, account.snapshot
    mode = "hedge mode" if facts.hedge_mode else "one-way mode"
    lines = [f"account {facts.tag} at {account.host}: {mode}, {len(snapshot.orders)} orders open"]
    lines += [
        f"  {one.asset}: wallet {trimmed(one.wallet)}, available {trimmed(one.available)}"
        for one in snapshot.balances if one.wallet or one.available
    ]
    lines += [f"  {one.symbol}: leverage {one.leverage}, {one.margin_type.lower()} margin" for one in facts.settings]
    lines += [
        f"  {one.symbol}: position {one.qty:+f} from {trimmed(one.entry_px)}" for one in snapshot.positions if one.qty
    ]
    return lines


def _order(order: PlannedOrder) -> str:
    worth = "" if order.notional is None else f"   at most {_money(order.notional)}"
    lines = [f"{order.node_id}   {order.endpoint}{worth}"]
    lines += [f"  {name} = {value}" for name, value in order.request.items()]
    lines += [f"  {name}: {words}" for name, words in order.at_run_time.items()]
    return "\n".join(lines)


def _worst(found: Preview, leverage: int, taken: Mapping[str, ReferencePrice]) -> list[str]:
    worst = found.worst
    lines = ["If everything that opens is filled:"]
    for asset, notional in worst.notional.items():
        lines.append(f"  notional {_money(notional)} {asset}")
        lines.append(f"  initial margin {_money(worst.initial_margin[asset])} {asset} at leverage {leverage}")
    for asset, loss in worst.loss_at_stops.items():
        lines.append(f"  loss at the stops {_money(loss)} {asset} with taker fees, before what a gap adds")
    if not worst.notional and not worst.unpriced:
        lines.append("  nothing opens")
    if worst.unpriced:
        lines.append(f"  not counted, since no price is known (give --price): {', '.join(worst.unpriced)}")
    if worst.unstopped:
        lines.append(f"  no stop bounds the loss of: {', '.join(worst.unstopped)}")
    lines += [f"{symbol} taken to stand at {trimmed(known.price)}: {known.why}" for symbol, known in taken.items()]
    return lines


def _money(amount: Decimal) -> str:
    """Rounded up, against the user, to hundredths."""
    return plain(amount.quantize(Decimal("0.01"), rounding=ROUND_CEILING, context=EXACT))
