"""What a run came to, told in the same words whether it was a dry run or a live one on the stage."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from runner.app.run import RunOptions, run_plan
from runner.domain.commands import PlaceOrder
from runner.domain.events import TradeReport
from runner.domain.values import trimmed
from tests.live.judge import Held, journal, truth
from tests.live.stage import Trader

HOLD_S = 60
"""How long the dry run's market stays at each price: longer than any plan of these tests waits for anything."""
_WORDS = {"NEW": "ACCEPTED"}
Prices = dict[str, str]
"""One stop of the market's way: the price of each symbol that moves, in the order in which they move."""


class Silent:
    """Watches a run and says nothing."""

    def began(self, *_: object) -> None: ...

    def told(self, *_: object) -> None: ...


@dataclass(frozen=True, slots=True)
class Came:
    """Orders and executions as sentences, each with how often it is there; position by symbol."""

    orders: Counter[str]
    fills: Counter[str]
    positions: dict[str, str]
    outcome: str = ""
    steps: tuple[tuple[str, str], ...] = ()


def on_the_way(plan: str, way: Sequence[Prices]) -> str:
    """The plan with this way as its dry run's market, one second from each stop to the next."""
    symbols = list(dict.fromkeys(symbol for stop in way for symbol in stop))
    lines = ["  market:"]
    for symbol in symbols:
        lines += [f"    {symbol}:", "      path:"]
        at_s, price = 0, ""
        for stop in way:
            if price and symbol in stop:
                lines.append(f"        - {{at: {at_s - 1}s, price: {price}}}")
            price = stop.get(symbol, price)
            lines.append(f"        - {{at: {at_s}s, price: {price}}}")
            at_s += HOLD_S
        lines.append(f"        - {{at: {at_s}s, price: {price}}}")
    market = "\n".join(lines) + "\n"
    block = re.search(r"(?ms)^dryrun:\n.*?(?=^\S)", plan)
    assert block is not None, "the plan has no dryrun section"
    kept = re.sub(r"(?ms)^  market:\n.*?(?=^  \S|\Z)", "", block[0].rstrip() + "\n")
    return plan[:block.start()] + kept + market + "\n" + plan[block.end():]


def dry(plan: str, way: Sequence[Prices], folder: Path) -> Came:
    """The dry run of the plan in this process, up to the end of the way."""
    number = sum(1 for _ in folder.glob("dry-*"))
    result = run_plan(RunOptions("plan", on_the_way(plan, way).encode(), folder / f"dry-{number}"), Silent())
    kept = journal(result.journal)
    placed = [value.request for value in kept if isinstance(value, PlaceOrder)]
    orders = Counter(
        f"{row['type']} {row['side']} {'all' if request.close_position else row['qty']} {row['symbol']} "
        f"price={row['price'] or row['limitPrice'] or '-'} stop={row['stopPrice'] or '-'} {row['result']}"
        for row, request in zip(result.order_rows, placed, strict=True)
    )
    trades = {
        (value.symbol, value.order_id, value.trade_id): value for value in kept if isinstance(value, TradeReport)
    }
    fills = Counter(
        _fill(trade.symbol, trade.side, trade.qty, trade.price, trade.fee, trade.realized_pnl, trade.maker)
        for trade in trades.values()
    )
    summary = result.summary
    return Came(
        orders, fills, {position.symbol: trimmed(position.qty) for position in summary.positions}, summary.outcome,
        tuple((step.step_id, step.outcome) for step in summary.steps),
    )


def lived(trader: Trader, symbols: Sequence[str]) -> Came:
    """What the exchange itself has of the trader's runs."""
    known = truth(trader, symbols)
    behind = {order.behind: order for order in known.held if order.behind}
    orders = Counter(_order(order, behind.get(order.number)) for order in known.ours() if not order.behind)
    names = {order.number for order in known.ours()}
    fills = Counter(
        _fill(symbol, row["side"], *(Decimal(row[name]) for name in ("qty", "price", "commission", "realizedPnl")),
              row["maker"])
        for symbol in symbols for row in trader.by_hand("GET", "v1/userTrades", symbol=symbol)
        if str(row["orderId"]) in names
    )
    return Came(orders, fills, {symbol: trimmed(qty) for symbol, qty in known.position.items() if qty})


def _order(order: Held, triggered: Held | None) -> str:
    price = trimmed(Decimal(order.price)) if order.price and Decimal(order.price) else "-"
    stop = trimmed(Decimal(order.trigger)) if order.trigger else "-"
    status = order.status if triggered is None else triggered.status
    qty = "all" if order.closes else trimmed(order.qty)
    return f"{order.kind} {order.side} {qty} {order.symbol} price={price} stop={stop} {_WORDS.get(status, status)}"


def _fill(
    symbol: str, side: str, qty: Decimal, price: Decimal, fee: Decimal, realized: Decimal, maker: bool,
) -> str:
    return (
        f"{side} {trimmed(qty)} {symbol} at {trimmed(price)} fee {trimmed(fee)} realised {trimmed(realized)} "
        f"{'maker' if maker else 'taker'}"
    )
